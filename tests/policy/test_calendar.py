"""The calendar: what a day is, in every time zone; bad input named by field and rule."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, Shift, around_the_clock, colombia
from acuse.policy.fields import InvalidField
from acuse.policy.holidays import colombian_holidays, public_holidays

ZONES = (
    "America/Bogota",
    "America/Santiago",  # changes at 24:00
    "America/Havana",  # forward at 00:00, back from 01:00 to 00:00
    "Asia/Beirut",  # forward at 00:00, back at 24:00 to 23:00
    "Europe/Madrid",
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # skipped 30 December 2011
    "Asia/Kathmandu",
)
DAYS = st.dates(date(2009, 1, 1), date(2032, 12, 31))
OFFICE = (Shift(480, 720), Shift(840, 1080))
WEEK = (OFFICE,) * 5 + ((), ())


def calendar(**changes: object) -> Calendar:
    values = {
        "name": "Office",
        "zone": "America/Bogota",
        "week": WEEK,
        "holidays": {date(2026, 12, 8): "La Inmaculada Concepción"},
        "reviewed_years": frozenset({2026}),
    }
    return Calendar(**(values | changes))  # type: ignore[arg-type]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def minutes(spans: list[tuple[datetime, datetime]]) -> float:
    return sum((end - begin).total_seconds() / 60 for begin, end in spans)


def test_colombia_has_nineteen_holidays_in_2026_with_the_new_one_of_july() -> None:
    rows = colombia([2026]).holidays
    assert len(rows) == 19
    assert "Chiquinquirá" in rows[date(2026, 7, 13)]
    assert rows[date(2026, 12, 8)] == "La Inmaculada Concepción"
    assert date(2025, 7, 14) not in colombia([2025, 2026]).holidays


@pytest.mark.parametrize("year", range(2024, 2036))
def test_a_colombian_year_has_its_holidays_within_it(year: int) -> None:
    rows = colombian_holidays([year])
    assert {day.year for day in rows} == {year}
    assert list(rows) == sorted(rows)
    # Two may fall on one day; the law of 2026 added one.
    assert (18 if year >= 2026 else 17) <= len(rows) <= (19 if year >= 2026 else 18)


def test_holidays_come_only_for_the_years_and_countries_asked_for() -> None:
    assert public_holidays("CO", [], "es") == {}
    assert date(2026, 7, 4) in public_holidays("US", [2026, 2026], "en_US")
    with pytest.raises(InvalidField, match="country: “XX”"):
        public_holidays("XX", [2026], "es")


def test_colombia_works_split_shifts_and_reviews_nothing_by_itself() -> None:
    office = colombia([2026])
    assert office.reviewed_years == frozenset()
    assert colombia([2026], reviewed=[2026]).reviewed_years == {2026}
    assert office.working_spans(date(2026, 11, 23)) == [
        (utc(2026, 11, 23, 13), utc(2026, 11, 23, 17)),
        (utc(2026, 11, 23, 19), utc(2026, 11, 23, 23)),
    ]


def test_days_off_say_why() -> None:
    office = calendar()
    assert office.skip_reason(date(2026, 12, 7)) is None
    assert office.is_business_day(date(2026, 12, 7))
    assert office.skip_reason(date(2026, 12, 8)) == ("holiday", "La Inmaculada Concepción")
    assert office.skip_reason(date(2026, 12, 12)) == ("weekend", "")
    assert not office.is_business_day(date(2026, 12, 12))
    assert office.working_spans(date(2026, 12, 8)) == []
    assert office.working_spans(date(2026, 12, 12)) == []


def test_a_shift_of_no_length_makes_a_business_day_without_time() -> None:
    office = calendar(week=((Shift(540, 540),), *WEEK[1:]))
    monday = date(2026, 11, 23)
    assert office.is_business_day(monday)
    assert minutes(office.working_spans(monday)) == 0


# zone, day, start and end of the shift, the UTC instants of it.
CLOCK_CHANGES = [
    ("Europe/Madrid", (2026, 3, 29), 150, 240, (2026, 3, 29, 1), (2026, 3, 29, 2)),
    ("Europe/Madrid", (2026, 3, 29), 120, 180, (2026, 3, 29, 1), (2026, 3, 29, 1)),
    ("Europe/Madrid", (2026, 3, 29), 0, 1440, (2026, 3, 28, 23), (2026, 3, 29, 22)),
    ("Europe/Madrid", (2026, 10, 25), 0, 1440, (2026, 10, 24, 22), (2026, 10, 25, 23)),
    ("Europe/Madrid", (2026, 10, 25), 150, 240, (2026, 10, 25, 0, 30), (2026, 10, 25, 3)),
    ("America/Santiago", (2026, 9, 6), 0, 1440, (2026, 9, 6, 4), (2026, 9, 7, 3)),
    ("America/Santiago", (2026, 4, 4), 0, 1440, (2026, 4, 4, 3), (2026, 4, 5, 4)),
    ("America/Havana", (2026, 3, 8), 0, 480, (2026, 3, 8, 5), (2026, 3, 8, 12)),
    ("America/Havana", (2026, 11, 1), 0, 1440, (2026, 11, 1, 4), (2026, 11, 2, 5)),
    ("Asia/Beirut", (2026, 3, 29), 0, 60, (2026, 3, 28, 22), (2026, 3, 28, 22)),
    ("Asia/Beirut", (2026, 10, 24), 0, 1440, (2026, 10, 23, 21), (2026, 10, 24, 22)),
    ("Australia/Lord_Howe", (2026, 10, 4), 120, 180, (2026, 10, 3, 15, 30), (2026, 10, 3, 16)),
    ("Pacific/Apia", (2011, 12, 30), 0, 1440, (2011, 12, 30, 10), (2011, 12, 30, 10)),
]


@pytest.mark.parametrize(("zone", "day", "start", "end", "begins", "ends"), CLOCK_CHANGES)
def test_shifts_meet_the_clock_changes_of_their_zone(
    zone: str,
    day: tuple[int, int, int],
    start: int,
    end: int,
    begins: tuple[int, ...],
    ends: tuple[int, ...],
) -> None:
    office = calendar(zone=zone, week=((Shift(start, end),),) * 7)
    assert office.working_spans(date(*day))[0] == (utc(*begins), utc(*ends))


@pytest.mark.parametrize(
    ("zone", "day", "until"),
    [
        ("America/Bogota", date(2026, 11, 27), (2026, 11, 28, 5)),
        ("America/Havana", date(2026, 3, 7), (2026, 3, 8, 5)),
        ("America/Santiago", date(2026, 9, 5), (2026, 9, 6, 4)),
        ("Asia/Beirut", date(2026, 10, 24), (2026, 10, 24, 22)),
        ("America/Bogota", date(2028, 2, 28), (2028, 2, 29, 5)),
        ("America/Bogota", date(2028, 2, 29), (2028, 3, 1, 5)),
    ],
)
def test_a_day_ends_at_its_local_midnight(zone: str, day: date, until: tuple[int, ...]) -> None:
    assert calendar(zone=zone).end_of_day(day) == utc(*until)


@given(zone=st.sampled_from(ZONES), day=DAYS)
def test_the_end_of_a_day_is_the_first_instant_of_the_next(zone: str, day: date) -> None:
    office = calendar(zone=zone)
    until = office.end_of_day(day)
    if (zone, day) != ("Pacific/Apia", date(2011, 12, 30)):
        assert office.local_day(until - timedelta(microseconds=1)) == day
    assert office.local_day(until) > day
    assert until <= office.end_of_day(day + timedelta(days=1))
    assert until.utcoffset() == timedelta(0)


@given(zone=st.sampled_from(ZONES), day=DAYS, cuts=st.sets(st.integers(0, 1440), max_size=6))
def test_a_split_shift_is_the_sum_of_its_parts(zone: str, day: date, cuts: set[int]) -> None:
    edges = sorted(cuts | {0, 1440})
    split = calendar(
        zone=zone, holidays={}, week=(tuple(Shift(a, b) for a, b in pairwise(edges)),) * 7
    )
    spans = split.working_spans(day)
    (whole,) = around_the_clock(zone).working_spans(day)
    assert minutes(spans) == minutes([whole])
    assert (spans[0][0], spans[-1][1]) == whole
    assert all(first[1] == second[0] for first, second in pairwise(spans))


@given(
    zone=st.sampled_from(ZONES),
    day=st.one_of(
        DAYS,
        # The days of the clock changes, which chance would rarely meet.
        st.sampled_from([date(2026, 3, 29), date(2026, 3, 8), date(2026, 9, 6), date(2026, 10, 4)]),
    ),
    minute=st.integers(0, 1439),
    length=st.integers(1, 600),
)
def test_within_a_shift_the_clock_shows_a_time_of_the_shift(
    zone: str, day: date, minute: int, length: int
) -> None:
    shift = Shift(minute, min(minute + length, 1440))
    (span,) = calendar(zone=zone, holidays={}, week=((shift,),) * 7).working_spans(day)
    midnight = datetime.combine(day, datetime.min.time())
    first, last = (
        at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - midnight
        for at in (span[0], span[1] - timedelta(microseconds=1))
    )
    assert span[0] <= span[1]
    # A shift that the clock skipped altogether shows nothing.
    if span[0] < span[1]:
        assert timedelta(minutes=shift.start) <= first <= last < timedelta(minutes=shift.end)


def test_a_local_day_needs_an_aware_moment_in_whatever_zone() -> None:
    office = calendar()
    assert office.local_day(utc(2026, 11, 23, 4, 59)) == date(2026, 11, 22)
    tokyo = timezone(timedelta(hours=9))
    assert office.local_day(datetime(2026, 11, 23, 14, 0, tzinfo=tokyo)) == date(2026, 11, 23)
    with pytest.raises(InvalidField, match="at: needs its time zone"):
        office.local_day(datetime(2026, 11, 23))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "name: must not be empty"),
        ({"zone": "America/Macondo"}, "zone: “America/Macondo” is not a time zone"),
        ({"zone": "../etc/passwd"}, "zone: “../etc/passwd” is not"),
        ({"zone": "America"}, "zone: “America” is not"),
        ({"week": WEEK[:6]}, "week: must have seven days, Monday first, not 6"),
        ({"week": ((),) * 7}, "week: must have at least one minute of work"),
        ({"week": ((Shift(9, 9),),) * 7}, "week: must have at least one minute"),
        ({"week": ((Shift(0, 61), Shift(60, 90)), *WEEK[1:])}, r"week\[0\]: shifts must be in"),
        ({"week": (*WEEK[:6], (Shift(60, 90), Shift(0, 30)))}, r"week\[6\]: shifts must be in"),
        ({"holidays": {"2026-01-01": "x"}}, "holidays: must be a date written YYYY-MM-DD"),
        ({"holidays": {utc(2026, 1, 1): "x"}}, "holidays: must be a date"),
        ({"holidays": {date(2026, 1, 1): ""}}, r"holidays\[2026-01-01\]: must not be empty"),
        ({"reviewed_years": frozenset({0})}, "reviewed_years: must be a whole number"),
    ],
)
def test_a_bad_calendar_names_the_field_and_the_rule(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        calendar(**changes)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (-1, 5, "start: must be a whole number from 0 to 1440, not -1"),
        (0, 1441, "end: must be"),
        (10, 9, "start: must not start after it ends"),
        (True, 9, "start: must be a whole number"),
        ("8", 9, "start: must be a whole number"),
    ],
)
def test_a_bad_shift_names_the_field_and_the_rule(start: int, end: int, told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        Shift(start, end)


def test_shifts_may_touch() -> None:
    assert calendar(week=((Shift(0, 60), Shift(60, 60), Shift(60, 90)), *WEEK[1:])).week[0]


def test_a_calendar_survives_json_and_cannot_be_changed() -> None:
    rows = {date(2026, 12, 8): "La Inmaculada Concepción"}
    office = calendar(holidays=rows)
    again = Calendar.from_json(json.loads(json.dumps(office.to_json())))
    assert again == office
    assert hash(again) == hash(office)
    rows.clear()
    assert not office.is_business_day(date(2026, 12, 8))
    with pytest.raises(TypeError):
        office.holidays[date(2026, 1, 1)] = "x"  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": None}, "name: must be a str, not None"),
        ({"week": "Monday"}, "week: must be a list"),
        ({"week": [[480, 720]] * 7}, "week: each day must be a list of"),
        ({"week": [[[480]]] * 7}, "week: each day must be a list of"),
        ({"week": [8] * 7}, "week: each day must be a list of"),
        ({"holidays": {"8 Dec": "x"}}, "holidays: must be a date written YYYY-MM-DD, not “8 Dec”"),
        ({"reviewed_years": ["2026"]}, "reviewed_years: must be a whole number"),
    ],
)
def test_a_bad_stored_calendar_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        Calendar.from_json(calendar().to_json() | changes)


def test_around_the_clock_never_rests() -> None:
    assert around_the_clock("UTC").is_business_day(date(2026, 12, 25))
    assert minutes(around_the_clock("UTC").working_spans(date(2026, 12, 27))) == 1440
