"""How the demo's firm organises itself: who knows what, who is on call, what triage asks for.

It has no routing rules: without one nothing is routed, and who looks around finds every case where
its story left it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from acuse.actions import checklists, oncall, staffing
from acuse.models import CaseType, Specialty
from acuse.policy.oncall import Line

from .firm import Cast

SKILLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # short name: specialties, languages
    "valentina": (("funcional",), ("es", "en")),
    "andres": (("contable", "funcional"), ("es", "pt")),
    "ricardo": (("desarrollo", "infraestructura"), ("es", "en")),
    "camila": (("contable",), ("es",)),
    "julian": (("desarrollo",), ("es", "en")),
    "natalia": (("funcional",), ("es", "pt", "en")),
}
ON_CALL = {Line.FIRST: ("andres", "ricardo"), Line.SECOND: ("julian", "camila")}
A_TURN, TURNS_BEFORE = 7, 2  # days of a turn; turns before the demo's last week
CHECKLIST = (
    "¿Qué hizo y qué mensaje apareció?",
    "¿En qué documento? (número)",
    "¿Desde cuándo pasa y a cuántas personas?",
)


def organise(cast: Cast, begun: datetime, last_day: date) -> None:
    """Skills and the checklist of incidents since the demo began; turns on call, so that the first
    of each line are on call in the week of the demo's last business day, for two months more."""
    people, by = cast.people, cast.people["felipe"]
    known = {row.code: row for row in Specialty.objects.all()}
    for short, (specialties, languages) in SKILLS.items():
        facts = staffing.SkillFacts(tuple(known[code] for code in specialties), languages)
        staffing.set_skills(people[short], facts, by=by, at=begun)
    incidents = CaseType.objects.get(code="incidente")
    checklists.publish_checklist(incidents, CHECKLIST, seen=0, by=by, at=begun)
    calendar = cast.ground.calendar.calendar
    monday = last_day - timedelta(days=last_day.weekday())
    since = calendar.end_of_day(monday - timedelta(days=1 + TURNS_BEFORE * A_TURN))
    for line, turns in ON_CALL.items():
        plan = oncall.TurnPlan(
            line, tuple(people[x] for x in turns), since, A_TURN, 5, calendar.zone
        )
        oncall.plan_turns(plan, by=people["gloria"], at=since)
