"""When a window ends and why: the arithmetic of every term (P24-P27, clauses.md "Days").

Terms in days count whole days, start the day after the event and end at the end of the last day.
Terms in hours count working minutes. One walk over the days answers both when a term ends and
which days were counted or skipped, so that adding and then measuring always agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from .calendar import ONE_DAY, Calendar
from .fields import N_, InvalidField, require_aware, require_int

LONGEST = 3660
LONGEST_MINUTES = LONGEST * 1440
MINUTE = timedelta(minutes=1)
EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

HOLD_ORDER = N_("must not be before the start of the hold")


class Reason(StrEnum):
    """Why a day counts, or why it does not."""

    COUNTED = "counted"
    EXTENDED = "extended"  # counts, by an extension that was granted
    EVENT = "event"  # the day on which it happened, which never counts
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    HOLD = "hold"  # a comment was waiting for its classification
    ROLLED = "rolled"  # moved on to the next business day
    PAUSED = "paused"  # hours only: the whole working day was paused
    CLOSED = "closed"  # hours only: a working day with no working time left


@dataclass(frozen=True)
class Day:
    """One day of a term: whether it counted, the reason (a Reason), the holiday's name."""

    on: date
    counted: bool
    reason: str
    name: str


@dataclass(frozen=True)
class Term:
    """A term in days.

    last_day: the printed date; until: the instant (UTC, exclusive) at which that day ends, both
    None while a hold still runs. days: every day from the event's, in order. reviewed: every year
    touched has been reviewed by a manager. zone: the time zone that decides.
    """

    last_day: date | None
    until: datetime | None
    days: tuple[Day, ...]
    reviewed: bool
    zone: str

    def includes(self, at: datetime) -> bool:
        """Whether an act at this moment is in time (before `until`; always, while it is open)."""
        return self.until is None or require_aware("at", at) < self.until

    def to_json(self) -> dict[str, object]:
        """Plain JSON types; `from_json` gives the same term back."""
        return {
            "last_day": self.last_day and self.last_day.isoformat(),
            "until": self.until and self.until.isoformat(),
            "days": [asdict(day) | {"on": day.on.isoformat()} for day in self.days],
            "reviewed": self.reviewed,
            "zone": self.zone,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Term:
        """The term that `to_json` wrote."""
        return cls(
            last_day=data["last_day"] and date.fromisoformat(data["last_day"]),
            until=data["until"] and datetime.fromisoformat(data["until"]),
            days=tuple(Day(**day | {"on": date.fromisoformat(day["on"])}) for day in data["days"]),
            reviewed=data["reviewed"],
            zone=data["zone"],
        )


@dataclass(frozen=True)
class Hold:
    """A stretch in which a clock stands still, [since, ended); `ended` None while it still runs."""

    since: datetime
    ended: datetime | None = None

    def __post_init__(self) -> None:
        require_aware("since", self.since)
        if self.ended is not None and require_aware("ended", self.ended) < self.since:
            raise InvalidField("ended", HOLD_ORDER)


@dataclass(frozen=True)
class WorkDay:
    """One day of a term in hours: the working minutes it gave, and why when it gave none."""

    on: date
    minutes: int
    reason: str
    name: str


@dataclass(frozen=True)
class WorkTerm:
    """A term in working minutes: its end (UTC, exclusive; None while a pause runs) and its days.

    The minutes of the days add up to the term's, except while it is open.
    """

    until: datetime | None
    days: tuple[WorkDay, ...]

    def to_json(self) -> dict[str, object]:
        """Plain JSON types; `from_json` gives the same term back."""
        return {
            "until": self.until and self.until.isoformat(),
            "days": [asdict(day) | {"on": day.on.isoformat()} for day in self.days],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkTerm:
        """The term that `to_json` wrote."""
        return cls(
            until=data["until"] and datetime.fromisoformat(data["until"]),
            days=tuple(
                WorkDay(**day | {"on": date.fromisoformat(day["on"])}) for day in data["days"]
            ),
        )


def business_days(
    start: datetime | date,
    length: int,
    calendar: Calendar,
    holds: Sequence[Hold] = (),
    extra: int = 0,
) -> Term:
    """The term of `length` business days after `start` (P24, P26), and `extra` that were granted.

    No day from that of a comment to that of its classification counts; the business days that
    were left run on after it, at least the one on which the comment came. A hold that begins
    after the term's end changes nothing. A length of 0 ends with the day of the event.
    """
    require_int("length", length, 0, LONGEST)
    require_int("extra", extra, 0, LONGEST)
    event = _day_of(start, calendar)
    days = [Day(event, False, Reason.EVENT, "")]
    counted = 0
    walk = _walk(event, calendar, holds)
    while counted < length + extra:
        day, open_hold = next(walk)
        if day.counted:
            counted += 1
            if counted > length:
                day = replace(day, reason=Reason.EXTENDED)
        days.append(day)
        if open_hold:
            return _term(days, calendar, last_day=None)
    return _term(days, calendar, last_day=days[-1].on)


def calendar_days(
    start: datetime | date, length: int, calendar: Calendar, rolls: bool = True
) -> Term:
    """The term of `length` calendar days after `start` (warranty, P27).

    rolls: when it would end on a day off, it ends on the next business day instead.
    """
    require_int("length", length, 0, LONGEST)
    event = _day_of(start, calendar)
    days = [Day(event, False, Reason.EVENT, "")]
    for number in range(1, length + 1):
        days.append(Day(event + number * ONE_DAY, True, Reason.COUNTED, ""))
    while rolls and not calendar.is_business_day(days[-1].on):
        on = days[-1].on + ONE_DAY
        days.append(Day(on, False, Reason.ROLLED, calendar.holidays.get(on, "")))
    return _term(days, calendar, last_day=days[-1].on)


def count_business_days(
    start: datetime | date, end: datetime | date, calendar: Calendar, holds: Sequence[Hold] = ()
) -> int:
    """How many business days after `start` are over at `end`, days on hold left out.

    end: a date stands for the end of that day; at a moment within a day that day is not over.
    So both a term's `last_day` and its `until` measure the length it was given. Never negative.
    """
    over = end if isinstance(end, datetime) else calendar.end_of_day(end)
    walk = _walk(_day_of(start, calendar), calendar, holds)
    passed = takewhile(lambda step: calendar.end_of_day(step[0].on) <= over, walk)
    return sum(day.counted for day, _ in passed)


def later(a: Term, b: Term) -> Term:
    """The longer of a pinned term `a` and its recomputation `b`; open is longest, `a` on a tie.

    A window may be lengthened by a later calendar edit, never shortened (life.md). A review
    that came with the shorter one still holds for the longer if it covers the same years.
    """
    longer, shorter = (b, a) if _end(b) > _end(a) else (a, b)
    return replace(
        longer,
        reviewed=longer.reviewed or (shorter.reviewed and _years(longer) <= _years(shorter)),
    )


def working_minutes(
    start: datetime, minutes: int, calendar: Calendar, pauses: Sequence[Hold] = ()
) -> WorkTerm:
    """The term of `minutes` working minutes from `start`: the first instant by which they passed.

    Time inside a pause does not pass. Works for 24x7 through a calendar whose week is full.
    """
    require_int("minutes", minutes, 0, LONGEST_MINUTES)
    start = require_aware("start", start).astimezone(UTC)
    if minutes == 0:
        return WorkTerm(start, ())
    stopped = min((pause.since for pause in pauses if pause.ended is None), default=NEVER)
    wanted, passed = minutes * MINUTE, timedelta()
    days: list[WorkDay] = []
    on = calendar.local_day(start)
    while True:
        spans = _clip(calendar.working_spans(on), start, NEVER)
        free = _without(spans, pauses)
        before, until = passed, None
        for begin, end in free:
            if passed + (end - begin) >= wanted:
                until = begin + (wanted - passed)
                passed = wanted
                break
            passed += end - begin
        # Days are told in whole minutes; the remainders carry over, so that they add up.
        reason, name = _work_reason(on, calendar, spans, worked=passed > before)
        days.append(WorkDay(on, passed // MINUTE - before // MINUTE, reason, name))
        if until is not None or calendar.end_of_day(on) > stopped:
            return WorkTerm(until, tuple(days))
        on += ONE_DAY


def minutes_between(
    start: datetime, end: datetime, calendar: Calendar, pauses: Sequence[Hold] = ()
) -> int:
    """The whole working minutes in [start, end), pauses left out; 0 if `end` is not later."""
    passed = timedelta()
    start = require_aware("start", start).astimezone(UTC)
    end = require_aware("end", end).astimezone(UTC)
    on = calendar.local_day(start)
    # One day more: where the clock goes back over midnight, the next day begins twice.
    last = calendar.local_day(end) + ONE_DAY
    while on <= last:
        for begin, finish in _without(_clip(calendar.working_spans(on), start, end), pauses):
            passed += finish - begin
        on += ONE_DAY
    return passed // MINUTE


def _day_of(start: datetime | date, calendar: Calendar) -> date:
    return calendar.local_day(start) if isinstance(start, datetime) else start


def _walk(event: date, calendar: Calendar, holds: Sequence[Hold]) -> Iterator[tuple[Day, bool]]:
    """Every day after the event's, without end; and whether a hold that still runs has begun."""
    held = [
        (calendar.local_day(hold.since), hold.ended and calendar.local_day(hold.ended))
        for hold in holds
    ]
    on = event
    while True:
        on += ONE_DAY
        skipped = calendar.skip_reason(on)
        if any(first <= on and (last is None or on <= last) for first, last in held):
            day = Day(on, False, Reason.HOLD, "")
        elif skipped is not None:
            day = Day(on, False, Reason(skipped[0]), skipped[1])
        else:
            day = Day(on, True, Reason.COUNTED, "")
        yield day, any(first <= on and last is None for first, last in held)


def _term(days: list[Day], calendar: Calendar, last_day: date | None) -> Term:
    until = None if last_day is None else calendar.end_of_day(last_day)
    reviewed = {day.on.year for day in days} <= calendar.reviewed_years
    return Term(last_day, until, tuple(days), reviewed, calendar.zone)


def _end(term: Term) -> datetime:
    return NEVER if term.until is None else term.until


def _years(term: Term) -> set[int]:
    return {day.on.year for day in term.days}


Spans = list[tuple[datetime, datetime]]


def _clip(spans: Spans, start: datetime, end: datetime) -> Spans:
    """What of the spans lies within [start, end), empty stretches left out."""
    clipped = ((max(begin, start), min(finish, end)) for begin, finish in spans)
    return [(begin, finish) for begin, finish in clipped if begin < finish]


def _without(spans: Spans, pauses: Sequence[Hold]) -> Spans:
    """The spans without the pauses, which may overlap one another."""
    for pause in pauses:
        # UTC throughout: subtracting two moments of one other zone would ignore its clock changes.
        since = pause.since.astimezone(UTC)
        ended = NEVER if pause.ended is None else pause.ended.astimezone(UTC)
        spans = _clip(spans, EVER, since) + _clip(spans, ended, NEVER)
    return sorted(spans)


def _work_reason(on: date, calendar: Calendar, spans: Spans, worked: bool) -> tuple[str, str]:
    if worked:
        return Reason.COUNTED, ""
    if skipped := calendar.skip_reason(on):
        return Reason(skipped[0]), skipped[1]
    return (Reason.PAUSED if spans else Reason.CLOSED), ""
