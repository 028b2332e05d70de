"""What a timer has counted, and whether somebody has probably forgotten it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .billing import Activity
from .fields import N_, InvalidField, require_aware
from .stages import Stage

FORGOTTEN = timedelta(hours=10)  # nobody works as long on one thing without a break

BACKWARDS = N_("a timer cannot stop before it starts")


@dataclass(frozen=True)
class Stretch:
    """`minutes`: what was counted, a minute begun counts as one from its half on, and at least
    one; `forgotten`: it ran for longer than anybody works, so what it counted is no proposal."""

    minutes: int
    forgotten: bool

    @property
    def proposed(self) -> int | None:
        """The minutes to propose; None where only the person can say how many they were."""
        return None if self.forgotten else self.minutes


def measure(started_at: datetime, stopped_at: datetime) -> Stretch:
    """What lies between two moments (aware). Raises InvalidField("stopped_at") where the second
    is before the first."""
    require_aware("started_at", started_at)
    require_aware("stopped_at", stopped_at)
    ran = stopped_at - started_at
    if ran < timedelta(0):
        raise InvalidField("stopped_at", BACKWARDS)
    seconds = ran // timedelta(seconds=1)
    return Stretch(max(1, (seconds + 30) // 60), ran > FORGOTTEN)


_USUAL = {
    Stage.IN_PROGRESS: Activity.EXECUTION,
    Stage.DELIVERED: Activity.CORRECTION,
    Stage.CORRECTION: Activity.CORRECTION,
    Stage.ACCEPTED: Activity.WARRANTY,
    Stage.CLOSED: Activity.WARRANTY,
    Stage.CANCELLED: Activity.INTERNAL,
}


def usual_activity(stage: Stage) -> Activity:
    """What time is mostly spent on in a stage: proposed, for the person to change."""
    return _USUAL.get(stage, Activity.DIAGNOSIS)
