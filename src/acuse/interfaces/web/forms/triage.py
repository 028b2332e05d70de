"""Forms of where a case belongs and who works on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from acuse.models import Attachment, Level
from acuse.policy.fields import find_int
from acuse.policy.splitting import parts_of
from acuse.queries import words

from . import rows
from .base import ActForm, CaseNumber, Code, ManyRows, OneRow, long_text

LEVELS = {level.value: level.value.upper() for level in Level}


class Assign(ActForm):
    person = OneRow(rows.firm_people, required=False, label=_("Person"), empty_label=_("Nobody"))
    queue = OneRow(rows.queues, required=False, label=_("Queue"))
    level = Code(LEVELS, required=False, label=_("Level"))

    def prepare(self) -> None:
        self.initial.setdefault("person", self.case.assignee_id)
        self.initial.setdefault("queue", self.case.queue_id)
        self.initial.setdefault("level", self.case.level)


class Escalate(ActForm):
    direction = Code(words.DIRECTIONS, radio=True, label=_("Direction"))
    level = Code(LEVELS, required=False, label=_("Level"))
    person = OneRow(rows.firm_people, required=False, label=_("To whom"))
    text = long_text(_("Reason"))


class BindCustomer(ActForm):
    organisation = OneRow(rows.customers, label=_("Customer"))


class Split(ActForm):
    """One message, part by part: what is marked goes to the new case. Which message it is says
    the link that leads here; without one it is the report."""

    message = OneRow(rows.messages, rows.name_message, label=_("From which message"))
    parts = forms.MultipleChoiceField(
        label=_("What goes to the new case"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The message stays whole here; what you mark is reported anew."),
    )
    attachments = ManyRows(
        lambda case, person: Attachment.objects.visible_to(person).filter(case=case),
        lambda row: row.filename,
        required=False,
        label=_("Files that go along"),
    )
    subject = forms.CharField(label=_("Subject of the new case"), max_length=250)
    text = long_text(_("In your own words"), required=False, rows=3)

    def prepare(self) -> None:
        offered = rows.messages(self.case, self.actor)
        pk = find_int(str(self.data.get("message") or self.initial.get("message") or ""))
        one = offered.filter(pk=pk).first() if pk is not None else offered.last()
        self.fields["message"].widget = forms.HiddenInput()
        self.initial["message"] = one.pk if one is not None else None
        self.pieces = parts_of(one.text) if one is not None else []
        parts, files = self.fields["parts"], self.fields["attachments"]
        assert isinstance(parts, forms.MultipleChoiceField)
        assert isinstance(files, ManyRows)
        assert files.queryset is not None
        parts.choices = [(str(n), piece) for n, piece in enumerate(self.pieces)]
        files.queryset = files.queryset.filter(message=one)
        for name, empty in (("parts", not parts.choices), ("attachments", not files.queryset)):
            if empty:
                del self.fields[name]

    def chosen(self) -> Iterable[tuple[str, str]]:
        """Whose message it is: its words stand in the list of its parts."""
        field = self.fields["message"]
        assert isinstance(field, OneRow)
        assert field.queryset is not None
        one = field.queryset.filter(pk=self.initial.get("message")).first()
        if one is not None:
            yield str(field.label), f"{one.author or ''} · {words.moment(one.at, self.actor.zone)}"

    def to_details(self) -> dict[str, Any]:
        given = self.cleaned_data
        marked = [self.pieces[int(n)] for n in given.get("parts", [])]
        return {
            "message": given["message"],
            "subject": given["subject"],
            "text": "\n\n".join(part for part in (given["text"].strip(), *marked) if part),
            "attachments": list(given.get("attachments", [])),
        }


class MergeDuplicate(ActForm):
    original = CaseNumber(label=_("Number of the earlier case"))


class Relate(ActForm):
    other = CaseNumber(label=_("Number of the other case"))
