"""Long work: asked for by somebody, done by the worker, left alone meanwhile. The row is the truth:
a lost job is found again by the sweep, and one that comes twice finds its work ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app

from ..models import Blob, Import, Person, Work, WorkKind, WorkState
from ..policy.fields import N_, InvalidField

DO = "do_work"  # the job's name (interfaces/jobs/tasks.py)
STEPS_TOLD = 50  # how often the progress of one work is written

ASKED_ALREADY = N_("This file is being applied already.")
UNEXPECTED = N_("Something went wrong that we did not foresee. It has been noted; try it again.")


@transaction.atomic
def ask_import(file: Import, seen: str, *, by: Person, at: datetime) -> Work:
    """Have a file applied as it was `seen` (a digest, actions/imports.py), whole or not at all.
    Raises InvalidField("seen") where somebody has asked for that already."""
    Import.objects.select_for_update().get(pk=file.pk)
    asked = Work.objects.undone().filter(kind=WorkKind.IMPORT, details__file=file.pk)
    if asked.exists():
        raise InvalidField("seen", ASKED_ALREADY)
    details = {"file": file.pk, "seen": seen}
    return _ask(WorkKind.IMPORT, details, file.filename, by, at, total=len(file.rows))


@transaction.atomic
def ask_export(query: str, *, by: Person, at: datetime) -> Work:
    """Have the cases of a query (policy/filters.py) written as a file."""
    return _ask(WorkKind.EXPORT, {"query": query}, "", by, at)


def _ask(
    kind: WorkKind,
    details: Mapping[str, object],
    filename: str,
    by: Person,
    at: datetime,
    total: int = 0,
) -> Work:
    work = Work.objects.create(
        kind=kind, details=dict(details), filename=filename, by=by, asked_at=at, total=total
    )
    app.configure_task(DO, queue="slow").defer(work_id=work.pk)
    return work


def waiting() -> QuerySet[Work]:
    """What has been asked for and is not ended."""
    return Work.objects.undone()


def begin(work_id: int) -> Work | None:
    """Take up a work, from its beginning, whoever had it before; None where it has ended."""
    found = Work.objects.undone().filter(pk=work_id)
    if not found.update(state=WorkState.RUNNING, done=0):
        return None
    return Work.objects.select_related("by").get(pk=work_id)


def mark_done(
    work: Work,
    *,
    at: datetime,
    outcome: Mapping[str, object],
    result: tuple[str, int] | None = None,
    filename: str = "",
) -> None:
    """A work has come to its end: in the transaction of what it did. `result`: the sha256 and the
    size of the file that came of it."""
    if result is not None:
        sha256, size = result
        work.result, _new = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
        work.filename = filename
    work.state, work.ended_at, work.outcome = WorkState.DONE, at, dict(outcome)
    work.done = work.total
    work.save()


def mark_failed(work: Work, rule: str, params: Mapping[str, object], *, at: datetime) -> None:
    """A work has come to nothing, for a reason that whoever asked for it is told."""
    told = {name: value if isinstance(value, int) else str(value) for name, value in params.items()}
    Work.objects.undone().filter(pk=work.pk).update(
        state=WorkState.FAILED, ended_at=at, error=[rule, told]
    )


def mark_read(work: Work, at: datetime) -> None:
    """Whoever asked for it has seen that it ended."""
    Work.objects.unread().filter(pk=work.pk).update(read_at=at)


class Progress:
    """Tells how far a work is, while its own transaction is not committed: by a connection of its
    own, which opens with the first word and closes with the block."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._told = -1
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` steps: written at most STEPS_TOLD times."""
        part = done * STEPS_TOLD // max(1, total)
        if part == self._told:
            return
        self._told = part
        with self._connection.cursor() as cursor:
            cursor.execute(
                "update acuse_work set done = %s, total = %s where id = %s and state = %s",
                [done, total, self._work.pk, WorkState.RUNNING],
            )
