"""Two versions of an estimate side by side. It is written on the page of its act (`scope`)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from acuse.interfaces.web.doors import for_firm, view_of
from acuse.models import Estimate
from acuse.policy.fields import N_
from acuse.queries.estimates import compare_versions, versions_of

from .pages import show

WORDS = {
    "scope": N_("Scope"),
    "exclusions": N_("Not included"),
    "assumptions": N_("Assumptions"),
}


@for_firm
def versions(request: HttpRequest, number: str) -> HttpResponse:
    """GET ?from=1&to=3: by default the newest version beside the one before it."""
    view = view_of(request, number)
    found = versions_of(view.case)
    if not found:
        raise Http404
    after = _asked(request, "to", found, found[-1])
    before = _asked(request, "from", found, found[max(0, found.index(after) - 1)])
    compared = compare_versions(before, after)
    return show(
        request,
        "estimates",
        current="inbox",
        case=view.case,
        versions=found,
        before=before,
        after=after,
        compared=compared,
        words=[(_(WORDS[name]), pieces) for name, pieces in compared.words.items() if pieces],
        may_write=any(act.name == "submit_scope" for act in view.acts),
    )


def _asked(request: HttpRequest, name: str, found: list[Estimate], usual: Estimate) -> Estimate:
    asked = request.GET.get(name, "")
    return next((version for version in found if str(version.number) == asked), usual)
