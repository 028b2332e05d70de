"""The providers' HTTP door: raw messages kept byte for byte, once, or nothing and try again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from acuse.actions import administration
from acuse.config import BadSetting, Config, config
from acuse.interfaces.mail import intake, post, webhooks
from acuse.models import Mailbox, MailState, RawMail
from tests.mail.post import key_address, written
from tests.world import START, World

SECRET = "provider:a-password-of-16-signs"
# A subject in raw latin-1: what a form's charset would break.
RAW = written("Ana Ruiz <ana@andina.example>", "Va.", message_id="w1@andina.example").replace(
    b"No imprime", b"No imprime \xf1"
)
TO = "soporte@example.com"


@pytest.fixture
def door(world: World) -> Iterator[Client]:
    with patch.object(webhooks, "config", replace(config, webhook_secret=SECRET)):
        yield Client(raise_request_exception=False)


def signed(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def hand_over(client: Client, provider: str, data: Any, secret: str = SECRET, **more: Any) -> int:
    path = f"/mail/webhooks/{provider}"
    return client.post(path, data, headers=signed(secret), **more).status_code


def form(**fields: bytes) -> tuple[bytes, str]:
    """A multipart form whose values are any bytes."""
    parts = [
        b'--xx\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.replace("_", "-").encode(), value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--xx--\r\n", "multipart/form-data; boundary=xx"


def as_mailgun() -> tuple[str, bytes, str]:
    body, kind = form(
        recipient=TO.encode(), sender=b"ana@andina.example", timestamp=b"1", body_mime=RAW
    )
    return "mailgun/mime", body, kind


def as_sendgrid() -> tuple[str, bytes, str]:
    envelope = json.dumps({"to": [TO], "from": "ana@andina.example"}).encode()
    body, kind = form(email=RAW, envelope=envelope)
    return "sendgrid", body, kind


def as_sparkpost() -> tuple[str, bytes, str]:
    relayed = {
        "content": {
            "email_rfc822": base64.b64encode(RAW).decode(),
            "email_rfc822_is_base64": True,
        },
        "msg_from": "ana@andina.example",
        "rcpt_to": TO,
        "protocol": "smtp",
    }
    body = json.dumps([{"msys": {"relay_message": relayed}}]).encode()
    return "sparkpost", body, "application/json"


def as_postal() -> tuple[str, bytes, str]:
    event = {
        "message": base64.b64encode(RAW).decode(),
        "base64": True,
        "mail_from": "ana@andina.example",
        "rcpt_to": TO,
    }
    return "postal", json.dumps(event).encode(), "application/json"


RAW_POSTS = [as_mailgun, as_sendgrid, as_sparkpost, as_postal]


@pytest.mark.parametrize("made", RAW_POSTS)
def test_raw_message_is_kept_byte_for_byte_and_once(door: Client, made: Any) -> None:
    provider, body, kind = made()
    assert hand_over(door, provider, body, content_type=kind) == 200
    assert hand_over(door, provider, body, content_type=kind) == 200
    raw = RawMail.objects.get()
    assert bytes(raw.content) == RAW
    assert (raw.envelope_from, raw.envelope_to) == ("ana@andina.example", [TO])
    assert raw.state == MailState.RECEIVED
    intake.take_in(raw.pk, START)
    raw.refresh_from_db()
    assert raw.state == MailState.PROCESSED
    assert raw.case is not None


def postmark(**more: Any) -> dict[str, Any]:
    return {
        "FromFull": {"Email": "ana@andina.example", "Name": "Ana Ruiz"},
        "ToFull": [{"Email": TO, "Name": ""}],
        "OriginalRecipient": TO,
        "Subject": "No imprime",
        "MessageID": "73e6d360",
        "Date": "Tue, 17 Nov 2026 09:00:00 -0500",
        "TextBody": "No imprime nada.",
        "HtmlBody": "<p>No imprime nada.</p>",
        "Headers": [{"Name": "Message-ID", "Value": "<p1@andina.example>"}],
        "Attachments": [
            {
                "Name": "factura.pdf",
                "Content": base64.b64encode(b"%PDF-1.4").decode(),
                "ContentType": "application/pdf",
                "ContentLength": 8,
            }
        ],
    } | more


def test_postmark_with_raw_content(door: Client) -> None:
    text = written("Ana <ana@andina.example>").decode()
    event = json.dumps(postmark(RawEmail=text))
    assert hand_over(door, "postmark", event, content_type="application/json") == 200
    assert bytes(RawMail.objects.get().content) == text.encode()


def test_mail_without_raw_content_is_rebuilt_always_alike(door: Client) -> None:
    for number in (1, 2):
        event = json.dumps(postmark(Tag=str(number)))
        assert hand_over(door, "postmark", event, content_type="application/json") == 200
    raw = RawMail.objects.get()
    assert b"X-Acuse-Rebuilt-From: postmark" in bytes(raw.content)
    intake.take_in(raw.pk, START)
    raw.refresh_from_db()
    assert (raw.message_id, raw.subject) == ("p1@andina.example", "No imprime")
    assert raw.case is not None
    assert raw.case.attachments.get().filename == "factura.pdf"


def test_mailgun_fields_and_mailjet_are_rebuilt(door: Client) -> None:
    headers = [["From", "ana@andina.example"], ["To", TO], ["Message-Id", "<g1@andina.example>"]]
    fields = {
        "recipient": TO,
        "sender": "ana@andina.example",
        "timestamp": "1763388000",
        "message-headers": json.dumps(headers),
        "body-plain": "Señal débil.",
    }
    assert hand_over(door, "mailgun", fields) == 200
    jet = {
        "Sender": "ana@andina.example",
        "Recipient": TO,
        "Headers": {"From": "ana@andina.example", "To": TO, "Message-ID": "<j1@andina.example>"},
        "Parts": [
            {
                "Headers": {"Content-Type": "text/plain; charset=utf-8"},
                "ContentRef": "Text-part",
            }
        ],
        "Text-part": "Otra señal.",
    }
    assert hand_over(door, "mailjet", json.dumps(jet), content_type="application/json") == 200
    intake.take_in_all(START)
    texts = sorted(
        raw.case.messages.get().text.strip() for raw in RawMail.objects.all() if raw.case
    )
    assert texts == ["Otra señal.", "Señal débil."]


def test_mail_beyond_the_size_of_a_form_is_taken(door: Client) -> None:
    large = RAW + b"x" * 76 * 60_000
    body, kind = form(recipient=TO.encode(), body_mime=large)
    assert hand_over(door, "mailgun", body, content_type=kind) == 200
    assert bytes(RawMail.objects.get().content) == large


def test_too_large_is_refused_and_not_kept(door: Client) -> None:
    with patch.object(webhooks, "LARGEST_POST", 1000):
        body, kind = form(recipient=TO.encode(), body_mime=RAW + b"x" * 1000)
        assert hand_over(door, "mailgun", body, content_type=kind) == 413
    with patch.object(post, "LARGEST", 10):
        assert hand_over(door, "postal", as_postal()[1], content_type="application/json") == 413
    assert not RawMail.objects.exists()


def test_door_is_closed_without_secret_and_to_wrong_ones(door: Client) -> None:
    provider, body, kind = as_postal()
    for wrong in ("provider:another", "", "provider"):
        assert hand_over(door, provider, body, secret=wrong, content_type=kind) == 403
    bare = door.post("/mail/webhooks/postal", body, content_type=kind)
    assert bare.status_code == 403
    odd = door.post(
        "/mail/webhooks/postal", body, content_type=kind, headers={"Authorization": "Basic ñ"}
    )
    assert odd.status_code == 403
    assert hand_over(door, "carrier-pigeon", body, content_type=kind) == 404
    assert door.get("/mail/webhooks/postal", headers=signed()).status_code == 405
    assert door.head("/mail/webhooks/postal", headers=signed()).status_code == 200
    with patch.object(webhooks, "config", replace(config, webhook_secret="")):
        assert hand_over(door, provider, body, content_type=kind) == 404
        assert hand_over(door, provider, body, secret=":", content_type=kind) == 404
    assert not RawMail.objects.exists()


def test_answers_503_while_it_cannot_commit(door: Client) -> None:
    provider, body, kind = as_postal()
    with patch.object(webhooks.post, "keep", side_effect=OperationalError("gone")):
        assert hand_over(door, provider, body, content_type=kind) == 503
    assert hand_over(door, provider, body, content_type=kind) == 200


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("postmark", b"{"),
        ("postmark", b"[]"),
        ("postmark", b'{"RawEmail": ""}'),
        ("sparkpost", b"7"),
        ("sparkpost", b'[{"msys": {"message_event": {}}}]'),
        ("sparkpost", b'[{"msys": {"relay_message": {"content": {}}}}]'),
        ("postal", b'{"message": 7}'),
        ("postal", b'{"message": "x", "base64": true}'),
        ("mailjet", b"null"),
        ("mailgun", b"\xff\xfe"),
        ("sendgrid", b""),
    ],
)
def test_what_is_no_mail_is_refused(door: Client, provider: str, body: bytes) -> None:
    assert hand_over(door, provider, body, content_type="application/json") == 400
    assert not RawMail.objects.exists()


def test_mailbox_is_found_by_envelope_then_header_then_the_main_one(
    door: Client, world: World
) -> None:
    queue = administration.add_mailbox("pedidos@example.com", "Pedidos")
    event = {"message": RAW.decode("latin-1"), "rcpt_to": "pedidos+c1.2.x@example.com"}

    def box(**changes: str) -> Mailbox | None:
        RawMail.objects.all().delete()
        body = json.dumps(event | changes)
        assert hand_over(door, "postal", body, content_type="application/json") == 200
        return RawMail.objects.get().mailbox

    assert box() == queue
    assert box(rcpt_to="") == world.mailbox
    assert box(rcpt_to="otra@example.com") == world.mailbox
    nobody = written("a@b.example", to="nadie@c.example").decode()
    assert box(rcpt_to="", message=nobody) == world.mailbox
    assert RawMail.objects.get().envelope_to == ["nadie@c.example"]


def test_an_envelope_with_what_no_column_takes_is_kept(door: Client) -> None:
    """Refused, it would be brought again for ever."""
    mail = written("ana@andina.example").decode()
    event = {"message": mail, "mail_from": "a\0na@andina.example", "rcpt_to": "so\ud800porte@x"}
    body = json.dumps(event)
    assert hand_over(door, "postal", body, content_type="application/json") == 200
    raw = RawMail.objects.get()
    assert (raw.envelope_from, raw.envelope_to) == ("ana@andina.example", ["soporte@x"])


def test_an_answer_by_its_key_arrives_through_the_door(door: Client, world: World) -> None:
    case = world.taken()
    address = key_address(case, world.ana)
    raw = written("ana@andina.example", "Sigue igual.", "Re: x", to=address)
    event = {"message": base64.b64encode(raw).decode(), "base64": True, "rcpt_to": address}
    assert hand_over(door, "postal", json.dumps(event), content_type="application/json") == 200
    kept = RawMail.objects.get()
    intake.take_in(kept.pk, START)
    kept.refresh_from_db()
    assert kept.case == case


def test_secret_names_a_user_and_a_long_password() -> None:
    assert Config.read({"ACUSE_WEBHOOK_SECRET": SECRET}).webhook_secret == SECRET
    for wrong in ("word", "user:short", ":only-a-long-password"):
        with pytest.raises(BadSetting, match="ACUSE_WEBHOOK_SECRET"):
            Config.read({"ACUSE_WEBHOOK_SECRET": wrong})
