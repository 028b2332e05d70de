"""How many confirmations go out, so that nobody can make us write to somebody without end.

A mail's From can be written by anybody (RFC 3834, 2), and so can a hundred of them: without a
brake each would be confirmed to an address that may never have written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """At most `most` within any stretch as long as `within`, counted by `scope`: to one address,
    to one domain, or to all."""

    scope: str
    most: int
    within: timedelta


GLOBAL = Limit("all", 60, HOUR)
# To addresses that nobody vouches for: robots vary the name before the @, hence the domain.
TO_STRANGERS = (
    Limit("address", 3, HOUR),
    Limit("address", 10, DAY),
    Limit("domain", 20, HOUR),
    GLOBAL,
)
# To the firm's and the customers' own people: they get each of theirs, in the end.
TO_KNOWN = (Limit("address", 10, HOUR),)


def free_at(limit: Limit, taken: Sequence[datetime]) -> datetime | None:
    """When one more may go; None: now. `taken`: what went within the last `within`, in order."""
    return taken[-limit.most] + limit.within if len(taken) >= limit.most else None


def find_brake(
    limits: Iterable[Limit], taken: Callable[[Limit], Sequence[datetime]]
) -> tuple[Limit, datetime] | None:
    """The first limit that stops one more, and until when; None: it may go. `taken` tells what
    went within a limit's stretch up to now."""
    for limit in limits:
        until = free_at(limit, taken(limit))
        if until is not None:
            return limit, until
    return None
