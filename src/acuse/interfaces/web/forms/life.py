"""Forms of the main line, from the report to the close."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.models import Estimate, EstimateLine, Specialty
from acuse.policy.billing import Activity
from acuse.policy.fields import N_, find_int
from acuse.policy.priority import IMPACT_QUESTIONS, URGENCY_QUESTIONS, Impact, Priority, Urgency
from acuse.policy.stages import CancelReason, Stage
from acuse.queries import words

from . import rows
from .base import ActForm, Code, OneRow, YesNo, long_text, many_files, number

IMPACT = {
    Impact.WHOLE_OPERATION: N_("It stops the whole operation"),
    Impact.CRITICAL_PROCESS: N_("It stops a process that cannot be done without"),
    Impact.LIMITED: N_("Something works badly, while the rest goes on"),
    Impact.QUESTION: N_("It is a question about how to do something"),
}
URGENCY = {
    Urgency.CUSTOMER_NOTICES: N_("The customer's own customers notice"),
    Urgency.WORK_BLOCKED: N_("Somebody is unable to go on working"),
    Urgency.CAN_WAIT: N_("There is a way around it for now"),
}


# The same, asked of whoever reports: the first question that is answered by yes decides.
IMPACT_ASKED = {
    Impact.WHOLE_OPERATION: N_("Yes, it stops the whole operation"),
    Impact.CRITICAL_PROCESS: N_("No, but it stops a process that we cannot work without"),
    Impact.LIMITED: N_("No, something works badly while the rest goes on"),
    Impact.QUESTION: N_("No, it is a question about how to do something"),
}
URGENCY_ASKED = {
    Urgency.CUSTOMER_NOTICES: N_("Yes, our own customers notice"),
    Urgency.WORK_BLOCKED: N_("No, but somebody here is unable to go on working"),
    Urgency.CAN_WAIT: N_("No, and there is a way around it for now"),
}


def _planned_kinds() -> dict[str, str]:
    return {code: word for code, word in words.DELIVERABLE_KINDS.items() if code != "estimate"}


class Report(ActForm):
    """A customer's person reports a case, in their own words (P03, P18, P21)."""

    organisation = OneRow(rows.own_organisations, label=_("For which company"))
    subject = forms.CharField(
        label=_("What happens, in one line"),
        max_length=250,
        help_text=_("For example: invoices do not print"),
    )
    text = long_text(
        _("Tell us more"),
        help_text=_("What you did, what you expected, what happened instead, and since when."),
    )
    impact = Code(
        {impact: IMPACT_ASKED[impact] for impact in IMPACT_QUESTIONS},
        Impact,
        radio=True,
        label=_("Does it stop the whole operation?"),
    )
    urgency = Code(
        {urgency: URGENCY_ASKED[urgency] for urgency in URGENCY_QUESTIONS},
        Urgency,
        radio=True,
        label=_("Does your own customer notice?"),
    )
    environment = OneRow(
        rows.environments, rows.name_environment, required=False, label=_("In which system")
    )
    module = OneRow(rows.modules, required=False, label=_("In which part"))
    files = many_files(help_text=_("A screenshot helps. Up to 25 MB each."))

    def prepare(self) -> None:
        """Nobody is asked what can be answered in one way only; a stranger has no company."""
        if not self.actor.organisation_ids():
            del self.fields["organisation"], self.fields["environment"]


class ReportForCustomer(ActForm):
    """The firm opens a case for somebody, after a call for example (P03)."""

    reporter = OneRow(rows.all_customer_people, label=_("Reporter"), required=False)
    organisation = OneRow(rows.customers, label=_("Customer"), required=False)
    subject = forms.CharField(label=_("Subject"), max_length=250)
    text = long_text(_("What was reported"))
    impact = Code(IMPACT, Impact, required=False, label=_("Impact"))
    urgency = Code(URGENCY, Urgency, required=False, label=_("Urgency"))
    environment = OneRow(
        rows.environments, rows.name_environment, required=False, label=_("Environment")
    )
    module = OneRow(rows.modules, required=False, label=_("Module"))
    files = many_files()


