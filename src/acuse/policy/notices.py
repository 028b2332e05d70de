"""When somebody is told by mail of what concerns them: at once, in a digest, or in the portal only.

Whatever is chosen here, every notice stands in the inbox at once. What binds somebody (deliveries,
terms, decisions: `Kind.legal`) belongs to no group: it is mailed at once and cannot be silenced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from .calendar import ONE_DAY, Calendar
from .fields import N_, InvalidField, require_aware, require_int
from .kinds import Kind

LONGEST_REST = 366  # days; a calendar that does not work for a year holds nothing back
ONE_HOUR = timedelta(hours=1)

NOT_A_GROUP = N_("is not a group of notices")
NOT_A_WAY = N_("“%(value)s” is not a way to be told")


class Group(StrEnum):
    """What somebody can choose a way for; FIRM and OPENED concern the firm's people only."""

    CONVERSATION = "conversation"
    PROGRESS = "progress"
    OPENED = "opened"
    FIRM = "firm"


class Way(StrEnum):
    """How a group of notices is told beside the inbox."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"
    PORTAL = "portal"


FOR_CUSTOMERS = (Group.CONVERSATION, Group.PROGRESS)

_OPENED = frozenset({"open", "confirm_report"})
_CONVERSATION = frozenset(
    {"comment", "ask", "answer", "place_mail", "log_non_binding_contact", "answer_objection"}
)


def group_of(kind: Kind) -> Group | None:
    """The group of a kind of notice; None: it is legal and mailed at once whatever was chosen."""
    if kind.legal:
        return None
    if kind.audience == "firm":
        return Group.FIRM
    if kind.name in _OPENED:
        return Group.OPENED
    return Group.CONVERSATION if kind.name in _CONVERSATION else Group.PROGRESS


@dataclass(frozen=True)
class Preferences:
    """What a person chose; by default all at once, at any hour.

    ways: of each group, where it is not at once. daily_hour: 0 to 23, in the person's zone, when
    the daily digest goes. quiet: nothing outside of working hours but what is legal. Raises
    InvalidField.
    """

    ways: Mapping[Group, Way] = field(default_factory=dict)
    daily_hour: int = 8
    quiet: bool = False

    def __post_init__(self) -> None:
        require_int("daily_hour", self.daily_hour, 0, 23)

    def way(self, group: Group) -> Way:
        return self.ways.get(group, Way.AT_ONCE)

    def to_json(self) -> dict[str, str]:
        """The ways in plain types: what is not at once."""
        return {str(g): str(w) for g, w in sorted(self.ways.items()) if w != Way.AT_ONCE}


def read_ways(data: Mapping[str, Any]) -> dict[Group, Way]:
    """The ways by the codes of groups. Raises InvalidField naming the group."""
    found = {}
    for name, value in data.items():
        if name not in set(Group):
            raise InvalidField(name, NOT_A_GROUP)
        if value not in set(Way):
            raise InvalidField(name, NOT_A_WAY, value=value)
        found[Group(name)] = Way(value)
    return found


@dataclass(frozen=True)
class Plan:
    """How one notice is told: AT_ONCE is a letter of its own, not before `at`; HOURLY and DAILY
    a line of the digest that goes at `at`; PORTAL no mail."""

    way: Way
    at: datetime


def plan(
    preferences: Preferences, group: Group, at: datetime, zone: str, calendar: Calendar | None
) -> Plan:
    """How a notice of this group is told that comes up at a moment. `zone`: the person's (IANA);
    `calendar`: their working hours, read only where they want quiet; None: they have none."""
    way = preferences.way(group)
    due = at
    if way is Way.HOURLY:
        due = next_hour(at, zone)
    elif way is Way.DAILY:
        due = next_daily(at, preferences.daily_hour, zone)
    if preferences.quiet and calendar is not None and way is not Way.PORTAL:
        due = next_opening(calendar, due)
    return Plan(way, due)


def next_hour(at: datetime, zone: str) -> datetime:
    """The next full hour (UTC instant) after a moment, as clocks of the zone show it."""
    local = require_aware("at", at).astimezone(ZoneInfo(zone))
    begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at.astimezone(UTC) - begun + ONE_HOUR


def next_daily(at: datetime, hour: int, zone: str) -> datetime:
    """The next moment (UTC) after `at` at which clocks of the zone first show this full hour; on
    a day that skips it, an hour later."""
    tz = ZoneInfo(zone)
    day = require_aware("at", at).astimezone(tz).date()
    while True:
        due = datetime.combine(day, time(hour), tzinfo=tz).astimezone(UTC)
        if due > at:
            return due
        day += ONE_DAY


def next_opening(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself on a working day between its first opening and its last closing (nobody is
    spared a notice for lunch), else the next opening."""
    day = calendar.local_day(at)
    for _ in range(LONGEST_REST):
        spans = calendar.working_spans(day)
        if spans and at < spans[-1][1]:
            return max(at, spans[0][0])
        day += ONE_DAY
    return at
