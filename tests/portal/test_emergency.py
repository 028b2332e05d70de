"""Emergency work through its real page: by whom, when, out of hours, and what is refused (P19,
P21)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from acuse.actions import billing, life
from acuse.interfaces.web import clock
from acuse.models import Case, Decision, RefusalNote
from acuse.policy.billing import Activity
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.stages import Stage
from tests.actions.test_oncall import NIGHT
from tests.web.entering import Browser, rows, words_of
from tests.world import World, refused

pytestmark = pytest.mark.usefixtures("all_read_english")
MINUTE = timedelta(minutes=1)
WANTED = rows("items", {"kind": "development", "title": "Que vuelva a facturar"})


@pytest.fixture(autouse=True)
def _night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NIGHT + 30 * MINUTE)


@pytest.fixture
def in_the_night(world: World) -> Case:
    case = world.report(at=NIGHT, impact=Impact.WHOLE_OPERATION, urgency=Urgency.WORK_BLOCKED)
    life.take(world.on(case, "sara", NIGHT + MINUTE))
    return world.fresh(case)


def test_a_user_authorises_it_at_night_in_one_confirmed_decision(
    world: World, in_the_night: Case
) -> None:
    case, ana = in_the_night, Browser(world.ana)
    assert case.priority == Priority.URGENT
    assert "/emergency" in ana.look(case).content.decode()
    assert ana.look(case, "emergency").status_code == 200
    asked = ana.send(case, "emergency", confirmed=False, **WANTED)
    assert "You authorise emergency work before it has been estimated." in words_of(asked)
    assert world.fresh(case).stage == Stage.ANALYSIS
    done = ana.send(case, "emergency", key="once", **WANTED)
    assert done.status_code == 302
    assert ana.send(case, "emergency", key="once", **WANTED)["Location"] == done["Location"]
    case = world.fresh(case)
    assert case.stage == Stage.IN_PROGRESS
    assert case.emergency_cap_minutes == case.policy.rules.emergency_cap_minutes
    assert Decision.objects.filter(case=case).count() == 1
    assert [row.kind for row in case.deliverables.order_by("pk")] == ["estimate", "development"]
    line = case.ledger.get(kind="authorize_emergency")
    assert (line.at, line.author) == (NIGHT + 30 * MINUTE, world.ana)
    assert {n.person for n in line.notices.all()} >= {world.ana, world.sara, world.paula}
    day = (NIGHT - timedelta(hours=5)).date()  # in Bogota
    details = {"work_date": day, "activity": Activity.EXECUTION, "text": "Urgente"}
    billing.log_time(world.on(case, "sara"), minutes=480, **details)
    with refused("emergency_cap"):
        billing.log_time(world.on(case, "sara"), minutes=15, **details)


def test_only_a_user_of_that_customer_may(world: World, in_the_night: Case) -> None:
    case = in_the_night
    for who in ("sara", "mario", "paula", "ada"):
        browser = Browser(world.people[who])
        assert browser.look(case, "emergency").status_code == 409
        response = browser.send(case, "emergency", **WANTED)
        assert response.status_code == 409
        assert "a user of the customer" in words_of(response)
        assert "/emergency" not in browser.look(case).content.decode()
    assert Browser(world.nora).look(case, "emergency").status_code == 404
    assert world.fresh(case).stage == Stage.ANALYSIS
    assert RefusalNote.objects.filter(case=case, act="authorize_emergency").count() == 4


def test_without_what_is_to_be_done_there_is_nothing_to_authorise(
    world: World, in_the_night: Case
) -> None:
    response = Browser(world.ana).send(in_the_night, "emergency", **rows("items"))
    assert response.status_code in (409, 422)
    assert world.fresh(in_the_night).stage == Stage.ANALYSIS


def test_what_is_not_urgent_is_no_emergency(world: World) -> None:
    case = world.report(at=NIGHT)
    life.take(world.on(case, "sara", NIGHT + MINUTE))
    ana = Browser(world.ana)
    assert "/emergency" not in ana.look(case).content.decode()
    response = ana.send(case, "emergency", **WANTED)
    assert response.status_code == 409
    assert "only be authorised on an Urgent case" in words_of(response)


def test_before_somebody_has_taken_it_it_cannot_be_authorised(world: World) -> None:
    case = world.report(at=NIGHT, impact=Impact.WHOLE_OPERATION, urgency=Urgency.WORK_BLOCKED)
    response = Browser(world.ana).send(case, "emergency", **WANTED)
    assert response.status_code == 409
    assert "not possible while the case is in the stage" in words_of(response)
