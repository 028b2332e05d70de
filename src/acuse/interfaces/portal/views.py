"""The customer's pages: what waits, the cases, one case, reporting, the organisation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from acuse.interfaces.web import clock
from acuse.interfaces.web.consequences import CHOICES, Choice, silence
from acuse.interfaces.web.doors import PORTAL, entered, for_customers, person_of, view_of
from acuse.interfaces.web.forms.life import Report
from acuse.interfaces.web.opening import prove_what_is_shown
from acuse.interfaces.web.pages import new_case_page
from acuse.models import Version
from acuse.queries import dossier, portal
from acuse.queries.case import CaseView

# What is offered in small print under the decisions, in this order.
OTHER_ACTS = (
    "attach request_change claim_warranty delegate_decision watch build_pack "
    "authorize_emergency cancel"
)
# What has a card of its own on the case page, beside the decisions.
OWN_CARD = "confirm_report answer_satisfaction"


@require_safe
@for_customers
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me first, with its date and what silence does; then the cases."""
    person = person_of(request)
    ended, mine = request.GET.get("state") == "ended", request.GET.get("whose") == "mine"
    number = request.GET.get("page", "1")
    page = int(number) if number.isdigit() and 0 < int(number) < 10_000 else 1
    context = {
        "door": PORTAL,
        "waiting": portal.waiting_for(person),
        "cases": portal.list_cases(person, ended=ended, mine=mine, page=page),
        "ended": ended,
        "mine": mine,
        "page": page,
    }
    return render(request, "portal/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def report(request: HttpRequest) -> HttpResponse:
    """Report a case in plain words (P03, P18)."""
    return new_case_page(
        request, Report, PORTAL, "portal/report.html", policy=portal.find_policy(None)
    )


@dataclass(frozen=True)
class Decision:
    """One decision that waits for the reader: on which version, what silence does."""

    choice: Choice
    version: Version | None
    silence: str


@require_safe
@for_customers
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case: the sentence, the decisions, what was said, what happened."""
    view = prove_what_is_shown(request, view_of(request, number), PORTAL)
    context = {
        "door": PORTAL,
        "view": view,
        "case": view.case,
        "decisions": list(_decisions(view)),
        "other_acts": OTHER_ACTS,
        "own_card": OWN_CARD,
        "links": portal.links_of(view.case, view.person),
        "coverage": dossier.coverage_of(view.case),
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
    """My organisation: its people, its contracts, the service policies (P09)."""
    today = timezone.localdate(clock.now())
    found = portal.organisations_of(person_of(request), today)
    return render(request, "portal/organisation.html", {"door": PORTAL, "organisations": found})


@require_safe
@entered
def policy(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The service policies as they stood in one version (P07)."""
    version = portal.find_policy(number)
    if version is None:
        raise Http404
    return render(request, "portal/policy.html", {"door": PORTAL, "policy": version})
