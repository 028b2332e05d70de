"""How far the demo's clock is ahead of the real one. It only ever goes forward."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from ..models import DemoClock


@transaction.atomic
def move(ahead: timedelta) -> None:
    """Set the clock this far ahead; it stays where it is if it is further already."""
    if ahead <= timedelta(0):
        return
    clock, _ = DemoClock.objects.select_for_update().get_or_create(pk=1, defaults={"ahead": ahead})
    if clock.ahead < ahead:
        clock.ahead = ahead
        clock.save(update_fields=["ahead"])
