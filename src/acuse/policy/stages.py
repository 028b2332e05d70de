"""The two tables of a case's life: everything that may be done, where, and by whom (P20).

They are data. The one writer enforces them, pages ask them what to offer, the docs are drawn
from them. What is not on the main line is a dated row with an author, never a stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from .fields import N_
from .refusals import Refused


class Stage(StrEnum):
    RECEIVED = "received"
    ANALYSIS = "analysis"
    DIAGNOSIS = "diagnosis"
    ESTIMATION = "estimation"
    SCOPE_VALIDATION = "scope_validation"
    PROPOSAL = "proposal"
    AUTHORIZATION = "authorization"
    IN_PROGRESS = "in_progress"
    DELIVERED = "delivered"
    CORRECTION = "correction"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What somebody is to one case. A lead or owner is also a user; a manager also support."""

    USER = "user"
    LEAD = "lead"
    OWNER = "owner"
    SUPPORT = "support"
    CONSULTANT = "consultant"
    SPOC = "spoc"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    STRANGER = "stranger"
    CLOCK = "clock"
    MONITOR = "monitor"
    SYSTEM = "system"


class Ball(StrEnum):
    """Who has to move next."""

    FIRM = "firm"
    CUSTOMER = "customer"
    BOTH = "both"
    THIRD_PARTY = "third_party"
    NOBODY = "nobody"


@dataclass(frozen=True)
class StageWords:
    """How a stage is called at the desk and in the portal, and who holds the ball in it."""

    desk: str
    customer: str
    ball: Ball


STAGES: dict[Stage, StageWords] = {
    Stage.RECEIVED: StageWords(N_("Received"), N_("Received"), Ball.FIRM),
    Stage.ANALYSIS: StageWords(N_("In analysis"), N_("In analysis"), Ball.FIRM),
    Stage.DIAGNOSIS: StageWords(N_("In diagnosis"), N_("In analysis"), Ball.FIRM),
    Stage.ESTIMATION: StageWords(N_("In estimation"), N_("In estimation"), Ball.FIRM),
    Stage.SCOPE_VALIDATION: StageWords(N_("Scope validation"), N_("Scope validation"), Ball.BOTH),
    Stage.PROPOSAL: StageWords(N_("Proposal to accept"), N_("Proposal to accept"), Ball.CUSTOMER),
    Stage.AUTHORIZATION: StageWords(N_("To authorise"), N_("To authorise"), Ball.CUSTOMER),
    Stage.IN_PROGRESS: StageWords(N_("In progress"), N_("In progress"), Ball.FIRM),
    Stage.DELIVERED: StageWords(
        N_("Delivered, to accept"), N_("Delivered, to accept"), Ball.CUSTOMER
    ),
    Stage.CORRECTION: StageWords(N_("In correction"), N_("In correction"), Ball.FIRM),
    Stage.ACCEPTED: StageWords(
        N_("Accepted"), N_("Accepted: time and billing to approve"), Ball.CUSTOMER
    ),
    Stage.CLOSED: StageWords(N_("Closed"), N_("Closed"), Ball.NOBODY),
    Stage.CANCELLED: StageWords(N_("Cancelled"), N_("Cancelled"), Ball.NOBODY),
}


class CancelReason(StrEnum):
    """Why a case is cancelled; a duplicate has an act of its own."""

    WITHDRAWN = "withdrawn"
    SOLVED_ITSELF = "solved_itself"
    NO_ANSWER = "no_answer"
    NOT_REPRODUCIBLE = "not_reproducible"
    NOT_OUR_SERVICE = "not_our_service"
    NOT_A_CASE = "not_a_case"


ALL = frozenset(Stage)
ENDED = frozenset({Stage.CLOSED, Stage.CANCELLED})
OPEN = ALL - ENDED
BEFORE_PROPOSAL = frozenset(
    {
        Stage.RECEIVED,
        Stage.ANALYSIS,
        Stage.DIAGNOSIS,
        Stage.ESTIMATION,
        Stage.SCOPE_VALIDATION,
    }
)
BEFORE_WORK = BEFORE_PROPOSAL | {Stage.PROPOSAL, Stage.AUTHORIZATION}
WORKING = frozenset({Stage.IN_PROGRESS, Stage.DELIVERED, Stage.CORRECTION})
WITH_WINDOW = WORKING | {Stage.PROPOSAL}
AFTER_ACCEPTANCE = WORKING | {Stage.ACCEPTED, Stage.CLOSED}

