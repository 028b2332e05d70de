"""The inbox as the firm uses it, without JavaScript: lists, filters, views, bulk acts, finding."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from acuse.actions import presence as acts_presence
from acuse.actions import triage
from acuse.actions import views as acts
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Change, LedgerLine, Person, Queue, View
from acuse.policy import filters
from acuse.policy.fields import InvalidField
from acuse.queries.shelves import VIEWS
from acuse.queries.words import act_label
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import World


@pytest.fixture
def sara(world: World) -> Client:
    return Browser(world.sara)


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def keep(person: Person, name: str = "Urgentes", **given) -> View:
    """A view of somebody's."""
    details = {
        "query": "prioridad:urgente",
        "columns": ["stage"],
        "sort": "newest",
        "shared": False,
    }
    return acts.keep_view(name=name, by=fresh(person), at=NOW, **(details | given))


# Lists and filters


def test_the_inbox_narrows_and_tells_what_it_cannot_read(world: World, sara: Client) -> None:
    world.report(subject="La primera")
    world.analysed(subject="La segunda")
    page = sara.get("/desk/?q=etapa:análisis").content.decode()
    assert "La segunda" in page
    assert "La primera" not in page
    for wrong, told in {
        "?q=etapa:nada": "“nada”",
        "?q=color:rojo": "“color”",
        "?q=cliente:Andinos": "Andina",
        "?q=creado:ayer": "“ayer”",
        "?view=nothing": "",
        "?view=999": "",
        "?sort=nothing": "",
        "?after=x": "“x”",
    }.items():
        response = sara.get(f"/desk/{wrong}")
        assert response.status_code == 400, wrong
        said = response.content.decode()
        assert 'role="alert"' in said, wrong
        assert told in said, wrong
        assert "La primera" in said, wrong


@pytest.mark.parametrize("view", VIEWS)
def test_each_list_shows_as_many_as_it_counts(world: World, sara: Client, view: str) -> None:
    world.report()
    world.analysed()
    world.closed()
    page = sara.get(f"/desk/?view={view}")
    shelf = next(s for s in page.context["shelves"].views if s.code == view)
    assert page.status_code == 200
    assert shelf.count == page.context["shelves"].total == len(page.context["page"].rows)


def test_the_filter_is_shown_in_the_readers_words(world: World) -> None:
    for language, words in {
        "es": "estado:abierto asignado:yo",
        "en": "state:open assignee:me",
        "pt": "estado:aberto responsável:eu",
    }.items():
        Person.objects.filter(pk=world.sara.pk).update(language=language)
        page = Browser(world.sara).get("/desk/?view=mine")
        assert page.context["asked"].text == words
        assert not page.context["asked"].changed


def test_a_colleagues_link_is_shown_in_ones_own_words(world: World, sara: Client) -> None:
    page = sara.get("/desk/", {"q": 'STATE:open  priority:"high" fila:Soporte'})
    assert page.context["asked"].text == "estado:abierto prioridad:alta cola:Soporte"
    wrong = sara.get("/desk/", {"q": "STATE:open color:red"})
    assert wrong.context["asked"].text == "STATE:open color:red"


def test_a_queue_is_a_filter_and_marked_where_it_is_open(world: World, sara: Client) -> None:
    world.report(mailbox=world.mailbox, subject="En la cola")
    world.report(subject="En ninguna")
    page = sara.get("/desk/")
    [(shelf, query, is_open)] = page.context["queues"]
    assert (shelf.label, shelf.count, query, is_open) == (
        "Soporte",
        1,
        "estado:abierto cola:Soporte",
        False,
    )
    opened = sara.get("/desk/", {"q": query})
    assert opened.context["in_queue"]
    assert opened.context["title"] == "Soporte"
    assert "En la cola" in opened.content.decode()
    assert "En ninguna" not in opened.content.decode()


def test_a_customers_page_leads_to_its_open_cases(world: World, sara: Client) -> None:
    answer = sara.get(f"/desk/?customer={world.andina.pk}")
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert asked == {"q": ["estado:abierto cliente:Andina"]}
    assert sara.get(answer["Location"]).status_code == 200
    for wrong in ("x", "999999", "", "9" * 40):
        assert sara.get(f"/desk/?customer={wrong}", follow=True).status_code == 200


