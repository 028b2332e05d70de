"""A worker killed in the middle of its jobs: nothing is lost, and nobody gets anything twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from acuse.models import (
    Case,
    CaughtMail,
    Dispatch,
    LedgerLine,
    MailState,
    Message,
    Notice,
    RawMail,
    Window,
)
from tests.mail.post import kept, written
from tests.mail.working import Listening, Process, eventually
from tests.world import World

POINTS = [
    "mail taken up, not read",
    "mail read, no case yet",
    "case opened, no notice",
    "case opened, mail not settled",
    "mail read, not committed",
    "mail committed, job not done",
    "notice queued, not taken",
    "notice taken, not sent",
    "notice sent, not noted",
    "notice noted, job not done",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_in_the_middle(
    firm: World,
    listener: Listening,
    processes: list[Process],
    tmp_path: Path,
    point: str,
) -> None:
    case = firm.delivered("development", prove=False)
    Notice.objects.exclude(dispatch__version=case.versions.latest("pk")).update(state="sent")
    raws = [
        kept(written("ana@andina.example", str(number), message_id=f"m{number}@andina.example"))
        for number in range(2)
    ]
    mark = tmp_path / "mark"
    smtp_port = str(listener.port)
    first = Process("worker", POINT=point, MARK=str(mark), ACUSE_SMTP_PORT=smtp_port)
    processes.append(first)
    eventually(first.has(mark.exists))
    first.kill()
    second = Process("worker", ACUSE_SMTP_PORT=smtp_port)
    processes.append(second)

    def settled() -> bool:
        read = not RawMail.objects.exclude(state=MailState.PROCESSED).exists()
        return read and not Notice.objects.exclude(state="sent").exists()

    eventually(second.has(settled))
    for raw in raws:
        assert Message.objects.filter(raw_mail=raw).count() == 1
    assert Case.objects.count() == 1 + len(raws)
    # each confirmation and the delivery's letter, once, and what they prove, once
    caught = list(CaughtMail.objects.values_list("message_id", flat=True))
    assert len(caught) == len(set(caught)) == Notice.objects.filter(sent_at__isnull=False).count()
    told = Notice.objects.filter(person=firm.ana, sent_at__isnull=False)
    assert told.filter(line__kind="open").count() == len(raws)
    assert told.filter(line__kind="deliver").count() == 1
    copy = Dispatch.objects.get(version=case.versions.latest("pk"))
    assert copy.accepted_at is not None
    assert Window.objects.filter(version=copy.version, annulled=False).count() == 1
    proofs = LedgerLine.objects.filter(case=case, kind="prove_delivery")
    assert proofs.filter(payload__dispatch=copy.pk).count() == 1
