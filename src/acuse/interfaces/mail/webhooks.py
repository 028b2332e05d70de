"""The HTTP door for mail providers: POST /mail/webhooks/<provider>, once with each mail.

Closed (404) without ACUSE_WEBHOOK_SECRET, which the provider gives as HTTP basic authentication.
Answers 200 once the mail is committed, 503 while it cannot be (providers try again), 400 for what
is no mail. Wherever the provider can hand over the raw message that is what is kept, byte for
byte; otherwise django-anymail rebuilds one from the provider's fields, and it says so in a header.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any
from urllib.parse import parse_qsl

from django.db import Error, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from acuse.config import config
from acuse.interfaces.mail import post
from acuse.interfaces.mail.decode import read_addresses
from acuse.models import Mailbox

log = logging.getLogger(__name__)

# A raw message travels as base64 at worst, between the provider's own fields.
LARGEST_POST = post.LARGEST * 4 // 3 + 1_000_000
REBUILT = "X-Acuse-Rebuilt-From"


class NoMail(ValueError):
    """What was posted is no mail, or not in a shape that the provider documents."""


@dataclass(frozen=True)
class Handed:
    """A mail as it was handed over, with its envelope as far as the provider tells it."""

    content: bytes
    sender: str = ""
    recipients: tuple[str, ...] = ()


Fields = dict[str, bytes]


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """Keep the mails of one post. HEAD only says that the door is there."""
    if not config.webhook_secret or provider not in PROVIDERS:
        raise Http404
    if not _is_known(request):
        return HttpResponse("wrong secret", status=403)
    if request.method == "HEAD":
        return HttpResponse()
    body = request.read(LARGEST_POST + 1)
    if len(body) > LARGEST_POST:
        return HttpResponse("too large", status=413)
    # What Django would refuse to read whole (DATA_UPLOAD_MAX_MEMORY_SIZE) it now finds read.
    request._body = body
    try:
        mails = PROVIDERS[provider](request, body)
        if any(len(mail.content) > post.LARGEST for mail in mails):
            return HttpResponse("too large", status=413)
    except NoMail as reason:
        log.warning("%s posted no mail (sha256 %s): %s", provider, _sha256(body), reason)
        return HttpResponse("no mail", status=400)
    try:
        with transaction.atomic():
            for mail in mails:
                keep(mail)
    except (Error, Mailbox.DoesNotExist) as reason:
        log.error("%s: mail could not be kept: %s", provider, reason)
        return HttpResponse("try again", status=503, headers={"Retry-After": "60"})
    return HttpResponse()


def keep(mail: Handed) -> None:
    """Keep a mail in the mailboxes it was sent to; one that names none of ours goes to the main
    mailbox, because the provider will not bring it again. The same bytes are kept once."""
    addresses = mail.recipients or tuple(_addressed(mail.content))
    found = {address: post.find_mailbox(address) for address in addresses}
    ours = [post.Recipient(address, box) for address, box in found.items() if box is not None]
    if not ours:
        main = Mailbox.objects.get(address__lower=config.main_mailbox.lower())
        ours = [post.Recipient(address, main) for address in addresses or (main.address,)]
    post.keep(mail.content, mail.sender, ours)


def _is_known(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        credentials = base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and constant_time_compare(credentials, config.webhook_secret)


def _addressed(content: bytes) -> Iterable[str]:
    headers = BytesParser(policy=compat32).parsebytes(content, headersonly=True)
    for name in ("Delivered-To", "X-Original-To", "To", "Cc"):
        for value in headers.get_all(name, []):
            yield from (address.email for address in read_addresses(str(value)) if address.email)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_form(content_type: str, body: bytes) -> Fields:
    """The fields of a posted form as bytes: a raw mail has no charset that a form could name."""
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        return {name: value.encode("latin-1") for name, value in pairs}
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    parts = BytesParser(policy=compat32).parsebytes(head + body).get_payload()
    fields: Fields = {}
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = value
    return fields


def read_json(body: bytes) -> Any:
    """The posted JSON. Raises NoMail."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as reason:
        raise NoMail(f"no JSON: {reason}") from reason


def _word(value: object) -> str:
    """An address of the envelope, without what no column takes (NUL, halves of signs)."""
    if not isinstance(value, str):
        return ""
    sound = value.replace("\0", "").encode("utf-8", "ignore").decode()
    return sound.strip().strip("<>")


def _handed(content: bytes, sender: object, *recipients: object) -> Handed:
    if not content.strip():
        raise NoMail("an empty message")
    return Handed(content, _word(sender), tuple(filter(None, map(_word, recipients))))


