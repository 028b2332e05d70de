"""The firm's people to whom cases are given, as routing sees them at a moment (P14)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from ..policy import routing
from ..policy.calendar import around_the_clock
from ..policy.priority import Priority
from ..policy.routing import WORKERS, Agent, Matter
from ..policy.stages import Ball, Role, Stage
from .base import get_version
from .case import Case
from .contracts import CalendarVersion
from .people import Membership, OrganisationKind, Person
from .routing import Absence, Skills

STANDARD = "standard"  # the firm's own calendar


def matter_of(case: Case) -> Matter:
    """What routing looks at of a case."""
    return Matter(
        case.organisation_id,
        case.environment_id,
        case.module_id,
        case.specialty_id,
        case.type_id,
        Priority(case.priority),
        case.language,
        Stage(case.stage),
        case.queue_id,
        case.level or routing.LEVELS[0],
    )


def agents_at(at: datetime) -> list[Agent]:
    """Everybody who works in support or as a consultant at a moment, with what they know and have
    to do. Eight queries, however many people."""
    held = Membership.objects.in_force(at).filter(
        organisation__kind=OrganisationKind.FIRM, role__in=WORKERS, person__is_active=True
    )
    people: dict[int, Person] = {}
    roles: dict[int, list[tuple[Role, str]]] = {}
    for row in held.select_related("person").order_by("person_id"):
        people[row.person_id] = row.person
        roles.setdefault(row.person_id, []).append((Role(row.role), row.level))
    known = _skills(people)
    calendars = _calendars({STANDARD, *(row.calendar for row in known.values())})
    away = _absences(people, at)
    loads = _loads(people)
    found = []
    for pk, person in people.items():
        skills = known.get(pk)
        calendar = calendars.get(skills.calendar if skills else "") or calendars.get(STANDARD)
        absences = away.get(pk, [])
        open_cases, load = loads.get(pk, (0, 0))
        found.append(
            Agent(
                pk,
                frozenset(role for role, _ in roles[pk]),
                routing.level_of(roles[pk]),
                frozenset(row.pk for row in skills.specialties.all()) if skills else frozenset(),
                frozenset({person.language, *(skills.languages if skills else ())}),
                frozenset(row.pk for row in skills.customers.all()) if skills else frozenset(),
                open_cases,
                load,
                _presence(calendar, absences, at),
            )
        )
    return found


def _presence(
    version: CalendarVersion | None, absences: Iterable[routing.Absence], at: datetime
) -> routing.Presence:
    """By the person's calendar; before the firm has any, everybody is there at any time."""
    calendar = version.calendar if version is not None else around_the_clock("UTC")
    return routing.presence(calendar, absences, at)


def _skills(people: Collection[int]) -> dict[int, Skills]:
    rows = Skills.objects.filter(person__in=people).prefetch_related("specialties", "customers")
    return {row.pk: row for row in rows}


def _calendars(names: Collection[str]) -> dict[str, CalendarVersion]:
    """The newest version of each calendar of these names."""
    newest = CalendarVersion.objects.filter(name__in=names).order_by("name", "-number")
    found = newest.distinct("name").values_list("name", "pk")
    return {name: get_version(CalendarVersion, pk) for name, pk in found}


def _absences(people: Collection[int], at: datetime) -> dict[int, list[routing.Absence]]:
    found: dict[int, list[routing.Absence]] = {}
    for row in Absence.objects.not_over(at).filter(person__in=people):
        found.setdefault(row.person_id, []).append(row.plain)
    return found


def _loads(people: Collection[int]) -> dict[int, tuple[int, int]]:
    """How many open cases each has, and what they weigh."""
    loads: dict[int, tuple[int, int]] = {}
    rows = Case.objects.open().filter(assignee__in=people)
    for person, priority, ball in rows.values_list("assignee", "priority", "ball"):
        count, load = loads.get(person, (0, 0))
        loads[person] = (count + 1, load + routing.weigh(Priority(priority), Ball(ball)))
    return loads
