"""Timers at the desk: one a person, nothing logged by itself, what was forgotten is said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from acuse.actions import life, timers
from acuse.interfaces.web import clock
from acuse.models import Case, Person, RefusalNote, TimeEntry, Timer
from acuse.policy.billing import Activity
from acuse.policy.fields import InvalidField
from acuse.policy.stages import CancelReason
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import START, World, refused

pytestmark = pytest.mark.usefixtures("all_read_english")

MINUTE = timedelta(minutes=1)


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


@pytest.fixture
def carlos(world: World) -> Client:
    return Browser(world.carlos)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


def entry_of(page, **other: object) -> dict[str, object]:
    """What a browser sends of the proposed entry when only the words are added."""
    form = page.context["form"]
    sent = {field.html_name: field.value() for field in form if field.value() not in (None, "")}
    return {**sent, "text": "Se ajusta", "key": page.context["key"], **other}


def test_a_timer_proposes_and_logs_nothing_by_itself(
    world: World, carlos: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.working()
    started = carlos.post(f"/desk/cases/{case.number}/timer", follow=True)
    assert "Your timer runs" in started.content.decode()
    timer = Timer.objects.get()
    assert (timer.case, timer.person, timer.started_at) == (case, world.carlos, NOW)
    at(monkeypatch, NOW + 47 * MINUTE)
    page = carlos.post(f"/desk/timers/{timer.pk}/stop", follow=True)
    said = page.content.decode()
    assert "47 min worked" in said
    assert "1 h are billed" in said
    assert not TimeEntry.objects.exists()
    form = page.context["form"]
    assert form["minutes"].value() == 47
    assert form["activity"].value() == Activity.EXECUTION
    done = carlos.post(f"/desk/timers/{timer.pk}", entry_of(page))
    assert done.status_code == 302
    entry = TimeEntry.objects.get()
    assert (entry.minutes, entry.billed_minutes, entry.text) == (47, 60, "Se ajusta")
    timer.refresh_from_db()
    assert (timer.entry, timer.settled_at) == (entry, NOW + 47 * MINUTE)
    again = carlos.post(f"/desk/timers/{timer.pk}", entry_of(page))
    assert again["Location"] == done["Location"]
    assert TimeEntry.objects.count() == 1
    assert "has been logged" in carlos.get(f"/desk/timers/{timer.pk}").content.decode()


def test_what_is_typed_stays_and_a_refusal_is_told_and_noted(
    world: World, carlos: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.diagnosed()
    carlos.post(f"/desk/cases/{case.number}/timer")
    at(monkeypatch, NOW + 20 * MINUTE)
    timer = Timer.objects.get()
    page = carlos.post(f"/desk/timers/{timer.pk}/stop", follow=True)
    wrong = carlos.post(f"/desk/timers/{timer.pk}", entry_of(page, minutes="0"))
    assert wrong.status_code == 422
    assert "Se ajusta" in wrong.content.decode()
    never = carlos.post(f"/desk/timers/{timer.pk}", entry_of(page, activity="execution"))
    assert never.status_code == 409
    assert "Se ajusta" in never.content.decode()
    assert RefusalNote.objects.filter(case=case, code="not_authorized").count() == 1
    timer.refresh_from_db()
    assert timer.settled_at is None
    assert not TimeEntry.objects.exists()


def test_starting_on_another_case_stops_the_first_and_proposes_it(
    world: World, carlos: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.diagnosed(), world.diagnosed()
    carlos.post(f"/desk/cases/{first.number}/timer")
    at(monkeypatch, NOW + 30 * MINUTE)
    same = carlos.post(f"/desk/cases/{first.number}/timer")
    assert same["Location"].endswith(first.number)
    assert Timer.objects.count() == 1
    moved = carlos.post(f"/desk/cases/{second.number}/timer")
    stopped, running = Timer.objects.order_by("pk")
    assert moved["Location"] == f"/desk/timers/{stopped.pk}"
    assert stopped.stopped_at == running.started_at == NOW + 30 * MINUTE
    assert running.stopped_at is None


def test_a_forgotten_timer_is_said_and_not_proposed(
    world: World, carlos: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.diagnosed()
    carlos.post(f"/desk/cases/{case.number}/timer")
    at(monkeypatch, NOW + timedelta(hours=14, minutes=20))
    assert "was it forgotten" in carlos.get("/desk/day").content.decode()
    page = carlos.post(f"/desk/timers/{Timer.objects.get().pk}/stop", follow=True)
    assert "It ran for 14 h 20 min" in page.content.decode()
    assert page.context["form"]["minutes"].value() is None
    assert not TimeEntry.objects.exists()


def test_a_timer_is_thrown_away_once(world: World, carlos: Client) -> None:
    case = world.diagnosed()
    carlos.post(f"/desk/cases/{case.number}/timer")
    timer = Timer.objects.get()
    early = carlos.post(f"/desk/timers/{timer.pk}/removal", follow=True)
    assert "stop it first" in early.content.decode()
    carlos.post(f"/desk/timers/{timer.pk}/stop")
    carlos.post(f"/desk/timers/{timer.pk}/removal")
    timer.refresh_from_db()
    assert timer.settled_at is not None
    assert timer.entry is None
    twice = carlos.post(f"/desk/timers/{timer.pk}/removal", follow=True)
    assert "already" in twice.content.decode()
    with pytest.raises(InvalidField):
        timers.throw_away(timer.pk, by=fresh(world.carlos), at=NOW)


def test_nobody_touches_the_timer_of_another(world: World, carlos: Client) -> None:
    case = world.diagnosed()
    carlos.post(f"/desk/cases/{case.number}/timer")
    pk = Timer.objects.get().pk
    mario, ana = Browser(world.mario), Browser(world.ana)
    for address in (f"/desk/timers/{pk}/stop", f"/desk/timers/{pk}/removal", f"/desk/timers/{pk}"):
        assert mario.post(address).status_code == 404
        assert ana.post(address).status_code == 404
    assert ana.post(f"/desk/cases/{case.number}/timer").status_code == 404
    assert Timer.objects.get().stopped_at is None


def test_who_may_not_log_may_not_start(world: World) -> None:
    case = world.diagnosed()
    told = Browser(world.ada).post(f"/desk/cases/{case.number}/timer", follow=True)
    assert told.status_code == 200
    assert not Timer.objects.exists()


def test_one_timer_runs_at_a_time_whatever_happens(world: World) -> None:
    first, second = world.diagnosed(), world.diagnosed()
    timers.start(first, by=fresh(world.carlos), at=START)
    with pytest.raises(IntegrityError), transaction.atomic():
        Timer.objects.create(case=second, person=world.carlos, started_at=START)


def test_a_refusal_of_the_act_leaves_the_timer_as_it_was(world: World) -> None:
    case = world.diagnosed()
    timer = timers.start(case, by=fresh(world.carlos), at=START + MINUTE).timer
    stopped = timers.stop(timer.pk, by=fresh(world.carlos), at=START + 5 * MINUTE)
    again = timers.stop(timer.pk, by=fresh(world.carlos), at=START + 9 * MINUTE)
    assert again.stopped_at == stopped.stopped_at == START + 5 * MINUTE
    life.cancel(world.on(case, "ana"), reason=CancelReason.WITHDRAWN)
    with refused("work_date_future"):
        timers.log(
            timer.pk,
            world.on(Case.objects.get(pk=case.pk), "carlos"),
            by=fresh(world.carlos),
            work_date=START.date() + timedelta(days=9),
            minutes=4,
            activity=Activity.DIAGNOSIS,
            text="Revisión",
        )
    timer.refresh_from_db()
    assert timer.settled_at is None
    assert RefusalNote.objects.filter(code="work_date_future").exists()
