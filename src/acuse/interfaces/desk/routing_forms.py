"""Forms of routing: a rule, what somebody knows, an absence."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.routing_rules import RuleFacts
from acuse.actions.staffing import SkillFacts
from acuse.models import (
    CalendarVersion,
    CaseType,
    Environment,
    Level,
    Module,
    Organisation,
    OrganisationKind,
    Person,
    Queue,
    RuleVersion,
    Skills,
    Specialty,
)
from acuse.models.agents import STANDARD
from acuse.policy.priority import Priority
from acuse.queries import routing as questions
from acuse.queries import words
from acuse.queries.why_routed import LANGUAGES

from .forms import PersonChoice

ROWS: dict[str, Any] = {
    "queue": Queue,
    "environment": Environment,
    "module": Module,
    "specialty": Specialty,
    "type": CaseType,
}


class EnvironmentChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.organisation} · {obj}"


def _any(model: Any, label: Any) -> forms.ModelChoiceField:
    kind = EnvironmentChoice if model is Environment else forms.ModelChoiceField
    rows = model.objects.none()
    return kind(rows, label=label, required=False, empty_label=_("any"))


class RuleForm(forms.Form):
    """`number`: the version that was looked at."""

    use_required_attribute = False

    number = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Name"), max_length=100)
    customer = _any(Organisation, _("Customer"))
    environment = _any(Environment, _("Environment"))
    module = _any(Module, _("Module"))
    specialty = _any(Specialty, _("Specialty"))
    type = _any(CaseType, _("Type"))
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    queue = forms.ModelChoiceField(Queue.objects.none(), label=_("To the queue"), empty_label=None)
    level = forms.ChoiceField(
        label=_("At least level"),
        required=False,
        help_text=_("A case that has risen higher stays there."),
    )

    def __init__(self, reader: Person, version: RuleVersion | None, data: Any = None) -> None:
        super().__init__(data, initial=_known(version))
        for name, model in ROWS.items():
            self._rows(name, model.objects.filter(retired_at__isnull=True))
        customers = Organisation.objects.visible_to(reader).filter(
            kind=OrganisationKind.CUSTOMER, active=True
        )
        self._rows("customer", customers.order_by("name"))
        environments = Environment.objects.filter(
            organisation__in=customers, retired_at__isnull=True
        ).select_related("organisation")
        self._rows("environment", environments.order_by("organisation__name", "name"))
        priorities = [(code.value, gettext(words.PRIORITIES[code])) for code in Priority]
        self._choices("priority", gettext("any"), priorities)
        spoken = [(code, gettext(word)) for code, word in LANGUAGES.items()]
        self._choices("language", gettext("any"), spoken)
        levels = [(level.value, level.value.upper()) for level in Level]
        self._choices("level", gettext("the case's own"), levels)

    def _rows(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def _choices(self, name: str, blank: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", blank), *choices]

    def facts(self) -> RuleFacts:
        given = {name: value for name, value in self.cleaned_data.items() if name != "number"}
        return RuleFacts(**given)

    def draft(self) -> RuleVersion:
        """What is typed as a version that is not kept."""
        given = {n: v for n, v in self.cleaned_data.items() if n not in ("number", "name")}
        return RuleVersion(**given)


def _known(version: RuleVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    names = [*ROWS, "customer", "priority", "language", "level", "number"]
    return {name: getattr(version, name) for name in names} | {"name": version.rule.name}


class Ticked(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class SkillsForm(forms.Form):
    use_required_attribute = False

    specialties = Ticked(Specialty.objects.none(), label=_("Specialties"), required=False)
    languages = forms.MultipleChoiceField(
        label=_("Languages"), required=False, widget=forms.CheckboxSelectMultiple
    )
    customers = Ticked(
        Organisation.objects.none(),
        label=_("In the team of"),
        required=False,
        help_text=_("Cases of these customers go to them before others."),
    )
    calendar = forms.ChoiceField(label=_("Works by the calendar"), required=False)

    def __init__(self, reader: Person, person: Person, skills: Skills | None, data: Any) -> None:
        known: dict[str, Any] = {"languages": [person.language]}
        if skills is not None:
            known = {
                "specialties": skills.specialties.all(),
                "languages": [*skills.languages, person.language],
                "customers": skills.customers.all(),
                "calendar": skills.calendar,
            }
        super().__init__(data, initial=known)
        customers = Organisation.objects.visible_to(reader).filter(
            kind=OrganisationKind.CUSTOMER, active=True
        )
        rows = {
            "specialties": Specialty.objects.filter(retired_at__isnull=True),
            "customers": customers.order_by("name"),
        }
        for name, found in rows.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = found
        names = CalendarVersion.objects.exclude(name=STANDARD).order_by("name")
        kept = names.values_list("name", flat=True).distinct()
        calendar, languages = self.fields["calendar"], self.fields["languages"]
        assert isinstance(calendar, forms.ChoiceField)
        assert isinstance(languages, forms.MultipleChoiceField)
        calendar.choices = [("", gettext("the firm's own")), *((name, name) for name in kept)]
        languages.choices = [(code, gettext(word)) for code, word in LANGUAGES.items()]

    def facts(self) -> SkillFacts:
        given = self.cleaned_data
        return SkillFacts(
            list(given["specialties"]),
            given["languages"],
            list(given["customers"]),
            given["calendar"],
        )


def _day(label: Any) -> forms.DateField:
    """A date as the browser's own field writes it, in every language."""
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, input_formats=["%Y-%m-%d"])


class AbsenceForm(forms.Form):
    """Who sets up everybody's absences chooses the person; others set up their own."""

    use_required_attribute = False

    person = PersonChoice(Person.objects.none(), label=_("Person"))
    first = _day(_("First day"))
    last_day = _day(_("Last day"))
    substitute = PersonChoice(
        Person.objects.none(),
        label=_("Substitute"),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("Is told what concerns their cases, and gets new ones in their place."),
    )

    def __init__(self, reader: Person, today: date, *, for_others: bool, data: Any = None) -> None:
        super().__init__(data, initial={"person": reader, "first": today, "last_day": today})
        people = questions.of_the_firm()
        own = self.fields["person"]
        assert isinstance(own, forms.ModelChoiceField)
        own.queryset = people if for_others else people.filter(pk=reader.pk)
        if not for_others:
            own.widget = forms.HiddenInput()
        substitute = self.fields["substitute"]
        assert isinstance(substitute, forms.ModelChoiceField)
        substitute.queryset = people if for_others else people.exclude(pk=reader.pk)
