"""A parent case and its children: who may hang on whom, and what may be said to all of them.

Children may belong to several customers. None of them ever reads another's words, name or number
(P15; life.md: across organisations cases hang on an internal parent).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .quoting import repeats


@dataclass(frozen=True)
class Member:
    """One case of a family. `organisation` None: the firm's own case, no customer's. `number`
    None: no case, but a customer as such. `kept`: what its customer's people wrote on it;
    `notes`: what the firm noted there for itself."""

    number: int | None
    organisation: int | None
    name: str = ""
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def refusal_of(*, itself: bool, has_parent: bool, has_children: bool, under: bool) -> str:
    """Why a case cannot hang on another (a code of refusals.REASONS); "" where it can. One level
    only: a parent hangs on nobody (`under`: the wanted parent does), a child carries nobody."""
    if itself:
        return "itself"
    if has_parent:
        return "has_parent"
    if has_children:
        return "has_children"
    return "parent_is_child" if under else ""


def find_leak(text: str, family: Iterable[Member], readers: Collection[int | None]) -> str:
    """What in a text that goes to these customers (ids) belongs to a case that not all of them
    may read: its number (C-17), its customer's name, or "…" for words written there. The firm's
    notes no customer may read. "" where there is nothing of the kind."""
    for member in family:
        if repeats(text, member.notes):
            return "…"
        if all(reader is not None and reader == member.organisation for reader in readers):
            continue
        number = member.number
        if number is not None and re.search(rf"\bC-?{number}\b", text, re.IGNORECASE):
            return f"C-{number}"
        if member.name and _names(text, member.name):
            return member.name
        if repeats(text, member.kept):
            return "…"
    return ""


def _names(text: str, name: str) -> bool:
    said = " ".join(text.casefold().split())
    wanted = re.escape(" ".join(name.casefold().split()))
    return re.search(rf"(?<!\w){wanted}(?!\w)", said) is not None
