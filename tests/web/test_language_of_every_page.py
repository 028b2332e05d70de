"""Every page of the catalogue speaks its reader's language, and every template is one of a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test.signals import template_rendered

from acuse.interfaces.web import clock
from acuse.models import Person
from tests import pages
from tests.estate import NOW, Estate
from tests.web.entering import Browser
from tests.web.test_language import ELSEWHERE, TEMPLATES, read

# Shown after something was sent, or in a letter: the tests of those send and read them.
AFTER_SENDING = {
    "desk/composer_sending.html",
    "desk/inbox_results.html",
    "desk/send_again.html",
    "desk/triage_done.html",
    "mail/digest.html",
    "mail/digest.txt",
    "mail/disruption.html",
    "mail/disruption.txt",
}


@pytest.fixture
def transactional_db(estate: Estate) -> None:
    """The estate's: made once, and never emptied between the tests."""


@pytest.fixture
def rendered() -> Iterator[set[str]]:
    names: set[str] = set()

    def note(template: object, **_more: object) -> None:
        names.add(str(getattr(template, "name", "")))

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


@pytest.mark.parametrize("language", ["es", "pt", "en"])
def test_every_page_of_the_catalogue(
    transactional_db: None,
    estate: Estate,
    rendered: set[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    Person.objects.update(language=language)
    people = {short: Person.objects.get(pk=row.pk) for short, row in estate.people.items()}
    browsers: dict[str, Browser] = {}
    faults = []
    for name in pages.page_names():
        for visit in pages.visits(estate, name):
            if visit.who not in people:
                continue
            if visit.who not in browsers:
                browsers[visit.who] = Browser(people[visit.who])
            answer = browsers[visit.who].get(visit.path)
            faults.append(read(answer, visit.path, language, visit.status))
    assert sorted({fault for fault in faults if fault}) == []
    ours = {p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.*")}
    assert ours - rendered - ELSEWHERE - AFTER_SENDING == set()
