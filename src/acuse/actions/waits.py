"""Questions that nobody answers: who is reminded, and what follows in the end (P10, P13)."""

from __future__ import annotations

from datetime import datetime

from ..journal.writer import Writing, act
from ..models import Addressee, Case, Person, Wait
from ..models.roles import holders_of
from ..policy.kinds import Payload
from ..policy.stages import Role, Stage
from . import conversation, windows
from .writing import recipients


def whom_to_remind(case: Case, wait: Wait, at: datetime) -> list[Person]:
    """Who is to answer: whom the question names or its addressee; who asked it, where a third
    party is waited for, because only the firm can ask there again."""
    if wait.addressee == Addressee.THIRD_PARTY:
        firm = [person for person in (case.assignee, wait.asked_by) if person is not None]
        active = [person for person in firm if person.is_active]
        return active or holders_of(Role.SUPPORT, at)
    if wait.person is not None:
        return [wait.person]
    if wait.addressee == Addressee.USER:
        return recipients(case, at)
    return conversation.addressees(case, Addressee(wait.addressee), at) or recipients(case, at)


@act("cancel_unanswered")
def cancel_unanswered(w: Writing, *, wait: Wait) -> Payload:
    """The clock cancels a case whose question to the customer found no answer in the business
    days that the policy version names, and no other word of theirs either; support can restore
    it (P13)."""
    row = Wait.objects.get(pk=wait.pk, case=w.case)
    days = w.case.policy.rules.wait_cancel_days
    if row.ended_at is not None or days is None:
        w.refuse("wait_closed")
    if windows.mail_unsettled(w.case, w.at):
        w.refuse("mail_unread")
    w.case.stage_before_cancel = w.case.stage
    windows.end_side_rows(w.case, w.at)
    w.stage = Stage.CANCELLED
    return {"wait": row.pk, "days": days}
