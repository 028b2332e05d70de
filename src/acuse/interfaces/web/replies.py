"""The keys that our mail carries, made for one person on one case and read back from answers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import cache

from django.conf import settings

from acuse.config import config
from acuse.models import Case, Digest, Mailbox, Notice
from acuse.policy import keys
from acuse.policy.keys import Inlet, ReplyKey


@cache
def _secret() -> bytes:
    """A secret of its own, derived from the installation's: a leak of one is not one of all."""
    return hmac.new(settings.SECRET_KEY.encode(), b"acuse mail keys 1", hashlib.sha256).digest()


def inlet_of(case: Case) -> Inlet:
    """How answers on this case come in: by the mailbox it came to, else by the main one."""
    mailbox = case.mailbox
    if mailbox is None or not mailbox.active:
        mailbox = _main_mailbox() or mailbox
    return _inlet(mailbox)


def main_inlet() -> Inlet:
    """How mail comes in that is of no single case."""
    return _inlet(_main_mailbox())


def _main_mailbox() -> Mailbox | None:
    return Mailbox.objects.filter(address__lower=config.main_mailbox.lower()).first()


def _inlet(mailbox: Mailbox | None) -> Inlet:
    if mailbox is None:
        return Inlet(config.main_mailbox)
    return Inlet(mailbox.address, mailbox.plus_addressing, mailbox.reply_domain)


def reply_address(case: Case, person_id: int, *, internal: bool = False) -> str:
    """Where this person's answers on this case go (mail rule 5); `internal`: to what the firm
    alone was told."""
    return keys.reply_address(inlet_of(case), case.pk, person_id, _secret(), internal=internal)


def bounce_address(notice: Notice) -> str:
    """The envelope sender of a notice, to which it comes back if it cannot be delivered."""
    return keys.bounce_address(inlet_of(notice.case), notice.pk, _secret())


def message_id(notice: Notice) -> str:
    """The Message-ID of a notice, without brackets; always the same."""
    domain = config.mail_domain
    return keys.message_id(notice.case_id, notice.person_id, notice.pk, domain, _secret())


def digest_bounce_address(digest: Digest) -> str:
    """The envelope sender of a digest, to which it comes back if it cannot be delivered."""
    return keys.bounce_address(main_inlet(), digest.pk, _secret(), digest=True)


def digest_message_id(digest: Digest) -> str:
    """The Message-ID of a digest, without brackets; always the same."""
    return keys.digest_message_id(digest.pk, config.mail_domain, _secret())


def find_reply_key(addresses: Iterable[str]) -> ReplyKey | None:
    """The first key that is ours among these addresses."""
    found = (keys.read_reply_address(address, _secret()) for address in addresses)
    return next((key for key in found if key is not None), None)


def find_bounce_key(addresses: Iterable[str]) -> int | None:
    """The id of the notice that the first of our bounce addresses among these names."""
    found = (keys.read_bounce_address(address, _secret()) for address in addresses)
    return next((key for key in found if key is not None), None)


def find_message_key(ids: Iterable[str]) -> ReplyKey | None:
    """The first of these Message-IDs that is ours."""
    found = (keys.read_message_id(value, _secret()) for value in ids)
    return next((key for key in found if key is not None), None)


def find_digest_bounce_key(addresses: Iterable[str]) -> int | None:
    """The id of the digest that the first of our bounce addresses among these names."""
    found = (keys.read_bounce_address(value, _secret(), digest=True) for value in addresses)
    return next((key for key in found if key is not None), None)


def find_digest_key(ids: Iterable[str]) -> int | None:
    """The id of the first of our digests among these Message-IDs."""
    found = (keys.read_digest_message_id(value, _secret()) for value in ids)
    return next((key for key in found if key is not None), None)
