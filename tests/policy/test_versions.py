"""Policy versions: the letter's numbers by default, every bad one named by field and rule."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.fields import InvalidField
from acuse.policy.priority import Impact, Matrix, Priority, Urgency
from acuse.policy.versions import DEFAULT, PolicyParameters

FLAT = Matrix(dict.fromkeys(((i, u) for i in Impact for u in Urgency), Priority.LOW))
DAYS = st.integers(1, 365)
OPTIONAL = st.none() | DAYS


@st.composite
def parameters(draw: st.DrawFn) -> PolicyParameters:
    acceptance, escalates = draw(DAYS), draw(DAYS)
    before = (
        draw(st.sets(st.integers(1, 364).filter(lambda day: day < acceptance), max_size=3))
        if acceptance > 1
        else set()
    )
    after = draw(st.sets(st.integers(1, escalates - 1), max_size=3)) if escalates > 1 else set()
    return PolicyParameters(
        acceptance_days=acceptance,
        correction_days=draw(DAYS),
        warranty_days=draw(DAYS),
        warranty_rolls=draw(st.booleans()),
        any_comment_excludes_silence=draw(st.booleans()),
        authorization_lapses_after_days=draw(OPTIONAL),
        reminder_days_before=tuple(sorted(before, reverse=True)),
        approval_reminder_days=tuple(sorted(after)),
        approval_escalates_after_days=escalates,
        wait_reminder_days=tuple(sorted(draw(st.sets(st.integers(1, 9), max_size=3)))),
        wait_cancel_days=draw(st.none() | st.integers(10, 365)),
        priority_matrix=draw(st.sampled_from([FLAT, DEFAULT.priority_matrix])),
        time_rounding_minutes=draw(st.integers(1, 1440)),
        target_warning_percents=tuple(sorted(draw(st.sets(st.integers(1, 99), max_size=4)))),
    )


def test_the_default_is_the_letter_of_the_policy() -> None:
    assert (DEFAULT.acceptance_days, DEFAULT.correction_days, DEFAULT.warranty_days) == (5, 5, 15)
    assert DEFAULT.warranty_rolls
    assert DEFAULT.corrected_needs_explicit
    assert not DEFAULT.any_comment_excludes_silence
    assert not DEFAULT.diagnosis_billed_without_confirmation
    assert DEFAULT.authorization_lapses_after_days is None
    assert DEFAULT.day_ends_at == "24:00"


@given(version=parameters())
def test_a_version_survives_json(version: PolicyParameters) -> None:
    stored = json.loads(json.dumps(version.to_json()))
    assert set(stored) == {item.name for item in fields(PolicyParameters)}
    again = PolicyParameters.from_json(stored)
    assert again == version
    assert hash(again) == hash(version)


def test_an_older_version_is_read_without_what_was_added_later() -> None:
    assert PolicyParameters.from_json({}) == DEFAULT
    assert PolicyParameters.from_json({"warranty_days": 30}) == replace(DEFAULT, warranty_days=30)


REQUIRED_DAYS = (
    "acceptance_days",
    "correction_days",
    "proposal_revision_days",
    "warranty_days",
    "claim_correction_days",
    "approval_escalates_after_days",
    "satisfaction_days",
)


@pytest.mark.parametrize("name", [*REQUIRED_DAYS, "authorization_lapses_after_days"])
@pytest.mark.parametrize("value", [0, -1, 366, 5.0, "5", True])
def test_days_are_whole_and_within_a_year(name: str, value: object) -> None:
    with pytest.raises(InvalidField, match=f"{name}: must be a whole number from 1 to 365"):
        replace(DEFAULT, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REQUIRED_DAYS)
def test_only_some_days_may_be_never(name: str) -> None:
    with pytest.raises(InvalidField, match=name):
        replace(DEFAULT, **{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"warranty_rolls": 1}, "warranty_rolls: must be a true or false, not 1"),
        ({"corrected_needs_explicit": "yes"}, "corrected_needs_explicit: must be"),
        ({"any_comment_excludes_silence": 0}, "any_comment_excludes_silence: must be"),
        ({"diagnosis_billed_without_confirmation": 0}, "diagnosis_billed_without_confirmation:"),
        ({"emergency_cap_minutes": -1}, "emergency_cap_minutes: must be a whole number from 0"),
        ({"time_rounding_minutes": 0}, "time_rounding_minutes: must be a whole number from 1"),
        ({"priority_matrix": {}}, "priority_matrix: must be a priority matrix, not {}"),
        ({"day_ends_at": "18:00"}, "day_ends_at: must be 24:00"),
        ({"reminder_days_before": 2}, "reminder_days_before: must be a list of days, not 2"),
        ({"reminder_days_before": (0,)}, "reminder_days_before: must be a whole number"),
        ({"reminder_days_before": (1, 2)}, "reminder_days_before: must fall"),
        ({"reminder_days_before": (2, 2)}, "reminder_days_before: must fall"),
        ({"reminder_days_before": (5, 1)}, r"reminder_days_before: must be fewer days .*\(5\)"),
        ({"acceptance_days": 2}, "reminder_days_before: must be fewer days than the term has"),
        ({"approval_reminder_days": (4, 2)}, "approval_reminder_days: must rise"),
        ({"approval_reminder_days": (2, 2)}, "approval_reminder_days: must rise"),
        ({"target_warning_percents": 50}, "target_warning_percents: must be a list of percents"),
        ({"target_warning_percents": (0, 75)}, "target_warning_percents: must be a whole number"),
        ({"target_warning_percents": (50, 100)}, "target_warning_percents: must be a whole number"),
        ({"target_warning_percents": (75, 50)}, "target_warning_percents: must rise"),
        ({"target_warning_percents": (75, 75)}, "target_warning_percents: must rise"),
        ({"approval_reminder_days": (2, 5)}, r"approval_reminder_days: .*escalation \(day 5\)"),
    ],
)
def test_a_bad_parameter_names_its_rule(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        replace(DEFAULT, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({"grace_days": 3}, "grace_days: is not a parameter of a policy version"),
        ({"reminder_days_before": "2, 1"}, "reminder_days_before: must be a list of days"),
        ({"approval_reminder_days": None}, "approval_reminder_days: must be a list of days"),
        ({"target_warning_percents": "50"}, "target_warning_percents: must be a list of percents"),
        ({"priority_matrix": "flat"}, "priority_matrix: must be a priority matrix, not 'flat'"),
        ({"priority_matrix": {}}, "priority_matrix: must give a priority for"),
        ({"warranty_days": "15"}, "warranty_days: must be a whole number"),
    ],
)
def test_a_bad_stored_version_is_refused(stored: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        PolicyParameters.from_json(stored)


def test_a_refusal_keeps_its_field_rule_and_params_for_translation() -> None:
    with pytest.raises(InvalidField) as told:
        replace(DEFAULT, warranty_days=0)
    assert told.value.field == "warranty_days"
    assert told.value.params == {"low": 1, "high": 365, "value": "0"}
    assert told.value.rule % told.value.params in str(told.value)
    assert isinstance(told.value, ValueError)
