"""Which contract covers a case, and how that was decided (P09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from .fields import N_

CONDITIONS: dict[str, str] = {
    "in_force": N_("The contract is in force"),
    "started": N_("It has begun (%(starts_on)s)"),
    "not_ended": N_("It has not ended (%(last_day)s)"),
    "entity": N_("It names the organisation"),
    "environment": N_("It includes the environment"),
    "module": N_("It includes the module"),
    "hours": N_("Its hours are not used up (%(minutes_left)s minutes left)"),
}
"""Every condition of cover, in the order in which it is shown."""


@dataclass(frozen=True)
class ContractFacts:
    """What cover depends on. Ids are the records'; an empty set limits nothing, except
    `entities`, which names who is covered. `last_day` is included; None has no end.

    minutes_left: of the hour bank, None without one; overage: whether work may go on beyond it.
    has_sla: whether it commits times (P22); it decides the priority, not the cover.
    """

    contract_id: int
    kind: str
    starts_on: date
    last_day: date | None
    entities: frozenset[int]
    in_force: bool = True
    environments: frozenset[int] = frozenset()
    modules: frozenset[int] = frozenset()
    has_sla: bool = False
    minutes_left: int | None = None
    overage: bool = False


@dataclass(frozen=True)
class Condition:
    """One condition: its code (a key of CONDITIONS), the result, and what it was decided on."""

    code: str
    passed: bool
    params: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Coverage:
    """Whether one contract covers the case, with every condition and its result."""

    covered: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Choice:
    """The contract chosen (None unless exactly one covers) and the result of each examined.

    code: "one", "none" or "several"; the last is for a person to settle.
    """

    contract: ContractFacts | None
    code: str
    coverages: tuple[tuple[ContractFacts, Coverage], ...]


def decide(
    on: date,
    facts: Sequence[ContractFacts],
    environment: int | None,
    module: int | None,
    entity: int | None,
) -> Choice:
    """Which of these contracts covers a case opened `on` that day (P09).

    Unknown (None) does not meet a contract that is limited to certain environments or modules.
    """
    coverages = tuple((fact, _cover(on, fact, environment, module, entity)) for fact in facts)
    covering = [fact for fact, coverage in coverages if coverage.covered]
    if len(covering) == 1:
        return Choice(covering[0], "one", coverages)
    return Choice(None, "several" if covering else "none", coverages)


def _cover(
    on: date, fact: ContractFacts, environment: int | None, module: int | None, entity: int | None
) -> Coverage:
    left = fact.minutes_left
    conditions = (
        Condition("in_force", fact.in_force),
        Condition("started", fact.starts_on <= on, {"starts_on": fact.starts_on.isoformat()}),
        Condition(
            "not_ended",
            fact.last_day is None or on <= fact.last_day,
            {"last_day": fact.last_day and fact.last_day.isoformat()},
        ),
        Condition("entity", entity in fact.entities, {"entity": entity}),
        Condition(
            "environment",
            not fact.environments or environment in fact.environments,
            {"environment": environment},
        ),
        Condition("module", not fact.modules or module in fact.modules, {"module": module}),
        Condition("hours", left is None or left > 0 or fact.overage, {"minutes_left": left}),
    )
    return Coverage(all(condition.passed for condition in conditions), conditions)
