"""What a consultant fills in before it becomes a version: plain data, no rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..models import Specialty
from ..policy.billing import Activity


@dataclass(frozen=True)
class Planned:
    """Something to be delivered: its kind (P23) and title; `key` names it through versions."""

    kind: str
    title: str
    key: int = 0


@dataclass(frozen=True)
class LineDraft:
    """One piece of work and its minutes; `key` names it through versions (0: a new one)."""

    description: str
    minutes: int
    activity: Activity = Activity.EXECUTION
    specialty: Specialty | None = None
    key: int = 0


@dataclass(frozen=True)
class EstimateDraft:
    """A version of the scope to be submitted (P17)."""

    scope: str
    exclusions: str = ""
    assumptions: str = ""
    items: tuple[Planned, ...] = field(default_factory=tuple)
    lines: tuple[LineDraft, ...] = field(default_factory=tuple)
