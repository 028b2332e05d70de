"""What has to be known of a case, by type, and what somebody found to be there (P13)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from ..policy.checklists import Item, from_json
from .case import Case
from .catalogue import CaseType
from .people import Person


class ChecklistVersion(models.Model):
    """A list as it was published: never changed. `type` None: for cases of no type, and of types
    that have no list of their own. No items: the list is retired."""

    type = models.ForeignKey(
        CaseType, null=True, blank=True, on_delete=models.PROTECT, related_name="checklists"
    )
    number = models.PositiveIntegerField()
    rows = models.JSONField(default=list)  # [{"key": 1, "text": "..."}, ...], in order
    last_key = models.PositiveIntegerField(default=0)  # the highest that this list ever gave
    since = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["type", "number"], nulls_distinct=False, name="one_checklist_a_number"
            )
        ]

    @property
    def items(self) -> tuple[Item, ...]:
        return from_json(self.rows)


class ChecklistTick(models.Model):
    """Somebody of the firm found on a case what an item asks for; until they took it back."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="ticks")
    checklist = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, related_name="+")
    item = models.PositiveIntegerField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "checklist", "item"],
                condition=models.Q(until__isnull=True),
                name="one_tick_an_item",
            )
        ]


def checklists_of(case: Case) -> models.QuerySet[ChecklistVersion]:
    """The lists that may be a case's: of its type and of any, as they stood when it was opened."""
    rows = ChecklistVersion.objects.filter(
        models.Q(type=case.type_id) | models.Q(type__isnull=True), since__lte=case.opened_at
    )
    return rows.order_by("type_id", "-number").distinct("type_id")


def find_checklist(
    case: Case, lists: Iterable[ChecklistVersion] | None = None
) -> ChecklistVersion | None:
    """The list of a case: as it stood when the case was opened, so that an old case keeps its
    own; its type's, else the one for any type. None where there is nothing to look for."""
    newest = {row.type_id: row for row in (checklists_of(case) if lists is None else lists)}
    for type_id in (case.type_id, None):
        if type_id in newest and newest[type_id].rows:
            return newest[type_id]
    return None
