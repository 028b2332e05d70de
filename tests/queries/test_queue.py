"""The desk's lists: counts are true, filters narrow, pages neither lose nor repeat a case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from acuse.actions import clock, conversation, life
from acuse.models import Case, Membership, Person, Queue
from acuse.policy import filters
from acuse.policy.fields import InvalidField
from acuse.policy.filters import ORDERS
from acuse.policy.priority import Impact, Urgency
from acuse.queries import shelves as shelves_module
from acuse.queries.lexicon import Lexicon, read_lexicon
from acuse.queries.narrow import read_query
from acuse.queries.queue import Page, list_cases
from acuse.queries.search import find_briefly, search
from acuse.queries.shelves import VIEWS, Shelves, read_shelves, views_of
from acuse.queries.workload import alarms, comments_to_classify, due_terms, time_of
from tests.world import START, World

NOW = START + timedelta(days=2)


@pytest.fixture
def sara(world: World) -> Person:
    return Person.objects.get(pk=world.sara.pk)


def ids(page) -> list[int]:
    return [row.case.pk for row in page.rows]


def ask(person: Person, text: str = "state:open", **options) -> Page:
    """The list of a query that can be read."""
    found = read_query(text, person, read_lexicon(person), NOW)
    assert found.wrong == ()
    return list_cases(person, NOW, found.condition, **options)


def shelves(person: Person, text: str = "state:open") -> Shelves:
    lexicon = read_lexicon(person)
    asked = read_query(text, person, lexicon, NOW)
    return read_shelves(person, NOW, lexicon, views_of(person), asked.condition)


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
    counts = {shelf.code: shelf.count for shelf in shelves(sara).views}
    for view, (_label, query) in VIEWS.items():
        assert len(ask(sara, filters.write(query)).rows) == counts[view], view
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
    assert shelves(sara, "state:ended").total == 1


def test_a_queue_counts_its_open_cases(full: World, sara: Person) -> None:
    [shelf] = shelves(sara).queues
    assert (shelf.label, shelf.count) == ("Soporte", 1)
    assert filters.write(shelf.query) == "state:open queue:Soporte"
    assert len(ask(sara, filters.write(shelf.query)).rows) == 1


def test_a_retired_queue_stays_while_it_holds_a_case(full: World, sara: Person) -> None:
    Queue.objects.create(code="vieja", name="Vieja", retired_at=NOW)
    assert [shelf.label for shelf in shelves(sara).queues] == ["Soporte"]
    Queue.objects.filter(code="soporte").update(retired_at=NOW)
    assert [shelf.label for shelf in shelves(sara).queues] == ["Soporte"]
    assert read_lexicon(sara).in_use("queue") == []


def test_all_counts_come_from_one_query_and_stop_at_a_thousand(
    full: World, sara: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexicon, kept = read_lexicon(sara), views_of(sara)
    assert sara.is_firm
    with CaptureQueriesContext(connection) as queries:
        read_shelves(sara, NOW, lexicon, kept, Q())
    assert len(queries) == 1
    monkeypatch.setattr(shelves_module, "MOST_COUNTED", 3)
    found = {shelf.code: shelf for shelf in shelves(sara).views}
    assert (found["open"].count, found["open"].figure) == (4, "3+")
    assert (found["mine"].count, found["mine"].figure) == (3, "3")


NARROWED = {
    "": 7,
    "etapa:análisis": 1,
    "etapa:entregado,análisis": 3,
    "estado:abierto -etapa:entregado": 4,
    "prioridad:alta estado:abierto": 3,
    "turno:cliente": 1,
    "turno:nadie": 1,
    "cliente:andina estado:abierto": 4,
    "-cliente:andina": 2,
    "cliente:and*,brisa": 6,
    "asignado:yo estado:abierto": 3,
    'asignado:"Sara Soporte" estado:abierto': 3,
    "-asignado:yo": 3,
    "asignado:nadie": 3,
    "sin:asignado": 3,
    "sin:cliente": 1,
    "sin:cola": 6,
    "-sin:cola": 1,
    "cola:soporte": 1,
    "cola:*port*": 1,
    "tipo:incidente": 4,
    "-tipo:incidente": 3,
    "sin:tipo": 3,
    "sin:clasificación": 3,
    "sin:respuesta": 3,
    "sin:plazo estado:abierto": 3,
    "nivel:n1": 7,
    "nivel:n2": 0,
    "con:comentario": 1,
    "con:pregunta": 0,
    "con:vencido": 2,
    "con:aviso": 0,
    'informante:"ana ruiz"': 5,
    "informante:zoe*": 1,
    "informante:nadie": 0,
    "creado:2026-11-17": 7,
    "creado:2026-11-18..": 0,
    "creado:..2026-11-16": 0,
    "creado:2026-11-01..2026-11-30": 7,
    "facturas": 6,
    "-facturas": 1,
    '"imprime facturas" -brisa': 5,
    "zanahoria": 0,
}


def test_queries_narrow(full: World, sara: Person) -> None:
    found = {query: len(ask(sara, query).rows) for query in NARROWED}
    assert found == NARROWED


def test_a_number_finds_its_case(full: World, sara: Person) -> None:
    first = Case.objects.order_by("pk")[0]
    assert ids(ask(sara, first.number)) == [first.pk]


def test_a_name_that_nobody_has_is_told_with_what_there_is(full: World, sara: Person) -> None:
    found = read_query("cliente:Andinos etapa:nada cola:xyz", sara, read_lexicon(sara), NOW)
    assert [(wrong.word, wrong.key) for wrong in found.wrong] == [
        ("nada", "stage"),
        ("Andinos", "customer"),
        ("xyz", "queue"),
    ]
    assert found.wrong[1].near == ("Andina",)
    assert found.wrong[2].near == ("Soporte",)
    [nothing] = read_query("módulo:x", sara, Lexicon(), NOW).wrong
    assert nothing.rule == filters.NO_NAME_LIKE


def test_a_day_is_the_readers_own(world: World, sara: Person) -> None:
    world.report(at=datetime(2026, 11, 18, 3, 0, tzinfo=UTC))  # 22:00 of the 17th in Bogota
    assert len(ask(sara, "creado:2026-11-17").rows) == 1
    sara.zone = "Europe/Madrid"
    assert len(ask(sara, "creado:2026-11-17").rows) == 0
    assert len(ask(sara, "creado:2026-11-18").rows) == 1


def test_the_lexicon_is_one_query_and_of_the_firm_alone(full: World, sara: Person) -> None:
    assert sara.is_firm
    with CaptureQueriesContext(connection) as queries:
        lexicon = read_lexicon(sara)
    assert len(queries) == 1
    assert sorted(lexicon.of("customer").values()) == ["Andina", "Brisa"]
    assert "Ada Administra" not in lexicon.of("assignee").values()
    assert lexicon.of("assignee")[sara.pk] == "Sara Soporte"
    nora = Person.objects.get(pk=full.nora.pk)
    assert read_lexicon(nora).names == {"customer": {full.brisa.pk: "Brisa"}}


@pytest.mark.parametrize("order", ORDERS)
def test_pages_lose_and_repeat_nothing(full: World, sara: Person, order: str) -> None:
    whole = ids(ask(sara, order=order))
    found: list[int] = []
    after = ""
    while True:
        page = ask(sara, order=order, after=after, size=2)
        found += ids(page)
        after = page.after
        if not after:
            break
    assert found == whole
    assert sorted(whole) == sorted(set(whole))
    assert len(whole) == 6


def test_orders(full: World, sara: Person) -> None:
    def cases(order: str) -> list[Case]:
        return [row.case for row in ask(sara, order=order).rows]

    assert ids(ask(sara, order="newest"))[0] == max(c.pk for c in cases("newest"))
    ranks = {"urgent": 0, "high": 1, "medium": 2, "low": 3}
    by_priority = [ranks[case.priority] for case in cases("priority")]
    assert by_priority == sorted(by_priority)
    terms = [row.term for row in ask(sara, order="due").rows]
    due = [term.due_at for term in terms if term is not None]
    assert due == sorted(due)
    assert terms[len(due) :] == [None] * (len(terms) - len(due))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
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
    assert {shelf.code: shelf.count for shelf in shelves(nora).views}["open"] == 1


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
def test_a_list_takes_two_queries_however_long(world: World, sara: Person, count: int) -> None:
    for number in range(count):
        case = world.report(subject=f"Caso {number}")
        if number % 3 == 0:
            life.take(world.on(case, "sara"))
            life.classify(world.on(case, "sara"), impact=Impact.LIMITED, urgency=Urgency.CAN_WAIT)
    assert sara.is_firm
    with CaptureQueriesContext(connection) as queries:
        page = list_cases(sara, NOW)
    assert len(page.rows) == count
    assert len(queries) == 2


def test_whoever_left_is_still_found_but_not_offered(full: World, sara: Person) -> None:
    Membership.objects.filter(person=full.carlos).update(until=NOW)
    Person.objects.filter(pk=full.paula.pk).update(is_active=False)
    lexicon = read_lexicon(sara)
    assert {full.carlos.pk, full.paula.pk} <= set(lexicon.of("assignee"))
    offered = [pk for pk, _name in lexicon.in_use("assignee")]
    assert offered == [full.mario.pk, full.sara.pk]
    assert ids(ask(sara, 'asignado:"Carlos Consultor"')) == []


def test_the_palettes_search_finds_the_same_in_one_query(full: World, sara: Person) -> None:
    first = Case.objects.order_by("pk")[0]
    assert sara.is_firm
    with CaptureQueriesContext(connection) as queries:
        found = find_briefly(sara, first.number)
    assert len(queries) == 1
    assert [(hit.kind, hit.pk) for hit in found] == [("case", first.pk)]
    assert (found[0].title, found[0].detail) == ("No imprime facturas", "Andina")
    assert [(hit.kind, hit.title) for hit in find_briefly(sara, "brisa")] == [
        ("case", "No imprime facturas"),
        ("person", "Nora Brisa"),
        ("person", "Óscar Brisa"),
        ("customer", "Brisa"),
    ]
    assert find_briefly(sara, " \0 ") == []
    nora = Person.objects.get(pk=full.nora.pk)
    assert find_briefly(nora, first.number) == []
    assert "Ana Ruiz" not in [hit.title for hit in find_briefly(nora, "ana")]
