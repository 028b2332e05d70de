"""The committed times on a case's page, and the list of those that run out (P21, P22)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from acuse.actions import conversation
from acuse.interfaces.web import clock
from acuse.models import Case
from tests.world import HOUR, START, World

NOW = START + timedelta(days=2)


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def page(world: World, address: str) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.sara)
    world.sara.language = "en"
    world.sara.save()
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def clocks(world: World, case: Case) -> str:
    whole = page(world, f"/desk/cases/{case.number}")
    return whole[whole.index('id="clocks"') : whole.index('id="terms"')]


def test_a_case_shows_how_its_clocks_stand(world: World) -> None:
    case = world.analysed()
    shown = clocks(world, case)
    assert "<b>First response</b>: met" in shown
    assert "1 h used of 2 h" in shown
    assert '<b>Committed delivery</b>: <b class="late">missed</b>' in shown
    assert "16 h used of 16 h" in shown  # due at 9:00, which it is now
    conversation.ask(
        world.on(case, "sara", START + 5 * HOUR), addressee="user", text="¿Qué impresora?"
    )
    shown = clocks(world, case)
    assert "<b>Committed delivery</b>: stands still" in shown
    assert "the customer has to move" in shown
    assert " left" in shown


def test_a_case_without_committed_times_says_so(world: World) -> None:
    shown = clocks(world, world.report("nora"))
    assert "No contract covers it: Low priority, no committed times (P22)." in shown
    assert "meter" not in shown


def test_the_inbox_marks_what_runs_out(world: World) -> None:
    case = world.analysed()
    address = "/desk/?view=warned"
    assert case.subject not in page(world, address)
    world.fire(NOW - HOUR)
    shown = page(world, address)
    assert case.subject in shown
    assert '<b class="late">75 % used</b>' in shown
    ledger = page(world, f"/desk/cases/{case.number}")
    assert "75 % of a committed time had been used (Part of the time to the delivery)." in ledger
