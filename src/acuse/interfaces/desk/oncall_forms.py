"""The forms of the rota and of webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.oncall import TurnPlan
from acuse.models import Person, Rota
from acuse.policy.oncall import LINES, Line

from .monitoring_forms import Moment, Retire

__all__ = ["HandOverForm", "HookForm", "Retire", "RotaForm", "TurnsForm"]

MOST_PEOPLE = 5


def _lines(lines: Iterable[Line]) -> list[tuple[str, str]]:
    return [(line.value, gettext(LINES[line])) for line in lines]


class _WithPeople(forms.Form):
    """A form that names people of the firm who can be on call."""

    use_required_attribute = False

    def __init__(self, people: Iterable[Person], lines: Iterable[Line], data: Any = None) -> None:
        super().__init__(data)
        self.people = {str(person.pk): person for person in people}
        for field in self.fields.values():
            if isinstance(field, PersonField):
                field.choices = [("", "—"), *((pk, str(row)) for pk, row in self.people.items())]
        line = self.fields["line"]
        assert isinstance(line, forms.ChoiceField)
        line.choices = _lines(lines)

    def person(self, name: str) -> Person | None:
        """The person that a valid form names in a field."""
        return self.people.get(self.cleaned_data[name])


class PersonField(forms.ChoiceField):
    """Somebody of the firm who can be on call."""


class TurnsForm(_WithPeople):
    """Turns one after the other."""

    line = forms.ChoiceField(label=_("Line"))
    since = forms.DateTimeField(label=_("From"), widget=Moment())
    days = forms.IntegerField(label=_("Days of each turn"), min_value=1, max_value=28, initial=7)
    person_1 = PersonField(label=_("First person"))
    person_2 = PersonField(label=_("Then"), required=False)
    person_3 = PersonField(label=_("Then"), required=False)
    person_4 = PersonField(label=_("Then"), required=False)
    person_5 = PersonField(label=_("Then"), required=False)
    rounds = forms.IntegerField(
        label=_("So many times round"), min_value=1, max_value=52, initial=1
    )

    def plan(self, zone: str) -> TurnPlan:
        """What a valid form asks for."""
        names = [f"person_{number}" for number in range(1, MOST_PEOPLE + 1)]
        people = [person for name in names if (person := self.person(name)) is not None]
        given = self.cleaned_data
        return TurnPlan(
            Line(given["line"]), tuple(people), given["since"], given["days"], given["rounds"], zone
        )


class HandOverForm(_WithPeople):
    """To whom the turn is offered, until when."""

    line = forms.ChoiceField(label=_("Line"))
    taker = PersonField(label=_("To whom"))
    since = forms.DateTimeField(
        label=_("From"), widget=Moment(), required=False, help_text=_("Empty: from now on.")
    )
    until = forms.DateTimeField(label=_("Until"), widget=Moment())


class RotaForm(forms.Form):
    """How long somebody has to acknowledge, and whether anybody is paged."""

    use_required_attribute = False

    minutes = forms.IntegerField(
        label=_("Minutes to acknowledge"),
        min_value=2,
        max_value=120,
        help_text=_("Then the next in the chain is paged."),
    )
    in_use = forms.BooleanField(label=_("Page who is on call"), required=False)

    def __init__(self, rota: Rota | None, data: Any = None) -> None:
        row = rota or Rota(in_use=False)
        super().__init__(data, initial={"minutes": row.minutes, "in_use": row.in_use})


class HookForm(forms.Form):
    """A webhook of the firm's own."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("https://… It must be on another machine; redirects are not followed."),
    )
