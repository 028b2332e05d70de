"""Spans of time and what they make of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.outages import Span, cut, days, join, length, share_up, without

START = datetime(2026, 11, 17, 5, 0, tzinfo=UTC)  # midnight in Bogota
BOGOTA = ZoneInfo("America/Bogota")
MINUTE = timedelta(minutes=1)
spans = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 900)).map(
        lambda pair: (START + pair[0] * MINUTE, START + (pair[0] + pair[1]) * MINUTE)
    ),
    max_size=8,
)


def minutes_of(found: list[Span]) -> set[int]:
    return {
        minute for a, b in found for minute in range((a - START) // MINUTE, (b - START) // MINUTE)
    }


@given(spans, spans)
def test_spans_are_sets_of_minutes(some: list[Span], others: list[Span]) -> None:
    assert minutes_of(join(some)) == minutes_of(some)
    assert minutes_of(without(some, others)) == minutes_of(some) - minutes_of(others)
    assert length(some) == len(minutes_of(some)) * MINUTE
    joined = join(some)
    assert all(a[1] < b[0] for a, b in zip(joined, joined[1:], strict=False))


@given(spans, spans)
def test_the_days_add_up_to_the_whole(down: list[Span], kept: list[Span]) -> None:
    watched = (START + 100 * MINUTE, START + 3500 * MINUTE)
    found = days(
        down, kept, watched=watched, first=date(2026, 11, 16), last=date(2026, 11, 20), zone=BOGOTA
    )
    seen = cut(kept, *watched)
    assert sum(day.watched for day in found) == 3400
    assert sum(day.maintained for day in found) == len(minutes_of(seen))
    wanted = minutes_of(cut(down, *watched)) - minutes_of(seen)
    assert sum(day.down for day in found) == len(wanted)
    up = share_up(found)
    assert (up is None) == (len(minutes_of(seen)) == 3400)
    assert up is None or 0 <= up <= 1


def test_a_failure_of_seconds_is_not_hidden() -> None:
    end = START + timedelta(seconds=10)
    (day,) = days(
        [(START, end)],
        [],
        watched=(START, START + 60 * MINUTE),
        first=date(2026, 11, 17),
        last=date(2026, 11, 17),
        zone=BOGOTA,
    )
    assert (day.down, day.watched) == (1, 60)


def test_a_day_has_as_many_minutes_as_its_zone_gives_it() -> None:
    madrid = ZoneInfo("Europe/Madrid")  # the clocks go back on 25 October 2026
    first = datetime(2026, 10, 1, tzinfo=UTC)
    last = datetime(2026, 11, 1, tzinfo=UTC)
    (day,) = days(
        [],
        [],
        watched=(first, last),
        first=date(2026, 10, 25),
        last=date(2026, 10, 25),
        zone=madrid,
    )
    assert day.watched == 25 * 60


def test_nobody_is_up_who_was_not_watched() -> None:
    assert share_up([]) is None
