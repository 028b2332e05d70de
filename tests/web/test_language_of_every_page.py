"""Every page of the catalogue speaks its reader's language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test.signals import template_rendered

from acuse.interfaces.web import clock
from acuse.models import Person
from tests import pages
from tests.estate import NOW, Estate
from tests.web.entering import Browser
from tests.web.test_language import OF_THE_CATALOGUE, read

# Shown after something was sent, as a part that a script asks for, or in a letter.
AFTER_SENDING = {
    "desk/composer_sending.html",
    "desk/fragment.html",
    "desk/inbox_results.html",
    "desk/palette.html",
    "desk/present.html",
    "desk/send_again.html",
    "desk/ticking.html",
    "desk/triage_done.html",
    "desk/unsent_rows.html",
    "mail/digest.html",
    "mail/digest.txt",
    "mail/disruption.html",
    "mail/disruption.txt",
    "portal/similar.html",
    "shared/kept_file.html",
    "shared/receipt.txt",
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
    people = {short: Person.objects.get(pk=row.pk) for short, row in estate.world.people.items()}
    browsers: dict[str, Browser] = {}
    faults = []
    for name in pages.page_names():
        for visit in pages.visits(estate, name):
            if visit.who not in people:
                continue
            if visit.who not in browsers:
                browsers[visit.who] = Browser(people[visit.who])
            answer = browsers[visit.who].get(visit.path, follow=True)
            faults.append(read(answer, visit.path, language, visit.status))
    assert sorted({fault for fault in faults if fault}) == []
    assert OF_THE_CATALOGUE - AFTER_SENDING - rendered == set()