CUSTOMER_ROLES = frozenset({Role.USER, Role.LEAD, Role.OWNER, Role.STRANGER})
FIRM_ROLES = frozenset({Role.SUPPORT, Role.CONSULTANT, Role.SPOC, Role.MANAGER, Role.ADMINISTRATOR})


@dataclass(frozen=True)
class Act:
    """One row: an act, where it may be done, where it may lead, who may do it, and by what clause.

    `to` empty: the stage stays. `opens` and `closes` name deadlines (policy/deadlines.py).
    """

    name: str
    label: str
    stages: frozenset[Stage]
    to: frozenset[Stage]
    who: frozenset[Role]
    clauses: tuple[str, ...]
    opens: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    main: bool = False


def _main(
    name: str,
    label: str,
    stages: Iterable[Stage],
    to: Iterable[Stage],
    who: str,
    clauses: str,
    opens: str = "",
    closes: str = "",
) -> Act:
    return Act(
        name,
        label,
        frozenset(stages),
        frozenset(to),
        frozenset(Role(role) for role in who.split()),
        tuple(clauses.split()),
        tuple(opens.split()),
        tuple(closes.split()),
        main=True,
    )


def _side(
    name: str,
    label: str,
    stages: Iterable[Stage],
    who: str,
    clauses: str,
    to: Iterable[Stage] = (),
    opens: str = "",
    closes: str = "",
) -> Act:
    return Act(
        name,
        label,
        frozenset(stages),
        frozenset(to),
        frozenset(Role(role) for role in who.split()),
        tuple(clauses.split()),
        tuple(opens.split()),
        tuple(closes.split()),
    )


_S = Stage
# Where a case with deliverables may stand is derived (see `derive`), so acts on versions may lead
# to any of these.
_DERIVED = WORKING | {Stage.ACCEPTED}

MAIN_LINE: tuple[Act, ...] = (
    _main(
        "open",
        N_("Report a case"),
        (),
        {_S.RECEIVED},
        "user stranger support consultant monitor",
        "P03 P11 P12",
        opens="first_response",
    ),
    _main("take", N_("Take for analysis"), {_S.RECEIVED}, {_S.ANALYSIS}, "support", "P13"),
    _main(
        "classify",
        N_("Classify"),
        OPEN,
        (),
        "support",
        "P14 P21 P22",
        opens="delivery",
        closes="delivery",
    ),
    _main(
        "diagnose",
        N_("Start the diagnosis"),
        {_S.ANALYSIS},
        {_S.DIAGNOSIS},
        "support consultant",
        "P14",
    ),
    _main(
        "estimate",
        N_("Start the estimate"),
        {_S.DIAGNOSIS},
        {_S.ESTIMATION},
        "consultant",
        "P17",
    ),
    _main(
        "submit_scope",
        N_("Submit the scope for validation"),
        {_S.ESTIMATION},
        {_S.SCOPE_VALIDATION},
        "consultant",
        "P17",
        closes="proposal_revision",
    ),
    _main(
        "validate_scope",
        N_("Validate the scope"),
        {_S.SCOPE_VALIDATION},
        {_S.PROPOSAL},
        "owner spoc",
        "P17 P23",
        opens="acceptance",
    ),
    _main(
        "return_scope",
        N_("Return the scope"),
        {_S.SCOPE_VALIDATION},
        {_S.ESTIMATION},
        "owner spoc",
        "P17",
    ),
    _main(
        "accept_proposal",
        N_("Accept the proposal"),
        {_S.PROPOSAL},
        {_S.AUTHORIZATION},
        "user",
        "P08 P24",
        closes="acceptance",
    ),
    _main(
        "accept_proposal_tacitly",
        N_("Accept the proposal by silence"),
        {_S.PROPOSAL},
        {_S.AUTHORIZATION},
        "clock",
        "P24",
        closes="acceptance",
    ),
    _main(
        "reject_proposal",
        N_("Reject the proposal"),
        {_S.PROPOSAL},
        {_S.ESTIMATION, _S.CANCELLED},
        "user",
        "P25 P26 P18",
        opens="proposal_revision",
        closes="acceptance",
    ),
    _main(
        "authorize",
        N_("Authorise the work"),
        {_S.AUTHORIZATION},
        {_S.IN_PROGRESS},
        "user",
        "P19",
    ),
    _main(
        "authorize_emergency",
        N_("Authorise emergency work"),
        {_S.ANALYSIS, _S.DIAGNOSIS},
        {_S.IN_PROGRESS},
        "user",
        "P19 P21",
    ),
    _main(
        "decline",
        N_("Decline the work"),
        {_S.AUTHORIZATION},
        {_S.CANCELLED},
        "user clock",
        "P18 P19",
    ),
    _main(
        "deliver",
        N_("Deliver"),
        WORKING | {_S.DIAGNOSIS},
        _DERIVED,
        "consultant support",
        "P23 P24",
        opens="acceptance",
        closes="delivery correction",
    ),
    _main(
        "accept",
        N_("Accept the delivery"),
        WORKING,
        _DERIVED,
        "user",
        "P24",
        opens="warranty_end",
        closes="acceptance",
    ),
    _main(
        "accept_tacitly",
        N_("Accept the delivery by silence"),
        WORKING,
        _DERIVED,
        "clock",
        "P24",
        opens="warranty_end",
        closes="acceptance",
    ),
    _main(
        "reject",
        N_("Reject the delivery"),
        WORKING,
        _DERIVED,
        "user",
        "P25 P26",
        opens="correction",
        closes="acceptance",
    ),
    _main(
        "close",
        N_("Close the case"),
        {_S.ACCEPTED},
        {_S.CLOSED},
        "user manager",
        "P30",
        opens="satisfaction",
    ),
    _main(
        "cancel",
        N_("Cancel the case"),
        BEFORE_WORK | {_S.IN_PROGRESS},
        {_S.CANCELLED},
        "user support",
        "P15 P18",
    ),
    _main(
        "restore",
        N_("Restore the case"),
        {_S.CANCELLED},
        BEFORE_PROPOSAL,
        "support",
        "P15",
    ),
)

