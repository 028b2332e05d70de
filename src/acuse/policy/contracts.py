"""What may be agreed in a contract, which of its versions holds on a day, and how far its hours
have gone (P09, P21, P22)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from .billing import CURRENCY_INVALID, RATE_INVALID, Activity
from .fields import N_, InvalidField, require_int
from .priority import Priority

MOST_MINUTES = 600_000  # 10 000 hours: of a commitment, of an hour bank

TWICE = N_("%(row)s stands there twice")
MISSING = N_("%(row)s is missing")
SHORTER = N_("%(row)s: delivery (%(delivery)s minutes) comes before response (%(response)s)")
ENDS_FIRST = N_("must not end (%(last_day)s) before it starts (%(first)s)")
OVERLAPS = N_("overlaps “%(contract)s”, of the same kind, from %(first)s on")
NO_BANK = N_("says something only about a contract with hours: give their number too")
ALERT_TOO_HIGH = N_("must be fewer minutes than the contract has (%(limit)s), not %(value)s")


class Renewal(StrEnum):
    """When the hours of a contract start anew; what was left is not carried over."""

    NEVER = "never"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class Beyond(StrEnum):
    """What happens once the hours are used up: work bills at the rates, or new cases are not
    covered until the customer has agreed to more hours (a new version)."""

    RATES = "rates"
    APPROVAL = "approval"


_MONTHS = {Renewal.MONTHLY: 1, Renewal.QUARTERLY: 3, Renewal.YEARLY: 12}


@dataclass(frozen=True)
class Commitment:
    """One row of an SLA table: minutes of the calendar, or round the clock, from the moment a case
    was opened (P21)."""

    priority: Priority
    response: int
    delivery: int
    round_the_clock: bool = False


def check_commitments(rows: Sequence[Commitment], field: str = "sla") -> None:
    """Every priority once, each with a delivery that does not come before its response. Raises
    InvalidField naming the priority at fault."""
    seen: set[Priority] = set()
    for row in rows:
        if row.priority in seen:
            raise InvalidField(field, TWICE, row=row.priority.value)
        seen.add(row.priority)
        require_int(field, row.response, 1, MOST_MINUTES)
        require_int(field, row.delivery, 1, MOST_MINUTES)
        if row.delivery < row.response:
            raise InvalidField(
                field,
                SHORTER,
                row=row.priority.value,
                delivery=row.delivery,
                response=row.response,
            )
    for priority in Priority:
        if priority not in seen:
            raise InvalidField(field, MISSING, row=priority.value)


@dataclass(frozen=True)
class HourlyRate:
    """What an hour of an activity costs, for one specialty (its id) or, with None, for any."""

    activity: Activity
    hourly: Decimal
    specialty: int | None = None


def check_rates(currency: str, rows: Sequence[HourlyRate], field: str = "rates") -> None:
    """One rate for each activity and specialty, zero or more, in an ISO 4217 currency. Raises
    InvalidField."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidField("currency", CURRENCY_INVALID, value=currency)
    seen: set[tuple[Activity, int | None]] = set()
    for row in rows:
        if (row.activity, row.specialty) in seen:
            raise InvalidField(field, TWICE, row=row.activity.value)
        seen.add((row.activity, row.specialty))
        if not row.hourly.is_finite() or row.hourly < 0:
            raise InvalidField(field, RATE_INVALID, value=str(row.hourly))


@dataclass(frozen=True)
class HourBank:
    """The hours that a contract includes: their number in minutes, when they start anew, what
    comes beyond them, and when to warn (None: never): at minutes left, at days left."""

    minutes: int
    renewal: Renewal = Renewal.NEVER
    beyond: Beyond = Beyond.RATES
    alert_minutes: int | None = None
    alert_days: int | None = None

    def __post_init__(self) -> None:
        require_int("hour_bank_minutes", self.minutes, 1, MOST_MINUTES)
        if self.alert_minutes is not None:
            require_int("alert_minutes", self.alert_minutes, 1, MOST_MINUTES)
            if self.alert_minutes >= self.minutes:
                raise InvalidField(
                    "alert_minutes", ALERT_TOO_HIGH, limit=self.minutes, value=self.alert_minutes
                )
        if self.alert_days is not None:
            require_int("alert_days", self.alert_days, 1, 365)


