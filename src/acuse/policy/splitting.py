"""A message in the parts of which each may be another problem (P15)."""

from __future__ import annotations

import re

MOST_PARTS = 60  # of one message; what follows stays with the last


def parts_of(text: str) -> list[str]:
    """The paragraphs of a text; of a single paragraph its lines, of a single line its sentences.
    Nothing of it is lost, but for the space between them."""
    for between in (r"\n\s*\n", r"\n", r"(?<=[.!?…])\s+"):
        parts = [part.strip() for part in re.split(between, text.strip())]
        parts = [part for part in parts if part]
        if len(parts) > 1:
            break
    return [*parts[: MOST_PARTS - 1], *filter(None, ["\n\n".join(parts[MOST_PARTS - 1 :])])]
