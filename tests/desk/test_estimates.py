"""The estimate at the desk: rows by buttons, what was typed kept, versions side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from acuse.actions import life
from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.models import Case, Specialty
from tests.desk.test_timer import entry_of
from tests.web.entering import Browser
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")


@pytest.fixture
def carlos(world: World) -> Client:
    return Browser(world.carlos)


def sent(form, **other: object) -> dict[str, object]:
    """What a browser sends of the form as it stands."""
    found = {field.html_name: field.value() or "" for field in form}
    for rows in form.rows.values():
        for field in rows.management_form:
            found[field.html_name] = field.value()
        for row in rows:
            found |= {field.html_name: field.value() or "" for field in row}
    return {**found, "key": "k", **other}


def address(case: Case) -> str:
    return f"/desk/cases/{case.number}/scope"


def test_rows_come_and_go_by_buttons_and_nothing_typed_is_lost(
    world: World, carlos: Client
) -> None:
    case = world.estimating()
    page = carlos.get(address(case))
    form = page.context["form"]
    assert [len(rows) for rows in form.rows.values()] == [2, 3]
    typed = sent(form, scope="Corregir", **{"lines-0-description": "A", "lines-0-minutes": "30"})
    typed |= {"lines-1-description": "B", "lines-1-minutes": "40", "lines-2-minutes": "x"}
    more = carlos.post(address(case), {**typed, "add_row": "lines"})
    assert more.status_code == 200
    assert len(more.context["form"].rows["lines"]) == 4
    assert "1 h 10 min" in more.content.decode()
    less = carlos.post(address(case), {**typed, "remove_row": "lines-0"})
    lines = less.context["form"].rows["lines"]
    assert [row["description"].value() for row in lines] == ["B", ""]
    assert lines[1]["minutes"].value() == "x"
    assert less.context["form"]["scope"].value() == "Corregir"
    for wrong in ("lines-9", "lines", "nothing-0", "lines--1", "lines-0-x"):
        same = carlos.post(address(case), {**typed, "remove_row": wrong})
        assert len(same.context["form"].rows["lines"]) == 3, wrong
    bad = carlos.post(address(case), typed)
    assert bad.status_code == 422
    assert bad.context["form"].rows["lines"][1]["description"].value() == "B"
    assert not case.estimates.exists()


def test_minutes_without_work_are_asked_about(world: World, carlos: Client) -> None:
    case = world.estimating()
    typed = sent(carlos.get(address(case)).context["form"], scope="Corregir")
    typed |= {"items-0-kind": "development", "items-0-title": "X", "lines-0-minutes": "30"}
    page = carlos.post(address(case), typed)
    assert page.status_code == 422
    assert "Say what work takes them" in page.content.decode()


def test_a_new_version_keeps_the_lines_that_nobody_touched(world: World, carlos: Client) -> None:
    specialty = Specialty.objects.create(code="abap", name="ABAP")
    case = world.estimating()
    lines = (LineDraft("Analizar", 60), LineDraft("Programar", 240, specialty=specialty))
    draft = EstimateDraft("Alcance", items=(Planned("development", "Reporte"),), lines=lines)
    life.submit_scope(world.on(case, "carlos"), draft=draft)
    life.return_scope(world.on(case, "paula"), estimate=case.estimates.get(), text="Falta")
    form = carlos.get(address(case)).context["form"]
    typed = sent(form)
    shorter = carlos.post(address(case), {**typed, "remove_row": "lines-0"})
    typed = sent(shorter.context["form"], key="new")
    typed |= {"lines-1-description": "Probar", "lines-1-minutes": "45"}
    done = carlos.post(address(case), typed)
    assert done.status_code == 302, done.content.decode()
    newest = case.estimates.latest("number")
    found = [(line.key, line.description, line.minutes) for line in newest.lines.all()]
    assert found == [(2, "Programar", 240), (3, "Probar", 45)]
    assert newest.lines.get(key=2).specialty == specialty
    assert [item.key for item in newest.items.all()] == [1]


def test_versions_stand_side_by_side(world: World, carlos: Client) -> None:
    case = world.submitted()
    assert carlos.get(f"/desk/cases/{case.number}/estimates").status_code == 200
    life.return_scope(world.on(case, "paula"), estimate=case.estimates.get(), text="Falta")
    before = world.draft()
    longer = replace(before.lines[0], description="Desarrollar todo", minutes=300, key=1)
    draft = replace(before, scope="Corregir toda la impresión", lines=(longer,))
    life.submit_scope(world.on(case, "carlos"), draft=draft)
    page = carlos.get(f"/desk/cases/{case.number}/estimates")
    compared = page.context["compared"]
    assert (compared.before.number, compared.after.number) == (1, 2)
    assert [(str(c.mark), c.by) for c in compared.lines] == [("changed", 60), ("removed", -60)]
    assert compared.by == 0
    said = page.content.decode()
    assert "<ins> todo</ins>" in said
    assert "+1 h" in said
    assert "\u22121 h" in said
    back = carlos.get(f"/desk/cases/{case.number}/estimates?from=2&to=1").context["compared"]
    assert [(str(c.mark), c.by) for c in back.lines] == [("changed", -60), ("added", 60)]
    odd = carlos.get(f"/desk/cases/{case.number}/estimates?from=x&to=9").context["compared"]
    assert (odd.before.number, odd.after.number) == (1, 2)
    assert "Compare the versions" in carlos.get(f"/desk/cases/{case.number}").content.decode()


def test_a_case_without_an_estimate_has_no_versions(world: World, carlos: Client) -> None:
    assert carlos.get(f"/desk/cases/{world.report().number}/estimates").status_code == 404


def test_more_time_than_was_estimated_is_told(world: World, carlos: Client) -> None:
    case = world.working()
    address = f"/desk/cases/{case.number}/time"
    form = {"work_date": "2026-11-18", "activity": "execution", "text": "Trabajo"}
    well = carlos.post(address, {**form, "minutes": "240", "key": "a"}, follow=True)
    assert "more than the" not in well.content.decode()
    over = carlos.post(address, {**form, "minutes": "45", "key": "b"}, follow=True)
    assert "4 h 45 min logged, 45 min more than the 4 h of the estimate" in over.content.decode()
    other = carlos.post(
        address, {**form, "activity": "internal", "minutes": "45", "key": "c"}, follow=True
    )
    assert "more than the" not in other.content.decode()
    started = carlos.post(f"/desk/cases/{case.number}/timer")
    assert started.status_code == 302
    timer = case.timers.get()
    page = carlos.post(f"/desk/timers/{timer.pk}/stop", follow=True)
    told = carlos.post(f"/desk/timers/{timer.pk}", entry_of(page), follow=True)
    assert "more than the 4 h" in told.content.decode()
