"""How committed times are shown: on the case, on the board, in the inbox (P21, P22)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from acuse.actions import administration as admin
from acuse.actions import conversation, deliveries, life
from acuse.models import Case, Person, SlaVersion
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.queries.case import get_case
from acuse.queries.lexicon import read_lexicon
from acuse.queries.narrow import read_query
from acuse.queries.queue import Page, list_cases
from acuse.queries.shelves import read_shelves
from acuse.queries.targets import ClockState, clock_states, why_no_clock
from acuse.queries.workload import due_terms
from tests.world import HOUR, START, World

FAR = START + timedelta(days=300)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def sara(world: World) -> Person:
    return Person.objects.get(pk=world.sara.pk)


def states(world: World, case: Case, at: datetime) -> dict[str, ClockState]:
    seen = get_case(Person.objects.get(pk=world.sara.pk), case.number)
    return {state.label: state for state in clock_states(seen, at)}


def delivery(world: World, case: Case, at: datetime) -> ClockState:
    return states(world, case, at)["Committed delivery"]


def test_a_running_clock_says_what_is_used_left_and_due(world: World) -> None:
    case = world.analysed()
    found = states(world, case, START + 3 * HOUR)
    assert list(found) == ["First response", "Committed delivery"]
    first, due = found.values()
    assert (first.met, first.missed, first.used, first.minutes) == (True, False, 60, 120)
    assert (due.met, due.missed, due.used, due.left, due.percent) == (False, False, 180, 780, 18)
    assert due.due_at == case.deadlines.get(kind="delivery").due_at
    assert (due.paused_since, due.why, due.over, due.round_the_clock) == (None, "", 0, False)


def test_a_clock_that_stands_still_says_since_when_and_why(world: World) -> None:
    case = world.analysed()
    asked = conversation.ask(world.on(case, "sara"), addressee="third_party", text="¿?")
    state = delivery(world, case, FAR)
    assert (state.due_at, state.paused_since, state.missed) == (None, asked.at, False)
    assert state.why == "a third party has to move"
    assert state.used == 180
    conversation.answer(world.on(case, "sara"), wait=case.waits.get(), text="Sí")
    assert delivery(world, case, asked.at + 2 * HOUR).paused_since is None


def test_a_clock_that_has_passed_says_by_how_much(world: World) -> None:
    case = world.analysed()
    due_at = case.deadlines.get(kind="delivery").due_at
    state = delivery(world, case, due_at + HOUR)
    assert (state.missed, state.met, state.left, state.over, state.percent) == (
        True, False, -60, 60, 100,
    )  # fmt: skip


def test_what_was_delivered_is_met_and_a_correction_has_its_own_term(world: World) -> None:
    case = world.delivered()
    state = delivery(world, case, FAR)
    assert (state.met, state.paused_since) == (True, None)
    used = state.used
    version = case.versions.latest("pk")
    life.reject(world.on(case, "ana"), version=version, objections=[("Falta", "Lo pactado")])
    state = delivery(world, case, FAR)
    assert (state.met, state.used) == (False, used)
    assert state.why == "the correction has a term of its own (P26)"
    deliveries.answer_objection(
        world.on(case, "carlos"),
        objection=version.objections.get(),
        outcome="corrected",
        text="Listo",
    )
    assert delivery(world, case, FAR).used == used


def test_a_cancelled_case_waits_for_nothing(world: World) -> None:
    state = delivery(world, world.cancelled(), FAR)
    assert (state.met, state.missed, state.paused_since, state.due_at) == (
        False, False, None, None,
    )  # fmt: skip


def test_without_a_clock_it_says_why_in_words(world: World) -> None:
    uncovered = world.report("nora")
    assert clock_states(uncovered, FAR) == []
    assert why_no_clock(uncovered) == (
        "No contract covers it: Low priority, no committed times (P22)."
    )
    admin.publish_contract(
        world.contract.contract,
        valid_from=world.contract.valid_from,
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        sla=None,
    )
    bare = world.report()
    assert bare.sla is None
    assert why_no_clock(bare) == (
        "The contract Soporte Andina v2 commits no times: Low priority (P22)."
    )


def test_a_table_may_leave_a_priority_out(world: World) -> None:
    case = world.report()
    assert why_no_clock(case) == ""
    case.sla = SlaVersion(name="bronce", number=1, rows={"high": {"response": 10}})
    assert why_no_clock(case) == "The table bronce v1 commits no times for this priority."


def running_out(person: Person, now: datetime) -> Page:
    """The list of cases whose committed time runs out; its count is what it shows."""
    lexicon = read_lexicon(person)
    asked = read_query("state:open with:warning", person, lexicon, now).condition
    page = list_cases(person, now, asked)
    shelves = read_shelves(person, now, lexicon, [], asked)
    assert {shelf.code: shelf.count for shelf in shelves.views}["warned"] == shelves.total
    assert len(page.rows) == shelves.total
    return page


def test_the_inbox_names_the_cases_whose_time_runs_out(world: World, sara: Person) -> None:
    calm = world.report()
    case = world.analysed()
    half = case.deadlines.get(kind="delivery_warning", step=50).due_at
    life.take(world.on(calm, "sara", START + HOUR))
    world.fire(half)

    def listed() -> list[tuple[int, int | None]]:
        page = running_out(sara, half)
        return [(row.case.pk, row.term.warned if row.term else None) for row in page.rows]

    assert listed() == [(case.pk, 50)]
    world.fire(FAR)
    assert listed() == [(case.pk, 75)]
    assert [(row.deadline.kind, row.late) for row in due_terms(sara, FAR)] == [("delivery", True)]
    # Another priority is another target: what was missed before is no miss of this one.
    life.classify(
        world.on(case, "sara", FAR),
        impact=Impact.CRITICAL_PROCESS,
        urgency=Urgency.WORK_BLOCKED,
        priority=Priority.LOW,
        reason="Acordado",
    )
    assert listed() == []
    assert [row.deadline.subject for row in due_terms(sara, FAR)] == [4800]


def test_an_answer_takes_a_case_off_the_list(world: World, sara: Person) -> None:
    case = world.report()
    world.fire(case.deadlines.get(kind="response_warning", step=75).due_at)
    assert len(running_out(sara, FAR).rows) == 1
    life.take(world.on(case, "sara"))
    assert len(running_out(sara, FAR).rows) == 0


@pytest.mark.parametrize("count", [1, 12])
def test_the_list_takes_two_queries_however_long(world: World, sara: Person, count: int) -> None:
    for _number in range(count):
        world.report()
    world.fire(FAR)
    asked = read_query("state:open with:warning", sara, read_lexicon(sara), FAR).condition
    with CaptureQueriesContext(connection) as queries:
        page = list_cases(sara, FAR, asked)
    assert (len(page.rows), len(queries)) == (count, 2)
