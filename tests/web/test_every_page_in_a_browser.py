"""What holds for every page, seen in a real browser with the policy of contents on: no violation of
WCAG 2.2 AA, little to load, nothing from elsewhere, no sideways scrolling, no motion, a focus that
one sees. `make test` looks at the Spanish pages; the long profile at three languages, light and
dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response

from acuse.interfaces.web import clock
from tests import pages
from tests.estate import NOW, Estate
from tests.pages import Visit
from tests.web.entering import BACKEND
from tests.web.looking import DESKTOP, Onlooker

LOOKS = [("es", "light")]
ALL_LOOKS = [(language, scheme) for language in ("es", "en", "pt") for scheme in ("light", "dark")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "look" in metafunc.fixturenames:
        long = metafunc.config.getoption("--hypothesis-profile") == "long"
        metafunc.parametrize("look", ALL_LOOKS if long else LOOKS, ids="-".join)


class Visitors:
    """One signed-in browser context for each person and look."""

    def __init__(self, estate: Estate, address: str, browser: Browser) -> None:
        self.estate, self.address, self.browser = estate, address, browser
        self.language = "es"
        self._known: dict[tuple[str, str], Onlooker] = {}

    def onlooker(self, who: str, language: str, scheme: str) -> Onlooker:
        if language != self.language:
            self.estate.tell_in(language)
            self.language = language
        key = (who, language)
        if key not in self._known:
            context = self.browser.new_context(locale=language, reduced_motion="reduce")
            if who:
                context.add_cookies([self._cookie(who)])
            self._known[key] = Onlooker(context.new_page(), self.address)
        found = self._known[key]
        found.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        return found

    def _cookie(self, who: str):  # type: ignore[no-untyped-def]
        from django.test import Client

        client = Client()
        client.force_login(self.estate.world.people[who], backend=BACKEND)
        value = client.cookies["sessionid"].value
        return {"name": "sessionid", "value": value, "url": self.address}

    def faults(self, visit: Visit, language: str, scheme: str) -> list[str]:
        """Visit a page; what is wrong with it, each with the path."""
        onlooker = self._ready(visit, language, scheme)
        answer = onlooker.page.goto(self.address + visit.path)
        return self._faults(visit, onlooker, answer)

    def faults_after_sending(
        self, visit: Visit, typed: dict[str, str], language: str, scheme: str
    ) -> list[str]:
        """Send the form of a page; what is wrong with the page that follows."""
        onlooker = self._ready(visit, language, scheme)
        page = onlooker.page
        page.goto(self.address + visit.path)
        for field, words in typed.items():
            page.locator(f"main form [name='{field}']").fill(words)
        onlooker.forget()
        with page.expect_navigation() as following:
            page.locator("main form button.primary").first.click()
        return self._faults(visit, onlooker, following.value)

    def _ready(self, visit: Visit, language: str, scheme: str) -> Onlooker:
        onlooker = self.onlooker(visit.who, language, scheme)
        onlooker.page.set_viewport_size({"width": DESKTOP, "height": 800})
        onlooker.forget()
        return onlooker

    def _faults(self, visit: Visit, onlooker: Onlooker, answer: Response | None) -> list[str]:
        assert answer is not None
        assert answer.status == visit.status, (visit, answer.status)
        return [f"{visit.path} ({visit.who}): {fault}" for fault in onlooker.look(answer)]


@pytest.fixture(scope="module")
def transactional_db(estate: Estate) -> None:
    """The database of these tests is the estate's: made once, and never emptied between them."""


@pytest.fixture(scope="module")
def visitors(estate: Estate, address: str, chromium: Browser) -> Iterator[Visitors]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        yield Visitors(estate, address, chromium)


@pytest.mark.parametrize("name", [*pages.page_names(), "errors"])
def test_a_page_is_sound(
    transactional_db: None, visitors: Visitors, name: str, look: tuple[str, str]
) -> None:
    estate = visitors.estate
    asked = pages.errors(estate) if name == "errors" else pages.visits(estate, name)
    faults = [fault for visit in asked for fault in visitors.faults(visit, *look)]
    assert not faults, "\n".join(faults)


# What comes after a form has been sent, and changes nothing: who, which form, what is typed, and
# the status of the page that follows.
AFTER_A_FORM = {
    "confirmation": ("ana", "portal:act/acceptance", {}, 200),
    "report without words": ("ana", "portal:report", {}, 422),
    "comment without words": ("mario", "desk:act/comment", {}, 422),
    "customer without a name": ("mario", "desk:new_customer", {}, 422),
    "no address": ("", "account_request_login_code", {"email": "ana"}, 200),
    "code asked for": ("", "account_request_login_code", {"email": "ana@andina.example"}, 200),
}


@pytest.mark.parametrize("what", AFTER_A_FORM)
def test_what_follows_a_form_is_sound(
    transactional_db: None, visitors: Visitors, what: str, look: tuple[str, str]
) -> None:
    who, name, typed, status = AFTER_A_FORM[what]
    visit = next(iter(pages.visits(visitors.estate, name)))
    faults = visitors.faults_after_sending(Visit(who, visit.path, status), typed, *look)
    assert not faults, "\n".join(faults)
