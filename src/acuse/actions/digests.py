"""How far a digest has come on its way out (P12): as a notice (actions/notices.py), it is sent at
least once and seen at most once, because its lines and its Message-ID never change once taken."""

from __future__ import annotations

from datetime import datetime

from django.db import models, transaction

from ..models import Digest, Notice, NoticeState, Suppression
from ..models.roles import who_left
from . import notices

SEND = "send_digest"

_PENDING = (NoticeState.QUEUED, NoticeState.SENDING)


def pending(now: datetime) -> models.QuerySet[Digest]:
    """Digests whose hour has come, and those that a killed worker was sending."""
    return Digest.objects.filter(state__in=_PENDING, not_before__lte=now)


@transaction.atomic
def claim(digest_id: int, now: datetime) -> Digest | None:
    """Take a digest for sending; None where there is nothing to send now. From the first time on
    nothing joins it, and what its reader may no longer see has been taken out of it."""
    rows = pending(now).filter(pk=digest_id).select_related("person")
    found = rows.select_for_update(of=("self",)).first()
    if found is None:
        return None
    if found.taken_at is None:
        _take_out(found, now)
    found.state, found.tries = NoticeState.SENDING, found.tries + 1
    found.taken_at = found.taken_at or now
    if not found.notices.filter(state=NoticeState.GROUPED).exists():
        found.state = NoticeState.SUPPRESSED
    found.save(update_fields=["state", "tries", "taken_at"])
    return found if found.state == NoticeState.SENDING else None


def _take_out(digest: Digest, now: datetime) -> None:
    """Whoever is not active any more, or has left the customer or the firm, is told nothing."""
    lost = [
        notice.pk
        for notice in digest.notices.select_related("case")
        if not digest.person.is_active or who_left(notice.case, [digest.person], now)
    ]
    Notice.objects.filter(pk__in=lost).update(
        state=NoticeState.SUPPRESSED, reason=Suppression.INACTIVE
    )


@transaction.atomic
def mark_sent(digest: Digest, at: datetime) -> None:
    """The mail server took it: so its notices have been sent."""
    if _has_come_back(digest):
        return
    digest.state, digest.sent_at, digest.error = NoticeState.SENT, at, ""
    digest.save(update_fields=["state", "sent_at", "error"])
    _lines_of(digest).update(state=NoticeState.SENT, sent_at=at)


@transaction.atomic
def mark_not_taken(digest: Digest, error: str, at: datetime) -> None:
    """The mail server did not take it, for now: later again, and after days given up, visible."""
    if _has_come_back(digest):
        return
    digest.error = error[-2000:]
    if digest.tries >= notices.MOST_TRIES:
        digest.state = NoticeState.FAILED
        _lines_of(digest).update(state=NoticeState.FAILED, error=digest.error)
    else:
        digest.state, digest.not_before = NoticeState.QUEUED, at + notices.pause_after(digest.tries)
    digest.save(update_fields=["error", "state", "not_before"])


@transaction.atomic
def mark_bounced(digest: Digest, error: str, at: datetime) -> None:
    """It came back at a moment, or the server refused it for good: so have its notices, and the
    address bounces."""
    digest = Digest.objects.select_for_update(of=("self",)).get(pk=digest.pk)
    if digest.state == NoticeState.BOUNCED:
        return
    digest.state, digest.error = NoticeState.BOUNCED, error[-2000:]
    digest.save(update_fields=["state", "error"])
    _lines_of(digest).update(state=NoticeState.BOUNCED, error=digest.error)
    notices.note_bouncing(digest.person, at)


def _has_come_back(digest: Digest) -> bool:
    """Whether it came back while it was being handed over; nobody changes that until the end of
    the transaction."""
    row = Digest.objects.select_for_update().filter(pk=digest.pk)
    return row.values_list("state", flat=True).get() == NoticeState.BOUNCED


def _lines_of(digest: Digest) -> models.QuerySet[Notice]:
    """The notices that it tells of, or told of; locked in order, as all who change many do."""
    rows = digest.notices.exclude(state=NoticeState.SUPPRESSED).order_by("pk")
    return Notice.objects.filter(pk__in=[row.pk for row in rows.select_for_update()])
