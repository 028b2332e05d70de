"""A consultant's day: their own and nothing else, at the same cost however much it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import billing, conversation, timers, triage
from acuse.models import Addressee, Person
from acuse.policy.billing import Activity
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def busy(world: World, number: int = 1) -> None:
    """A case of Carlos's with time, a question, a note that tells him, and a stopped timer."""
    for place in range(number):
        case = world.working(subject=f"Caso {place}")
        triage.assign(world.on(case, "sara"), person=world.carlos)
        billing.log_time(
            world.on(case, "carlos"),
            work_date=START.date(),
            minutes=45,
            activity=Activity.EXECUTION,
            text="Se ajusta",
        )
        conversation.ask(world.on(case, "carlos"), addressee=Addressee.USER, text="¿Desde cuándo?")
        conversation.comment(world.on(case, "ana"), text="Desde ayer")
        timer = timers.start(case, by=fresh(world.carlos), at=NOW - timedelta(hours=3)).timer
        timers.stop(timer.pk, by=fresh(world.carlos), at=NOW - timedelta(hours=2))


def test_the_day_has_what_is_mine_and_what_waits_for_me(world: World) -> None:
    busy(world)
    other = world.report(subject="De nadie")
    page = Browser(world.carlos).get("/desk/day")
    said = page.content.decode()
    day = page.context["day"]
    assert [row.case.subject for row in day.cases.rows] == ["Caso 0"]
    assert "De nadie" not in said
    assert other.number not in said
    assert day.time.by_state == [("logged", 45)]
    assert [wait.text for wait in day.asked] == ["¿Desde cuándo?"]
    assert day.told
    assert all(entry.notice.person_id == world.carlos.pk for entry in day.told)
    assert [row.stretch.minutes for row in day.stopped] == [60]
    assert day.running is None


def test_the_running_timer_stands_first(world: World) -> None:
    case = world.working()
    timers.start(case, by=fresh(world.carlos), at=NOW - timedelta(minutes=12))
    page = Browser(world.carlos).get("/desk/day")
    assert page.context["day"].running.seconds == 720
    assert 'data-seconds="720"' in page.content.decode()
    assert page.context["day"].stopped == []


def test_cases_stand_by_what_falls_due(world: World) -> None:
    for who in ("ana", "beto"):
        case = world.analysed(who=who, at=START + timedelta(hours=5 if who == "ana" else 0))
        triage.assign(world.on(case, "sara"), person=world.carlos)
    rows = Browser(world.carlos).get("/desk/day").context["day"].cases.rows
    due = [row.term.due_at for row in rows]
    assert due == sorted(due)
    assert len(due) == 2


def test_an_empty_day_says_what_to_do(world: World) -> None:
    said = Browser(world.ada).get("/desk/day").content.decode()
    assert "Take one that nobody has" in said
    assert Browser(world.ana).get("/desk/day").status_code == 404


def test_it_takes_at_most_twelve_queries_however_much_there_is(world: World) -> None:
    costs, browser = [], Browser(world.carlos)
    for more in (1, 2, 6):
        busy(world, more)
        timers.start(world.diagnosed(), by=fresh(world.carlos), at=NOW)
        browser.get("/desk/day")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/desk/day").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] == costs[2], costs
    assert costs[0] <= 12, "\n".join(q["sql"][:200] for q in queries.captured_queries)
