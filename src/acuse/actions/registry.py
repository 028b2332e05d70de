"""Every act by its name, for the doors that offer acts by name."""

from __future__ import annotations

from collections.abc import Callable

from ..models import LedgerLine
from ..policy.stages import ACTS
from . import (
    aftercare,
    billing,
    calls,
    changes,
    checklists,
    clock,
    conversation,
    correspondence,
    deliveries,
    family,
    life,
    monitoring,
    oncall,
    routing,
    triage,
    waits,
    warranty,
)

_ROOMS = (
    life,
    conversation,
    correspondence,
    triage,
    deliveries,
    changes,
    warranty,
    billing,
    aftercare,
    monitoring,
    oncall,
    routing,
    clock,
    calls,
    checklists,
    waits,
    family,
)

FUNCTIONS: dict[str, Callable[..., LedgerLine]] = {
    name: next(getattr(room, name) for room in _ROOMS if hasattr(room, name)) for name in ACTS
}
