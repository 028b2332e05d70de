"""Handing a mail over to a real server: what its answers mean, and that nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from acuse.actions import notices
from acuse.config import Config, MailServer
from acuse.connectors import smtp
from acuse.interfaces.jobs import notices as sending
from acuse.models import Address, Notice, NoticeState
from tests.mail.sink import Sink, certificate, sink
from tests.ops.installation import free_port
from tests.world import START, World

CONTENT = b"Subject: x\r\n\r\nHola\r\n.\r\n..dos\r\n"
TO = "ana@andina.example"


def test_a_mail_is_handed_over_byte_by_byte() -> None:
    with sink() as server:
        smtp.send(server.server(), "", TO, CONTENT)
        smtp.send(server.server(), "soporte+b1.x@example.com", TO, CONTENT)
    assert server.taken == [("", TO, CONTENT), ("soporte+b1.x@example.com", TO, CONTENT)]


@pytest.mark.parametrize(
    ("step", "answer", "permanent"),
    [
        ("CONNECT", "421 busy", False),
        ("CONNECT", "554 not to you", False),
        ("CONNECT", "", False),
        ("MAIL", "451 later", False),
        ("MAIL", "550 not that sender", False),
        ("RCPT", "450 greylisted", False),
        ("RCPT", "452 4.2.2 mailbox full", False),
        ("RCPT", "550 5.1.1 no such user", True),
        ("RCPT", "", False),
        ("DATA", "451 later", False),
        ("DATA", "554 no", True),
        (".", "452 out of room", False),
        (".", "554 5.7.1 looks like spam", True),
        (".", "", False),
        ("MIDWAY", "", False),
    ],
)
def test_what_a_servers_answer_means(step: str, answer: str, permanent: bool) -> None:
    with sink(answers={step: answer}) as server, pytest.raises(smtp.NotTaken) as told:
        smtp.send(server.server(), "", TO, CONTENT)
    assert told.value.permanent is permanent


@pytest.mark.parametrize("answer", ["", "421 gone", "500 what"])
def test_what_was_taken_stays_taken_however_the_server_parts(answer: str) -> None:
    with sink(answers={"QUIT": answer}) as server:
        smtp.send(server.server(), "", TO, CONTENT)
    assert len(server.taken) == 1


def test_a_server_that_is_down_is_tried_later() -> None:
    with pytest.raises(smtp.NotTaken) as told:
        smtp.send(MailServer("127.0.0.1", free_port()), "", TO, CONTENT)
    assert not told.value.permanent


def test_a_wrong_password_loses_no_mail() -> None:
    with (
        sink(extensions=("AUTH PLAIN",), answers={"AUTH": "535 no"}) as server,
        pytest.raises(smtp.NotTaken) as told,
    ):
        smtp.send(server.server(user="acuse", password="x"), "", TO, CONTENT)
    assert not told.value.permanent


def test_an_address_with_other_letters_needs_a_server_for_it() -> None:
    with sink() as server:
        smtp.send(server.server(), "", "peña@andina.example", CONTENT)
    assert server.taken[0][1] == "peña@andina.example"
    with sink(extensions=("8BITMIME",)) as old, pytest.raises(smtp.NotTaken) as told:
        smtp.send(old.server(), "", "peña@andina.example", CONTENT)
    assert told.value.permanent
    assert old.taken == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_over_tls_to_a_server_that_proves_its_name(
    tls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, public = certificate(tmp_path)
    how = {"implicit": context} if tls == "implicit" else {"tls": context}
    with sink(**how) as server:  # type: ignore[arg-type]
        with pytest.raises(smtp.NotTaken) as told:
            smtp.send(server.server(tls), "", TO, CONTENT)
        assert not told.value.permanent
        assert server.taken == []
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        smtp.send(server.server(tls), "", TO, CONTENT)
    assert server.taken == [("", TO, CONTENT)]


def test_starttls_is_never_left_out() -> None:
    with sink() as server, pytest.raises(smtp.NotTaken):
        smtp.send(server.server("starttls"), "", TO, CONTENT)
    assert server.taken == []


def hand_over(notice: Notice, server: Sink, hours: int) -> Notice:
    with patch.object(Config, "mail_server", server.server()):
        sending.send(notice.pk, lambda: START + timedelta(hours=hours))
    return Notice.objects.get(pk=notice.pk)


def test_a_notice_from_a_busy_server_to_a_sent_one(world: World) -> None:
    notice = Notice.objects.get(case=world.report(), person=world.ana)
    with sink(answers={"RCPT": "451 later"}) as server:
        now = hand_over(notice, server, 0)
        assert (now.state, now.error, now.taken_at) == (NoticeState.QUEUED, "451 later", START)
        server.answers = {"MIDWAY": ""}
        assert hand_over(notice, server, 1).state == NoticeState.QUEUED
        server.answers = {}
        now = hand_over(notice, server, 2)
        assert (now.state, now.tries) == (NoticeState.SENT, 3)
        assert hand_over(notice, server, 3).state == NoticeState.SENT
    assert len(server.taken) == 1


def test_a_notice_that_the_server_refuses_for_good(world: World) -> None:
    notice = Notice.objects.get(case=world.report(), person=world.ana)
    with sink(answers={"RCPT": "550 5.1.1 no such user"}) as server:
        now = hand_over(notice, server, 0)
    assert (now.state, now.error) == (NoticeState.BOUNCED, "550 5.1.1 no such user")
    assert Address.objects.get(email=TO).bouncing_since == START


def test_a_second_copy_is_the_same_mail(world: World) -> None:
    """A worker killed between the server's 250 and our note: it is sent again, under the same
    Message-ID and from the same address."""
    notice = Notice.objects.get(case=world.report(), person=world.paula)
    with sink() as server, patch.object(notices, "mark_sent"):
        assert hand_over(notice, server, 0).state == NoticeState.SENDING
        hand_over(notice, server, 1)
    (sender, _, first), (again, _, second) = server.taken
    assert sender == again
    ids = [
        next(x for x in c.split(b"\r\n") if x.startswith(b"Message-ID")) for c in (first, second)
    ]
    assert ids[0] == ids[1]
