"""The versions of a case's estimate, to be compared."""

from __future__ import annotations

from ..models import Case, Estimate
from ..policy.estimates import Comparison, Item, Sheet, Work, compare


def versions_of(case: Case) -> list[Estimate]:
    """All versions with lines and planned deliveries, the first one first."""
    found = case.estimates.select_related("author").order_by("number")
    return list(found.prefetch_related("lines__specialty", "items"))


def sheet_of(estimate: Estimate) -> Sheet:
    """A version as plain data."""
    return Sheet(
        estimate.number,
        {
            "scope": estimate.text,
            "exclusions": estimate.exclusions,
            "assumptions": estimate.assumptions,
        },
        [
            Work(
                line.key,
                line.description,
                line.activity,
                str(line.specialty or ""),
                line.minutes,
            )
            for line in estimate.lines.all()
        ],
        [Item(item.key, item.kind, item.title) for item in estimate.items.all()],
    )


def compare_versions(before: Estimate, after: Estimate) -> Comparison:
    """Two versions side by side."""
    return compare(sheet_of(before), sheet_of(after))
