"""What a person does with what they are told: how they want it, and that they have read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from ..models import Notice, NoticePreferences, Person
from ..policy.notices import Preferences, read_ways
from . import records
from .administration import PERSON


@transaction.atomic
def set_preferences(
    person: Person, *, ways: Mapping[str, str], daily_hour: int, quiet: bool, at: datetime
) -> NoticePreferences:
    """How somebody wants to be told of what does not bind them, from now on; noted, because it
    says why nothing was mailed. `ways`: by the code of the group. Raises InvalidField."""
    Person.objects.select_for_update().get(pk=person.pk)
    wanted = Preferences(read_ways(ways), daily_hour, quiet)
    row = NoticePreferences.objects.filter(person=person).first()
    before = _told(row.chosen if row is not None else Preferences())
    fields = records.compare(before, _told(wanted))
    if row is None or fields:
        row, _ = NoticePreferences.objects.update_or_create(
            person=person,
            defaults={"ways": wanted.to_json(), "daily_hour": daily_hour, "quiet": quiet},
        )
    if fields:
        records.note_change(PERSON, person.pk, "set_preferences", by=person, at=at, fields=fields)
    return row


def _told(chosen: Preferences) -> dict[str, object]:
    return {"ways": chosen.to_json(), "daily_hour": chosen.daily_hour, "quiet": chosen.quiet}


def mark_read(person: Person, notice_id: int, at: datetime) -> Notice | None:
    """Note that somebody has read one notice of theirs, the first time; None: it is not theirs."""
    own = Notice.objects.visible_to(person).filter(pk=notice_id)
    own.filter(read_at__isnull=True).update(read_at=at)
    return own.select_related("case").first()


@transaction.atomic
def mark_all_read(person: Person, newest_id: int, at: datetime) -> int:
    """Note that somebody has read all notices of theirs up to the newest that they were shown:
    what has come since stays unread. Returns how many were unread."""
    own = Notice.objects.visible_to(person).filter(pk__lte=newest_id, read_at__isnull=True)
    unread = list(own.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=unread).update(read_at=at)