def _field(fields: Fields, name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")


def from_mailgun(request: HttpRequest, body: bytes) -> list[Handed]:
    """Mailgun's route: forward() to an address that ends in /mime posts the raw message."""
    fields = read_form(request.headers.get("Content-Type", ""), body)
    if "body-mime" not in fields:
        return _rebuilt(request, "mailgun")
    recipients = _field(fields, "recipient").split(",")
    return [_handed(fields["body-mime"], _field(fields, "sender"), *recipients)]


def from_sendgrid(request: HttpRequest, body: bytes) -> list[Handed]:
    """SendGrid's inbound parse; with "POST the raw, full MIME message" the mail is in `email`."""
    fields = read_form(request.headers.get("Content-Type", ""), body)
    if "email" not in fields:
        raise NoMail("SendGrid is not set to post the raw message")
    envelope = read_json(fields.get("envelope", b"{}"))
    if not isinstance(envelope, dict):
        raise NoMail("the envelope is no object")
    to = envelope.get("to")
    return [_handed(fields["email"], envelope.get("from"), *(to if isinstance(to, list) else []))]


def from_postmark(request: HttpRequest, body: bytes) -> list[Handed]:
    """Postmark; with "Include raw email content in JSON payload" the mail is in `RawEmail`."""
    event = read_json(body)
    if not isinstance(event, dict):
        raise NoMail("no object")
    if not isinstance(event.get("RawEmail"), str):
        return _rebuilt(request, "postmark")
    raw = event["RawEmail"].encode("utf-8", "replace")
    return [_handed(raw, "", event.get("OriginalRecipient"))]


def from_sparkpost(request: HttpRequest, body: bytes) -> list[Handed]:
    """SparkPost's relay webhook: always raw, several a post."""
    events = read_json(body)
    mails = []
    try:
        for event in events:
            for kind, relayed in event["msys"].items():
                if kind != "relay_message":
                    raise NoMail(f"a {kind}, no relayed mail")
                content = relayed["content"]
                raw = _raw(content["email_rfc822"], content.get("email_rfc822_is_base64"))
                mails.append(_handed(raw, relayed.get("msg_from"), relayed.get("rcpt_to")))
    except (KeyError, TypeError, AttributeError) as reason:
        raise NoMail(f"not SparkPost's shape: {reason!r}") from reason
    return mails


def from_postal(request: HttpRequest, body: bytes) -> list[Handed]:
    """Postal's HTTP endpoint in the format "raw"."""
    event = read_json(body)
    try:
        raw = _raw(event["message"], event.get("base64"))
        return [_handed(raw, event.get("mail_from"), event.get("rcpt_to"))]
    except (KeyError, TypeError, AttributeError) as reason:
        raise NoMail(f"not Postal's shape: {reason!r}") from reason


def from_mailjet(request: HttpRequest, body: bytes) -> list[Handed]:
    """Mailjet's parse API, which never has the raw message."""
    return _rebuilt(request, "mailjet")


def _raw(message: str, encoded: object) -> bytes:
    try:
        return base64.b64decode(message) if encoded else message.encode("utf-8", "replace")
    except binascii.Error as reason:
        raise NoMail(f"no base64: {reason}") from reason


def _rebuilt(request: HttpRequest, provider: str) -> list[Handed]:
    """The mail as django-anymail rebuilds it from a provider's fields. Raises NoMail."""
    from anymail.webhooks.mailgun import MailgunInboundWebhookView
    from anymail.webhooks.mailjet import MailjetInboundWebhookView
    from anymail.webhooks.postmark import PostmarkInboundWebhookView

    views: dict[str, Any] = {
        "mailgun": MailgunInboundWebhookView,
        "mailjet": MailjetInboundWebhookView,
        "postmark": PostmarkInboundWebhookView,
    }
    # The door's own secret has been asked for; Mailgun's view wants a key of its own to exist.
    more = {"webhook_signing_key": config.webhook_secret} if provider == "mailgun" else {}
    try:
        view = views[provider](webhook_secret=config.webhook_secret, **more)
        events = view.parse_events(request)
        return [
            _handed(
                _in_bytes(event.message, provider),
                event.message.envelope_sender,
                event.message.envelope_recipient,
            )
            for event in events
        ]
    except Exception as reason:  # the library's answers to a strange post are of any kind
        raise NoMail(f"{type(reason).__name__}: {reason}") from reason


def _in_bytes(message: Message, provider: str) -> bytes:
    """A rebuilt message; the same post gives the same bytes, so that it is kept once."""
    message[REBUILT] = provider
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            about = f"{number}\0{message['Message-ID']}\0{message['Date']}\0{message['Subject']}"
            part.set_boundary(f"=_{_sha256(about.encode('utf-8', 'replace'))[:40]}")
    return message.as_bytes()


PROVIDERS: dict[str, Callable[[HttpRequest, bytes], list[Handed]]] = {
    "mailgun": from_mailgun,
    "mailjet": from_mailjet,
    "postal": from_postal,
    "postmark": from_postmark,
    "sendgrid": from_sendgrid,
    "sparkpost": from_sparkpost,
}
