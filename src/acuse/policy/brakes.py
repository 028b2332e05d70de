"""How many confirmations go out, so that nobody can make us write to somebody without end.

A mail's From can be written by anybody (RFC 3834, 2), and so can a hundred of them: without a
brake each would be confirmed to an address that may never have written. And a program may answer
each confirmation with a mail that names nothing of ours and says something else every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A program answers what it gets within this time; people need longer to write.
ANSWER_TIME = timedelta(minutes=1)
CLOCK_ERROR = timedelta(seconds=1)  # other servers date a mail in whole seconds


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


@dataclass(frozen=True)
class Confirmed:
    """One confirmation to somebody: from when on it may have reached them, and when the mail
    server took it at last (the same moment, unless it had to be tried again)."""

    taken_at: datetime
    sent_at: datetime


def may_answer(
    arrived_at: datetime, letters: Iterable[Confirmed], *, error: timedelta = timedelta(0)
) -> bool:
    """Whether a mail that arrived at a moment may be a program's answer to a confirmation that
    its author had got before (P12). `error`: how far the clock that dated it may be behind."""
    return any(
        letter.taken_at < arrived_at + error and arrived_at < letter.sent_at + ANSWER_TIME
        for letter in letters
    )


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
