"""A kept mail with what is found in it: what the steps of reading look at."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from acuse.actions.mail import Reading
from acuse.connectors import storage
from acuse.interfaces.mail.authentication import Head, read_head
from acuse.interfaces.mail.parse import parse
from acuse.interfaces.web import replies
from acuse.models import (
    Authentication,
    MailState,
    Membership,
    OrganisationKind,
    Person,
    RawMail,
    sql,
)
from acuse.models.people import find_person
from acuse.models.roles import roles_on
from acuse.policy.files import File
from acuse.policy.keys import ReplyKey
from acuse.policy.stages import FIRM_ROLES, Role

LANGUAGES = ("es", "en", "pt")
MADE_ID = "@no-message-id.invalid"  # RFC 2606: nobody's domain
LONGEST_ID = 998  # characters of a Message-ID that are kept


class Letter:
    """A kept mail with what parsing found in it, read at `now`. Its author is who the one From
    names, never Reply-To or Sender; where that is not clear, nobody (mail rule 8)."""

    def __init__(self, raw: RawMail, now: datetime) -> None:
        self.raw, self.now = raw, now
        self.parsed: dict[str, Any] = parse(bytes(raw.content))
        self.sender: str = self.parsed["from_email"].lower()
        self.message_id: str = self.parsed["message_id"] or f"{self.fingerprint()}{MADE_ID}"

    @cached_property
    def head(self) -> Head:
        """Its headers as they came."""
        return read_head(bytes(self.raw.content))

    @cached_property
    def clear(self) -> bool:
        """Whether it names exactly one author."""
        return "@" in self.sender and self.head.is_clear()

    @cached_property
    def person(self) -> Person | None:
        """Its author, if we know that address."""
        return find_person(self.sender) if self.clear else None

    @property
    def proven(self) -> bool:
        """Whether the author's domain vouches for it."""
        return self.raw.authentication == Authentication.PASS

    @property
    def spoofed(self) -> bool:
        """Whether the author's domain says that it is not theirs."""
        return self.raw.authentication == Authentication.FAIL

    @cached_property
    def by_firm(self) -> bool:
        """Whether its author was one of the firm when it arrived."""
        roles = roles_on(None, self.person, self.raw.arrived_at) if self.person else set()
        return bool(roles & FIRM_ROLES)

    def by_approver(self) -> bool:
        """Whether its author leads an area of a customer or owns its service."""
        held = Membership.objects.in_force(self.raw.arrived_at).filter(person=self.person)
        return held.filter(role__in=[Role.OWNER, Role.LEAD]).exists()

    def borrows_name(self) -> bool:
        """Whether somebody unknown writes under the name of one of the firm."""
        name = _plain_name(self.parsed["from_name"])
        if self.person is not None or not name:
            return False
        firm = Membership.objects.in_force(self.raw.arrived_at).filter(
            organisation__kind=OrganisationKind.FIRM
        )
        return name in map(_plain_name, firm.values_list("person__name", flat=True))

    def fingerprint(self) -> str:
        """What is the same in two copies of one mail that came by different ways."""
        parsed = self.parsed
        parts = [parsed["from_email"], parsed["subject"], str(parsed["date"]), parsed["text"]]
        parts += [hashlib.sha256(file["data"]).hexdigest() for file in parsed["attachments"]]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()

    def answered_ids(self) -> list[str]:
        """The Message-IDs that it answers, newest first."""
        ids = [self.parsed["in_reply_to"], *self.parsed["references"]]
        return list(dict.fromkeys(filter(None, ids)))

    def known_mails(self, *ids: str) -> list[RawMail]:
        """The other mails that we keep with one of these Message-IDs, oldest first."""
        wanted = {value[:LONGEST_ID] for value in ids}
        return [other for other in self._others if other.message_id in wanted]

    @cached_property
    def _others(self) -> list[RawMail]:
        """What carries the same Message-ID or one that it answers; mostly there is nothing."""
        ids = [value[:LONGEST_ID] for value in (self.message_id, *self.answered_ids())]
        found = sql.ask("select id from acuse_rawmail where message_id = any(%s)", [ids])
        others = {pk for (pk,) in found} - {self.raw.pk}
        if not others:
            return []
        rows = RawMail.objects.filter(pk__in=others).select_related("case").defer("content")
        return list(rows.order_by("pk"))

    def is_ours(self, address: str) -> bool:
        """Whether mail to an address comes to one of our mailboxes, also a retired one."""
        local, at, domain = address.strip().lower().rpartition("@")
        plain = f"{local.partition('+')[0]}@{domain}"  # RFC 5233
        addresses, domains = self._our_addresses
        return bool(at) and (domain in domains or bool({f"{local}@{domain}", plain} & addresses))

    @cached_property
    def _our_addresses(self) -> tuple[set[str], set[str]]:
        rows = sql.ask("select address, reply_domain from acuse_mailbox")
        addresses, domains = zip(*rows, strict=True) if rows else ((), ())
        return {a.lower() for a in addresses}, {d.lower() for d in domains if d}

    def listed(self) -> list[dict[str, str]]:
        """Whom it names in To and Cc, as {"name", "email"}."""
        return [*self.parsed["to"], *self.parsed["cc"]]

    def key(self) -> ReplyKey | None:
        """Our key in the addresses it was sent to, else in what it answers (mail rules 5, 6)."""
        listed = [entry["email"] for entry in self.listed()]
        addresses = [*self.raw.envelope_to, *self.parsed["delivered_to"], *listed]
        return replies.find_reply_key(addresses) or replies.find_message_key(self.answered_ids())

    @property
    def language(self) -> str:
        """The language it is written in, else the sender's, else that of the mailbox's customer."""
        guessed = self.parsed["language"]
        if guessed in LANGUAGES:
            return str(guessed)
        if self.person is not None:
            return self.person.language
        customer = self.raw.mailbox.organisation if self.raw.mailbox is not None else None
        return customer.language if customer is not None else "es"

    def words(self) -> str:
        """All that it says; of a mail that was too large to keep, that it was."""
        if self.raw.complete:
            return str(self.parsed["text"]).rstrip().lstrip("\r\n")
        megabytes = number_format(max(self.raw.size / 1_000_000, 0.1), 1)
        with translation.override(self.person.language if self.person else self.language):
            return _(
                "This mail was too large (%(size)s MB): only its headers have been kept. Its "
                "sender is asked to upload what belongs to it."
            ) % {"size": megabytes}

    def answer(self) -> str:
        """What is new in it: the words without what they quote, if any are left."""
        if not self.raw.complete:
            return self.words()
        return str(self.parsed["reply_text"].strip() or self.parsed["text"])

    def subject(self, language: str) -> str:
        """Its subject, else its first line, else words for none."""
        lines: Iterable[str] = (self.parsed["subject"], *self.parsed["text"].splitlines())
        found = next((" ".join(line.split()) for line in lines if line.strip()), "")
        if found:
            return found
        with translation.override(language):
            return _("(no subject)")

    def is_reading(self, state: MailState, reason: str = "", **more: Any) -> Reading:
        """What it turned out to be."""
        more.setdefault("person", self.person)
        subject = self.parsed["subject"]
        return Reading(
            state,
            reason,
            message_id=self.message_id,
            subject=subject,
            sender=self.sender,
            **more,
        )


def _plain_name(name: str) -> str:
    """A name as a hurried reader sees it: without case, accents, quotes and double spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(letters.replace('"', " ").replace("'", " ").split())


def keep_files(attachments: Iterable[dict[str, Any]]) -> list[File]:
    """Keep the bytes of a mail's files; what an act attaches."""
    return [
        File(
            storage.put([file["data"]])[0],
            file["size"],
            file["shown_name"],
            file["content_type"],
            file["cid"],
        )
        for file in attachments
    ]
