"""A worker killed around a digest: every line reaches its person by exactly one letter."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.db.models import F

from acuse.actions import conversation
from acuse.actions.preferences import set_preferences
from acuse.models import CaughtMail, DemoClock, Digest, LedgerLine, Notice
from acuse.policy.notices import Way
from tests.mail.post import body
from tests.mail.working import Listening, Process, eventually
from tests.world import START, World

POINTS = [
    "notice in a digest, not committed",
    "digest due, not taken",
    "digest taken, not written",
    "notice taken, not sent",  # at the door of the mail server
    "notice sent, not noted",
    "digest noted, job not done",
]


def caught() -> list[EmailMessage]:
    found = []
    for row in CaughtMail.objects.order_by("pk"):
        message = message_from_bytes(bytes(row.content), policy=policy.default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


@pytest.mark.parametrize("point", POINTS)
def test_killed_around_a_digest(
    firm: World, listener: Listening, processes: list[Process], tmp_path: Path, point: str
) -> None:
    ways = {"conversation": Way.HOURLY, "progress": Way.HOURLY}
    set_preferences(firm.ana, ways=ways, daily_hour=8, quiet=False, at=START)
    lines = []
    for subject in ("No imprime", "No abre"):
        case = firm.report(subject=subject)
        lines.append(conversation.comment(firm.on(case, "sara"), text="Lo miramos."))
    told = Notice.objects.filter(line__in=lines, person=firm.ana)
    Notice.objects.exclude(pk__in=told).update(state="sent")  # not what this is about
    assert told.count() == 2

    def worker(**more: str) -> Process:
        one = Process("worker", ACUSE_SMTP_PORT=str(listener.port), **more)
        processes.append(one)
        return one

    def killed_there() -> None:
        mark = tmp_path / "mark"
        one = worker(POINT=point, MARK=str(mark))
        eventually(one.has(mark.exists))
        one.kill()

    in_a_digest = point.startswith("notice in")
    if in_a_digest:
        killed_there()
        assert not Digest.objects.exists()
    second = worker()
    eventually(second.has(lambda: told.filter(state="grouped").count() == 2))
    second.kill()
    assert not CaughtMail.objects.exists()
    # Their hour comes: the clock of every process is an hour further.
    DemoClock.objects.update(ahead=F("ahead") + timedelta(hours=1))
    if not in_a_digest:
        killed_there()
    third = worker()
    eventually(third.has(lambda: told.filter(state="sent").count() == 2))
    assert not Digest.objects.exclude(state="sent").exists()

    letters = caught()
    # The mail server may get it again, under the Message-ID by which it knows the same mail.
    assert len({str(letter["Message-ID"]) for letter in letters}) == Digest.objects.count()
    by_id = {str(letter["Message-ID"]): body(letter) for letter in letters}
    for line in LedgerLine.objects.filter(pk__in=[line.pk for line in lines]):
        held = [text.count(f"{line.receipt}, ") for text in by_id.values()]
        assert sum(held) == 1, line.receipt
