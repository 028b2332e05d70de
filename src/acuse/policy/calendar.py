"""The business calendar: which days and hours work, in which time zone (clauses.md, "Days").

Local times meet the zone's clock changes by one rule, used for every boundary: a local time that
the clock skips is the moment of the change; one that it shows twice is its first showing. So a
shift cut in two always adds up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from zoneinfo import ZoneInfo

from .fields import N_, NOT_A_DATE, InvalidField, read, require_aware, require_int
from .holidays import colombian_holidays

MINUTES_IN_DAY = 1440
ONE_DAY = timedelta(days=1)

NAME_EMPTY = N_("must not be empty")
ZONE_UNKNOWN = N_("“%(value)s” is not a time zone of the IANA database")
SEVEN_DAYS = N_("must have seven days, Monday first, not %(value)s")
SHIFT_ORDER = N_("must not start after it ends (%(start)s, %(end)s)")
SHIFTS_OVERLAP = N_("shifts must be in order and must not overlap (%(first)s, %(second)s)")
NOT_PAIRS = N_("each day must be a list of [start, end] pairs, not %(value)s")
NO_WORK = N_("must have at least one minute of work")


@dataclass(frozen=True, order=True)
class Shift:
    """A stretch of work in minutes from local midnight, [start, end), 0 <= start <= end <= 1440."""

    start: int
    end: int

    def __post_init__(self) -> None:
        require_int("start", self.start, 0, MINUTES_IN_DAY)
        require_int("end", self.end, 0, MINUTES_IN_DAY)
        if self.start > self.end:
            raise InvalidField("start", SHIFT_ORDER, start=self.start, end=self.end)


Week = tuple[tuple[Shift, ...], ...]


@dataclass(frozen=True)
class Calendar:
    """One version of a calendar: a week of shifts (Monday first), holidays by date, a zone.

    reviewed_years: the years whose holidays a manager has confirmed; only there may silence
    accept (life.md, "Legal dates"). Raises InvalidField naming the field and the rule.
    """

    name: str
    zone: str
    week: Week
    holidays: Mapping[date, str] = field(hash=False)
    reviewed_years: frozenset[int]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidField("name", NAME_EMPTY)
        _zone(self.zone)
        _check_week(self.week)
        for day, name in self.holidays.items():
            if type(day) is not date:
                raise InvalidField("holidays", NOT_A_DATE, value=day)
            if not name.strip():
                raise InvalidField(f"holidays[{day}]", NAME_EMPTY)
        for year in self.reviewed_years:
            require_int("reviewed_years", year, 1, 9999)
        # A private, read-only copy: a version that has been pinned cannot move under a case.
        object.__setattr__(self, "holidays", MappingProxyType(dict(self.holidays)))

    def skip_reason(self, day: date) -> tuple[str, str] | None:
        """Why this day does not work: ("holiday", its name), ("weekend", ""), or None."""
        if day in self.holidays:
            return "holiday", self.holidays[day]
        if not self.week[day.weekday()]:
            return "weekend", ""
        return None

    def is_business_day(self, day: date) -> bool:
        """Whether the day has at least one shift and is no holiday."""
        return self.skip_reason(day) is None

    def working_spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The day's shifts as UTC instants, [start, end), in order; empty on a day off."""
        if not self.is_business_day(day):
            return []
        return [
            (_instant(self.zone, day, shift.start), _instant(self.zone, day, shift.end))
            for shift in self.week[day.weekday()]
        ]

    def local_day(self, at: datetime) -> date:
        """The date that the calendar's zone shows at this aware moment."""
        return require_aware("at", at).astimezone(_zone(self.zone)).date()

    def end_of_day(self, day: date) -> datetime:
        """The instant (UTC) at which the local day is over: its 24:00, exclusive."""
        return _instant(self.zone, day, MINUTES_IN_DAY)

    def to_json(self) -> dict[str, object]:
        """Plain JSON types; `from_json` gives the same calendar back."""
        return {
            "name": self.name,
            "zone": self.zone,
            "week": [[[shift.start, shift.end] for shift in day] for day in self.week],
            "holidays": {day.isoformat(): self.holidays[day] for day in sorted(self.holidays)},
            "reviewed_years": sorted(self.reviewed_years),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Calendar:
        """The calendar that `to_json` wrote. Raises InvalidField for anything else."""
        return cls(
            name=read(data, "name", str),
            zone=read(data, "zone", str),
            week=tuple(_shifts(day) for day in read(data, "week", list)),
            holidays={_date(day): str(name) for day, name in read(data, "holidays", dict).items()},
            reviewed_years=frozenset(read(data, "reviewed_years", list)),
        )


def colombia(years: Iterable[int], reviewed: Iterable[int] = ()) -> Calendar:
    """Colombia's office hours, Monday to Friday 8-12 and 14-18, with the holidays of those years.

    Nothing is reviewed unless it is said: the review is a manager's act.
    """
    office: Week = ((Shift(480, 720), Shift(840, 1080)),) * 5 + ((), ())
    return Calendar(
        "Colombia", "America/Bogota", office, colombian_holidays(years), frozenset(reviewed)
    )


def around_the_clock(zone: str) -> Calendar:
    """Every minute of every day, no holidays: for commitments that never sleep (24x7)."""
    return Calendar("24x7", zone, ((Shift(0, MINUTES_IN_DAY),),) * 7, {}, frozenset())


@lru_cache(maxsize=64)
def _zone(key: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    # A malformed name raises ValueError, a folder of the database ("America") an OSError.
    except (KeyError, ValueError, OSError) as unknown:
        raise InvalidField("zone", ZONE_UNKNOWN, value=key) from unknown


@lru_cache(maxsize=4096)
def _instant(zone: str, day: date, minute: int) -> datetime:
    """The UTC instant of a local time, by the rule at the top of this file."""
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    tz = _zone(zone)
    first = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if _shown(first, tz) == local:
        return first
    # Skipped by the clock: the change is the first second at which the clock shows a later time.
    before, after = local.replace(tzinfo=tz, fold=1).astimezone(UTC), first
    while (seconds := int((after - before).total_seconds())) > 1:
        middle = before + timedelta(seconds=seconds // 2)
        if _shown(middle, tz) < local:
            before = middle
        else:
            after = middle
    return after


def _shown(at: datetime, tz: ZoneInfo) -> datetime:
    return at.astimezone(tz).replace(tzinfo=None)


def _check_week(week: Week) -> None:
    if len(week) != 7:
        raise InvalidField("week", SEVEN_DAYS, value=len(week))
    for number, shifts in enumerate(week):
        for first, second in pairwise(shifts):
            if first.end > second.start:
                raise InvalidField(f"week[{number}]", SHIFTS_OVERLAP, first=first, second=second)
    # Without a minute of work no term in hours would ever end.
    if not any(shift.end > shift.start for shifts in week for shift in shifts):
        raise InvalidField("week", NO_WORK)


def _shifts(day: object) -> tuple[Shift, ...]:
    if not isinstance(day, list) or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in day
    ):
        raise InvalidField("week", NOT_PAIRS, value=repr(day))
    return tuple(Shift(start, end) for start, end in day)


def _date(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as wrong:
        raise InvalidField("holidays", NOT_A_DATE, value=text) from wrong
