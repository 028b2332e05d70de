"""Priority: P21's four letters, P22's Low, and overrides with their reason."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.fields import InvalidField
from acuse.policy.priority import (
    DEFAULT_MATRIX,
    IMPACT_QUESTIONS,
    URGENCY_QUESTIONS,
    Impact,
    Matrix,
    Priority,
    Urgency,
    allowed_override,
    derive,
)

CELLS = list(product(Impact, Urgency))
RANK = list(Priority)


@pytest.mark.parametrize(
    ("impact", "urgency", "expected"),
    [
        # All business processes interrupted.
        ("whole_operation", "customer_notices", "urgent"),
        ("whole_operation", "work_blocked", "urgent"),
        ("whole_operation", "can_wait", "urgent"),
        # A critical process, visible to the end customer.
        ("critical_process", "customer_notices", "high"),
        ("critical_process", "work_blocked", "high"),
        ("critical_process", "can_wait", "medium"),
        # No critical process, no effect on the outside.
        ("limited", "customer_notices", "medium"),
        ("limited", "work_blocked", "medium"),
        ("limited", "can_wait", "low"),
        # Questions that can be answered online.
        ("question", "customer_notices", "low"),
        ("question", "work_blocked", "low"),
        ("question", "can_wait", "low"),
    ],
)
def test_the_default_table(impact: str, urgency: str, expected: str) -> None:
    derived = derive(Impact(impact), Urgency(urgency), DEFAULT_MATRIX, contract_has_sla=True)
    assert derived == Priority(expected)


@pytest.mark.parametrize(("impact", "urgency"), CELLS)
def test_without_committed_times_everything_is_low(impact: Impact, urgency: Urgency) -> None:
    assert derive(impact, urgency, DEFAULT_MATRIX, contract_has_sla=False) is Priority.LOW


def test_every_answer_has_its_question_in_plain_words() -> None:
    assert list(IMPACT_QUESTIONS) == list(Impact)
    assert list(URGENCY_QUESTIONS) == list(Urgency)
    texts = [*IMPACT_QUESTIONS.values(), *URGENCY_QUESTIONS.values()]
    assert len(set(texts)) == len(texts)
    assert all(text.endswith("?") for text in texts)


@given(
    derived=st.sampled_from(RANK),
    wanted=st.sampled_from(RANK),
    reason=st.sampled_from(["", "  ", "The director is waiting"]),
    has_sla=st.booleans(),
)
def test_an_override_needs_a_reason_and_never_rises_above_low_without_a_contract(
    derived: Priority, wanted: Priority, reason: str, has_sla: bool
) -> None:
    override = allowed_override(derived, wanted, reason, has_sla)
    if not has_sla and wanted is not Priority.LOW:
        assert (override.allowed, override.code) == (False, "priority_fixed")
    elif wanted is not derived and not reason.strip():
        assert (override.allowed, override.code) == (False, "priority_reason")
    else:
        assert (override.allowed, override.code) == (True, "")


@given(cells=st.fixed_dictionaries(dict.fromkeys(CELLS, st.sampled_from(RANK))))
def test_a_matrix_is_taken_only_if_it_never_falls(
    cells: dict[tuple[Impact, Urgency], Priority],
) -> None:
    impacts, urgencies = list(Impact), list(Urgency)
    falls = any(
        RANK.index(cells[high]) > RANK.index(cells[low])
        for high, low in product(CELLS, CELLS)
        if impacts.index(high[0]) <= impacts.index(low[0])
        and urgencies.index(high[1]) <= urgencies.index(low[1])
    )
    if falls:
        with pytest.raises(InvalidField, match="priority_matrix: must not fall"):
            Matrix(cells)
    else:
        assert Matrix(cells).cells == cells


def test_a_matrix_names_its_missing_cell_and_cannot_be_changed() -> None:
    cells = dict(DEFAULT_MATRIX.cells)
    del cells[Impact.LIMITED, Urgency.CAN_WAIT]
    with pytest.raises(InvalidField, match="must give a priority for limited and can_wait"):
        Matrix(cells)
    with pytest.raises(TypeError):
        DEFAULT_MATRIX.cells[Impact.LIMITED, Urgency.CAN_WAIT] = Priority.HIGH  # type: ignore[index]


def test_a_matrix_survives_json() -> None:
    again = Matrix.from_json(json.loads(json.dumps(DEFAULT_MATRIX.to_json())))
    assert again == DEFAULT_MATRIX
    assert hash(again) == hash(DEFAULT_MATRIX)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"limited": {"can_wait": "lowest"}}, "“limited can_wait lowest” is not"),
        ({"limited": {"now": "low"}}, "“limited now low” is not"),
        ({"everything": {"can_wait": "low"}}, "“everything can_wait low” is not"),
        ({"limited": "low"}, "limited: must be a dict, not 'low'"),
        ({"limited": {}}, "must give a priority for limited and customer_notices"),
    ],
)
def test_a_bad_stored_matrix_is_refused(row: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        Matrix.from_json(DEFAULT_MATRIX.to_json() | row)
