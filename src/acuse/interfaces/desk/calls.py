"""A case that somebody reported by telephone or in another way that does not count (P03, P16)."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from acuse.actions.calls import open_from_call
from acuse.interfaces.web import clock, pages
from acuse.interfaces.web.doors import DESK, for_firm
from acuse.interfaces.web.forms import rows
from acuse.interfaces.web.forms.base import ActForm, Code, OneRow, long_text, many_files
from acuse.interfaces.web.forms.life import IMPACT, URGENCY
from acuse.models import Person
from acuse.policy.priority import IMPACT_QUESTIONS, URGENCY_QUESTIONS, Impact, Urgency
from acuse.queries import words

from .monitoring_forms import Moment


def _name(person: Person) -> str:
    return f"{person} ({person.email})"


class RecordCall(ActForm):
    """Who called, when, and what they said; impact and urgency in the words of the portal."""

    organisation = OneRow(rows.customers, label=_("Customer"), required=False)
    reporter = OneRow(rows.all_customer_people, _name, label=_("Who called"), required=False)
    email = forms.EmailField(
        label=_("Mail address, if we do not know them yet"),
        required=False,
        max_length=254,
        help_text=_(
            "The confirmation goes there. Somebody new is let in by the customer's contact at the "
            "firm or by a manager."
        ),
    )
    name = forms.CharField(label=_("Their name"), required=False, max_length=200)
    medium = Code(words.MEDIA, label=_("By which means"))
    called_at = forms.DateTimeField(label=_("When"), widget=Moment())
    subject = forms.CharField(label=_("What happens, in one line"), max_length=250)
    text = long_text(_("What they said"), help_text=_("They will read it, and confirm it."))
    impact = Code(
        {impact: IMPACT[impact] for impact in IMPACT_QUESTIONS},
        Impact,
        radio=True,
        label=_("How much does it touch?"),
    )
    urgency = Code(
        {urgency: URGENCY[urgency] for urgency in URGENCY_QUESTIONS},
        Urgency,
        radio=True,
        label=_("How pressing is it?"),
    )
    environment = OneRow(
        rows.environments, rows.name_environment, required=False, label=_("In which system")
    )
    module = OneRow(rows.modules, required=False, label=_("In which part"))
    files = many_files()

    def prepare(self) -> None:
        self.initial.setdefault("medium", "phone")
        self.initial.setdefault("called_at", timezone.localtime(clock.now()))


@for_firm
def record_call(request: HttpRequest) -> HttpResponse:
    """GET asks what was said, POST opens the case and has it confirmed."""
    return pages.new_case_page(
        request, RecordCall, DESK, "desk/call.html", open_from_call, current="new_case"
    )
