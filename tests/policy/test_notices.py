"""When somebody is told by mail: what cannot be silenced, hours, days, working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, Shift, around_the_clock, colombia
from acuse.policy.fields import InvalidField
from acuse.policy.kinds import KINDS, Kind
from acuse.policy.notices import (
    FOR_CUSTOMERS,
    Group,
    Preferences,
    Way,
    group_of,
    next_daily,
    next_hour,
    next_opening,
    plan,
    read_ways,
)

ZONES = ("America/Bogota", "Europe/Madrid", "America/Sao_Paulo", "Asia/Kolkata", "America/New_York")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
CALENDAR = colombia((2026, 2027))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_binds_somebody_is_in_no_group_and_all_else_in_one(kind: Kind) -> None:
    group = group_of(kind)
    assert (group is None) is kind.legal
    if kind.audience == "firm" and not kind.legal:
        assert group is Group.FIRM
    if group in FOR_CUSTOMERS:
        assert kind.audience == "customer"


def test_decisions_deliveries_and_terms_cannot_be_silenced() -> None:
    for name in (
        "deliver", "submit_scope", "validate_scope", "accept", "accept_tacitly", "reject",
        "authorize", "decline", "remind", "extend_window", "prove_delivery", "submit_time",
        "issue_statement", "close", "cancel", "decide_claim",
    ):  # fmt: skip
        assert group_of(KINDS[name]) is None, name


@given(MOMENTS, st.sampled_from(ZONES))
def test_the_next_hour_is_full_and_within_an_hour(at: datetime, zone: str) -> None:
    due = next_hour(at, zone)
    assert at < due <= at + timedelta(hours=1)
    local = due.astimezone(ZoneInfo(zone))
    assert (local.minute, local.second, local.microsecond) == (0, 0, 0)


@given(MOMENTS, st.integers(0, 23), st.sampled_from(ZONES))
def test_the_daily_hour_comes_within_a_day_and_once_a_day(
    at: datetime, hour: int, zone: str
) -> None:
    due = next_daily(at, hour, zone)
    assert at < due <= at + timedelta(hours=26)  # a day of 25 hours and an hour that is skipped
    local = due.astimezone(ZoneInfo(zone))
    assert local.hour in (hour, hour + 1)  # later only on the day whose clock skips it
    assert local.minute == 0
    again = next_daily(due, hour, zone)
    assert again.astimezone(ZoneInfo(zone)).date() == local.date() + timedelta(days=1)


def test_an_hour_that_the_clock_skips_or_shows_twice() -> None:
    zone = "Europe/Madrid"
    skipped = next_daily(datetime(2026, 3, 28, 12, tzinfo=UTC), 2, zone)
    assert skipped == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 3:00 there: 2:00 is not shown
    twice = next_daily(datetime(2026, 10, 24, 12, tzinfo=UTC), 2, zone)
    assert twice == datetime(2026, 10, 25, 0, tzinfo=UTC)
    after = next_daily(twice, 2, zone)
    assert after == datetime(2026, 10, 26, 1, tzinfo=UTC)  # not at the second showing


@given(MOMENTS)
def test_an_opening_is_on_a_working_day_between_opening_and_closing(at: datetime) -> None:
    due = next_opening(CALENDAR, at)
    assert due >= at
    spans = CALENDAR.working_spans(CALENDAR.local_day(due))
    assert spans[0][0] <= due < spans[-1][1]
    assert due == at or due == spans[0][0]
    # nothing was open in between
    day = CALENDAR.local_day(at)
    while day < CALENDAR.local_day(due):
        between = CALENDAR.working_spans(day)
        assert not between or between[-1][1] <= at
        day += timedelta(days=1)


def test_lunch_is_no_quiet_time_a_holiday_is() -> None:
    bogota = timedelta(hours=5)
    lunch = datetime(2026, 11, 17, 13, 0, tzinfo=UTC) + bogota
    assert next_opening(CALENDAR, lunch) == lunch
    friday = datetime(2026, 11, 13, 19, 0, tzinfo=UTC) + bogota  # Monday 16 is a holiday
    assert next_opening(CALENDAR, friday) == datetime(2026, 11, 17, 8, 0, tzinfo=UTC) + bogota


def test_a_calendar_without_work_or_without_end_holds_nothing_back() -> None:
    at = datetime(2026, 11, 15, 3, 0, tzinfo=UTC)
    assert next_opening(around_the_clock("America/Bogota"), at) == at
    only = {date(2026, 11, 14) + timedelta(days=n): "feria" for n in range(400)}
    week = ((Shift(480, 720),),) * 7
    closed = Calendar("cerrado", "America/Bogota", week, only, frozenset())
    assert next_opening(closed, at) == at


@given(
    MOMENTS,
    st.sampled_from(list(Group)),
    st.dictionaries(st.sampled_from(list(Group)), st.sampled_from(list(Way))),
    st.integers(0, 23),
    st.booleans(),
    st.sampled_from(ZONES),
)
def test_a_plan_follows_what_was_chosen(
    at: datetime, group: Group, ways: dict[Group, Way], hour: int, quiet: bool, zone: str
) -> None:
    chosen = Preferences(ways, hour, quiet)
    planned = plan(chosen, group, at, zone, CALENDAR if quiet else None)
    assert planned.way is ways.get(group, Way.AT_ONCE)
    assert planned.at >= at
    if planned.way in (Way.HOURLY, Way.DAILY):
        assert planned.at > at
    if planned.way is Way.AT_ONCE and not quiet:
        assert planned.at == at
    if quiet and planned.way is not Way.PORTAL:
        spans = CALENDAR.working_spans(CALENDAR.local_day(planned.at))
        assert spans[0][0] <= planned.at < spans[-1][1]
    assert read_ways(chosen.to_json()) == {g: w for g, w in ways.items() if w != Way.AT_ONCE}


def test_what_cannot_be_chosen_is_told_by_field() -> None:
    with pytest.raises(InvalidField, match="legal: is not a group"):
        read_ways({"legal": "portal"})
    with pytest.raises(InvalidField, match="progress: “never”"):
        read_ways({"progress": "never"})
    for hour in (-1, 24, True, "8"):
        with pytest.raises(InvalidField, match="daily_hour"):
            Preferences(daily_hour=hour)  # type: ignore[arg-type]
