"""The case as the firm sees it, on one page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from acuse.interfaces.web import pages
from acuse.interfaces.web.doors import DESK, for_firm, view_of
from acuse.interfaces.web.forms.life import ReportForCustomer
from acuse.policy.fields import N_
from acuse.policy.stages import ENDED, Act, Stage
from acuse.queries import disruptions, dossier, outgoing, watching, words
from acuse.queries.calls import find_call
from acuse.queries.case import CaseView
from acuse.queries.routing import why_assigned
from acuse.queries.targets import clock_states, why_no_clock
from acuse.queries.timers import ticking

from .composer import reply_facts
from .pages import show

# The acts beside the main line, in the groups in which the desk offers them.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        N_("Conversation"),
        (
            "comment",
            "internal_note",
            "ask",
            "answer",
            "attach",
            "log_non_binding_contact",
            "watch",
            "admit_copied",
            "dismiss_copied",
        ),
    ),
    (
        N_("Triage"),
        (
            "acknowledge",
            "check_information",
            "bind_customer",
            "assign",
            "escalate",
            "merge_duplicate",
            "split",
            "relate",
            "attach_to_parent",
            "detach_from_parent",
            "tell_children",
            "request_change",
        ),
    ),
    (
        N_("Deliveries"),
        (
            "classify_comment",
            "answer_objection",
            "extend_window",
            "withdraw_delivery",
            "annul_tacit",
            "decide_claim",
            "deliver_fix",
            "delegate_decision",
            "take_decision_back",
        ),
    ),
    (
        N_("Time and billing"),
        (
            "log_time",
            "correct_time",
            "submit_time",
            "settle_time",
            "issue_statement",
            "credit_statement",
            "export_statement",
        ),
    ),
)

# One key for each act of every day (with the browser's own modifier), shown beside it.
ACCESSKEYS = {
    "take": "t",
    "classify": "k",
    "diagnose": "g",
    "estimate": "e",
    "deliver": "d",
    "comment": "c",
    "internal_note": "i",
    "ask": "q",
    "assign": "a",
    "log_time": "h",
}


@dataclass(frozen=True)
class Offer:
    """An act that is possible now, with its key where it has one; `next`: the one to do first."""

    act: Act
    key: str
    next: bool


@for_firm
def case(request: HttpRequest, number: str) -> HttpResponse:
    """Everything about one case; parts are read once each, however many rows they have."""
    view = view_of(request, number)
    folder = view.folder
    followers = dossier.followers_of(view.case)
    found = dossier.stretches(view.case, view.at)
    return show(
        request,
        "case",
        view=view,
        case=view.case,
        groups=grouped(view.acts, next_act(view)),
        may={act.name for act in view.acts},
        **reply_facts(view),
        keys=[uuid.uuid4().hex],
        of_firm={message.author_id for message in view.messages if message.of_firm},  # type: ignore[attr-defined]
        coverage=dossier.coverage_of(view.case),
        stretches=found,
        holders=dossier.by_holder(found),
        clocks=clock_states(view.case, view.at),
        no_clock=why_no_clock(view.case),
        falling=dossier.falling_due(view.case),
        estimates=dossier.estimates_of(view.case),
        time=[(entry, words.billing_reason(entry.reason)) for entry in view.time],
        events=dossier.events(view.timeline),
        why_assigned=why_assigned(view.timeline),
        links=dossier.linked_to(view.case, folder.links),
        followers=followers,
        lost=outgoing.lost_letters(folder.lost),
        incident=watching.find_recovered(view.case, view.at),
        outage=disruptions.explaining(view.case) if view.family.parent is None else None,
        over=disruptions.find_over(view.family.parent) if view.family.parent else None,
        call=find_call(view.case),
        timer=next((ticking(timer, view.at) for timer in folder.timers), None),
        original=f"C-{view.case.duplicate_of_id}" if view.case.duplicate_of_id else "",
    )


# What comes before everything else, where there is something of it to do.
FIRST = (
    "acknowledge",
    "bind_customer",
    "classify_comment",
    "answer_objection",
    "decide_claim",
    "deliver_fix",
)


def next_act(view: CaseView) -> str:
    """The act that brings the case on; nothing where somebody else has to move."""
    names = [act.name for act in view.acts]
    waiting = next((name for name in FIRST if name in names), None)
    if waiting is not None:
        return waiting
    if "classify" in names and view.case.stage != Stage.RECEIVED and not view.case.classified_at:
        return "classify"
    onward = (act.name for act in view.acts if act.main and act.to - ENDED)
    return next(onward, "")


def grouped(acts: list[Act], first: str) -> list[tuple[str, list[Offer]]]:
    """The acts that are possible now: the main line first, then the groups, then the rest."""
    by_name = {act.name: act for act in acts if not act.main}
    found = [(_("Main line"), [act for act in acts if act.main])]
    for label, names in GROUPS:
        found.append((_(label), [by_name.pop(name) for name in names if name in by_name]))
    found.append((_("Other"), list(by_name.values())))
    return [
        (label, [Offer(act, ACCESSKEYS.get(act.name, ""), act.name == first) for act in group])
        for label, group in found
        if group
    ]


@for_firm
def new_case(request: HttpRequest) -> HttpResponse:
    """A case reported by telephone, or seen by the firm itself (P03)."""
    return pages.new_case_page(
        request, ReportForCustomer, DESK, "desk/new_case.html", current="new_case"
    )
