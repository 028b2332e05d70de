"""The checklists of the firm, and how the one of a case stands (P13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from ..models import Case, CaseType, Change, ChecklistTick, ChecklistVersion, find_checklist
from ..policy.checklists import Item, missing, request_for


@dataclass(frozen=True)
class State:
    """The list of a case: each item with its tick, None where it is missing."""

    checklist: ChecklistVersion
    rows: list[tuple[Item, ChecklistTick | None]]

    @property
    def missing(self) -> list[Item]:
        return missing(self.checklist.items, self.ticked)

    @property
    def ticked(self) -> set[int]:
        return {item.key for item, tick in self.rows if tick is not None}


def find_state(case: Case, lists: Iterable[ChecklistVersion] | None = None) -> State | None:
    """How the list of a case stands; None where it has none. `lists`: those that may be its
    (`checklists_of`), where they have been read."""
    checklist = find_checklist(case, lists)
    if checklist is None:
        return None
    ticks = {
        tick.item: tick
        for tick in case.ticks.all()
        if tick.checklist_id == checklist.pk and tick.until is None
    }
    return State(checklist, [(item, ticks.get(item.key)) for item in checklist.items])


def propose_question(case: Case) -> str:
    """The text of a request for what is missing, in the case's language; "" where nothing is."""
    state = find_state(case)
    if state is None:
        return ""
    with translation.override(case.language):
        return request_for(_("To go on with your case we need to know:"), state.missing)


@dataclass(frozen=True)
class TypeList:
    """A type (None: any) with the newest version of its list, which may have been retired."""

    type: CaseType | None
    version: ChecklistVersion | None

    @property
    def items(self) -> tuple[Item, ...]:
        return self.version.items if self.version is not None else ()


def lists() -> list[TypeList]:
    """The list for any type first, then every type in use, by name, with its own."""
    rows = ChecklistVersion.objects.order_by("type_id", "-number").distinct("type_id")
    newest = {row.type_id: row for row in rows.select_related("by")}
    types = CaseType.objects.filter(retired_at__isnull=True).order_by("name")
    return [TypeList(None, newest.get(None)), *(TypeList(t, newest.get(t.pk)) for t in types)]


def get_list(type_id: int) -> TypeList:
    """The list of one type; 0: of any. Raises CaseType.DoesNotExist."""
    type = CaseType.objects.get(pk=type_id) if type_id else None
    rows = ChecklistVersion.objects.filter(type=type).order_by("-number")
    return TypeList(type, rows.first())


def changes_of(type_id: int) -> list[Change]:
    """Who published what, the newest first."""
    rows = Change.objects.filter(subject="checklist", row=type_id).select_related("by")
    return list(rows.order_by("-at", "-pk")[:20])
