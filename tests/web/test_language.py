"""Every page and letter in Spanish and Portuguese: nothing is left in English, nothing is glued."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email import message_from_bytes, policy
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.translation import trans_real

import acuse
from acuse.actions import billing, conversation, life
from acuse.interfaces.jobs import letters
from acuse.interfaces.web import consequences
from acuse.interfaces.web.nouns import NOUNS, PAGES
from acuse.models import Addressee, Case, Notice, Person
from acuse.models.roles import roles_on
from acuse.policy import billing as billing_rules
from acuse.policy import coverage
from acuse.policy.billing import Activity
from acuse.policy.deadlines import DEADLINES
from acuse.policy.kinds import KINDS
from acuse.policy.refusals import REASONS
from acuse.policy.stages import ACTS, STAGES, Stage
from acuse.queries import dossier, words
from acuse.queries.sentence import SITUATIONS
from tests.desk.test_pages import addresses as desk_addresses
from tests.web.entering import Browser, StoppedClock
from tests.web.stages import case_in
from tests.world import START, World

Enter = Callable[[str], Browser]
SOURCE = Path(acuse.__file__).parent
TEMPLATES = SOURCE / "templates"
LANGUAGES = ("es", "pt")
# Words of English that are no word of Spanish or Portuguese.
ENGLISH = re.compile(
    r"\b(the|of|and|is|not|with|this|your|you|it|was|when|who|what|cannot|must|been|from"
    r"|are|have|will|until|since|accept|reject|case|cases|time|version|delivery|customer)\b",
    re.I,
)
SEEN_BY_PEOPLE = {"title", "aria-label", "placeholder", "alt", "data-label", "label"}
# What templates write themselves: names of things, alike in every language.
NAMES = re.compile(r"\b(Acuse|DOCTYPE html|N[123]|MB|Ctrl|H)\b")
TRANSLATORS = {
    "_",
    "N_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


class Texts(HTMLParser):
    """The texts of a page, one by one, as people and screen readers get them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.found += [value for name, value in attrs if name in SEEN_BY_PEOPLE and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(" ".join(data.split()))


def catalogue(language: str) -> Any:
    """Every text known in a language, ours and those of the libraries."""
    return trans_real.translation(language)._catalog


def in_english(language: str) -> set[str]:
    """The English texts that read otherwise in a language."""
    with (SOURCE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        known = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {
        text
        for text, translated in known.items()
        if isinstance(text, str) and text and "%(" not in text and translated != text
    }


@pytest.fixture
def untranslated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Collects what is asked for in a language that has no word for it."""
    missing: list[tuple[str, str]] = []
    real = translation._trans

    def note(text: str, form: int | None = None) -> None:
        language = translation.get_language() or ""
        key = text.replace("\r\n", "\n") if form is None else (text, form)
        if language in LANGUAGES and text and key not in catalogue(language):
            missing.append((language, text))

    plain, plural, contextual = trans_real.gettext, trans_real.ngettext, trans_real.pgettext

    def gettext(message: str) -> str:
        note(message)
        return plain(message)

    def ngettext(singular: str, many: str, number: int) -> str:
        note(singular, 0)
        return plural(singular, many, number)

    def pgettext(context: str, message: str) -> str:
        note(f"{context}\x04{message}")
        return contextual(context, message)

    for name, spy in (("gettext", gettext), ("ngettext", ngettext), ("pgettext", pgettext)):
        monkeypatch.setattr(real, name, spy, raising=False)
    return missing


def fault_of(texts: list[str], language: str) -> str:
    """The first text that is not in this language, or nothing."""
    english = in_english(language)
    said = (text for text in texts if not text.startswith(("http://", "https://")))
    return next((text for text in said if text in english or ENGLISH.search(text)), "")


def look(browser: Browser, address: str, language: str, asked: int = 200) -> str:
    """A page as it is shown; what is wrong with its language."""
    return read(browser.get(address), address, language, asked)  # type: ignore[arg-type]


def read(response: HttpResponse, address: str, language: str, asked: int = 200) -> str:
    assert response.status_code == asked, address
    html = response.content.decode()
    assert f'<html lang="{language}"' in html, address
    fault = fault_of(Texts(html).found, language)
    return f"{address}: {fault}" if fault else ""


@pytest.fixture
def rendered() -> Iterator[set[str]]:
    """The names of our templates that were rendered."""
    names: set[str] = set()

    def note(template: Any, **_more: Any) -> None:
        names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


def told_in(language: str) -> None:
    Person.objects.update(language=language)


def full_case(world: World) -> Case:
    """A case on which much beside the main line has happened, up to its billing statement."""
    case = world.working()
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Desde cuándo?")
    conversation.answer(world.on(case, "ana"), wait=case.waits.get(), text="Desde ayer.")
    for minutes in (60, 30):
        billing.log_time(
            world.on(case, "carlos"),
            work_date=START.date(),
            minutes=minutes,
            activity=Activity.EXECUTION,
            text="Se ajusta el reporte",
        )
    life.deliver(
        world.on(case, "carlos"), deliverable=case.deliverables.get(proposal=False), text="Listo"
    )
    world.prove(case)
    life.accept(world.on(case, "ana"), version=case.versions.latest("pk"))
    billing.submit_time(world.on(case, "carlos"))
    billing.approve_time(world.on(case, "ana"), entries=list(case.time.filter(billable=True)))
    billing.issue_statement(world.on(case, "mario"))
    return case


def letter_texts(notice: Notice, at: datetime) -> list[str]:
    """What a letter says: its subject, its text and its HTML, line by line."""
    letter = message_from_bytes(letters.write(notice, at).content, policy=policy.default)
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    return [letter["Subject"], *plain.get_content().splitlines(), *Texts(html.get_content()).found]


def right_one(world: World, act: str, case: Case, clock: StoppedClock) -> str:
    """Somebody who may do the act on this case."""
    people = ("ana", "omar", "sara", "carlos", "paula", "mario")
    return next(p for p in people if ACTS[act].who & roles_on(case, world.people[p], clock.at))


def test_every_page_and_letter_is_in_the_readers_language(
    world: World,
    enter: Enter,
    clock: StoppedClock,
    untranslated: list[tuple[str, str]],
    rendered: set[str],
    client: Any,
) -> None:
    cases = {stage: case_in(world, stage) for stage in Stage}
    full = full_case(world)
    conversation.comment(world.on(cases[Stage.DELIVERED], "ana"), text="¿Incluye el IVA?")
    faults: list[str] = []
    for language in LANGUAGES:
        told_in(language)
        browsers = {short: enter(short) for short in world.people}
        ana, mario = browsers["ana"], browsers["mario"]
        for address in ("/", "/?state=ended", "/report", "/organisation", "/policy", "/profile"):
            faults.append(look(ana, address, language))
        for address in ("/demo/", "/profile"):
            faults.append(look(mario, address, language))
        for address in desk_addresses(world, full):
            faults.append(look(mario, address, language))
        faults.append(look(browsers["sara"], f"/desk/people/{world.ana.pk}", language))
        for case in (*cases.values(), full):
            for short in ("ana", "omar", "paula"):
                faults.append(look(browsers[short], browsers[short].case_url(case), language))
            faults.append(look(ana, f"/cases/{case.number}/receipts/1", language))
        for act, noun in NOUNS.items():
            for may in (True, False):
                case = next((c for s, c in cases.items() if (s in ACTS[act].stages) is may), None)
                if case is not None:
                    browser = browsers[right_one(world, act, case, clock)]
                    address = browser.case_url(case, noun)
                    faults.append(look(browser, address, language, 200 if may else 409))
        for address in ("/accounts/login/", "/accounts/login/code/", "/accounts/logout/"):
            response = client.get(address, headers={"Accept-Language": language}, follow=True)
            faults.append(read(response, address, language))
        with translation.override(language):
            for status in ("400", "403", "404", "expired"):
                texts = Texts(render_to_string(f"errors/{status}.html")).found
                faults.append(fault_of(texts, language))
        for notice in Notice.objects.distinct("line__kind", "person").select_related(
            "person", "line"
        ):
            faults.append(fault_of(letter_texts(notice, clock.at), language))
    assert sorted({fault for fault in faults if fault}) == []
    assert sorted(set(untranslated)) == []
    ours = {p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.*")}
    assert ours - rendered == set()
