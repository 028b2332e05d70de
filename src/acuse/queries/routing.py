"""Routing to be read: the rules and what they would take, who takes cases, who is away (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ..models import (
    Absence,
    Case,
    LedgerLine,
    OrganisationKind,
    Person,
    RoutingRule,
    RuleVersion,
    Skills,
)
from ..models.agents import agents_at, matter_of
from ..models.routing import rules_in_force
from ..policy.fields import N_
from ..policy.routing import CONDITIONS, GIVING, Agent, Matter, Rule, find_rule, find_shadow
from . import words
from .why_routed import LANGUAGES, cases_words

LAST = 500  # cases that a preview looks at

LABELS = {
    "customer": N_("Customer"),
    "environment": N_("Environment"),
    "module": N_("Module"),
    "specialty": N_("Specialty"),
    "type": N_("Type"),
    "priority": N_("Priority"),
    "language": N_("Language"),
}
_CODES = {"priority": words.PRIORITIES, "language": LANGUAGES}
_NAMED = ("customer", "environment__organisation", "module", "specialty", "type", "queue")


@dataclass(frozen=True)
class RuleRow:
    """A rule in use: what it asks in words, how many of the last cases it would take, and the name
    of the rule before it that takes all that it could ("": none does)."""

    version: RuleVersion
    conditions: list[tuple[str, str]]
    taken: int
    shadow: str


@dataclass(frozen=True)
class RuleBook:
    """The rules in their order, over how many of the last cases they were tried, how many of
    these no rule takes; and the rules out of use, with those whose queue is retired."""

    rows: list[RuleRow]
    tried: int
    untaken: int
    idle: list[RuleVersion]


def rule_book(person: Person) -> RuleBook:
    """Every rule, tried over the last cases that this person sees. Four queries, however many
    rules and cases."""
    versions = _newest_versions()
    running = [v for v in versions if v.rule.retired_at is None and v.queue.retired_at is None]
    rules = [version.plain for version in running]
    takers = [find_rule(rules, matter) for _, matter in _last_cases(person)]
    names = {version.pk: version.rule.name for version in running}
    rows = []
    for place, version in enumerate(running):
        shadow = find_shadow(rules[place], rules[:place])
        taken = sum(taker is rules[place] for taker in takers)
        found = names[shadow.number] if shadow is not None else ""
        rows.append(RuleRow(version, conditions_of(version), taken, found))
    idle = [version for version in versions if version not in running]
    return RuleBook(rows, len(takers), sum(taker is None for taker in takers), idle)


def _newest_versions() -> list[RuleVersion]:
    rows = RuleVersion.objects.select_related("rule", *_NAMED)
    newest = rows.order_by("rule_id", "-number").distinct("rule_id")
    return sorted(newest, key=lambda version: (version.rule.place, version.rule_id))


def get_rule(pk: int) -> RuleVersion:
    """The newest version of a rule. Raises RuleVersion.DoesNotExist."""
    return RuleVersion.objects.select_related("rule", *_NAMED).filter(rule=pk).latest("number")


def conditions_of(version: RuleVersion) -> list[tuple[str, str]]:
    """What a rule asks, in words: each condition that is not blank, and its value."""
    found = []
    for name in CONDITIONS:
        value = getattr(version, name)
        if value:
            shown = words.label(_CODES[name], value) if name in _CODES else str(value)
            if name == "environment":
                shown = f"{version.environment.organisation} · {shown}"  # type: ignore[union-attr]
            found.append((_(LABELS[name]), shown))
    return found


def _last_cases(person: Person) -> list[tuple[Case, Matter]]:
    """The last cases that this person sees, the newest first, as routing looks at them."""
    rows = Case.objects.visible_to(person).select_related("organisation")
    return [(case, matter_of(case)) for case in rows.order_by("-opened_at", "-pk")[:LAST]]


@dataclass(frozen=True)
class Preview:
    """Of the last cases: those that a rule would take, and how many it would if another before it
    did not."""

    tried: int
    taken: list[Case]
    overtaken: int


def preview(person: Person, draft: RuleVersion, rule: RoutingRule | None) -> Preview:
    """What a rule would take as it is drafted, at its place among the others (None, or one out of
    use: after them). The same function decides as when a case is routed."""
    mine = replace(draft.plain, number=0)
    others = rules_in_force()
    rules = [
        mine if rule is not None and version.rule_id == rule.pk else version.plain
        for version in others
    ]
    if mine not in rules:
        rules.append(mine)
    return _try(mine, rules, _last_cases(person))


def _try(mine: Rule, rules: Sequence[Rule], cases: Iterable[tuple[Case, Matter]]) -> Preview:
    taken, overtaken, tried = [], 0, 0
    for case, matter in cases:
        tried += 1
        if find_rule(rules, matter) is mine:
            taken.append(case)
        elif mine.takes(matter):
            overtaken += 1
    return Preview(tried, taken, overtaken)


# People -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AgentRow:
    """Somebody who takes cases: what they know, how much they have, and whether they are there."""

    person: Person
    agent: Agent
    skills: Skills | None
    cases: str
    there: str


def agent_rows(at: datetime) -> list[AgentRow]:
    """Everybody to whom a case may go, by name. The same number of queries, however many
    people."""
    agents = agents_at(at)
    people = Person.objects.in_bulk([agent.person for agent in agents])
    skills = Skills.objects.filter(person__in=people).prefetch_related("specialties", "customers")
    known = {row.pk: row for row in skills}
    rows = [
        AgentRow(
            people[agent.person],
            agent,
            known.get(agent.person),
            cases_words(agent.open_cases),
            _there(agent),
        )
        for agent in agents
    ]
    return sorted(rows, key=lambda row: (row.person.name.lower(), row.person.pk))


def _there(agent: Agent) -> str:
    if agent.presence.away:
        return _("Absent")
    if agent.presence.days is None:
        return _("Does not work these weeks")
    return _("There now") if agent.presence.days == 0 else _("Off until their next shift")


def language_words(codes: Iterable[str]) -> str:
    """Languages as a list in words."""
    return ", ".join(_(LANGUAGES[code]) for code in sorted(codes))


def get_agent(pk: int) -> Person:
    """Somebody of the firm. Raises Person.DoesNotExist."""
    person = Person.objects.get(pk=pk)
    if not person.is_firm:
        raise Person.DoesNotExist
    return person


def find_skills(person: Person) -> Skills | None:
    return Skills.objects.filter(person=person).first()


# Absences ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AbsenceRow:
    """An absence by its printed days, in the person's own zone; `now`: whether it holds."""

    absence: Absence
    first: date
    last_day: date
    now: bool


