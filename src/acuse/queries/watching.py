"""How the customers' systems fare: now, lately, day by day (P06)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from ..models import (
    AlertSource,
    Case,
    Change,
    Check,
    CheckRun,
    Environment,
    Incident,
    MaintenanceWindow,
    OpenedBy,
    Outage,
    Person,
)
from ..policy import incidents as rules
from ..policy import outages
from ..policy.fields import N_
from ..policy.incidents import Told
from ..policy.outages import Day
from ..policy.probing import CheckKind, Finding
from ..policy.stages import ENDED

DAYS = 90  # of the history
MOST_INCIDENTS, MOST_RUNS, MOST_CHANGES = 50, 50, 50

FINDINGS = {
    Finding.FINE: N_("works"),
    Finding.UNKNOWN_HOST: N_("its name is not known"),
    Finding.FORBIDDEN: N_("its address may not be asked"),
    Finding.NO_CONNECTION: N_("no connection"),
    Finding.TIMED_OUT: N_("no answer in time"),
    Finding.CERTIFICATE: N_("its certificate is not valid"),
    Finding.EXPIRES: N_("its certificate ends soon"),
    Finding.STATUS: N_("answers with another status"),
    Finding.REDIRECT: N_("sends us elsewhere"),
    Finding.TEXT: N_("the expected text is missing"),
    Finding.SLOW: N_("answers too slowly"),
    Finding.UNHEALTHY: N_("says that it is not well"),
    Finding.ODD_ANSWER: N_("its answer cannot be understood"),
}
KINDS = {
    CheckKind.HTTP: N_("Web page (HTTP)"),
    CheckKind.ODOO: N_("Odoo's health page"),
    CheckKind.TLS: N_("TLS certificate"),
    CheckKind.TCP: N_("Port (TCP)"),
}
STATES = {
    "up": N_("Works"),
    "down": N_("Fails"),
    "maintenance": N_("Under maintenance"),
    "unwatched": N_("Not watched"),
}
DAY_STATES = {
    "down": N_("failed %(minutes)s minutes"),
    "maintenance": N_("maintenance, %(minutes)s minutes"),
}


def finding_words(code: str) -> str:
    """What a probe found, in the active language."""
    return _(FINDINGS[Finding(code)])


@dataclass(frozen=True)
class Shown:
    """A day of the history: its state ("up", "down", ...)."""

    day: Day
    state: str

    @property
    def words(self) -> str:
        """What there is to say of a day with a failure or maintenance."""
        minutes = self.day.down if self.state == "down" else self.day.maintained
        return _(DAY_STATES[self.state]) % {"minutes": minutes}


@dataclass(frozen=True)
class Status:
    """An environment at a moment. `since`: from when it is watched; None: nobody watches it."""

    environment: Environment
    state: str
    since: datetime | None
    incidents: list[Incident]
    maintenance: list[MaintenanceWindow]
    days: list[Shown]
    up: float | None

    @property
    def words(self) -> str:
        return _(STATES[self.state])

    @property
    def percent(self) -> str:
        """Rounded down, so that a failure never shows as 100 %."""
        return "" if self.up is None else f"{int(self.up * 10_000) / 100:.2f}"


def statuses(person: Person, at: datetime, *, only: int | None = None) -> list[Status]:
    """The environments that this person may see, each with its history in the person's zone; in
    as many queries however many they are."""
    rows = Environment.objects.visible_to(person).filter(retired_at__isnull=True)
    rows = rows.select_related("organisation").order_by("organisation__name", "name", "pk")
    if only is not None:
        rows = rows.filter(pk=only)
    environments = list(rows)
    ids = [row.pk for row in environments]
    zone = ZoneInfo(person.zone)
    begin = at - timedelta(days=DAYS)
    since = _watched_since(ids)
    open_rows = _by_environment(_open_incidents(ids))
    windows = _by_environment(
        # One that was called off is empty.
        MaintenanceWindow.objects.filter(environment__in=ids, until__gt=begin, since__lt=F("until"))
        .select_related("by")
        .order_by("since")
    )
    broken = _by_environment(
        Outage.objects.filter(environment__in=ids).filter(
            Q(until__isnull=True) | Q(until__gt=begin)
        )
    )
    return [
        _status(
            row,
            at,
            zone,
            since.get(row.pk),
            open_rows.get(row.pk, []),
            windows.get(row.pk, []),
            broken.get(row.pk, []),
        )
        for row in environments
    ]


def _status(
    environment: Environment,
    at: datetime,
    zone: ZoneInfo,
    since: datetime | None,
    incidents: list[Incident],
    windows: list[MaintenanceWindow],
    broken: list[Outage],
) -> Status:
    down = [row for row in incidents if row.told in (Told.FAILING, Told.FLAPPING)]
    running = [row for row in windows if row.since <= at < row.until]
    last = at.astimezone(zone).date()
    days = outages.days(
        [(row.since, row.until or at) for row in broken],
        [(row.since, min(row.until, at)) for row in windows],
        watched=(since or at, at),
        first=last - timedelta(days=DAYS - 1),
        last=last,
        zone=zone,
    )
    state = "unwatched" if since is None else "down" if down else "up"
    return Status(
        environment,
        "maintenance" if running and since is not None else state,
        since,
        incidents,
        [row for row in windows if row.until > at],
        [Shown(day, _day_state(day)) for day in days],
        outages.share_up(days),
    )


def _day_state(day: Day) -> str:
    if not day.watched:
        return "unwatched"
    return "down" if day.down else "maintenance" if day.maintained else "up"


def _by_environment(rows: Iterable[object]) -> dict[int, list]:
    found: dict[int, list] = {}
    for row in rows:
        found.setdefault(row.environment_id, []).append(row)  # type: ignore[attr-defined]
    return found


def _watched_since(ids: list[int]) -> dict[int, datetime]:
    """Since when each is watched by something that is in use."""
    found: dict[int, datetime] = {}
    for model in (Check, AlertSource):
        rows = model.objects.filter(environment__in=ids, retired_at__isnull=True)
        for pk, since in rows.values_list("environment", "since"):
            found[pk] = min(since, found.get(pk, since))
    return found


def _open_incidents(ids: list[int]) -> QuerySet[Incident]:
    rows = Incident.objects.filter(environment__in=ids, over_at__isnull=True)
    return rows.exclude(told=Told.NOTHING).select_related("case").order_by("-first_at", "-pk")


def to_close(person: Person, at: datetime) -> list[Incident]:
    """The incidents whose system has worked for so long that closing their case is proposed."""
    rows = Incident.objects.filter(
        over_at__isnull=True,
        failing=False,
        told=Told.RECOVERED,
        changed_at__lte=at - rules.SETTLED,
        case__in=Case.objects.visible_to(person).exclude(stage__in=ENDED),
    )
    return list(rows.select_related("case", "environment__organisation").order_by("changed_at"))


def find_recovered(case: Case, at: datetime) -> Incident | None:
    """The incident of a case that has worked for so long that closing it is proposed, or None."""
    if case.opened_by != OpenedBy.MONITOR or case.stage in ENDED:
        return None
    found = Incident.objects.filter(case=case, over_at__isnull=True).first()
    return found if found is not None and rules.proposes_closing(found.condition, at) else None


def get_environment(person: Person, pk: int) -> Environment:
    """One environment. Raises Environment.DoesNotExist."""
    rows = Environment.objects.visible_to(person).select_related("organisation")
    return rows.get(pk=pk)


def checks_of(environment: Environment) -> list[Check]:
    """Every check of an environment, those no longer used last."""
    return list(environment.checks.order_by("-retired_at", "name", "pk"))


def get_check(person: Person, pk: int) -> Check:
    """One check. Raises Check.DoesNotExist."""
    rows = Check.objects.filter(environment__in=Environment.objects.visible_to(person))
    return rows.select_related("environment__organisation").get(pk=pk)


def runs_of(check: Check) -> list[CheckRun]:
    """Its latest results, the newest first."""
    return list(check.runs.order_by("-at", "-pk")[:MOST_RUNS])


def sources_of(environment: Environment) -> list[AlertSource]:
    """Who sends alerts about an environment, those no longer used last."""
    return list(environment.alert_sources.order_by("-retired_at", "name", "pk"))


def get_source(person: Person, pk: int) -> AlertSource:
    """One source. Raises AlertSource.DoesNotExist."""
    rows = AlertSource.objects.filter(environment__in=Environment.objects.visible_to(person))
    return rows.select_related("environment__organisation").get(pk=pk)


def get_window(person: Person, pk: int) -> MaintenanceWindow:
    """One maintenance window. Raises MaintenanceWindow.DoesNotExist."""
    rows = MaintenanceWindow.objects.filter(environment__in=Environment.objects.visible_to(person))
    return rows.select_related("environment").get(pk=pk)


def maintenance_changes(environment: Environment) -> list[Change]:
    """Who announced, ended or called off its maintenance, the newest first."""
    windows = MaintenanceWindow.objects.filter(environment=environment).values("pk")
    rows = Change.objects.filter(subject="maintenance", row__in=windows).select_related("by")
    return list(rows.order_by("-pk")[:MOST_CHANGES])


def incidents_of(environment: Environment) -> list[Incident]:
    """Its latest incidents that became cases, the newest first."""
    rows = environment.incidents.filter(case__isnull=False).select_related("case")
    return list(rows.order_by("-first_at", "-pk")[:MOST_INCIDENTS])
