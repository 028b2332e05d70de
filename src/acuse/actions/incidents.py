"""What follows from the signals of checks and alerts: one case for each incident (P06)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from ..models import (
    AlertSource,
    Check,
    CheckRun,
    Environment,
    Incident,
    MaintenanceWindow,
    Outage,
)
from ..policy import incidents as rules
from ..policy.authors import MONITOR, Occasion
from ..policy.incidents import Signal, Step, Told
from ..policy.probing import Result
from ..policy.refusals import Refused
from ..policy.stages import ENDED
from . import life, monitoring

log = logging.getLogger(__name__)


@transaction.atomic
def hear(
    signal: Signal,
    environment: Environment,
    *,
    at: datetime,
    check: Check | None = None,
    source: AlertSource | None = None,
) -> Incident | None:
    """Take in one signal and do what follows from it at once. The incident it belongs to; None
    where it says that something works which nobody knew to fail."""
    _alone(environment, signal.fingerprint)
    found = _open_incident(environment, signal.fingerprint)
    if found is None:
        if not signal.failing:
            return None
        found = Incident(
            environment=environment,
            fingerprint=signal.fingerprint,
            of=check,
            source=source,
            first_at=at,
            last_at=at,
            changed_at=at,
        )
    # Two senders' clocks are read before they wait for each other: time does not go back.
    at = max(at, found.last_at)
    silenced = is_silenced(environment, at)
    found.last_at, found.count = at, found.count + signal.count
    if not _is_stale(signal, found):
        found.set_condition(rules.hear(found.condition, signal.failing, at, silenced=silenced))
        if signal.failing:
            found.title, found.text = signal.title[:200], signal.text
            found.started_at = signal.started_at
    found.save()
    _follow(found, at, silenced=silenced)
    return found


def _is_stale(signal: Signal, found: Incident) -> bool:
    """Whether it says that an earlier failure than the last one is over (alerts may overtake one
    another)."""
    if signal.failing or signal.started_at is None or found.started_at is None:
        return False
    return signal.started_at < found.started_at


def _alone(environment: Environment, fingerprint: str) -> None:
    """Signals about one thing wait for each other, also before it has a row."""
    with connection.cursor() as cursor:
        key = f"incident/{environment.pk}/{fingerprint}"
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _open_incident(environment: Environment, fingerprint: str) -> Incident | None:
    rows = Incident.objects.filter(environment=environment, fingerprint=fingerprint)
    return rows.filter(over_at__isnull=True).select_related("case").first()


def is_silenced(environment: Environment, at: datetime) -> bool:
    """Whether maintenance is on."""
    return MaintenanceWindow.objects.running(at).filter(environment=environment).exists()


@transaction.atomic
def follow(incident_id: int, at: datetime) -> Step | None:
    """Do what follows now from how an incident stands; what was done, or None."""
    named = Incident.objects.select_related("environment").get(pk=incident_id)
    _alone(named.environment, named.fingerprint)
    found = Incident.objects.select_related("case", "environment").get(pk=incident_id)
    if found.over_at is not None:
        return None
    at = max(at, found.last_at)
    return _follow(found, at, silenced=is_silenced(found.environment, at))


def pending() -> list[int]:
    """The ids of the incidents from which something may follow without a new signal."""
    ended = Q(case__stage__in=ENDED)
    untold = Q(failing=True, told__in=[Told.NOTHING, Told.RECOVERED])
    recovering = Q(failing=False, told__in=[Told.NOTHING, Told.FAILING, Told.FLAPPING])
    rows = Incident.objects.filter(over_at__isnull=True)
    rows = rows.filter(untold | recovering | Q(failing=False) & ended)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _follow(found: Incident, at: datetime, *, silenced: bool) -> Step | None:
    ended = found.case is not None and found.case.stage in ENDED
    now = found.condition
    step = rules.next_step(now, at, silenced=silenced, case_ended=ended)
    if step is None:
        return None
    try:
        with transaction.atomic():
            _STEPS[step](found, at)
    except Refused as refusal:
        # Somebody ended the case this moment; the next look at the incident sees it.
        log.warning("incident %s: %s", found.pk, refusal)
        return None
    found.set_condition(rules.take(now, step))
    found.save()
    return step


def _open(found: Incident, at: datetime) -> None:
    environment = found.environment
    found.case = life.open(
        Occasion(None, MONITOR, at),
        subject=f"{environment.name}: {found.title}",
        text=found.text or found.title,
        environment=environment,
        language=environment.organisation.language,
    ).case
    _begin_outage(found)


def _again(found: Incident, at: datetime) -> None:
    _note(found, at, found.text or found.title)
    _begin_outage(found)


def _flaps(found: Incident, at: datetime) -> None:
    with translation.override(found.environment.organisation.language):
        text = _(
            "It comes and goes. Single changes are not noted any more; the recovery is noted once "
            "it has worked for %(minutes)s minutes."
        ) % {"minutes": int(rules.CALM.total_seconds() // 60)}
    _note(found, at, text)
    if not found.outages.filter(until__isnull=True).exists():
        _begin_outage(found)


def _note(found: Incident, at: datetime, text: str) -> None:
    monitoring.open_environment_alert(
        Occasion(found.case_id, MONITOR, at),
        environment=found.environment,
        fingerprint=found.fingerprint,
        text=text,
    )


def _recover(found: Incident, at: datetime) -> None:
    monitoring.recover(
        Occasion(found.case_id, MONITOR, at),
        environment=found.environment,
        fingerprint=found.fingerprint,
    )
    _end_outage(found, found.changed_at)


def _end(found: Incident, at: datetime) -> None:
    found.over_at = at
    _end_outage(found, found.changed_at)


def _begin_outage(found: Incident) -> None:
    Outage.objects.create(incident=found, environment=found.environment, since=found.changed_at)


def _end_outage(found: Incident, at: datetime) -> None:
    found.outages.filter(until__isnull=True, since__lte=at).update(until=at)


_STEPS: dict[Step, Callable[[Incident, datetime], None]] = {
    Step.OPEN: _open,
    Step.AGAIN: _again,
    Step.FLAPS: _flaps,
    Step.RECOVER: _recover,
    Step.END: _end,
}


@transaction.atomic
def abandon(environment: Environment, at: datetime, **whose: object) -> None:
    """Nobody watches these any more (`of`, `source`): their incidents are over, which says nothing
    about whether the system works."""
    for named in Incident.objects.filter(
        environment=environment, over_at__isnull=True, **whose
    ).order_by("fingerprint"):
        _alone(environment, named.fingerprint)
        found = _open_incident(environment, named.fingerprint)
        if found is not None:
            found.over_at = max(at, found.last_at)
            found.save(update_fields=["over_at"])
            _end_outage(found, found.over_at)


@transaction.atomic
def keep_result(check: Check, result: Result, at: datetime, words: str) -> None:
    """Keep what a check found, and hear it once so many in a row agree. `words`: what it found,
    for the case."""
    row = Check.objects.select_for_update(of=("self",)).get(pk=check.pk)
    if row.retired_at is not None:
        return
    detail = result.detail.replace("\0", "")[:200]
    CheckRun.objects.create(
        of=row,
        at=at,
        finding=result.finding,
        detail=detail,
        latency=result.latency,
    )
    before = row.streak
    after = before.count(result.passes, to_open=row.to_open, to_recover=row.to_recover)
    row.failing, row.passed, row.failed = after.failing, after.passed, after.failed
    row.last_at, row.last_finding = at, result.finding
    row.save(
        update_fields=["failing", "passed", "failed", "last_at", "last_finding"],
    )
    if before.failing or after.failing:
        # Between its first pass and its last one needed, what was known still holds.
        title = f"{row.name}: {words}"
        text = "\n".join(filter(None, [title, row.target, detail]))
        signal = Signal(fingerprint_of(row), after.failing, title, text)
        if not (after.failing and result.passes):
            hear(signal, row.environment, at=at, check=row)


def fingerprint_of(check: Check) -> str:
    """Which thing a check watches, as a fingerprint."""
    return rules.fingerprint("check", check.pk)


def keep_alerts(source: AlertSource, signals: list[Signal], total: int, at: datetime) -> None:
    """Take in one post of a source. `total`: how many alerts it stands for.

    Each signal is committed by itself: a post may be about many cases, and whoever works on two of
    them must not wait for it in a ring. What is sent again because the rest failed is only counted
    again.
    """
    for signal in signals:
        hear(signal, source.environment, at=at, source=source)
    rows = AlertSource.objects.filter(pk=source.pk)
    rows.update(received=F("received") + total, last_at=at)
