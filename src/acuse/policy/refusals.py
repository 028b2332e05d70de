"""Refusals: what is not allowed, in which stage, who could. One shape for every door."""

from __future__ import annotations

from collections.abc import Iterable

from .fields import N_

REASONS: dict[str, str] = {
    "not_in_stage": N_("This is not possible while the case is in the stage “%(stage)s”."),
    "not_your_role": N_("This is not yours to do on this case. It can be done by: %(who)s."),
    "already_decided": N_("%(by)s already decided this on %(when)s."),
    "no_open_window": N_("There is nothing waiting for this decision."),
    "window_open": N_("The term has not ended yet."),
    "window_held": N_("The term is on hold until a comment has been classified."),
    "window_ended": N_("The term ended on %(last_day)s."),
    "year_not_reviewed": N_(
        "The calendar of that year has not been reviewed by a manager: silence does not accept."
    ),
    "mail_unread": N_("Mail that arrived before the end of the term has not been read yet."),
    "explicit_only": N_("A corrected version has to be accepted explicitly."),
    "silence_excluded": N_("A comment was made in the term, so silence does not accept."),
    "objections_required": N_(
        "Say what you object to and why: each objection needs its subject and its grounds."
    ),
    "reason_required": N_("Give the reason."),
    "reason_unknown": N_("“%(value)s” is not one of the reasons that may be given."),
    "text_required": N_("Write the text."),
    "subject_required": N_("Give the case a subject."),
    "not_bound": N_("The case is not bound to a customer yet."),
    "other_customer": N_("That belongs to another customer."),
    "owner_missing": N_("The customer has named no service owner and no substitute."),
    "spoc_missing": N_("The customer has no single point of contact at the firm."),
    "already_validated": N_("Your side has already validated this version."),
    "stale_version": N_("There is a newer version: decide on version %(number)s."),
    "nothing_planned": N_("Name at least one thing that will be delivered."),
    "lines_required": N_("The estimate needs at least one line, each with its minutes."),
    "not_classified": N_("Classify the case first: type, specialty and priority."),
    "not_urgent": N_("Emergency work can only be authorised on an Urgent case."),
    "emergency_cap": N_("Emergency work is capped at %(minutes)s minutes until it is estimated."),
    "priority_fixed": N_("Without a contract that commits times the priority is Low."),
    "priority_reason": N_("Choosing another priority than the derived one needs a reason."),
    "not_authorized": N_("Execution time needs the customer's authorisation first."),
    "execution_exists": N_("There is execution time already: this is not just an answer."),
    "kind_not_deliverable": N_("Only an answer can be delivered before the work is authorised."),
    "objections_unanswered": N_("Answer every objection before delivering the new version."),
    "already_answered": N_("This has been answered already."),
    "awaiting_acceptance": N_("The last version of this is still waiting for the customer."),
    "already_accepted": N_("This has been accepted already."),
    "not_delivered": N_("This has not been delivered."),
    "no_warranty": N_("There is no warranty on this case."),
    "claim_decided": N_("The claim has been decided already."),
    "claim_not_covered": N_("The claim has not been accepted as covered."),
    "time_locked": N_("This time entry is already %(state)s and can no longer be changed."),
    "minutes_positive": N_("Minutes: a whole number greater than zero, at most 1440 a day."),
    "work_date_future": N_("The day of work cannot be in the future."),
    "work_date_before": N_("The case had not been opened by that day."),
    "estimate_by_scope": N_("An estimate is delivered by validating its scope."),
    "work_date_after_end": N_("The case had ended by that day."),
    "nothing_to_submit": N_("There is no time to submit."),
    "nothing_to_bill": N_("There is nothing to bill."),
    "time_unapproved": N_("There is time that the customer has not approved yet."),
    "billing_unapproved": N_("There is billing that the customer has not approved yet."),
    "statement_exists": N_("There is already a billing statement in force."),
    "statement_state": N_("The billing statement is %(state)s."),
    "rate_missing": N_("The contract has no rate for %(activity)s."),
    "wait_open": N_("There is already an open question."),
    "wait_closed": N_("The question has been answered already."),
    "itself": N_("A case cannot be linked to itself."),
    "not_restorable": N_(
        "Only a case cancelled before its proposal, as a duplicate or for lack of an answer, is "
        "restored."
    ),
    "days_positive": N_("Days: a whole number from 1 to 60."),
    "not_passed_on": N_("That decision is not passed on any more, or not by you."),
    "same_side": N_("A decision can only be passed on to somebody of your own side."),
    "not_a_member": N_("That person does not belong to the customer or the firm."),
    "policy_stale": N_("Those are not the policies in force for this case."),
    "rating_range": N_("Rating: from 1 to 5."),
    "tacit_only": N_("Only a tacit acceptance can be annulled."),
    "not_in_time": N_("That mail did not arrive inside the term."),
    "work_started": N_("Work or billing has already followed from it: a manager has to decide."),
    "sender_unproven": N_(
        "Nothing proves that this mail was written by the person of the firm that it names."
    ),
    "key_reused": N_("That idempotency key was used for another act."),
    "in_the_past": N_("An act cannot be dated before the case was opened."),
    "confirmed": N_("The report has been confirmed already."),
    "not_paged": N_("Nobody is being paged about this case."),
    "not_just_opened": N_("That can only be said of a case that has just been opened."),
    "contact_in_future": N_("The contact cannot be in the future."),
    "contact_too_long_ago": N_("The contact cannot be more than a year ago."),
    "caller_required": N_("Say who it was: somebody known, or a mail address."),
    "caller_unknown": N_(
        "That address belongs to nobody of the customer. Its single point of contact or a manager "
        "can let somebody in; or leave the customer open, to be settled later."
    ),
    "no_checklist": N_("There is no checklist for this case."),
    "nothing_changed": N_("Nothing has changed."),
    "has_parent": N_("The case hangs on a parent case already."),
    "has_children": N_("Other cases hang on this one: it cannot hang on another."),
    "parent_is_child": N_("That case hangs on a parent case itself."),
    "parent_ended": N_("That case has ended."),
    "no_parent": N_("The case hangs on no parent case."),
    "child_required": N_("Choose at least one of the cases."),
    "not_a_child": N_("One of the cases no longer hangs on this one."),
    "names_another": N_(
        "The text repeats what not all of its readers may read (%(value)s). Say it another way."
    ),
    "mentions_customer": N_(
        "%(value)s belongs to the customer: an internal note only tells people of the firm."
    ),
    "mention_unclear": N_("%(value)s fits several people of the firm: write the whole name."),
    "nothing_marked": N_("Mark the part of the message that goes, or write it in your own words."),
    "open_claims": N_("There is a warranty claim that has not been settled."),
}


class Refused(Exception):
    """An act that is not allowed, told in the same way at every door.

    code: a key of REASONS; act, stage: where; who: the roles that could; field: the form field at
    fault, where there is one; params: what the reason's sentence names.
    """

    def __init__(
        self,
        code: str,
        act: str = "",
        stage: str | None = None,
        who: Iterable[str] = (),
        field: str = "",
        **params: object,
    ) -> None:
        if code not in REASONS:
            raise KeyError(f"unknown refusal: {code}")
        self.code = code
        self.act = act
        self.stage = stage
        self.who = tuple(sorted(who))
        self.field = field
        self.params = params
        super().__init__(code, act, stage)

    def __str__(self) -> str:
        words = {"stage": self.stage or "", "who": ", ".join(self.who), **self.params}
        return f"{self.act}: {REASONS[self.code] % words}"
