"""Many stories told at once in the order of their moments, with the clock running in between."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from acuse.actions import clock
from acuse.models import Deadline

Story = Iterator[datetime]
"""Yields the moment of what comes next and, once resumed, does it."""


def play(stories: Iterable[Story], now: datetime) -> None:
    """Tell the stories up to `now`. Before each moment everything that has fallen due is fired,
    each at its own moment: reminders, missed terms, silence. Raises RuntimeError for a story that
    runs into the future or a deadline that could not be fired."""
    waiting: list[tuple[datetime, int, Story]] = []
    for number, story in enumerate(stories):
        _queue(waiting, number, story, now)
    heapq.heapify(waiting)
    while waiting:
        at, number, story = heapq.heappop(waiting)
        _let_time_pass(at)
        _queue(waiting, number, story, now)
    _let_time_pass(now)


def _queue(
    waiting: list[tuple[datetime, int, Story]], number: int, story: Story, now: datetime
) -> None:
    at = next(story, None)
    if at is None:
        return
    if at > now:
        raise RuntimeError(f"demo: story {number} runs into the future ({at})")
    heapq.heappush(waiting, (at, number, story))


def _let_time_pass(until: datetime) -> None:
    for deadline in clock.due(until):
        clock.fire(deadline, until)
        failed = Deadline.objects.filter(pk=deadline, failed_at__isnull=False).first()
        if failed is not None:
            raise RuntimeError(f"demo: {failed} could not be fired\n{failed.error}")