def test_columns_and_order_are_chosen(world: World, sara: Client) -> None:
    world.report(mailbox=world.mailbox)
    usual = sara.get("/desk/").content.decode()
    assert 'class="c-assignee"' in usual
    page = sara.get("/desk/?column=reporter&column=queue&column=nonsense&sort=newest")
    said = page.content.decode()
    assert page.status_code == 200
    assert re.findall(r'<th class="c-(\w+)"', said) == ["queue", "reporter"]
    assert "Ana Ruiz" in said
    assert "column=queue" in page.context["here"]
    assert "sort=newest" in page.context["here"]
    every = "&".join(f"column={code}" for code in filters.COLUMNS)
    assert sara.get(f"/desk/?{every}").status_code == 200


def test_the_inbox_is_paged_and_keeps_what_was_asked(
    world: World, sara: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acuse.interfaces.desk import inbox
    from acuse.queries import queue

    for number in range(3):
        world.report(subject=f"Caso {number}")
    real = queue.list_cases
    monkeypatch.setattr(inbox, "list_cases", lambda *a, **k: real(*a, **k, size=2))
    first = sara.get("/desk/?sort=oldest&q=facturas -zanahoria caso")
    assert first.context["page"].rows == []
    first = sara.get("/desk/?sort=oldest&q=caso")
    assert "Caso 2" not in first.content.decode()
    assert first.context["total"] == "3"
    following = sara.get(f"/desk/?{first.context['next']}")
    assert "Caso 2" in following.content.decode()
    assert "Caso 0" not in following.content.decode()
    assert f'href="?{following.context["here"]}"'.replace("&", "&amp;") in (
        following.content.decode()
    )


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_inbox_takes_twelve_queries_at_most(world: World, sara: Client, count: int) -> None:
    for number in range(count):
        world.report(subject=f"Caso {number}", mailbox=world.mailbox)
    for number in range(3):
        keep(world.sara, f"Vista {number}", query='cliente:"Andina" con:aviso')
    asked = {"q": 'cliente:Andina asignado:nadie cola:Soporte -tipo:incidente "caso"'}
    sara.get("/desk/")
    with CaptureQueriesContext(connection) as queries:
        page = sara.get("/desk/", asked)
    assert page.context["shelves"].total == count
    assert len(queries) <= 12, [q["sql"][:90] for q in queries]


def test_nothing_is_inline_and_little_is_sent(world: World, sara: Client) -> None:
    for _number in range(50):
        world.report()
    html = sara.get("/desk/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
    assert html.count("<script") == 2


# The builder


def test_a_filter_is_put_together_and_says_what_it_was(world: World, sara: Client) -> None:
    built = {
        "built": "1",
        "view": "mine",
        "customer": "Andina",
        "priority": "high",
        "opened_from": "2026-11-01",
        "rest": '-cola:Soporte "no imprime"',
    }
    answer = sara.get("/desk/filter", built)
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer["Location"]).query)
    text = 'prioridad:alta cliente:Andina creado:"2026-11-01.." -cola:Soporte "no imprime"'
    assert filters.parse(asked["q"][0]) == filters.parse(text)
    assert asked["view"] == ["mine"]
    assert sara.get(answer["Location"]).status_code == 200
    form = sara.get("/desk/filter", {"q": asked["q"][0]}).context["form"]
    assert {name: str(value) for name, value in form.initial.items() if value} == {
        "customer": "Andina",
        "priority": "high",
        "opened_from": "2026-11-01",
        "rest": '-cola:Soporte "no imprime"',
    }


def test_what_no_list_can_say_stays_in_words(world: World, sara: Client) -> None:
    text = "prioridad:alta,baja -etapa:análisis etapa:propuesta etapa:entregado cliente:An*"
    form = sara.get("/desk/filter", {"q": text}).context["form"]
    assert form.initial == {
        "stage": "proposal",
        "rest": "prioridad:alta,baja -etapa:análisis etapa:entregado cliente:An*",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"priority": "enormous"},
        {"opened_from": "x"},
        {"opened_from": "2026-11-02", "opened_to": "2026-11-01"},
    ],
)
def test_a_filter_that_cannot_be_is_told(world: World, sara: Client, wrong: dict[str, str]) -> None:
    assert sara.get("/desk/filter", {"built": "1", **wrong}).status_code == 400


# Kept views


