"""A listener that takes mail, for the tests that want a real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from acuse.models import DemoClock
from tests.mail.working import Listening, Process
from tests.world import START, World


@pytest.fixture
def firm(transactional_db: None) -> World:
    """The small firm, committed, so that other processes see it; their clock stands a week after
    its first case, in whatever year the tests run."""
    DemoClock.objects.create(ahead=START + timedelta(days=7) - timezone.now())
    return World()


@pytest.fixture
def listener(firm: World) -> Iterator[Listening]:
    """The real listener."""
    one = Listening()
    yield one
    one.kill()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """What is put here is ended with the test."""
    running: list[Process] = []
    yield running
    for process in running:
        process.kill()
