"""How our own mail goes out: the brakes on confirmations, and what they stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from ..models import Case, Notice, NoticeState, Person, Suppression
from ..policy import brakes
from ..policy.fields import N_

PAGE = 50
MOST_LOST = 10
NOTICE_REASONS = {
    "inactive": N_("The person is no longer active"),
    "brake_address": N_("Too many confirmations to this unproven address"),
    "brake_domain": N_("Too many confirmations to unproven addresses of this domain"),
    "brake_all": N_("Too many confirmations to unproven addresses"),
    "circle": N_("A robot may have answered our last one: it waits for a person"),
}


@dataclass(frozen=True)
class Brake:
    """The brake on all confirmations to unproven addresses while it is on: how many went within
    the last hour, at most how many, and how many it has stopped of late."""

    taken: int
    most: int
    suppressed: int


def brake(now: datetime) -> Brake | None:
    """The global brake at a moment; None: off."""
    limit = brakes.GLOBAL
    moments = Notice.objects.confirmed_at(limit, now)
    if brakes.free_at(limit, moments) is None:
        return None
    stopped = Notice.objects.filter(
        reason=Suppression.BRAKE_ALL, line__at__gt=now - limit.within
    ).count()
    return Brake(len(moments), limit.most, stopped)


@dataclass(frozen=True)
class Unsent:
    """A page of notices that were not sent on purpose, each with why, in words; `next_place`:
    where the next page begins (None: this is the last)."""

    rows: list[tuple[Notice, str]]
    next_place: int | None


def list_unsent(person: Person, *, before: int | None = None, size: int = PAGE) -> Unsent:
    """Notices that were not sent on purpose, newest first, from a place on. One query."""
    rows = Notice.objects.filter(state=NoticeState.SUPPRESSED)
    rows = rows.filter(case__in=Case.objects.visible_to(person))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("case", "line", "person").order_by("-pk")[: size + 1])
    shown = found[:size]
    told = [(row, _(_reason(row))) for row in shown]
    return Unsent(told, shown[-1].pk if len(found) > size else None)


LOST = {
    NoticeState.BOUNCED: N_("It came back"),
    NoticeState.FAILED: N_("It could not be sent"),
}


def lost_of(case: Case) -> QuerySet[Notice]:
    """Letters on a case that did not arrive or wait, newest first; none to whom a later one on the
    case has reached."""
    later = Notice.objects.filter(
        case=case, person=OuterRef("person"), pk__gt=OuterRef("pk"), state=NoticeState.SENT
    )
    rows = Notice.objects.filter(case=case, state__in=[*LOST, NoticeState.SUPPRESSED])
    found = rows.filter(~Exists(later)).exclude(reason=Suppression.INACTIVE)
    return found.order_by("-pk")[:MOST_LOST]


def lost_letters(rows: Iterable[Notice]) -> list[tuple[Notice, str]]:
    """Each with why, in words."""
    return [(row, _(LOST.get(NoticeState(row.state), "") or _reason(row))) for row in rows]


def _reason(row: Notice) -> str:
    return NOTICE_REASONS.get(row.reason, row.reason)


def get_notice(person: Person, pk: int) -> Notice:
    """One notice on a case that this person sees. Raises Notice.DoesNotExist."""
    return Notice.objects.filter(case__in=Case.objects.visible_to(person)).get(pk=pk)