_FIRM = "support consultant spoc"

BESIDE: tuple[Act, ...] = (
    _side("comment", N_("Comment"), ALL, "user stranger support consultant spoc", "P16 P24"),
    _side("internal_note", N_("Internal note"), ALL, "support consultant spoc", "P05"),
    _side("attach", N_("Attach a file"), ALL, "user stranger support consultant spoc", "P16"),
    _side(
        "log_non_binding_contact",
        N_("Log a contact outside the channels"),
        ALL,
        "support consultant spoc",
        "P16",
    ),
    _side(
        "ask",
        N_("Ask for information"),
        OPEN,
        "support consultant spoc",
        "P10 P13",
        opens="wait_reminder wait_lapse",
    ),
    _side(
        "answer",
        N_("Answer the question"),
        OPEN,
        "user support consultant",
        "P10 P13",
        closes="wait_reminder wait_lapse",
    ),
    _side("assign", N_("Assign"), OPEN, "support", "P03 P14"),
    _side("escalate", N_("Escalate"), OPEN, "support consultant spoc", "P03 P05"),
    _side("route", N_("Route"), OPEN, "clock", "P03 P05 P14"),
    _side("bind_customer", N_("Bind to a customer"), OPEN, "support", "P09"),
    _side("confirm_report", N_("Confirm the report"), OPEN, "user", "P18"),
    _side("split", N_("Split into another case"), OPEN, "support", "P15"),
    _side(
        "merge_duplicate",
        N_("Cancel as a duplicate"),
        BEFORE_WORK,
        "support",
        "P15",
        to={_S.CANCELLED},
    ),
    _side("relate", N_("Relate to another case"), ALL, "support consultant", "P15"),
    _side(
        "record_call",
        N_("Record a contact as a case"),
        {_S.RECEIVED},
        "support consultant spoc",
        "P03 P16",
    ),
    _side(
        "check_information",
        N_("Check the information"),
        OPEN,
        "support consultant spoc",
        "P13",
    ),
    _side(
        "cancel_unanswered",
        N_("Cancel for lack of an answer"),
        BEFORE_PROPOSAL,
        "clock",
        "P13",
        to={_S.CANCELLED},
        closes="wait_reminder wait_lapse",
    ),
    _side("attach_to_parent", N_("Attach to a parent case"), OPEN, "support", "P15"),
    _side("detach_from_parent", N_("Take off the parent case"), ALL, "support", "P15"),
    _side("tell_children", N_("Answer the attached cases"), ALL, "support", "P04 P15"),
    _side("extend_window", N_("Extend the term"), WITH_WINDOW, "spoc manager", "P24"),
    _side(
        "withdraw_delivery",
        N_("Withdraw the delivery"),
        WITH_WINDOW,
        "consultant support",
        "P23 P24",
        to=WORKING | {_S.DIAGNOSIS, _S.ESTIMATION},
        closes="acceptance",
    ),
    _side("prove_delivery", N_("Prove the delivery"), WITH_WINDOW, "system user", "P23 P24"),
    _side(
        "fail_delivery",
        N_("Record a bounced delivery"),
        ALL - {_S.CANCELLED},  # it may come back after silence has counted
        "system",
        "P23 P24",
    ),
    _side("delegate_decision", N_("Pass a decision on"), OPEN, "user owner spoc", "P08 P17"),
    _side("take_decision_back", N_("Take a decision back"), OPEN, "user owner spoc", "P08 P17"),
    _side(
        "classify_comment",
        N_("Classify a comment"),
        WITH_WINDOW,
        "support spoc",
        "P24 P25",
        to=WORKING | {_S.ESTIMATION},
        opens="correction proposal_revision acceptance",
    ),
    _side(
        "answer_objection",
        N_("Answer an objection"),
        WORKING | {_S.ESTIMATION},
        "consultant support spoc",
        "P26 P29",
    ),
    _side(
        "annul_tacit",
        N_("Annul a tacit acceptance"),
        ALL - {_S.CANCELLED},
        "system manager",
        "P24 P25",
        to={_S.PROPOSAL} | WORKING,
        opens="acceptance",
    ),
    _side("claim_warranty", N_("Claim warranty"), AFTER_ACCEPTANCE, "user", "P27"),
    _side(
        "decide_claim",
        N_("Decide the warranty claim"),
        AFTER_ACCEPTANCE,
        "spoc manager support",
        "P27 P28",
        opens="claim_correction",
    ),
    _side(
        "deliver_fix",
        N_("Deliver the warranty fix"),
        AFTER_ACCEPTANCE,
        "consultant support",
        "P27",
        closes="claim_correction",
    ),
    _side("end_warranty", N_("End the warranty"), AFTER_ACCEPTANCE, "clock", "P27"),
    _side(
        "request_change",
        N_("Request a change"),
        ALL,
        "user support consultant spoc",
        "P28 P29",
    ),
    _side("log_time", N_("Log time"), ALL, "support consultant spoc", "P18 P19"),
    _side("correct_time", N_("Correct logged time"), ALL, "support consultant spoc", "P18 P30"),
    _side(
        "submit_time",
        N_("Submit time for approval"),
        OPEN | {_S.CANCELLED},
        "spoc support consultant",
        "P30",
        opens="time_reminder",
    ),
    _side(
        "approve_time",
        N_("Approve executed time"),
        OPEN | {_S.CANCELLED},
        "user",
        "P08 P30",
        closes="time_reminder",
    ),
    _side("dispute_time", N_("Dispute executed time"), OPEN | {_S.CANCELLED}, "user", "P08 P30"),
    _side("settle_time", N_("Settle disputed time"), OPEN | {_S.CANCELLED}, "manager", "P30"),
    _side(
        "issue_statement",
        N_("Issue the billing statement"),
        {_S.ACCEPTED, _S.CANCELLED},
        "spoc manager",
        "P30",
        opens="statement_reminder",
    ),
    _side(
        "approve_statement",
        N_("Approve the billing"),
        {_S.ACCEPTED, _S.CANCELLED},
        "user",
        "P08 P30",
        closes="statement_reminder",
    ),
    _side(
        "dispute_statement",
        N_("Dispute the billing"),
        {_S.ACCEPTED, _S.CANCELLED},
        "user",
        "P08 P30",
        closes="statement_reminder",
    ),
    _side(
        "credit_statement",
        N_("Credit the billing statement"),
        {_S.ACCEPTED} | ENDED,
        "manager",
        "P30",
        closes="statement_reminder",
    ),
    _side(
        "export_statement",
        N_("Export the billing statement"),
        {_S.ACCEPTED} | ENDED,
        "manager",
        "P30",
    ),
    _side("watch", N_("Follow the case"), ALL, "user support consultant spoc", "P04"),
    _side("place_mail", N_("Put a held mail on the case"), ALL, _FIRM, "P16 P24"),
    _side("settle_mail", N_("Settle a held mail"), ALL, _FIRM, "P11 P16"),
    _side("admit_copied", N_("Let a copied person take part"), ALL, "spoc manager", "P04 P08"),
    _side("dismiss_copied", N_("Leave a copied person out"), ALL, _FIRM, "P04"),
    _side("accept_policy", N_("Accept the policies"), ALL, "user", "P07"),
    _side("answer_satisfaction", N_("Rate the service"), {_S.CLOSED}, "user", "P02"),
    _side("open_environment_alert", N_("Note an alert"), OPEN, "monitor", "P06"),
    _side("recover", N_("Note a recovery"), OPEN, "monitor", "P06"),
    _side("remind", N_("Remind"), ALL, "clock", "P03 P24"),
    _side("warn", N_("Warn of a committed time"), OPEN, "clock", "P03 P05 P21"),
    _side("page", N_("Page out of hours"), OPEN, "clock", "P03 P05 P21"),
    _side("acknowledge", N_("Acknowledge the page"), OPEN, f"{_FIRM} manager", "P03 P05 P21"),
    _side("breach", N_("Note a missed term"), ALL, "clock", "P03 P26"),
    _side("build_pack", N_("Build the evidence pack"), ALL, "user spoc manager", "P30"),
    _side("anonymise", N_("Erase personal text"), ENDED, "manager", "P07"),
)

