"""Whether a notice is mailed now, waits for its person's working hours, or is a line of a digest.

Asked when the worker takes a notice, so that what queues one never waits for it. What binds
somebody, and the confirmation of a report (P12), is mailed at once whatever its person chose.
"""

from __future__ import annotations

from datetime import datetime

from ..models import Digest, Notice, NoticeState
from ..models.preferences import calendar_of, find_preferences, zone_of
from ..policy.kinds import KINDS
from ..policy.notices import Plan, Way, group_of, plan


def goes_now(notice: Notice, now: datetime) -> bool:
    """Whether a notice, whose row the caller has locked, is to be mailed now by itself; where it
    is not, what becomes of it is set. Decided once: what has waited, or has been tried, goes."""
    decided = notice.taken_at or notice.not_before or notice.digest_id
    planned = None if decided or notice.is_confirmation else _plan(notice, now)
    if planned is None or (planned.way is Way.AT_ONCE and planned.at <= now):
        return True
    if planned.way is Way.AT_ONCE:
        notice.not_before = planned.at
    elif planned.way is Way.PORTAL:
        notice.state = NoticeState.IN_PORTAL
    else:
        notice.state, notice.digest = NoticeState.GROUPED, _open_digest(notice, planned, now)
    notice.save(update_fields=["state", "not_before", "digest"])
    return False


def _plan(notice: Notice, now: datetime) -> Plan | None:
    group = group_of(KINDS[notice.line.kind])
    chosen = find_preferences(notice.person)
    if group is None or chosen is None:
        return None
    calendar = calendar_of(notice.person) if chosen.quiet else None
    return plan(chosen, group, now, zone_of(notice.person), calendar)


def _open_digest(notice: Notice, planned: Plan, now: datetime) -> Digest:
    """The person's digest of that hour, locked so that it cannot be taken for sending before the
    notice has joined it. Where another worker's clock was ahead and took it, the next one."""
    at = planned.at
    while True:
        Digest.objects.bulk_create(
            [Digest(person=notice.person, due_at=at, not_before=at)], ignore_conflicts=True
        )
        found = Digest.objects.select_for_update().get(person=notice.person, due_at=at)
        if found.taken_at is None:
            return found
        later = _plan(notice, at)
        assert later is not None  # what was chosen is in memory: it cannot have gone meanwhile
        at = later.at
