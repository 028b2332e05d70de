"""Timers: started and stopped on a case by one person for themselves. A timer logs nothing; what it
counted becomes time only where its person says so (P18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from ..models import Case, LedgerLine, Person, Timer
from ..policy.authors import Occasion
from ..policy.billing import Activity
from ..policy.fields import N_, InvalidField
from ..policy.refusals import Refused
from . import billing

SETTLED = N_("The time of this timer has been logged or thrown away already.")
RUNNING = N_("The timer still runs: stop it first.")


@dataclass(frozen=True)
class Started:
    """The timer that runs now, and the one that was stopped for it, if any."""

    timer: Timer
    stopped: Timer | None = None


@transaction.atomic
def start(case: Case, *, by: Person, at: datetime) -> Started:
    """Somebody begins to work on a case. Their timer on another case is stopped; one that runs on
    this case already runs on."""
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs that start at once
    running = _running(by)
    if running is not None and running.case_id == case.pk:
        return Started(running)
    if running is not None:
        _stop(running, at)
    return Started(Timer.objects.create(case=case, person=by, started_at=at), running)


@transaction.atomic
def stop(pk: int, *, by: Person, at: datetime) -> Timer:
    """Somebody's timer stops; one that has stopped stays as it is. Raises Timer.DoesNotExist."""
    timer = _get_own(pk, by)
    if timer.stopped_at is None:
        _stop(timer, at)
    return timer


def _stop(timer: Timer, at: datetime) -> None:
    timer.stopped_at = max(at, timer.started_at)
    timer.save(update_fields=["stopped_at"])


def _running(by: Person) -> Timer | None:
    return Timer.objects.of(by).filter(stopped_at__isnull=True).select_for_update().first()


def _get_own(pk: int, by: Person) -> Timer:
    return Timer.objects.of(by).select_for_update().get(pk=pk)


def _get_stopped(pk: int, by: Person) -> Timer:
    timer = _get_own(pk, by)
    if timer.stopped_at is None:
        raise InvalidField("timer", RUNNING)
    if timer.settled_at is not None:
        raise InvalidField("timer", SETTLED)
    return timer


def log(
    pk: int,
    occasion: Occasion,
    *,
    by: Person,
    work_date: date,
    minutes: int,
    activity: Activity,
    text: str,
) -> LedgerLine:
    """The time of a stopped timer is logged by the ordinary act, once: the minutes are what its
    person says, not what it counted (P18). Raises Refused, InvalidField, Timer.DoesNotExist."""
    refusal = None
    with transaction.atomic():
        timer = _get_stopped(pk, by)
        try:
            line = billing.log_time(
                occasion, work_date=work_date, minutes=minutes, activity=activity, text=text
            )
        except Refused as told:  # raised below: the note of a refusal is not to be rolled back
            refusal = told
        else:
            timer.settled_at, timer.entry_id = occasion.at, line.payload["entry"]
            timer.save(update_fields=["settled_at", "entry"])
    if refusal is not None:
        raise refusal
    return line


@transaction.atomic
def throw_away(pk: int, *, by: Person, at: datetime) -> Timer:
    """What a stopped timer counted is not logged. Raises InvalidField, Timer.DoesNotExist."""
    timer = _get_stopped(pk, by)
    timer.settled_at = at
    timer.save(update_fields=["settled_at"])
    return timer
