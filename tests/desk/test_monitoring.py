"""Monitoring at the desk: who may do what, what is told about bad input, what pages cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from acuse.actions import incidents, watching
from acuse.actions.administration import add_environment
from acuse.actions.watching import CheckFacts
from acuse.interfaces.web import clock
from acuse.models import AlertSource, Case, Check, MaintenanceWindow, Person
from acuse.policy.incidents import Signal, fingerprint
from acuse.policy.probing import Finding, Result
from tests.web.entering import words_of
from tests.world import START, World

NOW = START + timedelta(days=2)
MINUTE = timedelta(minutes=1)
FACTS = {
    "name": "Entrada", "kind": "http", "target": "https://erp.example.com/web/login",
    "every": "5", "timeout": "10", "to_open": "2", "to_recover": "2", "latency_limit": "",
    "expected_status": "200", "expected_text": "", "expiry_days": "14",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture(autouse=True)
def _in_english(world: World) -> None:
    for person in world.people.values():
        person.language = "en"
        person.save()


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(world: World) -> str:
    return f"/desk/monitoring/{world.production.pk}"


def fail(world: World, which: str = "one", at: Any = START, environment: Any = None) -> Case:
    signal = Signal(fingerprint(which), True, "No responde", "503")
    found = incidents.hear(signal, environment or world.production, at=at)
    assert found is not None
    assert found.case is not None
    return found.case


def recover(world: World, which: str = "one", at: Any = START + MINUTE) -> None:
    signal = Signal(fingerprint(which), False, "", "")
    incidents.hear(signal, world.production, at=at)


@pytest.fixture
def check(world: World) -> Check:
    facts = CheckFacts("Entrada", "http", "https://erp.example.com/web/login")
    return watching.add_check(world.production, facts, by=world.ada, at=START)


@pytest.mark.parametrize("who", ["ada", "mario"])
def test_a_check_is_set_up_changed_and_retired(world: World, who: str) -> None:
    browser = enter(world.people[who])
    assert browser.get(f"{page(world)}/checks").status_code == 200
    response = browser.post(f"{page(world)}/checks", FACTS)
    row = Check.objects.get()
    assert response.status_code == 302
    assert row.next_at == NOW
    address = f"/desk/checks/{row.pk}"
    response = browser.post(f"{address}/facts", FACTS | {"every": "15"}, follow=True)
    assert "Every so many minutes: 5 → 15" in words_of(response)
    assert browser.post(f"{address}/retirement", {"why": ""}).status_code == 422
    response = browser.post(f"{address}/retirement", {"why": "Gone"}, follow=True)
    assert "Retired" in words_of(response)
    assert "Gone" in words_of(response)
    browser.post(f"{address}/restoration")
    row.refresh_from_db()
    assert row.retired_at is None
    assert row.every == 15


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("target", "erp.example.com", "must be an address such as"),
        ("target", "http://a:b@erp.example.com", "must not carry a user name"),
        ("every", "0", "greater than or equal to 1"),
        ("kind", "ping", "not one of the available choices"),
    ],
)
def test_bad_facts_are_told_beside_the_field(
    world: World, check: Check, field: str, value: str, told: str
) -> None:
    browser = enter(world.ada)
    for address in (f"{page(world)}/checks", f"/desk/checks/{check.pk}/facts"):
        response = browser.post(address, FACTS | {field: value})
        assert response.status_code == 422
        assert told in words_of(response)
    assert Check.objects.count() == 1


def test_who_only_supports_looks_and_changes_nothing(world: World, check: Check) -> None:
    source, _ = watching.add_source(world.production, "Prom", "alert", by=world.ada, at=START)
    window = watching.announce_maintenance(
        world.production, since=NOW, until=NOW + MINUTE, reason="M", by=world.mario, at=NOW
    )
    browser = enter(world.sara)
    for address in (page(world), f"/desk/checks/{check.pk}", f"/desk/alert-sources/{source.pk}"):
        response = browser.get(address)
        assert response.status_code == 200
        assert b'method="post" action="/desk' not in response.content
    for address in (
        f"{page(world)}/checks", f"{page(world)}/maintenance", f"{page(world)}/sources",
        f"/desk/checks/{check.pk}/facts", f"/desk/checks/{check.pk}/retirement",
        f"/desk/checks/{check.pk}/restoration", f"/desk/alert-sources/{source.pk}/token",
        f"/desk/alert-sources/{source.pk}/retirement", f"/desk/maintenance/{window.pk}/end",
    ):  # fmt: skip
        assert browser.post(address, FACTS).status_code == 403
        assert enter(world.ana).post(address, FACTS).status_code == 404
    window.refresh_from_db()
    assert window.until == NOW + MINUTE
    assert enter(world.ana).get("/desk/monitoring").status_code == 404
    for address in ("/desk/monitoring/999", "/desk/checks/999", "/desk/alert-sources/999"):
        assert browser.get(address).status_code == 404


def test_a_token_is_shown_once(world: World) -> None:
    browser = enter(world.ada)
    given = {"name": "Prom", "grouping": "group"}
    response = browser.post(f"{page(world)}/sources", given)
    source = AlertSource.objects.get()
    token = words_of(response).split(f"acuse-{source.pk}-")[1].split()[0]
    assert watching.find_source(f"acuse-{source.pk}-{token}") == source
    assert response.headers["Cache-Control"].startswith("no-store")
    address = f"/desk/alert-sources/{source.pk}"
    assert token not in browser.get(address).content.decode()
    second = browser.post(f"{address}/token")
    assert f"acuse-{source.pk}-" in words_of(second)
    assert token not in words_of(second)
    browser.post(f"{address}/retirement", {"why": "Gone"})
    assert browser.post(f"{address}/token").status_code == 409
    assert browser.post(f"{page(world)}/sources", {"name": ""}).status_code == 422


def test_maintenance_is_announced_in_the_readers_zone_and_ended(world: World) -> None:
    browser = enter(world.mario)
    given = {"since": "2026-11-20T22:00", "until": "2026-11-20T23:30", "reason": "Migration"}
    assert browser.post(f"{page(world)}/maintenance", given).status_code == 302
    window = MaintenanceWindow.objects.get()
    assert window.since.isoformat() == "2026-11-21T03:00:00+00:00"
    assert "Migration" in words_of(browser.get(page(world)))
    backwards = given | {"until": "2026-11-20T21:00"}
    response = browser.post(f"{page(world)}/maintenance", backwards)
    assert response.status_code == 422
    assert "after the beginning" in words_of(response)
    browser.post(f"/desk/maintenance/{window.pk}/end")
    window.refresh_from_db()
    assert window.until == window.since
    response = browser.get(page(world))
    assert response.context["fares"].maintenance == []
    history = words_of(response).split("Who changed what")[1]
    told = "Mario Mando {} · Thu 19 Nov 2026, 09:00Migration"
    assert told.format("ended or called off maintenance") in history
    assert "Until: Fri 20 Nov 2026, 23:30 → Fri 20 Nov 2026, 22:00" in history
    assert told.format("announced maintenance") in history
    assert "From: Fri 20 Nov 2026, 22:00Until: Fri 20 Nov 2026, 23:30" in history
    assert history.index("ended or") < history.index("announced")
    elsewhere = add_environment(world.andina, "Pruebas")
    assert "Who changed what" not in words_of(browser.get(f"/desk/monitoring/{elsewhere.pk}"))
    assert browser.post("/desk/maintenance/999/end").status_code == 404


def test_the_overview_tells_what_fails_and_what_may_be_closed(world: World, check: Check) -> None:
    browser = enter(world.sara)
    assert "Works" in words_of(browser.get("/desk/monitoring"))
    case = fail(world, at=NOW - 180 * MINUTE)
    assert "Fails" in words_of(browser.get("/desk/monitoring"))
    assert b"The monitor proposes" not in browser.get(f"/desk/cases/{case.number}").content
    recover(world, at=NOW - 120 * MINUTE)
    text = browser.get("/desk/monitoring").content.decode()
    link = f"/desk/cases/{case.number}/cancellation?reason=solved_itself"
    assert link in text
    assert "Works" in text
    text = browser.get(f"/desk/cases/{case.number}").content.decode()
    assert "The monitor proposes to close this case." in text
    assert link in text
    assert re.search(
        r'value="solved_itself"[^>]*(selected|checked)', browser.get(link).content.decode()
    )


def test_results_are_shown_with_what_was_found(world: World, check: Check) -> None:
    incidents.keep_result(check, Result(Finding.STATUS, "503", 7), NOW, "x")
    text = words_of(enter(world.sara).get(f"/desk/checks/{check.pk}"))
    assert "answers with another status 503" in text


def test_pages_ask_the_database_alike_however_much_there_is(
    world: World, check: Check, django_assert_num_queries: Callable[[int], Any]
) -> None:
    browser = enter(world.sara)
    browser.get("/desk/monitoring")
    fail(world, "0", START)
    costs = []
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for address in ("/desk/monitoring", page(world)):
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        costs.append((address, len(seen)))
        assert len(seen) <= 20
    for number in range(1, 8):
        other = add_environment(world.andina, f"E{number}")
        fail(world, str(number), START, other)
        fail(world, f"x{number}", START)
        window = watching.announce_maintenance(
            world.production, since=NOW + MINUTE, until=NOW + 2 * MINUTE, reason=f"M{number}",
            by=world.mario, at=NOW,
        )  # fmt: skip
        if number % 2:
            watching.end_maintenance(window, by=world.ada, at=NOW)
    for address, wanted in costs:
        with django_assert_num_queries(wanted):
            browser.get(address)


def test_the_customer_sees_the_state_of_their_own_systems(world: World, check: Check) -> None:
    add_environment(world.brisa, "Ajena")
    case = fail(world, at=NOW - 90 * MINUTE)
    watching.announce_maintenance(
        world.production, since=NOW + MINUTE, until=NOW + 2 * MINUTE, reason="Migration",
        by=world.mario, at=NOW,
    )  # fmt: skip
    response = enter(world.ana).get("/status")
    text = words_of(response)
    assert "Producción" in text
    assert "Fails" in text
    assert case.number in text
    assert "Migration" in text
    assert "Ajena" not in text
    assert response.content.decode().count("<li") >= 90
    other = words_of(enter(world.nora).get("/status"))
    assert "Ajena" in other
    assert "Not watched" in other
    assert "Producción" not in other
    assert enter(world.sara).get("/status").status_code == 307
    assert Client().get("/status").status_code == 302


def test_maintenance_is_the_state_while_it_lasts(world: World, check: Check) -> None:
    watching.announce_maintenance(
        world.production, since=NOW, until=NOW + MINUTE, reason="M", by=world.mario, at=NOW
    )
    assert "Under maintenance" in words_of(enter(world.ana).get("/status"))
