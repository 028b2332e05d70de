"""The rota: at every moment one person or a named gap; the chain: each once, never without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, Shift, around_the_clock, colombia
from acuse.policy.oncall import (
    CHAIN,
    GAPS,
    GIVEN_UP_AFTER,
    LINES,
    RUNGS,
    WHYS,
    Gap,
    Line,
    Pass,
    Rung,
    Stretch,
    Turn,
    Why,
    escalate,
    gaps,
    is_closed,
    next_try,
    on_call,
    rotation,
    timeline,
)

START = datetime(2026, 11, 16, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COLOMBIA = colombia((2026,), reviewed=(2026,))

people = st.integers(1, 4)
moments = st.integers(0, 14 * 24).map(lambda hours: START + hours * HOUR)
spans = st.tuples(moments, st.integers(1, 7 * 24)).map(lambda p: (p[0], p[0] + p[1] * HOUR))
turns = st.builds(lambda who, span: Turn(who, *span), people, spans)
passes = st.builds(
    lambda two, span: Pass(*two, *span),
    st.permutations([1, 2, 3, 4]).map(lambda order: order[:2]),
    spans,
)
rotas = st.tuples(st.lists(turns, max_size=6), st.lists(passes, max_size=5), st.sets(people))


@given(rotas, spans, st.data())
def test_at_every_moment_one_person_or_a_named_gap(
    rota: tuple[list[Turn], list[Pass], set[int]],
    span: tuple[datetime, datetime],
    data: st.DataObject,
) -> None:
    planned, handed, able = rota
    stretches = timeline(*span, planned, handed, able)
    assert stretches[0].since == span[0]
    assert stretches[-1].until == span[1]
    for before, after in zip(stretches, stretches[1:], strict=False):
        assert before.until == after.since
        assert (before.person, before.gap) != (after.person, after.gap)
    for stretch in stretches:
        assert stretch.since < stretch.until
        assert (stretch.person is None) == (stretch.gap is not None)
        assert stretch.person is None or stretch.person in able
    hours = int((span[1] - span[0]) / HOUR)
    at = span[0] + data.draw(st.integers(0, hours - 1)) * HOUR
    inside = [stretch for stretch in stretches if stretch.since <= at < stretch.until]
    assert [(s.person, s.gap) for s in inside] == [on_call(at, planned, handed, able)]


@given(rotas, moments)
def test_a_gap_is_where_nobody_is_planned_or_who_is_cannot(
    rota: tuple[list[Turn], list[Pass], set[int]], at: datetime
) -> None:
    planned, handed, able = rota
    running = [turn for turn in planned if turn.since <= at < turn.until]
    person, gap = on_call(at, planned, handed, able)
    assert (gap is Gap.NO_TURN) == (not running)
    if not handed and running:
        assert (gap is Gap.LEFT) == (
            max(running, key=lambda t: (t.since, t.person)).person not in able
        )
    everybody, _gap = on_call(at, planned, handed, {1, 2, 3, 4})
    assert person in (None, everybody)


def test_a_hand_over_holds_for_its_time_and_only_from_who_is_on_call() -> None:
    planned = [Turn(1, START, START + 7 * DAY)]
    able = {1, 2, 3}

    def who(at: datetime, *handed: Pass) -> int | None:
        return on_call(at, planned, handed, able)[0]

    to_two = Pass(1, 2, START + DAY, START + 2 * DAY)
    assert who(START + DAY - HOUR, to_two) == 1
    assert who(START + DAY, to_two) == 2
    assert who(START + 2 * DAY, to_two) == 1
    on = Pass(2, 3, START + DAY + HOUR, START + 3 * DAY)
    assert who(START + DAY + HOUR, to_two, on) == 3
    assert who(START + 2 * DAY, to_two, on) == 1  # two had nothing to pass on any more
    assert who(START + DAY, Pass(2, 3, START, START + 7 * DAY)) == 1


def test_of_overlapping_turns_the_later_counts() -> None:
    both = [Turn(1, START, START + 2 * DAY), Turn(2, START + DAY, START + 3 * DAY)]
    assert on_call(START + DAY, both, [], {1, 2}) == (2, None)
    assert on_call(START, both, [], {1, 2}) == (1, None)


# Gaps ---------------------------------------------------------------------------------------------

WEEKS = st.lists(
    st.lists(st.integers(0, 24), min_size=2, max_size=4, unique=True).map(sorted),
    min_size=7,
    max_size=7,
)


@given(rotas, WEEKS, st.data())
def test_a_gap_counts_only_while_the_firm_is_closed(
    rota: tuple[list[Turn], list[Pass], set[int]], week: list[list[int]], data: st.DataObject
) -> None:
    shifts = tuple(
        tuple(Shift(a * 60, b * 60) for a, b in zip(day[::2], day[1::2], strict=False))
        for day in week
    )
    calendar = Calendar("x", "America/Bogota", shifts, {}, frozenset())
    until = START + 14 * DAY
    stretches = timeline(START, until, *rota)
    found = gaps(stretches, calendar)
    for gap in found:
        assert gap.since < gap.until
    at = START + data.draw(st.integers(0, 14 * 24 - 1)) * HOUR
    nobody = on_call(at, *rota)[1]
    wanted = [nobody] if nobody is not None and is_closed(calendar, at) else []
    assert [gap.gap for gap in found if gap.since <= at < gap.until] == wanted


def test_what_is_closed() -> None:
    bogota = ZoneInfo("America/Bogota")
    for hour, closed in ((7, True), (8, False), (12, True), (14, False), (18, True)):
        at = datetime(2026, 11, 17, hour, tzinfo=bogota)
        assert is_closed(COLOMBIA, at) is closed, hour
    assert is_closed(COLOMBIA, datetime(2026, 11, 16, 10, tzinfo=bogota))  # a holiday
    assert is_closed(COLOMBIA, datetime(2026, 11, 21, 10, tzinfo=bogota))  # a Saturday


def test_a_firm_that_never_closes_has_no_gap() -> None:
    nobody = [Stretch(START, START + DAY, None, Gap.NO_TURN)]
    assert gaps(nobody, around_the_clock("UTC")) == ()
    assert len(gaps(nobody, COLOMBIA)) == 1  # a holiday


# The chain ----------------------------------------------------------------------------------------

held = st.fixed_dictionaries({rung: st.lists(people, max_size=2) for rung in CHAIN})


@given(held)
def test_the_chain_ends_and_pages_each_once(rungs: dict[Rung, list[int]]) -> None:
    paged: list[int] = []
    after, seen = None, []
    for _ in range(len(CHAIN) + 1):
        step = escalate(after, rungs, paged)
        seen.append(step.rung)
        paged += step.people
        after = step.rung
        if step.rung is Rung.NOBODY:
            break
        assert step.people
    assert seen[-1] is Rung.NOBODY
    assert len(paged) == len(set(paged))
    assert set(paged) == {person for rung in CHAIN for person in rungs[rung]}
    assert seen == sorted(seen, key=[*CHAIN, Rung.NOBODY].index)


def test_a_rung_without_anybody_is_a_gap_and_one_that_was_paged_is_not() -> None:
    chain = {Rung.FIRST: [], Rung.SECOND: [2], Rung.MANAGER: [2]}
    assert escalate(None, chain, []).over_gap
    assert not escalate(Rung.SECOND, chain, [2]).over_gap
    assert escalate(Rung.SECOND, chain, [2]).rung is Rung.NOBODY


# Turns and tries ----------------------------------------------------------------------------------


@given(st.lists(people, min_size=1, max_size=4), st.integers(1, 28), st.integers(1, 6))
def test_turns_follow_one_another(ids: list[int], days: int, rounds: int) -> None:
    zone = "America/Santiago"  # its clocks change
    found = rotation(ids, START, days, rounds, zone)
    assert [turn.person for turn in found] == ids * rounds
    assert found[0].since == START
    local = {turn.since.astimezone(ZoneInfo(zone)).time() for turn in found}
    assert len(local) == 1
    for before, after in zip(found, found[1:], strict=False):
        assert before.until == after.since


def test_a_delivery_is_tried_for_days_and_then_given_up() -> None:
    now, tries = START, 0
    pauses = []
    while True:
        tries += 1
        again = next_try(START, tries, now)
        if again is None:
            break
        pauses.append(again - now)
        now = again
    assert pauses[0] == timedelta(seconds=30)
    assert pauses[1] == timedelta(seconds=60)
    assert max(pauses) == timedelta(hours=6)
    assert START + GIVEN_UP_AFTER - timedelta(hours=6) < now <= START + GIVEN_UP_AFTER
    assert 15 < tries < 40


@pytest.mark.parametrize(
    ("words", "codes"), [(LINES, Line), (RUNGS, Rung), (WHYS, Why), (GAPS, Gap)]
)
def test_every_code_has_its_words(words: dict[object, str], codes: type) -> None:
    assert set(words) == set(codes)
