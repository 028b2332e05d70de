"""How the reading of a polled mailbox goes: what is kept of it beside the mails themselves
(mail rules 1 to 3 and 20)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from ..models import ImapAccount, Mailbox, MailState, RawMail

UNFETCHED = "unfetched"  # the reason of a mail that the server would not give


@transaction.atomic
def begin(account: ImapAccount, place: str, uid_validity: int) -> None:
    """A folder is about to be read. In another place than before the same UIDs are other mails,
    so what they were is forgotten; its mails stay known by their hashes."""
    if account.place not in ("", place):
        RawMail.objects.filter(mailbox=account.mailbox_id, uid__isnull=False).update(
            uid_validity=None, uid=None
        )
    if (account.place, account.uid_validity) != (place, uid_validity):
        account.place, account.uid_validity = place, uid_validity
        account.save(update_fields=["place", "uid_validity"])


def find_states(mailbox: Mailbox, uid_validity: int, uids: Iterable[int]) -> dict[int, str]:
    """The states of those mails of a folder that are kept, by UID."""
    rows = RawMail.objects.filter(mailbox=mailbox, uid_validity=uid_validity, uid__in=list(uids))
    return {uid: state for uid, state in rows.values_list("uid", "state") if uid is not None}


def adopt(raw: RawMail, uid: tuple[int, int]) -> bool:
    """A mail that is kept was found under a UID: from now on it is known by it, unless it is
    known already by another of the same numbering. Returns whether this UID is the mail's."""
    if raw.uid_validity != uid[0]:
        raw.uid_validity, raw.uid = uid
        raw.save(update_fields=["uid_validity", "uid"])
    return raw.uid == uid[1]


def keep_unfetched(
    mailbox: Mailbox,
    uid: tuple[int, int],
    *,
    head: bytes | None,
    size: int,
    arrived_at: datetime,
    error: str,
) -> RawMail:
    """Set aside a mail that the server would not give after all tries: what is known of it is
    kept, as failed, for somebody at the firm to see. size: bytes, as the server says, or 0."""
    content = (
        head or f"Comments: UID {uid[1]} of {uid[0]}, not given by the server\r\n\r\n".encode()
    )
    return RawMail.objects.get_or_create(
        mailbox=mailbox,
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={
            "uid_validity": uid[0],
            "uid": uid[1],
            "content": content,
            "size": size,
            "complete": False,
            "arrived_at": arrived_at,
            "state": MailState.FAILED,
            "reason": UNFETCHED,
            "detail": error[-4000:],
        },
    )[0]


@transaction.atomic
def note_success(
    account: ImapAccount,
    at: datetime,
    *,
    next_at: datetime,
    read_until: datetime | None,
    warning: str = "",
) -> None:
    """The mailbox was read. read_until: all that arrived before it is kept (None: not all was);
    warning: what did not work beside the reading."""
    ImapAccount.objects.filter(pk=account.pk).update(
        polled_at=at, next_poll_at=next_at, failures=0, error=warning[-4000:]
    )
    if read_until is not None:
        behind = Q(read_until__isnull=True) | Q(read_until__lt=read_until)
        Mailbox.objects.filter(behind, pk=account.mailbox_id).update(read_until=read_until)


def ask_for_look(account: ImapAccount, at: datetime) -> None:
    """Somebody wants the mailbox read now: the poller sees it within seconds."""
    ImapAccount.objects.filter(pk=account.pk).update(next_poll_at=at)


def note_failure(account: ImapAccount, error: str, next_at: datetime) -> None:
    """The mailbox could not be read; when it is tried again."""
    ImapAccount.objects.filter(pk=account.pk).update(
        failures=F("failures") + 1, error=error[-4000:], next_poll_at=next_at
    )


def note_token(account: ImapAccount, until: datetime) -> None:
    """Until when the access token in use is good."""
    ImapAccount.objects.filter(pk=account.pk).update(token_until=until)


def replace_secrets(account: ImapAccount, sealed: str) -> None:
    """Who gives tokens gave a new refresh token too. What somebody has entered meanwhile stays."""
    same = ImapAccount.objects.filter(pk=account.pk, sealed=account.sealed)
    if same.update(sealed=sealed):
        account.sealed = sealed
