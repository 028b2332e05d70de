"""Sending notices: each is taken, written, handed over and noted, and never sent by two at once.

A worker killed in between leaves the notice as `sending`; it is sent again under the same
Message-ID, by which mail servers and readers know it for the same mail.
"""

from __future__ import annotations

from acuse.actions import notices
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs.handing import Clock, hand_over
from acuse.interfaces.jobs.locks import alone
from acuse.models import Notice


def send_line(line_id: int, clock: Clock) -> None:
    """Send what waits to be told because of one ledger line."""
    waiting = notices.pending(clock()).filter(line=line_id).order_by("pk")
    for notice_id in list(waiting.values_list("pk", flat=True)):
        send(notice_id, clock)


def send(notice_id: int, clock: Clock) -> None:
    """Send one notice, unless somebody is just sending it or it needs no sending any more."""
    with alone("notice", notice_id) as nobody_else:
        if nobody_else and notices.claim(notice_id, clock()) is not None:
            notice = _load(notice_id)
            hand_over(notice, lambda: letters.write(notice, clock()), notices, clock)


def _load(notice_id: int) -> Notice:
    """The notice with all that its letter reads."""
    related = (
        "case__organisation",
        "case__mailbox",
        "case__calendar",
        "case__policy",
        "line__author",
        "person",
        "dispatch__version",
    )
    return Notice.objects.select_related(*related).get(pk=notice_id)
