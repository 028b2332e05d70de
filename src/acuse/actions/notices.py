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
    Person,
    RawMail,
    Suppression,
    Transport,
    Version,
)
from ..policy.authors import POSTMAN, AuthorKind, Channel, Occasion
from ..policy.brakes import (
    ANSWER_TIME,
    CLOCK_ERROR,
    TO_KNOWN,
    TO_STRANGERS,
    find_brake,
    may_answer,
)
from ..policy.refusals import Refused
from . import deliveries, records
from .grouping import goes_now

SEND = "send_notices"
NOTICE = "notice"  # what a Change of one is about
MOST_TRIES = 40  # over some five days, as mail servers do (RFC 5321, 4.5.4.1)
PAUSE = timedelta(seconds=30)  # before the second try, doubling
LONGEST_PAUSE = timedelta(hours=4)
MOST_RELEASED = 200  # at once

_PENDING = (NoticeState.QUEUED, NoticeState.SENDING)


def pending(now: datetime) -> models.QuerySet[Notice]:
    """Notices that wait to be sent, and those that a killed worker was sending."""
    return Notice.objects.filter(
        models.Q(not_before__isnull=True) | models.Q(not_before__lte=now), state__in=_PENDING
    )


@transaction.atomic
def claim(notice_id: int, now: datetime) -> Notice | None:
    """Take a notice for sending, which the next tries must know of before the server does; None
    where there is nothing to send now. Whoever is no longer active is not written to, what its
    person wants otherwise waits (actions/grouping.py), and a confirmation has to pass the
    brakes."""
    rows = Notice.objects.select_related("person__preferences", "line", "case__mailbox")
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
    if not goes_now(found, now):
        return None
    if found.is_confirmation and found.taken_at is None and not _passes_brakes(found, now):
        return None
    found.state, found.tries = NoticeState.SENDING, found.tries + 1
    found.taken_at = found.taken_at or now
    found.save(update_fields=["state", "tries", "taken_at", "to_stranger"])
    return found


def _passes_brakes(notice: Notice, now: datetime) -> bool:
    """Whether a confirmation may go now (mail rule 12). One to a stranger that may not never
    goes: the case is there, and the desk sees it. One to somebody known waits. One that may
    answer a robot waits for a person, whoever it is for; let go, it keeps that reason."""
    notice.to_stranger = _is_to_stranger(notice, now)
    with connection.cursor() as cursor:  # two workers count one after the other
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('confirmations', 0))")
    if notice.reason != Suppression.CIRCLE and _may_answer_a_robot(notice):
        _suppress(notice, Suppression.CIRCLE)
        return False
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


def _may_answer_a_robot(notice: Notice) -> bool:
    """Whether the mail that opened the case came so soon after another confirmation to its
    author that a robot may have written it (RFC 3834, 2), and nobody has shown themselves to be a
    person since."""
    line, mailbox = notice.line, notice.case.mailbox
    if line.channel != Channel.MAIL or line.author_id != notice.person_id:
        return False
    polled = mailbox is not None and mailbox.transport == Transport.IMAP
    error = CLOCK_ERROR if polled else timedelta(0)
    sent = Notice.objects.exclude(pk=notice.pk)
    letters = sent.confirmations_to(notice.person_id, line.at - ANSWER_TIME)
    if not may_answer(line.at, letters, error=error):
        return False
    return not Notice.objects.filter(pk=notice.pk).vouched_for().exists()


@transaction.atomic
def release_vouched(now: datetime) -> int:
    """Send the confirmations that waited for a person, where one has shown themselves since
    (P12): delayed, never dropped. Returns how many."""
    waiting = Notice.objects.filter(state=NoticeState.SUPPRESSED, reason=Suppression.CIRCLE)
    rows = waiting.vouched_for().select_for_update(of=("self",), skip_locked=True)
    released = list(rows.order_by("queued_at", "pk")[:MOST_RELEASED])
    for notice in released:
        queue_again(notice, now)
    return len(released)


@transaction.atomic
def send_again(notice: Notice, *, by: Person, at: datetime) -> None:
    """Somebody at the firm has a letter sent once more that came to nothing, or vouches for whom
    it waited (P12, P23). It is the same letter, under the same Message-ID. Raises ValueError for
    one that is on its way, has arrived or may not be sent."""
    row = Notice.objects.select_for_update(of=("self",)).get(pk=notice.pk)
    if not row.may_go_again:
        raise ValueError(f"notice {row.pk} is {row.state}")
    records.note_change(NOTICE, row.pk, "send_again", by=by, at=at, why=row.error)
    row.tries, row.error = 0, ""
    row.save(update_fields=["tries", "error"])
    queue_again(row, at)


def queue_again(notice: Notice, now: datetime) -> None:
    """Let a notice go out from now on: the same letter, under the same Message-ID."""
    notice.state, notice.not_before = NoticeState.QUEUED, now
    notice.save(update_fields=["state", "not_before"])
    app.configure_task(SEND, queue="mail").defer(line_id=notice.line_id)


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


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries."""
    return min(LONGEST_PAUSE, PAUSE * (1 << min(tries - 1, 20)))


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
        wait = pause_after(notice.tries)
        notice.state, notice.not_before = NoticeState.QUEUED, at + wait
        _send_again(notice, wait)
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
    note_bouncing(notice.person, at)
    if notice.dispatch is None:
        return ""
    return _unprove(notice, at, raw_mail=raw_mail, now=now)


def note_bouncing(person: Person, at: datetime) -> None:
    """What was sent to this person came back: from then on their address bounces."""
    Address.objects.filter(
        person=person, email__lower=person.email.lower(), bouncing_since__isnull=True
    ).update(bouncing_since=at)


def _occasion(notice: Notice, at: datetime) -> Occasion:
    return Occasion(notice.case_id, POSTMAN, max(at, notice.case.opened_at))


def _prove(notice: Notice, at: datetime) -> None:
    """Prove the delivery; a case that has gone past its terms does not need it. A copy that had
    come back and was sent again has its proof now, not then."""
    copy = notice.dispatch
    assert copy is not None
    if copy.bounced_at is not None:
        copy.accepted_at = copy.bounced_at = None
        copy.save(update_fields=["accepted_at", "bounced_at"])
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
