"""Recording a call at the desk: the page, its refusals, and the letter that asks to confirm it."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest

from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs import notices as sending
from acuse.models import Case, Notice, Person
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import World

GIVEN = {
    "medium": "whatsapp",
    "called_at": "2026-11-19T08:30",
    "subject": "No imprime facturas",
    "text": "Dice Ana que desde ayer no imprime",
    "impact": "limited",
    "urgency": "can_wait",
    "key": "k1",
}


def form(world: World, **changes: Any) -> dict[str, Any]:
    known = {"organisation": world.andina.pk, "reporter": world.ana.pk}
    return GIVEN | known | changes


def letter(notice: Notice, language: str) -> str:
    Person.objects.filter(pk=notice.person_id).update(language=language)
    raw = letters.write(sending._load(notice.pk), NOW).content
    message = message_from_bytes(raw, policy=policy.default)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]  # type: ignore[attr-defined]
    texts = [" ".join(part.get_content().split()) for part in parts]
    for said in ("Sara Soporte", "Dice Ana que desde ayer no imprime"):
        assert all(said in text for text in texts)
    return texts[0]


def test_a_call_is_recorded_and_confirmed_by_mail(world: World) -> None:
    browser = Browser(world.sara)
    page = browser.get("/desk/cases/new/call")
    assert page.status_code == 200
    assert 'value="2026-11-19T09:00"' in page.content.decode()  # now, in the reader's zone
    answer = browser.post("/desk/cases/new/call", form(world))
    case = Case.objects.get()
    assert answer["Location"] == f"/desk/cases/{case.number}/receipts/1"
    assert (case.reporter, case.opened_by, case.impact) == (world.ana, "support", "limited")
    assert case.ledger.get(seq=2).payload["called_at"] == "2026-11-19T13:30:00+00:00"
    notice = Notice.objects.get(person=world.ana)
    assert notice.is_confirmation
    text = letter(notice, "en")
    assert "wrote it down after a contact by WhatsApp" in text
    assert "confirm it in the portal" in text
    for language in ("es", "pt"):
        assert letter(notice, language)
    shown = words_of(browser.look(case))
    assert "WhatsApp" in shown
    portal = Browser(world.ana)
    assert f"{portal.case_url(case)}/confirmation" in portal.look(case).content.decode()
    assert portal.send(case, "confirmation").status_code == 302
    assert world.fresh(case).confirmed_at == NOW


def test_a_double_click_is_one_case(world: World) -> None:
    browser = Browser(world.sara)
    for _ in range(2):
        assert browser.post("/desk/cases/new/call", form(world)).status_code == 302
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"subject": ""}, 422, "subject"),
        ({"medium": "pigeon"}, 422, "medium"),
        ({"called_at": "ayer"}, 422, "called_at"),
        ({"impact": ""}, 422, "impact"),
        ({"email": "nadie"}, 422, "email"),
        ({"called_at": "2027-01-01T00:00"}, 409, "called_at"),
        ({"reporter": ""}, 409, "reporter"),
        ({"reporter": "", "email": "nueva@andina.example"}, 409, "email"),
    ],
)
def test_what_was_typed_is_kept_beside_what_is_wrong(
    world: World, changes: dict[str, str], status: int, field: str
) -> None:
    response = Browser(world.sara).post("/desk/cases/new/call", form(world, **changes))
    assert response.status_code == status
    assert field in response.context["form"].errors
    assert "Dice Ana que desde ayer no imprime" in response.content.decode()
    assert not Case.objects.exists()


def test_the_single_point_of_contact_lets_somebody_in(world: World) -> None:
    given = form(world, reporter="", email="nueva@andina.example", name="Nueva Voz")
    assert Browser(world.paula).post("/desk/cases/new/call", given).status_code == 302
    new = Person.objects.get(email="nueva@andina.example")
    assert Case.objects.get().reporter == new
    assert Browser(new).look(Case.objects.get()).status_code == 200


def test_to_an_unproven_address_nothing_of_it_is_said(world: World) -> None:
    given = form(world, organisation="", reporter="", email="quien@otra.example")
    Browser(world.sara).post("/desk/cases/new/call", given)
    notice = Notice.objects.get(person__email="quien@otra.example")
    content = letters.write(sending._load(notice.pk), NOW).content.decode()
    assert "imprime" not in content
    assert "Sara" not in content


@pytest.mark.parametrize(("who", "status"), [("ana", 404), ("ada", 409)])
def test_it_is_the_agents_page(world: World, who: str, status: int) -> None:
    browser = Browser(world.people[who])
    assert browser.post("/desk/cases/new/call", form(world)).status_code == status
    assert not Case.objects.exists()
