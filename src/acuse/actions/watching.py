"""Setting up what is watched: checks, maintenance, sources of alerts (P06). What has been used is
retired, never deleted; every change has its author."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from ..models import AlertSource, Check, CheckRun, Environment, MaintenanceWindow, Person
from ..policy.alerts import Grouping
from ..policy.fields import N_, InvalidField, require_int
from ..policy.probing import CheckKind, read_target
from . import incidents, records

CHECK, MAINTENANCE, SOURCE = "check", "maintenance", "alert_source"
EMPTY = N_("must not be empty")
TOO_LONG = N_("must have at most %(most)s characters")
UNKNOWN_CODE = N_("“%(value)s” is not among the choices")
RETIRED = N_("the environment is retired")
ENDS_FIRST = N_("must be after the beginning")
IN_THE_PAST = N_("must be in the future")
TOO_LATE = N_("must be at most %(days)s days after the beginning")
OVER = N_("the maintenance is over")
LONGEST_MAINTENANCE = timedelta(days=31)
KEPT_RUNS = timedelta(days=8)


@dataclass(frozen=True)
class CheckFacts:
    """What may be said of a check; units as in models.Check."""

    name: str
    kind: str
    target: str
    every: int = 5
    timeout: int = 10
    to_open: int = 2
    to_recover: int = 2
    latency_limit: int | None = None
    expected_status: int = 200
    expected_text: str = ""
    expiry_days: int = 14


def _check(facts: CheckFacts) -> dict[str, object]:
    if facts.kind not in list(CheckKind):
        raise InvalidField("kind", UNKNOWN_CODE, value=facts.kind)
    read_target(CheckKind(facts.kind), facts.target)
    for name, low, high in (
        ("every", 1, 1440),
        ("timeout", 1, 10),
        ("to_open", 1, 20),
        ("to_recover", 1, 20),
        ("expected_status", 100, 599),
        ("expiry_days", 0, 365),
    ):
        require_int(name, getattr(facts, name), low, high)
    if facts.latency_limit is not None:
        require_int("latency_limit", facts.latency_limit, 1, 10_000)
    return asdict(facts) | {
        "name": _text("name", facts.name, 100),
        "target": _text("target", facts.target, 500),
        "expected_text": facts.expected_text.strip()[:200],
    }


def _text(field: str, text: str, most: int) -> str:
    plain = " ".join(text.split())
    if not plain:
        raise InvalidField(field, EMPTY)
    if len(plain) > most:
        raise InvalidField(field, TOO_LONG, most=most)
    return plain


def _require_used(environment: Environment) -> None:
    if environment.retired_at is not None:
        raise InvalidField("environment", RETIRED)


@transaction.atomic
def add_check(environment: Environment, facts: CheckFacts, *, by: Person, at: datetime) -> Check:
    """A check, asked for the first time within a minute. Raises InvalidField."""
    _require_used(environment)
    columns = _check(facts)
    row = Check.objects.create(environment=environment, since=at, next_at=at, **columns)
    fields = {name: (None, value) for name, value in columns.items()}
    records.note_change(CHECK, row.pk, "add", by=by, at=at, fields=fields)
    return row


@transaction.atomic
def change_check(check: Check, facts: CheckFacts, *, by: Person, at: datetime) -> None:
    """Other facts of a check, from its next run on, which is soon. Raises InvalidField."""
    row = Check.objects.select_for_update().get(pk=check.pk)
    columns = _check(facts)
    fields = records.compare({name: getattr(row, name) for name in columns}, columns)
    if fields:
        for name, value in columns.items():
            setattr(row, name, value)
        row.next_at = at
        row.save(update_fields=[*columns, "next_at"])
        records.note_change(CHECK, row.pk, "edit", by=by, at=at, fields=fields)


@transaction.atomic
def retire_check(check: Check, *, by: Person, at: datetime, why: str) -> None:
    """It is not asked any more; what it found stays. Raises InvalidField."""
    why = _text("why", why, 500)
    rows = Check.objects.filter(pk=check.pk, retired_at__isnull=True)
    if rows.update(retired_at=at):
        incidents.abandon(check.environment, at, of=check)
        records.note_change(CHECK, check.pk, "retire", by=by, at=at, why=why)


@transaction.atomic
def restore_check(check: Check, *, by: Person, at: datetime) -> None:
    """A retired check is asked again, as if it had just been set up. Raises InvalidField."""
    _require_used(check.environment)
    rows = Check.objects.filter(pk=check.pk, retired_at__isnull=False)
    if rows.update(retired_at=None, next_at=at, failing=False, passed=0, failed=0):
        records.note_change(CHECK, check.pk, "restore", by=by, at=at)


@transaction.atomic
def take_due_checks(at: datetime, *, most: int) -> list[Check]:
    """The checks to be asked now, each given to one worker only; their next time is planned."""
    due = Check.objects.filter(
        next_at__lte=at, retired_at__isnull=True, environment__retired_at__isnull=True
    )
    rows = list(
        due.select_for_update(of=("self",), skip_locked=True)
        .select_related("environment__organisation")
        .order_by("next_at", "pk")[:most]
    )
    for row in rows:
        row.next_at = at + timedelta(minutes=row.every)
    Check.objects.bulk_update(rows, ["next_at"])
    return rows


def forget_runs(at: datetime) -> int:
    """Delete the results that are too old to be looked at; how many they were."""
    return CheckRun.objects.filter(at__lt=at - KEPT_RUNS).delete()[0]


@transaction.atomic
def announce_maintenance(
    environment: Environment,
    *,
    since: datetime,
    until: datetime,
    reason: str,
    by: Person,
    at: datetime,
) -> MaintenanceWindow:
    """What fails in this time opens no case; what still fails at its end does. Raises
    InvalidField."""
    _require_used(environment)
    reason = _text("reason", reason, 200)
    if until <= since:
        raise InvalidField("until", ENDS_FIRST)
    if until <= at:
        raise InvalidField("until", IN_THE_PAST)
    if until - since > LONGEST_MAINTENANCE:
        raise InvalidField("until", TOO_LATE, days=LONGEST_MAINTENANCE.days)
    # What has been told to people is not silenced in hindsight.
    row = MaintenanceWindow.objects.create(
        environment=environment, since=max(since, at), until=until, reason=reason, by=by
    )
    fields = {"since": (None, row.since.isoformat()), "until": (None, until.isoformat())}
    records.note_change(MAINTENANCE, row.pk, "add", by=by, at=at, why=reason, fields=fields)
    return row


@transaction.atomic
def end_maintenance(window: MaintenanceWindow, *, by: Person, at: datetime) -> None:
    """It ends now, or does not take place. Raises InvalidField where it is over."""
    row = MaintenanceWindow.objects.select_for_update(of=("self",)).get(pk=window.pk)
    if row.until <= at:
        raise InvalidField("until", OVER)
    before, row.until = row.until, max(at, row.since)
    if at < row.since:
        row.until = row.since
    row.save(update_fields=["until"])
    fields = {"until": (before.isoformat(), row.until.isoformat())}
    # The reason says which of the environment's maintenance it was.
    records.note_change(MAINTENANCE, row.pk, "end", by=by, at=at, why=row.reason, fields=fields)


def _new_token(pk: int) -> tuple[str, str]:
    """A token that names its source, and what is kept of it."""
    secret = secrets.token_urlsafe(32)
    return f"acuse-{pk}-{secret}", hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def add_source(
    environment: Environment, name: str, grouping: str, *, by: Person, at: datetime
) -> tuple[AlertSource, str]:
    """A source of alerts and its token, which is not kept and never shown again. Raises
    InvalidField."""
    _require_used(environment)
    if grouping not in list(Grouping):
        raise InvalidField("grouping", UNKNOWN_CODE, value=grouping)
    row = AlertSource.objects.create(
        environment=environment, name=_text("name", name, 100), grouping=grouping, since=at
    )
    token = _give_token(row)
    fields = {"name": (None, row.name), "grouping": (None, row.grouping)}
    records.note_change(SOURCE, row.pk, "add", by=by, at=at, fields=fields)
    return row, token


def _give_token(row: AlertSource) -> str:
    token, row.token_hash = _new_token(row.pk)
    row.save(update_fields=["token_hash"])
    return token


@transaction.atomic
def replace_token(source: AlertSource, *, by: Person, at: datetime) -> str:
    """Another token for a source; the one before opens nothing from now on."""
    token = _give_token(source)
    fields = {"token": (records.HIDDEN, records.HIDDEN)}
    records.note_change(SOURCE, source.pk, "token", by=by, at=at, fields=fields)
    return token


@transaction.atomic
def retire_source(source: AlertSource, *, by: Person, at: datetime, why: str) -> None:
    """Its alerts are refused from now on. Raises InvalidField."""
    why = _text("why", why, 500)
    rows = AlertSource.objects.filter(pk=source.pk, retired_at__isnull=True)
    if rows.update(retired_at=at, token_hash=""):
        incidents.abandon(source.environment, at, source=source)
        records.note_change(SOURCE, source.pk, "retire", by=by, at=at, why=why)


def find_source(token: str) -> AlertSource | None:
    """The source whose token this is, compared in constant time; None for any other."""
    named, _, secret = token.removeprefix("acuse-").partition("-")
    known = token.startswith("acuse-") and named.isascii() and named.isdigit() and len(named) < 19
    rows = AlertSource.objects.select_related("environment__organisation")
    row = rows.filter(pk=int(named), retired_at__isnull=True).first() if known else None
    given = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    matches = secrets.compare_digest(given, row.token_hash if row is not None else "0" * 64)
    return row if matches else None
