"""Forms of what is said on a case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.interfaces.web import uploads
from acuse.models import Addressee
from acuse.policy.fields import N_
from acuse.policy.stages import Role
from acuse.queries import checklists, evidence, words

from . import rows
from .base import ActForm, Code, OneRow, YesNo, long_text, many_files


class Comment(ActForm):
    text = long_text(_("Your comment"), rows=5)
    files = many_files()


class InternalNote(ActForm):
    text = long_text(_("Internal note"), help_text=_("Only the firm reads it."))
    files = many_files()


class Attach(ActForm):
    files = many_files(required=True)


class LogNonBindingContact(ActForm):
    medium = Code(words.MEDIA, label=_("By which means"))
    text = long_text(
        _("What was said"),
        help_text=_("The customer sees it, and that it binds nobody."),
    )


class Ask(ActForm):
    addressee = Code(words.ADDRESSEES, Addressee, radio=True, label=_("Whom you ask"))
    person = OneRow(rows.customer_people, required=False, label=_("Somebody in particular"))
    text = long_text(_("Your question"))

    def prepare(self) -> None:
        """What the checklist misses is proposed (P13)."""
        if not self.is_bound:
            self.initial.setdefault("text", checklists.propose_question(self.case))


class Answer(ActForm):
    wait = OneRow(rows.open_waits, rows.name_text, label=_("Question"))
    text = long_text(_("Your answer"))
    files = many_files()


class Watch(ActForm):
    person = OneRow(rows.both_sides, required=False, label=_("Who"), empty_label=_("I"))
    following = YesNo(N_("Follows the case"), N_("No longer follows it"), label=_("What changes"))

    def prepare(self) -> None:
        self.initial.setdefault("following", "yes")


class CopiedPerson(ActForm):
    copied = OneRow(rows.copied, rows.copied_text, label=_("Who was copied"))


class DelegateDecision(ActForm):
    person = OneRow(rows.colleagues, label=_("To whom"))
    decision = Code(words.DECISIONS, label=_("Which decision"))

    def prepare(self) -> None:
        """The scope is its owner's to pass on, and at the firm nothing else is."""
        mine = {held.role for held in self.actor.active_memberships()}
        if self.actor.is_firm:
            offered = ["scope"]
        else:
            offered = [code for code in words.DECISIONS if code != "scope" or Role.OWNER in mine]
        field = self.fields["decision"]
        field.choices = [(c, gettext(words.DECISIONS[c])) for c in offered]  # type: ignore[attr-defined]


class TakeDecisionBack(ActForm):
    delegation = OneRow(rows.passed_on_by, rows.name_delegation, label=_("Which decision"))


class AnswerSatisfaction(ActForm):
    rating = forms.TypedChoiceField(
        label=_("How was the service?"),
        choices=[(n, str(n)) for n in range(1, 6)],
        coerce=int,
        widget=forms.RadioSelect,
        help_text=_("From 1, very bad, to 5, very good."),
    )
    text = long_text(_("Anything to add"), required=False, rows=3)


class AcceptPolicy(ActForm):
    """Hidden: the version that the case is bound to."""

    policy = OneRow(
        lambda case, person: type(case.policy).objects.filter(pk=case.policy_id),
        label=_("Policies"),
    )


class BuildPack(ActForm):
    """The pack is built from what the person may see, kept, and named by its hash."""

    def to_details(self) -> dict[str, Any]:
        return {"sha256": uploads.keep_bytes(evidence.build(self.case, self.actor))}
