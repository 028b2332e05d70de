"""The stories of the demo: what happened on each case beside, or instead of, the plain way."""

from __future__ import annotations

from collections.abc import Callable

from ..scene import Moments, Scene
from . import accounts, beginnings, claims, outages, proposals, results

Teller = Callable[[Scene], Moments]

TELLERS: dict[str, Teller] = {
    teller.__name__: teller
    for teller in (
        beginnings.stranger,
        beginnings.by_phone,
        beginnings.monitored,
        beginnings.split_in_two,
        beginnings.duplicate,
        beginnings.asked,
        beginnings.given_up,
        beginnings.escalated,
        proposals.delegated,
        proposals.returned,
        proposals.proposal_rejected,
        proposals.declined,
        results.silence,
        results.corrected,
        results.out_of_scope,
        results.objection_by_comment,
        results.held_and_resumed,
        results.held,
        results.withdrawn,
        results.bounced,
        results.annulled,
        results.three_deliverables,
        results.emergency,
        outages.outage,
        outages.at_night,
        claims.claim_covered,
        claims.claim_excluded,
        claims.claim_late,
        claims.claim_waiting,
        claims.change_requested,
        accounts.plain,
        accounts.answered,
        accounts.evidence_and_erasure,
        accounts.time_disputed,
        accounts.billing_disputed,
        accounts.unapproved,
    )
}
"""Every story by its name, as cases.toml names it."""
