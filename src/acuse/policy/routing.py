"""Where a case goes: by rules to a queue and a level, then to a person by skill, presence and load
(P03, P05, P14).

One function decides; what a page shows beforehand and what happens are its answers alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from .calendar import ONE_DAY, Calendar, around_the_clock
from .fields import N_, InvalidField
from .priority import Priority
from .stages import ENDED, MAIN_LINE, Ball, Role, Stage

LEVELS = ("n1", "n2", "n3")
WORKERS = frozenset({Role.SUPPORT, Role.CONSULTANT})  # whom cases are given to
GIVING = ("take", "assign", "escalate", "route")  # acts that say who has a case
LOOKS_AHEAD = 31  # days; who does not work in these is not waited for
LONGEST_ABSENCE = 366  # days

ENDS_FIRST = N_("must not end (%(last_day)s) before it starts (%(first)s)")
TOO_LONG = N_("must not be longer than %(limit)s days")

# How much of somebody's time an open case takes while the firm has to move; one that waits for
# others takes little, whatever its priority.
_WEIGHTS = {Priority.URGENT: 4, Priority.HIGH: 3, Priority.MEDIUM: 2, Priority.LOW: 1}


class Outcome(StrEnum):
    """What routing came to: somebody gets the case, somebody keeps it, or nobody fits."""

    ASSIGNED = "assigned"
    KEPT = "kept"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Matter:
    """What is known of a case: what rules look at (ids, codes), where it stands, and its queue
    and level (a code, n1 where none is set)."""

    customer: int | None = None
    environment: int | None = None
    module: int | None = None
    specialty: int | None = None
    type: int | None = None
    priority: Priority = Priority.LOW
    language: str = "es"
    stage: Stage = Stage.RECEIVED
    queue: int | None = None
    level: str = "n1"


CONDITIONS = ("customer", "environment", "module", "specialty", "type", "priority", "language")
"""What a rule may ask for, in the order in which it is shown."""


@dataclass(frozen=True)
class Rule:
    """What it asks of a case (a blank condition, None or "", asks nothing), and the queue and the
    lowest level to which it sends it. `number` is whatever the caller knows it by."""

    number: int
    queue: int
    level: str = ""
    customer: int | None = None
    environment: int | None = None
    module: int | None = None
    specialty: int | None = None
    type: int | None = None
    priority: str = ""
    language: str = ""

    @property
    def asked(self) -> Mapping[str, object]:
        """The conditions that are not blank."""
        return {name: getattr(self, name) for name in CONDITIONS if getattr(self, name)}

    def takes(self, matter: Matter) -> bool:
        """Whether the case is as every condition asks."""
        return all(getattr(matter, name) == wanted for name, wanted in self.asked.items())


def find_rule(rules: Iterable[Rule], matter: Matter) -> Rule | None:
    """The first rule, in their order, that takes the case."""
    return next((rule for rule in rules if rule.takes(matter)), None)


def find_shadow(rule: Rule, earlier: Iterable[Rule]) -> Rule | None:
    """The earlier rule that takes all that this one could, so that it never takes anything."""
    return next((other for other in earlier if other.asked.items() <= rule.asked.items()), None)


# Presence ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Absence:
    """Somebody is not there in [since, until); `substitute`: who stands in for them (an id)."""

    since: datetime
    until: datetime
    substitute: int | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at < self.until


def days_away(first: date, last_day: date, zone: str) -> tuple[datetime, datetime]:
    """The moments at which an absence begins and ends that lasts from one day to another, both
    included, as the zone counts days. Raises InvalidField."""
    if last_day < first:
        raise InvalidField("last_day", ENDS_FIRST, last_day=last_day, first=first)
    if (last_day - first).days >= LONGEST_ABSENCE:
        raise InvalidField("last_day", TOO_LONG, limit=LONGEST_ABSENCE)
    clock = around_the_clock(zone)
    return clock.end_of_day(first - ONE_DAY), clock.end_of_day(last_day)


def next_work(calendar: Calendar, at: datetime) -> datetime | None:
    """The first moment from `at` on at which the calendar works; None: in no day we look at."""
    today = calendar.local_day(at)
    for ahead in range(LOOKS_AHEAD + 1):
        for start, end in calendar.working_spans(today + ahead * ONE_DAY):
            if at < end and start < end:
                return max(start, at)
    return None


@dataclass(frozen=True)
class Presence:
    """`days`: how long until somebody works (0: now, 1: within a day from now, ...), None where
    nobody waits for them. `away`: they are absent at that moment, and `substitute` stands in."""

    days: int | None
    away: bool = False
    substitute: int | None = None


def presence(calendar: Calendar, absences: Iterable[Absence], at: datetime) -> Presence:
    """How somebody stands who works by this calendar. Who is off until tomorrow is only slower;
    who is absent when they would work next is away."""
    begins = next_work(calendar, at)
    if begins is None:
        return Presence(None)
    away = next((absence for absence in absences if absence.covers(begins)), None)
    if away is not None:
        return Presence(None, True, away.substitute)
    return Presence(0 if begins == at else 1 + (begins - at) // timedelta(days=1))


# People -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agent:
    """Somebody of the firm who takes cases: roles, level (a code), what they know (ids), speak
    (codes) and whose team they are in (ids of customers); how many open cases they have, what
    these weigh; whether they are there."""

    person: int
    roles: frozenset[Role]
    level: str
    specialties: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    customers: frozenset[int] = frozenset()
    open_cases: int = 0
    load: int = 0
    presence: Presence = Presence(0)


def level_of(roles: Iterable[tuple[Role, str]]) -> str:
    """The level at which somebody works, by their roles, each with its level ("": none said):
    support without one is the first, a consultant the last."""
    first, last = LEVELS[0], LEVELS[-1]
    return max(level or (last if role is Role.CONSULTANT else first) for role, level in roles)


def weigh(priority: Priority, ball: Ball) -> int:
    """What an open case weighs for who has it."""
    return _WEIGHTS[priority] if ball in (Ball.FIRM, Ball.BOTH) else 1


def movers(stage: Stage) -> frozenset[Role]:
    """Who of the workers can bring a case on from this stage, by the stage table; where only
    others can (the customer), whoever works on it."""
    onward = (act.who for act in MAIN_LINE if stage in act.stages and act.to - ENDED)
    return WORKERS & frozenset().union(*onward) or WORKERS


def fits(agent: Agent, matter: Matter) -> bool:
    """Whether they can do what the case needs, present or not."""
    return (
        bool(agent.roles & movers(matter.stage))
        and agent.level >= matter.level
        and matter.language in agent.languages
        and (matter.specialty is None or matter.specialty in agent.specialties)
    )


# The decision -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holding:
    """How a case stood: who has it (somebody who still works here), whether they keep it whatever
    it needs, whether a person put it into its queue, and to whom it must not go."""

    person: int | None = None
    firm: bool = False
    queue_fixed: bool = False
    not_to: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Decision:
    """Where a case goes, and why: by which rule, to which queue, level and person; for whom that
    person stands in; and how many open cases they had."""

    outcome: Outcome
    rule: int | None
    queue: int | None
    level: str
    person: int | None
    stands_in: int | None = None
    open_cases: int = 0


def decide(
    matter: Matter, rules: Sequence[Rule], agents: Sequence[Agent], holding: Holding
) -> Decision:
    """Where a case goes. A level is never lowered. Who has the case keeps it as long as they fit,
    or nobody else does; otherwise it goes to the best of those who fit and are there. Nobody is an
    outcome of its own, which sounds an alarm."""
    rule = None if holding.queue_fixed else find_rule(rules, matter)
    level = max(matter.level, rule.level) if rule is not None else matter.level
    wanted = replace(matter, level=level)
    number, queue = (rule.number, rule.queue) if rule is not None else (None, matter.queue)
    known = {agent.person: agent for agent in agents}
    has_it = holding.person is not None
    holder = known.get(holding.person or 0)
    stays = has_it and (holding.firm or (holder is not None and fits(holder, wanted)))
    best = None if stays else next(iter(choose(wanted, agents, holding.not_to)), None)
    if best is not None:
        agent, stands_in = best
        return Decision(
            Outcome.ASSIGNED, number, queue, level, agent.person, stands_in, agent.open_cases
        )
    if has_it:
        count = holder.open_cases if holder is not None else 0
        return Decision(Outcome.KEPT, number, queue, level, holding.person, None, count)
    return Decision(Outcome.NOBODY, number, queue, level, None)


def choose(
    matter: Matter, agents: Sequence[Agent], not_to: frozenset[int] = frozenset()
) -> list[tuple[Agent, int | None]]:
    """Who could take the case, the best first, each with the id of whom they stand in for. First
    who is there soonest, then who fits themselves before who stands in, the customer's own team,
    the nearest level, the least load, the fewest cases; the smallest id settles a tie."""
    known = {agent.person: agent for agent in agents}
    able = {agent.person: agent for agent in agents if fits(agent, matter)}
    found: list[tuple[tuple[int, ...], Agent, int | None]] = []
    for agent in able.values():
        if agent.presence.days is not None and agent.person not in not_to:
            found.append((_rank(agent, matter, None), agent, None))
        for other in _standing_in(agent, known):
            if other.person not in able and other.person not in not_to:
                found.append((_rank(other, matter, agent.person), other, agent.person))
    found.sort(key=lambda row: row[0])
    return [(agent, stands_in) for _, agent, stands_in in found]


def _standing_in(agent: Agent, known: Mapping[int, Agent]) -> Iterator[Agent]:
    """The substitute of somebody who is away; of a substitute who is away too, theirs. They need
    not fit: who named them vouches for them."""
    seen = {agent.person}
    while agent.presence.away:
        other = known.get(agent.presence.substitute or 0)
        if other is None or other.person in seen:
            return
        if other.presence.days is not None:
            yield other
        seen.add(other.person)
        agent = other


def _rank(agent: Agent, matter: Matter, stands_in: int | None) -> tuple[int, ...]:
    distance = abs(LEVELS.index(agent.level) - LEVELS.index(matter.level))
    return (
        agent.presence.days or 0,
        stands_in is not None,
        matter.customer not in agent.customers,
        distance,
        agent.load,
        agent.open_cases,
        agent.person,
        stands_in or 0,
    )