ACTS: dict[str, Act] = {row.name: row for row in MAIN_LINE + BESIDE}


# For each decision that can be passed on: the acts that take it, and no others.
DECIDING: dict[str, frozenset[str]] = {
    "scope": frozenset({"validate_scope", "return_scope"}),
    "proposal": frozenset({"accept_proposal", "reject_proposal"}),
    "authorization": frozenset({"authorize", "decline"}),
    "result": frozenset({"accept", "reject"}),
    "time": frozenset({"approve_time", "dispute_time"}),
    "billing": frozenset({"approve_statement", "dispute_statement"}),
    "closure": frozenset({"close"}),
}


def check(act: Act, stage: Stage | None, roles: frozenset[Role]) -> None:
    """Refuse what the tables do not allow (P20); `stage` None is a case that is not open yet.

    Raises `Refused` with code `not_in_stage` or `not_your_role`, naming who could.
    """
    if stage is not None and stage not in act.stages:
        raise Refused("not_in_stage", act.name, stage, act.who)
    if not roles & act.who:
        raise Refused("not_your_role", act.name, stage, act.who)


_NOTHING: Mapping[str, frozenset[Role]] = MappingProxyType({})


def possible(
    stage: Stage, roles: frozenset[Role], passed_on: Mapping[str, frozenset[Role]] = _NOTHING
) -> list[Act]:
    """The acts that the tables allow in this stage to somebody with these roles, in table order.
    `passed_on`: the roles that they have for one act and no other (DECIDING)."""
    return [
        act
        for act in MAIN_LINE + BESIDE
        if stage in act.stages and (roles | passed_on.get(act.name, frozenset())) & act.who
    ]


