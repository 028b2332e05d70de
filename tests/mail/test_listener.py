"""The door for mail, by a real client over the network of this machine."""

from __future__ import annotations

import asyncio
import io
import os
import smtplib
import socket
import subprocess
import sys
from dataclasses import replace
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError

from acuse.config import config
from acuse.interfaces.mail import intake, pipe, post
from acuse.interfaces.mail import listener as door
from acuse.models import Case, CaughtMail, Heartbeat, MailState, Message, Notice, RawMail
from tests.mail.post import key_address, written
from tests.mail.working import ROOT, Listening, Process, database_url, eventually
from tests.world import World


def send(port: int, to: list[str], content: bytes, sender: str = "ana@andina.example") -> Any:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        return client.sendmail(sender, to, content)


def lmtp(port: int, to: list[str], content: bytes) -> list[str]:
    """A conversation in LMTP; the answers after the message, one to each recipient."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        stream = line.makefile("rwb")

        def answer() -> str:
            while True:
                said = stream.readline().decode()
                if said[3:4] != "-":
                    return said

        def say(words: str) -> str:
            stream.write(f"{words}\r\n".encode())
            stream.flush()
            return answer()

        answer()
        assert say("LHLO here").startswith("250")
        assert say("MAIL FROM:<ana@andina.example>").startswith("250")
        for address in to:
            assert say(f"RCPT TO:<{address}>").startswith("250")
        assert say("DATA").startswith("354")
        stream.write(content + b"\r\n.\r\n")
        stream.flush()
        return [answer()[:3] for _ in to]


def test_what_the_door_takes_and_what_it_refuses(firm: World, listener: Listening) -> None:
    port = listener.port
    content = written("ana@andina.example", message_id="m1@andina.example")
    # our own mailbox, with a plus-part too: one row, committed before the answer
    send(port, ["soporte@example.com", "SOPORTE+x@example.com"], content)
    raw = RawMail.objects.get()
    assert bytes(raw.content) == content
    assert raw.envelope_from == "ana@andina.example"
    assert raw.envelope_to == ["soporte@example.com", "SOPORTE+x@example.com"]
    assert (raw.mailbox, raw.state) == (firm.mailbox, MailState.RECEIVED)
    send(port, ["soporte@example.com"], content)
    assert RawMail.objects.count() == 1
    # nobody of ours
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(port, ["nadie@example.com"], content)
    assert refused.value.recipients["nadie@example.com"][0] == 550
    # the demo's outgoing mail, once for one Message-ID; with the null sender too
    for _ in range(2):
        send(port, ["ana@andina.example"], content, sender="")
    caught = CaughtMail.objects.get()
    assert (caught.recipients, caught.message_id, caught.sender) == (
        ["ana@andina.example"],
        "m1@andina.example",
        "",
    )
    assert caught.subject == "No imprime"
    # too large
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.putcmd("mail", f"FROM:<a@b.example> size={post.LARGEST + 1}")
        assert client.getreply()[0] == 552
    # LMTP answers to each recipient
    assert lmtp(port, ["soporte@example.com", "ana@andina.example"], b"Subject: x\r\n\r\ny") == [
        "250",
        "250",
    ]
    # lines longer than the standard allows are real
    send(port, ["soporte@example.com"], b"Subject: larga\r\n\r\n" + b"x" * 200_000)
    assert RawMail.objects.count() == 3
    eventually(lambda: Heartbeat.objects.filter(name="mail").exists())
    assert listener.stop() == 0


def test_a_mail_over_smtp_becomes_a_case_with_one_confirmation(
    firm: World, listener: Listening, processes: list[Process]
) -> None:
    worker = Process("worker", ACUSE_SMTP_PORT=str(listener.port))
    processes.append(worker)
    text = "Bom dia, não consigo imprimir as faturas desde ontem. Podem ajudar, por favor?"
    content = written("Rui Novo <rui@novo.example>", text, message_id="root@novo.example")
    send(listener.port, ["soporte@example.com"], content, "rui@novo.example")
    case = eventually(worker.has(Case.objects.first))
    eventually(lambda: CaughtMail.objects.filter(recipients=["rui@novo.example"]).exists())
    eventually(lambda: not Notice.objects.exclude(state="sent").exists())
    (caught,) = CaughtMail.objects.filter(recipients=["rui@novo.example"])
    confirmation = message_from_bytes(bytes(caught.content), policy=policy.default)
    assert confirmation["In-Reply-To"] == "<root@novo.example>"
    assert confirmation["Subject"].startswith(f"[C-{case.pk}]")
    assert 'lang="pt"' in confirmation.get_body(("html",)).get_content()
    # the answer goes to the address that the confirmation names
    reply = confirmation["Reply-To"]
    answer = written("rui@novo.example", "Obrigado.", to=reply, message_id="r2@novo.example")
    send(listener.port, [reply], answer, "rui@novo.example")
    message = eventually(lambda: Message.objects.filter(case=case, kind="comment").first())
    assert message.text == "Obrigado."
    assert CaughtMail.objects.filter(recipients=["rui@novo.example"]).count() == 1
    eventually(lambda: Heartbeat.objects.filter(name="worker").exists())
    assert worker.stop() == 0


def test_the_pipe_keeps_a_mail_too(firm: World) -> None:
    case = firm.report()
    to = key_address(case, firm.ana)
    done = subprocess.run(
        [sys.executable, "-m", "acuse", "mail", "receive", "--mailbox", to],
        input=written("ana@andina.example", "Por tubería", to="otro@example.com"),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "DATABASE_URL": database_url()},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    raw = RawMail.objects.get()
    intake.take_in(raw.pk, raw.arrived_at)
    assert Message.objects.filter(case=case, kind="comment").get().text == "Por tubería"


@pytest.mark.django_db
def test_the_pipe_says_what_became_of_the_mail(world: World) -> None:
    content = written("ana@andina.example")
    assert pipe.receive(io.BytesIO(b" \n"))[0] == pipe.BAD_DATA
    with patch.object(post, "LARGEST", 10):
        assert pipe.receive(io.BytesIO(content))[0] == pipe.BAD_DATA
    assert pipe.receive(io.BytesIO(content), "nadie@example.com")[0] == pipe.NO_MAILBOX
    with patch.object(post, "keep", side_effect=OperationalError("down")):
        assert pipe.receive(io.BytesIO(content))[0] == pipe.TRY_LATER
    assert pipe.receive(io.BytesIO(content))[0] == pipe.OK
    assert RawMail.objects.count() == 1


@pytest.mark.django_db
def test_in_production_nothing_is_taken_for_people_elsewhere(world: World) -> None:
    assert post.find_recipient("eve@nowhere.example") is not None
    with patch.object(post, "config", replace(config, environment="production")):
        assert post.find_recipient("eve@nowhere.example") is None
        assert post.find_recipient("ana@andina.example") is None
        assert post.find_recipient("soporte+x@example.com") is not None
    world.mailbox.active = False
    world.mailbox.save()
    assert post.find_recipient("soporte@example.com") is None


def test_without_the_database_a_mail_is_not_taken_but_put_off() -> None:
    """451, so that whoever hands it over keeps it and tries again."""

    async def ask() -> tuple[str, str]:
        one = door.Door()
        envelope: Any = SimpleNamespace(
            original_content=b"x", recipients=[object()], mail_from="a@b.example"
        )
        session: Any = SimpleNamespace(lmtp=False)
        server: Any = None
        to = await one.handle_RCPT(server, session, envelope, "soporte@example.com", [])
        data = await one.handle_DATA(server, session, envelope)
        return to, data

    with (
        patch.object(post, "find_recipient", side_effect=OperationalError("down")),
        patch.object(post, "keep", side_effect=OperationalError("down")),
    ):
        to, data = asyncio.run(ask())
    assert (to[:3], data[:3]) == ("451", "451")
