"""The desk's lists: counts are true, filters narrow, pages neither lose nor repeat a case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import clock, conversation, life
from acuse.models import Case, Person
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Impact, Urgency
from acuse.queries.queue import ORDERS, VIEWS, Filters, list_cases, queues, shelves
from acuse.queries.search import search
from acuse.queries.workload import alarms, comments_to_classify, due_terms, time_of
from tests.world import START, World

NOW = START + timedelta(days=2)


@pytest.fixture
def sara(world: World) -> Person:
    return Person.objects.get(pk=world.sara.pk)


def ids(page) -> list[int]:
    return [row.case.pk for row in page.rows]


@pytest.fixture
def full(world: World) -> World:
    """Cases in several stages, of both customers and of nobody."""
    world.report()
    world.report("nora", mailbox=world.mailbox)
    world.analysed()
    world.delivered()
    world.closed()
    held = world.delivered()
    conversation.comment(world.on(held, "ana"), text="No sé si esto está bien")
    stranger = world.people["zoe"] = Person.objects.create(email="zoe@nowhere.example")
    life.open(world.on(None, _as(stranger)), subject="Hola", text="¿Me ayudan?")
    return world


def _as(person: Person):
    from acuse.policy.authors import Channel
    from acuse.policy.authors import person as author

    return author(person.pk, Channel.MAIL)


def test_every_count_is_what_its_list_shows(full: World, sara: Person) -> None:
    counts = {shelf.code: shelf.count for shelf in shelves(sara)}
    for view in VIEWS:
        page = list_cases(sara, NOW, Filters(view=view))
        assert len(page.rows) == page.total == counts[view], view
    assert counts == {
        "mine": 3,
        "unassigned": 3,
        "firm": 5,
        "customer": 1,
        "third_party": 0,
        "classify": 1,
        "warned": 0,
        "unbound": 1,
        "open": 6,
        "ended": 1,
    }


def test_a_queue_counts_its_open_cases(full: World, sara: Person) -> None:
    [shelf] = queues(sara)
    page = list_cases(sara, NOW, Filters(queue=int(shelf.code)))
    assert (shelf.label, shelf.count) == ("Soporte", 1)
    assert page.total == 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"stage": "analysis"}, 1),
        ({"stage": "delivered"}, 2),
        ({"priority": "high"}, 3),
        ({"ball": "customer"}, 1),
    ],
)
def test_filters_narrow(full: World, sara: Person, filters: dict[str, str], expected: int) -> None:
    assert list_cases(sara, NOW, Filters(**filters)).total == expected


def test_filters_by_customer_and_assignee(full: World, sara: Person) -> None:
    andina = list_cases(sara, NOW, Filters(customer=full.andina.pk))
    assert {row.case.organisation_id for row in andina.rows} == {full.andina.pk}
    assert andina.total == 4
    assert list_cases(sara, NOW, Filters(assignee=sara.pk)).total == 3


@pytest.mark.parametrize("order", ORDERS)
def test_pages_lose_and_repeat_nothing(full: World, sara: Person, order: str) -> None:
    whole = ids(list_cases(sara, NOW, order=order))
    found: list[int] = []
    after = ""
    while True:
        page = list_cases(sara, NOW, order=order, after=after, size=2)
        found += ids(page)
        after = page.after
        if not after:
            break
    assert found == whole
    assert sorted(whole) == sorted(set(whole))
    assert len(whole) == 6


def test_orders(full: World, sara: Person) -> None:
    def cases(order: str) -> list[Case]:
        return [row.case for row in list_cases(sara, NOW, order=order).rows]

    assert ids(list_cases(sara, NOW, order="newest"))[0] == max(c.pk for c in cases("newest"))
    ranks = {"urgent": 0, "high": 1, "medium": 2, "low": 3}
    by_priority = [ranks[case.priority] for case in cases("priority")]
    assert by_priority == sorted(by_priority)
    terms = [row.term for row in list_cases(sara, NOW, order="due").rows]
    due = [term.due_at for term in terms if term is not None]
    assert due == sorted(due)
    assert terms[len(due) :] == [None] * (len(terms) - len(due))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"filters": Filters(view="nobody's")}, "view"),
        ({"order": "random"}, "order"),
        ({"after": "yesterday"}, "after"),
        ({"after": "2026-11-17_"}, "after"),
        ({"after": "5_1"}, "after"),
    ],
)
def test_bad_input_names_its_field(full: World, sara: Person, wrong: dict, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        list_cases(sara, NOW, **wrong)
    assert refused.value.field == field


def test_a_customer_never_sees_another_customers_cases(full: World) -> None:
    nora = Person.objects.get(pk=full.nora.pk)
    page = list_cases(nora, NOW)
    assert {row.case.organisation_id for row in page.rows} == {full.brisa.pk}
    assert {shelf.code: shelf.count for shelf in shelves(nora)}["open"] == 1


def test_a_missed_term_stays_on_the_board_until_it_is_made_good(world: World, sara: Person) -> None:
    case = world.report()  # committed first response: 480 working minutes
    late = START + timedelta(days=5)
    for deadline in clock.due(late):
        clock.fire(deadline, late)
    [term] = due_terms(sara, late)
    assert (term.case.pk, term.deadline.kind, term.late) == (case.pk, "first_response", True)
    [row] = list_cases(sara, late).rows
    assert row.term is not None
    assert row.term.late
    life.take(world.on(case, "sara", late))
    assert [t.deadline.kind for t in due_terms(sara, late)] == []


def test_terms_that_run_are_listed_earliest_first_without_reminders(
    full: World, sara: Person
) -> None:
    board = due_terms(sara, NOW)
    assert [t.deadline.due_at for t in board] == sorted(t.deadline.due_at for t in board)
    assert not {t.deadline.kind for t in board} & {"acceptance_reminder", "hold_reminder"}
    assert {"first_response", "acceptance", "warranty_end"} <= {t.deadline.kind for t in board}


def test_comments_to_classify_and_the_alarm_count(full: World, sara: Person) -> None:
    [hold] = comments_to_classify(sara)
    assert hold.message.text == "No sé si esto está bien"
    assert (alarms().comments, alarms().mail, alarms().failed) == (1, 0, 0)


def test_my_time_adds_up(world: World, sara: Person) -> None:
    from acuse.actions import billing
    from acuse.policy.billing import Activity

    case = world.diagnosed()
    for minutes, activity in ((50, Activity.DIAGNOSIS), (30, Activity.INTERNAL)):
        billing.log_time(
            world.on(case, "sara"),
            work_date=START.date(),
            minutes=minutes,
            activity=activity,
            text="x",
        )
    mine = time_of(sara, START.date(), START.date())
    assert (mine.minutes, mine.billed_minutes) == (80, 60)  # rounded up by the quarter of an hour
    assert mine.by_activity == [("diagnosis", 50), ("internal", 30)]
    assert time_of(sara, START.date() + timedelta(days=1), START.date()).entries == []
    assert time_of(Person.objects.get(pk=world.carlos.pk), START.date(), START.date()).minutes == 0


def test_search_finds_numbers_words_and_people(full: World, sara: Person) -> None:
    first = Case.objects.order_by("pk").first()
    assert first is not None
    for text in (first.number, first.number.lower(), str(first.pk)):
        assert search(sara, text, NOW).cases[0].case.pk == first.pk
    assert [row.case.reporter_id for row in search(sara, "ayudan", NOW).cases] == [
        full.people["zoe"].pk
    ]
    assert len(search(sara, "imprime FACTURAS ana", NOW).cases) == 5
    assert search(sara, "imprime zanahoria", NOW).cases == []
    assert [str(p) for p in search(sara, "beto", NOW).people] == ["Beto Díaz"]
    assert [str(c) for c in search(sara, "brisa", NOW).customers] == ["Brisa"]
    assert not search(sara, "   ", NOW)


def test_search_shows_nobody_what_is_not_theirs(full: World) -> None:
    nora = Person.objects.get(pk=full.nora.pk)
    first = Case.objects.filter(organisation=full.andina).first()
    assert first is not None
    assert search(nora, first.number, NOW).cases == []
    assert [row.case.organisation_id for row in search(nora, "imprime", NOW).cases] == [
        full.brisa.pk
    ]
    assert search(nora, "andina", NOW).customers == []
    assert "Ana Ruiz" not in [str(p) for p in search(nora, "ana", NOW).people]


def test_an_internal_note_is_not_searched(world: World, sara: Person) -> None:
    case = world.analysed()
    conversation.internal_note(world.on(case, "sara"), text="contraseña caducada")
    assert search(sara, "caducada", NOW).cases == []


@pytest.mark.parametrize("count", [1, 3, 30])
def test_a_list_takes_three_queries_however_long(world: World, sara: Person, count: int) -> None:
    for number in range(count):
        case = world.report(subject=f"Caso {number}")
        if number % 3 == 0:
            life.take(world.on(case, "sara"))
            life.classify(world.on(case, "sara"), impact=Impact.LIMITED, urgency=Urgency.CAN_WAIT)
    assert sara.is_firm
    with CaptureQueriesContext(connection) as queries:
        page = list_cases(sara, NOW)
    assert page.total == count
    assert len(queries) == 3
