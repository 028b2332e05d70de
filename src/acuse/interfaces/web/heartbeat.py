"""The signs of life of the worker, the mail listener and the poller, read by `GET /health`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection
from django.utils import timezone

from acuse.models import Heartbeat

EVERY = 5.0  # seconds between two beats
STALE = timedelta(seconds=20)  # older than this is down: three beats missed, and some patience


def beat(name: str, **detail: Any) -> None:
    """Notes that `name` (worker, mail, poll) is at work now; call it from the loop that works.

    `detail` is shown by /health, so it holds figures and never anything personal.
    """
    if not connection.in_atomic_block:
        close_old_connections()  # a loop outside requests has to drop a dead connection itself
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now(), "detail": detail})


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Whether a beat at `at` still counts at `now`."""
    return at is not None and now - at < STALE
