"""Terms: when they end, which days they counted, and that both answers always agree (P24-P27)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, Shift, around_the_clock, colombia
from acuse.policy.fields import InvalidField
from acuse.policy.terms import (
    Hold,
    Term,
    WorkTerm,
    business_days,
    calendar_days,
    count_business_days,
    later,
    minutes_between,
    working_minutes,
)

BOGOTA = ZoneInfo("America/Bogota")
OFFICE = colombia([2026, 2027, 2028], reviewed=[2026])
ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)

ZONES = st.sampled_from(
    ["America/Bogota", "America/Santiago", "America/Havana", "Asia/Beirut", "Europe/Madrid"]
)
DATES = st.dates(date(2026, 1, 1), date(2028, 12, 31))
SHIFTS = st.sampled_from(
    [
        (),
        (Shift(480, 720), Shift(840, 1080)),
        (Shift(0, 1440),),
        (Shift(0, 90), Shift(1380, 1440)),
        (Shift(600, 600),),
        (Shift(0, 0), Shift(540, 1020)),
    ]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 11, 30), timezones=st.just(UTC))
LENGTHS = st.integers(0, 15)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = draw(st.tuples(*[SHIFTS] * 7))
    assume(any(shift.end > shift.start for day in week for shift in day))
    days = draw(st.sets(DATES, max_size=30))
    first = draw(DATES)
    # Holidays in a row as well, so that they meet the short terms drawn here.
    days |= {first + number * ONE_DAY for number in range(draw(st.integers(0, 6)))}
    return Calendar("Any", draw(ZONES), week, dict.fromkeys(days, "Fiesta"), frozenset({2026}))


@st.composite
def pauses_after(draw: st.DrawFn, start: datetime) -> list[Hold]:
    holds = []
    for _ in range(draw(st.integers(0, 3))):
        since = start + timedelta(minutes=draw(st.integers(-2000, 20000)))
        holds.append(Hold(since, since + timedelta(minutes=draw(st.integers(0, 9000)))))
    return holds


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BOGOTA)  # type: ignore[misc,arg-type]


def end(term: Term | WorkTerm) -> datetime:
    return NEVER if term.until is None else term.until


def told(term: Term) -> list[tuple[int, bool, str]]:
    return [(day.on.day, day.counted, str(day.reason)) for day in term.days]


def with_holiday(calendar: Calendar, day: date) -> Calendar:
    return replace(calendar, holidays={**calendar.holidays, day: "New"})


# Business days


def test_five_business_days_pass_over_a_holiday_and_say_so() -> None:
    term = business_days(at(2026, 12, 3, 16, 30), 5, OFFICE)
    assert term.last_day == date(2026, 12, 11)
    assert term.until == at(2026, 12, 12)
    assert told(term) == [
        (3, False, "event"),
        (4, True, "counted"),
        (5, False, "weekend"),
        (6, False, "weekend"),
        (7, True, "counted"),
        (8, False, "holiday"),
        (9, True, "counted"),
        (10, True, "counted"),
        (11, True, "counted"),
    ]
    assert term.days[5].name == "La Inmaculada Concepción"
    assert term.zone == "America/Bogota"
    assert term.reviewed


def test_in_time_is_before_the_end_and_not_at_it() -> None:
    term = business_days(at(2026, 11, 23, 9), 5, OFFICE)
    assert term.includes(at(2026, 11, 30, 23, 59, 59))
    assert not term.includes(at(2026, 12, 1))
    with pytest.raises(InvalidField, match="at: needs its time zone"):
        term.includes(datetime(2026, 11, 30))


def test_an_event_on_a_day_off_or_late_at_night_counts_from_the_next_business_day() -> None:
    for moment in (at(2026, 11, 20, 0), at(2026, 11, 20, 23, 59), at(2026, 11, 22, 12)):
        assert business_days(moment, 1, OFFICE).last_day == date(2026, 11, 23)
    # 03:00 UTC is still the evening before in Bogota.
    assert business_days(datetime(2026, 11, 24, 3, tzinfo=UTC), 1, OFFICE).last_day == date(
        2026, 11, 24
    )


def test_a_leap_day_counts() -> None:
    assert business_days(date(2028, 2, 28), 1, OFFICE).last_day == date(2028, 2, 29)
    assert calendar_days(date(2028, 2, 20), 15, OFFICE).last_day == date(2028, 3, 6)
    assert calendar_days(date(2027, 2, 20), 9, OFFICE).last_day == date(2027, 3, 1)


def test_a_term_of_no_days_ends_with_the_day_of_the_event() -> None:
    term = business_days(at(2026, 11, 23, 9), 0, OFFICE, [Hold(at(2026, 11, 23, 10))])
    assert (term.last_day, term.until) == (date(2026, 11, 23), at(2026, 11, 24))
    assert told(term) == [(23, False, "event")]


def test_a_year_not_reviewed_is_told() -> None:
    assert business_days(date(2026, 12, 23), 5, OFFICE).last_day == date(2026, 12, 31)
    assert business_days(date(2026, 12, 23), 5, OFFICE).reviewed
    assert not business_days(date(2026, 12, 23), 6, OFFICE).reviewed


def test_a_comment_on_the_fifth_day_leaves_a_day_after_its_classification() -> None:
    delivered = at(2026, 11, 23, 9)
    waiting = business_days(delivered, 5, OFFICE, [Hold(at(2026, 11, 30, 23, 59))])
    assert (waiting.last_day, waiting.until) == (None, None)
    assert waiting.includes(at(2030, 1, 1))
    assert told(waiting)[-1] == (30, False, "hold")
    same_day = business_days(
        delivered, 5, OFFICE, [Hold(at(2026, 11, 30, 10), at(2026, 11, 30, 11))]
    )
    assert same_day.last_day == date(2026, 12, 1)
    days_later = business_days(
        delivered, 5, OFFICE, [Hold(at(2026, 11, 30, 10), at(2026, 12, 3, 11))]
    )
    assert days_later.last_day == date(2026, 12, 4)
    assert [row for row in told(days_later) if row[2] == "hold"] == [
        (day, False, "hold") for day in (30, 1, 2, 3)
    ]


def test_overlapping_holds_count_once_and_the_rest_runs_on() -> None:
    holds = [
        Hold(at(2026, 11, 25, 8), at(2026, 11, 27, 9)),
        Hold(at(2026, 11, 26, 8), at(2026, 11, 28, 9)),
        Hold(at(2026, 11, 30, 8), at(2026, 11, 30, 9)),
    ]
    term = business_days(at(2026, 11, 23, 9), 5, OFFICE, holds)
    # 24 counts; 25-28 and 30 are on hold, 29 is a Sunday; 1-4 December are the other four.
    assert term.last_day == date(2026, 12, 4)
    assert count_business_days(at(2026, 11, 23, 9), date(2026, 12, 4), OFFICE, holds) == 5


def test_a_comment_on_the_day_of_delivery_holds_from_the_first_day() -> None:
    term = business_days(at(2026, 11, 23, 9), 5, OFFICE, [Hold(at(2026, 11, 23, 10))])
    assert told(term) == [(23, False, "event"), (24, False, "hold")]


def test_a_comment_after_the_end_holds_nothing() -> None:
    assert business_days(date(2026, 11, 23), 5, OFFICE, [Hold(at(2026, 12, 1))]) == business_days(
        date(2026, 11, 23), 5, OFFICE
    )


def test_granted_days_are_told_apart() -> None:
    term = business_days(at(2026, 11, 23, 9), 5, OFFICE, extra=2)
    assert term.last_day == date(2026, 12, 2)
    assert told(term)[-3:] == [(30, True, "counted"), (1, True, "extended"), (2, True, "extended")]


@pytest.mark.parametrize("call", [business_days, calendar_days])
@pytest.mark.parametrize("length", [-1, 3661, True, 2.0])
def test_a_bad_length_names_the_rule(call: object, length: int) -> None:
    with pytest.raises(InvalidField, match="length: must be a whole number from 0 to 3660"):
        call(date(2026, 1, 1), length, OFFICE)  # type: ignore[operator]


def test_bad_extra_days_and_bad_holds_name_the_rule() -> None:
    with pytest.raises(InvalidField, match="extra: must be a whole number"):
        business_days(date(2026, 1, 1), 5, OFFICE, extra=-1)
    with pytest.raises(InvalidField, match="since: needs its time zone"):
        Hold(datetime(2026, 1, 1))
    with pytest.raises(InvalidField, match="ended: needs its time zone"):
        Hold(at(2026, 1, 1), datetime(2026, 1, 2))
    with pytest.raises(InvalidField, match="ended: must not be before the start of the hold"):
        Hold(at(2026, 1, 2), at(2026, 1, 1))


@given(calendar=calendars(), start=MOMENTS, length=LENGTHS, data=st.data())
def test_adding_and_measuring_days_agree(
    calendar: Calendar, start: datetime, length: int, data: st.DataObject
) -> None:
    holds = data.draw(pauses_after(start))
    extra = data.draw(st.integers(0, 3))
    term = business_days(start, length, calendar, holds, extra)
    assert term.last_day is not None
    assert term.until is not None
    assert count_business_days(start, term.last_day, calendar, holds) == length + extra
    assert count_business_days(start, term.until, calendar, holds) == length + extra
    assert sum(day.counted for day in term.days) == length + extra
    if length + extra:
        assert (
            count_business_days(start, term.until - INSTANT, calendar, holds) == length + extra - 1
        )


@given(calendar=calendars(), start=MOMENTS, length=LENGTHS)
def test_the_days_of_a_term_are_those_of_the_calendar(
    calendar: Calendar, start: datetime, length: int
) -> None:
    """Against a second reckoning, made from the printed dates alone."""
    term = business_days(start, length, calendar)
    event = start.astimezone(ZoneInfo(calendar.zone)).date()
    working = [
        day
        for day in (event + number * ONE_DAY for number in range(1, 400))
        if calendar.week[day.weekday()] and day not in calendar.holidays
    ]
    assert [day.on for day in term.days if day.counted] == working[:length]
    assert [day.on for day in term.days] == [
        event + number * ONE_DAY for number in range(len(term.days))
    ]


@given(calendar=calendars(), start=MOMENTS, length=LENGTHS, rolls=st.booleans())
def test_the_end_is_the_end_of_the_last_day(
    calendar: Calendar, start: datetime, length: int, rolls: bool
) -> None:
    for term in (
        business_days(start, length, calendar),
        calendar_days(start, length, calendar, rolls),
    ):
        assert term.until is not None
        assert calendar.local_day(term.until - INSTANT) == term.last_day == term.days[-1].on
        assert term.until == calendar.end_of_day(term.days[-1].on)
        assert term.until > start
        assert Term.from_json(json.loads(json.dumps(term.to_json()))) == term
    if length:
        assert business_days(start, length, calendar).days[-1].counted


@given(
    calendar=calendars(),
    start=MOMENTS,
    length=LENGTHS,
    ahead=st.integers(0, 30),
    data=st.data(),
)
def test_a_holiday_never_shortens_a_term(
    calendar: Calendar, start: datetime, length: int, ahead: int, data: st.DataObject
) -> None:
    holds = data.draw(pauses_after(start))
    open_holds = [Hold(hold.since) for hold in holds[:1]]
    holds += data.draw(st.sampled_from([[], open_holds]))
    more = with_holiday(calendar, calendar.local_day(start) + ahead * ONE_DAY)
    assert end(business_days(start, length, more, holds)) >= end(
        business_days(start, length, calendar, holds)
    )
    assert end(calendar_days(start, length, more)) >= end(calendar_days(start, length, calendar))
    assert end(working_minutes(start, length * 100, more, holds)) >= end(
        working_minutes(start, length * 100, calendar, holds)
    )


@given(
    calendar=calendars(),
    start=MOMENTS,
    after=st.timedeltas(timedelta(0), timedelta(days=9)),
    length=LENGTHS,
    longer=LENGTHS,
    data=st.data(),
)
def test_a_later_start_or_a_greater_length_never_ends_sooner(
    calendar: Calendar,
    start: datetime,
    after: timedelta,
    length: int,
    longer: int,
    data: st.DataObject,
) -> None:
    holds = data.draw(pauses_after(start))
    first, second = start, start + after
    few, many = sorted((length, longer))
    assert end(business_days(first, few, calendar, holds)) <= end(
        business_days(second, many, calendar, holds)
    )
    assert end(business_days(first, few, calendar)) <= end(
        business_days(first, few, calendar, extra=many)
    )
    assert end(calendar_days(first, few, calendar)) <= end(calendar_days(second, many, calendar))
    assert end(working_minutes(first, few * 77, calendar, holds)) <= end(
        working_minutes(second, many * 77, calendar, holds)
    )


@given(
    calendar=calendars(),
    start=MOMENTS,
    length=st.integers(1, 10),
    share=st.integers(0, 9999),
    lasts=st.timedeltas(timedelta(0), timedelta(days=20)),
)
def test_a_hold_inside_the_window_leaves_at_least_one_day_after_it(
    calendar: Calendar, start: datetime, length: int, share: int, lasts: timedelta
) -> None:
    plain = business_days(start, length, calendar)
    assert plain.until is not None
    since = start + (plain.until - start) * share // 10_000
    hold = Hold(since, since + lasts)
    held = business_days(start, length, calendar, [hold])
    assert hold.ended is not None
    classified = calendar.local_day(hold.ended)
    assert held.last_day is not None
    assert held.last_day > classified
    assert held.last_day >= (plain.last_day or date.min)
    assert any(day.counted and day.on > classified for day in held.days)
    assert business_days(start, length, calendar, [Hold(since)]).until is None


@given(calendar=calendars(), start=MOMENTS, before=st.timedeltas(timedelta(0), timedelta(99)))
def test_nothing_is_measured_backwards(
    calendar: Calendar, start: datetime, before: timedelta
) -> None:
    assert count_business_days(start, start - before, calendar) == 0
    assert minutes_between(start, start - before, calendar) == 0


def test_days_on_an_open_hold_are_not_measured() -> None:
    assert count_business_days(date(2026, 11, 23), date(2026, 12, 31), OFFICE) == 26
    open_hold = [Hold(at(2026, 11, 26, 8))]
    assert count_business_days(date(2026, 11, 23), date(2026, 12, 31), OFFICE, open_hold) == 2


# Calendar days


def test_a_warranty_rolls_over_days_off() -> None:
    delivered = at(2026, 11, 20, 10)  # the fifteenth day is Saturday 5 December
    term = calendar_days(delivered, 15, OFFICE)
    assert term.last_day == date(2026, 12, 7)
    assert told(term)[0] == (20, False, "event")
    assert told(term)[-3:] == [(5, True, "counted"), (6, False, "rolled"), (7, False, "rolled")]
    plain = calendar_days(delivered, 15, OFFICE, rolls=False)
    assert (plain.last_day, plain.until) == (date(2026, 12, 5), at(2026, 12, 6))


def test_a_roll_over_a_holiday_names_it() -> None:
    term = calendar_days(date(2026, 12, 5), 1, OFFICE)  # Sunday; then Monday works
    assert term.last_day == date(2026, 12, 7)
    term = calendar_days(date(2026, 12, 24), 1, OFFICE)  # Navidad, then a weekend
    assert term.last_day == date(2026, 12, 28)
    term = calendar_days(date(2026, 1, 10), 1, OFFICE)  # Sunday, then Reyes
    assert term.days[-2].name == "Día de los Reyes Magos (observado)"
    assert term.last_day == date(2026, 1, 13)


@given(calendar=calendars(), start=MOMENTS, length=st.integers(0, 40))
def test_calendar_days_count_every_day_and_roll_to_a_business_day(
    calendar: Calendar, start: datetime, length: int
) -> None:
    plain = calendar_days(start, length, calendar, rolls=False)
    rolled = calendar_days(start, length, calendar)
    nominal = calendar.local_day(start) + length * ONE_DAY
    assert plain.last_day == nominal
    assert sum(day.counted for day in plain.days) == length
    assert rolled.last_day is not None
    assert calendar.is_business_day(rolled.last_day)
    assert not any(
        calendar.is_business_day(nominal + number * ONE_DAY)
        for number in range((rolled.last_day - nominal).days)
    )


# A later calendar


@given(
    calendar=calendars(),
    other=calendars(),
    start=MOMENTS,
    length=LENGTHS,
    holds=st.sampled_from(["none", "open"]),
)
def test_later_never_shortens(
    calendar: Calendar, other: Calendar, start: datetime, length: int, holds: str
) -> None:
    a = business_days(start, length, calendar)
    b = business_days(start, length, other, [Hold(start)] if holds == "open" else [])
    longer = later(a, b)
    assert end(longer) == max(end(a), end(b))
    assert end(later(b, a)) == end(longer)
    assert later(a, a) == a


def test_a_removed_holiday_does_not_shorten_a_running_window_but_its_review_holds() -> None:
    bogus = with_holiday(replace(OFFICE, reviewed_years=frozenset()), date(2026, 11, 26))
    pinned = business_days(date(2026, 11, 23), 5, bogus)
    reviewed = business_days(date(2026, 11, 23), 5, OFFICE)
    assert not pinned.reviewed
    kept = later(pinned, reviewed)
    assert kept.last_day == date(2026, 12, 1)
    assert kept.reviewed
    unreviewed = business_days(date(2026, 11, 23), 3, bogus)
    assert later(unreviewed, reviewed) == reviewed


def test_a_review_does_not_hold_for_a_year_the_shorter_term_never_saw() -> None:
    bogus = with_holiday(replace(OFFICE, reviewed_years=frozenset()), date(2026, 12, 30))
    pinned = business_days(date(2026, 12, 23), 5, bogus)
    reviewed = business_days(date(2026, 12, 23), 5, OFFICE)
    assert reviewed.reviewed
    assert pinned.days[-1].on.year == 2027
    assert not later(pinned, reviewed).reviewed


# Working minutes


def test_hours_run_over_lunch_nights_and_weekends_and_say_so() -> None:
    term = working_minutes(at(2026, 12, 4, 17), 5 * 60, OFFICE)
    assert term.until == at(2026, 12, 7, 12)
    assert [(day.on.day, day.minutes, str(day.reason)) for day in term.days] == [
        (4, 60, "counted"),
        (5, 0, "weekend"),
        (6, 0, "weekend"),
        (7, 240, "counted"),
    ]
    over = working_minutes(at(2026, 12, 7, 18), 1, OFFICE)
    assert [(day.on.day, day.minutes, str(day.reason)) for day in over.days] == [
        (7, 0, "closed"),
        (8, 0, "holiday"),
        (9, 1, "counted"),
    ]
    assert over.days[1].name == "La Inmaculada Concepción"
    assert over.until == at(2026, 12, 9, 8, 1)


def test_minutes_that_fill_the_day_end_with_the_day() -> None:
    assert working_minutes(at(2026, 12, 4, 6), 480, OFFICE).until == at(2026, 12, 4, 18)


def test_no_minutes_end_at_once_and_around_the_clock_runs_through() -> None:
    moment = at(2026, 12, 6, 3)
    assert working_minutes(moment, 0, OFFICE) == WorkTerm(moment, ())
    always = around_the_clock("Europe/Madrid")
    assert working_minutes(moment, 3000, always).until == moment.astimezone(UTC) + timedelta(
        minutes=3000
    )


def test_around_the_clock_counts_real_minutes_over_a_clock_change() -> None:
    madrid = around_the_clock("Europe/Madrid")
    zone = ZoneInfo("Europe/Madrid")
    start = datetime(2026, 3, 28, 12, tzinfo=zone)
    assert minutes_between(start, datetime(2026, 3, 29, 12, tzinfo=zone), madrid) == 23 * 60
    autumn = datetime(2026, 10, 24, 12, tzinfo=zone)
    assert minutes_between(autumn, datetime(2026, 10, 25, 12, tzinfo=zone), madrid) == 25 * 60
    assert working_minutes(autumn, 25 * 60, madrid).until == datetime(2026, 10, 25, 12, tzinfo=zone)


def test_moments_of_one_zone_are_not_subtracted_by_their_clocks() -> None:
    def local(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 10, 25, hour, minute, tzinfo=ZoneInfo("Europe/Madrid"))

    madrid = around_the_clock("Europe/Madrid")
    # From 02:00 to 03:00 that day the clock ran twice.
    assert minutes_between(local(1, 30), local(4, 30), madrid) == 240
    around = [Hold(local(0), local(1, 30)), Hold(local(4, 30), local(6))]
    assert minutes_between(local(0), local(6), madrid, around) == 240
    assert working_minutes(local(0), 150, madrid, around).until == local(3).astimezone(UTC)


def test_a_day_that_begins_twice_loses_no_minute() -> None:
    # Until 2011 the clock of St. John's went back at 00:01 to 23:01 of the day before.
    zone = "America/St_Johns"
    start = datetime(2010, 11, 6, 12, tzinfo=UTC)
    finish = datetime(2010, 11, 7, 2, 45, tzinfo=UTC)
    for minute in range(30):
        span = finish + timedelta(minutes=minute) - start
        assert minutes_between(start, start + span, around_the_clock(zone)) * 60 == (
            span.total_seconds()
        )


def test_a_pause_stops_the_clock_and_an_open_one_keeps_it_stopped() -> None:
    start = at(2026, 11, 23, 9)
    asked = Hold(at(2026, 11, 23, 10), at(2026, 11, 25, 9))
    term = working_minutes(start, 120, OFFICE, [asked])
    assert term.until == at(2026, 11, 25, 10)
    assert [(day.minutes, str(day.reason)) for day in term.days] == [
        (60, "counted"),
        (0, "paused"),
        (60, "counted"),
    ]
    stopped = working_minutes(start, 120, OFFICE, [Hold(at(2026, 11, 23, 10))])
    assert stopped.until is None
    assert [(day.minutes, str(day.reason)) for day in stopped.days] == [(60, "counted")]
    midnight = working_minutes(at(2026, 11, 23, 17), 120, OFFICE, [Hold(at(2026, 11, 24))])
    assert [(day.minutes, str(day.reason)) for day in midnight.days] == [
        (60, "counted"),
        (0, "paused"),
    ]
    # What was due by the moment the pause began is due.
    assert working_minutes(start, 60, OFFICE, [Hold(at(2026, 11, 23, 10))]).until == at(
        2026, 11, 23, 10
    )
    assert minutes_between(start, at(2026, 11, 30), OFFICE, [Hold(at(2026, 11, 23, 10))]) == 60


def test_parts_of_minutes_carry_over_so_that_the_days_add_up() -> None:
    term = working_minutes(at(2026, 11, 23, 17, 59, 30), 1, OFFICE)
    assert term.until == at(2026, 11, 24, 8, 0, 30)
    assert [(day.minutes, str(day.reason)) for day in term.days] == [(0, "counted"), (1, "counted")]
    assert minutes_between(at(2026, 11, 23, 9), at(2026, 11, 23, 9, 0, 59), OFFICE) == 0


def test_bad_minutes_and_naive_moments_name_the_rule() -> None:
    with pytest.raises(InvalidField, match="minutes: must be a whole number"):
        working_minutes(at(2026, 1, 1), -1, OFFICE)
    with pytest.raises(InvalidField, match="start: needs its time zone"):
        working_minutes(datetime(2026, 1, 1), 1, OFFICE)
    with pytest.raises(InvalidField, match="end: needs its time zone"):
        minutes_between(at(2026, 1, 1), datetime(2026, 1, 2), OFFICE)


@given(calendar=calendars(), start=MOMENTS, minutes=st.integers(0, 4000), data=st.data())
def test_adding_and_measuring_minutes_agree(
    calendar: Calendar, start: datetime, minutes: int, data: st.DataObject
) -> None:
    pauses = data.draw(pauses_after(start))
    term = working_minutes(start, minutes, calendar, pauses)
    assert term.until is not None
    assert minutes_between(start, term.until, calendar, pauses) == minutes
    assert sum(day.minutes for day in term.days) == minutes
    assert WorkTerm.from_json(json.loads(json.dumps(term.to_json()))) == term
    if minutes:
        # The end lies in the last day's working time, and nothing sooner would do.
        assert term.days[-1].reason == "counted"
        assert minutes_between(start, term.until - INSTANT, calendar, pauses) == minutes - 1
        assert any(
            begin < term.until <= finish
            for begin, finish in calendar.working_spans(term.days[-1].on)
        )


@given(calendar=calendars(), start=MOMENTS, data=st.data())
def test_minutes_add_up_over_any_cut_and_never_grow_by_a_pause(
    calendar: Calendar, start: datetime, data: st.DataObject
) -> None:
    pauses = data.draw(pauses_after(start))
    middle = start + timedelta(minutes=data.draw(st.integers(0, 9000)))
    finish = middle + timedelta(minutes=data.draw(st.integers(0, 9000)))
    # Whole minutes, so that nothing is lost by rounding down twice.
    start, middle, finish = (
        moment.replace(second=0, microsecond=0) for moment in (start, middle, finish)
    )
    pauses = [
        Hold(
            hold.since.replace(second=0, microsecond=0),
            hold.ended and hold.ended.replace(second=0, microsecond=0),
        )
        for hold in pauses
    ]
    whole = minutes_between(start, finish, calendar, pauses)
    assert whole == minutes_between(start, middle, calendar, pauses) + minutes_between(
        middle, finish, calendar, pauses
    )
    assert whole <= minutes_between(start, finish, calendar)


@given(start=MOMENTS, minutes=st.integers(0, 4000), hours=st.integers(-11, 11))
def test_the_zone_a_moment_is_written_in_changes_nothing(
    start: datetime, minutes: int, hours: int
) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=hours)))
    assert working_minutes(elsewhere, minutes, OFFICE) == working_minutes(start, minutes, OFFICE)
    assert business_days(elsewhere, 5, OFFICE) == business_days(start, 5, OFFICE)