def absences(at: datetime) -> list[AbsenceRow]:
    """Who is away or will be, the nearest first. One query."""
    rows: QuerySet[Absence] = Absence.objects.not_over(at).select_related("person", "substitute")
    return [_row(absence, at) for absence in rows.order_by("since", "pk")]


def get_absence(pk: int) -> Absence:
    """Raises Absence.DoesNotExist."""
    return Absence.objects.select_related("person").get(pk=pk)


def _row(absence: Absence, at: datetime) -> AbsenceRow:
    zone = ZoneInfo(absence.person.zone)
    return AbsenceRow(
        absence,
        absence.since.astimezone(zone).date(),
        (absence.until - timedelta(microseconds=1)).astimezone(zone).date(),
        absence.since <= at,
    )


def of_the_firm() -> QuerySet[Person]:
    """Everybody with a running role at the firm, by name: who may be away, and stand in."""
    rows = Person.objects.get_queryset().filter(
        memberships__organisation__kind=OrganisationKind.FIRM,
        memberships__until__isnull=True,
        is_active=True,
    )
    return rows.distinct().order_by("name", "email")


# One case -----------------------------------------------------------------------------------------


def why_assigned(timeline: Iterable[tuple[LedgerLine, str]]) -> str:
    """The sentence of the last line that said who has the case; "" if none did."""
    said = [text for line, text in timeline if line.kind in GIVING]
    return said[-1] if said else ""
