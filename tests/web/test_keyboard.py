"""Signing in, reporting, deciding and answering by the keyboard alone, in a browser that runs no
scripts: each step is reached with Tab, and where one is can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Page

from acuse.actions import replies
from acuse.models import Case, LedgerLine, Message, Objection, Outcome
from acuse.models.replies import Sending
from acuse.policy.stages import Stage
from tests.stories.conftest import Site, mail_door, site
from tests.web.entering import BACKEND

__all__ = ["mail_door", "site"]

MOST_STEPS = 120
# Where the focus is: whether it is on what is wanted, and whether one sees it.
FOCUS = """wanted => {
  const here = document.activeElement, style = getComputedStyle(here);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [here.matches(wanted), seen, here.outerHTML.slice(0, 120)];
}"""


class Keyboard:
    """Somebody's browser, and nothing but its keys."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def go_to(self, wanted: str) -> None:
        """Press Tab until the focus is there, if it is not yet; every stop on the way is seen."""
        for _step in range(MOST_STEPS):
            there, seen, where = self.page.evaluate(FOCUS, wanted)
            assert seen or where.startswith("<body"), f"the focus is not seen on {where}"
            if there:
                return
            self.page.keyboard.press("Tab")
        said = self.page.locator("body").inner_text()
        raise AssertionError(f"{wanted} cannot be reached by Tab on {self.page.url}: {said}")

    def write(self, wanted: str, words: str) -> None:
        self.go_to(wanted)
        self.page.keyboard.type(words)

    def choose(self, wanted: str) -> None:
        """Go to a group of choices and take its second one with an arrow."""
        self.go_to(wanted)
        self.page.keyboard.press("ArrowDown")

    def send(self, wanted: str) -> None:
        """Go to a link or button and press Enter; the next page is there then."""
        self.go_to(wanted)
        self.enter()

    def enter(self) -> None:
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture
def keyboards(site: Site) -> Iterator[dict[str, Keyboard]]:
    """Browsers without scripts: of nobody (""), of Ana and of Sara."""
    from django.test import Client

    found, contexts = {}, []
    for who in ("", "ana", "sara"):
        context = site.browser.new_context(locale="es-CO", java_script_enabled=False)
        contexts.append(context)
        if who:
            client = Client()
            client.force_login(site.world.people[who], backend=BACKEND)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.address}])
        found[who] = Keyboard(context.new_page(), site.address)
    yield found
    for context in contexts:
        context.close()


def stage_of(case: Case) -> str:
    return Case.objects.values_list("stage", flat=True).get(pk=case.pk)


def test_signing_in_and_reporting_a_case(site: Site, keyboards: dict[str, Keyboard]) -> None:
    nobody = keyboards[""]
    nobody.open("/report")
    nobody.write("input[name=email]", site.world.ana.email)
    nobody.enter()
    raw = message_from_bytes(bytes(site.letters_to("ana")[-1].content), policy=policy.default)
    body = raw.get_body(("plain",))
    assert body is not None
    (code,) = re.findall(r"\b[A-Z0-9]{3,}-[A-Z0-9]{3,}\b", body.get_content())
    nobody.write("input[name=code]", code)
    nobody.enter()
    assert nobody.page.url.endswith("/report")
    nobody.write("[name=subject]", "No imprime facturas")
    nobody.write("[name=text]", "Desde hoy no imprime.")
    nobody.choose("[name=impact]")
    nobody.choose("[name=urgency]")
    nobody.send("main form button.primary")
    assert "/receipts/1" in nobody.page.url, nobody.page.locator("main").inner_text()
    case = Case.objects.get()
    assert (case.subject, case.reporter) == ("No imprime facturas", site.world.ana)


def test_accepting_a_delivery(site: Site, keyboards: dict[str, Keyboard]) -> None:
    case = site.world.delivered()
    ana = keyboards["ana"]
    ana.open("/")
    ana.send(f"main a[href^='/cases/{case.number}']")
    if not ana.page.url.endswith(case.number):
        ana.open(f"/cases/{case.number}")
    ana.send(".decision a.primary, .decision button.primary")
    ana.send("main form button.primary")
    assert stage_of(case) == Stage.DELIVERED  # the last step repeats what is decided
    ana.send("button[name=confirmed]")
    assert "/receipts/" in ana.page.url
    assert case.versions.latest("pk").outcome == Outcome.ACCEPTED
    assert LedgerLine.objects.filter(case=case, kind="accept", author=site.world.ana).exists()


def test_rejecting_a_delivery_with_objections(site: Site, keyboards: dict[str, Keyboard]) -> None:
    case = site.world.delivered()
    ana = keyboards["ana"]
    ana.open(f"/cases/{case.number}")
    ana.send("a[href*='/rejection']")
    ana.write("[name='objections-0-what']", "Falta el total")
    ana.write("[name='objections-0-why']", "El alcance lo pide")
    ana.send("button[name=add_row]")
    ana.write("[name='objections-1-what']", "Falta la fecha")
    ana.write("[name='objections-1-why']", "También se acordó")
    ana.send("main form button.primary")
    ana.send("button[name=confirmed]")
    assert "/receipts/" in ana.page.url, ana.page.locator("main").inner_text()
    assert stage_of(case) == Stage.CORRECTION
    told = Objection.objects.filter(case=case).order_by("pk")
    assert [row.text for row in told] == ["Falta el total", "Falta la fecha"]


def test_answering_at_the_desk(site: Site, keyboards: dict[str, Keyboard]) -> None:
    case = site.world.analysed()
    sara = keyboards["sara"]
    sara.open("/desk/")
    sara.send(f"main a[href='/desk/cases/{case.number}']")
    sara.write("#reply", "Lo estamos revisando.")
    sara.send("form:has(#reply) button[type=submit]")
    (sending,) = Sending.objects.filter(case=case)
    replies.send(sending.pk, sending.due_at)
    said = Message.objects.filter(case=case).latest("pk")
    assert (said.text, said.author) == ("Lo estamos revisando.", site.world.sara)
