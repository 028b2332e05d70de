"""What a case has taken beside what was estimated for it (P17, P18)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Sum

from ..models import Estimate, EstimateLine, TimeEntry


@dataclass(frozen=True)
class Overrun:
    """More time of an activity than the newest estimate, of this version, has for it: minutes."""

    activity: str
    logged: int
    estimated: int
    version: int

    @property
    def minutes(self) -> int:
        return self.logged - self.estimated


def find_overrun(case_id: int, activity: str) -> Overrun | None:
    """Whether the time of an activity exceeds its estimate; None where it does not, or where
    nothing of the kind was estimated."""
    newest = Estimate.objects.filter(case=case_id).order_by("-number").first()
    if newest is None:
        return None
    planned = EstimateLine.objects.filter(estimate=newest, activity=activity)
    estimated = planned.aggregate(sum=Sum("minutes"))["sum"]
    if estimated is None:
        return None
    worked = TimeEntry.objects.current().filter(case=case_id, activity=activity)
    logged = worked.aggregate(sum=Sum("minutes"))["sum"] or 0
    if logged <= estimated:
        return None
    return Overrun(activity, logged, estimated, newest.number)
