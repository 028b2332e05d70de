"""Finding: the search page, the palette that is the same search in a hurry, the sheet of keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import DESK, for_firm, person_of
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Case, Person
from acuse.models.roles import passed_on, roles_on
from acuse.policy.filters import fold
from acuse.policy.stages import Stage, possible
from acuse.queries import words
from acuse.queries.search import Found, Hit, find_briefly, search

from .pages import show
from .places import PLACES, SHEET, matching_places

LONGEST = 200  # characters of a search
MOST_ACTS, MOST_PLACES = 8, 6
_NUMBERED = re.compile(r"[Cc]-(\d{1,12})(?:\s+(.*))?", re.S)


@dataclass(frozen=True)
class ActHit:
    """Something that may be done on a case: the address of its page."""

    title: str
    case: Case
    url: str


@for_firm
def find(request: HttpRequest) -> HttpResponse:
    """GET ?q=: a case's own number leads to it at once, anything else to a list. A number with
    words after it finds what can be done on that case."""
    person, text = person_of(request), _asked(request)
    case, rest = _numbered(person, text)
    if case is not None and not rest:
        return redirect(DESK.case_url(case))
    found = search(person, text, clock.now()) if text else Found()
    return show(
        request,
        "search",
        current="search",
        text=text,
        found=found,
        acts=_acts(person, case, rest),
        places=matching_places(text) if text else list(PLACES),
    )


@dataclass(frozen=True)
class Entry:
    """One line of the palette: where it leads, of what kind it is, what it is called."""

    url: str
    kind: str
    title: str
    detail: str = ""


@for_firm
def palette(request: HttpRequest) -> HttpResponse:
    """GET ?q=: the best of what the search finds, one line each. At most three queries beside
    those of every page."""
    person, text = person_of(request), _asked(request)
    case, rest = _numbered(person, text)
    found = [_of_hit(hit) for hit in find_briefly(person, text)]
    acts = [Entry(hit.url, hit.case.number, hit.title) for hit in _acts(person, case, rest)]
    pages = [
        Entry(place.url, _("Page"), str(place)) for place in matching_places(text)[:MOST_PLACES]
    ]
    everything = f"{reverse('desk:search')}?{urlencode({'q': text})}"
    return show(
        request,
        "palette",
        text=text,
        # Words after a case's number ask for something to do there, else the case itself is meant.
        entries=[*acts, *found, *pages] if rest else [*found, *acts, *pages],
        everything=everything,
    )


def _of_hit(hit: Hit) -> Entry:
    if hit.kind == "case":
        return Entry(DESK.url("case", hit.number), hit.number, hit.title, hit.detail)
    kind = _("Person") if hit.kind == "person" else _("Customer")
    return Entry(DESK.url(hit.kind, hit.pk), kind, hit.title, hit.detail)


@for_firm
def keys(request: HttpRequest) -> HttpResponse:
    """What each key does."""
    going = [place for place in PLACES if place.key]
    return show(request, "keys", current="keys", sheet=SHEET, going=going)


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", " ").strip()[:LONGEST]


def _numbered(person: Person, text: str) -> tuple[Case | None, str]:
    """The case whose number the text begins with, if this person may see it, and what follows."""
    match = _NUMBERED.fullmatch(text)
    if match is None:
        return None, ""
    visible = Case.objects.visible_to(person).select_related("organisation")
    return visible.filter(pk=int(match[1])).first(), (match[2] or "").strip()


def _acts(person: Person, case: Case | None, rest: str) -> list[ActHit]:
    """What the tables allow this person on a case, by the words of its name."""
    if case is None:
        return []
    wanted = fold(rest).split()
    roles = frozenset(roles_on(case, person, clock.now()))
    allowed = possible(Stage(case.stage), roles, passed_on(case, person))
    named = [(act.name, words.act_label(act.name)) for act in allowed if act.name in NOUNS]
    return [
        ActHit(label, case, DESK.url("act", case.number, NOUNS[name]))
        for name, label in named
        if all(word in fold(label) for word in wanted)
    ][:MOST_ACTS]
