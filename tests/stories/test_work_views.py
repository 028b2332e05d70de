"""The views of the desk's work in a real browser: the estimate's rows, the timer, long work."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from acuse.interfaces.jobs import work as jobs
from acuse.interfaces.web import clock
from acuse.models import Work
from tests.stories.conftest import Site
from tests.world import START

HOUR = timedelta(hours=1)


def test_rows_of_an_estimate_come_and_go_at_once_and_are_what_is_sent(site: Site) -> None:
    case = site.world.estimating()
    site.clock.at = START + 9 * HOUR
    site.visit("carlos", case, "scope")
    page = site.page_of("carlos")
    rows = page.locator("[data-rows=lines] [data-row]")
    page.locator("[name=scope]").fill("Corregir la impresión")
    page.locator("[name=items-0-title]").fill("Reporte")
    page.locator("[name=items-0-kind]").select_option("development")
    for place, (work, minutes) in enumerate([("Analizar", 60), ("Sobra", 30), ("Probar", 45)]):
        page.locator(f"[name=lines-{place}-description]").fill(work)
        page.locator(f"[name=lines-{place}-activity]").select_option("execution")
        page.locator(f"[name=lines-{place}-minutes]").fill(str(minutes))
    expect(page.locator("[data-total]")).to_have_text("2 h 15 min")
    page.locator("[data-rows=lines] button[name=add_row]").click()
    expect(rows).to_have_count(4)
    expect(page.locator("[name=lines-3-description]")).to_be_focused()
    page.locator("button[name=remove_row][value=lines-1]").click()
    expect(rows).to_have_count(3)
    expect(page.locator("[name=lines-1-description]")).to_have_value("Probar")
    expect(page.locator("[data-total]")).to_have_text("1 h 45 min")
    page.locator("main form button.primary").click()
    assert "/receipts/" in page.url, page.locator("main").inner_text()
    lines = case.estimates.get().lines.all()
    assert [(line.description, line.minutes) for line in lines] == [
        ("Analizar", 60),
        ("Probar", 45),
    ]
    assert site.complaints == []


def test_a_timer_is_started_and_stopped_where_one_works(site: Site) -> None:
    case = site.world.diagnosed()
    site.clock.at = START + 9 * HOUR
    site.visit("carlos", case)
    page = site.page_of("carlos")
    page.locator(f"form[action$='/{case.number}/timer'] button").click()
    expect(page.locator("[role=timer]")).to_have_text("1 min")
    page.goto(f"{site.address}/desk/day")
    site.clock.at += 25 * HOUR / 60
    page.reload()
    expect(page.locator("[role=timer]")).to_have_text("25 min")
    page.locator(".ticking button").click()
    expect(page.locator("[name=minutes]")).to_have_value("25")
    assert not case.time.exists()
    page.locator("[name=text]").fill("Se revisa el driver")
    page.locator("main form button.primary").click()
    assert case.time.get().minutes == 25
    assert site.complaints == []


def test_the_page_of_long_work_tells_by_itself_when_it_has_ended(site: Site) -> None:
    site.world.report()
    page = site.page_of("mario")
    page.goto(f"{site.address}/desk/works")
    page.locator("main form button.primary").click()
    expect(page.locator("progress")).to_have_count(1)
    jobs.do(Work.objects.get().pk, clock.now)
    expect(page.locator("#work a.primary")).to_be_visible()
    assert page.locator("progress").count() == 0
    assert site.complaints == []
