"""Receipts: the ledger line of an act, as the person who may see it reads it."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import IdempotencyKey, LedgerLine, Person
from . import words
from .case import CaseView


@dataclass(frozen=True)
class Receipt:
    """One act that happened: its line, in words, by whom; another case that came of it."""

    line: LedgerLine
    sentence: str
    who: str
    other_case: str | None


def get_receipt(view: CaseView, seq: int) -> Receipt | None:
    """The receipt of this number on the case, if this person may see it."""
    lines = LedgerLine.objects.visible_to(view.person).select_related("author", "case")
    line = lines.filter(case=view.case, seq=seq).first()
    if line is None:
        return None
    return Receipt(line, words.line_sentence(line), words.author_name(line), _other_case(line))


def _other_case(line: LedgerLine) -> str | None:
    names = ("case", "change", "original", "origin")
    other = next((line.payload[name] for name in names if line.payload.get(name)), None)
    return f"C-{other}" if other is not None else None


def find_repeated(person: Person, act: str, key: str) -> LedgerLine | None:
    """The receipt that this key of the person's got before, for the same act."""
    if not key:
        return None
    author = f"person:{person.pk}"
    used = IdempotencyKey.objects.filter(author=author, key=key, act=act)
    found = used.select_related("line").first()
    return found.line if found is not None else None
