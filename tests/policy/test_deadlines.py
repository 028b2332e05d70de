"""The kinds of deadline: each with its act, its clauses, and an act of the tables to follow."""

from __future__ import annotations

import pytest

from acuse.policy.deadlines import DEADLINES
from acuse.policy.kinds import KINDS
from acuse.policy.stages import ACTS, ENDED, Role

# What the clock does at the end of each term (life.md; P13, P19, P21, P24-P27, P30).
FOLLOWS = {
    "first_response": "breach",
    "delivery": "breach",
    "response_warning": "warn",
    "delivery_warning": "warn",
    "acceptance": "accept_tacitly",
    "proposal_acceptance": "accept_proposal_tacitly",
    "page": "page",
    "acceptance_reminder": "remind",
    "answer_overdue": "remind",
    "hold_reminder": "remind",
    "proposal_revision": "breach",
    "correction": "breach",
    "claim_correction": "breach",
    "warranty_end": "end_warranty",
    "wait_reminder": "remind",
    "wait_lapse": "cancel_unanswered",
    "authorization_reminder": "remind",
    "authorization_lapse": "decline",
    "time_reminder": "remind",
    "statement_reminder": "remind",
    "satisfaction": "remind",
}
OUTLIVE = {"claim_correction", "warranty_end", "time_reminder", "statement_reminder"}


def test_every_term_of_the_design_is_there() -> None:
    assert {kind.name: kind.act for kind in DEADLINES.values()} == FOLLOWS


@pytest.mark.parametrize("name", DEADLINES)
def test_what_follows_is_the_clocks_right_and_is_told(name: str) -> None:
    kind = DEADLINES[name]
    assert Role.CLOCK in ACTS[kind.act].who
    assert kind.label
    assert kind.clauses
    # The end of a warranty concerns nobody any more; all else is told to somebody.
    assert KINDS[kind.act].tells or name == "warranty_end"


def test_only_side_terms_outlive_their_case() -> None:
    assert {name for name, kind in DEADLINES.items() if kind.side} == OUTLIVE | {"satisfaction"}
    for name in OUTLIVE:
        assert ACTS[DEADLINES[name].act].stages & ENDED, name


def test_an_alarm_of_the_firms_own_term_sounds_once() -> None:
    assert {name for name, kind in DEADLINES.items() if kind.once} == {
        name for name, act in FOLLOWS.items() if act in ("breach", "warn")
    }


@pytest.mark.parametrize("row", ACTS.values(), ids=lambda row: row.name)
def test_what_a_table_row_opens_and_closes_are_kinds_of_deadline(row: object) -> None:
    named = {*row.opens, *row.closes}  # type: ignore[attr-defined]
    assert named <= set(DEADLINES)
