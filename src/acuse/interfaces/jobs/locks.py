"""Work that is never done by two workers at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(work: str, number: int = 0) -> Iterator[bool]:
    """Whether nobody else is at this work (on this row). The lock is the connection's: it ends
    with a killed worker at once, and no lease has to run out."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s), %s)", [work, number])
        (taken,) = cursor.fetchone()
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtext(%s), %s)", [work, number])
