"""Who has a case open: said by their browser again and again, forgotten after a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from ..models import Case, Person, Presence

LASTS = timedelta(seconds=60)


@transaction.atomic
def be_present(case: Case, person: Person, *, typing: bool, at: datetime) -> None:
    """Somebody looks at a case now, and writes on it or not. What has expired on it is removed."""
    Presence.objects.filter(case=case, seen_at__lt=at - LASTS).delete()
    Presence.objects.update_or_create(
        case=case, person=person, defaults={"seen_at": at, "typing_at": at if typing else None}
    )


def leave(case: Case, person: Person) -> None:
    """Somebody has closed the page of a case."""
    Presence.objects.filter(case=case, person=person).delete()
