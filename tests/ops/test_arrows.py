"""The arrows between the rooms hold, and a planted bad import or clock call is caught."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.installation import SOURCE

PROJECT = SOURCE.parent
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def arrows_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrows")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The source and its contracts, to be spoilt."""
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(project: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / "lint-imports"), "--no-logo", "--cache-dir", str(cache)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ruff(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / "ruff"), "check", "--no-cache", "--select", "TID251", "src"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_contracts_hold(arrows_cache: Path) -> None:
    done = lint_imports(PROJECT, arrows_cache)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("policy", "import django.db", "The rulebook is pure"),
        ("policy", "from acuse.models import Case", "The rooms"),
        ("models", "from acuse.journal import writer", "The rooms"),
        ("journal", "import acuse.actions", "The rooms"),
        ("actions", "from acuse.queries import *", "The rooms"),
        ("actions", "from acuse.connectors import postgres", "The rooms"),
        ("actions", "from acuse.config import config", "What is inside"),
        ("queries", "from acuse.journal import writer", "Only actions use the journal"),
        ("queries", "import acuse.actions", "The rooms"),
        ("connectors", "from acuse.models import Case", "Connectors know"),
        ("interfaces/mail", "from acuse.journal import writer", "Only actions use the journal"),
        ("interfaces/mail", "from acuse.interfaces.server import health", "The ways in know"),
        ("interfaces/web", "from acuse.interfaces.server import health", "The ways in know"),
    ],
)
def test_planted_import_is_caught(
    copy: Path, arrows_cache: Path, room: str, line: str, contract: str
) -> None:
    (copy / "src" / "acuse" / room / "planted.py").write_text(f"{line}\n")
    done = lint_imports(copy, arrows_cache)
    assert done.returncode == 1
    broken = [row for row in done.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), done.stdout


@pytest.mark.parametrize("place", ["", "interfaces"])
def test_new_folder_has_to_be_placed_on_purpose(copy: Path, arrows_cache: Path, place: str) -> None:
    room = copy / "src" / "acuse" / place / "shed"
    room.mkdir()
    (room / "__init__.py").touch()
    done = lint_imports(copy, arrows_cache)
    assert done.returncode == 1
    assert "shed" in done.stdout


@pytest.mark.parametrize(
    "call",
    [
        "from django.utils import timezone\nat = timezone.now()",
        "from datetime import datetime, UTC\nat = datetime.now(UTC)",
        "import datetime\nat = datetime.datetime.utcnow()",
        "from datetime import date\non = date.today()",
        "import time\nat = time.time()",
    ],
)
@pytest.mark.parametrize("room", ["policy", "models", "journal", "actions", "queries"])
def test_planted_clock_is_caught(copy: Path, room: str, call: str) -> None:
    (copy / "src" / "acuse" / room / "planted.py").write_text(f"{call}\n")
    done = ruff(copy)
    assert done.returncode == 1
    assert f"{room}/planted.py" in done.stdout
    assert "Time is an argument" in done.stdout


@pytest.mark.parametrize("room", ["policy", "models", "journal", "actions", "queries"])
def test_planted_request_is_caught(copy: Path, room: str) -> None:
    planted = copy / "src" / "acuse" / room / "planted.py"
    planted.write_text("from django.http import HttpRequest\nmade = HttpRequest()\n")
    done = ruff(copy)
    assert done.returncode == 1
    assert f"{room}/planted.py" in done.stdout


def test_ways_in_may_ask_the_clock(copy: Path) -> None:
    planted = copy / "src" / "acuse" / "interfaces" / "web" / "planted.py"
    planted.write_text("from django.utils import timezone\nat = timezone.now()\n")
    assert ruff(copy).returncode == 0
