"""How far a notice has come on its way out: queued, sending, sent, or why not (P12, P23).

At least once is sent, at most once is seen: the Message-ID never changes. A notice that carries
a delivery proves it when the mail server takes it, and the other way round.
"""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta

from django.db import OperationalError, connection, models, transaction
from procrastinate.contrib.django import app

from ..models import (
    Address,
    Notice,
    NoticeState,
    Outcome,
    RawMail,
    Suppression,
    Version,
)
from ..policy.authors import POSTMAN, AuthorKind, Occasion
from ..policy.brakes import TO_KNOWN, TO_STRANGERS, find_brake
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
    where there is nothing to send now. Whoever is no longer active is not written to, and a
    confirmation has to pass the brakes."""
    rows = Notice.objects.select_related("person", "line", "case")
    found = (
        rows.filter(pk__in=pending(now).filter(pk=notice_id))
        .select_for_update(of=("self",))
        .first()
    )
    if found is None:
        return None
    if not found.person.is_active:
        _suppress(found, Suppression.INACTIVE)
        return None
    if found.is_confirmation and found.taken_at is None and not _passes_brakes(found, now):
        return None
    found.state, found.tries = NoticeState.SENDING, found.tries + 1
    found.taken_at = found.taken_at or now
    found.save(update_fields=["state", "tries", "taken_at", "to_stranger"])
    return found


def _passes_brakes(notice: Notice, now: datetime) -> bool:
    """Whether a confirmation may go now (mail rule 12). One to a stranger that may not never
    goes: the case is there, and the desk sees it. One to somebody known waits."""
    notice.to_stranger = _is_to_stranger(notice, now)
    with connection.cursor() as cursor:  # two workers count one after the other
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('confirmations', 0))")
    stopped = find_brake(
        TO_STRANGERS if notice.to_stranger else TO_KNOWN,
        lambda limit: Notice.objects.confirmed_at(limit, now, notice.person),
    )
    if stopped is None:
        return True
    limit, until = stopped
    if notice.to_stranger:
        _suppress(notice, Suppression(f"brake_{limit.scope}"))
    else:
        notice.not_before = until
        notice.save(update_fields=["not_before"])
        _send_again(notice, until - now)
    return False


def _is_to_stranger(notice: Notice, now: datetime) -> bool:
    """Whether nobody vouches for the address: it has not been proven, its person belongs to no
    customer nor to the firm, and the case was opened in their name, not by somebody known."""
    person = notice.person
    proven = Address.objects.filter(
        person=person, email__lower=person.email.lower(), verified_at__isnull=False
    )
    by_themselves = notice.line.author_kind == AuthorKind.PERSON and (
        notice.line.author_id == person.pk
    )
    return by_themselves and not (proven.exists() or person.memberships.in_force(now).exists())


def _suppress(notice: Notice, reason: Suppression) -> None:
    notice.state, notice.reason = NoticeState.SUPPRESSED, reason
    notice.save(update_fields=["state", "reason", "to_stranger"])


def _send_again(notice: Notice, pause: timedelta) -> None:
    seconds = max(1, int(pause.total_seconds()))
    again = app.configure_task(SEND, queue="mail", schedule_in={"seconds": seconds})
    again.defer(line_id=notice.line_id)


def mark_sent(notice: Notice, at: datetime) -> None:
    """The mail server took it: if it carries a delivery, that is its proof (P23). Both are kept
    together; where the proof runs into trouble, the notice says so and is not sent again. What has
    come back before this could be noted has arrived nowhere and proves nothing."""
    try:
        with transaction.atomic():
            if _has_come_back(notice):
                return
            _note_sent(notice, at)
            if notice.dispatch is not None:
                _prove(notice, at)
    except OperationalError:  # the database's trouble, not the proof's: sent again, it passes
        raise
    except Exception:
        _note_sent(notice, at, traceback.format_exc()[-2000:])


def _has_come_back(notice: Notice) -> bool:
    """Whether it came back while it was being handed over; nobody changes that until the end of
    the transaction."""
    row = Notice.objects.select_for_update().filter(pk=notice.pk)
    return row.values_list("state", flat=True).get() == NoticeState.BOUNCED


def _note_sent(notice: Notice, at: datetime, error: str = "") -> None:
    notice.state, notice.sent_at, notice.error = NoticeState.SENT, at, error
    notice.save(update_fields=["state", "sent_at", "error"])


@transaction.atomic
def mark_not_taken(notice: Notice, error: str, at: datetime) -> None:
    """The mail server did not take it, for now: later again, and after days given up,
    visible. A delivery that could not be sent has failed."""
    if _has_come_back(notice):
        return
    notice.error = error[-2000:]
    if notice.tries >= MOST_TRIES:
        notice.state = NoticeState.FAILED
    else:
        pause = min(LONGEST_PAUSE, PAUSE * 2 ** min(notice.tries - 1, 20))
        notice.state, notice.not_before = NoticeState.QUEUED, at + pause
        _send_again(notice, pause)
    notice.save(update_fields=["error", "state", "not_before"])
    if notice.state == NoticeState.FAILED and notice.dispatch is not None:
        _unprove(notice, at)


@transaction.atomic
def mark_bounced(
    notice: Notice,
    error: str,
    at: datetime,
    *,
    raw_mail: RawMail | None = None,
    now: datetime | None = None,
) -> str:
    """It came back at a moment (`raw_mail` says so, read `now`), or the server refused it for
    good: the address bounces, and a delivery that it carried has failed (P23, P24). Returns in
    words what has to stay as it is though its proof is gone: a manager decides."""
    notice = Notice.objects.select_for_update(of=("self",)).get(pk=notice.pk)
    if notice.state == NoticeState.BOUNCED:
        return ""
    notice.state, notice.error = NoticeState.BOUNCED, error[-2000:]
    notice.save(update_fields=["state", "error"])
    Address.objects.filter(
        person=notice.person_id,
        email__lower=notice.person.email.lower(),
        bouncing_since__isnull=True,
    ).update(bouncing_since=at)
    if notice.dispatch is None:
        return ""
    return _unprove(notice, at, raw_mail=raw_mail, now=now)


def _occasion(notice: Notice, at: datetime) -> Occasion:
    return Occasion(notice.case_id, POSTMAN, max(at, notice.case.opened_at))


def _prove(notice: Notice, at: datetime) -> None:
    """Prove the delivery; a case that has gone past its terms does not need it."""
    copy = notice.dispatch
    assert copy is not None
    try:
        deliveries.prove_delivery(_occasion(notice, at), version=copy.version, dispatch=copy)
    except Refused as refusal:
        if refusal.code != "not_in_stage":
            raise


def _unprove(
    notice: Notice, at: datetime, *, raw_mail: RawMail | None = None, now: datetime | None = None
) -> str:
    """Note that the copy did not arrive. Where the term rested on it, the term runs from the
    first proof that stands; what silence accepted meanwhile is annulled (P23, P24)."""
    copy = notice.dispatch
    assert copy is not None
    try:
        deliveries.fail_delivery(_occasion(notice, at), dispatch=copy)
    except Refused as refusal:
        if refusal.code != "not_in_stage":
            raise
        return ""
    version = Version.objects.get(pk=copy.version_id)
    if not deliveries.rests_on_lost_proof(version):
        return ""
    occasion = _occasion(notice, max(at, now or at))
    try:
        if version.outcome == Outcome.TACIT:
            deliveries.annul_tacit(occasion, version=version, copy=copy, raw_mail=raw_mail)
        else:
            deliveries.prove_delivery(occasion, version=version)
    except Refused as refusal:
        return f"{version}: {refusal}"
    return ""