def test_a_view_is_kept_changed_and_retired(world: World, sara: Client) -> None:
    shown = sara.get("/desk/views/new?q=etapa:análisis&sort=newest&column=queue")
    assert shown.context["form"].initial["query"] == "etapa:análisis"
    given = {
        "name": " Mi  lista ",
        "query": "etapa:análisis yo",
        "sort": "newest",
        "columns": "queue",
    }
    answer = sara.post("/desk/views/new", given)
    view = View.objects.get()
    assert answer["Location"] == f"/desk/?view={view.pk}"
    assert (view.name, view.query, view.columns, view.sort, view.shared, view.owner_id) == (
        "Mi lista",
        "stage:analysis yo",
        ["queue"],
        "newest",
        False,
        world.sara.pk,
    )
    page = sara.get(answer["Location"])
    assert page.context["asked"].text == "etapa:análisis yo"
    assert page.context["asked"].columns == ["queue"]
    assert [(s.label, s.count) for s in page.context["shelves"].kept] == [("Mi lista", 0)]
    assert sara.get(f"/desk/views/{view.pk}").status_code == 200
    changed = given | {"name": "Otra", "query": "", "shared": "on"}
    assert sara.post(f"/desk/views/{view.pk}", changed).status_code == 302
    assert sara.post(f"/desk/views/{view.pk}", changed).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.query, view.shared) == ("Otra", "", True)
    assert sara.post(f"/desk/views/{view.pk}/retirement").status_code == 302
    assert sara.post(f"/desk/views/{view.pk}/retirement").status_code == 404
    view.refresh_from_db()
    assert view.retired_at == NOW
    assert sara.get(f"/desk/?view={view.pk}").status_code == 400
    assert [c.act for c in Change.objects.filter(subject="view").order_by("pk")] == [
        "keep",
        "change",
        "retire",
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "Urgentes"}, "name"),
        ({"query": "etapa:nada"}, "query"),
        ({"query": ("cliente:" + "ñ" * 90 + " ") * 9 + "a:b"}, "query"),
        ({"columns": ["shoe"]}, "columns"),
        ({"sort": "random"}, "sort"),
    ],
)
def test_a_view_that_cannot_be_is_refused(world: World, wrong: dict, field: str) -> None:
    keep(world.sara)
    details = {"name": "Nueva", **wrong}
    with pytest.raises(InvalidField) as refused:
        keep(world.sara, **details)
    assert refused.value.field == field
    assert View.objects.count() == 1


def test_the_page_of_a_view_tells_what_is_wrong(world: World, sara: Client) -> None:
    keep(world.sara)
    given = {"name": "Urgentes", "query": "etapa:nada", "sort": "due"}
    response = sara.post("/desk/views/new", given)
    assert response.status_code == 422
    assert response.context["form"].errors
    assert sara.post("/desk/views/new", {"sort": "due"}).status_code == 422


def test_nobody_keeps_more_than_forty(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "MOST_VIEWS", 2)
    keep(world.sara, "Una")
    acts.retire_view(keep(world.sara, "Dos"), by=fresh(world.sara), at=NOW)
    keep(world.sara, "Dos")
    with pytest.raises(InvalidField):
        keep(world.sara, "Tres")


def test_a_query_longer_in_its_canonical_form_is_refused(world: World) -> None:
    with pytest.raises(InvalidField) as refused:
        keep(world.sara, "Larga", query="etapa:alcance" + ",alcance" * 100)
    assert refused.value.rule == acts.QUERY_TOO_LONG


def test_private_is_private_and_shared_is_everybodys(world: World, sara: Client) -> None:
    mine, shared = keep(world.sara, "Privada"), keep(world.sara, "Común", shared=True)
    carlos, mario = Browser(world.carlos), Browser(world.mario)
    for other in (carlos, mario):
        kept = other.get("/desk/").context["shelves"].kept
        assert [(shelf.label, shelf.shared) for shelf in kept] == [("Común", True)]
        assert other.get(f"/desk/?view={mine.pk}").status_code == 400
        assert other.get(f"/desk/views/{mine.pk}").status_code == 404
        assert other.get(f"/desk/?view={shared.pk}").status_code == 200
    assert carlos.get(f"/desk/views/{shared.pk}").status_code == 404
    assert carlos.post(f"/desk/views/{shared.pk}/retirement").status_code == 404
    assert mario.get(f"/desk/views/{shared.pk}").status_code == 200
    assert mario.post(f"/desk/views/{shared.pk}/retirement").status_code == 302
    with pytest.raises(InvalidField):
        acts.retire_view(mine, by=fresh(world.mario), at=NOW)
    assert list(View.objects.visible_to(fresh(world.ana))) == []


