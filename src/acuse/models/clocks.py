"""The clocks of a case's committed times, read from its rows (P21, P22)."""

from __future__ import annotations

from ..policy import targets
from ..policy.calendar import Calendar
from ..policy.stages import Ball, Stage
from ..policy.targets import Clock, Stretch, Target
from .case import Case
from .contracts import CalendarVersion


def targets_of(case: Case) -> list[Target]:
    """What the SLA table commits for the case's priority; nothing without a table (P22). There is
    no delivery to wait for before somebody has classified the case (P14)."""
    if case.sla is None:
        return []
    committed = targets.committed(case.sla.rows.get(case.priority) or {})
    return [target for target in committed if target.name != "delivery" or case.classified_at]


def clocks_of(case: Case) -> list[Clock]:
    """The clocks of everything that is committed for the case. Two queries; none without any."""
    committed = targets_of(case)
    if not committed:
        return []
    found = _stretches(case)
    return [Clock.of(target, found) for target in committed]


def counting_versions(case: Case) -> list[CalendarVersion]:
    """The calendar versions that count a running stretch: the one the case is pinned to and,
    where it has been edited since, the newest."""
    known: tuple[int, list[CalendarVersion]] = case.__dict__.get("_counting", (0, []))
    if known[0] != case.calendar_id:  # asked once of a loaded case (a request, an act)
        newest = case.calendar.latest()
        found = [case.calendar] if newest == case.calendar else [case.calendar, newest]
        case.__dict__["_counting"] = known = (case.calendar_id, found)
    return known[1]


def _stretches(case: Case) -> tuple[Stretch, ...]:
    running = tuple(version.calendar for version in counting_versions(case))
    if case.lines <= 1:  # opened and no more: one stretch, which may not have been written yet
        stage, ball = Stage(case.stage), Ball(case.ball)
        return (Stretch(case.opened_at, None, stage, ball, None, running),)
    return tuple(
        Stretch(
            row.since,
            row.until,
            Stage(row.stage),
            Ball(row.ball),
            row.minutes,
            running if row.until is None else _counted_by(case, row.calendar),
        )
        for row in sorted(case.intervals.all(), key=lambda row: (row.since, row.pk))
    )


def _counted_by(case: Case, version: CalendarVersion | None) -> tuple[Calendar, ...]:
    return ((version or case.calendar).calendar,)
