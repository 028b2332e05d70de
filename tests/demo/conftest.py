"""The demo, made once for all tests that only read it: making it takes many seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import DjangoDbBlocker

# A Tuesday at nine in Bogota; Monday the 16th was a holiday.
NOW = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
CASES = 65


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo as made at NOW, gone after the module's last test."""
    from django.db import transaction

    from acuse.config import config
    from acuse.interfaces.demo.load import load

    with django_db_blocker.unblock(), transaction.atomic():
        load(config, NOW)
        yield
        transaction.set_rollback(True)
