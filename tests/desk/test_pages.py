"""The desk's pages: for the firm only, in three languages, at a steady number of queries."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import conversation, life
from acuse.models import Case, Hold, Notice, NoticeState, Person
from acuse.policy.authors import Channel
from acuse.policy.authors import person as author
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import World


@pytest.fixture
def sara(world: World) -> Client:
    return Browser(world.sara)


def addresses(world: World, case: Case) -> list[str]:
    """Every page of the desk that can be looked at."""
    from acuse.actions import mail

    raw = mail.keep(
        b"From: Zoe <zoe@nowhere.example>\r\nSubject: Hola\r\n\r\nAyuda",
        world.mailbox,
        arrived_at=NOW,
    )
    held = world.sara.memberships.get()
    return [
        "/desk/",
        "/desk/filter",
        "/desk/views/new",
        "/desk/keys",
        "/desk/search?q=factura",
        f"/desk/cases/{case.number}/glance",
        "/desk/cases/new",
        f"/desk/cases/{case.number}",
        f"/desk/cases/{case.number}/comment",
        f"/desk/cases/{case.number}/receipts/1",
        "/desk/terms",
        "/desk/comments",
        "/desk/failures",
        "/desk/time",
        "/desk/mail",
        f"/desk/mail/{raw.pk}",
        "/desk/mail/health",
        "/desk/customers",
        f"/desk/customers/{world.andina.pk}",
        "/desk/people",
        f"/desk/people/{world.ana.pk}",
        "/desk/people/new",
        f"/desk/roles/{held.pk}/end",
        "/desk/calendars",
        f"/desk/calendars/{world.calendar.pk}",
        f"/desk/calendars/{world.calendar.pk}/years/2028",
        "/desk/mailboxes",
        "/desk/mailboxes/new",
        f"/desk/mailboxes/{world.mailbox.pk}",
    ]


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_every_page_shows_in_each_language(world: World, language: str) -> None:
    case = world.delivered()
    Person.objects.filter(pk=world.mario.pk).update(language=language)
    client = Browser(Person.objects.get(pk=world.mario.pk))
    for address in addresses(world, case):
        response = client.get(address)
        assert response.status_code == 200, address
        page = response.content.decode()
        assert f'<html lang="{language}"' in page, address
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
        assert " style=" not in page, address


def test_to_a_customer_the_desk_does_not_exist(world: World) -> None:
    case = world.delivered()
    for person in (world.ana, world.omar, world.nora):
        client = Browser(person)
        for address in addresses(world, case):
            assert client.get(address).status_code == 404, address
    for address in addresses(world, case):
        response = Client().get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith("/accounts/"), address


STEPS = {
    "received": "report",
    "analysis": "analysed",
    "diagnosis": "diagnosed",
    "estimation": "estimating",
    "scope_validation": "submitted",
    "proposal": "proposed",
    "authorization": "to_authorize",
    "in_progress": "working",
    "delivered": "delivered",
    "accepted": "accepted",
    "closed": "closed",
}


@pytest.mark.parametrize("stage", STEPS)
def test_a_case_shows_in_every_stage(world: World, sara: Client, stage: str) -> None:
    case = getattr(world, STEPS[stage])()
    page = sara.get(f"/desk/cases/{case.number}").content.decode()
    assert world.fresh(case).stage == stage
    assert f"{case.number}/1" in page  # the receipt of the report
    line = case.ledger.latest("seq")
    assert line.hash[:12] in page
    assert "Soporte Andina v1" in page  # what covers it
    assert page.count('class="met"') >= 7  # every condition of cover
    assert ('class="strip"' in page) == (
        stage in ("proposal", "delivered", "accepted", "closed", "authorization", "in_progress")
    )


def test_an_internal_note_differs_from_a_customers_comment(world: World, sara: Client) -> None:
    case = world.analysed()
    conversation.comment(world.on(case, "ana"), text="palabra de la clienta")
    conversation.comment(world.on(case, "sara"), text="palabra de la firma")
    conversation.internal_note(world.on(case, "sara"), text="solo entre nosotros")
    page = sara.get(f"/desk/cases/{case.number}").content.decode()

    def shape(words: str) -> str:
        before = page[: page.index(words)]
        return before[before.rindex("<article") :].split(">", 1)[0]

    assert 'class="message theirs"' in shape("palabra de la clienta")
    assert 'class="message"' in shape("palabra de la firma")
    assert 'class="message internal"' in shape("solo entre nosotros")


def test_a_comment_and_a_note_are_sent_from_the_case(world: World, sara: Client) -> None:
    case = world.analysed()
    for noun, audience in (("comment", "customer"), ("note", "firm")):
        response = sara.post(
            f"/desk/cases/{case.number}/{noun}", {"text": f"por {noun}", "key": f"k-{noun}"}
        )
        assert response.status_code == 302
        assert f"/desk/cases/{case.number}/receipts/" in response["Location"]
        message = case.messages.latest("pk")
        assert (message.text, message.audience, message.channel) == (
            f"por {noun}",
            audience,
            Channel.DESK,
        )


def test_the_first_act_of_the_main_line_is_the_first_offered(world: World, sara: Client) -> None:
    case = world.report()
    page = sara.get(f"/desk/cases/{case.number}").content.decode()
    acts = page[page.index('<nav class="acts"') :]
    assert acts.index(f"/desk/cases/{case.number}/analysis") < acts.index("/comment")
    assert "/acceptance" not in acts  # the customer's alone
    carlos = Browser(world.carlos).get(f"/desk/cases/{case.number}").content.decode()
    assert f"/desk/cases/{case.number}/analysis" not in carlos


def test_what_waits_comes_before_the_main_line(world: World, sara: Client) -> None:
    def first(case: Case) -> str:
        page = sara.get(f"/desk/cases/{case.number}").content.decode()
        acts = page[page.index('<nav class="acts"') : page.index('<nav class="jump"')]
        if "primary" not in acts:
            return ""
        return acts[acts.index("primary") :].split('href="')[1].split('"')[0].rsplit("/", 1)[-1]

    case = world.delivered()
    assert first(case) == ""  # the customer has to move
    conversation.comment(world.on(case, "ana"), text="¿Seguro?")
    assert first(case) == "hold"
    case = world.report()
    assert first(case) == "analysis"
    life.take(world.on(case, "sara"))
    assert first(case) == "classification"
    life.open(_occasion(Person.objects.create(email="zoe@nowhere.example")), subject="¿?", text="")
    assert first(Case.objects.latest("pk")) == "customer"


def test_the_only_comment_to_classify_is_shown_whole(world: World, sara: Client) -> None:
    case = world.delivered()
    said = "Dudamos. " * 60 + "Fin."
    conversation.comment(world.on(case, "ana"), text=said)
    page = sara.get(f"/desk/cases/{case.number}/hold").content.decode()
    assert said in page


def test_a_mail_that_a_case_refused_is_shown(world: World, sara: Client) -> None:
    from acuse.actions import mail

    raw = mail.keep(b"From: a@b.example\r\n\r\nx", world.mailbox, arrived_at=NOW)
    raw.state, raw.reason = "held", "not_in_stage"
    raw.save()
    assert sara.get("/desk/mail").status_code == 200
    assert sara.get(f"/desk/mail/{raw.pk}").status_code == 200


def test_a_refused_act_is_told(world: World) -> None:
    case = world.report()
    response = Browser(world.carlos).post(f"/desk/cases/{case.number}/analysis", {"key": "k"})
    assert response.status_code == 409
    assert "refusal" in response.content.decode()


def test_a_case_by_telephone(world: World, sara: Client) -> None:
    given = {
        "reporter": world.ana.pk,
        "organisation": world.andina.pk,
        "subject": "Llamó: no puede facturar",
        "text": "Desde las nueve",
        "key": "call-1",
    }
    bad = sara.post("/desk/cases/new", given | {"subject": ""})
    assert bad.status_code == 422
    assert "Desde las nueve" in bad.content.decode()
    assert sara.post("/desk/cases/new", given).status_code == 302
    assert sara.post("/desk/cases/new", given).status_code == 302
    case = Case.objects.get()
    assert (case.reporter_id, case.opened_by, case.organisation_id) == (
        world.ana.pk,
        "support",
        world.andina.pk,
    )


def test_search_leads_a_number_to_its_case(world: World, sara: Client) -> None:
    case = world.report()
    assert sara.get(f"/desk/search?q={case.number}")["Location"] == f"/desk/cases/{case.number}"
    assert "No imprime facturas" in sara.get("/desk/search?q=imprime").content.decode()
    assert sara.get("/desk/search?q=C-999999999999").status_code == 200


def test_boards_show_what_waits(world: World, sara: Client) -> None:
    case = world.delivered()
    conversation.comment(world.on(case, "ana"), text="¿Y el informe?")
    hold = Hold.objects.get()
    page = sara.get("/desk/comments").content.decode()
    assert "¿Y el informe?" in page
    assert f"/desk/cases/{case.number}/hold?message={hold.message_id}" in page
    other = world.report()
    terms = sara.get("/desk/terms").content.decode()
    assert f"/desk/cases/{other.number}" in terms
    assert f"/desk/cases/{case.number}" not in terms  # its term is held: no date to show
    deadline = case.deadlines.first()
    deadline.failed_at, deadline.error = NOW, "ZeroDivisionError: boom"
    deadline.save()
    Notice.objects.filter(case=case).update(state=NoticeState.FAILED, error="550 no such user")
    failures = sara.get("/desk/failures").content.decode()
    assert "ZeroDivisionError: boom" in failures
    assert "550 no such user" in failures


def test_a_case_takes_the_same_queries_however_much_was_said(world: World, sara: Client) -> None:
    case = world.delivered()
    counts = []
    for said in (1, 3, 30):
        while case.messages.count() < said + 1:
            conversation.comment(world.on(case, "sara"), text="Seguimos")
        with CaptureQueriesContext(connection) as queries:
            assert sara.get(f"/desk/cases/{case.number}").status_code == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 12, counts


@pytest.mark.parametrize(
    "address", ["terms", "comments", "failures", "mail", "people", "customers"]
)
def test_boards_do_not_ask_more_for_more_rows(world: World, sara: Client, address: str) -> None:
    def ask() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert sara.get(f"/desk/{address}").status_code == 200
        return len(queries)

    held = world.delivered()
    conversation.comment(world.on(held, "ana"), text="a")
    before = ask()
    for number in range(3):
        case = world.delivered(subject=str(number))
        conversation.comment(world.on(case, "ana"), text="b")
        somebody = Person.objects.create(email=f"x{number}@nowhere.example")
        life.open(_occasion(somebody), subject="Hola", text="¿Me ayudan?")
    assert ask() == before <= 12


def _occasion(person: Person):
    from acuse.policy.authors import Occasion

    return Occasion(None, author(person.pk, Channel.MAIL), datetime(2026, 11, 18, tzinfo=UTC))
