"""A listener that takes mail, for the tests that want a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mail.working import Listening, Process
from tests.world import World


@pytest.fixture
def firm(transactional_db: None) -> World:
    """The small firm, committed, so that other processes see it."""
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
