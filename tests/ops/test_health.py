"""GET /health, the headers of every page and the closed sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from acuse.interfaces.server import health
from acuse.interfaces.web.heartbeat import STALE, beat
from acuse.models import Heartbeat, Person

pytestmark = pytest.mark.django_db


def test_up_when_all_are(client: Client) -> None:
    beat("worker", jobs=3)
    beat("mail")
    beat("poll")
    answer = client.get("/health")
    assert answer.status_code == 200
    parts = {"database": "up", "worker": "up", "mail": "up", "poll": "up"}
    assert answer.json()["parts"] == parts
    assert answer.json()["down"] == []
    assert "no-store" in answer["Cache-Control"]


def test_names_what_never_came(client: Client) -> None:
    beat("worker")
    beat("poll")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["down"] == ["mail"]


@pytest.mark.parametrize(
    ("age", "status"),
    [(STALE - timedelta(seconds=2), 200), (STALE, 503), (timedelta(hours=1), 503)],
)
def test_old_beat_is_down(client: Client, age: timedelta, status: int) -> None:
    beat("worker")
    beat("mail")
    beat("poll")
    Heartbeat.objects.filter(name="worker").update(at=timezone.now() - age)
    answer = client.get("/health")
    assert answer.status_code == status
    assert answer.json()["down"] == ([] if status == 200 else ["worker"])


def test_a_beat_replaces_the_one_before() -> None:
    beat("worker", jobs=1)
    beat("worker", jobs=2)
    assert Heartbeat.objects.get().detail == {"jobs": 2}


def test_without_database_all_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(health.Heartbeat.objects, "filter", fails)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["down"] == ["database", "mail", "poll", "worker"]


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post("/health").status_code == 405


def test_policy_of_contents_is_strict_on_every_answer(client: Client) -> None:
    for path in ("/health", "/nowhere"):
        policy = client.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_sign_up_is_closed(client: Client) -> None:
    answer = client.post("/accounts/signup/", {"email": "new@example.org"})
    assert not mail.outbox
    assert "new@example.org" not in answer.content.decode()
    assert not Person.objects.exists()


def test_unknown_address_gets_the_same_answer_and_no_mail(client: Client) -> None:
    answer = client.post("/accounts/login/code/", {"email": "nobody@example.org"})
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/code/confirm/"
    assert mail.outbox == []
