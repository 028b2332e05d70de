"""Cases that are like a report which somebody is writing (P15): those of their own organisation
that hold its words, and that they may see."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.db.models import Case as Choose
from django.db.models import F, IntegerField, Q, QuerySet, Value, When

from ..models import Case, Person
from ..policy.stages import ENDED, Stage
from .portal import Row, rows_of

MOST_ROWS, MOST_WORDS = 4, 8
SHORTEST = 4  # letters: shorter words are in every case
RECENT = timedelta(days=90)  # of those that have ended
_WORD = re.compile(r"\w+")


def find_similar(person: Person, text: str, now: datetime) -> list[Row]:
    """The cases most like a text, the most words in common first; a word counts by its stem, and
    one word in common is enough only where there is no other."""
    stems = stems_of(text)
    if not stems:
        return []
    found = _own(person, now).annotate(common=in_common(stems))
    found = found.filter(common__gte=min(2, len(stems))).order_by("-common", "-opened_at", "-pk")
    return rows_of(found[:MOST_ROWS], person)


def _own(person: Person, now: datetime) -> QuerySet[Case]:
    """The open cases of the person's organisations and those that ended lately, none of them a
    duplicate of another."""
    lately = ~Q(stage__in=ENDED) | Q(ended_at__gte=now - RECENT)
    own = Case.objects.visible_to(person).filter(organisation__in=person.organisation_ids())
    return own.filter(lately, duplicate_of=None).exclude(stage=Stage.CANCELLED)


def stems_of(text: str) -> list[str]:
    """The words that say something, without the endings that number and time give them."""
    longer = (word for word in _WORD.findall(text.lower()) if len(word) >= SHORTEST)
    return list(dict.fromkeys(word[: max(SHORTEST, len(word) - 2)] for word in longer))[:MOST_WORDS]


def in_common(stems: list[str]) -> F | Value:
    """How many of the stems a case's first report holds."""
    total: F | Value = Value(0)
    for stem in stems:
        holds = Q(search__subject__icontains=stem) | Q(search__body__icontains=stem)
        total += Choose(When(holds, then=Value(1)), default=Value(0), output_field=IntegerField())  # type: ignore[assignment]
    return total
