"""The sentence: stage, who holds the ball, what happens next, until when, and what silence does.

Every page, list row, mail and API answer carries the same one, made here. Each situation is a
whole sentence for whoever reads it: the customer or the firm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from ..models import (
    Case,
    Claim,
    Deadline,
    Delegation,
    Estimate,
    Hold,
    OpenedBy,
    Person,
    ScopeValidation,
    Statement,
    TimeEntry,
    Wait,
    Warranty,
    Window,
)
from ..policy.fields import N_
from ..policy.stages import Ball, Role, Stage
from . import words


@dataclass(frozen=True)
class Sentence:
    """The sentence, whose turn it is, and the last day of a term in whole days.

    `yours`: whether the reader is the one who has to move. A target in hours is told with its
    hour and has no last day.
    """

    text: str
    situation: str
    yours: bool
    ball: str
    last_day: date | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


# situation: (said to the customer, said to the firm)
SITUATIONS: dict[str, tuple[str, str]] = {
    "asked_customer": (
        N_("It is your turn: answer our question. Our work waits for your answer."),
        N_("Waiting for the customer: a question is open since %(since)s."),
    ),
    "asked_customer_until": (
        N_(
            "It is your turn: answer our question until %(last_day)s. If you say nothing until "
            "then, the case is cancelled that day; it can be taken up again."
        ),
        N_(
            "Waiting for the customer: a question is open since %(since)s. Silence cancels the "
            "case on %(last_day)s."
        ),
    ),
    "asked_third_party": (
        N_("We are waiting for a third party since %(since)s; we will tell you when it goes on."),
        N_("Waiting for a third party: a question is open since %(since)s."),
    ),
    "internal": (
        N_("This case belongs to no customer."),
        N_("A case of the firm's own, of no customer: no term runs."),
    ),
    "unbound": (
        N_("We received your message and are checking which customer it belongs to."),
        N_("The sender is not known: bind the case to a customer. Until then no term runs."),
    ),
    "received_by": (
        N_("We received your case. You will have a first answer by %(last_day)s."),
        N_("Take it for analysis: the first answer is due by %(last_day)s."),
    ),
    "received": (
        N_("We received your case and will analyse it. It has no committed times."),
        N_("Take it for analysis. It has no committed times."),
    ),
    "received_answered": (
        N_("We received your case and will analyse it."),
        N_("Take it for analysis."),
    ),
    "received_late": (
        N_("We received your case. Your first answer was due by %(last_day)s; we are late."),
        N_("Take it for analysis: the first answer was due by %(last_day)s and is late."),
    ),
    "analysis": (
        N_("We are analysing your case; next we will tell you what it needs."),
        N_("Classify it and start the diagnosis."),
    ),
    "analysis_by": (
        N_("We are analysing your case; it is to be delivered by %(last_day)s."),
        N_("Classify it and start the diagnosis; delivery is due by %(last_day)s."),
    ),
    "analysis_late": (
        N_("We are analysing your case. It was to be delivered by %(last_day)s; we are late."),
        N_("Classify it and start the diagnosis. Delivery was due by %(last_day)s and is late."),
    ),
    "diagnosis": (
        N_("We are finding the cause; next we will answer you or estimate the work."),
        N_("Find the cause; then answer it or start the estimate."),
    ),
    "diagnosis_by": (
        N_("We are finding the cause; it is to be delivered by %(last_day)s."),
        N_("Find the cause; then answer or estimate. Delivery is due by %(last_day)s."),
    ),
    "diagnosis_late": (
        N_("We are finding the cause. It was to be delivered by %(last_day)s; we are late."),
        N_(
            "Find the cause; then answer or estimate. Delivery was due by %(last_day)s and is late."
        ),
    ),
    "estimation": (
        N_("We are estimating the work; next the scope will be validated with you."),
        N_("Estimate the work and submit the scope."),
    ),
    "estimation_by": (
        N_("We are estimating the work; our term ends on %(last_day)s."),
        N_("Estimate the work and submit the scope by %(last_day)s."),
    ),
    "estimation_late": (
        N_("We are estimating the work. Our term ended on %(last_day)s; we are late."),
        N_("Estimate the work and submit the scope. The term ended on %(last_day)s."),
    ),
    "scope_both": (
        N_("Your service owner and our contact have to validate version %(number)s of the scope."),
        N_("The service owner and the SPOC have to validate version %(number)s of the scope."),
    ),
    "scope_owner": (
        N_("Your service owner has to validate version %(number)s of the scope."),
        N_("Waiting for the service owner to validate version %(number)s of the scope."),
    ),
    "scope_spoc": (
        N_("Our contact has to validate version %(number)s of the scope."),
        N_("The SPOC has to validate version %(number)s of the scope."),
    ),
    "scope_yours": (
        N_("It is your turn: validate version %(number)s of the scope, or return it."),
        N_("It is your turn: validate version %(number)s of the scope, or return it."),
    ),
    "proposal_tacit": (
        N_(
            "It is your turn: accept or reject version %(number)s of the proposal until "
            "%(last_day)s. If you do not answer, it will count as accepted that day."
        ),
        N_(
            "Waiting for the customer: accept or reject version %(number)s of the proposal until "
            "%(last_day)s; silence accepts."
        ),
    ),
    "proposal_explicit": (
        N_(
            "It is your turn: accept or reject version %(number)s of the proposal. Your term runs "
            "until %(last_day)s; silence does not accept it."
        ),
        N_(
            "Waiting for the customer's explicit answer on version %(number)s of the proposal; "
            "their term runs until %(last_day)s."
        ),
    ),
    "proposal_held": (
        N_(
            "We are reading your comment on version %(number)s of the proposal; meanwhile your "
            "term stands still."
        ),
        N_("Classify the customer's comment: the term of the proposal stands still."),
    ),
    "proposal_sent": (
        N_(
            "It is your turn: accept or reject version %(number)s of the proposal. Your term "
            "starts when it has reached you."
        ),
        N_("Version %(number)s of the proposal was sent; its term starts when it arrives."),
    ),
    "proposal_failed": (
        N_("We could not reach you with the proposal; open it here to decide on it."),
        N_("No copy of the proposal arrived: no term runs. Reach the customer another way."),
    ),
    "authorization": (
        N_("It is your turn: authorise the work to start. Nothing starts without you."),
        N_("Waiting for the customer to authorise the work."),
    ),
    "in_progress": (
        N_("We are working on it; next we will deliver it to you."),
        N_("Do the work and deliver it."),
    ),
    "in_progress_by": (
        N_("We are working on it; it is to be delivered by %(last_day)s."),
        N_("Do the work and deliver it by %(last_day)s."),
    ),
    "in_progress_late": (
        N_("We are working on it. It was to be delivered by %(last_day)s; we are late."),
        N_("Do the work and deliver it. Delivery was due by %(last_day)s and is late."),
    ),
    "correction": (
        N_("We are correcting what you objected to; next you will get a new version."),
        N_("Answer every objection and deliver the corrected version."),
    ),
    "correction_by": (
        N_("We are correcting what you objected to; you will get a new version by %(last_day)s."),
        N_("Answer every objection and deliver the corrected version by %(last_day)s."),
    ),
    "correction_late": (
        N_(
            "We are correcting what you objected to. The new version was due by "
            "%(last_day)s; we are late."
        ),
        N_(
            "Answer every objection and deliver the corrected version. It was due by "
            "%(last_day)s and is late."
        ),
    ),
    "delivered_tacit": (
        N_(
            "It is your turn: accept or reject “%(title)s”, version %(number)s, until "
            "%(last_day)s. If you do not answer, it will count as accepted that day."
        ),
        N_(
            "Waiting for the customer: accept or reject “%(title)s”, version %(number)s, until "
            "%(last_day)s; silence accepts."
        ),
    ),
    "delivered_explicit": (
        N_(
            "It is your turn: accept or reject “%(title)s”, version %(number)s. Your term runs "
            "until %(last_day)s; silence does not accept it."
        ),
        N_(
            "Waiting for the customer's explicit answer on “%(title)s”, version %(number)s; their "
            "term runs until %(last_day)s."
        ),
    ),
    "delivered_held": (
        N_(
            "We are reading your comment on “%(title)s”, version %(number)s; meanwhile your term "
            "stands still."
        ),
        N_("Classify the customer's comment: the term of “%(title)s” stands still."),
    ),
    "delivered_sent": (
        N_("It is your turn: accept or reject the delivery. Your term starts when it reached you."),
        N_("The delivery was sent; its term starts when it arrives."),
    ),
    "delivered_failed": (
        N_("We could not reach you with the delivery; open it here to decide on it."),
        N_("No copy of the delivery arrived: no term runs. Reach the customer another way."),
    ),
    "accepted_firm": (
        N_("Accepted. We are preparing the executed time and the billing for your approval."),
        N_("Accepted: submit the time, or issue the billing statement."),
    ),
    "accepted_claim": (
        N_("Accepted. We have to settle your warranty claim; what else is pending is below."),
        N_("Accepted, with a warranty claim: decide it, or deliver its fix."),
    ),
    "accepted_time": (
        N_("It is your turn: approve or dispute the executed time. Silence approves nothing."),
        N_("Waiting for the customer to approve the executed time."),
    ),
    "accepted_billing": (
        N_("It is your turn: approve or dispute the billing. Silence approves nothing."),
        N_("Waiting for the customer to approve the billing."),
    ),
    "accepted_closure": (
        N_("It is your turn: approve the closure. Nothing else is pending."),
        N_("Waiting for the customer to approve the closure."),
    ),
    "closed": (N_("Closed. Nothing is pending."), N_("Closed. Nothing is pending.")),
    "closed_warranty": (
        N_("Closed. Its warranty runs until %(last_day)s."),
        N_("Closed. Its warranty runs until %(last_day)s."),
    ),
    "ended_firm": (
        N_("The case has ended, and we have to answer what you wrote since."),
        N_("The case has ended: answer what the customer wrote since, or settle the claim."),
    ),
    "cancelled": (N_("Cancelled. Nothing is pending."), N_("Cancelled. Nothing is pending.")),
    "duplicate": (
        N_("Cancelled as a duplicate: it goes on as %(original)s."),
        N_("Cancelled as a duplicate: it goes on as %(original)s."),
    ),
}

_STARTS_WITH_YOU = frozenset(
    {
        "asked_customer",
        "asked_customer_until",
        "scope_yours",
        "proposal_tacit",
        "proposal_explicit",
        "proposal_sent",
        "proposal_failed",
        "authorization",
        "delivered_tacit",
        "delivered_explicit",
        "delivered_sent",
        "delivered_failed",
        "accepted_time",
        "accepted_billing",
        "accepted_closure",
    }
)


# The terms of the firm's own: those that a stage's sentence names.
_FIRMS = ("first_response", "delivery", "proposal_revision", "correction")
_IN_HOURS = ("first_response", "delivery")


def sentence_for(case: Case, person: Person) -> Sentence:
    """The sentence of one case for one reader."""
    return sentences([case], person)[case.pk]


def sentences(cases: Iterable[Case], person: Person) -> dict[int, Sentence]:
    """The sentences of many cases for one reader: one query, however many cases. Their
    organisation and calendar should be loaded with them."""
    cases = list(cases)
    facts = {row["pk"]: row for row in _facts([case.pk for case in cases])}
    return {case.pk: _sentence(case, facts[case.pk], person) for case in cases}


def _facts(ids: list[int]) -> Iterable[Mapping[str, Any]]:
    """What the sentences depend on, of each case, in one query."""
    own = {"case": OuterRef("pk")}
    window = Window.objects.filter(**own, closed_at__isnull=True).annotate(
        is_held=Exists(Hold.objects.filter(window=OuterRef("pk"), ended_at__isnull=True))
    )
    first = window.order_by("is_held", F("until").asc(nulls_first=True), "pk").values(
        json=JSONObject(
            last_day="last_day",
            tacit="tacit",
            held="is_held",
            number="version__number",
            title="version__deliverable__title",
            proposal="version__deliverable__proposal",
        )
    )
    wait = Wait.objects.filter(**own, ended_at__isnull=True)
    time = TimeEntry.objects.filter(**own, billable=True)
    estimate = Estimate.objects.filter(**own).order_by("-number")
    validated = ScopeValidation.objects.filter(
        estimate=Subquery(
            Estimate.objects.filter(case=OuterRef(OuterRef("pk")))
            .order_by("-number")
            .values("pk")[:1]
        )
    )
    return Case.objects.filter(pk__in=ids).values(
        "pk",
        window=Subquery(first[:1]),
        wait=Subquery(wait.values(json=JSONObject(addressee="addressee", since="asked_at"))[:1]),
        due=ArraySubquery(
            Deadline.objects.filter(**own, kind__in=(*_FIRMS, "wait_lapse"))
            .order_by("due_at")
            .values(json=JSONObject(kind="kind", due_at="due_at", fired_at="fired_at"))
        ),
        claimed=Exists(Claim.objects.filter(**own, fixed_at__isnull=True).exclude(covered=False)),
        submitted=Exists(time.filter(state="submitted")),
        statement=Subquery(Statement.objects.filter(**own).order_by("-number").values("state")[:1]),
        warranty=Subquery(
            Warranty.objects.filter(**own, annulled_at__isnull=True, ended_at__isnull=True)
            .order_by("-until")
            .values("last_day")[:1]
        ),
        pending_number=Subquery(estimate.values("number")[:1]),
        by_owner=Exists(validated.filter(side="owner")),
        by_spoc=Exists(validated.filter(side="spoc")),
        passed_on=ArraySubquery(
            Delegation.objects.filter(**own, decision="scope", ended_at__isnull=True)
            .order_by("pk")
            .values(json=JSONObject(to="to", role="role"))
        ),
    )


def _sentence(case: Case, facts: Mapping[str, Any], person: Person) -> Sentence:
    situation, params = _situation(case, facts, person)
    firm = person.is_firm
    yours = situation in _STARTS_WITH_YOU and not firm
    if firm:
        yours = situation == "scope_yours" or (case.ball == Ball.FIRM)
    last_day = params.get("last_day")
    shown = dict(params)
    if last_day is not None:
        shown["last_day"] = words.long_date(last_day)
    elif "due_at" in params:
        shown["last_day"] = words.moment(params["due_at"], case.calendar.calendar.zone)
    text = words.fill(_(SITUATIONS[situation][1 if firm else 0]), shown)
    return Sentence(text, situation, yours, case.ball, last_day, params)


def _situation(case: Case, facts: Mapping[str, Any], person: Person) -> tuple[str, dict[str, Any]]:
    stage = Stage(case.stage)
    if facts["wait"] is not None:
        third = facts["wait"]["addressee"] == "third_party"
        since = words.long_date(facts["wait"]["since"][:10])
        if third:
            return "asked_third_party", {"since": since}
        lapse = [row for row in facts["due"] if row["kind"] == "wait_lapse"]
        running = [row for row in lapse if row["fired_at"] is None]
        if running:
            until = {"last_day": _day_of(running[0]["due_at"], case)}
            return "asked_customer_until", {"since": since, **until}
        return "asked_customer", {"since": since}
    if stage in (Stage.CLOSED, Stage.CANCELLED):
        return _ended(case, facts, stage)
    if case.organisation_id is None:
        internal = case.opened_by == OpenedBy.SUPPORT and case.reporter_id is None
        return ("internal" if internal else "unbound"), {}
    if stage is Stage.SCOPE_VALIDATION:
        return _scope(case, facts, person)
    if stage in (Stage.PROPOSAL, Stage.DELIVERED):
        return _window(case, facts, stage)
    if stage is Stage.ACCEPTED:
        return _accounts(case, facts), {}
    if stage is Stage.AUTHORIZATION:
        return "authorization", {}
    kinds = {
        Stage.RECEIVED: ("first_response",),
        Stage.ESTIMATION: ("proposal_revision", "delivery"),
        Stage.CORRECTION: ("correction",),
    }.get(stage, ("delivery",))
    return _by_term(case, stage, [row for row in facts["due"] if row["kind"] in kinds])


def _by_term(case: Case, stage: Stage, terms: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """With the firm's own term: the one that runs, or the last one that was missed."""
    if stage is Stage.RECEIVED and case.first_response_at is not None:
        return "received_answered", {}
    running = [row for row in terms if row["fired_at"] is None]
    if running:
        return f"{stage.value}_by", _told(running[0], case)
    if terms:
        return f"{stage.value}_late", _told(terms[-1], case)
    return stage.value, {}


