"""What falls due: fired as time passes, and in the demo as somebody moves the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from acuse.actions import clock as acts
from acuse.interfaces.web import clock
from acuse.models import Deadline, LedgerLine


def fire_due(until: datetime) -> Iterator[LedgerLine]:
    """Fire what falls due up to a moment, earliest first; the receipts of what happened."""
    for deadline_id in acts.due(until):
        line = acts.fire(deadline_id, until)
        if line is not None:
            yield line


def let_time_pass(
    until: datetime, read_mail: Callable[[datetime], object]
) -> Iterator[LedgerLine | Deadline]:
    """Fire all that falls due up to `until`, each at its own moment, and move the demo's clock
    there; mail that waits is read first, so that it counts. Yields the receipts, then the
    deadlines that could not be fired. Raises clock.NotInProduction in a real installation, and
    ValueError for a moment without its time zone."""
    clock.require_movable()
    if until.tzinfo is None:
        raise ValueError("a moment needs its time zone, such as 2026-12-01T09:00-05:00")
    read_mail(clock.now())
    yield from fire_due(until)
    # Only now: a worker that saw the new time earlier would take some of it from under us.
    clock.move_to(until)
    yield from Deadline.objects.filter(failed_at__isnull=False, due_at__lte=until)
