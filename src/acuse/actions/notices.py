"""How far a notice has come on its way out: queued, sending, sent, or why not (P12, P23).

At least once is sent, at most once is seen: the Message-ID never changes. A notice that carries
a delivery proves it when the mail server takes it, and the other way round.
"""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta

from django.db import OperationalError, models, transaction
from procrastinate.contrib.django import app

from ..models import Address, Notice, NoticeState
from ..policy.authors import POSTMAN, Occasion
from ..policy.refusals import Refused
from . import deliveries

SEND = "send_notices"
MOST_TRIES = 40  # over some five days, as mail servers do (RFC 5321, 4.5.4.1)
PAUSE = timedelta(seconds=30)  # before the second try, doubling
LONGEST_PAUSE = timedelta(hours=4)

_PENDING = (NoticeState.QUEUED, NoticeState.SENDING)


def pending(now: datetime) -> models.QuerySet[Notice]:
    """Notices that wait to be sent, and those that a killed worker was sending."""
    return Notice.objects.filter(
        models.Q(not_before__isnull=True) | models.Q(not_before__lte=now), state__in=_PENDING
    )


@transaction.atomic
def claim(notice_id: int, now: datetime) -> Notice | None:
    """Take a notice for sending, which the next tries must know of before the server does; None
    where there is nothing to send. Whoever is no longer active is not written to."""
    found = pending(now).filter(pk=notice_id).select_for_update().first()
    if found is None:
        return None
    if not found.person.is_active:
        found.state = NoticeState.SUPPRESSED
        found.save(update_fields=["state"])
        return None
    found.state, found.tries = NoticeState.SENDING, found.tries + 1
    found.save(update_fields=["state", "tries"])
    return found


def mark_sent(notice: Notice, at: datetime) -> None:
    """The mail server took it: if it carries a delivery, that is its proof (P23). Both are kept
    together; where the proof runs into trouble, the notice says so and is not sent again."""
    try:
        with transaction.atomic():
            _note_sent(notice, at)
            if notice.dispatch is not None:
                _tell_case(notice, at, proven=True)
    except OperationalError:  # the database's trouble, not the proof's: sent again, it passes
        raise
    except Exception:
        _note_sent(notice, at, traceback.format_exc()[-2000:])


def _note_sent(notice: Notice, at: datetime, error: str = "") -> None:
    notice.state, notice.sent_at, notice.error = NoticeState.SENT, at, error
    notice.save(update_fields=["state", "sent_at", "error"])


@transaction.atomic
def mark_not_taken(notice: Notice, error: str, at: datetime) -> None:
    """The mail server did not take it, for now: later again, and after days given up,
    visible. A delivery that could not be sent has failed."""
    notice.error = error[-2000:]
    if notice.tries >= MOST_TRIES:
        notice.state = NoticeState.FAILED
    else:
        pause = min(LONGEST_PAUSE, PAUSE * 2 ** min(notice.tries - 1, 20))
        notice.state, notice.not_before = NoticeState.QUEUED, at + pause
        seconds = int(pause.total_seconds())
        again = app.configure_task(SEND, queue="mail", schedule_in={"seconds": seconds})
        again.defer(line_id=notice.line_id)
    notice.save(update_fields=["error", "state", "not_before"])
    if notice.state == NoticeState.FAILED and notice.dispatch is not None:
        _tell_case(notice, at, proven=False)


@transaction.atomic
def mark_bounced(notice: Notice, error: str, at: datetime) -> None:
    """It came back, or the server refused it for good: the address bounces, and a delivery that
    it carried has failed (P23, P24)."""
    notice = Notice.objects.select_for_update(of=("self",)).get(pk=notice.pk)
    if notice.state == NoticeState.BOUNCED:
        return
    notice.state, notice.error = NoticeState.BOUNCED, error[-2000:]
    notice.save(update_fields=["state", "error"])
    Address.objects.filter(
        person=notice.person_id, email__iexact=notice.person.email, bouncing_since__isnull=True
    ).update(bouncing_since=at)
    if notice.dispatch is not None:
        _tell_case(notice, at, proven=False)


def _tell_case(notice: Notice, at: datetime, *, proven: bool) -> None:
    """Prove or fail the delivery; a case that has gone past its terms needs neither."""
    dispatch = notice.dispatch
    assert dispatch is not None
    occasion = Occasion(notice.case_id, POSTMAN, max(at, notice.case.opened_at))
    try:
        if proven:
            deliveries.prove_delivery(occasion, version=dispatch.version, dispatch=dispatch)
        else:
            deliveries.fail_delivery(occasion, dispatch=dispatch)
    except Refused as refusal:
        if refusal.code != "not_in_stage":
            raise
