"""Scope and proposal: validated, returned, passed on, rejected, declined."""

from __future__ import annotations

from acuse.actions import (
    deliveries,
    life,
    triage,
)
from acuse.models import (
    ObjectionOutcome,
)

from ..scene import Moments, Scene


def delegated(s: Scene) -> Moments:
    """The service owner passes the validation of the scope on to the wrong colleague, takes it back
    and passes it on to the lead, who gives it."""
    yield from s.to_diagnosis()
    yield from s.estimate()
    yield s.later(6)
    triage.delegate_decision(s.on(s.owner), person=s.cast.people["bernardo"], decision="scope")
    yield s.later(3)
    triage.take_decision_back(s.on(s.owner), delegation=s.case.delegations.get())
    yield s.later()
    triage.delegate_decision(s.on(s.owner), person=s.cast.people["lina"], decision="scope")
    yield s.after(1)
    estimate = s.case.estimates.latest("number")
    life.validate_scope(s.on("lina"), estimate=estimate)
    yield s.later(35)
    life.validate_scope(s.on(s.spoc), estimate=estimate)
    yield from s.prove()


def returned(s: Scene) -> Moments:
    """The service owner returns the scope; a new version clears both validations."""
    yield from s.to_diagnosis()
    yield from s.estimate()
    yield s.later(30)
    first = s.case.estimates.latest("number")
    life.validate_scope(s.on(s.spoc), estimate=first)
    yield s.later(200)
    life.return_scope(s.on(s.owner), estimate=first, text=s.plot.words["reason"])
    yield s.after(1)
    draft = s.draft(scope=f"{s.plot.scope} {s.plot.words['added']}")
    life.submit_scope(s.on(s.plot.consultant), draft=draft)
    if s.plot.until == "scope_validation":
        return
    yield from s.validate()


def proposal_rejected(s: Scene) -> Moments:
    """The proposal is rejected: with a new version wanted, or for good."""
    yield from s.to_proposal()
    yield s.after(2)
    life.reject_proposal(
        s.on(s.plot.who),
        version=s.version,
        objections=[(s.plot.words["objection"], s.plot.words["grounds"])],
        revise=s.plot.until != "cancelled",
    )
    if s.plot.until == "cancelled":
        yield from s.settle()
    if s.plot.until != "proposal":
        return
    yield s.after(2)
    deliveries.answer_objection(
        s.on(s.plot.consultant),
        objection=s.case.objections.get(),
        outcome=ObjectionOutcome.CORRECTED,
        text=s.plot.words["answer"],
    )
    yield s.later()
    life.submit_scope(s.on(s.plot.consultant), draft=s.draft(scope=s.plot.words["scope"]))
    yield from s.validate()


def declined(s: Scene) -> Moments:
    """The proposal was accepted, the work never authorised; what it took to diagnose is billed."""
    yield from s.to_proposal()
    yield from s.accept_proposal()
    yield s.after(5)
    life.decline(s.on(s.plot.who))
    yield from s.settle()
