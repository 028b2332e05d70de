"""Another customer's people find nothing of the first customer: by no address, filter, count,
search, suggestion, file or export, whatever they send. A property over the catalogue of all
addresses (tests/pages.py), each with the first customer's own ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.http import HttpResponseBase
from django.urls import reverse

from acuse.interfaces.web import clock
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Case, LedgerLine, Message, Notice, RefusalNote, Watcher
from tests import pages
from tests.estate import CANARIES, NOW, SECRET, Estate
from tests.web.entering import Browser

OTHERS = ("nora", "lea", "oscar")  # Brisa's user, lead and owner
# Who enters here is nobody yet; the demo shows everything to everybody; machines show other keys.
ELSEWHERE = ("account_", "portal:demo", "health", "mail_webhook", "alerts")
# The texts of the service policies are the same for all; drafts are everybody's own.
FOR_ALL = ("portal:policy", "draft", "draft_files", "draft_forgetting")
# What changes with every answer: tokens of forms, keys of acts.
FRESH = re.compile(r'value="[0-9A-Za-z]{64}"|[0-9a-f]{32}')


def body_of(response: HttpResponseBase) -> str:
    content = (
        b"".join(response.streaming_content)  # type: ignore[attr-defined]
        if response.streaming
        else response.content  # type: ignore[attr-defined]
    )
    return content.decode("utf-8", "replace") + str(response.headers)


def leaks(response: HttpResponseBase) -> list[str]:
    """Where in an answer a word of the first customer's stands, with what is around it."""
    body = body_of(response)
    return [body[max(0, at - 60) : at + 60] for word in CANARIES if (at := body.find(word)) >= 0]


def names() -> list[str]:
    return [name for name in pages.addresses() if not name.startswith(ELSEWHERE)]


def foreign_paths(estate: Estate, name: str) -> list[str]:
    """The paths of an address with the first customer's ids; for an act, every act's."""
    if name.endswith(":act"):
        case = estate.ids["case"]
        return [reverse(name, args=[case, noun]) for noun in NOUNS.values()]
    if name.endswith(":case"):
        return [reverse(name, args=[case.number]) for case in estate.cases.values()]
    return pages.paths(estate, name)


def own_paths(estate: Estate) -> Iterator[str]:
    """Every page of the portal that needs no id, and all that belong to a case of their own."""
    for name in pages.page_names():
        if name.startswith((*ELSEWHERE, "desk:")):
            continue
        patterns = pages.addresses().get(name, [])
        if any(not pattern.pattern.converters for pattern in patterns):
            yield reverse(name)
    number = estate.own.number
    yield reverse("portal:case", args=[number])
    yield reverse("portal:receipt", args=[number, 1])
    for noun in NOUNS.values():
        yield reverse("portal:act", args=[number, noun])


def asked_for(estate: Estate) -> str:
    """A question that asks for the first customer's things in every way that pages understand."""
    part = SECRET[:-1]  # what is typed may be shown again: a part of the word, not the word
    words = dict.fromkeys(("q", "text", "subject", "search", "find"), part)
    ids = {
        name: estate.ids.get(name, 1)
        for name in ("customer", "environment", "area", "person", "file", "message", "case")
    }
    ids |= {"organisation": estate.world.andina.pk, "environment": estate.world.production.pk}
    ids |= {"reporter": estate.world.ana.pk, "version": 1, "page": 1, "before": 10**9}
    return urlencode(words | ids | {"whose": "all", "show": "all"})


def looked_at(estate: Estate, question: str = "") -> dict[tuple[str, str], str]:
    """What Brisa's people see of their own, by person and path, without what is fresh each time."""
    seen = {}
    for short in OTHERS:
        browser = Browser(estate.world.people[short])
        for path in own_paths(estate):
            address = f"{path}?{question}"
            response = browser.get(address)
            assert response.status_code in (200, 302, 400, 404, 409), address
            assert not leaks(response), (short, address, leaks(response))
            seen[short, address] = FRESH.sub("", body_of(response))
    return seen


def state() -> tuple[int, ...]:
    """Counts of whatever somebody might change."""
    return (
        LedgerLine.objects.count(),
        Message.objects.count(),
        Notice.objects.filter(read_at__isnull=False).count(),
        Watcher.objects.count(),
        RefusalNote.objects.count(),
    )


@pytest.fixture
def estate(db: None, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Brisa alone, so far."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return Estate()


def test_another_customers_people_find_nothing_by_any_address(estate: Estate) -> None:
    for short in OTHERS:  # what looking itself changes is to have happened
        Browser(estate.world.people[short]).look(estate.own)
    alone = looked_at(estate)
    estate.fill()
    beside = looked_at(estate)
    # No count, no list, no suggestion is different because another customer is there.
    assert [key for key in alone if alone[key] != beside[key]] == []
    looked_at(estate, asked_for(estate))

    before = state()
    tried = 0
    for short in OTHERS:
        browser = Browser(estate.world.people[short])
        for name in names():
            for path in foreign_paths(estate, name):
                needs = name.startswith("desk:") or any(
                    pattern.pattern.converters for pattern in pages.addresses()[name]
                )
                answers = [browser.get(path)]
                if needs and short == "nora":
                    answers.append(browser.post(path, {"text": SECRET[:-1], "key": "k"}))
                for response in answers:
                    assert not leaks(response), (short, path, leaks(response))
                    if needs and name not in FOR_ALL:
                        assert response.status_code in (403, 404, 405), (short, path)
                tried += 1
    assert tried > 3 * 250
    assert state() == before


def test_nothing_of_another_customer_can_be_named_in_a_form(estate: Estate) -> None:
    estate.fill()
    browser = Browser(estate.world.nora)
    given = {
        "organisation": estate.world.brisa.pk,
        "subject": "No imprime",
        "text": "Desde hoy",
        "impact": "question",
        "urgency": "can_wait",
    }
    assert browser.get("/report").status_code == 200
    before = Case.objects.count()
    for field, theirs in (
        ("environment", estate.world.production.pk),
        ("organisation", estate.world.andina.pk),
    ):
        response = browser.post("/report", given | {field: theirs, "key": field})
        assert (response.status_code, leaks(response)) == (422, []), field
    assert Case.objects.count() == before
    assert browser.post("/report", given | {"key": "own"}).status_code == 302
    for noun, typed in (
        ("delegation", {"person": estate.world.ana.pk}),
        ("following", {"person": estate.world.ana.pk, "following": "on"}),
        ("proposal-acceptance", {"version": estate.named("case").versions.latest("pk").pk}),
    ):
        told = browser.send(estate.own, noun, **typed)
        assert not leaks(told), noun
        assert told.status_code in (409, 422, 302), noun
    assert not Watcher.objects.filter(case=estate.own, person=estate.world.ana).exists()
    assert estate.world.fresh(estate.own).stage == "proposal"
