"""Checks as they fall due, and what follows from incidents as time passes (P06)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone, translation

from acuse.actions import incidents, watching
from acuse.connectors import probes
from acuse.models import Check
from acuse.policy.probing import Probe, Result
from acuse.queries import watching as words

log = logging.getLogger(__name__)

AT_ONCE = 64  # threads
SECONDS = 40.0  # after which nothing more is begun: the next minute has its own job


def ask_now(probe: Probe) -> Result:
    """Certificates end by the real clock, which the demo's may be ahead of."""
    return probes.run(probe, now=timezone.now())


def run_checks(now: Callable[[], datetime], ask: Callable[[Probe], Result] = ask_now) -> int:
    """Ask what is due, many at once, and keep each result as it comes; how many were asked. One
    that hangs holds up nobody but itself."""
    end, asked = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        due = {check.pk: check for check in watching.take_due_checks(now(), most=AT_ONCE)}
        if not due:
            break
        found = probes.run_all({pk: check.probe for pk, check in due.items()}, ask)
        for pk, result in found:
            _keep(due[pk], result, now())
        asked += len(due)
    follow_up(now)
    return asked


def _keep(check: Check, result: Result, at: datetime) -> None:
    """A result that cannot be kept costs nobody else's."""
    with translation.override(check.environment.organisation.language):
        title = words.finding_words(result.finding)
    try:
        incidents.keep_result(check, result, at, title)
    except Exception:
        log.exception("the result of check %s could not be kept", check.pk)


def follow_up(now: Callable[[], datetime]) -> None:
    """What follows without a new signal: recoveries after calm, ends, cases after maintenance."""
    for incident_id in incidents.pending():
        try:
            incidents.follow(incident_id, now())
        except Exception:  # whatever it is, the others are followed
            log.exception("incident %s could not be followed", incident_id)
