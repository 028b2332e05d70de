"""Routing: one answer for every case, the same for whoever asks; never nobody unsaid (P05, P14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, around_the_clock, colombia
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Priority
from acuse.policy.routing import (
    CONDITIONS,
    LEVELS,
    WORKERS,
    Absence,
    Agent,
    Decision,
    Holding,
    Matter,
    Outcome,
    Presence,
    Rule,
    choose,
    days_away,
    decide,
    find_rule,
    find_shadow,
    fits,
    level_of,
    movers,
    next_work,
    presence,
    weigh,
)
from acuse.policy.stages import Ball, Role, Stage

OFFICE = colombia([2026])
TUESDAY = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)  # 9:00 in Bogota
NIGHT = TUESDAY + timedelta(hours=13)
DAY = timedelta(days=1)
FREE = Holding()

small = st.integers(1, 3)
maybe = st.none() | small
languages = st.sampled_from(["es", "en", "pt"])
levels = st.sampled_from(LEVELS)


@st.composite
def matters(draw: st.DrawFn) -> Matter:
    return Matter(
        draw(maybe), draw(maybe), draw(maybe), draw(maybe), draw(maybe),
        draw(st.sampled_from(list(Priority))), draw(languages),
        draw(st.sampled_from([Stage.RECEIVED, Stage.ANALYSIS, Stage.ESTIMATION])),
        draw(maybe), draw(levels),
    )  # fmt: skip


@st.composite
def rule_sets(draw: st.DrawFn) -> list[Rule]:
    count = draw(st.integers(0, 6))
    return [
        Rule(
            number, draw(small), draw(st.just("") | levels), draw(maybe), draw(maybe), draw(maybe),
            draw(maybe), draw(maybe), draw(st.just("") | st.sampled_from(list(Priority))),
            draw(st.just("") | languages),
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


@st.composite
def staffs(draw: st.DrawFn) -> list[Agent]:
    presences = st.builds(Presence, st.none() | st.integers(0, 3)) | st.builds(
        Presence, st.none(), st.just(True), st.none() | st.integers(1, 6)
    )
    return [
        Agent(
            person,
            draw(st.frozensets(st.sampled_from(sorted(WORKERS)), min_size=1)),
            draw(levels),
            draw(st.frozensets(small)),
            draw(st.frozensets(languages, min_size=1)),
            draw(st.frozensets(small)),
            draw(st.integers(0, 9)),
            draw(st.integers(0, 20)),
            draw(presences),
        )
        for person in range(1, draw(st.integers(0, 6)) + 1)
    ]


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    return Holding(
        draw(st.none() | st.integers(1, 7)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.frozensets(st.integers(1, 6), max_size=2)),
    )


@settings(max_examples=1000)
@given(matters(), rule_sets(), staffs(), holdings())
def test_one_owner_or_a_nobody_that_is_said(
    matter: Matter, rules: list[Rule], agents: list[Agent], holding: Holding
) -> None:
    found = decide(matter, rules, agents, holding)
    assert (found.person is None) == (found.outcome is Outcome.NOBODY)
    assert found == decide(matter, rules, list(reversed(agents)), holding)  # whoever asks
    rule = find_rule(rules, matter)
    if holding.queue_fixed or rule is None:
        assert (found.rule, found.queue, found.level) == (None, matter.queue, matter.level)
    else:
        assert (found.rule, found.queue) == (rule.number, rule.queue)
        assert found.level == max(matter.level, rule.level)
    wanted = replace(matter, level=found.level)
    known = {agent.person: agent for agent in agents}
    if holding.firm and holding.person is not None:
        assert found.person == holding.person
    if found.outcome is Outcome.KEPT:
        assert found.person == holding.person
        if not holding.firm and choose(wanted, agents, holding.not_to):
            assert fits(known[holding.person], wanted)  # type: ignore[index]
    if found.outcome is Outcome.ASSIGNED:
        assert found.person not in holding.not_to
        assert known[found.person].presence.days is not None  # type: ignore[index]
        vouched = known[found.stands_in or found.person]  # type: ignore[index]
        assert fits(vouched, wanted)
        assert (found.stands_in is None) or vouched.presence.away
    if found.outcome is Outcome.NOBODY:
        there = [a for a in agents if a.presence.days is not None and fits(a, wanted)]
        assert {agent.person for agent in there} <= holding.not_to


@given(matters(), rule_sets())
def test_the_first_rule_that_takes_it_decides_and_a_shadowed_one_never(
    matter: Matter, rules: list[Rule]
) -> None:
    found = find_rule(rules, matter)
    takers = [rule for rule in rules if rule.takes(matter)]
    assert found == (takers[0] if takers else None)
    for place, rule in enumerate(rules):
        if find_shadow(rule, rules[:place]) is not None:
            assert found != rule


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_is_asked_and_a_blank_asks_nothing(name: str) -> None:
    wanted = {"priority": Priority.HIGH, "language": "pt"}.get(name, 7)
    rule = Rule(1, 1, **{name: wanted})  # type: ignore[arg-type]
    assert dict(rule.asked) == {name: wanted}
    assert rule.takes(replace(Matter(), **{name: wanted}))  # type: ignore[arg-type]
    assert not rule.takes(Matter())
    assert Rule(2, 1).takes(replace(Matter(), **{name: wanted}))  # type: ignore[arg-type]


def agent(person: int, level: str = "n1", *, role: Role = Role.SUPPORT, **more: object) -> Agent:
    return Agent(person, frozenset({role}), level, languages=frozenset({"es"}), **more)  # type: ignore[arg-type]


def order(matter: Matter, *agents: Agent) -> list[int]:
    return [found.person for found, _ in choose(matter, agents)]


def test_who_comes_first() -> None:
    tomorrow = agent(1, presence=Presence(1))
    far = agent(2, "n3")
    team = agent(3, "n2", customers=frozenset({9}), load=30)
    near_busy, near_free = agent(4, load=4), agent(5, load=3)
    many, few = agent(6, load=3, open_cases=3), agent(7, load=3, open_cases=1)
    found = order(Matter(9), tomorrow, far, team, near_busy, near_free, many, few)
    assert found == [3, 5, 7, 6, 4, 2, 1]


def test_a_tie_goes_to_the_smallest_number() -> None:
    assert order(Matter(), agent(8), agent(3), agent(5)) == [3, 5, 8]


@pytest.mark.parametrize(
    ("matter", "who", "can"),
    [
        (Matter(), agent(1), True),
        (Matter(level="n2"), agent(1), False),
        (Matter(level="n2"), agent(1, "n3"), True),
        (Matter(language="pt"), agent(1), False),
        (Matter(specialty=4), agent(1), False),
        (Matter(specialty=4), agent(1, specialties=frozenset({4})), True),
        (Matter(), agent(1, role=Role.CONSULTANT), False),  # cannot take it for analysis
        (Matter(stage=Stage.ANALYSIS), agent(1, role=Role.CONSULTANT), True),
        (Matter(stage=Stage.ESTIMATION), agent(1), False),  # cannot submit the scope
    ],
)
def test_what_it_takes_to_fit(matter: Matter, who: Agent, can: bool) -> None:
    assert fits(who, matter) is can


def test_who_can_move_a_case_is_read_from_the_stage_table() -> None:
    assert movers(Stage.RECEIVED) == {Role.SUPPORT}
    assert movers(Stage.DIAGNOSIS) == WORKERS
    assert movers(Stage.ESTIMATION) == {Role.CONSULTANT}
    assert movers(Stage.PROPOSAL) == WORKERS  # the customer has to move: whoever worked on it


def away(person: int, substitute: int | None = None, **more: object) -> Agent:
    return agent(person, presence=Presence(None, True, substitute), **more)


def test_a_substitute_steps_in_with_the_skills_of_who_is_away() -> None:
    matter = Matter(specialty=4)
    expert = away(1, 2, specialties=frozenset({4}))
    assert choose(matter, [expert, agent(2)]) == [(agent(2), 1)]
    other = agent(3, specialties=frozenset({4}), load=40)
    assert order(matter, expert, agent(2), other) == [3, 2]  # who fits comes before
    decision = decide(matter, [], [expert, agent(2, open_cases=3)], FREE)
    assert (decision.person, decision.stands_in, decision.open_cases) == (2, 1, 3)


def test_substitutes_of_substitutes_and_circles() -> None:
    assert order(Matter(), away(1, 2), away(2, 3), agent(3, "n2")) == [3]
    assert order(Matter(), away(1, 2), away(2, 1)) == []
    assert order(Matter(), away(1, 1)) == []
    assert order(Matter(), away(1, 99)) == []
    assert order(Matter(), away(1)) == []
    off = agent(2, presence=Presence(None))
    assert order(Matter(), away(1, 2), off) == []


def test_who_is_not_to_have_it_gets_it_neither_as_a_substitute() -> None:
    people = [away(1, 2, specialties=frozenset({4})), agent(2)]
    assert choose(Matter(specialty=4), people, frozenset({2})) == []
    assert choose(Matter(), [agent(5)], frozenset({5})) == []


def test_who_has_it_keeps_it_while_they_fit_or_nobody_else_does() -> None:
    held = Holding(1)
    rules = [Rule(7, 2, specialty=4)]
    matter = Matter(specialty=4)
    assert decide(matter, rules, [agent(1)], held).outcome is Outcome.KEPT
    expert = agent(2, specialties=frozenset({4}))
    assert decide(matter, rules, [agent(1), expert], held).person == 2
    assert decide(Matter(), rules, [agent(1, load=50), expert], held).person == 1
    firm = Holding(1, firm=True)
    found = decide(matter, rules, [agent(1), expert], firm)
    assert found == Decision(Outcome.KEPT, 7, 2, "n1", 1)


def test_an_absent_holder_who_fits_keeps_it() -> None:
    assert decide(Matter(), [], [away(1, 2), agent(2)], Holding(1)).person == 1


def test_a_level_is_never_lowered_and_a_queue_set_by_hand_stays() -> None:
    rules = [Rule(1, 5, "n1")]
    raised = decide(Matter(level="n3", queue=2), rules, [], FREE)
    assert (raised.level, raised.queue, raised.outcome) == ("n3", 5, Outcome.NOBODY)
    kept = decide(Matter(queue=2), rules, [agent(1)], Holding(queue_fixed=True))
    assert (kept.rule, kept.queue, kept.person) == (None, 2, 1)


def test_levels_and_weights() -> None:
    assert level_of([(Role.SUPPORT, "")]) == "n1"
    assert level_of([(Role.CONSULTANT, "")]) == "n3"
    assert level_of([(Role.SUPPORT, "n2")]) == "n2"
    assert level_of([(Role.SUPPORT, "n1"), (Role.CONSULTANT, "")]) == "n3"
    assert [weigh(priority, Ball.FIRM) for priority in Priority] == [4, 3, 2, 1]
    assert weigh(Priority.URGENT, Ball.BOTH) == 4
    assert weigh(Priority.URGENT, Ball.CUSTOMER) == 1


# Presence


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (TUESDAY, 0),
        (TUESDAY + timedelta(hours=4), 1),  # 13:00, between the shifts
        (NIGHT, 1),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), 3),  # Friday evening, until Monday
    ],
)
def test_how_long_until_somebody_works(at: datetime, days: int) -> None:
    assert presence(OFFICE, [], at) == Presence(days)


def test_an_absence_counts_at_the_moment_they_would_work() -> None:
    tomorrow = Absence(NIGHT + timedelta(hours=1), NIGHT + 2 * DAY, 5)
    assert presence(OFFICE, [tomorrow], TUESDAY) == Presence(0)
    assert presence(OFFICE, [tomorrow], NIGHT) == Presence(None, True, 5)
    over = Absence(TUESDAY - DAY, TUESDAY)
    assert presence(OFFICE, [over], TUESDAY) == Presence(0)  # until is exclusive
    begun = Absence(TUESDAY, TUESDAY + DAY)
    assert presence(OFFICE, [over, begun], TUESDAY) == Presence(None, True, None)


def test_nobody_waits_for_who_does_not_work_for_a_month() -> None:
    shut = {TUESDAY.date() + n * DAY: "Cerrado" for n in range(60)}
    closed = Calendar("Cerrado", "America/Bogota", OFFICE.week, shut, frozenset())
    assert next_work(closed, TUESDAY) is None
    assert presence(closed, [Absence(TUESDAY, TUESDAY + DAY, 3)], TUESDAY) == Presence(None)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)))
def test_the_next_work_is_work_and_nothing_is_missed_before(at: datetime) -> None:
    found = next_work(OFFICE, at)
    assert found is not None
    assert found >= at
    day = OFFICE.local_day(found)
    assert any(start <= found < end for start, end in OFFICE.working_spans(day))
    if found > at:
        assert next_work(OFFICE, found - timedelta(seconds=1)) == found


def test_an_absence_is_whole_days_of_the_zone() -> None:
    since, until = days_away(date(2026, 11, 17), date(2026, 11, 18), "America/Bogota")
    assert since == datetime(2026, 11, 17, 5, tzinfo=UTC)
    assert until == datetime(2026, 11, 19, 5, tzinfo=UTC)
    assert Absence(since, until).covers(until - timedelta(seconds=1))
    assert around_the_clock("UTC").local_day(since) == date(2026, 11, 17)


@pytest.mark.parametrize(
    ("last", "rule"),
    [(date(2026, 11, 16), "must not end"), (date(2028, 1, 1), "must not be longer")],
)
def test_an_absence_of_other_days_is_refused(last: date, rule: str) -> None:
    with pytest.raises(InvalidField, match=rule) as told:
        days_away(date(2026, 11, 17), last, "America/Bogota")
    assert told.value.field == "last_day"
