"""Checklists: published by the firm's managers, ticked on a case by whoever checks it (P13)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from ..journal.writer import Writing, act
from ..models import CaseType, ChecklistTick, ChecklistVersion, Person, find_checklist
from ..policy.checklists import revise, to_json
from ..policy.fields import N_, InvalidField
from ..policy.kinds import Payload
from . import records

CHECKLIST = "checklist"  # subject of a Change row
STALE = N_("version %(number)s has been published meanwhile: look at it first")


@transaction.atomic
def publish_checklist(
    type: CaseType | None, texts: Iterable[str], *, seen: int, by: Person, at: datetime
) -> ChecklistVersion:
    """The next version of the list of a type (None: of any type), for cases opened from now on;
    no texts retire it. `seen`: the number that whoever publishes had before them, 0 for none.
    One that says the same is no version: the one in force is returned. Raises InvalidField.
    """
    if type is not None:  # two who publish come one after the other
        CaseType.objects.select_for_update().get(pk=type.pk)
    rows = ChecklistVersion.objects.filter(type=type).order_by("number")
    before = rows.last()
    number = before.number if before is not None else 0
    if number != seen:
        raise InvalidField("items", STALE, number=number)
    known = before.items if before is not None else ()
    items = revise(known, texts, before.last_key if before is not None else 0)
    if before is not None and items == known:
        return before
    last_key = max([item.key for item in items] + [before.last_key if before is not None else 0])
    version = ChecklistVersion.objects.create(
        type=type, number=number + 1, rows=to_json(items), last_key=last_key, since=at, by=by
    )
    told = {"items": ([item.text for item in known], [item.text for item in items])}
    records.note_change(
        CHECKLIST, type.pk if type is not None else 0, "publish", by=by, at=at, fields=told
    )
    return version


@act("check_information")
def check_information(w: Writing, *, ticked: Collection[int]) -> Payload:
    """Support says which of the things that it has to know are there (keys of the case's list);
    what is not among them is missing (P13)."""
    checklist = find_checklist(w.case)
    if checklist is None:
        w.refuse("no_checklist")
    known = {item.key for item in checklist.items}
    wanted = {int(key) for key in ticked}
    if wanted - known:
        w.refuse("reason_unknown", "ticked", value=min(wanted - known))
    running = w.case.ticks.filter(checklist=checklist, until__isnull=True)
    before = set(running.values_list("item", flat=True))
    new, taken_back = sorted(wanted - before), sorted(before - wanted)
    if not new and not taken_back:
        w.refuse("nothing_changed", "ticked")
    running.filter(item__in=taken_back).update(until=w.at)
    for key in new:
        ChecklistTick.objects.create(case=w.case, checklist=checklist, item=key, by=w.by, at=w.at)
    return {"checklist": checklist.pk, "ticked": new, "cleared": taken_back}
