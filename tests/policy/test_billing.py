"""Billing: which time may be logged, which bills and by what consent, and for how much."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.billing import (
    REASONS,
    Activity,
    CaseFacts,
    Consent,
    Opener,
    amount,
    billable,
    consent_for,
    may_log,
    round_minutes,
)
from acuse.policy.fields import InvalidField
from acuse.policy.refusals import REASONS as REFUSALS

NEVER = (Activity.CORRECTION, Activity.WARRANTY, Activity.INTERNAL)
REGISTERED = (Activity.DIAGNOSIS, Activity.MEETING)
FACTS = st.builds(
    CaseFacts,
    bound=st.booleans(),
    opened_by=st.sampled_from(Opener),
    confirmed=st.booleans(),
    unconfirmed_bills=st.booleans(),
    duplicate=st.booleans(),
    manager_reason=st.sampled_from(["", " ", "Agreed by letter"]),
    authorized=st.booleans(),
    emergency_minutes_left=st.none() | st.integers(0, 480),
)


def verdict(activity: Activity, **facts: object) -> tuple[bool, str]:
    found = billable(activity, CaseFacts(**facts))  # type: ignore[arg-type]
    return found.ok, found.reason


def test_each_activity_rests_on_its_consent() -> None:
    assert {activity: consent_for(activity) for activity in Activity} == {
        Activity.DIAGNOSIS: Consent.REGISTRATION,
        Activity.MEETING: Consent.REGISTRATION,
        Activity.EXECUTION: Consent.AUTHORIZATION,
        Activity.CORRECTION: Consent.NONE,
        Activity.WARRANTY: Consent.NONE,
        Activity.INTERNAL: Consent.NONE,
    }


@pytest.mark.parametrize("activity", REGISTERED)
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # Registering the case accepts it, whatever becomes of the proposal (P18).
        ({}, (True, "registration")),
        ({"authorized": True}, (True, "registration")),
        ({"opened_by": Opener.SUPPORT}, (False, "not_confirmed")),
        ({"opened_by": Opener.MONITOR}, (False, "not_confirmed")),
        ({"opened_by": Opener.MONITOR, "confirmed": True}, (True, "registration")),
        ({"opened_by": Opener.SUPPORT, "unconfirmed_bills": True}, (True, "contract")),
        (
            {"opened_by": Opener.SUPPORT, "confirmed": True, "unconfirmed_bills": True},
            (True, "registration"),
        ),
        ({"duplicate": True}, (False, "duplicate")),
        ({"duplicate": True, "manager_reason": " "}, (False, "duplicate")),
        ({"duplicate": True, "manager_reason": "Agreed"}, (True, "registration")),
        ({"bound": False}, (False, "not_bound")),
        ({"bound": False, "duplicate": True, "manager_reason": "x"}, (False, "not_bound")),
    ],
)
def test_diagnosis_and_meetings(
    activity: Activity, facts: dict[str, object], expected: tuple[bool, str]
) -> None:
    assert verdict(activity, **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (False, "not_authorized")),
        ({"authorized": True}, (True, "authorization")),
        ({"authorized": True, "opened_by": Opener.MONITOR}, (True, "authorization")),
        ({"authorized": True, "duplicate": True}, (False, "duplicate")),
        ({"authorized": True, "bound": False}, (False, "not_bound")),
    ],
)
def test_execution(facts: dict[str, object], expected: tuple[bool, str]) -> None:
    assert verdict(Activity.EXECUTION, **facts) == expected


@given(activity=st.sampled_from(NEVER), facts=FACTS)
def test_correction_warranty_and_internal_never_bill(activity: Activity, facts: CaseFacts) -> None:
    found = billable(activity, facts)
    assert not found
    assert found.reason == f"{activity.value}_never_bills"


@given(activity=st.sampled_from(Activity), facts=FACTS)
def test_what_bills_rests_on_a_consent_and_always_has_a_sentence(
    activity: Activity, facts: CaseFacts
) -> None:
    found = billable(activity, facts)
    assert found.reason in REASONS
    assert bool(found) == (found.reason in {"registration", "authorization", "contract"})
    if found:
        assert facts.bound
        assert not facts.duplicate or facts.manager_reason.strip()
        assert consent_for(activity) is not Consent.NONE
        if activity is Activity.EXECUTION:
            assert may_log(activity, facts)


def test_every_sentence_is_reached() -> None:
    facts = [
        CaseFacts(bound, opener, confirmed, contract, duplicate, "", authorized)
        for opener in Opener
        for bound, confirmed, contract, duplicate, authorized in product((True, False), repeat=5)
    ]
    reached = {billable(activity, fact).reason for activity in Activity for fact in facts}
    assert reached == set(REASONS)


@given(activity=st.sampled_from(Activity), facts=FACTS, minutes=st.integers(0, 600))
def test_only_execution_waits_for_its_authorisation(
    activity: Activity, facts: CaseFacts, minutes: int
) -> None:
    found = may_log(activity, facts, minutes)
    left = facts.emergency_minutes_left
    if activity is not Activity.EXECUTION:
        assert found
    elif not facts.authorized:
        assert (found.ok, found.reason) == (False, "not_authorized")
    elif left is not None and minutes > left:
        assert (found.ok, found.reason) == (False, "emergency_cap")
    else:
        assert (found.ok, found.reason) == (True, "authorization")


def test_what_may_not_be_logged_is_a_refusal_with_a_sentence() -> None:
    assert may_log(Activity.EXECUTION, CaseFacts()).reason in REFUSALS
    capped = CaseFacts(authorized=True, emergency_minutes_left=60)
    assert may_log(Activity.EXECUTION, capped, 60)
    assert may_log(Activity.EXECUTION, capped, 61).reason in REFUSALS


@given(minutes=st.integers(0, 100_000), unit=st.integers(1, 1440))
def test_minutes_are_rounded_up_to_the_unit(minutes: int, unit: int) -> None:
    rounded = round_minutes(minutes, unit)
    assert rounded % unit == 0
    assert 0 <= rounded - minutes < unit


@pytest.mark.parametrize(
    ("minutes", "rate", "currency", "expected"),
    [
        (60, "180000", "COP", "180000.00"),
        (15, "185500", "COP", "46375.00"),
        (1, "0.30", "COP", "0.01"),  # half a cent rounds up
        (1, "0.29", "COP", "0.00"),
        (90, "33.33", "USD", "50.00"),
        (30, "1.05", "EUR", "0.53"),
        (30, "15001", "CLP", "7501"),
        (20, "10", "KWD", "3.333"),
        (0, "99", "EUR", "0.00"),
        (60, "1E+4", "COP", "10000.00"),
        (10_000_000, "12345678901234567890.12", "COP", "2057613150205761315020000.00"),
    ],
)
def test_amounts(minutes: int, rate: str, currency: str, expected: str) -> None:
    found = amount(minutes, Decimal(rate), currency)
    assert str(found) == expected


@given(
    minutes=st.integers(0, 100_000),
    rate=st.decimals(0, 10**9, places=4),
    currency=st.sampled_from(["COP", "CLP", "KWD"]),
)
def test_an_amount_is_off_by_at_most_half_the_smallest_unit(
    minutes: int, rate: Decimal, currency: str
) -> None:
    found = amount(minutes, rate, currency)
    digits = {"COP": 2, "CLP": 0, "KWD": 3}[currency]
    assert found.as_tuple().exponent == -digits
    # In sixtieths of a ten-thousandth, where everything is a whole number.
    exact = int(rate.scaleb(4)) * minutes
    given_ = int(found.scaleb(4)) * 60
    half = 30 * 10 ** (4 - digits)
    assert -half < given_ - exact <= half
    assert amount(minutes + 1, rate, currency) >= found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((-1, Decimal(1), "COP"), "minutes: must be a whole number"),
        ((1.5, Decimal(1), "COP"), "minutes: must be a whole number"),
        ((1, 1.5, "COP"), "hourly_rate: must be a decimal number, zero or more, not 1.5"),
        ((1, Decimal(-1), "COP"), "hourly_rate: must be"),
        ((1, Decimal("NaN"), "COP"), "hourly_rate: must be"),
        ((1, Decimal(1), "cop"), "currency: must be three capital letters"),
        ((1, Decimal(1), "COP\n"), "currency: must be three capital letters"),
    ],
)
def test_bad_amounts_name_the_field_and_the_rule(
    arguments: tuple[int, Decimal, str], told: str
) -> None:
    with pytest.raises(InvalidField, match=told):
        amount(*arguments)


def test_bad_rounding_names_the_field_and_the_rule() -> None:
    with pytest.raises(InvalidField, match="minutes: must be a whole number"):
        round_minutes(-1, 15)
    with pytest.raises(InvalidField, match="unit: must be a whole number from 1 to 1440, not 0"):
        round_minutes(1, 0)
