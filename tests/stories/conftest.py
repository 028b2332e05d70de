"""A site that a real browser visits: live pages, a real SMTP listener, a clock that the story
moves. Nothing sleeps; what the worker would do is done when the story says so."""

from __future__ import annotations

import asyncio
import shutil
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from acuse.config import config
from acuse.interfaces.jobs import falling
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake, listener
from acuse.models import Case, CaughtMail, LedgerLine, Notice, NoticeState
from tests.ops.installation import eventually
from tests.web.entering import BACKEND, StoppedClock
from tests.world import World

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper
    from pytest_django.live_server_helper import LiveServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which `make test` installs. Playwright drives it from an event loop of
    this thread: the database is asked between its calls, never inside one, and the loop is gone
    before other tests want one of their own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program is not None, "Chromium is missing: scripts/packages installs it"
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def mail_door(transactional_db: None) -> Iterator[None]:
    """The real listener, on this process's own port, for as long as the test runs."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(listener.serve("127.0.0.1", config.smtp_port, stop))
    )
    thread.start()
    eventually(_is_open)
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=20)
    assert not thread.is_alive()


def _is_open() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", config.smtp_port)) == 0


class Site:
    """What a story does: people at their browsers, mail over SMTP, time."""

    def __init__(self, world: World, address: str, browser: Browser, clock: StoppedClock) -> None:
        self.world, self.address, self.browser, self.clock = world, address, browser, clock
        self.pages: dict[str, Page] = {}
        self.complaints: list[str] = []

    def page_of(self, who: str) -> Page:
        """The browser of somebody, signed in."""
        if who not in self.pages:
            from django.test import Client

            client = Client()
            client.force_login(self.world.people[who], backend=BACKEND)
            page = self.new_page()
            cookie = client.cookies["sessionid"].value
            page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.address}])
            self.pages[who] = page
        return self.pages[who]

    def new_page(self) -> Page:
        """A browser of nobody yet; what goes wrong in it is kept."""
        page = self.browser.new_context(locale="es-CO").new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        """Errors on the console are complaints; that a refusal is no 200 is none."""
        refusal = "status of 409" in said.text or "status of 404" in said.text
        if said.type == "error" and not refusal:
            self.complaints.append(said.text)

    def door(self, who: str) -> str:
        return self.address + ("/desk" if self.world.people[who].is_firm else "")

    def visit(self, who: str, case: Case, noun: str = "") -> int:
        """Open a case's page, or one of its acts; the status of the answer."""
        page = self.page_of(who)
        tail = f"/{noun}" if noun else ""
        answer = page.goto(f"{self.door(who)}/cases/{case.number}{tail}")
        assert answer is not None
        return answer.status

    def act(self, who: str, case: Case, noun: str, **typed: object) -> LedgerLine:
        """Do an act by its page, with what is typed, confirmed where it asks; the receipt."""
        before = LedgerLine.objects.filter(case=case).count()
        assert self.visit(who, case, noun) == 200, f"{who} may not do {noun}"
        page = self.page_of(who)
        fill(page, typed)
        page.locator("main form button.primary").first.click()
        if page.locator("button[name=confirmed]").count():
            page.locator("button[name=confirmed]").click()
        assert "/receipts/" in page.url, page.locator("main").inner_text()
        lines = LedgerLine.objects.filter(case=case).order_by("seq")
        assert lines.count() > before
        return lines.get(seq=int(page.url.rsplit("/", 1)[1]))

    def refused(self, who: str, case: Case, noun: str) -> str:
        """Try an act that is not this person's: what the page says."""
        status = self.visit(who, case, noun)
        assert status in (404, 409), f"{who} was not refused {noun}: {status}"
        return self.page_of(who).locator("body").inner_text()

    def send_mail(self, sender: str, subject: str, text: str, to: str, **headers: str) -> None:
        """A mail over SMTP, as a mail server hands it over."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, subject
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", config.smtp_port, timeout=20) as server:
            server.send_message(message)

    def work(self) -> None:
        """What the worker does: read the mail that waits, send what is to be told."""
        intake.take_in_all(self.clock())
        waiting = Notice.objects.filter(state=NoticeState.QUEUED)
        for line_id in list(waiting.order_by("line").values_list("line", flat=True).distinct()):
            sending.send_line(line_id, self.clock)

    def wait_until(self, at: datetime) -> None:
        """Time passes: what falls due happens on the way, each at its own moment."""
        self.work()
        for line in falling.fire_due(at):
            assert line.at <= at
        self.clock.at = at
        self.work()

    def letters_to(self, who: str) -> list[CaughtMail]:
        """The mail that went out to somebody, oldest first."""
        address = self.world.people[who].email
        return [mail for mail in CaughtMail.objects.order_by("pk") if address in mail.recipients]


def fill(page: Page, typed: dict[str, object]) -> None:
    """Type into the fields of a form by their names: text, codes, ticks."""
    for name, value in typed.items():
        field = page.locator(f"main form [name='{name}']")
        kind = field.first.get_attribute("type") or field.first.evaluate("e => e.tagName")
        if kind == "radio":
            page.locator(f"main form [name='{name}'][value='{value}']").check()
        elif kind == "SELECT":
            field.select_option(str(value))
        elif isinstance(value, bytes):
            file = {"name": "entrega.txt", "mimeType": "text/plain", "buffer": value}
            field.set_input_files(file)
        else:
            field.fill(str(value))


@pytest.fixture
def site(
    transactional_db: None,
    live_server: LiveServer,
    world: World,
    chromium: Browser,
    mail_door: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: SettingsWrapper,
) -> Iterator[Site]:
    """The site of the small firm of tests/world.py, at the moment that the story sets."""
    from tests.world import START

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    stopped = StoppedClock(START)
    monkeypatch.setattr("acuse.interfaces.web.clock.now", stopped)
    site = Site(world, live_server.url, chromium, stopped)
    yield site
    for page in site.pages.values():
        page.context.close()
