"""What may be agreed in a contract, which version holds, and the periods of its hours (P09)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.billing import Activity
from acuse.policy.contracts import (
    BankAlert,
    Commitment,
    HourBank,
    HourlyRate,
    Period,
    Reach,
    Renewal,
    bank_alerts,
    check_commitments,
    check_rates,
    check_validity,
    find_overlap,
    period_of,
    stretches,
    version_on,
)
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Priority

DAY = timedelta(days=1)
BEGIN = date(2026, 1, 1)
DAYS = st.dates(BEGIN, date(2027, 12, 31))
FULL = [Commitment(priority, 60, 480) for priority in Priority]


@st.composite
def reaches(draw: st.DrawFn, most: int = 4) -> list[Reach]:
    """The versions of one contract."""
    found = []
    for number in range(1, draw(st.integers(1, most)) + 1):
        first = draw(DAYS)
        last = draw(st.none() | st.dates(first, date(2028, 6, 30)))
        sets = [draw(st.frozensets(st.integers(1, 3), max_size=2)) for _ in range(3)]
        found.append(Reach(number, first, last, *sets))
    return found


def holding(versions: list[Reach], on: date) -> Reach | None:
    """The version in force on a day, if the contract holds then at all."""
    version = version_on(versions, on)
    if version is None or version.first > on or (version.last_day and version.last_day < on):
        return None
    return version


@given(reaches(), DAYS)
def test_the_stretches_are_the_days_on_which_a_version_holds(
    versions: list[Reach], on: date
) -> None:
    inside = [v for first, last, v in stretches(versions) if first <= on <= (last or on)]
    wanted = holding(versions, on)
    assert inside == ([wanted] if wanted is not None else [])


@given(reaches(1), reaches(3))
def test_an_overlap_is_the_first_day_on_which_both_could_cover_a_case(
    new: list[Reach], other: list[Reach]
) -> None:
    [reach] = new

    def both(on: date) -> bool:
        mine, theirs = holding(new, on), holding(other, on)
        if mine is None or theirs is None:
            return False
        pairs = [(mine.entities, theirs.entities), (mine.environments, theirs.environments)]
        pairs.append((mine.modules, theirs.modules))
        return all(not a or not b or not a.isdisjoint(b) for a, b in pairs)

    found = find_overlap(reach, other)
    days = [BEGIN + DAY * n for n in range(1000)]
    assert found == next((day for day in days if both(day)), None)


def test_a_renewal_agreed_ahead_waits_for_its_first_day() -> None:
    old = Reach(1, date(2026, 1, 1), date(2026, 12, 31))
    new = Reach(2, date(2027, 1, 1), date(2027, 12, 31))
    assert version_on([old, new], date(2026, 12, 31)) == old
    assert version_on([old, new], date(2027, 1, 1)) == new
    assert version_on([old, new], date(2025, 6, 1)) == old
    assert version_on([], date(2026, 1, 1)) is None


def test_a_version_that_ends_early_ends_the_contract() -> None:
    old = Reach(1, date(2026, 1, 1), None)
    ended = Reach(2, date(2026, 1, 1), date(2026, 6, 30))
    assert version_on([old, ended], date(2026, 8, 1)) == ended
    assert find_overlap(Reach(1, date(2026, 7, 1), None), [old, ended]) is None


@given(DAYS, st.none() | st.integers(0, 900), st.sampled_from(Renewal), DAYS)
def test_periods_follow_each_other_without_a_gap(
    first: date, length: int | None, renewal: Renewal, on: date
) -> None:
    last = first + DAY * length if length is not None else None
    on = max(first, min(on, last or on))
    period = period_of(on, first, last, renewal)
    assert period.first <= on <= (period.last_day or on)
    assert period.first >= first
    assert period_of(period.first, first, last, renewal) == period
    if period.last_day is not None:
        assert period_of(period.last_day, first, last, renewal) == period
        if period.last_day != last:
            following = period_of(period.last_day + DAY, first, last, renewal)
            assert following.first == period.last_day + DAY
    else:
        assert renewal is Renewal.NEVER
        assert last is None


def test_a_month_that_is_too_short_ends_a_period_on_its_last_day() -> None:
    first = date(2026, 1, 31)
    february = period_of(date(2026, 2, 28), first, None, Renewal.MONTHLY)
    assert february == Period(date(2026, 2, 28), date(2026, 3, 30))
    quarter = period_of(date(2026, 5, 1), date(2026, 1, 15), None, Renewal.QUARTERLY)
    assert quarter == Period(date(2026, 4, 15), date(2026, 7, 14))
    year = period_of(date(2028, 3, 1), date(2026, 2, 1), date(2028, 6, 30), Renewal.YEARLY)
    assert year == Period(date(2028, 2, 1), date(2028, 6, 30))


def test_what_is_told_of_an_hour_bank() -> None:
    bank = HourBank(600, alert_minutes=120, alert_days=5)
    period = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert bank_alerts(bank, period, 479, date(2026, 11, 24)) == []
    assert bank_alerts(bank, period, 480, date(2026, 11, 24)) == [BankAlert.MINUTES_LEFT]
    assert bank_alerts(bank, period, 600, date(2026, 11, 24)) == [BankAlert.USED_UP]
    assert bank_alerts(bank, period, 0, date(2026, 11, 25)) == [BankAlert.DAYS_LEFT]
    assert bank_alerts(bank, period, 0, date(2026, 12, 1)) == []
    both = [BankAlert.USED_UP, BankAlert.DAYS_LEFT]
    assert bank_alerts(bank, period, 999, date(2026, 11, 30)) == both
    endless = Period(date(2026, 11, 1), None)
    assert bank_alerts(bank, endless, 0, date(2026, 11, 30)) == []
    assert bank_alerts(HourBank(600), period, 599, date(2026, 11, 30)) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([*FULL, FULL[0]], "sla: urgent stands there twice"),
        (FULL[:-1], "sla: low is missing"),
        ([Commitment(Priority.URGENT, 60, 59), *FULL[1:]], "sla: urgent: delivery"),
        ([Commitment(Priority.URGENT, 0, 59), *FULL[1:]], "sla: "),
    ],
)
def test_a_table_of_times_names_the_row_at_fault(rows: list[Commitment], told: str) -> None:
    check_commitments(FULL)
    with pytest.raises(InvalidField, match=told):
        check_commitments(rows)


@pytest.mark.parametrize(
    ("currency", "rows", "told"),
    [
        ("cop", [], "currency: "),
        ("PESOS", [], "currency: "),
        ("COP", [HourlyRate(Activity.MEETING, Decimal(-1))], "rates: "),
        ("COP", [HourlyRate(Activity.MEETING, Decimal("NaN"))], "rates: "),
        ("COP", [HourlyRate(Activity.MEETING, Decimal(1))] * 2, "rates: meeting stands"),
    ],
)
def test_a_list_of_rates_names_the_row_at_fault(
    currency: str, rows: list[HourlyRate], told: str
) -> None:
    for specialty in (None, 1):
        check_rates("COP", [HourlyRate(Activity.MEETING, Decimal(0), specialty)])
    with pytest.raises(InvalidField, match=told):
        check_rates(currency, rows)


def test_a_bank_warns_below_what_it_has() -> None:
    with pytest.raises(InvalidField, match="alert_minutes: .*600"):
        HourBank(600, alert_minutes=600)
    with pytest.raises(InvalidField, match="hour_bank_minutes: "):
        HourBank(0)
    with pytest.raises(InvalidField, match="alert_days: "):
        HourBank(600, alert_days=366)


def test_nothing_ends_before_it_starts() -> None:
    check_validity(date(2026, 1, 1), None)
    check_validity(date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(InvalidField, match="valid_until: .*2025-12-31.*2026-01-01"):
        check_validity(date(2026, 1, 1), date(2025, 12, 31))