class Classify(ActForm):
    impact = Code(IMPACT, Impact, radio=True, label=_("Impact"))
    urgency = Code(URGENCY, Urgency, radio=True, label=_("Urgency"))
    type = OneRow(rows.types, required=False, label=_("Type"))
    specialty = OneRow(rows.specialties, required=False, label=_("Specialty"))
    module = OneRow(rows.modules, required=False, label=_("Module"))
    environment = OneRow(
        rows.environments, rows.name_environment, required=False, label=_("Environment")
    )
    entity = OneRow(rows.entities, required=False, label=_("Entity"))
    area = OneRow(rows.areas, required=False, label=_("Area"))
    root_cause = OneRow(rows.root_causes, required=False, label=_("Root cause"))
    priority = Code(
        words.PRIORITIES,
        Priority,
        required=False,
        label=_("Another priority"),
        help_text=_("Leave it empty: the priority follows from impact and urgency."),
    )
    reason = forms.CharField(label=_("Reason for another priority"), max_length=500, required=False)

    def prepare(self) -> None:
        case = self.case
        for name in ("impact", "urgency"):
            self.initial.setdefault(name, getattr(case, name) or None)
        for name in ("type", "specialty", "module", "environment", "entity", "area", "root_cause"):
            self.initial.setdefault(name, getattr(case, f"{name}_id"))
        for name in ("entity", "area"):  # most customers have none
            if not self.fields[name].queryset.exists():  # type: ignore[attr-defined]
                del self.fields[name]


