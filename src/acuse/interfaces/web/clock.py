"""The one clock of all ways in: real time, moved ahead in the demo."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from acuse.actions import demo_clock
from acuse.config import config
from acuse.models import DemoClock


class NotInProduction(RuntimeError):
    """Somebody tried to move the clock of a real installation."""


def now() -> datetime:
    """This moment (aware, UTC); in development as far ahead as the demo's clock was moved."""
    real = timezone.now()
    return real if config.production else real + _ahead()


def as_shown(real: datetime) -> datetime:
    """A moment of real time, such as another server wrote it, on the clock that `now` reads."""
    return real if config.production else real + _ahead()


def require_movable() -> None:
    """Raises NotInProduction in a real installation."""
    if config.production:
        raise NotInProduction("the clock of a real installation cannot be moved")


def move_to(until: datetime) -> None:
    """Move the demo's clock ahead to `until`; one that is there already stays. Raises
    NotInProduction, and ValueError for a moment without its time zone."""
    require_movable()
    if until.tzinfo is None:
        raise ValueError("until: a moment needs its time zone")
    demo_clock.move(until - timezone.now())


def _ahead() -> timedelta:
    found = DemoClock.objects.values_list("ahead", flat=True).first()
    return found if found is not None else timedelta(0)
