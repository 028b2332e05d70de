"""The desk of tests: its clock stands still two days after the world starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from acuse.interfaces.web import clock
from tests.world import START

NOW = START + timedelta(days=2)


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
