"""How long a system was down, day by day (P06). Spans are [from, until) of aware datetimes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Day:
    """One day in the reader's zone, in minutes: how long it was watched, down, maintained. What
    was down during maintenance counts as maintained only."""

    on: date
    watched: int
    down: int
    maintained: int


def join(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order; empty ones left out."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def cut(spans: Iterable[Span], first: datetime, end: datetime) -> list[Span]:
    """What of the spans lies within [first, end)."""
    return join((max(a, first), min(b, end)) for a, b in spans)


def without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of the spans lies in none of the others."""
    left = join(spans)
    for start, end in join(others):
        left = join(piece for a, b in left for piece in ((a, min(b, start)), (max(a, end), b)))
    return left


def length(spans: Iterable[Span]) -> timedelta:
    """How long the spans last together."""
    return sum((b - a for a, b in join(spans)), timedelta())


def days(
    down: Iterable[Span],
    maintained: Iterable[Span],
    *,
    watched: Span,
    first: date,
    last: date,
    zone: ZoneInfo,
) -> list[Day]:
    """Each day from `first` to `last`. `watched`: since when it is watched, until now."""
    # What is the same for every day is worked out once: a page shows many environments.
    kept = cut(maintained, *watched)
    broken = without(cut(down, *watched), kept)
    found = []
    for on, start, end in _bounds(first, last, zone):
        seen = max(timedelta(), min(end, watched[1]) - max(start, watched[0]))
        found.append(
            Day(on, _minutes(seen), _within(broken, start, end), _within(kept, start, end))
        )
    return found


@functools.lru_cache(maxsize=64)
def _bounds(first: date, last: date, zone: ZoneInfo) -> list[tuple[date, datetime, datetime]]:
    """Each day with the instants at which it begins and ends; the same for all environments of a
    page."""
    listed = [first + timedelta(days=number) for number in range((last - first).days + 2)]
    moments = [datetime.combine(on, time(), zone).astimezone(UTC) for on in listed]
    return list(zip(listed[:-1], moments[:-1], moments[1:], strict=True))


def _within(spans: list[Span], start: datetime, end: datetime) -> int:
    if not spans:
        return 0
    return _minutes(length(cut(spans, start, end)))


def _minutes(lasting: timedelta) -> int:
    """Whole minutes, rounded up: a short failure is not hidden."""
    return -(-lasting // MINUTE)


def share_up(found: Iterable[Day]) -> float | None:
    """The share of the watched time outside maintenance in which it was up, from 0 to 1."""
    listed = list(found)
    counted = sum(day.watched - day.maintained for day in listed)
    if counted <= 0:
        return None
    return max(0.0, 1 - sum(day.down for day in listed) / counted)
