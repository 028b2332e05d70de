"""Who somebody is to us: their name, language and time zone; and how they want to be told."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from acuse.actions import administration
from acuse.actions.preferences import set_preferences
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import DESK, PORTAL, entered, person_of
from acuse.models import Language, Person
from acuse.models.preferences import find_preferences
from acuse.policy.notices import FOR_CUSTOMERS, Group, Preferences
from acuse.queries.notices import GROUPS, WAYS

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


DAILY_HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]


class NoticesForm(forms.Form):
    """A way for each group of notices that concerns the person, by the group's code."""

    use_required_attribute = False

    daily_hour = forms.TypedChoiceField(
        label=_("Hour of the daily summary"), choices=DAILY_HOURS, coerce=int
    )
    quiet = forms.BooleanField(
        label=_("Outside working hours nothing but what binds me"),
        help_text=_(
            "What comes up in the meantime is mailed when the next working day opens, by the "
            "firm's calendar and the clocks of your time zone."
        ),
        required=False,
    )

    def __init__(self, person: Person, data: Any = None) -> None:
        chosen = find_preferences(person) or Preferences()
        super().__init__(
            data,
            prefix="notices",
            initial={"daily_hour": chosen.daily_hour, "quiet": chosen.quiet},
        )
        self.groups = list(Group) if person.is_firm else list(FOR_CUSTOMERS)
        for group in self.groups:
            self.fields[group] = forms.ChoiceField(
                label=gettext(GROUPS[group]),
                choices=[(str(way), gettext(text)) for way, text in WAYS.items()],
                initial=str(chosen.way(group)),
            )
        self.order_fields([*self.groups, "daily_hour", "quiet"])

    def ways(self) -> dict[str, str]:
        return {str(group): self.cleaned_data[group] for group in self.groups}


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
    return _show(request, form, NoticesForm(person))


@require_POST
@entered
def notices_chosen(request: HttpRequest) -> HttpResponse:
    """How somebody wants to be told of what does not bind them."""
    person = person_of(request)
    form = NoticesForm(person, request.POST)
    if form.is_valid():
        set_preferences(
            person,
            ways=form.ways(),
            daily_hour=form.cleaned_data["daily_hour"],
            quiet=form.cleaned_data["quiet"],
            at=clock.now(),
        )
        messages.success(request, gettext("Saved."))
        return redirect("profile")
    given = {name: getattr(person, name) for name in ProfileForm.base_fields}
    return _show(request, ProfileForm(initial=given), form)


def _show(request: HttpRequest, form: ProfileForm, notices: NoticesForm) -> HttpResponse:
    person = person_of(request)
    context = {
        "form": form,
        "notices": notices,
        "door": DESK if person.is_firm else PORTAL,
        "memberships": person.active_memberships(),
    }
    wrong = form.errors or notices.errors
    return render(request, "shared/profile.html", context, status=422 if wrong else 200)