@dataclass(frozen=True)
class DeliverableState:
    """What `derive` needs to know of one planned deliverable: how its latest version stands."""

    delivered: bool
    open_window: bool
    rejected_unanswered: bool
    accepted: bool


def derive(deliverables: Iterable[DeliverableState]) -> Stage:
    """The stage between in_progress and accepted, from the planned deliverables (life.md).

    Any version rejected and not answered: correction. Else any planned deliverable undelivered:
    in progress. Else any version neither accepted nor rejected: delivered. Else accepted. A case
    with no deliverable at all has nothing accepted and stays in progress.
    """
    states = list(deliverables)
    if any(state.rejected_unanswered for state in states):
        return Stage.CORRECTION
    if not states or any(not state.delivered for state in states):
        return Stage.IN_PROGRESS
    if any(not state.accepted for state in states):
        return Stage.DELIVERED
    return Stage.ACCEPTED


_PROPOSAL = ("accept_proposal", "accept_proposal_tacitly", "reject_proposal")
_AUTHORIZATION = ("authorize", "authorize_emergency", "decline")
_RESULT = ("accept", "accept_tacitly", "reject")
_SCOPE = ("validate_scope", "return_scope")

RIVALS: dict[str, tuple[str, ...]] = {
    name: group
    for group in (
        _PROPOSAL,
        _AUTHORIZATION,
        _RESULT,
        _SCOPE,
        ("close",),
        ("cancel", "merge_duplicate", "cancel_unanswered"),
    )
    for name in group
}
"""Acts that decide the same thing: where one came first, the other is told by whom and when."""
