"""Mail for tests: written, handed in, read and sent, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from unittest.mock import patch

from acuse.actions import mail
from acuse.connectors import smtp
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake
from acuse.interfaces.web import replies
from acuse.models import Case, LedgerLine, Mailbox, Notice, Person, RawMail
from acuse.policy.kinds import KINDS
from tests.world import START, World, last_line


def written(
    sender: str,
    text: str = "No puedo imprimir las facturas.",
    subject: str = "No imprime",
    to: str = "soporte@example.com",
    message_id: str = "",
    attach: tuple[str, bytes] | None = None,
    **headers: str,
) -> bytes:
    """A raw mail; header names with _ for -."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if message_id:
        message["Message-ID"] = f"<{message_id}>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if attach is not None:
        message.add_attachment(attach[1], maintype="application", subtype="pdf", filename=attach[0])
    return message.as_bytes()


def proven(world: World, sender: str, *more: str, verdict: str = "pass", **headers: Any) -> bytes:
    """A raw mail about whose author our own mail server has found this out (RFC 8601)."""
    world.mailbox.authserv_id = "mx.example.com"
    world.mailbox.save()
    domain = parseaddr(sender)[1].rpartition("@")[2]
    found = f"mx.example.com; dmarc={verdict} header.from={domain}"
    return f"Authentication-Results: {found}\r\n".encode() + written(sender, *more, **headers)


def kept(content: bytes, at: datetime = START, to: str = "soporte@example.com") -> RawMail:
    """The mail as the listener would keep it."""
    mailbox = Mailbox.objects.get(address=to.replace("+", "@").split("@")[0] + "@example.com")
    return mail.keep(content, mailbox, arrived_at=at, envelope_to=[to])


def arrived(
    content: bytes,
    at: datetime = START,
    to: str = "soporte@example.com",
    now: datetime | None = None,
) -> RawMail:
    """The mail, kept and read."""
    raw = kept(content, at, to)
    intake.take_in(raw.pk, now or at)
    return RawMail.objects.select_related("case", "person").get(pk=raw.pk)


def key_address(case: Case, person: Any) -> str:
    """The address to which this person answers on this case."""
    return replies.reply_address(Case.objects.get(pk=case.pk), person.pk)


# What the lines of these kinds always name.
ALWAYS: dict[str, dict[str, object]] = {
    "route": {"outcome": "assigned", "level": "n1", "language": "es", "open_cases": 3},
    "watch": {"following": True},
}


def notices_of_every_kind(
    case: Case, people: Iterable[Person], told: Mapping[str, object] | None = None
) -> Iterator[Notice]:
    """A line of each kind on the case, by somebody, and its notice to each of the people. What a
    line names is the newest of its sort on the case; `told` are further fields."""
    named = {
        "message": case.messages.latest("pk").pk,
        "version": case.versions.latest("pk").pk,
        "estimate": case.estimates.latest("pk").pk,
        "wait": case.waits.latest("pk").pk,
        **(told or {}),
    }
    last = last_line(case)
    for number, kind in enumerate(KINDS.values(), 1):
        fields = dict.fromkeys(kind.fields) | ALWAYS.get(kind.name, {})
        line = LedgerLine.objects.create(
            case=case,
            seq=last.seq + number,
            kind=kind.name,
            kind_version=1,
            payload=fields | {name: value for name, value in named.items() if name in fields},
            audience=kind.audience,
            at=last.at,
            recorded_at=last.recorded_at,
            author=last.author,
            author_kind="person",
            channel="desk",
            stage_to=last.stage_to,
            ball=last.ball,
            previous=last.hash,
            hash=last.hash,
        )
        for person in people:
            yield Notice.objects.create(case=case, line=line, person=person, legal=kind.legal)


@dataclass
class Postman:
    """What was handed over for sending, as (envelope sender, recipient, message)."""

    taken: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    refuse: smtp.NotTaken | None = None

    def send(self, server: object, sender: str, recipient: str, content: bytes) -> None:
        if self.refuse is not None:
            raise self.refuse
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((sender, recipient, message))

    def to(self, address: str) -> list[EmailMessage]:
        return [message for _, recipient, message in self.taken if recipient == address]


@contextmanager
def postman(**more: Any) -> Iterator[Postman]:
    """Instead of a mail server."""
    one = Postman(**more)
    with patch.object(smtp, "send", one.send):
        yield one


def send_all(at: datetime = START) -> None:
    """Send every notice that waits."""
    for notice in list(Notice.objects.order_by("pk").values_list("pk", flat=True)):
        sending.send(notice, lambda: at)


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
