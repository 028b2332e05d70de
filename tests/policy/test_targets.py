"""Committed times: used and left make the target under any calendar, pause and edit (P13, P21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, around_the_clock, colombia
from acuse.policy.stages import BEFORE_WORK, Ball, Stage
from acuse.policy.targets import (
    COUNTING,
    MINUTE,
    Clock,
    Stretch,
    Target,
    committed,
    counts,
    freeze,
)
from acuse.policy.terms import minutes_between
from tests.policy.test_terms import MOMENTS, calendars, with_holiday

YEAR = colombia([2026, 2027, 2028], reviewed=[2026])
INSTANT = timedelta(microseconds=1)

PLACES = st.sampled_from(
    [
        (Stage.ANALYSIS, Ball.FIRM),
        (Stage.IN_PROGRESS, Ball.FIRM),
        (Stage.IN_PROGRESS, Ball.CUSTOMER),
        (Stage.DIAGNOSIS, Ball.THIRD_PARTY),
        (Stage.SCOPE_VALIDATION, Ball.BOTH),
        (Stage.PROPOSAL, Ball.CUSTOMER),
        (Stage.CORRECTION, Ball.FIRM),
    ]
)
# How long stretches last, in seconds: from nothing to some weeks, seldom in whole minutes.
LASTS = st.lists(st.integers(0, 2_000_000), min_size=0, max_size=6)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Stretch, ...]:
    """A case's life: stretches one after the other, the calendar edited between them and while
    the last one runs, which is the firm's."""
    pinned = draw(calendars())
    newest = pinned
    at, found = draw(MOMENTS), []
    for seconds in draw(LASTS):
        newest = draw(st.sampled_from([newest, with_holiday(newest, at.date()), pinned]))
        until = at + timedelta(seconds=seconds)
        stage, ball = draw(PLACES)
        both = (pinned, newest)
        minutes, counting = freeze(at, until, both)
        found.append(Stretch(at, until, stage, ball, minutes, (both[counting],)))
        at = until
    newest = draw(st.sampled_from([newest, with_holiday(newest, at.date())]))
    found.append(Stretch(at, None, Stage.IN_PROGRESS, Ball.FIRM, None, (pinned, newest)))
    return tuple(found)


TARGETS = st.builds(
    Target, st.just("delivery"), st.just("delivery_warning"), st.integers(1, 6000), st.booleans()
)