class PlannedRow(forms.Form):
    key = forms.IntegerField(widget=forms.HiddenInput, required=False)
    kind = Code(_planned_kinds(), label=_("Kind"), required=False)
    title = forms.CharField(label=_("What will be delivered"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("title") and not given.get("kind"):
            self.add_error("kind", _("Choose the kind."))
        return given

    @staticmethod
    def planned(row: dict[str, Any]) -> Planned:
        return Planned(row["kind"], row["title"], row.get("key") or 0)


class LineRow(forms.Form):
    key = forms.IntegerField(widget=forms.HiddenInput, required=False)
    description = forms.CharField(label=_("Work"), max_length=300, required=False)
    activity = Code(words.ACTIVITIES, Activity, label=_("Activity"), required=False)
    specialty = forms.TypedChoiceField(
        label=_("Specialty"), coerce=int, empty_value=None, required=False
    )
    minutes = number(_("Minutes"), 1, 100_000, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("description") and not given.get("minutes") and "minutes" not in self.errors:
            self.add_error("minutes", _("Say how many minutes."))
        if given.get("minutes") and not given.get("description"):
            self.add_error("description", _("Say what work takes them."))
        return given


class SubmitScope(ActForm):
    """A version of the scope; it starts from the one before."""

    scope = long_text(
        _("Scope"), help_text=_("What will be done, so that both sides can check it.")
    )
    exclusions = long_text(_("Exclusions"), rows=3, required=False)
    assumptions = long_text(_("Assumptions"), rows=3, required=False)

    lists = {
        "items": (PlannedRow, _("What will be delivered"), 2),
        "lines": (LineRow, _("Work and minutes"), 3),
    }

    def prepare(self) -> None:
        before = self.before
        if before is not None:
            self.initial.setdefault("scope", before.text)
            self.initial.setdefault("exclusions", before.exclusions)
            self.initial.setdefault("assumptions", before.assumptions)
        self.specialties = self._known_specialties()
        choices = [("", "—"), *((pk, str(row)) for pk, row in self.specialties.items())]
        for row in self.rows["lines"]:
            if self.specialties:
                row.fields["specialty"].choices = choices
            else:
                del row.fields["specialty"]

    def _known_specialties(self) -> dict[int, Specialty]:
        """Those to choose from, and those that the version before has."""
        in_use = Q(retired_at__isnull=True)
        lines = EstimateLine.objects.filter(estimate__case=self.case)
        found = Specialty.objects.filter(in_use | Q(pk__in=lines.values("specialty")))
        return {row.pk: row for row in found.order_by("name", "pk")}

    @cached_property
    def before(self) -> Estimate | None:
        """The version that it starts from."""
        return self.case.estimates.order_by("-number").first()

    def total(self) -> int:
        """The minutes of all lines as they are typed, or stand there at first."""
        return sum(_minutes(row) for row in self.rows["lines"])

    def first_rows(self, name: str) -> list[dict[str, Any]]:
        before = self.before
        if before is None:
            return []
        columns = (
            ("key", "kind", "title")
            if name == "items"
            else ("key", "description", "activity", "specialty", "minutes")
        )
        return list(getattr(before, name).values(*columns))

    def to_details(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "draft": EstimateDraft(
                scope=given["scope"],
                exclusions=given["exclusions"],
                assumptions=given["assumptions"],
                items=tuple(
                    PlannedRow.planned(row) for row in self.given_rows("items") if row["title"]
                ),
                lines=tuple(
                    self._line(row) for row in self.given_rows("lines") if row["description"]
                ),
            )
        }

    def _line(self, row: dict[str, Any]) -> LineDraft:
        return LineDraft(
            row["description"],
            row["minutes"],
            row.get("activity") or Activity.EXECUTION,
            self.specialties.get(row.get("specialty") or 0),
            row.get("key") or 0,
        )


def _minutes(row: forms.BaseForm) -> int:
    """What is typed as minutes in a row; nothing where that is no number yet."""
    typed = str(row["minutes"].value() or "").strip()
    return find_int(typed, 6) or 0


class ValidateScope(ActForm):
    estimate = OneRow(rows.newest_estimate, rows.name_estimate, label=_("Scope"))


class ReturnScope(ValidateScope):
    text = long_text(_("Why you return it"))


class AcceptProposal(ActForm):
    version = OneRow(rows.pending_proposal, rows.name_version, label=_("Proposal"))


class ObjectionRow(forms.Form):
    what = forms.CharField(label=_("What you object to"), max_length=2000, required=False)
    why = forms.CharField(
        label=_("Why"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What was agreed, and what is different."),
    )


OBJECTIONS = (ObjectionRow, _("Your objections, one by one"), 2)


def given_objections(form: ActForm) -> list[tuple[str, str]]:
    return [(row.get("what", ""), row.get("why", "")) for row in form.given_rows("objections")]


class RejectProposal(AcceptProposal):
    revise = YesNo(
        N_("I want a new version of the proposal"),
        N_("I want no new version: cancel the case"),
        label=_("What should follow"),
    )
    lists = {"objections": OBJECTIONS}

    def to_details(self) -> dict[str, Any]:
        return super().to_details() | {"objections": given_objections(self)}


class AuthorizeEmergency(ActForm):
    lists = {"items": (PlannedRow, _("What has to be delivered"), 2)}

    def to_details(self) -> dict[str, Any]:
        found = [PlannedRow.planned(row) for row in self.given_rows("items") if row["title"]]
        return {"items": found}


class Deliver(ActForm):
    deliverable = OneRow(
        rows.to_deliver,
        rows.name_deliverable,
        label=_("What you deliver"),
        required=False,
        empty_label=_("Something that was not planned"),
    )
    kind = Code(
        _planned_kinds(),
        required=False,
        label=_("Kind, where it was not planned"),
    )
    title = forms.CharField(
        label=_("Title, where it was not planned"), max_length=200, required=False
    )
    text = long_text(_("What the customer reads with it"))
    files = many_files()

    def prepare(self) -> None:
        if self.case.stage == Stage.DIAGNOSIS:
            self.initial.setdefault("kind", "answer")
            self.initial.setdefault("title", self.case.subject[:200])
        first = self.fields["deliverable"].queryset.first()  # type: ignore[attr-defined]
        if first is not None:
            self.initial.setdefault("deliverable", first.pk)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("deliverable") and given.get("title") and not given.get("kind"):
            self.add_error("kind", _("Choose the kind."))
        return given

    def to_details(self) -> dict[str, Any]:
        details = super().to_details()
        kind, title = details.pop("kind", ""), details.pop("title", "")
        if "deliverable" not in details and title:
            details["new"] = Planned(kind, title)
        return details


class Accept(ActForm):
    version = OneRow(rows.pending_versions, rows.name_version, label=_("Delivery"))


class Reject(Accept):
    lists = {"objections": OBJECTIONS}

    def to_details(self) -> dict[str, Any]:
        return super().to_details() | {"objections": given_objections(self)}


class Close(ActForm):
    unapproved = forms.BooleanField(
        label=_("Close as unapproved"),
        required=False,
        help_text=_("Only a manager may, and nothing that needed approval is billed."),
    )

    def prepare(self) -> None:
        if not self.actor.is_manager:
            del self.fields["unapproved"]


class Cancel(ActForm):
    reason = Code(words.CANCEL_REASONS, CancelReason, radio=True, label=_("Reason"))
    text = long_text(_("Anything to add"), required=False, rows=3)
