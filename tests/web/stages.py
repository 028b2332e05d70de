"""One case of Andina in each stage, by real acts."""

from __future__ import annotations

from collections.abc import Callable

from acuse.actions import life
from acuse.models import Case
from acuse.policy.stages import CancelReason, Stage
from tests.world import World


def _cancelled(world: World) -> Case:
    case = world.report()
    life.cancel(world.on(case, "ana"), reason=CancelReason.WITHDRAWN)
    return case


def _correction(world: World) -> Case:
    case = world.delivered()
    version = case.versions.latest("pk")
    life.reject(world.on(case, "ana"), version=version, objections=[("No suma", "Se acordó")])
    return case


BUILD: dict[Stage, Callable[[World], Case]] = {
    Stage.RECEIVED: World.report,
    Stage.ANALYSIS: World.analysed,
    Stage.DIAGNOSIS: World.diagnosed,
    Stage.ESTIMATION: World.estimating,
    Stage.SCOPE_VALIDATION: World.submitted,
    Stage.PROPOSAL: World.proposed,
    Stage.AUTHORIZATION: World.to_authorize,
    Stage.IN_PROGRESS: World.working,
    Stage.DELIVERED: World.delivered,
    Stage.CORRECTION: _correction,
    Stage.ACCEPTED: World.accepted,
    Stage.CLOSED: World.closed,
    Stage.CANCELLED: _cancelled,
}


def case_in(world: World, stage: Stage) -> Case:
    case = world.fresh(BUILD[stage](world))
    assert case.stage == stage
    return case
