"""Doing long work: each piece once, in one transaction, its progress told outside of it."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone, translation

from acuse.actions import imports
from acuse.actions import work as acts
from acuse.connectors import storage
from acuse.interfaces.jobs.locks import alone
from acuse.interfaces.web import sheets
from acuse.models import Import, Person, Work, WorkKind
from acuse.models.preferences import zone_of
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries.export import count_cases, export_cases, header

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

GONE = N_("The file is not there any more.")
NOT_YOURS_NOW = N_("Whoever asked for this is no longer an administrator or a manager.")

ADMINISTER = frozenset({Role.ADMINISTRATOR, Role.MANAGER})


def do(work_id: int, clock: Clock) -> None:
    """Do a work unless somebody is at it or it has ended. What it does and that it ended are
    committed together: killed in between, it begins anew and nothing is done twice."""
    with alone("work", work_id) as nobody_else:
        if not nobody_else:
            return
        work = acts.begin(work_id)
        if work is None:
            return
        with acts.Progress(work) as told:
            try:
                with transaction.atomic():
                    _STEPS[WorkKind(work.kind)](work, told, clock)
            except InvalidField as wrong:
                acts.mark_failed(work, wrong.rule, wrong.params, at=clock())
            except Exception:  # told to whoever asked; no other work waits for it
                log.exception("work %s", work.pk)
                acts.mark_failed(work, acts.UNEXPECTED, {}, at=clock())


def _import(work: Work, told: acts.Progress, clock: Clock) -> None:
    file = Import.objects.filter(pk=work.details["file"]).first()
    if file is None:
        raise InvalidField("file", GONE)
    at = clock()
    if not _may_import(work.by, at):
        raise InvalidField("file", NOT_YOURS_NOW)
    counts = imports.apply(file, work.details["seen"], by=work.by, at=at, told=told)
    acts.mark_done(work, at=at, outcome={**counts, "file": file.pk})


def _may_import(person: Person, at: datetime) -> bool:
    """Whether somebody may still do, now that the worker comes to it, what they could when they
    asked: time has passed, and their role may have ended."""
    held = {row.role for row in person.memberships_at(at)}
    return person.is_active and not held.isdisjoint(ADMINISTER)


def _export(work: Work, told: acts.Progress, clock: Clock) -> None:
    """The cases of a query, in the language and the zone of whoever asked."""
    at, query, person = clock(), work.details["query"], work.by
    zone = zoneinfo.ZoneInfo(zone_of(person))
    with translation.override(person.language), timezone.override(zone):
        work.total = count_cases(person, query, at)
        rows = _counted(export_cases(person, query, at), work.total, told)
        delimiter = "," if person.language == "en" else ";"
        content = sheets.write_csv([header(), *rows], delimiter)
    result = storage.put([content])
    name = f"acuse-{at.astimezone(zone):%Y-%m-%d}.csv"
    acts.mark_done(work, at=at, outcome={"cases": work.total}, result=result, filename=name)


def _counted(
    rows: Iterator[Sequence[str]], total: int, told: acts.Progress
) -> Iterator[Sequence[str]]:
    for number, row in enumerate(rows, 1):
        told(number, total)
        yield row


_STEPS: dict[WorkKind, Callable[[Work, acts.Progress, Clock], None]] = {
    WorkKind.IMPORT: _import,
    WorkKind.EXPORT: _export,
}
