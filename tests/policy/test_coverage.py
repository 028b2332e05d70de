"""Cover: one contract or a person's choice, and every condition with its result (P09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.coverage import CONDITIONS, Choice, ContractFacts, decide

ON = date(2026, 11, 23)
SUPPORT = ContractFacts(
    contract_id=1,
    kind="support",
    starts_on=date(2026, 1, 1),
    last_day=date(2026, 12, 31),
    entities=frozenset({7}),
    has_sla=True,
)
PROJECT = replace(SUPPORT, contract_id=2, kind="implementation", environments=frozenset({30}))


def choose(
    *facts: ContractFacts,
    on: date = ON,
    environment: int | None = 20,
    module: int | None = 5,
    entity: int | None = 7,
) -> Choice:
    return decide(on, facts, environment, module, entity)


def failed(choice: Choice) -> list[str]:
    ((_, coverage),) = choice.coverages
    return [condition.code for condition in coverage.conditions if not condition.passed]


def test_the_only_contract_that_covers_is_chosen_and_the_other_is_explained() -> None:
    choice = choose(SUPPORT, PROJECT)
    assert (choice.contract, choice.code) == (SUPPORT, "one")
    assert [fact.contract_id for fact, _ in choice.coverages] == [1, 2]
    covered, refused = (coverage for _, coverage in choice.coverages)
    assert covered.covered
    assert all(condition.passed for condition in covered.conditions)
    assert not refused.covered
    (condition,) = [item for item in refused.conditions if not item.passed]
    assert (condition.code, condition.params) == ("environment", {"environment": 20})


def test_two_that_cover_are_for_a_person_to_choose() -> None:
    choice = choose(SUPPORT, PROJECT, environment=30)
    assert (choice.contract, choice.code) == (None, "several")


@pytest.mark.parametrize("facts", [(), (PROJECT,)])
def test_no_contract_covers(facts: tuple[ContractFacts, ...]) -> None:
    choice = choose(*facts)
    assert (choice.contract, choice.code) == (None, "none")
    assert len(choice.coverages) == len(facts)


def test_every_condition_is_told_in_order_with_a_sentence_that_its_params_fill() -> None:
    ((_, coverage),) = choose(SUPPORT).coverages
    assert [condition.code for condition in coverage.conditions] == list(CONDITIONS)
    for condition in coverage.conditions:
        assert "%(" not in CONDITIONS[condition.code] % condition.params


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"in_force": False}, ["in_force"]),
        ({"starts_on": ON + timedelta(days=1)}, ["started"]),
        ({"starts_on": ON}, []),
        ({"last_day": ON}, []),
        ({"last_day": ON - timedelta(days=1)}, ["not_ended"]),
        ({"last_day": None}, []),
        ({"entities": frozenset({8})}, ["entity"]),
        ({"entities": frozenset()}, ["entity"]),
        ({"environments": frozenset({20, 21})}, []),
        ({"environments": frozenset({21})}, ["environment"]),
        ({"modules": frozenset({5})}, []),
        ({"modules": frozenset({6})}, ["module"]),
        ({"minutes_left": 1}, []),
        ({"minutes_left": 0}, ["hours"]),
        ({"minutes_left": -30}, ["hours"]),
        ({"minutes_left": 0, "overage": True}, []),
        ({"minutes_left": 0, "in_force": False}, ["in_force", "hours"]),
    ],
)
def test_each_condition_decides_by_itself(changes: dict[str, object], codes: list[str]) -> None:
    choice = choose(replace(SUPPORT, **changes))  # type: ignore[arg-type]
    assert failed(choice) == codes
    assert choice.code == ("none" if codes else "one")


def test_what_is_unknown_meets_no_limit() -> None:
    limited = replace(SUPPORT, environments=frozenset({20}), modules=frozenset({5}))
    unknown = choose(limited, environment=None, module=None, entity=None)
    assert failed(unknown) == ["entity", "environment", "module"]
    assert failed(choose(SUPPORT, environment=None, module=None)) == []


@given(
    on=st.dates(date(2025, 11, 1), date(2027, 2, 28)),
    contracts=st.lists(
        st.builds(
            ContractFacts,
            contract_id=st.integers(1, 5),
            kind=st.sampled_from(["support", "implementation"]),
            starts_on=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
            last_day=st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1)),
            entities=st.frozensets(st.integers(6, 8)),
            in_force=st.booleans(),
        ),
        max_size=4,
    ),
)
def test_a_contract_is_chosen_if_and_only_if_it_is_the_only_one_that_covers(
    on: date, contracts: list[ContractFacts]
) -> None:
    covering = [
        contract
        for contract in contracts
        if contract.in_force
        and contract.starts_on <= on <= (contract.last_day or date.max)
        and 7 in contract.entities
    ]
    choice = choose(*contracts, on=on)
    assert choice.contract == (covering[0] if len(covering) == 1 else None)
    assert [coverage.covered for _, coverage in choice.coverages].count(True) == len(covering)
