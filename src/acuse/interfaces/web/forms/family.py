"""Forms of the checklist, and of parent and attached cases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from acuse.models import Case, Person
from acuse.queries.checklists import find_state
from acuse.queries.family import family_of

from .base import ActForm, CaseNumber, ManyRows, long_text


class CheckInformation(ActForm):
    ticked = forms.TypedMultipleChoiceField(
        label=_("What we know"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is not ticked is proposed as a question to the customer."),
    )

    def prepare(self) -> None:
        state = find_state(self.case)
        field = self.fields["ticked"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        rows = state.rows if state is not None else []
        field.choices = [(item.key, item.text) for item, _tick in rows]
        self.initial.setdefault("ticked", sorted(state.ticked) if state is not None else [])

    def to_details(self) -> dict[str, Any]:
        return {"ticked": self.cleaned_data["ticked"]}


class AttachToParent(ActForm):
    parent = CaseNumber(label=_("Number of the parent case"))


def _children(case: Case, person: Person) -> Any:
    found = [child.pk for child in family_of(case).children]
    rows = Case.objects.visible_to(person).filter(pk__in=found)
    return rows.select_related("organisation").order_by("pk")


def _name(case: Case) -> str:
    return f"{case.number} · {case.organisation or '—'} · {case.subject}"


class TellChildren(ActForm):
    children = ManyRows(_children, _name, label=_("To the customers of"))
    text = long_text(
        _("What they read"),
        help_text=_("The same for all: nothing that belongs to one customer only."),
    )

    def prepare(self) -> None:
        field = self.fields["children"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        assert field.queryset is not None
        self.initial.setdefault("children", [row.pk for row in field.queryset])