def test_a_view_of_a_name_that_is_gone_counts_nothing_and_says_so(
    world: World, sara: Client
) -> None:
    view = keep(world.sara, query='cola:"Vieja"')
    page = sara.get("/desk/")
    [shelf] = page.context["shelves"].kept
    assert (shelf.count, shelf.figure) == (None, "—")
    assert sara.get(f"/desk/?view={view.pk}").status_code == 400


# Bulk acts


def send(browser: Client, act: str, *cases, **given):
    data = {"act": act, "case": [case.pk for case in cases], "key": "k", "back": "view=mine"}
    return browser.post("/desk/bulk", data | given)


def test_several_are_taken_each_with_its_own_answer(world: World, sara: Client) -> None:
    new, taken, closed = world.report(), world.taken(), world.closed()
    response = send(sara, "take", new, taken, closed, key="k\0")
    results = {result.case.pk: result for result in response.context["results"]}
    assert response.status_code == 200
    assert results[new.pk].line.kind == "take"
    assert results[taken.pk].line is None
    assert "En análisis" in results[taken.pk].refusal.reason
    assert "Cerrado" in results[closed.pk].refusal.reason
    assert (response.context["done"], response.context["failed"]) == (1, 2)
    said = words_of(response)
    for case in (new, taken, closed):
        assert case.number in said
    assert "/desk/?view=mine" in response.content.decode()
    assert world.fresh(new).stage == "analysis"


def test_sent_again_the_same_receipts_come_back(world: World, sara: Client) -> None:
    first, second = world.report(), world.report()
    once = send(sara, "take", first, second)
    lines = LedgerLine.objects.count()
    again = send(sara, "take", first, second)
    assert LedgerLine.objects.count() == lines
    assert [r.line.pk for r in again.context["results"]] == [
        r.line.pk for r in once.context["results"]
    ]


def test_several_are_assigned_and_moved(world: World, sara: Client) -> None:
    first, second = world.report(mailbox=world.mailbox), world.report()
    queue = Queue.objects.create(code="n2", name="N2")
    send(sara, "assign_me", first, key="a")
    assert world.fresh(first).assignee_id == world.sara.pk
    assert world.fresh(first).queue_id == world.mailbox.queue_id
    send(sara, "queue", first, second, queue=queue.pk, key="b")
    assert [world.fresh(case).queue_id for case in (first, second)] == [queue.pk] * 2
    assert world.fresh(first).assignee_id == world.sara.pk  # who works on it goes on
    send(sara, "assign", first, second, person=world.carlos.pk, key="c")
    assert {world.fresh(case).assignee_id for case in (first, second)} == {world.carlos.pk}
    assert world.fresh(second).queue_id == queue.pk


def test_several_are_cancelled_as_duplicates(world: World, sara: Client) -> None:
    original, first, other = world.report(), world.report(), world.report("nora")
    response = send(sara, "merge_duplicate", first, original, other, original=original.number)
    results = {result.case.pk: result for result in response.context["results"]}
    assert results[first.pk].line is not None
    assert world.fresh(first).duplicate_of_id == original.pk
    assert results[original.pk].line is None  # not of itself
    assert results[original.pk].refusal.reason
    assert len(results) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"act": "close"},
        {"act": "assign"},
        {"act": "assign", "person": "999999"},
        {"act": "queue", "queue": "x"},
        {"act": "merge_duplicate"},
        {"act": "merge_duplicate", "original": "C-999999"},
        {"act": "take", "case": []},
        {"act": "take", "case": ["x", "C-999999"]},
    ],
)
def test_what_cannot_be_done_to_any_is_told_before(world: World, sara: Client, given: dict) -> None:
    case = world.report()
    lines = LedgerLine.objects.count()
    response = sara.post("/desk/bulk", {"case": [case.pk]} | given)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert LedgerLine.objects.count() == lines


def test_each_act_asks_the_tables_whose_right_it_is(world: World) -> None:
    case = world.report()
    response = send(Browser(world.carlos), "take", case)
    [result] = response.context["results"]
    assert result.line is None
    assert world.fresh(case).stage == "received"
    customer = Browser(world.ana)
    assert send(customer, "take", case).status_code == 404


# Presence and the case in brief


