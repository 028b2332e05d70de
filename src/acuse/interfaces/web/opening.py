"""Opening is proof: a delivery shown in the portal has reached the customer (P23, P24)."""

from __future__ import annotations

from django.http import HttpRequest

from acuse.actions.registry import FUNCTIONS
from acuse.interfaces.web.doors import Door, occasion_of, view_of
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Role, Stage
from acuse.queries.case import CaseView


def prove_what_is_shown(request: HttpRequest, view: CaseView, door: Door) -> CaseView:
    """Record that a user of the customer has opened what was delivered and not proven yet, and
    give the case as it stands then. Fetching ahead of a click proves nothing."""
    ahead = request.method != "GET" or "prefetch" in request.headers.get("Sec-Purpose", "")
    stages = ACTS["prove_delivery"].stages
    if ahead or Role.USER not in view.roles or Stage(view.case.stage) not in stages:
        return view
    unproven = [version for version in view.to_decide if version.delivered_at is None]
    if not unproven:
        return view
    for version in unproven:
        try:
            FUNCTIONS["prove_delivery"](occasion_of(request, door, view.case), version=version)
        except Refused:  # decided on by a colleague a moment ago: nothing is left to prove
            break
    return view_of(request, view.case.number)
