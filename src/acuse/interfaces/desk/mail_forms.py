"""The forms of mail that waits: what it is narrowed to, and what is done with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.interfaces.web.forms.base import CaseNumber
from acuse.models import Case, Organisation, OrganisationKind, Person, RawMail
from acuse.queries import mail as questions
from acuse.queries.correspondence import propose_customer
from acuse.queries.mail import STATES, MailFilters

LONGEST_WHY = 500


def _why(*, required: bool) -> forms.CharField:
    label = _("Why it leads to nothing") if required else _("Why")
    return forms.CharField(label=label, max_length=LONGEST_WHY, required=required)


class MailList(forms.Form):
    """What the list of mail is narrowed to, as it stands in the address."""

    use_required_attribute = False

    state = forms.ChoiceField(label=_("State"), required=False)
    reason = forms.ChoiceField(label=_("Why"), required=False)
    mailbox = forms.ChoiceField(label=_("Mailbox"), required=False)
    q = forms.CharField(label=_("Sender or subject"), required=False, max_length=100)

    def __init__(self, asked: Any) -> None:
        super().__init__(asked)
        state = asked.get("state", "")
        reasons = questions.reasons_in_use(state if state in STATES else "")
        boxes = [(str(box.pk), box.address) for box in questions.mailboxes_of_mail()]
        self._choose("state", [(str(code), gettext(label)) for code, label in STATES.items()])
        self._choose("reason", [("", gettext("All")), *reasons])
        self._choose("mailbox", [("", gettext("All")), *boxes])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def filters(self) -> MailFilters:
        """The filters; what could not be read narrows nothing."""
        self.is_valid()
        given = self.cleaned_data
        return MailFilters(
            state=given.get("state", ""),
            reason=given.get("reason", ""),
            mailbox=int(given.get("mailbox") or 0) or None,
            text=given.get("q", ""),
        )


class DismissMail(forms.Form):
    """Why a mail leads to nothing."""

    use_required_attribute = False

    why = _why(required=True)


class PlaceMail(forms.Form):
    """Which case a mail belongs to."""

    use_required_attribute = False

    case = CaseNumber(label=_("Number of the case"))
    why = _why(required=False)

    def __init__(self, reader: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "place_%s", **options})
        field = self.fields["case"]
        assert isinstance(field, CaseNumber)
        field.limit(Case(), reader)


class NewCase(forms.Form):
    """Why a mail opens a case of its own."""

    use_required_attribute = False

    why = _why(required=False)


class OpenForwarded(forms.Form):
    """Whose mail a colleague passed on, and for which customer it opens a case (mail rule 18)."""

    use_required_attribute = False

    email = forms.EmailField(label=_("Who wrote it"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=_("Customer"),
        required=False,
        empty_label=_("Nobody knows yet"),
    )
    why = _why(required=False)

    def __init__(self, reader: Person, mail: RawMail, *args: Any, **options: Any) -> None:
        found = mail.proposal
        options.setdefault(
            "initial",
            {
                "email": found.get("email", ""),
                "name": found.get("name", ""),
                "organisation": propose_customer(mail),
            },
        )
        super().__init__(*args, **{"auto_id": "forward_%s", **options})
        field = self.fields["organisation"]
        assert isinstance(field, forms.ModelChoiceField)
        customers = Organisation.objects.visible_to(reader)
        field.queryset = customers.filter(kind=OrganisationKind.CUSTOMER, active=True).order_by(
            "name"
        )
