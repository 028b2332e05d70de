"""Mails of any shape through the whole intake: each is kept and settled, none stops the next."""

from __future__ import annotations

from unittest.mock import patch

from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acuse.actions import mail
from acuse.interfaces.mail import intake
from acuse.models import MailState, RawMail
from tests.mail.post import written
from tests.mail.test_parse_fuzz import mutated
from tests.world import START, World

EXAMPLES = 2_000 if settings().max_examples > 100 else 40


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=2**64))
def test_any_mail_is_settled_and_the_next_one_read(world: World, seed: int) -> None:
    odd = mail.keep(mutated(seed), world.mailbox, arrived_at=START)
    content = bytes(RawMail.objects.get(pk=odd.pk).content)
    next_one = written("ana@andina.example", f"Otra {seed}.", message_id=f"{seed}@andina.example")
    good = mail.keep(next_one, world.mailbox, arrived_at=START)
    assert intake.take_in(odd.pk, START) in set(MailState) - {MailState.RECEIVED, MailState.FAILED}
    assert intake.take_in(good.pk, START) == MailState.PROCESSED
    assert bytes(RawMail.objects.get(pk=odd.pk).content) == content == mutated(seed)


def test_no_statement_of_a_reading_may_hang(world: World) -> None:
    raw = mail.keep(written("ana@andina.example"), world.mailbox, arrived_at=START)
    with (
        patch.object(intake, "LONGEST_STATEMENT", "50ms"),
        patch.object(intake, "STEPS", (lambda letter: hang(),)),
    ):
        assert intake.take_in(raw.pk, START) == MailState.RECEIVED
    raw.refresh_from_db()
    assert "statement timeout" in raw.detail
    assert intake.take_in(raw.pk, START) == MailState.PROCESSED


def hang() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(30)")
