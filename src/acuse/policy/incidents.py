"""Incidents: when a failing system becomes a case, what is noted on it, when it is over (P06).

Checks and alerts say over and over that something fails or works. What follows from it is one step
at a time, asked for after every signal and once a minute: open a case, note that it failed again,
note that it comes and goes, note the recovery, end the incident. What the case was told last and
how things stand decide; so a lost or repeated signal changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FLAPS_FROM = 4  # so many changes within FLAPS_WITHIN, and it comes and goes
FLAPS_WITHIN = timedelta(minutes=30)
CALM = timedelta(minutes=15)  # what came and went has recovered once it worked for so long
SETTLED = timedelta(hours=1)  # after so long without a failure, closing the case is proposed


class Told(StrEnum):
    """What the case was told last."""

    NOTHING = ""
    FAILING = "failing"
    FLAPPING = "flapping"
    RECOVERED = "recovered"


class Step(StrEnum):
    """What is to be done next."""

    OPEN = "open"  # a case
    AGAIN = "again"  # note on the case that it fails again
    FLAPS = "flaps"  # note that it comes and goes, and that single changes are not noted
    RECOVER = "recover"  # note the recovery
    END = "end"  # the next failure is another incident


@dataclass(frozen=True)
class Signal:
    """What a check or an alert says of one thing. `fingerprint`: which one (64 hex digits);
    `started_at`: since when, as the sender has it; `count`: how many alerts it stands for."""

    fingerprint: str
    failing: bool
    title: str
    text: str
    started_at: datetime | None = None
    count: int = 1


@dataclass(frozen=True)
class Condition:
    """How an incident stands: whether it fails, since when, what its case was told, and the last
    changes between failing and working (oldest first, at most FLAPS_FROM)."""

    failing: bool
    changed_at: datetime
    told: Told = Told.NOTHING
    changes: tuple[datetime, ...] = ()

    def flaps(self, at: datetime) -> bool:
        """Whether it has come and gone too often of late."""
        recent = [moment for moment in self.changes if at - moment <= FLAPS_WITHIN]
        return len(recent) >= FLAPS_FROM


def hear(before: Condition, failing: bool, at: datetime, *, silenced: bool) -> Condition:
    """The condition after a signal. Changes during maintenance are no flapping."""
    if failing == before.failing:
        return before
    changes = before.changes if silenced else (*before.changes, at)[-FLAPS_FROM:]
    return replace(before, failing=failing, changed_at=at, changes=changes)


def next_step(
    now: Condition, at: datetime, *, silenced: bool, case_ended: bool = False
) -> Step | None:
    """What is to be done at a moment, or None. `silenced`: the system is under maintenance;
    `case_ended`: somebody closed or cancelled the case, after which only recovery ends the
    incident: what people have dealt with does not open a second case while it lasts."""
    if not now.failing and (now.told is Told.NOTHING or case_ended):
        return Step.END
    if silenced or case_ended:
        return None
    if now.told is Told.NOTHING:
        return Step.OPEN
    if now.failing:
        return _while_failing(now, at)
    if now.told is Told.RECOVERED:
        return None
    calm = at - now.changed_at >= CALM
    if now.told is Told.FLAPPING or now.flaps(at):
        return Step.RECOVER if calm else None
    return Step.RECOVER


def _while_failing(now: Condition, at: datetime) -> Step | None:
    if now.told is Told.FLAPPING:
        return None
    if now.flaps(at):
        return Step.FLAPS
    return Step.AGAIN if now.told is Told.RECOVERED else None


TELLS = {
    Step.OPEN: Told.FAILING,
    Step.AGAIN: Told.FAILING,
    Step.FLAPS: Told.FLAPPING,
    Step.RECOVER: Told.RECOVERED,
}


def take(now: Condition, step: Step) -> Condition:
    """The condition once a step has been done."""
    return replace(now, told=TELLS.get(step, now.told))


def proposes_closing(now: Condition, at: datetime) -> bool:
    """Whether it has worked so long that its case may be closed."""
    return not now.failing and now.told is Told.RECOVERED and at - now.changed_at >= SETTLED


@dataclass(frozen=True)
class Streak:
    """How the last results of a check stand: `failing` is what it says to the outside."""

    failing: bool = False
    passed: int = 0  # in a row
    failed: int = 0  # in a row

    def count(self, passes: bool, *, to_open: int, to_recover: int) -> Streak:
        """One more result: it fails after `to_open` failures in a row, and works again after
        `to_recover` passes in a row."""
        passed, failed = (self.passed + 1, 0) if passes else (0, self.failed + 1)
        if self.failing:
            return Streak(passed < to_recover, passed, failed)
        return Streak(failed >= to_open, passed, failed)


def fingerprint(*parts: object) -> str:
    """Which thing fails, from what names it (64 hex digits)."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
