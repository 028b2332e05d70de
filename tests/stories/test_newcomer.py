"""A customer's person who was never here before, on a telephone: from the confirmation mail to the
first accepted delivery, by what the pages themselves say comes next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from acuse.actions import life
from acuse.models import Attachment, Case, Decision, Draft, LedgerLine
from acuse.policy.stages import Stage
from tests.stories.conftest import Site

PHONE = {"width": 375, "height": 740}


@pytest.fixture
def phone(site: Site) -> Iterator[Page]:
    """A telephone on which nobody has signed in."""
    context = site.browser.new_context(
        locale="es-CO", viewport=PHONE, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.on("pageerror", lambda error: site.complaints.append(str(error)))
    page.on("console", site._hear)
    yield page
    context.close()


def test_from_the_confirmation_to_the_first_accepted_delivery(site: Site, phone: Page) -> None:
    site.send_mail(site.world.ana.email, "No imprime facturas", "Desde hoy.", "soporte@example.com")
    site.work()
    case = Case.objects.get()
    phone.goto(site.address + link_in(site, case))
    sign_in(site, phone)
    assert case.number in phone.url  # where the letter led
    assert "No imprime facturas" in fits(phone)

    site.world.report = lambda **_details: case  # type: ignore[method-assign]
    site.world.proposed(prove=False)
    later(site, case)
    site.work()
    phone.goto(site.address + link_in(site, case))
    said = decide(phone)
    assert "5 h" in said  # what is decided is repeated with its time
    assert stage_of(case) == Stage.AUTHORIZATION
    later(site, case)
    phone.locator("main .actions a.primary").click()  # from the receipt to the case
    decide(phone)
    assert stage_of(case) == Stage.IN_PROGRESS

    life.deliver(
        site.world.on(case, "carlos"), deliverable=case.deliverables.get(proposal=False), text="Va"
    )
    later(site, case)
    site.work()
    phone.goto(site.address + "/")  # she does not even need the letter
    fits(phone)
    phone.locator("main .card.decision a.primary").click()
    phone.locator(".decision summary").first.click()  # why this date?
    assert phone.locator(".decision .strip").first.is_visible()
    assert phone.locator(".decision .strip .counted").count() == 5
    fits(phone)
    decide(phone)
    decision = Decision.objects.latest("pk")
    assert (decision.person, stage_of(case)) == (site.world.ana, Stage.ACCEPTED)
    receipt = LedgerLine.objects.filter(case=case).latest("seq")
    assert receipt.receipt in fits(phone)
    with phone.expect_download() as taken:
        phone.locator("a[download]").first.click()
    assert receipt.hash in taken.value.path().read_text()
    assert not site.complaints


def link_in(site: Site, case: Case) -> str:
    """The path of the link to the case in the last letter to Ana."""
    raw = bytes(site.letters_to("ana")[-1].content)
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    links = re.findall(r"https?://\S+", body.get_content())
    parts = urlsplit(next(link for link in links if f"/cases/{case.number}" in link))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def sign_in(site: Site, page: Page) -> None:
    page.fill("input[name=email]", site.world.ana.email)
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=code]")
    body = message_from_bytes(bytes(site.letters_to("ana")[-1].content), policy=policy.default)
    text = body.get_body(("plain",))
    assert text is not None
    [code] = re.findall(r"\b[A-Z0-9]{3,}-[A-Z0-9]{3,}\b", text.get_content())
    page.fill("input[name=code]", code)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1")
    page.wait_for_url("**/cases/**")


def decide(page: Page) -> str:
    """Follow the main button to the receipt; what the confirmation repeated."""
    repeated = ""
    for _step in range(4):
        said = fits(page)
        if "/receipts/" in page.url:
            return repeated
        if page.locator("button[name=confirmed]").count():
            repeated = said
            page.locator("button[name=confirmed]").click()
        else:
            first = ".decision .actions .primary, main form .primary"
            page.locator(first).first.click()
        page.wait_for_load_state()
    raise AssertionError(f"no receipt: {page.url} {fits(page)}")


def fits(page: Page) -> str:
    """What the page says; it never goes beyond the telephone's side."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    return page.locator("main").inner_text()


def later(site: Site, case: Case) -> None:
    last = LedgerLine.objects.filter(case=case).latest("seq")
    site.clock.at = last.at + timedelta(hours=1)


def stage_of(case: Case) -> str:
    return Case.objects.values_list("stage", flat=True).get(pk=case.pk)


def test_a_report_survives_a_crash_with_its_files(site: Site) -> None:
    page = site.page_of("ana")
    page.goto(site.address + "/report")
    page.fill("[name=subject]", "No imprime facturas")
    page.fill("[name=text]", "Desde hoy no imprime ninguna.")
    page.check("[name=impact][value=critical_process]")
    page.check("[name=urgency][value=customer_notices]")
    expect(page.locator("#forecast b").first).to_have_text("Alta")
    file = {"name": "pantalla.txt", "mimeType": "text/plain", "buffer": b"pantalla"}
    page.set_input_files("input[type=file]", file)
    expect(page.locator(".kept")).to_contain_text("pantalla.txt")
    expect(page.locator("[data-draft-state]")).not_to_be_empty()
    draft = Draft.objects.get()
    assert draft.content["text"] == ["Desde hoy no imprime ninguna."]
    page.close()  # and nothing was sent

    again = site.new_page()
    again.context.add_cookies(list(site.pages["ana"].context.cookies()))
    again.goto(site.address + "/report")
    assert again.input_value("[name=subject]") == "No imprime facturas"
    assert again.is_checked("[name=impact][value=critical_process]")
    assert again.locator("[name=kept]").is_checked()
    again.locator("form[data-draft] button.primary").click()
    assert "/receipts/1" in again.url, again.locator("main").inner_text()
    case = Case.objects.get()
    assert (case.subject, case.priority) == ("No imprime facturas", "high")
    assert Attachment.objects.get(case=case).filename == "pantalla.txt"
    assert not Draft.objects.exists()
    again.context.close()
    assert not site.complaints


def test_two_who_decide_at_once_get_an_honest_answer(site: Site) -> None:
    case = site.world.delivered()
    later(site, case)
    for who in ("ana", "beto"):
        assert site.visit(who, case, "acceptance") == 200
        site.page_of(who).locator("main form button.primary").first.click()
        assert site.page_of(who).locator("button[name=confirmed]").count() == 1
    for who in ("ana", "beto"):
        site.page_of(who).locator("button[name=confirmed]").click()
    assert "/receipts/" in site.page_of("ana").url
    said = site.page_of("beto").locator("main").inner_text()
    assert str(site.world.ana) in said
    assert Decision.objects.filter(case=case, person=site.world.beto).count() == 0
    assert not site.complaints
