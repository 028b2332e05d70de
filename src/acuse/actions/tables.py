"""What contracts rest on, published by the firm's managers in versions: calendars, committed times,
rates and the policies. A version is never changed; a table no longer wanted is retired (P07, P09).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from django.db import IntegrityError, models, transaction

from ..models import (
    CalendarVersion,
    Person,
    PolicyVersion,
    RateVersion,
    RetiredTable,
    SlaVersion,
    TableKind,
)
from ..policy.calendar import Calendar, Week
from ..policy.contracts import Commitment, HourlyRate
from ..policy.fields import N_, InvalidField
from ..policy.versions import PolicyParameters
from . import records
from .administration import (
    publish_calendar,
    publish_commitments,
    publish_policy,
    publish_rate_rows,
)
from .binding import STANDARD

POLICY = "policy"  # subject of a Change row, beside the kinds of table

EMPTY = N_("must not be empty")
KNOWN = N_("%(name)s exists already")
STALE = N_("version %(number)s has been published meanwhile: look at it first")
STANDARD_STAYS = N_("cases without a contract follow it: it stays")
IN_THE_PAST = N_("must not be in the past")

V = TypeVar("V", bound=models.Model)

MODELS: dict[str, type[models.Model]] = {
    TableKind.CALENDAR: CalendarVersion,
    TableKind.SLA: SlaVersion,
    TableKind.RATES: RateVersion,
}


@transaction.atomic
def publish_times(
    name: str, rows: Sequence[Commitment], seen: int, *, by: Person, at: datetime, why: str = ""
) -> SlaVersion:
    """The next version of a table of committed times, or a new table (P21). `seen`: the newest
    version that whoever publishes had before them, 0 for a new one. Raises InvalidField."""
    plain = _check(TableKind.SLA, name, seen)
    return _noted(TableKind.SLA, lambda: publish_commitments(plain, rows), by, at, why)


@transaction.atomic
def publish_prices(
    name: str,
    currency: str,
    rows: Sequence[HourlyRate],
    seen: int,
    *,
    by: Person,
    at: datetime,
    why: str = "",
) -> RateVersion:
    """The next version of a list of rates, in the same currency, or a new list. Raises
    InvalidField."""
    plain = _check(TableKind.RATES, name, seen)
    if not rows:
        raise InvalidField("rates", EMPTY)
    code = currency.strip().upper()
    return _noted(TableKind.RATES, lambda: publish_rate_rows(code, rows, plain), by, at, why)


@transaction.atomic
def found_calendar(
    name: str, zone: str, week: Week, *, by: Person, at: datetime, why: str = ""
) -> CalendarVersion:
    """A new calendar. Its years have no holidays and are not reviewed yet: until a manager reviews
    them silence accepts nothing in them. Raises InvalidField."""
    plain = _check(TableKind.CALENDAR, name, 0)
    calendar = Calendar(plain, zone, week, {}, frozenset())
    return _noted(TableKind.CALENDAR, lambda: publish_calendar(calendar, plain), by, at, why)


@transaction.atomic
def publish_hours(
    name: str, week: Week, seen: int, *, by: Person, at: datetime, why: str = ""
) -> CalendarVersion:
    """Other working hours in the next version of a calendar. Terms that run may get longer by it,
    never shorter. Raises InvalidField."""
    _check(TableKind.CALENDAR, name, seen)
    newest = CalendarVersion.objects.filter(name=name).latest("number").calendar
    calendar = replace(newest, week=week)
    return _noted(TableKind.CALENDAR, lambda: publish_calendar(calendar, name), by, at, why)


@transaction.atomic
def review_year(
    name: str, year: int, holidays: Mapping[date, str], seen: int, *, by: Person, at: datetime
) -> CalendarVersion:
    """A manager confirms the holidays of a year: from the next version on silence may accept in
    it (life.md, "Legal dates"). Raises InvalidField."""
    _check(TableKind.CALENDAR, name, seen)
    newest = CalendarVersion.objects.filter(name=name).latest("number").calendar
    kept = {day: text for day, text in newest.holidays.items() if day.year != year}
    calendar = replace(
        newest,
        holidays=kept | dict(holidays),
        reviewed_years=newest.reviewed_years | {year},
    )
    return _noted(
        TableKind.CALENDAR, lambda: publish_calendar(calendar, name), by, at, str(year), "review"
    )


@transaction.atomic
def publish_rules(
    text: str,
    rules: PolicyParameters,
    in_force_from: datetime,
    seen: int,
    *,
    by: Person,
    at: datetime,
    why: str = "",
) -> PolicyVersion:
    """The next version of the policies, from now or a later moment on. Cases keep the version they
    are bound to; a contract follows it from its own next version on (P07). Raises InvalidField."""
    list(PolicyVersion.objects.select_for_update().values_list("pk"))
    newest = PolicyVersion.objects.count()
    if newest != seen:
        raise InvalidField("seen", STALE, number=newest)
    if not text.strip():
        raise InvalidField("text", EMPTY)
    if in_force_from < at:
        raise InvalidField("in_force_from", IN_THE_PAST)
    version = publish_policy(text.strip(), rules, in_force_from)
    before = PolicyVersion.objects.filter(number=seen).first()
    told = records.compare(before.rules.to_json() if before else {}, rules.to_json())
    records.note_change(POLICY, version.pk, "publish", by=by, at=at, why=why.strip(), fields=told)
    return version


@transaction.atomic
def retire_table(kind: TableKind, name: str, *, by: Person, at: datetime) -> None:
    """No new contract may rest on it; what rests on it keeps it. Raises InvalidField for what
    cases without a contract follow."""
    if name == STANDARD and kind is not TableKind.SLA:
        raise InvalidField("name", STANDARD_STAYS)
    _row, new = RetiredTable.objects.get_or_create(
        kind=kind, name=name, defaults={"retired_at": at}
    )
    if new:
        _note_newest(kind, name, "retire", by, at)


@transaction.atomic
def restore_table(kind: TableKind, name: str, *, by: Person, at: datetime) -> None:
    """A retired table is offered again."""
    gone, _rows = RetiredTable.objects.filter(kind=kind, name=name).delete()
    if gone:
        _note_newest(kind, name, "restore", by, at)


def _note_newest(kind: TableKind, name: str, act: str, by: Person, at: datetime) -> None:
    newest = MODELS[kind]._default_manager.filter(name=name).latest("number")
    records.note_change(kind, newest.pk, act, by=by, at=at)


def _check(kind: TableKind, name: str, seen: int) -> str:
    """The name in plain, where nobody has published meanwhile and a new one is new."""
    plain = " ".join(name.split())[:100]
    if not plain:
        raise InvalidField("name", EMPTY)
    rows = MODELS[kind]._default_manager.select_for_update().filter(name__iexact=plain)
    newest = len(rows.values_list("pk", flat=True))
    if newest and not seen:
        raise InvalidField("name", KNOWN, name=plain)
    if newest != seen:
        raise InvalidField("seen", STALE, number=newest)
    return plain


def _noted(
    kind: TableKind,
    publish: Callable[[], V],
    by: Person,
    at: datetime,
    why: str,
    act: str = "publish",
) -> V:
    """Publish a version and note who did. Of two at once the second is told."""
    try:
        with transaction.atomic():
            version = publish()
    except IntegrityError as crossed:
        raise InvalidField("seen", STALE, number="?") from crossed
    records.note_change(kind, version.pk, act, by=by, at=at, why=why.strip())
    return version
