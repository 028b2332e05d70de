"""The two tables of a case's life, against what the design says, written out here as data."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from acuse.policy.refusals import Refused
from acuse.policy.stages import (
    ACTS,
    BEFORE_PROPOSAL,
    BEFORE_WORK,
    BESIDE,
    CUSTOMER_ROLES,
    ENDED,
    FIRM_ROLES,
    MAIN_LINE,
    OPEN,
    RIVALS,
    STAGES,
    Ball,
    DeliverableState,
    Role,
    Stage,
    check,
    derive,
    possible,
)

EVERYWHERE = " ".join(Stage)
WHILE_OPEN = (
    "received analysis diagnosis estimation scope_validation proposal authorization in_progress "
    "delivered correction accepted"
)
BEFORE = "received analysis diagnosis estimation scope_validation proposal authorization"
WORKING = "in_progress delivered correction"
AFTER = "in_progress delivered correction accepted"

# act: from, to, who, clauses (life.md, "Acts on the main line"). A stranger is the unknown sender
# of a mail; a consultant opens the case of a change they ask for.
MAIN = {
    "open": ("", "received", "user stranger support consultant monitor", "P03 P11 P12"),
    "take": ("received", "analysis", "support", "P13"),
    "classify": (WHILE_OPEN, "", "support", "P14 P21 P22"),
    "diagnose": ("analysis", "diagnosis", "support consultant", "P14"),
    "estimate": ("diagnosis", "estimation", "consultant", "P17"),
    "submit_scope": ("estimation", "scope_validation", "consultant", "P17"),
    "validate_scope": ("scope_validation", "proposal", "owner spoc", "P17 P23"),
    "return_scope": ("scope_validation", "estimation", "owner spoc", "P17"),
    "accept_proposal": ("proposal", "authorization", "user", "P08 P24"),
    "accept_proposal_tacitly": ("proposal", "authorization", "clock", "P24"),
    "reject_proposal": ("proposal", "estimation cancelled", "user", "P18 P25 P26"),
    "authorize": ("authorization", "in_progress", "user", "P19"),
    "authorize_emergency": ("analysis diagnosis", "in_progress", "user", "P19 P21"),
    "decline": ("authorization", "cancelled", "user clock", "P18 P19"),
    "deliver": (f"diagnosis {WORKING}", AFTER, "consultant support", "P23 P24"),
    "accept": (WORKING, AFTER, "user", "P24"),
    "accept_tacitly": (WORKING, AFTER, "clock", "P24"),
    "reject": (WORKING, AFTER, "user", "P25 P26"),
    "close": ("accepted", "closed", "user manager", "P30"),
    "cancel": (
        f"{BEFORE} in_progress",
        "cancelled",
        "user support",
        "P15 P18",
    ),
    "restore": (
        "cancelled",
        "received analysis diagnosis estimation scope_validation",
        "support",
        "P15",
    ),
}

# life.md names these and leaves stage and role to the clauses.
SIDE = {
    "comment": (EVERYWHERE, "user stranger support consultant spoc", "P16 P24"),
    "internal_note": (EVERYWHERE, "support consultant spoc", "P05"),
    "attach": (EVERYWHERE, "user stranger support consultant spoc", "P16"),
    "log_non_binding_contact": (EVERYWHERE, "support consultant spoc", "P16"),
    "ask": (WHILE_OPEN, "support consultant spoc", "P10 P13"),
    "answer": (WHILE_OPEN, "user support consultant", "P10 P13"),
    "assign": (WHILE_OPEN, "support", "P03 P14"),
    "escalate": (WHILE_OPEN, "support consultant spoc", "P03 P05"),
    "route": (WHILE_OPEN, "clock", "P03 P05 P14"),
    "bind_customer": (WHILE_OPEN, "support", "P09"),
    "confirm_report": (WHILE_OPEN, "user", "P18"),
    "split": (WHILE_OPEN, "support", "P15"),
    "merge_duplicate": (
        BEFORE,
        "support",
        "P15",
    ),
    "relate": (EVERYWHERE, "support consultant", "P15"),
    "record_call": ("received", "support consultant spoc", "P03 P16"),
    "check_information": (WHILE_OPEN, "support consultant spoc", "P13"),
    "cancel_unanswered": (
        "received analysis diagnosis estimation scope_validation",
        "clock",
        "P13",
    ),
    "attach_to_parent": (WHILE_OPEN, "support", "P15"),
    "detach_from_parent": (EVERYWHERE, "support", "P15"),
    "tell_children": (EVERYWHERE, "support", "P04 P15"),
    "extend_window": (f"proposal {WORKING}", "spoc manager", "P24"),
    "withdraw_delivery": (f"proposal {WORKING}", "consultant support", "P23 P24"),
    "prove_delivery": (f"proposal {WORKING}", "system user", "P23 P24"),
    "fail_delivery": (f"{WHILE_OPEN} closed", "system", "P23 P24"),
    "delegate_decision": (WHILE_OPEN, "user owner spoc", "P08 P17"),
    "take_decision_back": (WHILE_OPEN, "user owner spoc", "P08 P17"),
    "classify_comment": (f"proposal {WORKING}", "support spoc", "P24 P25"),
    "answer_objection": (f"estimation {WORKING}", "consultant support spoc", "P26 P29"),
    "annul_tacit": (f"{WHILE_OPEN} closed", "system manager", "P24 P25"),
    "claim_warranty": (f"{AFTER} closed", "user", "P27"),
    "decide_claim": (f"{AFTER} closed", "spoc manager support", "P27 P28"),
    "deliver_fix": (f"{AFTER} closed", "consultant support", "P27"),
    "end_warranty": (f"{AFTER} closed", "clock", "P27"),
    "request_change": (EVERYWHERE, "user support consultant spoc", "P28 P29"),
    "log_time": (EVERYWHERE, "support consultant spoc", "P18 P19"),
    "correct_time": (EVERYWHERE, "support consultant spoc", "P18 P30"),
    "submit_time": (f"{WHILE_OPEN} cancelled", "spoc support consultant", "P30"),
    "approve_time": (f"{WHILE_OPEN} cancelled", "user", "P08 P30"),
    "dispute_time": (f"{WHILE_OPEN} cancelled", "user", "P08 P30"),
    "settle_time": (f"{WHILE_OPEN} cancelled", "manager", "P30"),
    "issue_statement": ("accepted cancelled", "spoc manager", "P30"),
    "approve_statement": ("accepted cancelled", "user", "P08 P30"),
    "dispute_statement": ("accepted cancelled", "user", "P08 P30"),
    "credit_statement": ("accepted closed cancelled", "manager", "P30"),
    "export_statement": ("accepted closed cancelled", "manager", "P30"),
    "watch": (EVERYWHERE, "user support consultant spoc", "P04"),
    "place_mail": (EVERYWHERE, "support consultant spoc", "P16 P24"),
    "settle_mail": (EVERYWHERE, "support consultant spoc", "P11 P16"),
    "admit_copied": (EVERYWHERE, "spoc manager", "P04 P08"),
    "dismiss_copied": (EVERYWHERE, "support consultant spoc", "P04"),
    "accept_policy": (EVERYWHERE, "user", "P07"),
    "answer_satisfaction": ("closed", "user", "P02"),
    "open_environment_alert": (WHILE_OPEN, "monitor", "P06"),
    "recover": (WHILE_OPEN, "monitor", "P06"),
    "remind": (EVERYWHERE, "clock", "P03 P24"),
    "warn": (WHILE_OPEN, "clock", "P03 P05 P21"),
    "page": (WHILE_OPEN, "clock", "P03 P05 P21"),
    "acknowledge": (WHILE_OPEN, "support consultant spoc manager", "P03 P05 P21"),
    "breach": (EVERYWHERE, "clock", "P03 P26"),
    "build_pack": (EVERYWHERE, "user spoc manager", "P30"),
    "anonymise": ("closed cancelled", "manager", "P07"),
}

# Acts beside the main line that move the case, and where to.
MOVES = {
    "merge_duplicate": "cancelled",
    "cancel_unanswered": "cancelled",
    "withdraw_delivery": f"{WORKING} diagnosis estimation",
    "classify_comment": f"{WORKING} estimation",
    "annul_tacit": f"{WORKING} proposal",
}

HOLDERS = {
    "received": "firm",
    "analysis": "firm",
    "diagnosis": "firm",
    "estimation": "firm",
    "scope_validation": "both",
    "proposal": "customer",
    "authorization": "customer",
    "in_progress": "firm",
    "delivered": "customer",
    "correction": "firm",
    "accepted": "customer",
    "closed": "nobody",
    "cancelled": "nobody",
}


def words(values: object) -> set[str]:
    return {str(value) for value in values}  # type: ignore[attr-defined]


def test_the_tables_hold_the_acts_of_the_design_and_no_other() -> None:
    assert [row.name for row in MAIN_LINE] == list(MAIN)
    assert {row.name for row in BESIDE} == set(SIDE)
    assert set(ACTS) == set(MAIN) | set(SIDE)
    assert len(ACTS) == len(MAIN_LINE) + len(BESIDE)
    assert {row.name for row in ACTS.values() if row.main} == set(MAIN)


@pytest.mark.parametrize("name", MAIN)
def test_a_row_of_the_main_line_is_as_designed(name: str) -> None:
    stages, to, who, clauses = MAIN[name]
    row = ACTS[name]
    assert words(row.stages) == set(stages.split())
    assert words(row.to) == set(to.split())
    assert words(row.who) == set(who.split())
    assert set(row.clauses) == set(clauses.split())


@pytest.mark.parametrize("name", SIDE)
def test_a_row_beside_the_main_line_is_as_designed(name: str) -> None:
    stages, who, clauses = SIDE[name]
    row = ACTS[name]
    assert words(row.stages) == set(stages.split())
    assert words(row.who) == set(who.split())
    assert set(row.clauses) == set(clauses.split())
    assert words(row.to) == set(MOVES.get(name, "").split())


def test_who_holds_the_ball_in_each_stage_is_as_designed() -> None:
    assert {str(stage): str(row.ball) for stage, row in STAGES.items()} == HOLDERS


def test_every_stage_is_reached_from_the_start() -> None:
    reached = set(ACTS["open"].to)
    while True:
        more = {to for act in ACTS.values() if act.stages & reached for to in act.to} - reached
        if not more:
            break
        reached |= more
    assert reached == set(Stage)


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_stage_can_end(stage: Stage) -> None:
    seen: set[Stage] = set()
    todo = {stage}
    while todo:
        here = todo.pop()
        seen.add(here)
        todo |= {to for act in MAIN_LINE if here in act.stages for to in act.to} - seen
    assert seen & ENDED


def test_nothing_leaves_an_end_but_what_the_design_lists() -> None:
    leaving = {
        (act.name, str(stage))
        for act in ACTS.values()
        for stage in act.stages & ENDED
        if act.to - {stage}
    }
    assert leaving == {("restore", "cancelled"), ("annul_tacit", "closed")}


def test_the_clock_decides_only_by_silence() -> None:
    assert {name for name, row in ACTS.items() if Role.CLOCK in row.who} == {
        "accept_tacitly",
        "accept_proposal_tacitly",
        "cancel_unanswered",
        "decline",
        "end_warranty",
        "remind",
        "route",
        "warn",
        "page",
        "breach",
    }


def test_nobody_of_the_firm_takes_a_decision_of_the_customer() -> None:
    """P08: scope's other side and closing as unapproved are the firm's own."""
    decisions = (
        "accept_proposal reject_proposal authorize authorize_emergency decline accept reject "
        "approve_time dispute_time approve_statement dispute_statement claim_warranty"
    )
    for name in decisions.split():
        assert not ACTS[name].who & FIRM_ROLES, name


def test_a_stranger_only_speaks() -> None:
    allowed = {name for name, row in ACTS.items() if Role.STRANGER in row.who}
    assert allowed == {"open", "comment", "attach"}


def test_every_act_has_a_label_and_clauses_that_exist() -> None:
    policy = {f"P{number:02d}" for number in range(1, 31)}
    labels = [row.label for row in ACTS.values()]
    assert len(set(labels)) == len(labels)
    for row in ACTS.values():
        assert row.label
        assert row.clauses
        assert set(row.clauses) <= policy, row.name


def test_every_clause_of_the_cases_life_is_served() -> None:
    """The others are about what surrounds a case: statistics, the stage table itself, levels."""
    cited = {clause for row in ACTS.values() for clause in row.clauses}
    assert {f"P{number:02d}" for number in range(1, 31)} - cited == {"P01", "P20"}


def test_rivals_are_acts_and_each_stands_among_its_own() -> None:
    for name, group in RIVALS.items():
        assert name in group
        assert set(group) <= set(ACTS)


@pytest.mark.parametrize("name", ACTS)
def test_the_table_allows_its_rows_and_refuses_the_rest(name: str) -> None:
    for stage, role in product(Stage, Role):
        check_cell(name, stage, role)


def check_cell(name: str, stage: Stage, role: Role) -> None:
    row, roles = ACTS[name], frozenset({role})
    stages, who = (MAIN[name][0], MAIN[name][2]) if name in MAIN else SIDE[name][:2]
    if stage in stages.split() and role in who.split():
        check(row, stage, roles)
        assert row in possible(stage, roles)
        return
    assert row not in possible(stage, roles)
    with pytest.raises(Refused) as told:
        check(row, stage, roles)
    assert told.value.act == name
    assert told.value.stage == stage
    assert set(told.value.who) == set(who.split())
    in_stage = stage in stages.split()
    assert told.value.code == ("not_your_role" if in_stage else "not_in_stage")


def test_a_case_that_is_not_open_yet_has_no_stage_to_ask() -> None:
    check(ACTS["open"], None, frozenset({Role.USER}))
    with pytest.raises(Refused, match="open"):
        check(ACTS["open"], None, frozenset({Role.MANAGER}))
    with pytest.raises(Refused):
        check(ACTS["open"], None, frozenset())


def test_the_two_sides_share_no_role() -> None:
    assert not CUSTOMER_ROLES & FIRM_ROLES
    assert CUSTOMER_ROLES | FIRM_ROLES | {Role.CLOCK, Role.MONITOR, Role.SYSTEM} == set(Role)
    assert BEFORE_PROPOSAL < BEFORE_WORK


PLANNED = DeliverableState(False, False, False, False)
WAITING = DeliverableState(True, True, False, False)
REJECTED = DeliverableState(True, False, True, False)
ACCEPTED = DeliverableState(True, False, False, True)


@pytest.mark.parametrize(
    ("states", "stage"),
    [
        ([], Stage.IN_PROGRESS),
        ([PLANNED], Stage.IN_PROGRESS),
        ([WAITING], Stage.DELIVERED),
        ([REJECTED], Stage.CORRECTION),
        ([ACCEPTED], Stage.ACCEPTED),
        ([ACCEPTED, PLANNED], Stage.IN_PROGRESS),
        ([ACCEPTED, WAITING], Stage.DELIVERED),
        ([WAITING, PLANNED], Stage.IN_PROGRESS),
        ([REJECTED, PLANNED, WAITING, ACCEPTED], Stage.CORRECTION),
        ([ACCEPTED, ACCEPTED], Stage.ACCEPTED),
    ],
)
def test_the_stage_of_several_deliverables_is_derived(
    states: list[DeliverableState], stage: Stage
) -> None:
    assert derive(states) == stage
    assert derive(reversed(states)) == stage


def test_each_stage_has_its_words_for_both_sides() -> None:
    assert set(STAGES) == set(Stage)
    for row in STAGES.values():
        assert row.desk
        assert row.customer
        assert row.ball in Ball


def test_every_reason_for_refusing_is_given_somewhere_and_every_given_one_has_its_words() -> None:
    """A refusal's code stands in the rooms that refuse, and nowhere else is one invented."""
    from acuse.policy import refusals

    root = Path(refusals.__file__).parents[1]
    source = "".join(
        path.read_text()
        for room in ("policy", "journal", "actions")
        for path in (root / room).glob("*.py")
        if path.name != "refusals.py"
    )
    unused = {code for code in refusals.REASONS if f'"{code}"' not in source}
    assert not unused
    given = re.findall(r'(?:refuse|Refused)\(\s*"(\w+)"', source)
    assert len(given) > 60
    assert set(given) <= set(refusals.REASONS)
