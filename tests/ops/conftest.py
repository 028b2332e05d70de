"""Whole installations and clusters, in folders that the database's user can reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ops.installation import Installation


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may pass, unlike pytest's own, and short enough for a socket."""
    place = Path(tempfile.mkdtemp(prefix="acuse-ops-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def install(folder: Path) -> Iterator[Callable[[str], Installation]]:
    """Makes installations by name; what still runs at the end is killed."""
    made: list[Installation] = []

    def make(name: str = "one") -> Installation:
        made.append(Installation(folder / name))
        return made[-1]

    yield make
    for installation in made:
        installation.abandon()
