"""The manager's board: each number is that of its list, and it costs the same for any of them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import triage
from acuse.interfaces.web import clock
from acuse.models import Case, Membership, Person
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import START, World

FROM_ON = timedelta(days=16)


def lived_in(world: World) -> None:
    """Cases of several people and queues, moved at different times."""
    world.report(mailbox=world.mailbox)
    for who in ("sara", "carlos", "carlos"):
        case = world.working()
        triage.assign(world.on(case, "sara"), person=world.people[who])
    world.proposed()
    world.delivered()
    world.closed()
    gone = world.diagnosed()
    triage.assign(world.on(gone, "sara"), person=world.paula)
    Membership.objects.filter(person=world.paula).update(until=START + timedelta(days=1))


@pytest.mark.parametrize("who", ["mario", "sara"])
@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("later", [timedelta(0), FROM_ON])
def test_each_number_is_that_of_the_list_it_leads_to(
    world: World, monkeypatch: pytest.MonkeyPatch, who: str, language: str, later: timedelta
) -> None:
    lived_in(world)
    monkeypatch.setattr(clock, "now", lambda: NOW + later)
    Person.objects.update(language=language)
    browser = Browser(world.people[who])
    page = browser.get("/desk/board")
    assert page.status_code == 200
    lines = [page.context["whole"]]
    for _title, _what, rows in page.context["tables"]:
        lines += rows
    seen = 0
    for label, cells in lines:
        for cell, address in cells:
            listed = browser.get(address)
            assert listed.status_code == 200, (label, cell, listed.context["wrong"])
            assert listed.context["shelves"].total == cell.count, (label, cell)
            seen += cell.count
    assert seen > 20
    found = parse_qs(urlsplit(lines[0][1][0][1]).query)["q"]
    assert found == ["estado:abierto" if language == "es" else "state:open"]


def test_the_sums_of_people_and_of_queues_are_the_whole(world: World) -> None:
    lived_in(world)
    page = Browser(world.mario).get("/desk/board")
    whole = [cell.count for cell, _address in page.context["whole"][1]]
    for _title, _what, rows in page.context["tables"]:
        rows = [[cell.count for cell, _address in cells] for _label, cells in rows]
        sums = [sum(row[place] for row in rows) for place in range(len(whole))]
        assert sums == whole
    assert whole[0] == Case.objects.open().count()


def test_what_nobody_has_moved_for_days_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.report()
    # Reported on Tuesday the 17th: five whole business days later, the 25th, it is quiet.
    for day, expected in ((24, 0), (25, 1)):
        moment = START.replace(day=day)
        monkeypatch.setattr(clock, "now", lambda at=moment: at)
        cells = Browser(world.mario).get("/desk/board").context["whole"][1]
        [quiet] = [cell.count for cell, _address in cells if cell.measure == "quiet"]
        assert quiet == expected, day


def test_only_those_who_lead_or_support_see_it(world: World) -> None:
    assert Browser(world.mario).get("/desk/board").status_code == 200
    assert Browser(world.carlos).get("/desk/board").status_code == 403
    assert Browser(world.ana).get("/desk/board").status_code == 404


def cost(world: World) -> int:
    browser = Browser(world.mario)
    browser.get("/desk/board")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get("/desk/board").status_code == 200
    return len(queries)


def test_it_takes_at_most_twelve_queries_however_many_rows(world: World) -> None:
    costs = []
    for more in (1, 3, 12):
        for number in range(more):
            case = world.analysed()
            who = ("sara", "carlos", "mario")[number % 3]
            triage.assign(world.on(case, "sara"), person=world.people[who])
        costs.append(cost(world))
    assert costs[0] == costs[1] == costs[2] <= 12, costs
