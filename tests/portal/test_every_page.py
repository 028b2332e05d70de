"""What holds for every page of the portal: three languages, nothing inline, few queries. What a
browser sees is in tests/web/test_every_page_in_a_browser.py."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from acuse.actions import conversation, life
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Case
from acuse.policy.stages import ACTS, Stage
from tests.web.entering import Browser
from tests.web.stages import BUILD, case_in
from tests.world import HOUR, START, World

Enter = Callable[[str], Browser]
INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", re.I)

PAGES = (
    "/",
    "/?state=ended",
    "/report",
    "/organisation",
    "/organisation/documents",
    "/policy",
    "/profile",
    "/notices",
    "/demo/",
)


def check_page(browser: Browser, path: str, language: str) -> None:
    response = browser.get(path)
    html = response.content.decode()
    assert response.status_code in (200, 409), path
    assert f'<html lang="{language}"' in html, path
    assert not INLINE.search(html), (path, INLINE.search(html))
    assert "<h1" in html, path
    assert "None" not in re.sub(r"<[^>]*>", "", html), path


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_every_page_is_there_in_three_languages_with_nothing_inline(
    world: World, enter: Enter, language: str
) -> None:
    world.ana.language = language
    world.ana.save()
    browser = enter("ana")
    for path in PAGES:
        check_page(browser, path, language)
    seen: set[str] = set()
    for stage in (Stage.DELIVERED, Stage.PROPOSAL, Stage.CLOSED, Stage.ACCEPTED):
        case = case_in(world, stage)
        check_page(browser, f"/cases/{case.number}", language)
        check_page(browser, f"/cases/{case.number}/receipts/1", language)
        for act, noun in NOUNS.items():
            if stage in ACTS[act].stages and act not in seen:
                seen.add(act)
                check_page(browser, f"/cases/{case.number}/{noun}", language)


@pytest.mark.parametrize("stage", list(BUILD))
def test_the_case_page_is_there_in_every_stage(world: World, enter: Enter, stage: Stage) -> None:
    case = case_in(world, stage)
    for short in ("ana", "omar"):
        check_page(enter(short), f"/cases/{case.number}", "es")


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_the_entrance_speaks_what_the_browser_asks_for(db: None, client, language: str) -> None:  # type: ignore[no-untyped-def]
    for path in ("/accounts/login/code/", "/accounts/login/", "/accounts/logout/"):
        html = client.get(path, headers={"Accept-Language": language}, follow=True).content.decode()
        assert f'<html lang="{language}"' in html
        assert not INLINE.search(html)


def test_the_home_page_asks_the_database_little_however_many_cases(
    world: World,
    enter: Enter,
    django_assert_num_queries: Callable[[int], object],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    browser = enter("ana")
    world.proposed()
    with django_assert_max_num_queries(12) as first:  # type: ignore[attr-defined]
        browser.get("/")
    for wanted in (3, 30):
        while Case.objects.count() < wanted:
            world.report(at=START + Case.objects.count() * HOUR)
        with django_assert_num_queries(len(first)):  # type: ignore[attr-defined]
            browser.get("/")


def test_the_case_page_asks_the_database_alike_however_much_was_said(
    world: World, enter: Enter, django_assert_num_queries: Callable[[int], object]
) -> None:
    case = world.delivered()
    browser = enter("ana")
    world.people["ana"].refresh_from_db()
    browser.look(case)
    life_of = [("ana", "Comentario"), ("sara", "Respuesta")]
    counts = []
    said = 0
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for wanted in (1, 3, 30):
        while said < wanted:
            short, text = life_of[said % 2]
            conversation.comment(world.on(case, short), text=text)
            said += 1
        with CaptureQueriesContext(connection) as found:
            browser.look(case)
        counts.append(len(found))
    assert counts[1] == counts[2]
    assert max(counts) <= 12, counts


def test_a_cancelled_life_is_still_readable(world: World, enter: Enter) -> None:
    case = world.to_authorize()
    life.decline(world.on(case, "ana"))
    check_page(enter("ana"), f"/cases/{case.number}", "es")
