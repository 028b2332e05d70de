"""Long work: left to the worker, told how it stands, done once, its end told in the notices."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions import imports
from acuse.actions import work as acts
from acuse.interfaces.desk import imports as pages
from acuse.interfaces.jobs import work as jobs
from acuse.interfaces.web import clock
from acuse.models import Import, Organisation, Person, Work, WorkState
from acuse.policy.imports import Grid, Kind, Row
from acuse.policy.stages import Role
from acuse.queries.notices import count_unread
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


@pytest.fixture
def mario(world: World) -> Client:
    return Browser(world.mario)


@pytest.fixture(autouse=True)
def _storage(tmp_path: Path, settings: Any) -> None:
    settings.BLOBS = tmp_path / "blobs"


def file_of(world: World, count: int = 3) -> Import:
    rows = [Row(n + 2, {"name": f"Cliente {n}", "language": "es"}, ()) for n in range(count)]
    grid = Grid(())
    by = fresh(world.mario)
    return imports.take_in(Kind.CUSTOMERS, "clientes.csv", "0" * 64, grid, rows, by=by, at=NOW)


def seen_of(file: Import, world: World) -> str:
    return imports.digest(imports.preview(file, by=fresh(world.mario), at=NOW))


def do(work: Work) -> Work:
    jobs.do(work.pk, clock.now)
    return Work.objects.get(pk=work.pk)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are many."""
    monkeypatch.setattr(pages, "AT_ONCE", 2)


