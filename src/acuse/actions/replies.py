"""A reply from the desk: pressed, taken back within a pause, or said by the ordinary acts.

Nothing is said before the pause has ended, so taking a reply back needs no line in the ledger: it
never happened. The row and its job are the server's, so the browser may be closed meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app

from ..models import Addressee, Case, LedgerLine, Person, Queue, Sending, SendingState
from ..policy import authors
from ..policy.authors import Channel, Occasion
from ..policy.files import File
from ..policy.refusals import Refused
from ..policy.replies import PAUSE
from ..policy.stages import ACTS
from . import conversation, life, triage
from .permission import require_allowed

SEND = "send_reply"
UNSAID = (SendingState.UNDONE, SendingState.REFUSED)  # over, and nothing was said


@dataclass(frozen=True)
class Beside:
    """What is done beside a reply, each by its ordinary act: take the case, assign it, and wait
    for somebody's answer (the reply is then a question)."""

    take: bool = False
    assignee: Person | None = None
    queue: Queue | None = None
    wait_for: Addressee | None = None

    @property
    def acts(self) -> tuple[str, ...]:
        """The acts in the order in which they are done; the reply itself comes first."""
        assigns = self.assignee is not None or self.queue is not None
        return (
            "ask" if self.wait_for else "comment",
            *(["take"] if self.take else []),
            *(["assign"] if assigns else []),
        )


def press_send(
    occasion: Occasion,
    *,
    text: str,
    files: Sequence[File] = (),
    beside: Beside | None = None,
) -> Sending:
    """Somebody of the firm sends a reply: it is said after the pause, unless they take it back.
    What the tables would refuse now is refused now; the same key sends once. Raises Refused."""
    beside = beside or Beside()
    assert occasion.case_id is not None
    before = Sending.objects.filter(person=occasion.by.person_id, key=occasion.key)
    # What was taken back or refused was not sent: its form may be, once more, with the same key.
    if occasion.key and (pressed := before.exclude(state__in=UNSAID).first()) is not None:
        return pressed
    case = Case.objects.get(pk=occasion.case_id)
    _require_sayable(case, text, files, beside)
    for name in beside.acts:  # before anything is written, so that a refusal stays noted
        require_allowed(name, occasion)
    return _keep(occasion, case, text.strip(), files, beside)


@transaction.atomic
def _keep(
    occasion: Occasion, case: Case, text: str, files: Sequence[File], beside: Beside
) -> Sending:
    """The reply with its job. The author is locked, so that two copies of one request wait for
    each other."""
    people = Person.objects.select_for_update(no_key=True)
    author = people.get(pk=occasion.by.person_id or 0)
    drop_kept(case, author)
    Sending.objects.filter(person=author, key=occasion.key, state__in=UNSAID).delete()
    sending, new = Sending.objects.get_or_create(
        person=author,
        key=occasion.key or uuid.uuid4().hex,  # without a key every press is another
        defaults={
            "case": case,
            "text": text,
            "files": [asdict(file) for file in files],
            "pressed_at": occasion.at,
            "due_at": occasion.at + PAUSE,
            "take": beside.take,
            "assignee": beside.assignee,
            "queue": beside.queue,
            "wait_for": beside.wait_for or "",
        },
    )
    if new:
        pause = {"seconds": int(PAUSE.total_seconds())}
        later = app.configure_task(SEND, queue="mail", schedule_in=pause)
        later.defer(sending_id=sending.pk)
    return sending


def _require_sayable(case: Case, text: str, files: Sequence[File], beside: Beside) -> None:
    """What the act would refuse of its own, told while its author is still there."""
    row = ACTS[beside.acts[0]]
    if not text.strip() and (beside.wait_for or not files):
        raise Refused("text_required", row.name, case.stage, row.who, "text")
    if beside.wait_for and case.waits.filter(ended_at__isnull=True).exists():
        raise Refused("wait_open", row.name, case.stage, row.who, "wait_for")


@transaction.atomic
def take_back(sending: Sending) -> Sending:
    """Its author takes a reply back before it is said; afterwards it stays as it is. The first of
    the two, this or the sending, wins. Raises Sending.DoesNotExist."""
    row = Sending.objects.select_for_update().get(pk=sending.pk)
    if row.state == SendingState.WAITING:
        row.state = SendingState.UNDONE
        row.save(update_fields=["state"])
    return row


def drop_kept(case: Case, person: Person) -> None:
    """Forget what somebody took back, or what was refused, on a case: they have written anew, or
    want it no more. What was said stays, without what was refused beside it."""
    kept = Sending.objects.filter(case=case, person=person)
    kept.filter(state__in=UNSAID).delete()
    kept.filter(state=SendingState.SENT).exclude(refusals=[]).update(refusals=[])


def due(at: datetime) -> QuerySet[Sending]:
    """The replies whose pause has ended and that have not been said."""
    return Sending.objects.filter(state=SendingState.WAITING, due_at__lte=at)


@transaction.atomic
def send(sending_id: int, at: datetime) -> LedgerLine | None:
    """Say a reply whose pause has ended, and do what is beside it. The moment is that of the
    act: nobody could read it before. None where there is nothing to say (any more), or where it
    is refused: then it is kept for its author, and nothing beside it is done."""
    row = Sending.objects.select_for_update().filter(pk=sending_id).first()
    if row is None or row.state != SendingState.WAITING or row.due_at > at:
        return None
    try:
        line = _say(row, at)
    except Refused as refusal:
        row.state, row.refusals = SendingState.REFUSED, [[refusal.act, refusal.code]]
        row.save(update_fields=["state", "refusals"])
        return None
    row.state, row.line, row.text, row.files = SendingState.SENT, line, "", []
    row.refusals = _do_beside(row, at)
    row.save(update_fields=["state", "line", "text", "files", "refusals"])
    return line


def _say(row: Sending, at: datetime) -> LedgerLine:
    files = tuple(File(**file) for file in row.files)
    occasion = _occasion(row, at, "reply")
    if not row.wait_for:
        return conversation.comment(occasion, text=row.text, files=files)
    return conversation.ask(
        occasion, addressee=Addressee(row.wait_for), text=row.text, files=files, said=True
    )


def _do_beside(row: Sending, at: datetime) -> list[list[str]]:
    """The acts beside the reply; what is refused of them does not unsay it."""
    refused = []
    try:
        if row.take:
            life.take(_occasion(row, at, "take"))
    except Refused as refusal:
        refused.append([refusal.act, refusal.code])
    try:
        if row.assignee is not None or row.queue is not None:
            triage.assign(
                _occasion(row, at, "assign"),
                person=row.assignee or Case.objects.get(pk=row.case_id).assignee,
                queue=row.queue,
            )
    except Refused as refusal:
        refused.append([refusal.act, refusal.code])
    return refused


def _occasion(row: Sending, at: datetime, part: str) -> Occasion:
    by = authors.person(row.person_id, Channel.DESK)
    return Occasion(row.case_id, by, at, f"sending-{row.pk}-{part}")
