"""Priority from impact and urgency, asked in the reporter's own words (P14, P21, P22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from .fields import N_, InvalidField, read


class Impact(StrEnum):
    """How much of the operation is touched, widest first."""

    WHOLE_OPERATION = "whole_operation"
    CRITICAL_PROCESS = "critical_process"
    LIMITED = "limited"
    QUESTION = "question"


class Urgency(StrEnum):
    """How pressing it is, most pressing first."""

    CUSTOMER_NOTICES = "customer_notices"
    WORK_BLOCKED = "work_blocked"
    CAN_WAIT = "can_wait"


class Priority(StrEnum):
    """The four priorities of P21, highest first."""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


IMPACT_QUESTIONS: dict[Impact, str] = {
    Impact.WHOLE_OPERATION: N_("Does it stop the whole operation?"),
    Impact.CRITICAL_PROCESS: N_("Does it stop a process you cannot work without?"),
    Impact.LIMITED: N_("Does something work badly, while the rest goes on?"),
    Impact.QUESTION: N_("Is it a question about how to do something?"),
}
"""One yes is enough; asked in this order, the first yes decides."""

URGENCY_QUESTIONS: dict[Urgency, str] = {
    Urgency.CUSTOMER_NOTICES: N_("Does your own customer notice?"),
    Urgency.WORK_BLOCKED: N_("Is somebody unable to go on working?"),
    Urgency.CAN_WAIT: N_("Is there a way around it for now?"),
}
"""One yes is enough; asked in this order, the first yes decides."""

MATRIX_INCOMPLETE = N_("must give a priority for %(impact)s and %(urgency)s")
MATRIX_FALLS = N_("must not fall when impact or urgency rises (%(impact)s, %(urgency)s)")
MATRIX_UNKNOWN = N_("“%(value)s” is not an impact, an urgency or a priority")

_RANK = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True)
class Matrix:
    """The table of a policy version: a priority for each impact and urgency.

    Raises InvalidField where a cell is missing, or where more impact or urgency gives less.
    """

    cells: Mapping[tuple[Impact, Urgency], Priority] = field(hash=False)

    def __post_init__(self) -> None:
        for impact in Impact:
            for urgency in Urgency:
                if (impact, urgency) not in self.cells:
                    raise InvalidField(
                        "priority_matrix", MATRIX_INCOMPLETE, impact=impact, urgency=urgency
                    )
        for higher, lower in pairwise(Impact):
            for urgency in Urgency:
                self._check((higher, urgency), (lower, urgency))
        for higher_urgency, lower_urgency in pairwise(Urgency):
            for impact in Impact:
                self._check((impact, higher_urgency), (impact, lower_urgency))
        object.__setattr__(self, "cells", MappingProxyType(dict(self.cells)))

    def _check(self, higher: tuple[Impact, Urgency], lower: tuple[Impact, Urgency]) -> None:
        if _RANK[self.cells[higher]] > _RANK[self.cells[lower]]:
            raise InvalidField("priority_matrix", MATRIX_FALLS, impact=higher[0], urgency=higher[1])

    def to_json(self) -> dict[str, dict[str, str]]:
        """{impact: {urgency: priority}}, plain strings."""
        return {
            impact.value: {urgency.value: self.cells[impact, urgency].value for urgency in Urgency}
            for impact in Impact
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Matrix:
        """The matrix that `to_json` wrote. Raises InvalidField for anything else."""
        cells: dict[tuple[Impact, Urgency], Priority] = {}
        for impact in data:
            for urgency, priority in read(data, impact, dict).items():
                try:
                    cells[Impact(impact), Urgency(urgency)] = Priority(priority)
                except ValueError as unknown:
                    raise InvalidField(
                        "priority_matrix", MATRIX_UNKNOWN, value=f"{impact} {urgency} {priority}"
                    ) from unknown
        return cls(cells)


def _rows(**rows: str) -> Matrix:
    return Matrix(
        {
            (Impact(impact), urgency): Priority(priority)
            for impact, priorities in rows.items()
            for urgency, priority in zip(Urgency, priorities.split(), strict=True)
        }
    )


# Columns: the customer's customer notices, work is blocked, it can wait. P21 settles the first
# row, the first cell of the second and the two lowest rows; it says nothing of a critical process
# nobody outside sees (High while work is blocked, else Medium) nor of a small thing seen outside
# (Medium: High needs a critical process).
DEFAULT_MATRIX = _rows(
    whole_operation="urgent urgent urgent",
    critical_process="high high medium",
    limited="medium medium low",
    question="low low low",
)


@dataclass(frozen=True)
class Override:
    """Whether another priority may be chosen, and the refusal's code when it may not."""

    allowed: bool
    code: str = ""


def derive(impact: Impact, urgency: Urgency, matrix: Matrix, contract_has_sla: bool) -> Priority:
    """The priority of a case (P21). Without a contract that commits times it is Low (P22)."""
    return matrix.cells[impact, urgency] if contract_has_sla else Priority.LOW


def allowed_override(
    derived: Priority, wanted: Priority, reason: str, contract_has_sla: bool
) -> Override:
    """Whether an agent may choose `wanted` over the derived priority: with a reason (P21), and
    never above Low without a contract that commits times (P22)."""
    if not contract_has_sla and wanted is not Priority.LOW:
        return Override(False, "priority_fixed")
    if wanted is not derived and not reason.strip():
        return Override(False, "priority_reason")
    return Override(True)
