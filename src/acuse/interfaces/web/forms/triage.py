"""Forms of where a case belongs and who works on it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from acuse.models import Level, LinkKind
from acuse.queries import words

from . import rows
from .base import ActForm, CaseNumber, Code, OneRow, long_text

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
    message = OneRow(rows.messages, rows.name_message, label=_("From which message"))
    subject = forms.CharField(label=_("Subject of the new case"), max_length=250)
    text = long_text(_("What the new case is about"))


class MergeDuplicate(ActForm):
    original = CaseNumber(label=_("Number of the earlier case"))


class Relate(ActForm):
    other = CaseNumber(label=_("Number of the other case"))
    kind = Code(
        {kind: words.LINKS[kind] for kind in (LinkKind.RELATED, LinkKind.PARENT)},
        LinkKind,
        label=_("Relation"),
    )
