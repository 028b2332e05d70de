"""The site of tests: a stopped clock, and browsers by short name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.web.entering import Browser, StoppedClock
from tests.world import START, World


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """A day after the world starts, until a test moves it."""
    stopped = StoppedClock(START + timedelta(days=1))
    monkeypatch.setattr("acuse.interfaces.web.clock.now", stopped)
    return stopped


@pytest.fixture
def enter(world: World, clock: StoppedClock) -> Callable[[str], Browser]:
    """A browser in which somebody of the world has signed in."""
    return lambda short: Browser(world.people[short])
