"""Whose mail it is: an address of ours, somebody's elsewhere, or nobody's; and keeping it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError

from django.db.models import Q

from acuse.actions import mail
from acuse.config import config
from acuse.interfaces.mail.decode import decode_header
from acuse.interfaces.web import clock
from acuse.models import Mailbox, RawMail
from acuse.models.people import find_person
from acuse.policy.keys import looks_signed

LARGEST = 50 * 1024 * 1024  # bytes of one mail


@dataclass(frozen=True)
class Recipient:
    """An address that a mail is for, and our mailbox, or None for somebody elsewhere."""

    address: str
    mailbox: Mailbox | None


def find_mailbox(address: str) -> Mailbox | None:
    """Our mailbox of this address: as it is, its plus-part aside (RFC 5233), or by a domain all
    of whose mail is ours, if the address has the form of one that we signed."""
    local, _at, domain = address.strip().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    active = Mailbox.objects.filter(active=True)
    for ours in dict.fromkeys((f"{local}@{domain}", f"{local.rpartition('+')[0]}@{domain}", plain)):
        found = active.filter(address__lower=ours.lower()).first()
        if found is not None:
            return found
    if not looks_signed(address.strip()):
        return None  # a domain for keys would otherwise take what any robot guesses
    return active.filter(reply_domain__iexact=domain).order_by("pk").first()


def find_recipient(address: str) -> Recipient | None:
    """Who gets mail at this address through us, or None: nobody, it is refused.

    In development the demo's own mail for people elsewhere is taken, to be shown on a page and
    never sent on; people whom the firm knows count as elsewhere whatever their domain.
    """
    mailbox = find_mailbox(address)
    if mailbox is not None:
        return Recipient(address, mailbox)
    if config.production:
        return None
    known = find_person(address) is not None
    return Recipient(address, None) if known or not _is_ours(address) else None


def _is_ours(address: str) -> bool:
    domain = address.rpartition("@")[2].lower()
    ours = Q(address__iendswith=f"@{domain}") | Q(reply_domain__iexact=domain)
    return domain == config.mail_domain or Mailbox.objects.filter(ours).exists()


def keep(content: bytes, sender: str, recipients: Iterable[Recipient]) -> list[RawMail]:
    """Keep a mail for each of our mailboxes it is for, once each, as of now; what is for people
    elsewhere is caught for the demo's page. Committed when this returns."""
    arrived_at = clock.now()
    ours: dict[int, tuple[Mailbox, list[str]]] = {}
    elsewhere = []
    for recipient in recipients:
        if recipient.mailbox is None:
            elsewhere.append(recipient.address)
        else:
            ours.setdefault(recipient.mailbox.pk, (recipient.mailbox, []))[1].append(
                recipient.address
            )
    if elsewhere:
        _catch(content, sender, elsewhere)
    return [
        mail.keep(
            content,
            mailbox,
            arrived_at=arrived_at,
            envelope_from=sender,
            envelope_to=addresses,
        )
        for mailbox, addresses in ours.values()
    ]


def _catch(content: bytes, sender: str, recipients: list[str]) -> None:
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    try:
        headers = message_from_bytes(head)
        message_id, subject = str(headers["Message-ID"] or ""), str(headers["Subject"] or "")
    except (MessageError, ValueError):
        message_id = subject = ""
    mail.catch(
        content,
        sender=sender,
        recipients=recipients,
        message_id=message_id.strip().strip("<>"),
        subject=decode_header(subject),
    )
