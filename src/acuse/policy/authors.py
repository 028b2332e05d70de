"""Who does something, through which door, when and to which case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuthorKind(StrEnum):
    """What kind of author stands behind a ledger line."""

    PERSON = "person"
    CLOCK = "clock"
    MONITOR = "monitor"
    SYSTEM = "system"


class Channel(StrEnum):
    """The door through which an act came in."""

    PORTAL = "portal"
    DESK = "desk"
    MAIL = "mail"
    API = "api"
    CLI = "cli"
    CLOCK = "clock"
    MONITOR = "monitor"


@dataclass(frozen=True)
class Author:
    """A named author: a person, or one of the three that are not people."""

    kind: AuthorKind
    channel: Channel
    person_id: int | None = None
    token_id: int | None = None

    def __post_init__(self) -> None:
        if (self.kind is AuthorKind.PERSON) != (self.person_id is not None):
            raise ValueError("person_id: a person's act names the person, no other act does")


CLOCK = Author(AuthorKind.CLOCK, Channel.CLOCK)
MONITOR = Author(AuthorKind.MONITOR, Channel.MONITOR)
POSTMAN = Author(AuthorKind.SYSTEM, Channel.MAIL)


def person(person_id: int, channel: Channel, token_id: int | None = None) -> Author:
    """The author of what this person does through this channel."""
    return Author(AuthorKind.PERSON, Channel(channel), person_id, token_id)


@dataclass(frozen=True)
class Occasion:
    """On which case, by whom, and when (aware; the moment at which it legally happens).

    `key` is the caller's idempotency key: the same key by the same author gets the same receipt.
    `imported` marks a line brought from another system.
    """

    case_id: int | None
    by: Author
    at: datetime
    key: str = ""
    imported: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at: a moment needs its time zone")
