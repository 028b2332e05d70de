"""The demo made anew: the same history on whatever day it is made; nowhere but in development."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from acuse.config import Config, config
from acuse.interfaces.demo.load import NoDemo, load
from acuse.models import Case, LedgerLine, Person
from acuse.policy.stages import Stage
from tests.demo.conftest import CASES, NOW

pytestmark = pytest.mark.django_db
BOGOTA = ZoneInfo("America/Bogota")

SATURDAY_NIGHT_AFTER_NEW_YEAR = "2027-01-02T23:30-05:00"
EARLY_MONDAY_AFTER_HOLY_WEEK = "2027-03-29T06:00-05:00"


def _history(now: str) -> list[tuple[object, ...]]:
    """What the demo made at that moment tells: its cases, and what people did at which hour."""
    with transaction.atomic():
        load(config, datetime.fromisoformat(now))
        cases = list(Case.objects.order_by("pk"))
        lines = LedgerLine.objects.filter(author_kind="person").order_by("case", "seq")
        history = [
            *((case.subject, case.stage, case.ball, case.priority) for case in cases),
            *((line.kind, line.at.astimezone(BOGOTA).time(), line.stage_to) for line in lines),
        ]
        transaction.set_rollback(True)
    return history


def test_the_same_history_on_any_day() -> None:
    history = _history(SATURDAY_NIGHT_AFTER_NEW_YEAR)
    assert len(history) > 800
    assert {row[1] for row in history[:CASES]} == set(Stage)
    assert history == _history(EARLY_MONDAY_AFTER_HOLY_WEEK)


def test_not_in_production() -> None:
    real = Config.read(
        {
            "ACUSE_ENV": "production",
            "ACUSE_SECRET_KEY": "k" * 40,
            "ACUSE_SMTP_URL": "smtp://mail.example.com",
            "ACUSE_HOST": "https://support.example.com",
        }
    )
    with pytest.raises(NoDemo):
        load(real, NOW)
    assert not Person.objects.get_queryset().exists()