@given(life=lives(), target=TARGETS, seconds=st.integers(0, 20_000_000))
def test_used_and_left_make_the_target(
    life: tuple[Stretch, ...], target: Target, seconds: int
) -> None:
    clock = Clock.of(target, life)
    before, at = (
        life[0].since + timedelta(seconds=seconds // 2),
        life[0].since + timedelta(seconds=seconds),
    )
    assert clock.used(at) + clock.left(at) == target.minutes
    assert 0 <= clock.used(before) <= clock.used(at)
    assert clock.used(life[0].since) == 0


@given(life=lives(), target=TARGETS)
def test_the_due_moment_is_the_first_at_which_nothing_is_left(
    life: tuple[Stretch, ...], target: Target
) -> None:
    clock = Clock.of(target, life)
    due_at = clock.due_at
    assert due_at is not None  # the last stretch is the firm's and runs
    assert clock.left(due_at) <= 0
    assert clock.left(due_at - INSTANT) > 0
    running = clock.stretches[-1]
    if due_at > running.since:
        used = clock.used(running.since)
        counted = [minutes_between(running.since, due_at, c) for c in running.calendars]
        assert used + min(counted) == target.minutes


@given(life=lives(), target=TARGETS, percent=st.integers(1, 99), more=st.integers(0, 5))
def test_thresholds_come_in_order_and_before_the_end(
    life: tuple[Stretch, ...], target: Target, percent: int, more: int
) -> None:
    clock = Clock.of(target, life)
    moment, later = clock.threshold(percent), clock.threshold(min(99, percent + more))
    assert clock.due_at is not None
    if later is not None:
        assert moment is not None
        assert moment <= later < clock.due_at
    if moment is not None:
        assert clock.used(moment) * 100 >= target.minutes * percent
        assert clock.used(moment - INSTANT) * 100 < target.minutes * percent
    else:  # so few minutes that the part is the whole
        assert target.minutes * percent > (target.minutes - 1) * 100


@given(life=lives(), target=TARGETS, edited=calendars(), seconds=st.integers(0, 2_000_000))
def test_a_later_edit_rewrites_no_frozen_minute(
    life: tuple[Stretch, ...], target: Target, edited: Calendar, seconds: int
) -> None:
    """Whatever calendar comes next, what has been used stays; and it moves the end later or not
    at all, never earlier than the pinned calendar alone says."""
    now, running = life[-1].since + timedelta(seconds=seconds), life[-1]
    pinned = running.calendars[0]
    alone = Clock.of(target, (*life[:-1], replace(running, calendars=(pinned,))))
    after = Clock.of(target, (*life[:-1], replace(running, calendars=(pinned, edited))))
    assert after.used(running.since) == alone.used(running.since)
    assert after.used(now) <= alone.used(now)
    assert after.due_at is not None
    assert alone.due_at is not None
    assert after.due_at >= alone.due_at


@given(life=lives(), target=TARGETS, seconds=st.integers(0, 2_000_000))
def test_the_clock_stands_still_while_another_has_to_move(
    life: tuple[Stretch, ...], target: Target, seconds: int
) -> None:
    closed = life[:-1]
    since = life[-1].since
    waiting = replace(life[-1], ball=Ball.CUSTOMER)
    clock = Clock.of(target, (*closed, waiting))
    assert clock.used(since) == clock.used(since + timedelta(seconds=seconds))
    assert clock.paused is not None
    assert clock.paused.since <= since
    assert not clock.paused.counts
    assert clock.used(clock.paused.since) == clock.used(since)
    missed = clock.left(since) <= 0
    assert (clock.due_at is not None) == missed
    if clock.due_at is not None:
        assert clock.due_at <= since
        assert clock.due_at == Clock.of(target, life).due_at


@given(start=MOMENTS, calendar=calendars(), target=st.integers(1, 6000), cut=st.integers(0, 9000))
def test_a_stretch_cut_in_two_is_as_long(
    start: datetime, calendar: Calendar, target: int, cut: int
) -> None:
    """A change of stage that leaves the firm to move changes nothing, at a whole minute."""
    start = start.replace(second=0, microsecond=0)
    middle = start + cut * MINUTE
    goal = Target("delivery", "delivery_warning", target, False)
    whole = Stretch(start, None, Stage.ANALYSIS, Ball.FIRM, None, (calendar,))
    minutes, _place = freeze(start, middle, (calendar,))
    first = replace(whole, until=middle, minutes=minutes)
    second = replace(whole, since=middle, stage=Stage.DIAGNOSIS)
    assert Clock.of(goal, (whole,)).due_at == Clock.of(goal, (first, second)).due_at


@given(life=lives(), minutes=st.integers(1, 6000))
def test_round_the_clock_counts_every_minute_of_the_firms(
    life: tuple[Stretch, ...], minutes: int
) -> None:
    clock = Clock.of(Target("delivery", "delivery_warning", minutes, True), life)
    ends = [part.until or part.since for part in life]
    mine = [
        (end - part.since) // MINUTE
        for part, end in zip(life, ends, strict=True)
        if counts(part.stage, part.ball)
    ]
    assert clock.used(life[-1].since) == sum(mine)
    assert clock.due_at is not None
    if clock.left(life[-1].since) > 0:
        left = clock.left(life[-1].since)
        assert clock.due_at == life[-1].since + left * MINUTE


def test_a_target_over_a_whole_year_skips_its_holidays() -> None:
    """2026 in Colombia: 19 public holidays from Monday to Friday; and one more that the firm adds
    while the clock runs, which moves the end by a day and no more."""
    assert sum(1 for day in YEAR.holidays if day.year == 2026 and day.weekday() < 5) == 19
    edited = with_holiday(YEAR, date(2026, 10, 30))
    start = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
    weekdays = sum(1 for n in range(365) if (date(2026, 1, 1) + timedelta(days=n)).weekday() < 5)
    whole_year = (weekdays - 20) * 480
    running = Stretch(start, None, Stage.IN_PROGRESS, Ball.FIRM, None, (YEAR, edited))
    clock = Clock.of(Target("delivery", "delivery_warning", whole_year, False), (running,))
    assert clock.due_at == datetime(2026, 12, 31, 23, 0, tzinfo=UTC)  # 18:00 in Bogota
    unedited = Clock.of(clock.target, (replace(running, calendars=(YEAR,)),))
    assert unedited.due_at == datetime(2026, 12, 30, 23, 0, tzinfo=UTC)


def test_split_shifts_leave_the_noon_out() -> None:
    start = datetime(2026, 11, 17, 16, 30, tzinfo=UTC)  # Tuesday, 11:30 in Bogota
    running = Stretch(start, None, Stage.RECEIVED, Ball.FIRM, None, (YEAR,))
    clock = Clock.of(Target("first_response", "response_warning", 60, False), (running,))
    assert clock.due_at == datetime(2026, 11, 17, 19, 30, tzinfo=UTC)  # 14:30
    assert clock.used(datetime(2026, 11, 17, 18, 0, tzinfo=UTC)) == 30  # 13:00, at lunch
    assert clock.threshold(50) == datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
    assert clock.threshold(51) == datetime(2026, 11, 17, 19, 1, tzinfo=UTC)


def test_of_two_calendars_the_one_that_counts_less_is_kept() -> None:
    day = datetime(2026, 11, 18, 13, tzinfo=UTC)
    closed = with_holiday(YEAR, date(2026, 11, 18))
    end = day + timedelta(hours=2)
    assert freeze(day, end, (YEAR, closed)) == (0, 1)
    assert freeze(day, end, (closed, YEAR)) == (0, 0)
    assert freeze(day, end, (YEAR, around_the_clock("UTC"))) == (120, 0)


def test_only_the_firms_own_time_before_the_delivery_counts() -> None:
    counting = {(stage, ball) for stage, ball in product(Stage, Ball) if counts(stage, ball)}
    assert counting == {(stage, Ball.FIRM) for stage in COUNTING}
    assert BEFORE_WORK | {Stage.IN_PROGRESS} == COUNTING


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, []),
        ({"response": 0, "delivery": None}, []),
        ({"response": 10}, [("first_response", 10, False)]),
        (
            {"response": 10, "delivery": 60, "round_the_clock": True},
            [("first_response", 10, True), ("delivery", 60, True)],
        ),
    ],
)
def test_a_row_commits_what_it_names(row: dict, found: list) -> None:
    assert [(t.name, t.minutes, t.round_the_clock) for t in committed(row)] == found
