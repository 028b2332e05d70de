"""A worker killed in the middle of long work: it is done all the same, and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from acuse.actions import imports, mail
from acuse.actions import work as acts
from acuse.models import Change, Organisation, Person, RawMail, Work, WorkState
from acuse.policy.imports import Grid, Kind, Row
from tests.mail.working import Process, eventually
from tests.world import START, World

POINTS = [
    "work begun, nothing done",
    "work done, not committed",
    "work committed, job not done",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_in_the_middle_of_an_import(
    firm: World, processes: list[Process], tmp_path: Path, point: str
) -> None:
    mario = Person.objects.get(pk=firm.mario.pk)
    rows = [Row(n + 2, {"name": f"Cliente {n}", "language": "es"}, ()) for n in range(20)]
    file = imports.take_in(Kind.CUSTOMERS, "c.csv", "0" * 64, Grid(()), rows, by=mario, at=START)
    seen = imports.digest(imports.preview(file, by=mario, at=START))
    work = acts.ask_import(file, seen, by=mario, at=START)
    mark = tmp_path / "mark"
    first = Process("worker", POINT=point, MARK=str(mark))
    processes.append(first)
    eventually(first.has(mark.exists))
    made = Organisation.objects.filter(name__startswith="Cliente")
    assert made.count() == (20 if point == POINTS[2] else 0)
    first.kill()
    second = Process("worker")
    processes.append(second)
    eventually(second.has(lambda: not Work.objects.undone().exists()))
    work.refresh_from_db()
    assert (work.state, work.done, work.total) == (WorkState.DONE, 20, 20)
    assert made.count() == 20
    assert Change.objects.filter(subject=imports.IMPORT, row=file.pk, act="apply").count() == 1


def test_long_work_holds_up_no_mail(firm: World, processes: list[Process], tmp_path: Path) -> None:
    """Two imports that do not end leave the worker free for everything else."""
    mario = Person.objects.get(pk=firm.mario.pk)
    for number in range(2):
        row = Row(2, {"name": f"Cliente {number}", "language": "es"}, ())
        digest = str(number) * 64
        file = imports.take_in(Kind.CUSTOMERS, "c.csv", digest, Grid(()), [row], by=mario, at=START)
        seen = imports.digest(imports.preview(file, by=mario, at=START))
        acts.ask_import(file, seen, by=mario, at=START)
    mark = tmp_path / "mark"
    worker = Process("worker", POINT=POINTS[0], MARK=str(mark))
    processes.append(worker)
    eventually(worker.has(mark.exists))
    raw = mail.keep(b"From: a@b.example\r\n\r\nHola", firm.mailbox, arrived_at=START)
    eventually(worker.has(lambda: RawMail.objects.filter(pk=raw.pk, state="received").count() == 0))
    assert Work.objects.undone().count() == 2
