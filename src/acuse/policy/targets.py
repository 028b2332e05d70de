"""Committed times: the clock of a target over the stretches of a case's life (P13, P21, P22).

The clock counts while the firm alone has to move, on the way to a delivery; it stands still while
the customer, both sides or a third party do, and never starts anew: another priority only gives
it another length. Minutes of a stretch that has ended are frozen, with the calendar version that
counted them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from .calendar import Calendar, around_the_clock
from .stages import BEFORE_WORK, Ball, Stage
from .terms import minutes_between, working_minutes

MINUTE = timedelta(minutes=1)

# The stages in which the two clocks can run. A correction has a term of its own (P26).
COUNTING = BEFORE_WORK | {Stage.IN_PROGRESS}


@dataclass(frozen=True)
class Target:
    """One committed time of a row of the SLA table, in minutes: of working time, or of any time.

    `name` is the kind of deadline that falls due with it, `warning` the kind that warns before.
    """

    name: str
    warning: str
    minutes: int
    round_the_clock: bool


# For each target: its deadline, the warning before it, and its column in the SLA table.
TARGETS = (
    ("first_response", "response_warning", "response"),
    ("delivery", "delivery_warning", "delivery"),
)
COLUMNS = {name: column for name, _warning, column in TARGETS}
WARNINGS = {name: warning for name, warning, _column in TARGETS}


def committed(row: Mapping[str, Any]) -> list[Target]:
    """The targets that one priority's row of an SLA table commits; a missing or empty column
    commits nothing."""
    always = bool(row.get("round_the_clock"))
    return [
        Target(name, warning, row[column], always)
        for name, warning, column in TARGETS
        if row.get(column)
    ]


def counts(stage: Stage, ball: Ball) -> bool:
    """Whether the clocks run in this stage while this side has to move."""
    return ball is Ball.FIRM and stage in COUNTING


def freeze(since: datetime, until: datetime, calendars: tuple[Calendar, ...]) -> tuple[int, int]:
    """The working minutes of a stretch that ends, and the place of the calendar that counts: of
    several, the one that leaves the firm more time (an edit may lengthen a target, never shorten
    it); the first of equals."""
    found = [minutes_between(since, until, calendar) for calendar in calendars]
    return min(found), found.index(min(found))


@dataclass(frozen=True)
class Stretch:
    """A stretch of a case's life, [since, until); `until` None while it runs.

    minutes: as frozen; None while it runs. calendars: what counts it; one where it has ended, the
    pinned and the newest version while it runs.
    """

    since: datetime
    until: datetime | None
    stage: Stage
    ball: Ball
    minutes: int | None
    calendars: tuple[Calendar, ...]

    @property
    def counts(self) -> bool:
        return counts(self.stage, self.ball)

    def used(self, at: datetime) -> int:
        """The minutes counted up to a moment: the frozen ones from the end on."""
        if not self.counts or at <= self.since:
            return 0
        if self.until is not None and at >= self.until and self.minutes is not None:
            return self.minutes
        return freeze(self.since, at, self.calendars)[0]

    def reaches(self, minutes: int) -> datetime:
        """The moment at which so many minutes (at least 1) have been counted in it, by the
        calendar that gets there last."""
        ends = [working_minutes(self.since, minutes, calendar).until for calendar in self.calendars]
        return max(end for end in ends if end is not None)


def round_the_clock(stretch: Stretch) -> Stretch:
    """The same stretch with every minute counted: nights and holidays as well."""
    calendar = around_the_clock("UTC")
    minutes = None
    if stretch.until is not None:
        minutes = minutes_between(stretch.since, stretch.until, calendar)
    return Stretch(stretch.since, stretch.until, stretch.stage, stretch.ball, minutes, (calendar,))


@dataclass(frozen=True)
class Clock:
    """A target over the stretches of a case, oldest first: what it has used and when it ends.

    At every moment used + left = the target's minutes (left is negative once it has passed).
    """

    target: Target
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, target: Target, stretches: tuple[Stretch, ...]) -> Clock:
        """The clock of a target: by working time, or by any time where the target says so."""
        if target.round_the_clock:
            stretches = tuple(round_the_clock(stretch) for stretch in stretches)
        return cls(target, stretches)

    def used(self, at: datetime) -> int:
        """The minutes of the firm's own that have passed by then, whole ones of each stretch."""
        return sum(stretch.used(at) for stretch in self.stretches)

    def left(self, at: datetime) -> int:
        """The minutes that are left by then; negative: so many too many."""
        return self.target.minutes - self.used(at)

    def reaches(self, minutes: int) -> datetime | None:
        """The moment at which so many minutes (at least 1) have been used; None: not before the
        clock runs again."""
        before = 0
        for stretch in self.stretches:
            if not stretch.counts:
                continue
            if stretch.minutes is None or before + stretch.minutes >= minutes:
                return stretch.reaches(minutes - before)
            before += stretch.minutes
        return None

    @property
    def due_at(self) -> datetime | None:
        """The moment at which the whole target has been used; None while it stands still and
        time is left."""
        return self.reaches(self.target.minutes)

    def threshold(self, percent: int) -> datetime | None:
        """The moment at which this part of the target has been used; None also where that is
        the whole of it already (a target of very few minutes)."""
        minutes = -(-self.target.minutes * percent // 100)
        return self.reaches(minutes) if minutes < self.target.minutes else None

    @property
    def paused(self) -> Stretch | None:
        """The first of the stretches for which the clock has been standing still; None while it
        runs."""
        still = list(takewhile(lambda stretch: not stretch.counts, reversed(self.stretches)))
        return still[-1] if still else None
