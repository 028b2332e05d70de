"""The inbox with the keys and the JavaScript of a real browser, and without any of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from acuse.models import Case
from tests.stories.conftest import Site
from tests.world import World


def at_the_inbox(site: Site, width: int = 1280, query: str = "") -> Page:
    page = site.page_of("sara")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.address}/desk/{query}")
    return page


def three(world: World) -> list[Case]:
    return [world.report(subject=f"Caso número {n}") for n in range(3)]


def test_a_morning_by_keys_alone(site: Site) -> None:
    first, second, third = three(site.world)
    page = at_the_inbox(site, query="?sort=oldest")
    keys = page.keyboard
    keys.press("j")
    keys.press("j")
    expect(page.locator("tr.current")).to_contain_text(second.number)
    keys.press("k")
    expect(page.locator("tr.current")).to_contain_text(first.number)
    keys.press("x")
    keys.press("j")
    keys.press("x")
    expect(page.locator("#ticked")).to_contain_text("2")
    keys.press("b")
    page.locator("#bulk_act").select_option("assign_me")
    page.locator("#bulk button[type=submit]").click()
    expect(page.locator("td.outcome .met")).to_have_count(2)
    assert [site.world.fresh(case).assignee_id for case in (first, second, third)] == [
        site.world.sara.pk,
        site.world.sara.pk,
        None,
    ]
    keys.press("g")
    keys.press("i")
    page.wait_for_url("**/desk/")
    keys.press("/")
    expect(page.locator("#filter")).to_be_focused()
    keys.press("End")
    keys.type(" -asignado:yo j")  # a letter that is written is no key
    keys.press("Enter")
    page.wait_for_url("**q=**")
    keys.press("Escape")
    page.locator("#filter").fill("estado:abierto -asignado:yo")
    keys.press("Enter")
    expect(page.locator("tr[data-glance]")).to_have_count(1)
    page.locator("h1").click()
    keys.press("j")
    keys.press("o")
    page.wait_for_url(f"**/cases/{third.number}")
    keys.press("n")
    expect(page.locator("#note")).to_be_focused()
    assert not site.complaints


def test_the_palette_finds_a_case_and_what_can_be_done_here(site: Site) -> None:
    first, *_rest = three(site.world)
    page = at_the_inbox(site)
    keys = page.keyboard
    keys.press("Control+k")
    page.locator("#palette-q").fill(first.number)
    chosen = page.locator("#palette-hits [aria-selected=true]")
    keys.press("Enter")  # at once: what was typed is meant, not what stood there before
    page.wait_for_url(f"**/cases/{first.number}")
    keys.press("Control+k")
    page.locator("#palette-q").fill("nota")
    chosen = page.locator("#palette-hits [aria-selected=true]")
    expect(chosen).to_have_attribute("href", re.compile(f"/cases/{first.number}/note$"))
    keys.press("ArrowUp")
    expect(chosen).to_have_attribute("href", re.compile("search"))
    keys.press("ArrowDown")
    keys.press("Enter")
    page.wait_for_url(f"**/cases/{first.number}/note")
    keys.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    assert not site.complaints


def test_the_sheet_of_keys_opens_and_turns_them_off(site: Site) -> None:
    three(site.world)
    page = at_the_inbox(site)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys #single-keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("tr.current")).to_have_count(0)
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Control+k")  # is no single key
    expect(page.locator("#palette")).to_be_visible()
    assert not site.complaints


def test_on_a_wide_screen_the_case_stands_beside_the_list(site: Site) -> None:
    first, second, _third = three(site.world)
    page = at_the_inbox(site, width=1600, query="?sort=oldest")
    pane = page.locator("#glance")
    expect(pane).to_be_hidden()
    page.locator("tr[data-glance] a.name").first.click()
    expect(pane).to_contain_text("Caso número 0")
    page.keyboard.press("j")
    expect(pane).to_contain_text("Caso número 1")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{second.number}")
    narrow = at_the_inbox(site, width=1280, query="?sort=oldest")
    narrow.locator("tr[data-glance] a.name").first.click()
    narrow.wait_for_url(f"**/cases/{first.number}")
    assert not site.complaints


def test_one_sees_that_a_colleague_looks_and_writes(site: Site) -> None:
    case = site.world.analysed()
    address = f"{site.address}/desk/cases/{case.number}"
    carlos, sara = site.page_of("carlos"), site.page_of("sara")
    carlos.goto(address)
    with carlos.expect_response("**/presence") as beat:
        carlos.locator("#reply").press_sequentially("Hol")
    assert beat.value.status in (200, 204)
    sara.goto(address)
    expect(sara.locator("#presence .typing")).to_contain_text("Carlos Consultor")
    assert not site.complaints


def test_without_javascript_everything_is_there(site: Site) -> None:
    first, second, _third = three(site.world)
    signed_in = site.page_of("sara").context.cookies()
    context = site.browser.new_context(java_script_enabled=False, locale="es-CO")
    context.add_cookies(
        [{k: cookie[k] for k in ("name", "value", "domain", "path")} for cookie in signed_in]
    )
    page = context.new_page()
    page.goto(f"{site.address}/desk/?sort=oldest")
    page.locator("#filter").fill("estado:abierto número")
    page.locator("form.asking button").first.click()
    page.locator(f"input[value='{first.pk}']").check()
    page.locator(f"input[value='{second.pk}']").check()
    page.locator("#bulk_act").select_option("take")
    page.locator("#bulk button[type=submit]").click()
    expect(page.locator("td.outcome .met")).to_have_count(2)
    page.goto(f"{site.address}/desk/keys")
    expect(page.locator("main kbd").first).to_be_visible()
    page.locator("#q").fill(f"{first.number} nota")
    page.locator("#q").press("Enter")
    page.locator(f"a[href$='/cases/{first.number}/note']").click()
    page.wait_for_url(f"**/cases/{first.number}/note")
    context.close()
