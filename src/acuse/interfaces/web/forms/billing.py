"""Forms of time and billing."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from acuse.policy.billing import Activity
from acuse.policy.fields import N_, find_int
from acuse.queries import words

from . import rows
from .base import ActForm, Code, ManyRows, OneRow, YesNo, long_text, number


class LogTime(ActForm):
    work_date = forms.DateField(
        label=_("Day of work"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    minutes = number(_("Minutes"), 1, 1440)
    activity = Code(words.ACTIVITIES, Activity, label=_("Activity"))
    text = long_text(_("What was done"), rows=3, help_text=_("The customer reads it."))


class CorrectTime(LogTime):
    entry = OneRow(rows.time_to_correct, rows.name_time, label=_("Which line"))
    field_order = ("entry",)

    def prepare(self) -> None:
        entry = self.fields["entry"].queryset.filter(pk=self._asked()).first()  # type: ignore[attr-defined]
        if entry is not None:
            for name in ("work_date", "minutes", "activity", "text"):
                self.initial.setdefault(name, getattr(entry, name))

    def _asked(self) -> int | None:
        return find_int(str(self.initial.get("entry", "")))


class SubmitTime(ActForm):
    reason = forms.CharField(label=_("Reason to bill a duplicate"), max_length=500, required=False)

    def prepare(self) -> None:
        """Only a manager gives it, and only for a duplicate (P18)."""
        if not (self.actor.is_manager and self.case.duplicate_of_id):
            del self.fields["reason"]


class ApproveTime(ActForm):
    entries = ManyRows(rows.time_to_approve, rows.name_time, label=_("Lines"))

    def prepare(self) -> None:
        choose_all = self.fields["entries"].queryset.values_list("pk", flat=True)  # type: ignore[attr-defined]
        self.initial.setdefault("entries", list(choose_all))


class DisputeTime(ActForm):
    entries = ManyRows(rows.time_submitted, rows.name_time, label=_("Lines"))
    text = long_text(_("Why"))


class SettleTime(ActForm):
    entries = ManyRows(rows.time_disputed, rows.name_time, label=_("Lines"))
    waive = YesNo(
        N_("Waive them: they are not billed"),
        N_("Put them to the customer once more"),
        label=_("Decision"),
    )
    text = long_text(_("Reason"))


class ApproveStatement(ActForm):
    statement = OneRow(rows.statements_issued, rows.name_statement, label=_("Statement"))


class DisputeStatement(ApproveStatement):
    text = long_text(_("Why"))


class CreditStatement(ActForm):
    statement = OneRow(rows.statements_in_force, rows.name_statement, label=_("Statement"))
    text = long_text(_("Reason"))


class ExportStatement(ActForm):
    statement = OneRow(rows.statements_approved, rows.name_statement, label=_("Statement"))
