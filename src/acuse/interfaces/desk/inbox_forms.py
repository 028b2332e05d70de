"""Forms of the inbox: what is done with the ticked cases, a filter put together, a kept view."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.policy import filters
from acuse.policy.filters import COLUMNS, KEYS, ORDERS, Query, Term
from acuse.queries.lexicon import Lexicon

# What can be done with several cases at once: its name, and the field that it needs.
BULK: dict[str, tuple[Any, str]] = {
    "take": (_("Take"), ""),
    "assign_me": (_("Assign to me"), ""),
    "assign": (_("Assign to…"), "person"),
    "queue": (_("Move to the queue…"), "queue"),
    "merge_duplicate": (_("Cancel as duplicates of…"), "original"),
}


def _with_blank(rows: list[tuple[Any, str]], blank: str = "—") -> list[tuple[str, str]]:
    return [("", blank), *((str(code), label) for code, label in rows)]


def _choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


class BulkForm(forms.Form):
    """What is to be done with the ticked cases."""

    use_required_attribute = False

    act = forms.ChoiceField(label=_("With the ticked ones"))
    person = forms.TypedChoiceField(label=_("To whom"), required=False, coerce=int)
    queue = forms.TypedChoiceField(label=_("Queue"), required=False, coerce=int)
    original = forms.CharField(
        label=_("Number of the earlier case"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "C-17"}),
    )

    def __init__(self, lexicon: Lexicon, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "bulk_%s"} | options)
        _choose(self, "act", [(code, str(label)) for code, (label, _needs) in BULK.items()])
        _choose(self, "person", _with_blank(lexicon.in_use("assignee")))
        _choose(self, "queue", _with_blank(lexicon.in_use("queue")))

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        _label, needed = BULK.get(given.get("act", ""), ("", ""))
        if needed and not given.get(needed) and needed not in self.errors:
            self.add_error(needed, _("Choose one."))
        return given


class FilterForm(forms.Form):
    """A filter put together from lists. What a list cannot say (several values, the contrary) is
    written in `rest`, as in the filter itself."""

    use_required_attribute = False

    rest = forms.CharField(
        label=_("Words, and anything else"),
        required=False,
        max_length=filters.LONGEST,
        help_text=_("Several with commas between them; a minus in front for the contrary."),
    )
    opened_from = forms.DateField(
        label=_("Opened from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    opened_to = forms.DateField(
        label=_("Opened until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    LABELS = {
        "state": _("State"),
        "stage": _("Stage"),
        "priority": _("Priority"),
        "turn": _("Whose turn"),
        "assignee": _("Assignee"),
        "customer": _("Customer"),
        "queue": _("Queue"),
        "type": _("Type"),
        "module": _("Module"),
        "specialty": _("Specialty"),
        "level": _("Level"),
        "without": _("Without"),
        "with": _("With"),
    }

    def __init__(self, lexicon: Lexicon, language: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered: dict[str, set[str]] = {}  # what each list has to choose from
        for key, label in self.LABELS.items():
            words = [(v, filters.value_word(key, v, language)) for v in KEYS[key].values]
            names = [(name, name) for _pk, name in lexicon.in_use(key)]
            choices = _with_blank(words + names)
            self.offered[key] = {code for code, _word in choices}
            self.fields[key] = forms.ChoiceField(label=label, required=False, choices=choices)
        self.order_fields([*self.LABELS, "opened_from", "opened_to", "rest"])

    @classmethod
    def of(cls, query: Query, lexicon: Lexicon, language: str) -> FilterForm:
        """The form that says a query: each list what it can, the rest in words."""
        form = cls(lexicon, language)
        rest = []
        for part in query.parts:
            if not form._take(part):
                rest.append(part)
        form.initial["rest"] = filters.write(Query(tuple(rest)), language)
        return form

    def _take(self, part: object) -> bool:
        """Whether a list could take this part of a query."""
        if not isinstance(part, Term) or part.negated or len(part.values) != 1:
            return False
        if part.key == "opened" and "opened_from" not in self.initial:
            first, last = filters.days_between(part.values[0])
            self.initial["opened_from"], self.initial["opened_to"] = first, last
            return True
        if part.key in self.initial or part.values[0] not in self.offered.get(part.key, ()):
            return False
        self.initial[part.key] = part.values[0]
        return True

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        first, last = given.get("opened_from"), given.get("opened_to")
        if first and last and first > last:
            self.add_error("opened_to", _("This day is before the other."))
        return given

    def query(self) -> Query:
        """What was put together."""
        given = self.cleaned_data
        parts = [Term(key, (given[key],)) for key in self.LABELS if given[key]]
        first, last = given["opened_from"], given["opened_to"]
        if first or last:
            parts.append(Term("opened", (f"{first or ''}..{last or ''}",)))
        return Query((*parts, *filters.parse(given["rest"]).query.parts))


class ViewForm(forms.Form):
    """A list kept under a name."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=60)
    query = forms.CharField(label=_("The filter"), required=False, max_length=filters.LONGEST)
    sort = forms.ChoiceField(label=_("Order"))
    columns = forms.MultipleChoiceField(
        label=_("Columns"), required=False, widget=forms.CheckboxSelectMultiple
    )
    shared = forms.BooleanField(label=_("Everybody of the firm sees it"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _choose(self, "sort", [(code, gettext(label)) for code, label in ORDERS.items()])
        _choose(self, "columns", [(code, gettext(label)) for code, label in COLUMNS.items()])
