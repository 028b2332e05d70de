"""Cases that wait to be routed, once a minute (P14)."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from acuse.actions import routing
from acuse.interfaces.jobs.locks import alone

log = logging.getLogger(__name__)

SECONDS = 40.0  # after which nothing more is begun: the next minute has its own job


def route_waiting(now: datetime) -> int:
    """Route what waits, by priority and then by term; how many lines were written. One that
    raises holds up no other, and counts as a case that nobody fits."""
    end = time.monotonic() + SECONDS
    with alone("routing") as nobody_else:
        roster = routing.read_roster(now) if nobody_else else None
        if roster is None:
            return 0
        written = 0
        for case_id in routing.waiting(roster, now):
            if time.monotonic() >= end:
                break
            try:
                if routing.route_case(case_id, now, roster) is None:
                    continue
            except Exception:
                log.exception("case %s could not be routed", case_id)
                routing.note_failed(case_id)
                continue
            written += 1
            roster = routing.read_roster(now) or roster  # whoever got it has more to do now
        return written
