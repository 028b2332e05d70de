"""What follows from a decision: from yes, from no, from silence (clauses P08, P17-P19, P24-P30)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from acuse.models import Version
from acuse.policy.fields import N_
from acuse.queries import words


@dataclass(frozen=True)
class Choice:
    """One decision: the act that says yes, the one that says no, and what follows from each."""

    yes_act: str
    no_act: str
    yes: str
    no: str
    silence: str


CHOICES = (
    Choice(
        "validate_scope",
        "return_scope",
        N_("Once both sides have validated it, the proposal is delivered. It starts no work."),
        N_("It goes back to be estimated; a new version clears both validations."),
        N_("Silence validates nothing."),
    ),
    Choice(
        "accept_proposal",
        "reject_proposal",
        N_("The proposal is definitive. It does not start the work: you authorise that apart."),
        N_("We make a new version, or the case is cancelled. Diagnosis and meetings are payable."),
        N_("Silence accepts the proposal on %(last_day)s; it never starts the work."),
    ),
    Choice(
        "authorize",
        "decline",
        N_("The work starts, and its time is billed as estimated and agreed."),
        N_("The case is cancelled. Diagnosis and meetings remain payable."),
        N_("Silence authorises nothing: the work does not start."),
    ),
    Choice(
        "accept",
        "reject",
        N_("The delivery is definitive. Its warranty, where it has one, runs from the delivery."),
        N_("We correct what you object to and deliver a new version."),
        N_("Silence accepts the delivery on %(last_day)s."),
    ),
    Choice(
        "approve_time",
        "dispute_time",
        N_("The time of these lines may be billed."),
        N_("We answer you; until then these lines are not billed."),
        N_("Silence approves no time."),
    ),
    Choice(
        "approve_statement",
        "dispute_statement",
        N_("The statement is invoiced."),
        N_("We credit it or explain it; until then it is not invoiced."),
        N_("Silence approves no billing."),
    ),
    Choice(
        "close",
        "",
        N_("The case is closed. Its warranty goes on until its own end."),
        "",
        N_("Silence does not close the case."),
    ),
)

BY_ACT = {act: choice for choice in CHOICES for act in (choice.yes_act, choice.no_act) if act}

_NO_SILENCE = N_("Silence does not accept this version.")
_HELD = N_("Your term stands still while we read your comment.")
_NOT_STARTED = N_("Your term starts when the delivery has reached you.")


def silence(choice: Choice, version: Version | None) -> str:
    """What silence does, with the day on which it does it."""
    if version is None or "%(last_day)s" not in choice.silence:
        return _(choice.silence) if "%(" not in choice.silence else ""
    window = getattr(version, "window", None)
    if window is None or window.annulled:
        return _(_NOT_STARTED)
    if window.last_day is None:
        return _(_HELD)
    if not window.tacit:
        return _(_NO_SILENCE)
    return _(choice.silence) % {"last_day": words.long_date(window.last_day)}


CONFIRMATIONS: dict[str, str] = {
    "admit_copied": N_("This person becomes a user of the customer, and follows this case."),
    "validate_scope": N_("You validate the scope."),
    "return_scope": N_("You return the scope."),
    "accept_proposal": N_("You accept the proposal definitively."),
    "reject_proposal": N_("You reject the proposal with your objections."),
    "authorize": N_("You authorise the work to start."),
    "authorize_emergency": N_("You authorise emergency work before it has been estimated."),
    "decline": N_("You decline the work, and the case is cancelled."),
    "accept": N_("You accept the delivery definitively."),
    "reject": N_("You reject the delivery with your objections."),
    "approve_time": N_("You approve the executed time of the lines you ticked."),
    "dispute_time": N_("You dispute the executed time of the lines you ticked."),
    "approve_statement": N_("You approve the billing of this case."),
    "dispute_statement": N_("You dispute the billing of this case."),
    "close": N_("You approve the closure of the case."),
    "cancel": N_("You cancel the case."),
    "anonymise": N_("You erase for good what people wrote on this case."),
}
"""The one line that is repeated before a binding act."""
