"""The customer's pages: what waits, the cases, one case, the organisation, the policies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from acuse.interfaces.web import clock
from acuse.interfaces.web.consequences import CHOICES, Choice, silence
from acuse.interfaces.web.doors import PORTAL, entered, for_customers, person_of, view_of
from acuse.interfaces.web.opening import prove_what_is_shown
from acuse.models import Person, Version
from acuse.policy.fields import N_, find_int
from acuse.policy.stages import DECIDING
from acuse.queries import disruptions, dossier, portal
from acuse.queries.calls import find_call
from acuse.queries.case import CaseView
from acuse.queries.drafts import draft_in
from acuse.queries.portal import Whose

FEW_DOCUMENTS, MANY_DOCUMENTS = 6, 40

# What is offered in small print under the decisions, in this order.
OTHER_ACTS = (
    "attach request_change claim_warranty delegate_decision take_decision_back watch build_pack "
    "authorize_emergency cancel"
)
# What has a card of its own on the case page, beside the decisions.
OWN_CARD = "confirm_report answer_satisfaction"


@require_safe
@for_customers
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me first, with its date and what silence does; then the cases."""
    person = person_of(request)
    ended, whose = request.GET.get("state") == "ended", _whose(request, person)
    page = find_int(request.GET.get("page", ""), 4) or 1
    context = {
        "door": PORTAL,
        "waiting": portal.waiting_for(person),
        "outages": disruptions.running(person),
        "cases": portal.list_cases(person, ended=ended, whose=whose, page=page),
        "ended": ended,
        "whose": whose,
        "choices": [(choice, _(WHOSE[choice])) for choice in portal.choices_for(person)],
        "page": page,
    }
    return render(request, "portal/home.html", context)


WHOSE = {
    Whose.MINE: N_("Mine"),
    Whose.AREA: N_("Of my area"),
    Whose.ORGANISATION: N_("Of my organisation"),
}


def _whose(request: HttpRequest, person: Person) -> Whose:
    asked = request.GET.get("whose", "")
    allowed = {str(choice): choice for choice in portal.choices_for(person)}
    return allowed.get(asked) or portal.usual_for(person)


@dataclass(frozen=True)
class Decision:
    """One decision that waits for the reader: on which version, what silence does."""

    choice: Choice
    version: Version | None
    silence: str

    @property
    def code(self) -> str:
        """What it is called where it is passed on (DECIDING)."""
        return next(code for code, acts in DECIDING.items() if self.choice.yes_act in acts)


@require_safe
@for_customers
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case: the sentence, the decisions, what was said, what happened."""
    view = prove_what_is_shown(request, view_of(request, number), PORTAL)
    context = {
        "door": PORTAL,
        "view": view,
        "case": view.case,
        "decisions": _decisions(view),
        "may_pass_on": view.may("delegate_decision"),
        "other_acts": OTHER_ACTS,
        "own_card": OWN_CARD,
        "links": portal.links_of(view.folder),
        "coverage": dossier.coverage_of(view.case),
        "call": find_call(view.case),
        "draft": f"comment:{view.case.pk}",
        "kept": draft_in(view.folder, f"comment:{view.case.pk}"),
        "known": disruptions.explaining_to(view.case, view.person),
        "key": uuid.uuid4().hex,
    }
    return render(request, "portal/case.html", context)


def _decisions(view: CaseView) -> list[Decision]:
    found = []
    for choice in CHOICES:
        if not (view.may(choice.yes_act) or (choice.no_act and view.may(choice.no_act))):
            continue
        if choice.yes_act == "close" and view.sentence.situation != "accepted_closure":
            continue  # time and billing come first
        for version in _versions(view, choice):
            found.append(Decision(choice, version, silence(choice, version)))
    return found


def _versions(view: CaseView, choice: Choice) -> list[Version] | list[None]:
    """A decision on versions is taken on each; any other once."""
    if choice.yes_act not in ("accept", "accept_proposal"):
        return [None]
    proposal = choice.yes_act == "accept_proposal"
    return [version for version in view.to_decide if version.deliverable.proposal == proposal]


@require_safe
@for_customers
def organisation(request: HttpRequest) -> HttpResponse:
    """My organisation: its people, contracts, systems, documents, the service policies (P09)."""
    person, now = person_of(request), clock.now()
    context = {
        "door": PORTAL,
        "organisations": portal.organisations_of(person, timezone.localdate(now), now),
        "policies": portal.list_policies(),
        "documents": portal.list_documents(person, before=None, most=FEW_DOCUMENTS),
    }
    return render(request, "portal/organisation.html", context)


@require_safe
@for_customers
def documents(request: HttpRequest) -> HttpResponse:
    """The files of the cases of my organisation, newest first; ?before= goes on from a place."""
    before = find_int(request.GET.get("before", ""))
    found = portal.list_documents(person_of(request), before=before, most=MANY_DOCUMENTS)
    context = {"door": PORTAL, "documents": found, "begun": before is not None}
    return render(request, "portal/documents.html", context)


@require_safe
@entered
def policy(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The service policies as they stood in one version (P07)."""
    version = portal.find_policy(number)
    if version is None:
        raise Http404
    return render(request, "portal/policy.html", {"door": PORTAL, "policy": version})