def _told(term: dict[str, Any], case: Case) -> dict[str, Any]:
    """A term in days by its last day, one in hours by its moment."""
    if term["kind"] in _IN_HOURS:
        return {"due_at": datetime.fromisoformat(term["due_at"])}
    return {"last_day": _day_of(term["due_at"], case)}


def _day_of(due_at: str, case: Case) -> date:
    """The last day on which a term ending (exclusively) at this instant can still be met."""
    zone_day = datetime.fromisoformat(due_at) - timedelta(microseconds=1)
    return case.calendar.calendar.local_day(zone_day)


def _scope(case: Case, facts: Mapping[str, Any], person: Person) -> tuple[str, dict[str, Any]]:
    params = {"number": facts["pending_number"]}
    passed_on = {row["role"] for row in facts["passed_on"] if row["to"] == person.pk}
    if not facts["by_owner"] and (_is_owner(case, person) or Role.OWNER in passed_on):
        return "scope_yours", params
    spoc = case.organisation.spoc_id if case.organisation is not None else None
    if not facts["by_spoc"] and (spoc == person.pk or Role.SPOC in passed_on):
        return "scope_yours", params
    if facts["by_spoc"]:
        return "scope_owner", params
    return ("scope_spoc" if facts["by_owner"] else "scope_both"), params


