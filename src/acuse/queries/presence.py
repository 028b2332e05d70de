"""Who else has a case open right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..models import Case, Person, Presence

LASTS = timedelta(seconds=60)  # without a sign of life; see actions/presence.py


@dataclass(frozen=True)
class Present:
    """Somebody looking at a case; `typing`: they were writing on it when last heard of."""

    name: str
    typing: bool


def others_present(case: Case, person: Person, now: datetime) -> list[Present]:
    """Everybody but this person who has the case open, whoever writes first. One query."""
    rows = Presence.objects.filter(case=case, seen_at__gte=now - LASTS).exclude(person=person)
    found = [
        Present(str(row.person), row.typing_at is not None)
        for row in rows.select_related("person").order_by("person__name", "pk")
    ]
    return sorted(found, key=lambda present: not present.typing)
