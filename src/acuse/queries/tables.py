"""The firm's vocabulary and what contracts rest on, to be read: each with its versions, who
published them, and what uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Model, Q, QuerySet

from ..models import (
    CalendarVersion,
    Change,
    ContractVersion,
    PolicyVersion,
    Rate,
    RateVersion,
    RetiredTable,
    SlaVersion,
    TableKind,
)
from ..models.catalogue import Named
from ..policy.stages import ENDED

MODELS: dict[str, type[Model]] = {
    TableKind.CALENDAR: CalendarVersion,
    TableKind.SLA: SlaVersion,
    TableKind.RATES: RateVersion,
}


def vocabulary(model: type[Named]) -> list[Any]:
    """The words of one part of the vocabulary, those in use first, each with `cases` and, of
    them, `open_cases`."""
    rows: QuerySet[Any] = model._default_manager.annotate(
        cases=Count("case"), open_cases=Count("case", filter=~Q(case__stage__in=ENDED))
    )
    return sorted(rows, key=lambda word: (word.retired_at is not None, word.name.lower()))


@dataclass(frozen=True)
class Table:
    """One table in its newest version: whether it is retired, how many versions of contracts rest
    on one of its versions."""

    newest: Any
    retired: bool
    contracts: int


def tables(kind: TableKind) -> list[Table]:
    """Every table of a kind, those in use first."""
    model = MODELS[kind]
    column = kind.value
    used: dict[str, int] = dict(
        ContractVersion.objects.filter(**{f"{column}__isnull": False})
        .values_list(f"{column}__name")
        .annotate(count=Count("contract", distinct=True))
    )
    gone = set(RetiredTable.objects.filter(kind=kind).values_list("name", flat=True))
    newest = model._default_manager.order_by("name", "-number").distinct("name")
    found = [Table(row, row.name in gone, used.get(row.name, 0)) for row in newest]  # type: ignore[attr-defined]
    return sorted(found, key=lambda table: (table.retired, table.newest.name.lower()))


@dataclass(frozen=True)
class TableVersion:
    """One version: who published it (None: the setting up), and a list's rates."""

    row: Any
    change: Change | None
    rates: list[Rate] = field(default_factory=list)


def versions(kind: TableKind, name: str) -> list[TableVersion]:
    """Every version of one table, the newest first."""
    rows: list[Any] = list(MODELS[kind]._default_manager.filter(name=name).order_by("-number"))
    changes = _published(kind, rows)
    rates: dict[int, list[Rate]] = {}
    if kind is TableKind.RATES:
        listed = Rate.objects.filter(version__in=rows).select_related("specialty")
        for rate in listed.order_by("activity", "specialty__name"):
            rates.setdefault(rate.version_id, []).append(rate)
    return [TableVersion(row, changes.get(row.pk), rates.get(row.pk, [])) for row in rows]


def is_retired(kind: TableKind, name: str) -> bool:
    """Whether no new contract may rest on it."""
    return RetiredTable.objects.filter(kind=kind, name=name).exists()


def changes_of_table(kind: TableKind, name: str) -> list[Change]:
    """Who published, retired or took into use what of one table, the newest first."""
    ids = MODELS[kind]._default_manager.filter(name=name).values_list("pk", flat=True)
    return list(Change.objects.filter(subject=kind, row__in=list(ids)).select_related("by"))


def policy_versions() -> list[TableVersion]:
    """Every version of the policies, the newest first."""
    rows = list(PolicyVersion.objects.order_by("-number"))
    changes = _published("policy", rows)
    return [TableVersion(row, changes.get(row.pk)) for row in rows]


def _published(subject: str, rows: list[Any]) -> dict[int, Change]:
    found = Change.objects.filter(
        subject=subject, row__in=[row.pk for row in rows], act__in=["publish", "review"]
    )
    return {change.row: change for change in found.select_related("by")}
