"""POST /monitoring/alerts, as Alertmanager calls it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import incidents, watching
from acuse.interfaces.api import alerts
from acuse.interfaces.web import clock
from acuse.models import AlertSource, Case, Incident
from acuse.policy.incidents import Told
from tests.policy.test_alerts import PAYLOAD
from tests.web.entering import StoppedClock
from tests.world import START, World


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    still = StoppedClock(START)
    monkeypatch.setattr(clock, "now", still)
    return still


def source_of(world: World, grouping: str = "alert", name: str = "Prom") -> tuple[AlertSource, str]:
    return watching.add_source(world.production, name, grouping, by=world.ada, at=START)


def post(token: str, data: Any = PAYLOAD, scheme: str = "Bearer") -> Any:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Client(enforce_csrf_checks=True).post(
        "/monitoring/alerts",
        body,
        content_type="application/json",
        headers={"Authorization": f"{scheme} {token}"},
    )


def burning(number: int, status: str = "firing") -> dict[str, Any]:
    alert = {
        "status": status,
        "labels": {"alertname": "Down", "instance": f"erp-{number}"},
        "annotations": {},
        "startsAt": "2026-11-17T14:00:00Z",
        "fingerprint": f"{number:016x}",
    }
    return PAYLOAD | {"status": status, "alerts": [alert], "groupKey": f"g{number}"}


def test_a_firing_alert_becomes_a_case(world: World) -> None:
    source, token = source_of(world)
    response = post(token)
    assert (response.status_code, response.json()) == (200, {"alerts": 2})
    case = Case.objects.get()
    assert case.subject == "Producción: erp-1 is down"
    assert case.opened_at == START
    source.refresh_from_db()
    assert (source.received, source.last_at) == (2, START)


def test_a_group_is_one_case(world: World) -> None:
    _, token = source_of(world, "group")
    assert post(token).status_code == 200
    assert post(token, PAYLOAD | {"status": "resolved"}).status_code == 200
    case = Case.objects.get()
    assert [line.kind for line in case.ledger.order_by("seq")] == ["open", "recover"]


def test_two_sources_that_report_the_same_alert_are_one_case(world: World) -> None:
    for name in ("Prom A", "Prom B"):
        assert post(source_of(world, name=name)[1], burning(1)).status_code == 200
    assert Case.objects.count() == 1
    assert Incident.objects.get().count == 2


@pytest.mark.parametrize("scheme", ["Basic", "", "Token"])
def test_only_a_bearer_of_the_token_comes_in(world: World, scheme: str) -> None:
    _, token = source_of(world)
    for response in (post(token, scheme=scheme), post(f"{token}x"), post("")):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert Client().post("/monitoring/alerts").status_code == 401
    assert Client().get("/monitoring/alerts").status_code == 405
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        (b"[]", "body"),
        (b"{}", "version"),
        (json.dumps(PAYLOAD | {"version": "5"}).encode(), "version"),
        (json.dumps(PAYLOAD | {"alerts": [{}]}).encode(), "alerts[0].labels"),
    ],
)
def test_what_is_no_payload_is_told_why(world: World, body: bytes, told: str) -> None:
    _, token = source_of(world)
    response = post(token, body)
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"{told}: ")
    assert not Case.objects.exists()


def test_what_is_too_large_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "LARGEST", 100)
    assert post(source_of(world)[1]).status_code == 413


def test_what_cannot_be_kept_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, token = source_of(world)
    real, heard = incidents.hear, []

    def hear(*args: Any, **details: Any) -> object:
        heard.append(args)
        if len(heard) == 2:
            raise OperationalError("the server went away")
        return real(*args, **details)

    monkeypatch.setattr(incidents, "hear", hear)
    two = PAYLOAD | {"alerts": burning(1)["alerts"] + burning(2)["alerts"]}
    response = post(token, two)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    source.refresh_from_db()
    assert source.received == 0
    assert post(token, two).status_code == 200
    assert Case.objects.count() == 2
    source.refresh_from_db()
    assert source.received == 2


def test_a_storm_is_one_case_an_incident_and_none_is_lost(
    world: World, at: StoppedClock, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    sources, rounds = 5, 30  # scripts/bench_monitoring.py has ten thousand from fifty
    tokens = [source_of(world, name=f"Prom {n}")[1] for n in range(sources)]
    for number in range(rounds):
        at.at = START + number * timedelta(seconds=10)
        for which, token in enumerate(tokens):
            status = "resolved" if number % 2 else "firing"
            assert post(token, burning(which, status)).status_code == 200
    assert Case.objects.count() == Incident.objects.count() == sources
    assert sum(AlertSource.objects.values_list("received", flat=True)) == sources * rounds
    assert sum(Incident.objects.values_list("count", flat=True)) == sources * rounds
    for case in Case.objects.all():
        assert case.ledger.count() <= 6
    assert set(Incident.objects.values_list("told", flat=True)) == {Told.FLAPPING}
    with django_assert_max_num_queries(20):
        post(tokens[0], burning(0))
    reader = Client()
    reader.force_login(world.sara)
    reader.get("/desk/")  # what is kept in memory is read
    assert queries_of(reader, "/desk/") <= 12
    assert queries_of(reader, "/desk/monitoring") == 11
    for number in range(sources, 2 * sources):
        at.at += timedelta(hours=1)  # another storm, not of this one's
        assert post(tokens[0], burning(number)).status_code == 200
    assert Incident.objects.count() == 2 * sources
    assert queries_of(reader, "/desk/") <= 12
    assert queries_of(reader, "/desk/monitoring") == 11


def queries_of(reader: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert reader.get(address).status_code == 200
    return len(found)


@pytest.mark.django_db(transaction=True)
def test_the_same_alert_from_many_at_once_is_one_case(transactional_db: None) -> None:
    world = World()
    tokens = [source_of(world, name=f"Prom {n}")[1] for n in range(6)]
    ready = threading.Barrier(len(tokens))
    answers: list[int] = []

    def send(token: str) -> None:
        try:
            ready.wait(10)
            answers.append(post(token, burning(1)).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * len(tokens)
    assert Case.objects.count() == 1
    assert Incident.objects.get().count == len(tokens)
