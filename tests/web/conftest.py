"""The site of tests: a stopped clock, and browsers by short name; an estate that a module shares,
and the site on which a real browser visits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from tests.stories.conftest import chromium
from tests.web.entering import Browser, StoppedClock
from tests.world import START, World

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

    from tests.estate import Estate

__all__ = ["chromium"]


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


@pytest.fixture(scope="module")
def estate(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Estate]:
    """A full world, committed once for all tests of a module, and taken away after the last: such
    tests only look. None of them may ask for a database of its own."""
    from acuse.interfaces.web import clock
    from tests.estate import NOW, Estate

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        estate = Estate()
        estate.fill()
        yield estate
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture(scope="module")
def address(estate: Estate) -> Iterator[str]:
    """Where the estate's site is served."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()
