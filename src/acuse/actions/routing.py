"""Cases go to a queue, a level and a person by rules, skill, presence and load (P03, P05, P14).

Routing looks at a case when it has been opened, classified or bound, and when somebody gave it to
nobody; it is the clock's act, and its line says why. What a person gave to a person by hand stays
there, and so does what somebody has begun to diagnose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import Exists, F, IntegerField, Min, OuterRef, Q, Subquery, Value, When

from ..journal.writer import Writing, act, load
from ..models import (
    Case,
    Deadline,
    LedgerLine,
    Membership,
    OrganisationKind,
    Person,
    RoutingState,
    RuleVersion,
)
from ..models.agents import agents_at, matter_of
from ..models.routing import rules_in_force
from ..policy import routing as policy
from ..policy.authors import CLOCK, Occasion
from ..policy.kinds import Payload
from ..policy.priority import Priority
from ..policy.routing import GIVING, Agent, Decision, Holding, Outcome, Rule
from ..policy.stages import ENDED, Stage

TRIAGE = (Stage.RECEIVED, Stage.ANALYSIS)  # whoever has begun the diagnosis keeps the case
ASKING = ("open", "classify", "bind_customer")


@act("route")
def route(w: Writing, *, decision: Decision) -> Payload:
    """The clock sends a case to a queue, a level and a person, and says why (P14)."""
    case = w.case
    case.queue_id, case.level, case.assignee_id = decision.queue, decision.level, decision.person
    if decision.outcome is Outcome.ASSIGNED and decision.person is not None:
        w.told.append(Person.objects.get(pk=decision.person))
    return {
        "outcome": decision.outcome,
        "rule": decision.rule,
        "queue": decision.queue,
        "level": decision.level,
        "person": decision.person,
        "stands_in": decision.stands_in,
        "specialty": case.specialty_id,
        "language": case.language,
        "open_cases": decision.open_cases,
    }


@dataclass(frozen=True)
class Roster:
    """By what cases are routed at a moment: the rules in their order, the people, and since when
    the firm has had rules; without any nothing is routed."""

    rules: Sequence[Rule]
    agents: Sequence[Agent]
    since: datetime


def read_roster(at: datetime) -> Roster | None:
    """None where the firm has no rules: one query then."""
    rules = rules_in_force()
    if not rules:
        return None
    since = RuleVersion.objects.aggregate(since=Min("since"))["since"]
    return Roster([version.plain for version in rules], agents_at(at), since)


def waiting(roster: Roster, at: datetime) -> list[int]:
    """The open cases (ids) that have to be looked at, by priority and then by the term that ends
    first: those with something new since the last time, those that nobody fitted, and those of
    somebody who works here no more."""
    ranks = [When(priority=priority, then=Value(n)) for n, priority in enumerate(Priority)]
    committed = Deadline.objects.filter(
        case=OuterRef("pk"), kind__in=("first_response", "delivery"), fired_at__isnull=True
    ).order_by("due_at")
    works = Membership.objects.in_force(at).filter(
        person=OuterRef("assignee"),
        organisation__kind=OrganisationKind.FIRM,
        person__is_active=True,
    )
    news = Q(routing__isnull=True) | Q(routing__seq__lt=F("lines"))
    left = Q(assignee__isnull=False) & ~Exists(works)
    rows = Case.objects.open().filter(news | left | Q(routing__outcome=Outcome.NOBODY))
    rows = rows.annotate(
        rank=Choose(*ranks, output_field=IntegerField()),
        term=Subquery(committed.values("due_at")[:1]),
    )
    ordered = rows.order_by("rank", F("term").asc(nulls_last=True), "opened_at", "pk")
    return list(ordered.values_list("pk", flat=True))


@transaction.atomic
def route_case(case_id: int, at: datetime, roster: Roster) -> LedgerLine | None:
    """Look at one case and route it where that is for routing to decide: the receipt, or None
    where everything stays as it is. Doing it again changes nothing."""
    Case.objects.select_for_update().get(pk=case_id)
    case = load(case_id)
    if Stage(case.stage) in ENDED:
        return None
    before = RoutingState.objects.filter(case=case).first()
    holding = _question(case, before, roster)
    if holding is None:
        _remember(case, "")
        return None
    decision = policy.decide(matter_of(case), roster.rules, roster.agents, holding)
    line = None
    if _is_news(case, decision, before):
        line = route(Occasion(case.pk, CLOCK, max(at, case.opened_at)), decision=decision)
        case = line.case
    _remember(case, decision.outcome)
    return line


@transaction.atomic
def note_failed(case_id: int) -> None:
    """Routing a case raised: nobody has it, which sounds the alarm, until it succeeds."""
    case = Case.objects.select_for_update().get(pk=case_id)
    if case.assignee_id is None:
        _remember(case, Outcome.NOBODY)


def _remember(case: Case, outcome: str) -> None:
    lines = Case.objects.values_list("lines", flat=True).get(pk=case.pk)
    RoutingState.objects.update_or_create(case=case, defaults={"seq": lines, "outcome": outcome})


def _is_news(case: Case, decision: Decision, before: RoutingState | None) -> bool:
    """Whether a line has to say it: a decision that leaves everything as it was is none."""
    if (decision.queue, decision.level) != (case.queue_id, case.level):
        return True
    if decision.person != case.assignee_id:
        return True
    told = before is not None and before.outcome == Outcome.NOBODY
    return decision.outcome is Outcome.NOBODY and not told


def _question(case: Case, before: RoutingState | None, roster: Roster) -> Holding | None:
    """How the case stands, if it is for routing to say where it goes; None if it is not."""
    lines = [
        line
        for line in case.ledger.filter(kind__in=(*ASKING, *GIVING)).order_by("seq")
        if line.payload.get("direction") != "hierarchical"
    ]
    seen = before.seq if before is not None else 0
    asked = any(_asks(line) and line.seq > seen and line.at >= roster.since for line in lines)
    given = [line for line in lines if line.kind in GIVING]
    last = given[-1] if given else None
    holder = _holder(case)
    if holder is None:
        if not (asked or case.assignee_id or (before and before.outcome == Outcome.NOBODY)):
            return None
        return Holding(None, False, _queue_fixed(lines), _not_to(given))
    by_hand = last is None or (last.kind in ("assign", "escalate") and not _gives_to_nobody(last))
    if by_hand or not asked:
        return None
    return Holding(holder, case.stage not in TRIAGE)


def _asks(line: LedgerLine) -> bool:
    return line.kind in ASKING or _gives_to_nobody(line)


def _gives_to_nobody(line: LedgerLine) -> bool:
    """Whether a person left it open to whom the case goes."""
    return line.kind in ("assign", "escalate") and line.payload["person"] is None


def _holder(case: Case) -> int | None:
    """Who has the case, if they still work here."""
    person = case.assignee
    works = person is not None and person.is_active and person.is_firm
    return case.assignee_id if works else None


def _queue_fixed(lines: Sequence[LedgerLine]) -> bool:
    """Whether a person has put it into its queue since it was classified."""
    said = [line.kind for line in lines if line.kind in (*ASKING, "assign")]
    return bool(said) and said[-1] == "assign"


def _not_to(given: Sequence[LedgerLine]) -> frozenset[int]:
    """Whoever escalated it without naming anybody, and who had it then, do not get it back."""
    if not given or given[-1].kind != "escalate":
        return frozenset()
    people = [given[-1].author_id]
    if len(given) > 1:
        earlier = given[-2]
        people.append(earlier.author_id if earlier.kind == "take" else earlier.payload["person"])
    return frozenset(person for person in people if person is not None)