@pytest.mark.usefixtures("many")
def test_an_import_of_many_rows_is_left_to_the_worker(world: World, mario: Client) -> None:
    file = file_of(world)
    seen = mario.get(f"/desk/imports/{file.pk}").context["seen"]
    asked = mario.post(f"/desk/imports/{file.pk}/confirmation", {"seen": seen})
    work = Work.objects.get()
    assert asked["Location"] == f"/desk/works/{work.pk}"
    assert not Organisation.objects.filter(name__startswith="Cliente").exists()
    page = mario.get(f"/desk/works/{work.pk}").content.decode()
    assert "Waits for its turn" in page
    assert "<progress" in page
    assert count_unread(fresh(world.mario)) == 0
    work = do(work)
    assert (work.state, work.done, work.outcome["new"]) == (WorkState.DONE, 3, 3)
    assert Organisation.objects.filter(name__startswith="Cliente").count() == 3
    assert count_unread(fresh(world.mario)) == 1
    assert count_unread(fresh(world.sara)) == 0
    assert "Import from a file" in mario.get("/desk/notices").content.decode()
    part = mario.get(f"/desk/works/{work.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "3 rows have been applied." in part
    assert "<h1" not in part
    assert count_unread(fresh(world.mario)) == 0
    assert do(work).ended_at == work.ended_at  # a job that comes twice does nothing


@pytest.mark.usefixtures("many")
def test_the_same_file_is_not_asked_for_twice(world: World, mario: Client) -> None:
    file = file_of(world)
    address, seen = f"/desk/imports/{file.pk}/confirmation", seen_of(file, world)
    mario.post(address, {"seen": seen})
    again = mario.post(address, {"seen": seen})
    assert again.status_code == 409
    assert "is being applied already" in again.content.decode()
    assert Work.objects.count() == 1


def test_what_stops_a_work_is_told_and_nothing_is_left_of_it(world: World, mario: Client) -> None:
    file = file_of(world)
    stale = do(acts.ask_import(file, "something else", by=fresh(world.mario), at=NOW))
    assert stale.state == WorkState.FAILED
    assert not Organisation.objects.filter(name__startswith="Cliente").exists()
    said = mario.get(f"/desk/works/{stale.pk}").content.decode()
    assert "What stands here has changed meanwhile" in said
    imports.leave(file)
    gone = do(acts.ask_export("", by=fresh(world.mario), at=NOW))
    assert gone.state == WorkState.DONE


def test_a_file_that_is_gone_is_told(world: World, mario: Client) -> None:
    file = file_of(world)
    work = acts.ask_import(file, "", by=fresh(world.mario), at=NOW)
    imports.leave(file)
    assert do(work).state == WorkState.FAILED
    assert "not there any more" in mario.get(f"/desk/works/{work.pk}").content.decode()


@pytest.mark.parametrize("how", ["role ended", "made inactive", "other role"])
def test_an_import_of_somebody_who_may_not_any_more_is_refused(world: World, how: str) -> None:
    file = file_of(world)
    seen = seen_of(file, world)
    work = acts.ask_import(file, seen, by=fresh(world.mario), at=NOW)
    if how == "made inactive":
        Person.objects.filter(pk=world.mario.pk).update(is_active=False)
    else:
        admin.end_role(world.mario.memberships.get(), NOW)
    if how == "other role":
        admin.give_role(fresh(world.mario), world.firm, Role.SUPPORT, since=NOW)
    work = do(work)
    assert (work.state, work.error) == (WorkState.FAILED, [jobs.NOT_YOURS_NOW, {}])
    assert not Organisation.objects.filter(name__startswith="Cliente").exists()
    if how == "other role":
        said = Browser(fresh(world.mario)).get(f"/desk/works/{work.pk}").content.decode()
        assert "no longer an administrator or a manager" in said
    # An administrator may: the file is as it was.
    seen = imports.digest(imports.preview(file, by=fresh(world.ada), at=NOW))
    assert do(acts.ask_import(file, seen, by=fresh(world.ada), at=NOW)).state == WorkState.DONE


def test_what_nobody_foresaw_is_told_without_its_details(
    world: World, mario: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(imports, "apply", broken)
    work = do(acts.ask_import(file_of(world), "", by=fresh(world.mario), at=NOW))
    assert work.state == WorkState.FAILED
    said = mario.get(f"/desk/works/{work.pk}").content.decode()
    assert "we did not foresee" in said
    assert "secret" not in said


def test_progress_is_told_in_steps(world: World) -> None:
    told: list[tuple[int, int]] = []
    file = file_of(world, 4)
    seen = seen_of(file, world)
    imports.apply(file, seen, by=fresh(world.mario), at=NOW, told=lambda *how: told.append(how))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_nothing_is_committed(transactional_db: None) -> None:
    from django.db import transaction

    world = World()
    work = acts.ask_export("", by=fresh(world.mario), at=NOW)
    running = acts.begin(work.pk)
    assert running is not None
    with acts.Progress(running) as told, transaction.atomic():
        told(0, 200)
        told(10, 200)
        told(11, 200)  # within the same fiftieth: not written
        seen = Work.objects.get(pk=work.pk)
        assert (seen.done, seen.total, seen.percent) == (10, 200, 5)
        transaction.set_rollback(True)
    kept = Work.objects.get(pk=work.pk)
    assert (kept.done, kept.total) == (10, 200)


def test_a_list_of_cases_is_written_as_a_file(world: World, mario: Client) -> None:
    world.analysed(subject="=cmd|calc")
    world.report(subject="Otra")
    world.closed()
    wrong = mario.post("/desk/works/exports", {"q": "color:rojo"})
    assert wrong.status_code == 422
    assert "color:rojo" in wrong.content.decode()
    asked = mario.post("/desk/works/exports", {"q": "state:open"})
    work = do(Work.objects.get())
    assert asked["Location"] == f"/desk/works/{work.pk}"
    assert (work.state, work.outcome) == (WorkState.DONE, {"cases": 2})
    assert "2 cases." in mario.get("/desk/works").content.decode()
    file = mario.get(f"/desk/works/{work.pk}/file")
    rows = list(csv.reader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))
    assert rows[0][:3] == ["Case", "Subject", "Customer"]
    assert [row[1] for row in rows[1:]] == ["'=cmd|calc", "Otra"]
    assert all(len(row) == len(rows[0]) for row in rows)
    assert "attachment" in file["Content-Disposition"]
    assert "acuse-2026-11-19.csv" in file["Content-Disposition"]


def test_a_list_with_an_unknown_name_is_never_the_whole(world: World, mario: Client) -> None:
    world.report()
    wrong = mario.post("/desk/works/exports", {"q": "customer:Andinos"})
    assert wrong.status_code == 422
    assert "Nothing called “Andinos” is known" in wrong.content.decode()
    assert not Work.objects.exists()
    work = do(acts.ask_export("customer:Andinos", by=fresh(world.mario), at=NOW))
    assert (work.state, work.result) == (WorkState.FAILED, None)
    said = mario.get(f"/desk/works/{work.pk}").content.decode()
    assert "Nothing called “Andinos” is known" in said


@pytest.mark.usefixtures("many")
def test_nul_in_what_was_seen_is_no_error_of_ours(world: World, mario: Client) -> None:
    address = f"/desk/imports/{file_of(world).pk}/confirmation"
    assert mario.post(address, {"seen": "a\0b"}).status_code == 302
    assert do(Work.objects.get()).state == WorkState.FAILED


def test_the_file_is_in_the_language_of_whoever_asked(world: World) -> None:
    world.report()
    Person.objects.filter(pk=world.sara.pk).update(language="es")
    browser = Browser(fresh(world.sara))
    browser.post("/desk/works/exports", {"q": ""})
    work = do(Work.objects.get())
    content = b"".join(browser.get(f"/desk/works/{work.pk}/file").streaming_content)
    assert ";" in content.decode("utf-8-sig").splitlines()[0]


def test_the_work_of_others_is_not_there(world: World, mario: Client) -> None:
    work = do(acts.ask_export("", by=fresh(world.sara), at=NOW))
    for address in (f"/desk/works/{work.pk}", f"/desk/works/{work.pk}/file"):
        assert mario.get(address).status_code == 404
        assert Browser(world.ana).get(address).status_code == 404
    undone = acts.ask_export("", by=fresh(world.mario), at=NOW)
    assert mario.get(f"/desk/works/{undone.pk}/file").status_code == 404
    assert mario.get("/desk/works").content.decode().count("/desk/works/") >= 1


def test_the_list_costs_the_same_however_long_it_is(world: World, mario: Client) -> None:
    costs = []
    for more in (1, 2, 27):
        for _number in range(more):
            acts.ask_export("", by=fresh(world.mario), at=NOW)
        mario.get("/desk/works")
        with CaptureQueriesContext(connection) as queries:
            assert mario.get("/desk/works").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] == costs[2] <= 12, costs
