"""The kinds of ledger line: what each carries, the sentence it reads as, who is told.

A payload holds ids, codes, hashes, numbers and dates; never a person's words (an undeletable log
and a right to erasure do not mix). The sentence gets `who` (the author's name) beside the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from .fields import N_

Payload = dict[str, object]

# A field's type, as written in `_kind`: "version:int", "until:moment?" (may be null).
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "code": (str,),
    "hash": (str,),
    "day": (str,),
    "moment": (str,),
    "bool": (bool,),
    "ids": (list,),
    "hashes": (list,),
}


@dataclass(frozen=True)
class Kind:
    """One kind of line. `tells` names groups of people (journal/outbox.py); `legal` notices can
    not be silenced by anybody's preferences; `reaches` marks an answer that the customer sees."""

    name: str
    version: int
    fields: Mapping[str, str]
    sentence: str
    tells: tuple[str, ...] = ()
    legal: bool = False
    reaches: bool = False
    audience: str = field(default="customer")


def _kind(
    name: str,
    fields: str,
    sentence: str,
    tells: str = "",
    *,
    legal: bool = False,
    reaches: bool = False,
    audience: str = "customer",
) -> Kind:
    typed = dict(part.split(":") for part in fields.split())
    return Kind(name, 1, typed, sentence, tuple(tells.split()), legal, reaches, audience)


