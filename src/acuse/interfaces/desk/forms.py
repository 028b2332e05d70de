"""The desk's own forms: people and roles, the review of a year."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.models import Area, Language, Organisation, Person
from acuse.models.people import MEMBER_ROLES, Level
from acuse.policy.stages import Role
from acuse.queries import words


class PersonChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


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
