"""A declared outage: what the firm tells the customers of a system that does not work (P04, P06).

Not to be taken for policy/outages.py, which is the history that monitoring measures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from .fields import N_, InvalidField

LONGEST = 5000  # characters of one text
LANGUAGES = ("es", "en", "pt")

EMPTY = N_("must not be empty in at least one language")
TOO_LONG = N_("must have at most %(most)s characters")


class WordKind(StrEnum):
    """What is told of an outage: that there is one, how it goes, that it is over."""

    DECLARED = "declared"
    UPDATE = "update"
    ENDED = "ended"


def check_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts by language (es, en, pt) without surrounding space and without empty ones.
    Raises InvalidField: none at all, or one that is too long (field text_es and so on)."""
    given = {code: texts.get(code, "").strip() for code in LANGUAGES}
    for code, text in given.items():
        if len(text) > LONGEST:
            raise InvalidField(f"text_{code}", TOO_LONG, most=LONGEST)
    kept = {code: text for code, text in given.items() if text}
    if not kept:
        raise InvalidField("text_es", EMPTY)
    return kept


def text_for(texts: Mapping[str, str], language: str) -> str:
    """The text for a reader of this language; in another where there is none in theirs."""
    order = (language, *LANGUAGES)
    return next((texts[code] for code in order if code in texts), "")


def concerns(
    environment: int | None,
    organisation: int | None,
    reach: Collection[tuple[int, int]],
) -> bool:
    """Whether a report may be about an outage. `reach`: the environments that do not work, each
    with its customer (ids). A report that names no environment (a mail never does) may be about
    any of its customer's."""
    if environment is not None:
        return any(environment == one for one, _ in reach)
    return organisation is not None and any(organisation == of for _, of in reach)
