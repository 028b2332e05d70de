"""Two robots at work, ours and another: they stop after one letter (P12, mail rule 12)."""

from __future__ import annotations

import smtplib
from unittest.mock import patch

import pytest

from acuse.actions import life, notices
from acuse.config import Config
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake
from acuse.interfaces.web import clock
from acuse.models import Case, Notice
from tests.mail.post import written
from tests.mail.sink import sink
from tests.mail.working import Listening
from tests.world import World


@pytest.mark.parametrize("sender", ["ana@andina.example", "eve@evil.example"])
def test_two_robots_at_work_stop_after_one_letter(
    firm: World, listener: Listening, sender: str
) -> None:
    """Through the real listener and a real server: a program that answers each letter at once with
    a mail of its own, in other words each time, which names nothing of ours."""

    def report(number: int) -> None:
        content = written(sender, f"Caso {number * 7919} registrado", f"Aviso {number * 31}")
        with smtplib.SMTP("127.0.0.1", listener.port) as client:
            client.sendmail(sender, ["soporte@example.com"], content)

    with sink() as robot, patch.object(Config, "mail_server", robot.server()):

        def answer_all(most: int) -> int:
            """Turn by turn until nothing moves any more; how many letters the robot answered."""
            for answered in range(most):
                intake.take_in_all(clock.now())
                for line_id in Notice.objects.filter(state="queued").values_list("line", flat=True):
                    sending.send_line(line_id, clock.now)
                letters = [to for _from, to, _content in robot.taken if to == sender]
                if len(letters) == answered:
                    return answered
                report(answered + 1)
            raise AssertionError("they go on and on")

        report(0)
        assert answer_all(6) == 1
        first, second = Case.objects.order_by("pk")
        assert Notice.objects.get(case=first, person=first.reporter).state == "sent"
        waiting = Notice.objects.get(case=second, person=second.reporter)
        assert (waiting.state, waiting.reason) == ("suppressed", "circle")
        # Somebody takes what it wrote: one more letter of each kind, and it stops again.
        life.take(firm.on(second, "sara", clock.now()))
        assert notices.release_vouched(clock.now()) == 1
