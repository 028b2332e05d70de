"""The clock, a named author: what happens because time has passed (P03, P24, P26, P27).

A deadline row is a hint. Firing one locks the case, plans again, and acts at the due moment only
if it still stands; a late firing acts at its due time. A row that raises is set aside with its
error and never stops the others.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import OperationalError, transaction

from ..journal import deadlines
from ..journal.writer import Writing, act, load
from ..models import (
    Addressee,
    Case,
    Deadline,
    LedgerLine,
    Level,
    Paging,
    Person,
    Version,
    Wait,
    Warranty,
    Window,
)
from ..models.roles import holders_of, of_level, owners_of
from ..policy.authors import CLOCK, Occasion
from ..policy.deadlines import DEADLINES
from ..policy.kinds import Payload
from ..policy.refusals import Refused
from ..policy.stages import Role
from . import life, oncall, waits, warranty, windows
from .writing import recipients

LOOK_AGAIN = timedelta(minutes=1)


@act("remind")
def remind(w: Writing, *, deadline: Deadline) -> Payload:
    """The clock reminds whoever has to move, then the service owner, then the manager."""
    w.told += _reminded(w, deadline)
    return {
        "deadline": deadline.kind,
        "due": deadline.due_at,
        "subject": deadline.subject,
        "step": deadline.step,
    }


def _reminded(w: Writing, deadline: Deadline) -> list[Person]:
    """The customer's people for what is theirs to decide, with the owner from the second
    reminder on, and in the end the manager; the firm's for what is the firm's."""
    case = w.case
    firm = [case.assignee] if case.assignee is not None else []
    if case.organisation is not None and case.organisation.spoc is not None:
        firm.append(case.organisation.spoc)
    if deadline.kind == "hold_reminder":
        return firm
    if deadline.kind == "acceptance_reminder":
        return _reminded_of_window(case, deadline.step, w.at)
    if deadline.kind == "wait_reminder":
        wait = case.waits.get(pk=_subject(deadline))
        customer = waits.whom_to_remind(case, wait, w.at)
        if wait.addressee == Addressee.THIRD_PARTY:
            return customer
    else:
        customer = recipients(case, w.at)
    if deadline.step > 0:
        customer = [*customer, *owners_of(case, w.at)]
    if deadline.kind == "answer_overdue":
        return [*customer, *firm]
    if deadline.kind in ("time_reminder", "statement_reminder") and _is_last(case, deadline):
        return [*customer, *firm, *holders_of(Role.MANAGER, w.at)]
    return customer


def _reminded_of_window(case: Case, step: int, at: datetime) -> list[Person]:
    """Whom the policy version names for this reminder; the customer's users where it names an
    owner and there is none (P24)."""
    reminder = case.policy.rules.window_reminders[step]
    owners = owners_of(case, at) if reminder.owner else []
    return [*recipients(case, at), *owners] if reminder.user or not owners else owners


def _is_last(case: Case, deadline: Deadline) -> bool:
    """Whether the reminders are over: from then on a manager may close as unapproved (P30)."""
    return deadline.step == len(case.policy.rules.approval_reminder_days)


def _subject(deadline: Deadline) -> int:
    """The id of the row that the deadline is about; for kinds that always have one."""
    assert deadline.subject is not None
    return deadline.subject


@act("warn")
def warn(w: Writing, *, deadline: Deadline) -> Payload:
    """The clock warns the firm's people that a part of a committed time has been used: first
    whoever has the case; from the second warning on it rises a level, whose people are told, and
    so is the single point of contact (P05, P21)."""
    first = deadline.step == min(w.case.policy.rules.target_warning_percents)
    level = "" if first else _rise(w.case)
    w.told += _warned(w, first, level)
    return {
        "deadline": deadline.kind,
        "due": deadline.due_at,
        "minutes": _subject(deadline),
        "percent": deadline.step,
        "level": level or None,
    }


def _rise(case: Case) -> str:
    """Raise the case to the next level of support: the level, or nothing at the highest. Who has
    the case keeps it: whom else to give it to is for a person to say."""
    levels = list(Level)
    place = levels.index(Level(case.level)) + 1 if case.level else 1
    if place == len(levels):
        return ""
    case.level = levels[place]
    return case.level


def _warned(w: Writing, first: bool, level: str) -> list[Person]:
    """Never nobody: without assignee the single point of contact, without one all of support."""
    case = w.case
    spoc = case.organisation.spoc if case.organisation is not None else None
    told = [case.assignee] if case.assignee is not None else []
    if level:
        told += of_level(level, w.at)
    if spoc is not None and not (first and told):
        told.append(spoc)
    return [p for p in told if p.is_active] or holders_of(Role.SUPPORT, w.at)


@act("breach")
def breach(w: Writing, *, deadline: Deadline) -> Payload:
    """The clock notes once that a term of the firm's passed without being met: who has the case,
    the single point of contact and the manager are told; without a manager, who administers
    (P03, P05)."""
    if not any(manager.is_active for manager in holders_of(Role.MANAGER, w.at)):
        w.told += holders_of(Role.ADMINISTRATOR, w.at)
    return {"deadline": deadline.kind, "due": deadline.due_at, "subject": deadline.subject}


def due(until: datetime) -> Iterator[int]:
    """The ids of the deadlines that fall due up to `until`, earliest first, read anew after each
    one fired: an act may plan others that fall due as well."""
    passed: set[int] = set()
    while True:
        pending = Deadline.objects.filter(
            fired_at__isnull=True, failed_at__isnull=True, due_at__lte=until
        ).exclude(not_before__gt=until)
        row = pending.exclude(pk__in=passed).order_by("due_at", "pk").first()
        if row is None:
            return
        passed.add(row.pk)
        yield row.pk


def fire(deadline_id: int, now: datetime) -> LedgerLine | None:
    """Fire one deadline: the receipt, or None if it no longer stood or has to wait."""
    try:
        with transaction.atomic():
            return _fire(deadline_id, now)
    except OperationalError:  # the database's trouble, not the row's: it passes
        Deadline.objects.filter(pk=deadline_id).update(not_before=now + LOOK_AGAIN)
        return None
    except Exception:  # one bad row never stops the others
        Deadline.objects.filter(pk=deadline_id, fired_at__isnull=True).update(
            failed_at=now, error=traceback.format_exc()[-4000:]
        )
        return None


def _fire(deadline_id: int, now: datetime) -> LedgerLine | None:
    hint = Deadline.objects.filter(pk=deadline_id, fired_at__isnull=True).first()
    if hint is None:
        return None
    case = _lock_and_plan_again(hint.case_id)
    row = Deadline.objects.filter(pk=deadline_id, fired_at__isnull=True, due_at__lte=now).first()
    if row is None:
        return None
    occasion = Occasion(case.pk, CLOCK, row.due_at)
    try:
        with transaction.atomic():
            row.fired_at = now
            row.save(update_fields=["fired_at"])
            return _ACTS[DEADLINES[row.kind].act](occasion, row)
    except Refused as refusal:
        if refusal.code not in _WAITS:
            raise
        Deadline.objects.filter(pk=deadline_id).update(not_before=now + LOOK_AGAIN)
        return None


# Refusals that time heals: unread mail, a calendar year that a manager has still to review.
_WAITS = ("mail_unread", "year_not_reviewed")


def _lock_and_plan_again(case_id: int) -> Case:
    """Lock the case, compute its open terms and its deadlines again."""
    Case.objects.select_for_update().get(pk=case_id)
    case = load(case_id)
    for window in case.windows.filter(closed_at__isnull=True):
        windows.recompute(window)
    deadlines.replan(case, deadlines.last_moment(case))
    return case


def _page(occasion: Occasion, row: Deadline) -> LedgerLine:
    """The time to acknowledge runs from when the page really goes: a worker that was down does
    not use up the chain."""
    assert row.fired_at is not None  # set before the act
    paging = Paging.objects.get(pk=_subject(row))
    return oncall.page(occasion, paging=paging, sent_at=row.fired_at)


def _version_of(row: Deadline) -> Version:
    return Window.objects.select_related("version").get(pk=_subject(row)).version


_ACTS: dict[str, Callable[[Occasion, Deadline], LedgerLine]] = {
    "remind": lambda occasion, row: remind(occasion, deadline=row),
    "warn": lambda occasion, row: warn(occasion, deadline=row),
    "breach": lambda occasion, row: breach(occasion, deadline=row),
    "page": lambda occasion, row: _page(occasion, row),
    "accept_tacitly": lambda occasion, row: life.accept_tacitly(occasion, version=_version_of(row)),
    "accept_proposal_tacitly": lambda occasion, row: life.accept_proposal_tacitly(
        occasion, version=_version_of(row)
    ),
    "end_warranty": lambda occasion, row: warranty.end_warranty(
        occasion, warranty=Warranty.objects.get(pk=_subject(row))
    ),
    "decline": lambda occasion, row: life.decline(occasion),
    "cancel_unanswered": lambda occasion, row: waits.cancel_unanswered(
        occasion, wait=Wait.objects.get(pk=_subject(row))
    ),
}
