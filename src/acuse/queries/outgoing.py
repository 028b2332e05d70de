"""How our own mail goes out: the brakes on confirmations, and what they stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import Case, Notice, NoticeState, Person, Suppression
from ..policy import brakes
from ..policy.fields import N_

NOTICE_REASONS = {
    "inactive": N_("The person is no longer active"),
    "brake_address": N_("Too many confirmations to this unproven address"),
    "brake_domain": N_("Too many confirmations to unproven addresses of this domain"),
    "brake_all": N_("Too many confirmations to unproven addresses"),
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


def suppressed_notices(person: Person, *, limit: int = 200) -> list[Notice]:
    """Notices that were not sent and why (`reason`), newest first."""
    rows = Notice.objects.filter(state=NoticeState.SUPPRESSED)
    rows = rows.filter(case__in=Case.objects.visible_to(person))
    return list(rows.select_related("case", "line", "person").order_by("-pk")[:limit])
