"""Who somebody is to us: their name, language and time zone."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from acuse.actions import administration
from acuse.interfaces.web.doors import DESK, PORTAL, entered, person_of
from acuse.models import Language

LANGUAGES = {
    Language.SPANISH: "Español",
    Language.ENGLISH: "English",
    Language.PORTUGUESE: "Português",
}
AREAS = ["Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Pacific"]


def _zones() -> list[tuple[str, str]]:
    """The zones of places, without the old names kept for machines."""
    names = sorted(zone for zone in zoneinfo.available_timezones() if zone.split("/")[0] in AREAS)
    return [(name, name.replace("_", " ")) for name in names]


class ProfileForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Your name"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))
    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_zones,
        help_text=_("Times are shown in it. Legal terms follow the zone of the contract."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@entered
def profile_page(request: HttpRequest) -> HttpResponse:
    """Show and change them; everything else about a person is the firm's to change."""
    person = person_of(request)
    given: dict[str, Any] = {name: getattr(person, name) for name in ProfileForm.base_fields}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=given)
    if form.is_bound and form.is_valid():
        administration.set_profile(person, **form.cleaned_data)
        with override(person.language):
            messages.success(request, gettext("Saved."))
        return redirect("profile")
    door = DESK if person.is_firm else PORTAL
    context = {"form": form, "door": door, "memberships": person.active_memberships()}
    return render(request, "shared/profile.html", context, status=422 if form.errors else 200)
