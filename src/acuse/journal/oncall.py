"""What the journal does out of hours: a case that has become Urgent is paged about, at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from procrastinate.contrib.django import app

from ..models import Case, Deadline, Paging
from ..models.oncall import pages_out_of_hours
from ..policy.priority import Priority

FIRE = "fire_deadline"


def begin(case: Case, priority_before: str, at: datetime) -> None:
    """Begin to page about a case that this act has made Urgent, whichever act it was."""
    if case.priority != Priority.URGENT or priority_before == Priority.URGENT:
        return
    Paging.objects.filter(case=case, ended_at__isnull=True).update(ended_at=at)
    if pages_out_of_hours(case, at):
        Paging.objects.create(case=case, began_at=at, next_at=at)


def fire_at_once(planned: Iterable[Deadline], at: datetime) -> None:
    """Enqueue the pages that are due: nobody waits for the full minute. A lost job is found by
    the clock's next round."""
    for row in planned:
        if row.kind == "page" and row.due_at <= at:
            app.configure_task(FIRE, queue="clock").defer(deadline_id=row.pk)
