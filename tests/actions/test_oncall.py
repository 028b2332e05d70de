"""Out of hours: who is paged about an Urgent case, in which order, how it stops; the rota and its
hand-overs (P03, P05, P21)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from acuse.actions import administration as admin
from acuse.actions import clock, hooks, life, oncall
from acuse.actions.oncall import TurnPlan
from acuse.models import (
    Case,
    Change,
    Deadline,
    HandOver,
    HookDelivery,
    LedgerLine,
    Page,
    Paging,
    Person,
    Rota,
    Turn,
)
from acuse.models.base import get_version
from acuse.policy.fields import InvalidField
from acuse.policy.oncall import Line
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.stages import CancelReason, Role
from tests.world import LONG_AGO, START, World, refused

NIGHT = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)  # 02:00 in Bogota
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WAIT = 15 * MINUTE
ZONE = "America/Bogota"
URGENT = {"impact": Impact.WHOLE_OPERATION, "urgency": Urgency.WORK_BLOCKED}


def plan(world: World, line: Line, *who: str, since: datetime = START, days: int = 7) -> list[Turn]:
    people = tuple(world.people[name] for name in who)
    return oncall.plan_turns(TurnPlan(line, people, since, days, 1, ZONE), by=world.mario, at=START)


@pytest.fixture
def rota(world: World) -> None:
    plan(world, Line.FIRST, "sara")
    plan(world, Line.SECOND, "carlos")


def report(world: World, at: datetime = NIGHT, **details: object) -> Case:
    return world.report(at=at, **{**URGENT, **details})


def pages_of(case: Case) -> list[tuple[object, object, set[str]]]:
    """Each page of a case: rung, why, and who has a letter about it."""
    return [
        (line.payload["rung"], line.payload["why"], told(line))
        for line in LedgerLine.objects.filter(case=case, kind="page").order_by("seq")
    ]


def told(line: LedgerLine) -> set[str]:
    return {str(notice.person).split()[0] for notice in line.notices.all()}


# Who is paged -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_an_urgent_case_in_the_night_pages_the_first_then_the_second_then_the_managers(
    world: World,
) -> None:
    case = report(world)
    assert case.priority == Priority.URGENT
    assert Deadline.objects.get(case=case, kind="page").due_at == NIGHT
    world.fire(NIGHT)
    assert pages_of(case) == [("first", "urgent", {"Sara"})]
    world.fire(NIGHT + WAIT - MINUTE)
    assert len(pages_of(case)) == 1
    world.fire(NIGHT + WAIT)
    world.fire(NIGHT + 2 * WAIT)
    world.fire(NIGHT + 3 * WAIT)
    assert pages_of(case) == [
        ("first", "urgent", {"Sara"}),
        ("second", "not_acknowledged", {"Carlos"}),
        ("manager", "not_acknowledged", {"Mario"}),
        ("nobody", "not_acknowledged", set()),
    ]
    world.fire(NIGHT + DAY)
    assert len(pages_of(case)) == 4
    lines = LedgerLine.objects.filter(case=case, kind="page")
    assert {line.audience for line in lines} == {"firm"}
    assert {line.author_kind for line in lines} == {"clock"}
    assert all(n.legal for line in lines for n in line.notices.all())


@pytest.mark.usefixtures("rota")
@pytest.mark.parametrize(
    ("at", "details", "sla"),
    [
        (START, {}, True),  # the firm works
        (NIGHT, {"impact": Impact.CRITICAL_PROCESS}, True),  # High
        (NIGHT, {}, False),  # committed, but by the firm's hours
    ],
)
def test_nobody_is_paged_by_day_nor_for_less(
    world: World, at: datetime, details: dict[str, object], sla: bool
) -> None:
    if not sla:
        world.sla.rows["urgent"]["round_the_clock"] = False
        world.sla.save()
        get_version.cache_clear()
    case = report(world, at, **details)
    assert not Paging.objects.exists()
    world.fire(at + DAY)
    assert pages_of(case) == []


def test_without_a_rota_nobody_is_paged(world: World) -> None:
    report(world)
    assert not Paging.objects.exists()


@pytest.mark.usefixtures("rota")
def test_a_rota_out_of_use_pages_nobody(world: World) -> None:
    oncall.set_rota(15, False, by=world.ada, at=START)
    report(world)
    assert not Paging.objects.exists()


@pytest.mark.usefixtures("rota")
def test_a_case_that_becomes_urgent_in_the_night_pages_and_once_only(world: World) -> None:
    case = world.taken(at=NIGHT - 10 * MINUTE)
    assert not Paging.objects.exists()
    at = NIGHT + 90 * MINUTE
    for minutes in (0, 1):
        life.classify(world.on(case, "sara", at + minutes * MINUTE), **URGENT)
    assert Paging.objects.get().began_at == at
    world.fire(at + 2 * MINUTE)
    assert pages_of(case) == [("first", "urgent", {"Sara"})]


@pytest.mark.usefixtures("rota")
def test_a_case_that_is_urgent_no_more_or_has_ended_pages_nobody(world: World) -> None:
    case = report(world)
    world.fire(NIGHT)
    life.take(world.on(case, "sara", NIGHT + MINUTE))
    low = {"impact": Impact.QUESTION, "urgency": Urgency.CAN_WAIT}
    life.classify(world.on(case, "sara", NIGHT + 2 * MINUTE), **low)
    world.fire(NIGHT + DAY)
    assert len(pages_of(case)) == 1
    assert not Paging.objects.open().exists()
    life.classify(world.on(case, "sara", NIGHT + DAY), **URGENT)
    assert Paging.objects.open().get().began_at == NIGHT + DAY
    world.fire(NIGHT + DAY)
    assert len(pages_of(case)) == 2
    life.cancel(world.on(case, "ana", NIGHT + DAY + MINUTE), reason=CancelReason.WITHDRAWN)
    world.fire(NIGHT + 2 * DAY)
    assert len(pages_of(case)) == 2


def test_a_gap_is_passed_over_and_said(world: World) -> None:
    plan(world, Line.SECOND, "carlos")
    case = report(world)
    world.fire(NIGHT)
    assert pages_of(case) == [("second", "gap", {"Carlos"})]


def test_somebody_who_has_left_is_a_gap(world: World) -> None:
    plan(world, Line.FIRST, "sara")
    world.sara.is_active = False
    world.sara.save()
    case = report(world)
    world.fire(NIGHT)
    assert pages_of(case) == [("manager", "gap", {"Mario"})]


def test_nobody_is_paged_twice(world: World) -> None:
    plan(world, Line.FIRST, "mario")
    plan(world, Line.SECOND, "mario")
    case = report(world)
    for number in range(4):
        world.fire(NIGHT + number * WAIT)
    assert pages_of(case) == [
        ("first", "urgent", {"Mario"}),
        ("nobody", "not_acknowledged", set()),
    ]


@pytest.mark.usefixtures("rota")
def test_a_worker_that_was_down_does_not_use_up_the_chain(world: World) -> None:
    case = report(world)
    late = NIGHT + 5 * 60 * MINUTE
    world.fire(late)
    assert pages_of(case) == [("first", "urgent", {"Sara"})]
    line = LedgerLine.objects.get(case=case, kind="page")
    assert line.at == NIGHT  # when it should have been
    assert Paging.objects.get().next_at == late + WAIT


@pytest.mark.usefixtures("rota")
def test_a_page_does_not_wait_for_the_full_minute(world: World) -> None:
    case = report(world)
    jobs = ProcrastinateJob.objects.filter(task_name="fire_deadline")
    row = Deadline.objects.get(case=case, kind="page")
    assert [job.args for job in jobs] == [{"deadline_id": row.pk}]
    assert clock.fire(row.pk, NIGHT) is not None
    assert clock.fire(row.pk, NIGHT) is None
    assert jobs.count() == 1  # the next page waits for its moment


# Acknowledging ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_an_acknowledgement_ends_it_and_tells_who_was_paged(world: World) -> None:
    case = report(world)
    world.fire(NIGHT)
    world.fire(NIGHT + WAIT)
    line = oncall.acknowledge(world.on(case, "carlos", NIGHT + 20 * MINUTE))
    assert told(line) == {"Sara"}
    assert line.audience == "firm"
    paging = Paging.objects.get()
    assert (paging.acknowledged_by, paging.ended_at) == (world.carlos, line.at)
    world.fire(NIGHT + DAY)
    assert len(pages_of(case)) == 2
    with refused("already_decided"):
        oncall.acknowledge(world.on(case, "sara", NIGHT + 21 * MINUTE))


@pytest.mark.usefixtures("rota")
def test_only_the_firm_acknowledges_and_only_what_pages(world: World) -> None:
    case = world.report()
    with refused("not_paged"):
        oncall.acknowledge(world.on(case, "sara"))
    night = report(world)
    for who in ("ana", "ada"):
        with refused("not_your_role"):
            oncall.acknowledge(world.on(night, who, NIGHT + MINUTE))
    assert Paging.objects.open().count() == 1


@pytest.mark.usefixtures("rota")
def test_who_was_not_paged_may_acknowledge_too(world: World) -> None:
    case = report(world)
    world.fire(NIGHT)
    assert told(oncall.acknowledge(world.on(case, "mario", NIGHT + MINUTE))) == {"Sara"}


# Hand-overs ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_until_it_is_accepted_the_first_stays_on_call(world: World) -> None:
    row = oncall.offer(
        Line.FIRST, world.paula, NIGHT + DAY, since=None, by=world.sara, at=NIGHT - MINUTE
    )
    case = report(world)
    world.fire(NIGHT)
    assert pages_of(case) == [("first", "urgent", {"Sara"})]
    at = NIGHT + 5 * MINUTE
    oncall.take_over(row, by=world.paula, at=at)
    assert pages_of(case)[1:] == [("first", "handed_over", {"Paula"})]
    assert Paging.objects.get().next_at == at + WAIT  # with all the time to acknowledge
    world.fire(at + WAIT - MINUTE)
    assert len(pages_of(case)) == 2
    world.fire(at + WAIT)
    assert pages_of(case)[2:] == [("second", "not_acknowledged", {"Carlos"})]


@pytest.mark.usefixtures("rota")
def test_an_acknowledged_page_does_not_go_along(world: World) -> None:
    row = oncall.offer(
        Line.FIRST, world.paula, NIGHT + DAY, since=None, by=world.sara, at=NIGHT - MINUTE
    )
    case = report(world)
    world.fire(NIGHT)
    oncall.acknowledge(world.on(case, "sara", NIGHT + MINUTE))
    oncall.take_over(row, by=world.paula, at=NIGHT + 2 * MINUTE)
    assert len(pages_of(case)) == 1


@pytest.mark.usefixtures("rota")
def test_a_turn_comes_back_at_the_end_and_may_be_passed_on(world: World) -> None:
    end = NIGHT + 60 * MINUTE
    first = oncall.offer(
        Line.FIRST, world.paula, end, since=None, by=world.sara, at=NIGHT - 30 * MINUTE
    )
    oncall.take_over(first, by=world.paula, at=NIGHT - 20 * MINUTE)
    second = oncall.offer(
        Line.FIRST, world.carlos, end, since=NIGHT, by=world.paula, at=NIGHT - 10 * MINUTE
    )
    oncall.take_over(second, by=world.carlos, at=NIGHT - 5 * MINUTE)
    for at, who in ((NIGHT - MINUTE, "Paula"), (NIGHT, "Carlos"), (end, "Sara")):
        case = report(world, at)
        world.fire(at)
        assert pages_of(case)[0][2] == {who}


@pytest.mark.usefixtures("rota")
def test_a_declined_or_withdrawn_offer_changes_nothing(world: World) -> None:
    for by in (world.paula, world.sara):
        row = oncall.offer(
            Line.FIRST, world.paula, NIGHT + DAY, since=None, by=world.sara, at=NIGHT - MINUTE
        )
        oncall.decline(row, by=by, at=NIGHT - MINUTE)
        with pytest.raises(InvalidField, match="answered or taken back"):
            oncall.take_over(row, by=world.paula, at=NIGHT)
    acts = list(Change.objects.filter(subject="hand_over").values_list("act", flat=True))
    assert sorted(acts) == ["decline", "offer", "offer", "take_back"]


@pytest.mark.usefixtures("rota")
def test_what_an_offer_has_to_be(world: World) -> None:
    def offer(
        taker: Person, until: datetime, by: str = "sara", since: datetime | None = None
    ) -> HandOver:
        return oncall.offer(Line.FIRST, taker, until, since=since, by=world.people[by], at=NIGHT)

    for who, until, more, told in (
        (world.paula, NIGHT, {}, "until: must be after the beginning"),
        (world.paula, NIGHT + 500 * DAY, {}, "until: must be at most"),
        (world.sara, NIGHT + DAY, {}, "taker: must be somebody else"),
        (world.ana, NIGHT + DAY, {}, "taker: Ana Ruiz does not work"),
        (world.ada, NIGHT + DAY, {}, "taker: Ada Administra does not work"),
        (world.paula, NIGHT + DAY, {"by": "carlos"}, "since: you are not on call then"),
        (world.paula, NIGHT + 50 * DAY, {"since": NIGHT + 20 * DAY}, "since: you are not on call"),
    ):
        with pytest.raises(InvalidField, match=told):
            offer(who, until, **more)  # type: ignore[arg-type]
    row = offer(world.paula, NIGHT + DAY)
    with pytest.raises(InvalidField, match="taker: you have offered this turn to Paula Puente"):
        offer(world.mario, NIGHT + 2 * DAY)
    with pytest.raises(InvalidField, match="not on call"):
        oncall.decline(row, by=world.mario, at=NIGHT)
    with pytest.raises(InvalidField, match="not the turn"):
        oncall.take_over(row, by=world.mario, at=NIGHT)
    with pytest.raises(InvalidField, match="is over"):
        oncall.take_over(row, by=world.paula, at=NIGHT + DAY)
    oncall.end_turn(Turn.objects.get(line="first"), by=world.mario, at=NIGHT)
    with pytest.raises(InvalidField, match="not the turn"):
        oncall.take_over(row, by=world.paula, at=NIGHT + MINUTE)


# The rota -----------------------------------------------------------------------------------------


def test_turns_follow_one_another_at_the_same_time_of_day(world: World) -> None:
    people = (world.sara, world.carlos)
    rows = oncall.plan_turns(
        TurnPlan(Line.FIRST, people, START, 7, 2, ZONE), by=world.mario, at=START
    )
    assert [row.person.name.split()[0] for row in rows] == ["Sara", "Carlos"] * 2
    assert [row.since for row in rows] == [START + n * 7 * DAY for n in range(4)]
    assert rows[-1].until == START + 28 * DAY
    assert (Rota.objects.get().in_use, Rota.objects.get().minutes) == (True, 15)
    assert Change.objects.filter(subject="turn", act="add").count() == 4


@pytest.mark.usefixtures("rota")
def test_what_turns_have_to_be(world: World) -> None:
    sara = (world.sara,)
    later = START + 7 * DAY
    for people, since, days, rounds, told in (
        ((), later, 7, 1, "person_1: must not be empty"),
        (sara, START - 2 * DAY, 7, 1, "since: must not be in the past"),
        (sara, datetime(9999, 12, 31, tzinfo=UTC), 7, 1, "since: must be at most 400 days ahead"),
        (sara, later - MINUTE, 7, 1, "since: overlaps with the turn of Sara"),
        (sara, later, 0, 1, "days: must be a whole number from 1 to 28"),
        (sara, later, 7, 53, "rounds: must be a whole number from 1 to 52"),
        (sara * 2, later, 28, 10, "rounds: must be at most 400 days ahead"),
        ((world.sara, world.nora), later, 7, 1, "person_2: Nora Brisa does not work"),
    ):
        with pytest.raises(InvalidField, match=told):
            oncall.plan_turns(
                TurnPlan(Line.FIRST, people, since, days, rounds, ZONE), by=world.mario, at=START
            )
    assert Turn.objects.count() == 2
    assert plan(world, Line.FIRST, "carlos", since=later)


@pytest.mark.usefixtures("rota")
def test_a_turn_ends_or_does_not_take_place(world: World) -> None:
    running = Turn.objects.get(line="first")
    (coming,) = plan(world, Line.FIRST, "carlos", since=START + 7 * DAY)
    oncall.end_turn(coming, by=world.mario, at=NIGHT)
    oncall.end_turn(running, by=world.mario, at=NIGHT)
    assert Turn.objects.get(line="first").until == NIGHT
    for row in (coming, running):
        with pytest.raises(InvalidField, match="until: is over"):
            oncall.end_turn(row, by=world.mario, at=NIGHT)
    acts = Change.objects.filter(subject="turn").values_list("act", flat=True)
    assert list(acts)[:2] == ["end", "remove"]


@pytest.mark.parametrize("minutes", [1, 121])
def test_the_minutes_to_acknowledge_have_their_limits(world: World, minutes: int) -> None:
    with pytest.raises(InvalidField, match="minutes: must be a whole number from 2 to 120"):
        oncall.set_rota(minutes, True, by=world.ada, at=START)
    assert not Rota.objects.exists()


@pytest.mark.usefixtures("rota")
def test_other_minutes_hold_from_the_next_page_on(world: World) -> None:
    oncall.set_rota(5, True, by=world.ada, at=START)
    oncall.set_rota(5, True, by=world.ada, at=START)
    assert Change.objects.filter(subject="rota").count() == 1
    case = report(world)
    world.fire(NIGHT)
    world.fire(NIGHT + 5 * MINUTE)
    assert len(pages_of(case)) == 2


# Webhooks -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_every_webhook_in_use_is_told_of_every_page_without_the_customers_words(
    world: World,
) -> None:
    one, two = (
        hooks.add_hook(name, f"https://{name}.example/in", "sealed", by=world.ada, at=START)
        for name in ("uno", "dos")
    )
    old = hooks.add_hook("tres", "https://tres.example/in", "sealed", by=world.ada, at=START)
    hooks.retire_hook(old, by=world.ada, at=START, why="Ya no")
    case = report(world)
    world.fire(NIGHT)
    oncall.acknowledge(world.on(case, "sara", NIGHT + MINUTE))
    rows = HookDelivery.objects.order_by("pk")
    assert {row.hook for row in rows} == {one, two}
    assert [row.kind for row in rows if row.hook == one] == ["page", "acknowledged"]
    assert rows[0].facts == {
        "case": case.pk,
        "number": case.number,
        "priority": "urgent",
        "paging": Paging.objects.get().pk,
        "rung": "first",
        "why": "urgent",
        "people": [world.sara.pk],
    }
    assert len({row.key for row in rows}) == 4


def test_what_a_webhook_has_to_be(world: World) -> None:
    def add(name: str, url: str) -> None:
        hooks.add_hook(name, url, "sealed", by=world.ada, at=START)

    for name, url, told in (
        (" ", "https://x.example/", "name: must not be empty"),
        ("n" * 101, "https://x.example/", "name: must have at most 100"),
        ("x", "ftp://x.example/", "url: must be an address"),
        ("x", "https://user:pass@x.example/", "url: must not carry a user name"),
    ):
        with pytest.raises(InvalidField, match=told):
            add(name, url)
    for number in range(hooks.MOST_HOOKS):
        add("x", f"https://x{number}.example/")
    with pytest.raises(InvalidField, match="url: there is a webhook with this address"):
        add("x", "https://x0.example/")
    with pytest.raises(InvalidField, match="name: there are 10 webhooks in use"):
        add("x", "https://y.example/")


def test_somebody_new_of_the_firm_can_be_on_call(world: World) -> None:
    tere = admin.add_person("tere@firm.example", "Tere Tres", verified_at=LONG_AGO)
    admin.give_role(tere, world.firm, Role.CONSULTANT, since=LONG_AGO)
    world.people["tere"] = tere
    plan(world, Line.FIRST, "tere")
    case = report(world)
    world.fire(NIGHT)
    assert pages_of(case)[0][2] == {"Tere"}
    assert Page.objects.get().person == tere
