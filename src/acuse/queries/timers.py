"""Somebody's own timers and what they have counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import Person, Timer
from ..policy.timers import Stretch


def get_timer(person: Person, pk: int) -> Timer:
    """One of a person's own timers with its case. Raises Timer.DoesNotExist."""
    related = ("case__organisation", "case__contract", "person")
    return Timer.objects.of(person).select_related(*related).get(pk=pk)


@dataclass(frozen=True)
class Ticking:
    """A timer as a page shows it: what it has counted, and the seconds from which a page that
    counts on by itself starts."""

    timer: Timer
    stretch: Stretch
    seconds: int


def ticking(timer: Timer, now: datetime) -> Ticking:
    """A timer and what it has counted up to this moment, or up to where it was stopped."""
    until = max(timer.stopped_at or now, timer.started_at)
    seconds = int((until - timer.started_at).total_seconds())
    return Ticking(timer, timer.stretch(until), seconds)
