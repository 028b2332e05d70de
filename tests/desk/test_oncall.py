"""Out of hours at the desk: who is on call, hand-overs, the page that acknowledges, webhooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from acuse.actions import hooks as hook_acts
from acuse.actions import oncall as acts
from acuse.actions.oncall import TurnPlan
from acuse.connectors.hooks import Answer
from acuse.interfaces.web import clock, hooking, paging
from acuse.models import Case, HandOver, Hook, HookDelivery, LedgerLine, Paging, Rota, Turn
from acuse.policy.oncall import Line
from acuse.policy.probing import Finding
from tests.actions.test_oncall import NIGHT, ZONE, report
from tests.web.entering import Browser, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
URL = "/desk/oncall"


@pytest.fixture(autouse=True)
def _night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NIGHT)


@pytest.fixture
def rota(world: World) -> None:
    for line, who in ((Line.FIRST, "sara"), (Line.SECOND, "carlos")):
        plan = TurnPlan(line, (world.people[who],), START, 7, 1, ZONE)
        acts.plan_turns(plan, by=world.mario, at=START)


def local(day: str) -> str:
    return f"{day}T09:00"


TURNS = {"line": "first", "since": local("2026-11-24"), "days": "7", "rounds": "2"}


# The rota -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "mario"])
def test_turns_are_planned_and_called_off(world: World, who: str) -> None:
    browser = Browser(world.people[who])
    assert "nobody is paged" in words_of(browser.get(URL))
    given = TURNS | {"person_1": world.sara.pk, "person_2": world.carlos.pk}
    assert browser.get(f"{URL}/turns/new").status_code == 200
    assert browser.post(f"{URL}/turns/new", given).status_code == 302
    assert Turn.objects.count() == 4
    assert Rota.objects.get().in_use
    shown = words_of(browser.get(URL))
    assert "Sara Soporte" in shown
    assert "planned a turn" in shown
    for turn in Turn.objects.all():
        assert browser.post(f"{URL}/turns/{turn.pk}/end").status_code == 302
    assert not Turn.objects.exists()
    assert browser.post(f"{URL}/turns/9999/end").status_code == 404


@pytest.mark.usefixtures("rota")
def test_bad_turns_are_told_beside_their_fields(world: World) -> None:
    browser = Browser(world.ada)
    for change, told in (
        ({"person_1": ""}, "This field is required"),
        ({"since": local("2026-11-20")}, "overlaps with the turn of Sara Soporte"),
        ({"days": "99"}, "less than or equal to 28"),
        ({"since": local("2026-01-20")}, "must not be in the past"),
        ({"person_2": world.ana.pk}, "Select a valid choice"),
    ):
        given = TURNS | {"person_1": world.carlos.pk, **change}
        response = browser.post(f"{URL}/turns/new", given)
        assert response.status_code == 422
        assert told in words_of(response), told
    assert Turn.objects.count() == 2


@pytest.mark.usefixtures("rota")
def test_how_it_pages_is_for_those_who_administer(world: World) -> None:
    sara, ada = Browser(world.sara), Browser(world.ada)
    assert sara.post(f"{URL}/rota", {"minutes": "5"}).status_code == 403
    assert sara.get(f"{URL}/turns/new").status_code == 403
    turn = Turn.objects.first()
    assert turn is not None
    assert sara.post(f"{URL}/turns/{turn.pk}/end").status_code == 403
    assert "How it pages" not in words_of(sara.get(URL))
    assert ada.post(f"{URL}/rota", {"minutes": "1", "in_use": "on"}).status_code == 422
    assert ada.post(f"{URL}/rota", {"minutes": "5"}).status_code == 302
    assert (Rota.objects.get().minutes, Rota.objects.get().in_use) == (5, False)
    assert "not in use" in words_of(ada.get(URL))


def test_no_customer_sees_any_of_it(world: World) -> None:
    browser = Browser(world.ana)
    for path in ("", "/turns/new", "/webhooks"):
        assert browser.get(URL + path).status_code in (403, 404)


@pytest.mark.usefixtures("rota")
def test_gaps_of_the_next_days_are_shown(world: World) -> None:
    shown = words_of(Browser(world.sara).get(URL))
    assert "Closed, and nobody is on call" in shown
    for line, who in ((Line.FIRST, "carlos"), (Line.SECOND, "sara")):
        plan = TurnPlan(line, (world.people[who],), START + 7 * DAY, 14, 1, ZONE)
        acts.plan_turns(plan, by=world.mario, at=START)
    assert words_of(Browser(world.sara).get(URL)).count("No gap in the next 14 days") == 2


# Hand-overs ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_a_turn_is_handed_over_with_its_open_pages(world: World) -> None:
    case = report(world)
    world.fire(NIGHT)
    sara, paula = Browser(world.sara), Browser(world.paula)
    offer = {"line": "first", "taker": world.paula.pk, "until": local("2026-11-19")}
    assert sara.post(f"{URL}/offers", offer).status_code == 302
    row = HandOver.objects.get()
    shown = words_of(paula.get(URL))
    assert "Sara Soporte offers you a turn" in shown
    assert sara.post(f"{URL}/offers/{row.pk}/acceptance").status_code == 302
    assert HandOver.objects.get().accepted is None  # not hers to accept
    assert Browser(world.carlos).post(f"{URL}/offers/{row.pk}/acceptance").status_code == 404
    assert paula.get(f"{URL}/offers/{row.pk}/acceptance").status_code == 405
    assert paula.post(f"{URL}/offers/{row.pk}/acceptance").status_code == 302
    assert HandOver.objects.get().accepted is True
    last = LedgerLine.objects.filter(case=case, kind="page").latest("seq")
    assert last.payload["why"] == "handed_over"
    assert paula.post(f"{URL}/offers/{row.pk}/refusal").status_code == 302
    assert HandOver.objects.get().accepted is True
    assert paula.post(f"{URL}/offers/{row.pk}/else").status_code == 404


@pytest.mark.usefixtures("rota")
def test_an_offer_is_declined_or_taken_back(world: World) -> None:
    sara = Browser(world.sara)
    offer = {"line": "first", "taker": world.paula.pk, "until": local("2026-11-19")}
    for browser in (Browser(world.paula), sara):
        sara.post(f"{URL}/offers", offer)
        row = HandOver.objects.latest("pk")
        assert browser.post(f"{URL}/offers/{row.pk}/refusal").status_code == 302
        row.refresh_from_db()
        assert row.accepted is False


@pytest.mark.usefixtures("rota")
def test_who_is_not_on_call_offers_nothing(world: World) -> None:
    paula = Browser(world.paula)
    assert "Hand the turn over" not in words_of(paula.get(URL))
    offer = {"line": "first", "taker": world.sara.pk, "until": local("2026-11-19")}
    response = paula.post(f"{URL}/offers", offer)
    assert response.status_code == 422
    assert "you are not on call then" in words_of(response)
    sara = Browser(world.sara)
    assert sara.post(f"{URL}/offers", offer | {"taker": ""}).status_code == 422
    assert not HandOver.objects.exists()


# The page that acknowledges -----------------------------------------------------------------------


@pytest.fixture
def paged(world: World, rota: None) -> Case:
    case = report(world)
    world.fire(NIGHT)
    return case


def acknowledged(case: Case) -> bool:
    return LedgerLine.objects.filter(case=case, kind="acknowledge").exists()


def test_the_letters_link_asks_to_sign_in_shows_and_only_the_button_acknowledges(
    world: World, paged: Case
) -> None:
    row = Paging.objects.get()
    link = paging.link_for(row.pk, world.sara)
    path = link[link.index("/desk") :]
    response = Client().get(path)
    assert response.status_code == 302
    assert "login" in response["Location"]
    sara = Browser(world.sara)
    page = sara.get(path)
    assert page.status_code == 200
    assert "Acknowledge the page" in words_of(page)
    assert not acknowledged(paged)
    assert sara.post(path).status_code == 405
    done = sara.send(paged, "acknowledgement", confirmed=False)
    assert done.status_code == 302
    assert acknowledged(paged)
    shown = words_of(sara.get(path))
    assert "acknowledged by Sara Soporte" in shown
    assert "Acknowledge the page" not in shown
    again = Browser(world.carlos).send(paged, "acknowledgement", confirmed=False)
    assert again.status_code == 409
    assert "Sara Soporte already decided this" in words_of(again)


def test_a_link_for_another_page_or_by_somebody_else_is_none_of_ours(
    world: World, paged: Case
) -> None:
    row = Paging.objects.get()
    sara = Browser(world.sara)
    good = paging.link_for(row.pk, world.sara)
    forged = good[:-1] + ("a" if good[-1] != "a" else "b")
    for wrong in (forged, paging.link_for(row.pk + 1, world.sara)):
        signed = wrong.partition("for=")[2]
        assert sara.get(f"{URL}/pages/{row.pk}", {"for": signed}).status_code == 404
    assert sara.get(f"{URL}/pages/{row.pk + 1}").status_code == 404
    path = good[good.index("/desk") :]
    assert "somebody else" in words_of(Browser(world.carlos).get(path))
    assert "somebody else" not in words_of(sara.get(f"{URL}/pages/{row.pk}"))
    assert Browser(world.ana).get(path).status_code in (403, 404)


def test_the_case_offers_it_first_and_only_to_the_firm(world: World, paged: Case) -> None:
    offered = Browser(world.sara).look(paged)
    assert re.search(r'class="button primary"[^>]*acknowledgement', offered.content.decode())
    assert "acknowledgement" not in Browser(world.ana).look(paged).content.decode()
    assert Browser(world.ana).send(paged, "acknowledgement").status_code == 409
    assert not acknowledged(paged)
    acts.acknowledge(world.on(paged, "sara", NIGHT))
    assert "/acknowledgement" not in Browser(world.sara).look(paged).content.decode()


def test_no_customer_reads_who_was_paged(world: World, paged: Case) -> None:
    acts.acknowledge(world.on(paged, "sara", NIGHT))
    shown = words_of(Browser(world.ana).look(paged))
    assert "Paged" not in shown
    assert "acknowledged the page" not in shown
    desk = words_of(Browser(world.sara).look(paged))
    assert "Paged out of hours: the first on call (an Urgent case)." in desk
    assert "Sara Soporte acknowledged the page." in desk


def test_the_pages_that_wait_come_first(world: World, paged: Case) -> None:
    acts.acknowledge(world.on(paged, "sara", NIGHT))
    other = report(world, NIGHT - MINUTE)
    shown = words_of(Browser(world.sara).get(URL))
    assert shown.index(other.number) < shown.index(paged.number)


def test_the_number_of_queries_does_not_grow(
    world: World, paged: Case, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(6):
        report(world, NIGHT + number * MINUTE)
        plan = TurnPlan(Line.FIRST, (world.sara,), START + (7 + number) * DAY, 1, 1, ZONE)
        acts.plan_turns(plan, by=world.mario, at=START)
    world.fire(NIGHT)
    browser = Browser(world.ada)
    with django_assert_max_num_queries(40):
        assert browser.get(URL).status_code == 200


# Webhooks -----------------------------------------------------------------------------------------

GIVEN = {"name": "Centralita", "url": "https://pager.example/in"}


def post_with(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> list[HookDelivery]:
    sent: list[HookDelivery] = []

    def send(delivery: HookDelivery, at: object) -> Answer:
        sent.append(delivery)
        return answer

    monkeypatch.setattr(hooking, "send", send)
    return sent


def secret_in(response: HttpResponse) -> str | None:
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", response.content.decode())
    return found[0] if found else None


def test_a_secret_is_shown_once(world: World) -> None:
    ada = Browser(world.ada)
    assert ada.get(f"{URL}/webhooks").status_code == 200
    response = ada.post(f"{URL}/webhooks", GIVEN)
    secret = secret_in(response)  # type: ignore[arg-type]
    assert secret is not None
    assert "no-store" in response.headers["Cache-Control"]
    row = Hook.objects.get()
    assert secret not in row.sealed
    assert secret_in(ada.get(f"{URL}/webhooks/{row.pk}")) is None  # type: ignore[arg-type]
    wrong = ada.post(f"{URL}/webhooks", GIVEN | {"url": "pager"})
    assert wrong.status_code == 422
    assert "must be an address" in words_of(wrong)


def test_only_administrators_see_webhooks(world: World) -> None:
    row = hook_acts.add_hook("x", "https://x.example/", "s", by=world.ada, at=START)
    for who in ("mario", "sara"):
        browser = Browser(world.people[who])
        assert browser.get(f"{URL}/webhooks").status_code == 403
        assert browser.post(f"{URL}/webhooks", GIVEN).status_code == 403
        assert browser.get(f"{URL}/webhooks/{row.pk}").status_code == 403
        for noun in ("trial", "retirement"):
            assert browser.post(f"{URL}/webhooks/{row.pk}/{noun}").status_code == 403
        assert f'href="{URL}/webhooks"' not in browser.get(URL).content.decode()
    assert Hook.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "told", "state"),
    [
        (Answer(204, Finding.FINE), "It works: the answer was 204.", "taken"),
        (Answer(500, Finding.FINE), "It was not taken: the answer was 500.", "failed"),
        (Answer(None, Finding.FORBIDDEN, "127.0.0.1"), "It was not taken.", "failed"),
    ],
)
def test_a_trial_shows_the_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Answer, told: str, state: str
) -> None:
    row = hook_acts.add_hook("x", "https://x.example/", "s", by=world.ada, at=START)
    sent = post_with(monkeypatch, answer)
    ada = Browser(world.ada)
    assert ada.get(f"{URL}/webhooks/{row.pk}/trial").status_code == 405
    response = ada.post(f"{URL}/webhooks/{row.pk}/trial")
    assert told in words_of(response)
    assert [delivery.kind for delivery in sent] == ["ping"]
    assert HookDelivery.objects.get().state == state
    assert not hook_acts.waiting(NIGHT + 5 * DAY).exists()


def test_a_retired_webhook_is_told_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = hook_acts.add_hook("x", "https://x.example/", "s", by=world.ada, at=START)
    ada = Browser(world.ada)
    assert ada.post(f"{URL}/webhooks/{row.pk}/retirement", {"why": ""}).status_code == 422
    assert ada.post(f"{URL}/webhooks/{row.pk}/retirement", {"why": "Otra"}).status_code == 302
    sent = post_with(monkeypatch, Answer(200, Finding.FINE))
    assert ada.post(f"{URL}/webhooks/{row.pk}/trial").status_code == 409
    assert not sent
    shown = words_of(ada.get(f"{URL}/webhooks/{row.pk}"))
    assert "Retired: it is told nothing" in shown
    assert "retired it" in shown
    assert ada.get(f"{URL}/webhooks/999").status_code == 404