def test_who_looks_and_who_writes_is_told_to_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acuse.interfaces.web import clock

    case = world.report()
    address = f"/desk/cases/{case.number}/presence"
    sara, carlos = Browser(world.sara), Browser(world.carlos)
    alone = sara.post(address)
    assert words_of(alone) == ""
    assert "Sara Soporte" in words_of(carlos.post(address, {"typing": "1"}))
    told = sara.post(address)
    assert "Carlos Consultor" in words_of(told)
    assert 'class="present typing"' in told.content.decode()
    tag = re.search(r'data-tag="(\w+)"', told.content.decode())
    assert tag is not None
    assert sara.post(address, {"known": tag[1]}).status_code == 204
    carlos.post(address)
    stopped = sara.post(address, {"known": tag[1]})
    assert "typing" not in stopped.content.decode()
    assert carlos.post(address, {"leaving": "1"}).status_code == 204
    assert words_of(sara.post(address)) == ""
    carlos.post(address)
    later = NOW + acts_presence.LASTS + acts_presence.LASTS
    monkeypatch.setattr(clock, "now", lambda: later)
    assert words_of(sara.post(address)) == ""
    assert case.presences.count() == 1  # what has expired is not kept


def test_presence_is_for_the_firm_and_by_post(world: World, sara: Client) -> None:
    case = world.report()
    address = f"/desk/cases/{case.number}/presence"
    assert Browser(world.ana).post(address).status_code == 404
    assert sara.get(address).status_code == 405
    assert sara.post("/desk/cases/C-999999/presence").status_code == 404


def test_the_case_in_brief_is_a_page_and_a_part(world: World, sara: Client) -> None:
    case = world.analysed(subject="La impresora")
    address = f"/desk/cases/{case.number}/glance"
    whole = sara.get(address)
    assert whole.content.decode().count("<h1>") == 1
    part = sara.get(address, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "La impresora" in part.content.decode()
    assert "HX-Request" in part["Vary"]
    assert f"/desk/cases/{case.number}/diagnosis" in part.content.decode()
    assert Browser(world.ana).get(address).status_code == 404


# Finding


def test_the_palette_finds_with_few_queries(world: World, sara: Client) -> None:
    case = world.report(subject="Factura 0042")
    entering = 3  # the session, the person, their memberships
    sara.get("/desk/palette")
    for text, found in {
        case.number: f"/desk/cases/{case.number}",
        "0042": f"/desk/cases/{case.number}",
        "beto": f"/desk/people/{world.beto.pk}",
        "brisa": f"/desk/customers/{world.brisa.pk}",
        "plazos": reverse("desk:terms"),
        f"{case.number} nota": f"/desk/cases/{case.number}/note",
    }.items():
        with CaptureQueriesContext(connection) as queries:
            page = sara.get("/desk/palette", {"q": text})
        assert len(queries) <= 4 + entering, [q["sql"][:80] for q in queries]
        if text != "plazos":
            assert f'href="{found}"' in page.content.decode(), text
    assert sara.get("/desk/palette", {"q": "\0"}).status_code == 200


def test_the_palette_finds_what_a_passed_on_decision_allows(world: World) -> None:
    case, carlos = world.submitted(), Browser(world.carlos)
    address = f'href="/desk/cases/{case.number}/{NOUNS["validate_scope"]}"'
    wanted = act_label("validate_scope")
    asked = {"q": f"{case.number} {wanted}"}
    assert address not in carlos.get("/desk/palette", asked).content.decode()
    triage.delegate_decision(world.on(case, "paula"), person=world.carlos, decision="scope")
    assert address in carlos.get("/desk/palette", asked).content.decode()


def test_the_search_page_finds_the_same(world: World, sara: Client) -> None:
    case = world.report()
    found = sara.get("/desk/search", {"q": f"{case.number} nota"}).content.decode()
    assert f'href="/desk/cases/{case.number}/note"' in found
    assert f'href="/desk/cases/{case.number}/delivery"' not in found
    assert sara.get(f"/desk/search?q={case.number.lower()}").status_code == 302
    assert reverse("desk:customers") in sara.get("/desk/search").content.decode()


def test_a_customer_finds_no_palette(world: World) -> None:
    for address in ("palette?q=a", "keys", "filter", "views/new"):
        assert Browser(world.ana).get(f"/desk/{address}").status_code == 404


def test_the_sheet_of_keys_and_the_header_agree(world: World, sara: Client) -> None:
    from acuse.interfaces.desk.places import PLACES

    page = sara.get("/desk/keys").content.decode()
    going = dict(re.findall(r'href="([^"]+)" data-go="(\w)"', page))
    assert going == {place.url: place.key for place in PLACES if place.key}
    header = page[page.index('class="doors"') : page.index("</header>")]
    linked = set(re.findall(r'<a href="(/desk/[^"]*)"', header))
    assert linked <= {place.url for place in PLACES}
    assert "<kbd>J</kbd>" in page
