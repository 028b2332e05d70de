"""Forms of what happens to a delivery beside its acceptance; warranty and changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from acuse.models import Exclusion, ObjectionOutcome
from acuse.policy.fields import N_
from acuse.queries import words

from . import rows
from .base import ActForm, Code, OneRow, YesNo, long_text, many_files, number
from .life import ObjectionRow, given_objections


class ProveDelivery(ActForm):
    version = OneRow(rows.unproven, rows.name_version, label=_("Delivery"))


class ExtendWindow(ActForm):
    version = OneRow(rows.any_pending, rows.name_version, label=_("Delivery"))
    days = number(_("Business days more"), 1, 60)


class WithdrawDelivery(ActForm):
    version = OneRow(rows.pending_versions, rows.name_version, label=_("Delivery"))
    text = long_text(_("Reason"), help_text=_("The customer reads it."))


class ClassifyComment(ActForm):
    message = OneRow(rows.held_messages, rows.name_message, label=_("Comment"))
    objection = YesNo(
        N_("It objects: the version counts as rejected when it was written"),
        N_("It does not object: the remaining days run on"),
        label=_("What the comment is"),
    )
    lists = {"objections": (ObjectionRow, _("The objections, as the customer put them"), 1)}

    def to_details(self) -> dict[str, Any]:
        return super().to_details() | {"objections": given_objections(self)}


class AnswerObjection(ActForm):
    objection = OneRow(rows.open_objections, rows.name_text, label=_("Objection"))
    outcome = Code(words.OBJECTION_OUTCOMES, ObjectionOutcome, radio=True, label=_("What follows"))
    text = long_text(_("Answer"))


class AnnulTacit(ActForm):
    version = OneRow(rows.tacitly_accepted, rows.name_version, label=_("Accepted by silence"))
    message = OneRow(
        rows.messages, rows.name_message, required=False, label=_("The comment found later")
    )
    text = long_text(_("Reason, where there is no comment"), required=False, rows=3)


class ClaimWarranty(ActForm):
    version = OneRow(rows.accepted_results, rows.name_version, label=_("Delivery"))
    text = long_text(_("What was specified"), rows=4)
    omitted = long_text(_("What was omitted"), rows=4)


class DecideClaim(ActForm):
    claim = OneRow(rows.undecided_claims, rows.name_text, label=_("Claim"))
    covered = YesNo(N_("Covered: never billed"), N_("Excluded"), label=_("Decision"))
    exclusion = Code(words.EXCLUSIONS, Exclusion, required=False, label=_("Why it is excluded"))
    text = long_text(_("Explanation"), help_text=_("The customer reads it."))


class DeliverFix(ActForm):
    claim = OneRow(rows.claims_to_fix, rows.name_text, label=_("Claim"))
    text = long_text(_("What was fixed"))
    files = many_files()


class RequestChange(ActForm):
    subject = forms.CharField(label=_("What you need, in one line"), max_length=250)
    text = long_text(_("Tell us more"))
    claim = OneRow(rows.any_claims, rows.name_text, required=False, label=_("From a claim"))
    objection = OneRow(
        rows.any_objections, rows.name_text, required=False, label=_("From an objection")
    )
    message = OneRow(rows.messages, rows.name_message, required=False, label=_("From a message"))

    def prepare(self) -> None:
        """What the case does not have is not asked."""
        for name in ("claim", "objection", "message"):
            if not self.fields[name].queryset.exists():  # type: ignore[attr-defined]
                del self.fields[name]
