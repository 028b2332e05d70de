"""Alarms: each is raised once, told once to those who run the installation, and over by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from acuse.actions import administration as admin
from acuse.actions import alarms as acts
from acuse.actions import mail
from acuse.connectors import smtp
from acuse.interfaces.jobs import alarms, tasks
from acuse.models import (
    Address,
    Alarm,
    Heartbeat,
    ImapAccount,
    Mailbox,
    MailState,
    Notice,
    NoticeState,
    RawMail,
    SignIn,
)
from acuse.policy.stages import Role
from acuse.queries import health
from acuse.queries.health import AlarmName, alarm_words, find_alarms
from acuse.queries.outgoing import Brake
from tests.mail.post import body, postman
from tests.world import HOUR, LONG_AGO, START, World

MINUTE = timedelta(minutes=1)
NOW = START + timedelta(days=2)


def found(now: datetime = NOW) -> list[tuple[str, str, str]]:
    rows = find_alarms(now, heard_since=timezone.now() - health.PROCESS_SILENCE)
    return [(str(row.name), row.about, row.detail) for row in rows]


def polled(world: World, **facts: object) -> ImapAccount:
    box = admin.add_mailbox("ayuda@example.com", "Ayuda", transport="imap")
    return ImapAccount.objects.create(
        mailbox=box, host="imap.example.com", username="ayuda", **facts
    )


def raw(world: World, state: MailState, at: datetime) -> RawMail:
    row = mail.keep(f"Subject: {state} {at}\r\n\r\nx".encode(), world.mailbox, arrived_at=at)
    row.state = state
    row.save()
    return row


def test_nothing_is_wrong_in_a_sound_installation(world: World) -> None:
    polled(world, polled_at=NOW - MINUTE)
    Heartbeat.objects.create(name="worker", at=timezone.now())
    raw(world, MailState.PROCESSED, NOW)
    assert found() == []


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"polled_at": NOW - 9 * MINUTE}, False),
        ({"polled_at": NOW - 10 * MINUTE, "error": "no_connection: x"}, True),
        ({"polled_at": None, "failures": 0}, False),
        ({"polled_at": None, "failures": 2}, True),
    ],
)
def test_a_mailbox_that_is_not_read(world: World, facts: dict[str, object], wrong: bool) -> None:
    account = polled(world, **facts)
    expected = ("poll", "ayuda@example.com", account.error)
    assert found() == ([expected] if wrong else [])
    Mailbox.objects.filter(pk=account.mailbox_id).update(active=False)
    assert found() == []


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"token_until": NOW + 30 * MINUTE}, False),
        ({"token_until": NOW + MINUTE}, True),
        ({"token_until": None, "failures": 1, "error": "token: invalid_grant"}, True),
        ({"token_until": NOW - HOUR, "sign_in": SignIn.PASSWORD}, False),
    ],
)
def test_a_token_that_ends(world: World, facts: dict[str, object], wrong: bool) -> None:
    account = polled(world, **{"sign_in": SignIn.GOOGLE, "polled_at": NOW, **facts})
    assert found() == ([("token", "ayuda@example.com", account.error)] if wrong else [])


def test_mail_that_failed_and_mail_held_too_long(world: World) -> None:
    raw(world, MailState.FAILED, NOW)
    assert found() == [("failed_mail", "", "1")]
    # Held on Tuesday at 15:30; the day ends at 17:00 and the next begins at 8:00 in Bogota.
    held = START.replace(hour=20, minute=30)
    raw(world, MailState.HELD, held)
    raw(world, MailState.HELD, held + HOUR)
    spans = world.calendar.calendar.working_spans(held.date())
    left = 240 - sum(int((end - max(start, held)) / MINUTE) for start, end in spans if end > held)
    start = world.calendar.calendar.working_spans(held.date() + timedelta(days=1))[0][0]
    due = start + left * MINUTE
    assert held + 4 * HOUR < due  # the night does not count
    assert found(due - MINUTE) == [("failed_mail", "", "1")]
    assert found(due) == [("failed_mail", "", "1"), ("held_mail", "", "2")]


def test_the_brake(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "brake", lambda now: Brake(60, 60, 7))
    assert found() == [("brake", "", "7")]


@pytest.mark.parametrize("state", [NoticeState.FAILED, NoticeState.BOUNCED])
def test_a_legal_notice_that_reached_nobody(world: World, state: NoticeState) -> None:
    case = world.delivered()
    legal = Notice.objects.filter(case=case, legal=True, person=world.ana).order_by("pk").first()
    assert legal is not None
    Notice.objects.filter(pk=legal.pk).update(state=state)
    assert found() == [("notice", case.number, "1")]
    later = Notice.objects.filter(case=case, person=world.ana, pk__gt=legal.pk).first()
    assert later is not None
    later.state = NoticeState.SENT
    later.save()
    assert found() == []  # something has reached them since


def test_a_process_that_is_silent(world: World) -> None:
    Heartbeat.objects.create(name="poll", at=timezone.now() - 5 * MINUTE)
    Heartbeat.objects.create(name="mail", at=timezone.now())
    assert found() == [("heartbeat", "poll", "")]


def watch(at: datetime) -> list[str]:
    """One round; to whom it wrote."""
    with postman() as one:
        alarms.watch_over(at)
    return [recipient for _, recipient, _ in one.taken]


EVERYBODY = ["mario@firm.example", "ada@firm.example"]


def test_each_is_raised_once_told_once_and_over_by_itself(world: World) -> None:
    row = raw(world, MailState.FAILED, NOW)
    assert watch(NOW) == EVERYBODY
    assert watch(NOW + MINUTE) == []
    alarm = Alarm.objects.get()
    assert (alarm.name, alarm.raised_at, alarm.told_at) == ("failed_mail", NOW, NOW)
    raw(world, MailState.FAILED, NOW + MINUTE)
    assert watch(NOW + 2 * MINUTE) == []  # the same alarm, with another figure
    alarm.refresh_from_db()
    assert alarm.detail == "2"
    RawMail.objects.update(state=MailState.IGNORED)
    assert watch(NOW + 3 * MINUTE) == []
    alarm.refresh_from_db()
    assert alarm.cleared_at == NOW + 3 * MINUTE
    RawMail.objects.filter(pk=row.pk).update(state=MailState.FAILED)
    assert watch(NOW + 2 * acts.PAUSE) == EVERYBODY  # another time, another alarm
    assert Alarm.objects.count() == 2


def test_what_comes_and_goes_is_one_alarm(world: World) -> None:
    raw(world, MailState.FAILED, NOW)
    written = [watch(NOW)]
    for minute in range(1, 10):
        state = MailState.IGNORED if minute % 2 else MailState.FAILED
        RawMail.objects.update(state=state)
        written.append(watch(NOW + minute * MINUTE))
    assert written == [EVERYBODY] + [[]] * 9
    alarm = Alarm.objects.get()
    assert (alarm.raised_at, alarm.cleared_at) == (NOW, NOW + 9 * MINUTE)


def test_a_letter_that_was_not_taken_is_tried_again(world: World) -> None:
    raw(world, MailState.FAILED, NOW)
    with postman(refuse=smtp.NotTaken("451 later")):
        alarms.watch_over(NOW)
    assert Alarm.objects.get().told_at is None
    assert watch(NOW + MINUTE) == EVERYBODY
    assert Alarm.objects.get().told_at == NOW + MINUTE


def test_one_address_that_fails_costs_the_others_no_second_letter(world: World) -> None:
    raw(world, MailState.FAILED, NOW)
    taken: list[str] = []

    def send(server: object, sender: str, recipient: str, content: bytes) -> None:
        if recipient.startswith("ada") and len(taken) < 2:
            taken.append("")
            raise smtp.NotTaken("451 later")
        taken.append(recipient)

    with patch.object(smtp, "send", send):
        for minute in range(4):
            alarms.watch_over(NOW + minute * MINUTE)
    assert [address for address in taken if address] == EVERYBODY
    assert Alarm.objects.get().told_at == NOW + MINUTE


def test_an_address_that_is_refused_for_good_is_not_written_to_again(world: World) -> None:
    raw(world, MailState.FAILED, NOW)
    tried: list[str] = []

    def send(server: object, sender: str, recipient: str, content: bytes) -> None:
        tried.append(recipient)
        if recipient.startswith("ada"):
            raise smtp.NotTaken("550 nobody", permanent=True)

    with patch.object(smtp, "send", send):
        for minute in range(3):
            alarms.watch_over(NOW + minute * MINUTE)
    assert tried == EVERYBODY
    assert Address.objects.get(email="ada@firm.example").bouncing_since == NOW
    assert Alarm.objects.get().told_at == NOW + MINUTE


def test_only_who_runs_the_installation_is_told(world: World) -> None:
    admin.end_role(world.mario.memberships.get(), NOW)
    admin.give_role(world.carlos, world.firm, Role.MANAGER, since=LONG_AGO)
    raw(world, MailState.FAILED, NOW)
    assert watch(NOW) == ["carlos@firm.example", "ada@firm.example"]


def test_the_letter_says_what_and_since_when_in_each_language(world: World) -> None:
    world.ada.language = "en"
    world.ada.save()
    polled(world, polled_at=NOW - HOUR, error="no_connection: refused")
    with postman() as one:
        alarms.watch_over(NOW)
    (letter,) = one.to("ada@firm.example")
    assert letter["Subject"] == "1 alarm of Acuse"
    assert letter["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        said = " ".join(body(letter, kind).split())
        assert "The mailbox ayuda@example.com cannot be read." in said
        assert "Thursday, 19 November 2026" in said
        assert "/desk/mail/health" in said
    assert {sender for sender, _, _ in one.taken} == {""}
    same = alarms.letter(world.ada, list(Alarm.objects.all()), NOW + HOUR)
    assert letter["Message-ID"].encode() in same


def test_every_alarm_has_words(world: World) -> None:
    for name in AlarmName:
        sentence = alarm_words(Alarm(name=name, about="soporte@example.com", raised_at=NOW))
        assert sentence.endswith(".")
        assert "%(" not in sentence


def test_the_job_watches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acuse.interfaces.web.clock.now", lambda: NOW)
    raw(world, MailState.FAILED, NOW)
    with postman() as one:
        tasks.watch_over(timestamp=0)
    assert len(one.taken) == 2


def at_once(act: Callable[[], None]) -> None:
    start = threading.Barrier(2)

    def run() -> None:
        try:
            start.wait(10)
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run), pool.submit(run)]:
            future.result(30)


def test_two_workers_at_once_raise_one_and_tell_once(transactional_db: None) -> None:
    world = World()
    raw(world, MailState.FAILED, NOW)
    taken: list[str] = []
    both_in = threading.Event()

    def send(server: object, sender: str, recipient: str, content: bytes) -> None:
        taken.append(recipient)
        both_in.wait(1)  # long enough for the other worker to come by

    with patch.object(smtp, "send", send):
        at_once(lambda: alarms.watch_over(NOW))
        alarms.watch_over(NOW + MINUTE)
    assert taken == EVERYBODY
    assert Alarm.objects.count() == 1
    assert Alarm.objects.get().told_at == NOW
