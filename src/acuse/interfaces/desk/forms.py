"""The desk's own forms: filters of the lists, people and roles, the review of a year."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.models import Area, Language, Organisation, OrganisationKind, Person
from acuse.models.people import MEMBER_ROLES, Level
from acuse.policy.priority import Priority
from acuse.policy.stages import STAGES, Ball, Role
from acuse.queries import administration, words
from acuse.queries.queue import ORDERS, VIEWS, Filters

FIELDS = ("stage", "customer", "assignee", "priority", "ball", "queue")


class PersonChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class ListFilters(forms.Form):
    """What a list is narrowed to, as it stands in the address."""

    use_required_attribute = False

    view = forms.CharField(required=False, widget=forms.HiddenInput)
    queue = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    stage = forms.ChoiceField(label=_("Stage"), required=False)
    customer = forms.ChoiceField(label=_("Customer"), required=False)
    assignee = forms.ChoiceField(label=_("Assignee"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    ball = forms.ChoiceField(label=_("Whose turn"), required=False)
    order = forms.ChoiceField(label=_("Order"), required=False)

    def __init__(self, person: Person, asked: MultiValueDict[str, str]) -> None:
        super().__init__(asked)
        customers = administration.organisations(person)
        choices: dict[str, list[tuple[str, str]]] = {
            "stage": [(code, words.stage_label(code, firm=True)) for code in STAGES],
            "customer": [
                (str(row.pk), row.name) for row in customers if row.kind != OrganisationKind.FIRM
            ],
            "assignee": [(str(row.pk), str(row)) for row in administration.firm_people()],
            "priority": [(code, gettext(words.PRIORITIES[code])) for code in Priority],
            "ball": [(code, gettext(words.BALLS[code])) for code in Ball],
        }
        for name, found in choices.items():
            self._set(name, [("", gettext("All")), *found])
        self._set("order", [(code, gettext(label)) for code, label in ORDERS.items()])

    def _set(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_view(self) -> str:
        view: str = self.cleaned_data["view"] or "open"
        if view not in VIEWS:
            raise forms.ValidationError(_("This list does not exist."))
        return view

    def asked(self) -> tuple[Filters, str]:
        """The filters and the order; what could not be read narrows nothing."""
        self.is_valid()
        given = {name: self.cleaned_data.get(name) for name in (*FIELDS, "view")}
        for name in ("customer", "assignee"):
            given[name] = int(given[name] or 0) or None
        kept = {name: value for name, value in given.items() if value}
        return Filters(**kept), self.cleaned_data.get("order") or "due"

    def narrowed(self) -> bool:
        """Whether anything but the list itself was chosen."""
        return any(self.cleaned_data.get(name) for name in FIELDS)


class AddPerson(forms.Form):
    """Somebody new, by their address, with a first role."""

    use_required_attribute = False

    email = forms.EmailField(label=_("Mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=[])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = {"es": "Español", "en": "English", "pt": "Português"}
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code.value, names[code.value]) for code in Language]


class GiveRole(forms.Form):
    """A role of somebody in an organisation, from now on."""

    use_required_attribute = False

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("Organisation"))
    role = forms.ChoiceField(label=_("Role"))
    area = forms.ModelChoiceField(
        Area.objects.none(),
        label=_("Area"),
        required=False,
        help_text=_("For a functional lead: the area of the customer."),
    )
    level = forms.ChoiceField(
        label=_("Level"), required=False, help_text=_("For support: N1, N2 or N3.")
    )
    substitute = forms.BooleanField(
        label=_("As the substitute of a missing service owner"), required=False
    )

    def __init__(self, reader: Person, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person
        self._rows("organisation", Organisation.objects.visible_to(reader).filter(active=True))
        self._rows(
            "area",
            Area.objects.filter(
                organisation__in=Organisation.objects.visible_to(reader), retired_at=None
            )
            .select_related("organisation")
            .order_by("organisation__name", "name"),
        )
        self.fields["area"].label_from_instance = (  # type: ignore[attr-defined]
            lambda area: f"{area.organisation} · {area.name}"
        )
        self._choices("role", [(role.value, gettext(words.ROLES[role])) for role in MEMBER_ROLES])
        self._choices("level", [("", "—"), *((level, level.upper()) for level in Level)])

    def _rows(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    def clean(self) -> dict[str, Any]:
        """Each refusal stands by its field; the side of the role is the action's rule."""
        given = super().clean() or {}
        organisation, area = given.get("organisation"), given.get("area")
        if area is not None and area.organisation_id != getattr(organisation, "pk", None):
            self.add_error("area", _("That area belongs to another organisation."))
        if given.get("level") and given.get("role") != Role.SUPPORT:
            self.add_error("level", _("Only support has levels."))
        if given.get("substitute") and given.get("role") != Role.OWNER:
            self.add_error("substitute", _("Only a service owner has a substitute."))
        return given


class ReviewYear(forms.Form):
    """The public holidays of one year, as a manager confirms them."""

    use_required_attribute = False

    number = forms.IntegerField(widget=forms.HiddenInput)
    year = forms.IntegerField(widget=forms.HiddenInput, min_value=2000, max_value=2200)
    holidays = forms.CharField(
        label=_("Public holidays of the year"),
        widget=forms.Textarea(attrs={"rows": 22}),
        max_length=20_000,
        help_text=_("One in each line: the date as YYYY-MM-DD, a space, and its name."),
    )

    def clean_holidays(self) -> dict[date, str]:
        found: dict[date, str] = {}
        for number, line in enumerate(self.cleaned_data["holidays"].splitlines(), start=1):
            if line.strip():
                on, name = self._read(number, line.strip())
                if on in found:
                    message = _("Line %(number)s: %(day)s stands there twice.")
                    raise forms.ValidationError(message % {"number": number, "day": on})
                found[on] = name
        return found

    def _read(self, number: int, line: str) -> tuple[date, str]:
        day, _space, name = line.partition(" ")
        try:
            on = date.fromisoformat(day)
        except ValueError:
            message = _("Line %(number)s: “%(day)s” is not a date written YYYY-MM-DD.")
            raise forms.ValidationError(message % {"number": number, "day": day}) from None
        if on.year != self.cleaned_data.get("year"):
            message = _("Line %(number)s: %(day)s lies in another year.")
            raise forms.ValidationError(message % {"number": number, "day": day})
        if not name.strip():
            message = _("Line %(number)s: the holiday needs its name.")
            raise forms.ValidationError(message % {"number": number})
        return on, name.strip()
