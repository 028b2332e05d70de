"""Who changed what of the installation, when and why: one row for each change, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..models import Change, Person

HIDDEN = "•••"  # in place of a secret: that it changed is told, what it is never


def note_change(
    subject: str,
    row: int,
    act: str,
    *,
    by: Person,
    at: datetime,
    why: str = "",
    fields: Mapping[str, tuple[object, object]] | None = None,
) -> Change:
    """Note one change. `fields`: for each column its value before and after, as plain JSON."""
    return Change.objects.create(
        subject=subject,
        row=row,
        act=act,
        by=by,
        at=at,
        why=why,
        fields={name: list(pair) for name, pair in (fields or {}).items()},
    )


def compare(
    before: Mapping[str, object], after: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    """What differs, for the columns that `after` names."""
    return {
        name: (before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    }
