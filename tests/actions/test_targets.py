"""Committed times of a case: who is warned when, once each; what pauses and what changes a clock
(P05, P13, P14, P21, P22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from acuse.actions import administration as admin
from acuse.actions import clock, conversation, life, triage
from acuse.journal import deadlines
from acuse.models import Case, ClockInterval, LedgerLine, Membership
from acuse.models.clocks import clocks_of
from acuse.policy.calendar import colombia
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.stages import Ball, Role, Stage
from acuse.policy.targets import Clock, Stretch, Target
from acuse.policy.terms import working_minutes
from acuse.policy.versions import PolicyParameters
from tests.world import HOUR, LONG_AGO, START, World

FAR = START + timedelta(days=300)
DAY = timedelta(days=1)


def told(line: LedgerLine) -> set[str]:
    return {str(notice.person).split()[0] for notice in line.notices.all()}


def at_level(world: World, who: str, level: str) -> None:
    Membership.objects.filter(person=world.people[who], role=Role.SUPPORT).update(level=level)


def said(lines: list[LedgerLine]) -> list[tuple[str, object]]:
    return [(line.kind, line.payload.get("percent")) for line in lines]


ALL = [("warn", 50), ("warn", 75), ("breach", None)]


def given_to(world: World, case: Case, who: str, at: datetime | None = None) -> None:
    triage.assign(world.on(case, "mario", at), person=world.people[who])


# Who is warned ------------------------------------------------------------------------------------


def test_a_warning_goes_to_who_has_the_case_then_up_the_levels_then_to_the_manager(
    world: World,
) -> None:
    at_level(world, "paula", "n2")
    second = admin.add_person("dario@firm.example", "Darío Dos", verified_at=LONG_AGO)
    admin.give_role(second, world.firm, Role.SUPPORT, since=LONG_AGO, level="n2")
    third = admin.add_person("tere@firm.example", "Tere Tres", verified_at=LONG_AGO)
    admin.give_role(third, world.firm, Role.SUPPORT, since=LONG_AGO, level="n3")
    case = world.analysed()
    given_to(world, case, "sara")
    assert case.level == "n1"
    lines = world.fire(FAR)
    assert said(lines) == ALL
    half, most, missed = lines
    assert told(half) == {"Sara"}
    assert half.payload["level"] is None
    assert told(most) == {"Sara", "Paula", "Darío"}
    assert most.payload == {
        "deadline": "delivery_warning",
        "due": most.at.isoformat(),
        "minutes": 960,
        "percent": 75,
        "level": "n2",
    }
    assert told(missed) == {"Sara", "Paula", "Mario"}
    assert {line.audience for line in lines} == {"firm"}
    assert {line.author_kind for line in lines} == {"clock"}
    case = world.fresh(case)
    assert (case.level, case.assignee) == ("n2", world.sara)  # nobody took it from her


def test_without_assignee_the_single_point_of_contact_is_warned(world: World) -> None:
    world.report()
    half, most, missed = world.fire(FAR)
    assert (told(half), told(most), told(missed)) == ({"Paula"}, {"Paula"}, {"Paula", "Mario"})


def test_with_nobody_at_all_everybody_of_support_is_warned(world: World) -> None:
    world.andina.spoc = None
    world.andina.save()
    world.report()
    half, most, _missed = world.fire(FAR)
    assert told(half) == told(most) == {"Sara", "Paula"}


def test_without_a_manager_a_miss_is_told_to_who_administers(world: World) -> None:
    world.mario.is_active = False
    world.mario.save()
    world.report()
    *_, missed = world.fire(FAR)
    assert missed.kind == "breach"
    assert told(missed) == {"Paula", "Ada"}


def test_an_assignee_who_has_left_leaves_the_warning_to_others(world: World) -> None:
    case = world.analysed()
    given_to(world, case, "sara")
    world.sara.is_active = False
    world.sara.save()
    half, *_ = world.fire(FAR)
    assert told(half) == {"Paula"}


def test_above_the_highest_level_there_is_none(world: World) -> None:
    case = world.report()
    triage.escalate(world.on(case, "paula"), direction="functional", text="Al fondo", level="n3")
    _half, most, _missed = world.fire(FAR)
    assert most.payload["level"] is None
    assert world.fresh(case).level == "n3"


def test_the_thresholds_are_those_of_the_policy_version() -> None:
    assert PolicyParameters().target_warning_percents == (50, 75)


@pytest.mark.parametrize("percents", [(), (90,), (10, 20, 30)])
def test_another_policy_version_warns_elsewhere(world: World, percents: tuple[int, ...]) -> None:
    rules = PolicyParameters(target_warning_percents=percents)
    admin.publish_policy("Otra", rules, LONG_AGO)
    newest = type(world.policy).objects.latest("number")
    case = world.report()
    Case.objects.filter(pk=case.pk).update(policy=newest)
    deadlines.replan(world.fresh(case), START)
    assert said(world.fire(FAR)) == [*(("warn", n) for n in percents), ("breach", None)]


# Once each ----------------------------------------------------------------------------------------


def test_each_threshold_is_told_once_however_often_it_is_fired_and_planned_again(
    world: World,
) -> None:
    case = world.analysed()
    heard: list[LedgerLine] = []
    for day in range(60):
        now = START + day * DAY
        heard += world.fire(now)
        heard += [line for pk in clock.due(now) if (line := clock.fire(pk, now)) is not None]
        deadlines.replan(world.fresh(case), now)
        conversation.internal_note(world.on(case, "sara", now), text="Sigo")
    assert said(heard) == ALL
    years = (2025, 2026, 2027)
    later = replace(colombia(years, reviewed=years), holidays={START.date(): "Paro"})
    admin.publish_calendar(later)
    assert world.fire(FAR) == []


def test_a_pause_moves_what_is_to_come_and_repeats_nothing(world: World) -> None:
    case = world.analysed()  # 960 minutes from Tuesday 9:00: half of them by Wednesday 9:00
    half = case.deadlines.get(kind="delivery_warning", step=50)
    assert said(world.fire(half.due_at)) == [("warn", 50)]
    asked = conversation.ask(world.on(case, "sara", half.due_at), addressee="user", text="¿?")
    assert set(case.deadlines.filter(fired_at=None).values_list("kind", flat=True)) == {
        "wait_reminder"
    }
    wait = case.waits.get(pk=asked.payload["wait"])
    conversation.answer(world.on(case, "ana", asked.at + 7 * DAY), wait=wait, text="Sí")
    most, missed = [line for line in world.fire(FAR) if line.kind != "remind"]
    assert said([most, missed]) == ALL[1:]
    assert most.at == datetime(2026, 11, 25, 20, 0, tzinfo=START.tzinfo)  # four hours more: 15:00
    assert missed.at == datetime(2026, 11, 26, 14, 0, tzinfo=START.tzinfo)


def test_a_miss_is_dated_when_it_came_about_even_if_the_clock_was_stopped_since(
    world: World,
) -> None:
    """The worker was down: the case was handed to the customer after its time had run out."""
    case = world.analysed()
    due_at = case.deadlines.get(kind="delivery").due_at
    conversation.ask(world.on(case, "sara", due_at + DAY), addressee="user", text="¿?")
    lines = [line for line in world.fire(due_at + DAY + HOUR) if line.kind != "remind"]
    assert said(lines) == ALL
    assert lines[-1].at == due_at


def test_nobody_is_warned_of_what_has_been_answered_or_delivered(world: World) -> None:
    case = world.report()
    assert case.deadlines.count() == 3
    life.take(world.on(case, "sara"))
    assert not case.deadlines.exists()
    kinds = world.delivered().deadlines.values_list("kind", flat=True)
    assert not {"delivery", "delivery_warning"} & set(kinds)


# Another priority is another target ---------------------------------------------------------------


def classify(world: World, case: Case, at: datetime, wanted: Priority) -> None:
    life.classify(
        world.on(case, "sara", at),
        impact=Impact.CRITICAL_PROCESS,
        urgency=Urgency.WORK_BLOCKED,
        priority=wanted,
        reason="Acordado",
    )


def test_another_priority_takes_over_what_was_used_and_has_alarms_of_its_own(
    world: World,
) -> None:
    case = world.analysed()
    high = case.deadlines.get(kind="delivery")
    assert said(world.fire(high.due_at)) == ALL
    classify(world, case, high.due_at + HOUR, Priority.LOW)  # 4800 minutes, 960 of them used
    low = case.deadlines.get(kind="delivery", fired_at=None)
    assert (high.subject, low.subject) == (960, 4800)
    (found,) = [c for c in clocks_of(world.fresh(case)) if c.target.name == "delivery"]
    assert found.used(high.due_at) == 960
    assert said(world.fire(FAR)) == ALL
    assert [line.payload["minutes"] for line in case.ledger.filter(kind="warn")] == [
        960, 960, 4800, 4800,
    ]  # fmt: skip
    classify(world, case, FAR, Priority.HIGH)
    assert world.fire(FAR + DAY) == []  # that target had its alarms


def test_a_higher_priority_is_late_from_the_opening_and_warns_of_nothing_that_passed(
    world: World,
) -> None:
    """The delivery target is planned from the opening: a case raised to Urgent after a day has
    missed it already, and says so once, dated when it came about."""
    case = world.analysed()
    classify(world, case, START + 7 * HOUR, Priority.URGENT)  # 480 minutes round the clock
    left = case.deadlines.get(kind="delivery", fired_at=None)
    assert left.due_at == START + 8 * HOUR
    assert not case.deadlines.filter(kind="delivery_warning", fired_at=None).exists()
    assert said(world.fire(FAR)) == [("breach", None)]


def test_without_committed_times_nothing_runs_and_nobody_is_warned(world: World) -> None:
    case = world.report("nora")
    life.take(world.on(case, "sara"))
    life.classify(
        world.on(case, "sara"), impact=Impact.WHOLE_OPERATION, urgency=Urgency.CUSTOMER_NOTICES
    )
    assert world.fresh(case).priority == "low"
    assert clocks_of(world.fresh(case)) == []
    assert not case.deadlines.exists()


# What the minutes are -----------------------------------------------------------------------------


def edited(*days: date) -> None:
    years = (2025, 2026, 2027)
    calendar = colombia(years, reviewed=years)
    holidays = {**calendar.holidays, **dict.fromkeys(days, "Paro")}
    admin.publish_calendar(replace(calendar, holidays=holidays))


def test_an_edit_lengthens_what_runs_and_leaves_what_was_counted(world: World) -> None:
    case = world.analysed()  # 9:00 reported, 10:00 taken
    before = case.deadlines.get(kind="delivery").due_at
    frozen = list(case.intervals.exclude(until=None).values_list("pk", "minutes", "calendar"))
    assert [minutes for _pk, minutes, _calendar in frozen] == [60]
    edited(START.date() + DAY)
    after = case.deadlines.get(kind="delivery").due_at
    assert after == before + DAY
    edited(START.date())  # the day on which the first hour was counted; the other works again
    assert case.deadlines.get(kind="delivery").due_at == datetime(
        2026, 11, 19, 22, 0, tzinfo=START.tzinfo
    )  # 60 minutes frozen; 900 from Wednesday 8:00 on, so until Thursday 17:00
    now = list(case.intervals.exclude(until=None).values_list("pk", "minutes", "calendar"))
    assert now == frozen
    edited()  # all taken back: the pinned calendar's end, and not before
    assert case.deadlines.get(kind="delivery").due_at == before


def test_a_stretch_is_frozen_with_the_version_that_counted_it(world: World) -> None:
    case = world.analysed()
    edited(START.date())
    life.diagnose(world.on(case, "sara", START + 5 * HOUR))
    first, second, _running = case.intervals.order_by("pk")
    assert (first.minutes, first.calendar) == (60, world.calendar)
    assert (second.minutes, second.calendar) == (0, world.calendar.latest())
    found = clocks_of(world.fresh(case))[-1]
    assert found.used(START + 5 * HOUR) == 60


def test_the_database_refuses_to_rewrite_what_was_counted(world: World) -> None:
    case = world.analysed()
    row = case.intervals.exclude(until=None).get()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ClockInterval.objects.filter(pk=row.pk).update(minutes=1)
    row.refresh_from_db()
    assert row.minutes == 60


def test_a_target_of_a_year_is_missed_at_the_end_of_its_last_working_day(world: World) -> None:
    """2000 hours from a Tuesday at 8:00 in Bogota, over all of Colombia's holidays of 2026."""
    opened, minutes = datetime(2025, 12, 30, 13, 0, tzinfo=UTC), 2000 * 60
    calendar = world.calendar.calendar
    admin.publish_contract(
        world.contract.contract,
        valid_from=LONG_AGO.date(),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        sla=admin.publish_sla("lento", dict.fromkeys(Priority, (480, minutes, False))),
    )
    case = world.analysed(at=opened)
    days = [opened.date() + n * DAY for n in range(400)]
    working = [day for day in days if calendar.is_business_day(day)]
    off = {day for day in calendar.holidays if day.year == 2026}
    assert len(off) == 19
    assert off < set(days) - set(working)
    assert all(day.weekday() < 5 for day in off)  # none of them falls on a day off as well
    due_at = calendar.working_spans(working[249])[-1][1]  # the end of the 250th day of 8 hours
    assert due_at == datetime(2027, 1, 12, 23, 0, tzinfo=UTC)  # Bogota's 18:00
    assert working_minutes(opened, minutes, calendar).until == due_at
    stretch = Stretch(opened, None, Stage.RECEIVED, Ball.FIRM, None, (calendar,))
    target = Target("delivery", "delivery_warning", minutes, round_the_clock=False)
    assert Clock.of(target, (stretch,)).due_at == due_at
    lines = world.fire(due_at - timedelta(microseconds=1))
    assert said(lines) == ALL[:2]
    assert [line.at for line in lines] == [
        calendar.working_spans(working[124])[1][1],
        calendar.working_spans(working[187])[0][1],  # noon of the 188th day: 1500 hours
    ]
    (missed,) = world.fire(due_at + 30 * DAY)  # the worker was down for a month
    assert (missed.kind, missed.at) == ("breach", due_at)
    assert missed.payload["due"] == due_at.isoformat()
    (clock_of_case,) = [c for c in clocks_of(world.fresh(case)) if c.target.name == "delivery"]
    assert (clock_of_case.used(due_at), clock_of_case.left(due_at)) == (minutes, 0)
