"""The health of mail at a glance: for the firm, whatever state it is in, at a steady cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from acuse.actions import administration as admin
from acuse.actions import mail
from acuse.interfaces.web.heartbeat import beat
from acuse.models import Alarm, Heartbeat, ImapAccount, MailState, Notice, Person, RawMail
from acuse.queries import health
from acuse.queries.outgoing import Brake
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")


def look(person: Person) -> str:
    response = Browser(person).get("/desk/mail/health")
    assert response.status_code == 200
    return words_of(response)


def keep(world: World, state: MailState, number: int = 0) -> None:
    raw = mail.keep(f"Subject: {state}\r\n\r\n{number}".encode(), world.mailbox, arrived_at=START)
    RawMail.objects.filter(pk=raw.pk).update(state=state)


def test_a_sound_installation_says_so(world: World) -> None:
    beat("worker")
    said = look(world.sara)
    assert "Nothing is wrong: no alarm sounds." in said
    assert "soporte@example.com" in said
    assert "workerat work" in said  # a name and its value
    assert "no mail yet" in said


def test_everything_that_is_wrong_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "brake", lambda now: Brake(60, 60, 7))
    box = admin.add_mailbox(
        "ayuda@example.com", "Ayuda", organisation=world.andina, transport="imap"
    )
    admin.add_mailbox("nueva@example.com", "Nueva", transport="imap")
    ImapAccount.objects.create(
        mailbox=box,
        host="imap.example.com",
        username="ayuda",
        failures=3,
        error="sign_in: AUTHENTICATIONFAILED",
        next_poll_at=NOW,
    )
    keep(world, MailState.FAILED)
    keep(world, MailState.HELD)
    keep(world, MailState.RECEIVED)
    Heartbeat.objects.create(name="poll", at=timezone.now() - timedelta(hours=1))
    world.delivered()
    Notice.objects.update(state="bounced")
    assert Browser(world.ada).post("/desk/mail/health/alarms").status_code == 302
    said = look(world.sara)
    for words in (
        "The mailbox ayuda@example.com cannot be read.",
        "Mail could not be read",
        "Held mail has waited",
        "Too many strangers write",
        "has reached nobody",
        "The process “poll” gives no sign of life.",
        "The server refuses this user name",
        "3 failures in a row",
        "Andina",
        "Nobody has said yet where it lies.",
        "on: 60 of 60 in an hour",
        "1 mail ·",
        "7 confirmations not sent",
        "pollsilent",
        "Fetches mail from other servers",
        "not told by mail yet",
    ):
        assert words in said, words
    page = Browser(world.sara).get("/desk/mail/health").content.decode()
    for place in ("mailboxes", "mail?state=failed", "mail?state=held", "failures"):
        assert f'<a class="late" href="/desk/{place}">' in page, place
    header = Browser(world.carlos).get("/desk/").content.decode()
    assert f"{Alarm.objects.count()} alarms sound" in header
    assert 'href="/desk/mail/health"' in header


def test_what_is_over_is_kept_to_be_seen(world: World) -> None:
    for number in range(25):
        Alarm.objects.create(
            name="poll",
            about=f"m{number}@example.com",
            raised_at=START,
            cleared_at=START + number * timedelta(minutes=1),
        )
    said = look(world.sara)
    assert "m24@example.com" in said
    assert "m5@example.com" in said
    assert "m4@example.com" not in said
    assert "Nothing is wrong: no alarm sounds." in said
    assert 'class="banner"' not in Browser(world.sara).get("/desk/").content.decode()


def test_only_who_runs_the_installation_looks_again(world: World) -> None:
    keep(world, MailState.FAILED)
    address = "/desk/mail/health/alarms"
    for person, status in ((world.sara, 403), (world.carlos, 403), (world.ana, 404)):
        assert Browser(person).post(address).status_code == status
        assert not Alarm.objects.exists()
    assert address not in Browser(world.sara).get("/desk/mail/health").content.decode()
    assert Browser(world.mario).get(address).status_code == 405
    assert Browser(world.mario).post(address).status_code == 302
    assert Alarm.objects.get().raised_at == NOW


def test_for_customers_there_is_no_such_page(world: World) -> None:
    assert Browser(world.omar).get("/desk/mail/health").status_code == 404
    assert Client().get("/desk/mail/health").status_code == 302


def test_it_asks_alike_however_much_there_is(world: World) -> None:
    client, counts = Browser(world.sara), []
    for wanted in (2, 12):
        for number in range(wanted):
            keep(world, MailState.HELD, number)
            name = f"b{wanted}-{number}@example.com"
            box = admin.add_mailbox(name, "x", organisation=world.andina, transport="imap")
            ImapAccount.objects.create(mailbox=box, host="h", username="u")
            Alarm.objects.create(name="poll", about=name, raised_at=NOW)
        client.get("/desk/mail/health")
        with CaptureQueriesContext(connection) as asked:
            client.get("/desk/mail/health")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= 18
