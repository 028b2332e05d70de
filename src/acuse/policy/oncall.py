"""Out of hours: who is on call at a moment, whom to page next, when to give up (P03, P05, P21).

A rota has two lines. Its turns say who is on call; a hand-over that was accepted passes a stretch
of it on. At every moment a line has exactly one person or a gap with its name. A page goes to the
first on call, then to the second, then to the managers, each once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from .calendar import ONE_DAY, Calendar
from .fields import N_

SHOWN = timedelta(days=14)  # so far ahead gaps are looked for
DEFAULT_MINUTES = 15  # that somebody has to acknowledge a page


class Line(StrEnum):
    """The two lines of the rota."""

    FIRST = "first"
    SECOND = "second"


class Rung(StrEnum):
    """The chain that a page climbs; NOBODY: all of it has been paged."""

    FIRST = "first"
    SECOND = "second"
    MANAGER = "manager"
    NOBODY = "nobody"


CHAIN = (Rung.FIRST, Rung.SECOND, Rung.MANAGER)


class Why(StrEnum):
    """Why somebody is paged."""

    URGENT = "urgent"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    GAP = "gap"
    HANDED_OVER = "handed_over"


class Gap(StrEnum):
    """Why nobody is on call."""

    NO_TURN = "no_turn"
    LEFT = "left"  # it is the turn of somebody who does not work for the firm any more


@dataclass(frozen=True)
class Turn:
    """A person (id) is on call in [since, until)."""

    person: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Pass:
    """A turn that was handed over, and accepted, for [since, until)."""

    giver: int
    taker: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Stretch:
    """A part of a line, [since, until): the person (id) on call, or None and which gap it is."""

    since: datetime
    until: datetime
    person: int | None
    gap: Gap | None = None


def on_call(
    at: datetime, turns: Iterable[Turn], passes: Sequence[Pass], able: Collection[int]
) -> tuple[int | None, Gap | None]:
    """Who is on call at a moment, or which gap there is.

    Of turns that overlap the one that began last counts. `passes`: in the order in which they
    were accepted; one whose giver is not on call passes nothing on. `able`: who works for the
    firm and can be paged.
    """
    running = [turn for turn in turns if turn.since <= at < turn.until]
    if not running:
        return None, Gap.NO_TURN
    person = max(running, key=lambda turn: (turn.since, turn.person)).person
    for handed in passes:
        if handed.giver == person and handed.since <= at < handed.until:
            person = handed.taker
    return (person, None) if person in able else (None, Gap.LEFT)


def timeline(
    since: datetime,
    until: datetime,
    turns: Sequence[Turn],
    passes: Sequence[Pass],
    able: Collection[int],
) -> tuple[Stretch, ...]:
    """A line from `since` to `until` (later), cut where who is on call changes: the stretches
    follow one another without a hole or an overlap."""
    spans = [(turn.since, turn.until) for turn in turns]
    spans += [(handed.since, handed.until) for handed in passes]
    inside = {moment for span in spans for moment in span if since < moment < until}
    moments = sorted({since, until} | inside)
    found: list[Stretch] = []
    for start, end in pairwise(moments):
        person, gap = on_call(start, turns, passes, able)
        if found and (found[-1].person, found[-1].gap) == (person, gap):
            found[-1] = Stretch(found[-1].since, end, person, gap)
        else:
            found.append(Stretch(start, end, person, gap))
    return tuple(found)


def is_closed(calendar: Calendar, at: datetime) -> bool:
    """Whether the firm does not work at a moment, by its calendar."""
    spans = calendar.working_spans(calendar.local_day(at))
    return not any(start <= at < end for start, end in spans)


def gaps(stretches: Iterable[Stretch], calendar: Calendar) -> tuple[Stretch, ...]:
    """When nobody is on call although the firm does not work: while it works there is no need."""
    found: list[Stretch] = []
    for stretch in stretches:
        if stretch.gap is None:
            continue
        start = stretch.since
        for opens, closes in _spans(calendar, stretch.since, stretch.until):
            if start < opens:
                found.append(Stretch(start, opens, None, stretch.gap))
            start = closes
        if start < stretch.until:
            found.append(Stretch(start, stretch.until, None, stretch.gap))
    return tuple(found)


def _spans(
    calendar: Calendar, since: datetime, until: datetime
) -> Iterable[tuple[datetime, datetime]]:
    """The working spans that touch [since, until), cut to it."""
    day = calendar.local_day(since)
    while day <= calendar.local_day(until):
        for opens, closes in calendar.working_spans(day):
            if closes > since and opens < until:
                yield max(opens, since), min(closes, until)
        day += ONE_DAY


@dataclass(frozen=True)
class Step:
    """The next page: at which rung, to whom (ids), and whether a rung without anybody was passed
    over on the way."""

    rung: Rung
    people: tuple[int, ...]
    over_gap: bool


def escalate(
    after: Rung | None, people: Mapping[Rung, Sequence[int]], paged: Collection[int]
) -> Step:
    """Whom to page after a rung (None: from the beginning on). Who has been paged already is not
    paged again; a rung at which nobody is left is passed over; NOBODY: all are used up."""
    start = CHAIN.index(after) + 1 if after in CHAIN else 0
    over_gap = False
    for rung in CHAIN[start:]:
        held = people.get(rung, ())
        fresh = tuple(dict.fromkeys(person for person in held if person not in paged))
        if fresh:
            return Step(rung, fresh, over_gap)
        over_gap = over_gap or not held
    return Step(Rung.NOBODY, (), over_gap)


def rotation(
    people: Sequence[int], since: datetime, days: int, rounds: int, zone: str
) -> tuple[Turn, ...]:
    """Turns of so many days each, the people one after the other, so many times round. Each
    begins at the same time of day in a time zone (IANA), also across a change of the clock."""
    local = since.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    cuts = [
        (local + timedelta(days=days * number)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for number in range(len(people) * rounds + 1)
    ]
    return tuple(
        Turn(people[number % len(people)], start, end)
        for number, (start, end) in enumerate(pairwise(cuts))
    )


# When a delivery to a webhook is tried again, and when it is given up.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=3)


def next_try(first_at: datetime, tries: int, now: datetime) -> datetime | None:
    """When to try again after so many tries (at least 1), each pause twice the one before; None:
    it is given up, days after the first."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries - 1, 20))
    again = now + pause
    return again if again <= first_at + GIVEN_UP_AFTER else None


LINES: dict[str, str] = {Line.FIRST: N_("First on call"), Line.SECOND: N_("Second on call")}
RUNGS: dict[str, str] = {
    Rung.FIRST: N_("the first on call"),
    Rung.SECOND: N_("the second on call"),
    Rung.MANAGER: N_("the managers"),
    Rung.NOBODY: N_("nobody is left"),
}
WHYS: dict[str, str] = {
    Why.URGENT: N_("an Urgent case"),
    Why.NOT_ACKNOWLEDGED: N_("not acknowledged in time"),
    Why.GAP: N_("nobody else is on call"),
    Why.HANDED_OVER: N_("the turn was handed over"),
}
GAPS: dict[str, str] = {
    Gap.NO_TURN: N_("nobody is planned"),
    Gap.LEFT: N_("who is planned does not work here any more"),
}