def _is_owner(case: Case, person: Person) -> bool:
    return any(
        m.role == Role.OWNER and m.organisation_id == case.organisation_id
        for m in person.active_memberships()
    )


def _window(case: Case, facts: Mapping[str, Any], stage: Stage) -> tuple[str, dict[str, Any]]:
    name = "proposal" if stage is Stage.PROPOSAL else "delivered"
    window = facts["window"]
    if window is None:
        failed = case.ball == Ball.FIRM
        return f"{name}_failed" if failed else f"{name}_sent", {"number": facts["pending_number"]}
    params = {"number": window["number"], "title": window["title"]}
    if window["held"]:
        return f"{name}_held", params
    params["last_day"] = date.fromisoformat(window["last_day"])
    return f"{name}_tacit" if window["tacit"] else f"{name}_explicit", params


def _accounts(case: Case, facts: Mapping[str, Any]) -> str:
    if case.ball == Ball.FIRM:
        return "accepted_claim" if facts["claimed"] else "accepted_firm"
    if facts["submitted"]:
        return "accepted_time"
    return "accepted_billing" if facts["statement"] == "issued" else "accepted_closure"


def _ended(case: Case, facts: Mapping[str, Any], stage: Stage) -> tuple[str, dict[str, Any]]:
    if case.ball == Ball.FIRM:
        return "ended_firm", {}
    if stage is Stage.CANCELLED:
        if case.duplicate_of_id is not None:
            return "duplicate", {"original": f"C-{case.duplicate_of_id}"}
        return "cancelled", {}
    if facts["warranty"] is not None:
        return "closed_warranty", {"last_day": facts["warranty"]}
    return "closed", {}
