"""Nouns for verbs: the address, the form and the manners of each act's page.

    POST /cases/C-17/acceptance        accept
    POST /cases/C-17/authorization     authorize

What only machines do has no page: the clock's acts, the monitor's, the mail server's. What is done
with a held mail has one at the mail.
"""

from __future__ import annotations

from dataclasses import dataclass

from acuse.policy.stages import ACTS

from .forms import billing, conversation, deliveries, family, life, triage
from .forms.base import ActForm, Nothing


@dataclass(frozen=True)
class ActPage:
    """`binding`: a decision, repeated in one line before it is taken. `card`: the template that
    shows what exactly is decided; `template`: the page's own."""

    act: str
    noun: str
    form: type[ActForm]
    binding: bool = False
    card: str = ""
    template: str = "shared/act.html"


_PAGES = (
    ActPage("take", "analysis", Nothing),
    ActPage("classify", "classification", life.Classify),
    ActPage("diagnose", "diagnosis", Nothing),
    ActPage("estimate", "estimation", Nothing),
    ActPage("submit_scope", "scope", life.SubmitScope, template="desk/estimate.html"),
    ActPage("validate_scope", "scope-validation", life.ValidateScope, True, "estimate"),
    ActPage("return_scope", "scope-return", life.ReturnScope, True, "estimate"),
    ActPage("accept_proposal", "proposal-acceptance", life.AcceptProposal, True, "proposal"),
    ActPage("reject_proposal", "proposal-rejection", life.RejectProposal, True, "proposal"),
    ActPage("authorize", "authorization", Nothing, True, "authorization"),
    ActPage("authorize_emergency", "emergency", life.AuthorizeEmergency, True),
    ActPage("decline", "declination", Nothing, True, "authorization"),
    ActPage("deliver", "delivery", life.Deliver),
    ActPage("accept", "acceptance", life.Accept, True, "version"),
    ActPage("reject", "rejection", life.Reject, True, "version"),
    ActPage("close", "closure", life.Close, True, "accounts"),
    ActPage("cancel", "cancellation", life.Cancel, True),
    ActPage("restore", "restoration", Nothing),
    ActPage("comment", "comment", conversation.Comment),
    ActPage("internal_note", "note", conversation.InternalNote),
    ActPage("attach", "attachment", conversation.Attach),
    ActPage("log_non_binding_contact", "contact", conversation.LogNonBindingContact),
    ActPage("ask", "question", conversation.Ask),
    ActPage("answer", "answer", conversation.Answer),
    ActPage("assign", "assignment", triage.Assign),
    ActPage("escalate", "escalation", triage.Escalate),
    ActPage("bind_customer", "customer", triage.BindCustomer),
    ActPage("confirm_report", "confirmation", Nothing),
    ActPage("split", "split", triage.Split),
    ActPage("merge_duplicate", "duplicate", triage.MergeDuplicate),
    ActPage("relate", "relation", triage.Relate),
    ActPage("check_information", "checklist", family.CheckInformation),
    ActPage("attach_to_parent", "parent", family.AttachToParent),
    ActPage("detach_from_parent", "parent-removal", Nothing),
    ActPage("tell_children", "attached-answer", family.TellChildren),
    ActPage("extend_window", "extension", deliveries.ExtendWindow),
    ActPage("withdraw_delivery", "withdrawal", deliveries.WithdrawDelivery),
    ActPage("prove_delivery", "proof", deliveries.ProveDelivery),
    ActPage("delegate_decision", "delegation", conversation.DelegateDecision),
    ActPage("take_decision_back", "delegation-end", conversation.TakeDecisionBack),
    ActPage("classify_comment", "hold", deliveries.ClassifyComment),
    ActPage("answer_objection", "objection-answer", deliveries.AnswerObjection),
    ActPage("annul_tacit", "annulment", deliveries.AnnulTacit),
    ActPage("claim_warranty", "claim", deliveries.ClaimWarranty),
    ActPage("decide_claim", "claim-decision", deliveries.DecideClaim),
    ActPage("deliver_fix", "fix", deliveries.DeliverFix),
    ActPage("request_change", "change", deliveries.RequestChange),
    ActPage("log_time", "time", billing.LogTime),
    ActPage("correct_time", "time-correction", billing.CorrectTime),
    ActPage("submit_time", "time-submission", billing.SubmitTime),
    ActPage("approve_time", "time-approval", billing.ApproveTime, True),
    ActPage("dispute_time", "time-dispute", billing.DisputeTime, True),
    ActPage("settle_time", "time-settlement", billing.SettleTime),
    ActPage("issue_statement", "statement", Nothing),
    ActPage("approve_statement", "statement-approval", billing.ApproveStatement, True, "statement"),
    ActPage("dispute_statement", "statement-dispute", billing.DisputeStatement, True, "statement"),
    ActPage("credit_statement", "statement-credit", billing.CreditStatement),
    ActPage("export_statement", "statement-export", billing.ExportStatement),
    ActPage("watch", "following", conversation.Watch),
    ActPage("admit_copied", "copied-admission", conversation.CopiedPerson, True),
    ActPage("dismiss_copied", "copied-dismissal", conversation.CopiedPerson),
    ActPage("accept_policy", "policy-acceptance", conversation.AcceptPolicy),
    ActPage("answer_satisfaction", "satisfaction", conversation.AnswerSatisfaction),
    ActPage("acknowledge", "acknowledgement", Nothing),
    ActPage("build_pack", "evidence", conversation.BuildPack),
    ActPage("anonymise", "erasure", Nothing, True),
)

PAGES: dict[str, ActPage] = {page.noun: page for page in _PAGES}
NOUNS: dict[str, str] = {page.act: page.noun for page in _PAGES}

MACHINES = frozenset(
    {
        "accept_tacitly",
        "accept_proposal_tacitly",
        "fail_delivery",
        "end_warranty",
        "cancel_unanswered",
        "remind",
        "route",
        "warn",
        "page",
        "breach",
        "open_environment_alert",
        "recover",
    }
)
# Done at the page of a held mail, before it has a case (interfaces/desk/mail.py).
OF_HELD_MAIL = frozenset({"place_mail", "settle_mail"})
# Done at the page that opens a case from a call (interfaces/desk/calls.py).
AT_OPENING = frozenset({"open", "record_call"})
_WITHOUT = set(ACTS) - set(NOUNS) - MACHINES - OF_HELD_MAIL - AT_OPENING
if _WITHOUT or not set(NOUNS) <= set(ACTS):  # every act has its page, or nothing starts
    raise RuntimeError(
        f"acts without a page: {sorted(_WITHOUT)}; unknown: {set(NOUNS) - set(ACTS)}"
    )
