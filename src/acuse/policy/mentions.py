"""Mentions: who of the firm is named by @name in an internal note.

A name is written whole (@Ana Torres), by its first word (@Ana), or as the mail address begins
(@ana). The longest that fits counts; one that fits several people is nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """Somebody who may be meant: id, name, mail address, and whether they are of the firm."""

    person: int
    name: str
    email: str
    firm: bool


@dataclass(frozen=True)
class Mentions:
    """What was found: the ids of the firm's people in the order in which they are named, what
    fits several of them, and what can only mean somebody of a customer."""

    people: tuple[int, ...] = ()
    unclear: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


_AT = re.compile(r"(?<![\w@.])@(?=\w)")


def find_mentions(text: str, people: Iterable[Named]) -> Mentions:
    """Everybody whom a text names. An @ inside a mail address names nobody, nor does a word that
    is nobody's name."""
    written = _handles(people)
    longest_first = sorted(written, key=len, reverse=True)
    plain = _plain(text)
    found: list[int] = []
    unclear: list[str] = []
    outside: list[str] = []
    for at in _AT.finditer(plain):
        rest = plain[at.end() :]
        handle = next((each for each in longest_first if _begins(rest, each)), None)
        if handle is None:
            continue
        firm = {each.person for each in written[handle] if each.firm}
        if len(firm) == 1:
            found += firm - set(found)
        else:
            (unclear if firm else outside).append(handle)
    return Mentions(tuple(found), tuple(dict.fromkeys(unclear)), tuple(dict.fromkeys(outside)))


def _handles(people: Iterable[Named]) -> dict[str, set[Named]]:
    """What each may be called by, and by whom."""
    written: dict[str, set[Named]] = defaultdict(set)
    for each in people:
        name = _plain(each.name)
        for handle in (name, name.partition(" ")[0], _plain(each.email).partition("@")[0]):
            if handle:
                written[handle].add(each)
    return written


def _begins(text: str, handle: str) -> bool:
    return text.startswith(handle) and not re.match(r"\w", text[len(handle) :])


def _plain(text: str) -> str:
    """Without accents, in small letters, with single spaces: a name is found however typed."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())