_KINDS: tuple[Kind, ...] = (
    _kind(
        "open",
        "message:int? organisation:int? policy:int contract:int? origin:int? raw_mail:int? "
        "priority:code text_hash:hash",
        N_("%(who)s opened the case."),
        "reporter team",
    ),
    _kind("take", "", N_("%(who)s took the case for analysis."), reaches=True, tells="reporter"),
    _kind(
        "classify",
        "type:int? specialty:int? module:int? environment:int? impact:code urgency:code "
        "derived:code priority:code overridden:bool root_cause:int? entity:int? area:int? "
        "contract:int?",
        N_("%(who)s classified the case: priority %(priority)s."),
    ),
    _kind("diagnose", "", N_("%(who)s started the diagnosis.")),
    _kind("estimate", "", N_("%(who)s started the estimate.")),
    _kind(
        "submit_scope",
        "estimate:int version:int text_hash:hash minutes:int",
        N_("%(who)s submitted version %(number)s of the scope for validation."),
        "owner spoc",
        legal=True,
        reaches=True,
    ),
    _kind(
        "validate_scope",
        "estimate:int side:code complete:bool version:int?",
        N_("%(who)s validated version %(number)s of the scope."),
        "customer spoc assignee",
        legal=True,
        reaches=True,
    ),
    _kind(
        "return_scope",
        "estimate:int side:code text_hash:hash",
        N_("%(who)s returned version %(number)s of the scope."),
        "customer spoc assignee",
    ),
    _kind(
        "accept_proposal",
        "decision:int version:int window:int?",
        N_("%(who)s accepted version %(number)s of the proposal."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "accept_proposal_tacitly",
        "decision:int version:int window:int last_day:day",
        N_("Version %(number)s of the proposal was accepted by silence on %(last_day)s."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "reject_proposal",
        "decision:int version:int window:int? revise:bool objections:ids text_hash:hash",
        N_("%(who)s rejected version %(number)s of the proposal."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "authorize",
        "decision:int estimate:int?",
        N_("%(who)s authorised the work."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "authorize_emergency",
        "decision:int cap_minutes:int deliverables:ids",
        N_("%(who)s authorised emergency work of at most %(cap_minutes)s minutes."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "decline",
        "decision:int lapsed:bool",
        N_("%(who)s declined the work."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "deliver",
        "deliverable:int version:int corrected:bool files:hashes text_hash:hash dispatches:ids",
        N_("%(who)s delivered “%(title)s”, version %(number)s."),
        "dispatched spoc",
        legal=True,
        reaches=True,
    ),
    _kind(
        "accept",
        "decision:int version:int window:int? warranty:int?",
        N_("%(who)s accepted “%(title)s”, version %(number)s."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "accept_tacitly",
        "decision:int version:int window:int warranty:int? last_day:day",
        N_("“%(title)s”, version %(number)s, was accepted by silence on %(last_day)s."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "reject",
        "decision:int version:int window:int? objections:ids text_hash:hash",
        N_("%(who)s rejected “%(title)s”, version %(number)s."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "close",
        "decision:int? unapproved:bool",
        N_("%(who)s closed the case."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "cancel",
        "reason:code text_hash:hash?",
        N_("%(who)s cancelled the case (%(reason)s)."),
        "customer spoc assignee",
        legal=True,
        reaches=True,
    ),
    _kind("restore", "original:int?", N_("%(who)s restored the case."), "customer", reaches=True),
    _kind(
        "comment",
        "message:int side:code holds:ids text_hash:hash raw_mail:int?",
        N_("%(who)s wrote a comment."),
        "conversation",
        reaches=True,
    ),
    _kind(
        "internal_note",
        "message:int text_hash:hash mentions:ids",
        N_("%(who)s wrote an internal note."),
        audience="firm",
    ),
    _kind(
        "attach",
        "files:hashes message:int",
        N_("%(who)s attached files."),
    ),
    _kind(
        "log_non_binding_contact",
        "message:int medium:code text_hash:hash",
        N_("%(who)s logged a contact by %(medium)s, which is not binding."),
        "reporter",
        reaches=True,
    ),
    _kind(
        "ask",
        "wait:int message:int? addressee:code person:int? text_hash:hash",
        N_("%(who)s asked for information."),
        "addressee",
        reaches=True,
    ),
    _kind(
        "answer",
        "wait:int message:int text_hash:hash",
        N_("%(who)s answered the question."),
        "conversation",
    ),
    _kind(
        "assign",
        "person:int? queue:int? level:code?",
        N_("%(who)s assigned the case."),
        "assignee",
        audience="firm",
    ),
    _kind(
        "escalate",
        "direction:code level:code? person:int? text_hash:hash",
        N_("%(who)s escalated the case (%(direction)s)."),
        "assignee manager",
        audience="firm",
    ),
    _kind(
        "route",
        "outcome:code rule:int? queue:int? level:code person:int? stands_in:int? specialty:int? "
        "language:code open_cases:int",
        N_("Routing: %(outcome)s."),
        "routed",
        audience="firm",
    ),
    _kind(
        "bind_customer",
        "organisation:int contract:int? policy:int priority:code conditions:hash",
        N_("%(who)s bound the case to the customer."),
        "reporter",
    ),
    _kind("confirm_report", "", N_("%(who)s confirmed the report."), "team"),
    _kind("split", "case:int message:int", N_("%(who)s split the case."), reaches=True),
    _kind(
        "merge_duplicate",
        "original:int",
        N_("%(who)s cancelled the case as a duplicate."),
        "customer",
        reaches=True,
    ),
    _kind("relate", "case:int relation:code", N_("%(who)s related the case to another.")),
    _kind(
        "record_call",
        "medium:code called_at:moment",
        N_("%(who)s recorded what had been reported by %(medium)s."),
    ),
    _kind(
        "check_information",
        "checklist:int ticked:ids cleared:ids",
        N_("%(who)s checked which information is there."),
        audience="firm",
    ),
    _kind(
        "cancel_unanswered",
        "wait:int days:int",
        N_("Nobody answered our question in %(days)s business days: the case was cancelled."),
        "customer spoc assignee",
        legal=True,
    ),
    _kind(
        "attach_to_parent",
        "case:int",
        N_("%(who)s attached the case to a parent case."),
        audience="firm",
    ),
    _kind(
        "detach_from_parent",
        "case:int",
        N_("%(who)s took the case off its parent case."),
        audience="firm",
    ),
    _kind(
        "tell_children",
        "message:int cases:ids text_hash:hash",
        N_("%(who)s answered attached cases."),
        audience="firm",
    ),
    _kind(
        "extend_window",
        "window:int days:int last_day:day? until:moment?",
        N_("%(who)s extended the term by %(days)s business days."),
        "customer",
        legal=True,
        reaches=True,
    ),
    _kind(
        "withdraw_delivery",
        "version:int window:int? text_hash:hash",
        N_("%(who)s withdrew “%(title)s”, version %(number)s; its term is annulled."),
        "customer spoc",
        legal=True,
        reaches=True,
    ),
    _kind(
        "prove_delivery",
        "dispatch:int version:int window:int? proof:code last_day:day? until:moment?",
        N_("“%(title)s”, version %(number)s, reached the customer; term: %(last_day)s."),
        "opened_window",
        legal=True,
    ),
    _kind(
        "fail_delivery",
        "dispatch:int version:int window:int? all_failed:bool",
        N_("A copy of “%(title)s”, version %(number)s, could not be delivered."),
        "spoc",
        audience="firm",
    ),
    _kind(
        "delegate_decision",
        "person:int decision:code",
        N_("%(who)s passed a decision on (%(decision)s)."),
        "delegate",
        legal=True,
    ),
    _kind(
        "take_decision_back",
        "person:int decision:code",
        N_("%(who)s took a decision back (%(decision)s)."),
        "delegate",
        legal=True,
    ),
    _kind(
        "classify_comment",
        "message:int holds:ids objection:bool decisions:ids until:moment?",
        N_("%(who)s classified a comment (objection: %(objection)s)."),
        "customer",
        legal=True,
        reaches=True,
    ),
    _kind(
        "answer_objection",
        "objection:int outcome:code change:int? text_hash:hash",
        N_("%(who)s answered an objection: %(outcome)s."),
        "customer",
        reaches=True,
    ),
    _kind(
        "annul_tacit",
        "decision:int version:int window:int? raw_mail:int? message:int? statement:int?",
        N_("The acceptance by silence of version %(number)s was annulled."),
        "customer spoc manager assignee",
        legal=True,
    ),
    _kind(
        "claim_warranty",
        "claim:int version:int in_time:bool change:int? text_hash:hash",
        N_("%(who)s claimed warranty."),
        "spoc assignee reporter",
        legal=True,
    ),
    _kind(
        "decide_claim",
        "claim:int covered:bool reason:code change:int? text_hash:hash",
        N_("%(who)s decided the warranty claim (covered: %(covered)s)."),
        "customer assignee",
        legal=True,
        reaches=True,
    ),
    _kind(
        "deliver_fix",
        "claim:int files:hashes text_hash:hash",
        N_("%(who)s delivered the warranty fix."),
        "customer spoc",
        legal=True,
        reaches=True,
    ),
    _kind("end_warranty", "warranty:int last_day:day", N_("The warranty ended on %(last_day)s.")),
    _kind(
        "request_change",
        "case:int source:code source_id:int?",
        N_("%(who)s requested a change, followed in another case."),
        "spoc",
    ),
    _kind(
        "log_time",
        "entry:int person:int work_date:day minutes:int billed_minutes:int activity:code "
        "consent:code billable:bool reason:code",
        N_("%(who)s logged %(minutes)s minutes (%(activity)s)."),
        audience="firm",
    ),
    _kind(
        "correct_time",
        "entry:int replaces:int minutes:int billed_minutes:int activity:code billable:bool "
        "reason:code text_hash:hash",
        N_("%(who)s corrected logged time."),
        audience="firm",
    ),
    _kind(
        "submit_time",
        "entries:ids minutes:int text_hash:hash?",
        N_("%(who)s submitted %(minutes)s minutes for approval."),
        "customer",
        legal=True,
    ),
    _kind(
        "approve_time",
        "decision:int entries:ids minutes:int",
        N_("%(who)s approved %(minutes)s minutes."),
        "spoc assignee",
        legal=True,
    ),
    _kind(
        "dispute_time",
        "decision:int entries:ids text_hash:hash",
        N_("%(who)s disputed executed time."),
        "spoc manager assignee",
        legal=True,
    ),
    _kind(
        "settle_time",
        "entries:ids outcome:code text_hash:hash",
        N_("%(who)s settled disputed time: %(outcome)s."),
        "customer spoc",
        legal=True,
    ),
    _kind(
        "issue_statement",
        "statement:int entries:ids currency:code total:code content_hash:hash",
        N_("%(who)s issued the billing statement: %(total)s %(currency)s."),
        "customer",
        legal=True,
    ),
    _kind(
        "approve_statement",
        "decision:int statement:int content_hash:hash",
        N_("%(who)s approved the billing statement."),
        "spoc manager",
        legal=True,
    ),
    _kind(
        "dispute_statement",
        "decision:int statement:int text_hash:hash",
        N_("%(who)s disputed the billing statement."),
        "spoc manager",
        legal=True,
    ),
    _kind(
        "credit_statement",
        "statement:int total:code currency:code text_hash:hash",
        N_("%(who)s credited the billing statement: %(total)s %(currency)s."),
        "customer",
        legal=True,
    ),
    _kind(
        "export_statement",
        "statement:int content_hash:hash",
        N_("%(who)s exported the billing statement."),
        audience="firm",
    ),
    _kind(
        "watch",
        "person:int following:bool",
        N_("%(who)s changed who follows the case: %(person)s %(following)s."),
    ),
    _kind(
        "place_mail",
        "raw_mail:int message:int person:int? side:code holds:ids text_hash:hash why_hash:hash?",
        N_("%(who)s put a mail on the case that had been held."),
        "customer assignee",
    ),
    _kind(
        "settle_mail",
        "raw_mail:int outcome:code why_hash:hash?",
        N_("%(who)s settled a held mail (%(outcome)s)."),
        audience="firm",
    ),
    _kind(
        "admit_copied",
        "copied:int person:int",
        N_("%(who)s let a person take part to whom a mail had been copied."),
    ),
    _kind(
        "dismiss_copied",
        "copied:int",
        N_("%(who)s left a person out to whom a mail had been copied."),
        audience="firm",
    ),
    _kind(
        "accept_policy",
        "policy:int policy_hash:hash",
        N_("%(who)s accepted the service policies."),
    ),
    _kind(
        "answer_satisfaction",
        "rating:int text_hash:hash?",
        N_("%(who)s rated the service %(rating)s of 5."),
        "spoc",
    ),
    _kind(
        "open_environment_alert",
        "message:int environment:int fingerprint:hash text_hash:hash",
        N_("The monitor noted an alert."),
        audience="firm",
    ),
    _kind(
        "recover",
        "environment:int fingerprint:hash",
        N_("The monitor noted a recovery."),
        "conversation",
    ),
    _kind(
        "remind",
        "deadline:code due:moment subject:int? step:int",
        N_("A reminder was sent (%(deadline)s)."),
        "reminded",
        legal=True,
    ),
    _kind(
        "warn",
        "deadline:code due:moment minutes:int percent:int level:code?",
        N_("%(percent)s %% of a committed time had been used (%(deadline)s)."),
        "warned",
        audience="firm",
    ),
    _kind(
        "page",
        "paging:int rung:code why:code persons:ids",
        N_("Paged out of hours: %(rung)s (%(why)s)."),
        "paged",
        legal=True,
        audience="firm",
    ),
    _kind(
        "acknowledge",
        "paging:int",
        N_("%(who)s acknowledged the page."),
        "paged",
        audience="firm",
    ),
    _kind(
        "breach",
        "deadline:code due:moment subject:int?",
        N_("A term of the firm passed without being met (%(deadline)s)."),
        "assignee spoc manager",
        audience="firm",
    ),
    _kind("build_pack", "pack_hash:hash audience:code", N_("%(who)s built the evidence pack.")),
    _kind("anonymise", "messages:ids", N_("%(who)s erased personal text.")),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}


def plain(value: object) -> object:
    """A payload value in JSON's own types: moments and days as ISO 8601, codes as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def check_payload(kind: Kind, payload: Mapping[str, object]) -> Payload:
    """The payload in plain types, with exactly the kind's fields, each of its type.

    Raises ValueError naming the field and the rule.
    """
    if set(payload) != set(kind.fields):
        odd = ", ".join(sorted(set(payload) ^ set(kind.fields)))
        raise ValueError(f"{kind.name}: fields do not match the kind: {odd}")
    checked: Payload = {}
    for name, type_code in kind.fields.items():
        value = plain(payload[name])
        optional = type_code.endswith("?")
        allowed = _TYPES[type_code.rstrip("?")]
        wrong_type = not isinstance(value, allowed) or (
            isinstance(value, bool) and bool not in allowed
        )
        if not (value is None and optional) and wrong_type:
            raise ValueError(f"{kind.name}.{name}: expected {type_code}, got {value!r}")
        checked[name] = value
    return checked
