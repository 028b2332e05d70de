"""Whether words that are to be published repeat others that are not for those readers."""

from __future__ import annotations

import re
from collections.abc import Iterable

RUN, SHORTEST = 8, 3  # words


def repeats(published: str, kept: Iterable[str]) -> bool:
    """Whether `published` holds a run of eight words of one of the `kept` texts, or the whole of
    one that has three to seven. Quote marks, line breaks, capitals and punctuation hide nothing."""
    said = f" {' '.join(_plain_words(published))} "
    return any(f" {' '.join(run)} " in said for text in kept for run in _runs(_plain_words(text)))


def _plain_words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(words: list[str]) -> list[list[str]]:
    if len(words) < RUN:
        return [words] if len(words) >= SHORTEST else []
    return [words[start : start + RUN] for start in range(len(words) - RUN + 1)]
