"""A case's parent and children, for the firm alone (P15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from ..models import Case, CaseLink, LinkKind


@dataclass(frozen=True)
class Family:
    """What a case hangs on (None: nothing), and what hangs on it, oldest first."""

    parent: Case | None
    children: list[Case]


def family_of(case: Case) -> Family:
    """In one query."""
    links = CaseLink.objects.filter(
        Q(case=case) | Q(other=case), kind=LinkKind.PARENT, undone_at__isnull=True
    )
    return family_in(case, links.select_related("case__organisation", "case__reporter", "other"))


def family_in(case: Case, links: Iterable[CaseLink]) -> Family:
    """The same, of the case's links as they were read with both ends."""
    parent, children = None, []
    for link in links:
        if link.kind != LinkKind.PARENT:
            continue
        if link.case_id == case.pk:
            parent = link.other
        else:
            children.append(link.case)
    return Family(parent, sorted(children, key=lambda child: child.pk))