@dataclass(frozen=True)
class Reach:
    """From when until when a version of a contract is agreed (`last_day` included, None: no end),
    and what it covers: ids of entities, environments and modules, an empty set limits nothing."""

    number: int
    first: date
    last_day: date | None
    entities: frozenset[int] = frozenset()
    environments: frozenset[int] = frozenset()
    modules: frozenset[int] = frozenset()


def version_on(versions: Iterable[Reach], on: date) -> Reach | None:
    """The version that says how a contract stands on a day: the newest of those whose first day
    has come, which may have ended since; before all of them the first to come. None: there is no
    version. A renewal agreed ahead does not displace what holds until then."""
    known = sorted(versions, key=lambda version: version.number)
    begun = [version for version in known if version.first <= on]
    if begun:
        return begun[-1]
    return min(known, key=lambda version: (version.first, -version.number), default=None)


def stretches(versions: Iterable[Reach]) -> Iterator[tuple[date, date | None, Reach]]:
    """The days on which each version of one contract holds: first and last day (None: no end). A
    newer version ends an older one from its own first day on."""
    known = sorted(versions, key=lambda version: version.number)
    for place, version in enumerate(known):
        later = [newer.first for newer in known[place + 1 :]]
        last = _earlier(version.last_day, min(later) - timedelta(days=1) if later else None)
        if last is None or version.first <= last:
            yield version.first, last, version


def _earlier(one: date | None, other: date | None) -> date | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def find_overlap(new: Reach, versions: Iterable[Reach]) -> date | None:
    """The first day on which one and the same case could be covered by `new` and by another
    contract of the same kind (its versions); None where there is no such day."""
    days = []
    for first, last, version in stretches(versions):
        both_from = max(first, new.first)
        both_until = _earlier(last, new.last_day)
        if _meet(new, version) and (both_until is None or both_from <= both_until):
            days.append(both_from)
    return min(days, default=None)


def _meet(one: Reach, other: Reach) -> bool:
    pairs = (
        (one.entities, other.entities),
        (one.environments, other.environments),
        (one.modules, other.modules),
    )
    return all(not a or not b or a & b for a, b in pairs)


def check_validity(first: date, last_day: date | None) -> None:
    """Raises InvalidField where a contract would end before it starts."""
    if last_day is not None and last_day < first:
        raise InvalidField("valid_until", ENDS_FIRST, last_day=last_day, first=first)


@dataclass(frozen=True)
class Period:
    """The days in which the hours of a bank may be used, both included; no end is None."""

    first: date
    last_day: date | None


def period_of(on: date, first: date, last_day: date | None, renewal: Renewal) -> Period:
    """The period of an hour bank that holds on a day, counted from the first day of the version
    (or the last period, after its end; the first, before its beginning)."""
    months = _MONTHS.get(renewal)
    if months is None:
        return Period(first, last_day)
    on = max(first, min(on, last_day or on))
    count = ((on.year - first.year) * 12 + on.month - first.month) // months
    if _months_later(first, count * months) > on:
        count -= 1
    begins = _months_later(first, count * months)
    ends = _months_later(first, (count + 1) * months) - timedelta(days=1)
    return Period(begins, _earlier(ends, last_day))


def _months_later(day: date, months: int) -> date:
    """The same day of a later month; its last one where the month is shorter."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class BankAlert(StrEnum):
    """What is told of an hour bank, each once a period."""

    MINUTES_LEFT = "minutes_left"
    USED_UP = "used_up"
    DAYS_LEFT = "days_left"


def bank_alerts(bank: HourBank, period: Period, used: int, on: date) -> list[BankAlert]:
    """What is to be told on a day, with so many minutes used in the period."""
    left = bank.minutes - used
    found = []
    if left <= 0:
        found.append(BankAlert.USED_UP)
    elif bank.alert_minutes is not None and left <= bank.alert_minutes:
        found.append(BankAlert.MINUTES_LEFT)
    if (
        bank.alert_days is not None
        and period.last_day is not None
        and period.last_day - timedelta(days=bank.alert_days) <= on <= period.last_day
    ):
        found.append(BankAlert.DAYS_LEFT)
    return found
