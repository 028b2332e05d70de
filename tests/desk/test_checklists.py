"""Checklists at the desk: published by managers, ticked by agents, asked for (P13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acuse.actions import checklists
from acuse.models import CaseType, ChecklistVersion
from tests.web.entering import Browser, words_of
from tests.world import LONG_AGO, World


def publish(browser: Browser, items: str, seen: int = 0, type: int = 0) -> int:
    given = {"items": items, "seen": seen}
    return browser.post(f"/desk/checklists/{type}/versions", given).status_code


@pytest.mark.parametrize("who", ["mario", "ada"])
def test_a_list_is_published_in_order_and_its_history_is_shown(world: World, who: str) -> None:
    browser = Browser(world.people[who])
    kind = CaseType.objects.get().pk
    assert publish(browser, "¿Qué versión?\n\n¿Desde cuándo?\n", type=kind) == 302
    assert publish(browser, "¿Desde cuándo?\n¿Qué versión?", 1, kind) == 302
    shown = words_of(browser.get(f"/desk/checklists/{kind}"))
    assert str(world.people[who]) in shown
    newest = ChecklistVersion.objects.get(number=2)
    assert [item.text for item in newest.items] == ["¿Desde cuándo?", "¿Qué versión?"]
    assert "Incidente" in words_of(browser.get("/desk/checklists"))
    assert publish(browser, "", 2, kind) == 302
    assert ChecklistVersion.objects.get(number=3).items == ()


@pytest.mark.parametrize(("items", "seen"), [("¿Uno?\n¿uno?", 0), ("¿Uno?", 3), ("x" * 201, 0)])
def test_what_breaks_a_rule_is_told_and_kept(world: World, items: str, seen: int) -> None:
    browser = Browser(world.mario)
    response = browser.post("/desk/checklists/0/versions", {"items": items, "seen": seen})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["items"]
    assert items.splitlines()[0] in response.content.decode()
    assert not ChecklistVersion.objects.exists()


def test_agents_read_the_lists_and_do_not_change_them(world: World) -> None:
    browser = Browser(world.sara)
    assert browser.get("/desk/checklists/0").status_code == 200
    assert "<textarea" not in browser.get("/desk/checklists/0").content.decode()
    assert publish(browser, "¿Uno?") == 403
    assert browser.get("/desk/checklists/999").status_code == 404
    for path in ("/desk/checklists", "/desk/checklists/0"):
        assert Browser(world.ana).get(path).status_code == 404
    assert publish(Browser(world.ana), "¿Uno?") == 404
    assert not ChecklistVersion.objects.exists()


def test_what_is_ticked_stands_on_the_case_and_the_rest_is_asked(world: World) -> None:
    checklists.publish_checklist(
        None, ["¿Qué versión?", "¿Desde cuándo?"], seen=0, by=world.mario, at=LONG_AGO
    )
    case = world.taken()
    browser = Browser(world.sara)
    assert "¿Desde cuándo?" in words_of(browser.look(case))
    form = browser.look(case, "checklist").content.decode()
    assert form.count('type="checkbox"') == 2
    assert " checked" not in form
    assert browser.send(case, "checklist", ticked=["1"]).status_code == 302
    assert browser.look(case, "checklist").content.decode().count(" checked") == 1
    question = browser.look(case, "question").content.decode()
    assert "- ¿Desde cuándo?" in question
    assert "- ¿Qué versión?" not in question
    assert browser.send(case, "checklist", ticked=["1"]).status_code == 409  # nothing changed
    assert browser.send(case, "checklist", ticked=["7"]).status_code == 422
    assert "¿Qué versión?" not in words_of(Browser(world.ana).look(case))


def test_a_question_of_one_s_own_is_kept_when_it_cannot_be_asked(world: World) -> None:
    checklists.publish_checklist(None, ["¿Qué versión?"], seen=0, by=world.mario, at=LONG_AGO)
    case = world.taken()
    sent = Browser(world.sara).send(case, "question", addressee="nobody", text="Lo mío")
    assert sent.status_code == 422
    assert "Lo mío" in sent.content.decode()
    assert "¿Qué versión?" not in sent.content.decode()


def test_the_page_asks_alike_however_long_the_list(
    world: World, django_assert_num_queries: Callable[[int], object]
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = Browser(world.mario)
    counts = []
    for number in (1, 30):
        for seen in range(number):
            texts = [f"¿{n}?" for n in range(seen + 1)]
            found = ChecklistVersion.objects.filter(type=None).count()
            if found <= seen:
                checklists.publish_checklist(None, texts, seen=seen, by=world.mario, at=LONG_AGO)
        with CaptureQueriesContext(connection) as asked:
            browser.get("/desk/checklists")
        counts.append(len(asked))
    assert counts[0] == counts[1]
