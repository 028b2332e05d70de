"""A whole installation in a folder of its own, driven from outside like an operator would."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"
PATIENCE = 60.0


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true result of `what`, asked again and again; AssertionError after `seconds`."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        result = what()
        if result:
            return result
        tick.wait(0.05)
    raise AssertionError(f"did not come true within {seconds:.0f} s")


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family_of(pid: int) -> list[int]:
    """A process with all its descendants."""
    return [pid, *(member for child in children_of(pid) for member in family_of(child))]


def memory_of(pid: int) -> int:
    """The proportional share of memory of a process, in kB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


class Installation:
    """`acuse serve` with its own ports and data. Production, as a demo would only take time."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, self.smtp_port = free_port(), free_port()
        self.process: subprocess.Popen[str] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if "ACUSE" not in name},
            "PYTHONPATH": str(SOURCE),
            "ACUSE_ENV": "production",
            "ACUSE_DATA": str(data),
            "ACUSE_PORT": str(self.port),
            "ACUSE_SMTP_PORT": str(self.smtp_port),
            "ACUSE_SECRET_KEY": "known to this test only, and long enough",
            "ACUSE_HOST": "https://acuse.example.com",
            "ACUSE_SMTP_URL": "smtp://127.0.0.1:9",
        }
        self.environment.pop("DATABASE_URL", None)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "acuse", *words],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self) -> None:
        """Starts everything; returns at once."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "acuse", "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self.process is not None
        return self.process.pid

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of GET /health; status 0 while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as got:
                return got.status, json.load(got)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)
        except OSError:
            assert self.process is not None
            assert self.process.poll() is None, self.process.communicate()[0]
            return 0, {}

    def wait_healthy(self) -> None:
        """Returns once every part is up."""
        eventually(lambda: self.health()[0] == 200)

    def family(self) -> list[int]:
        """The supervisor and everything under it."""
        return family_of(self.pid)

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Sends a signal to the supervisor, waits for its end and returns all that it printed."""
        assert self.process is not None
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return output

    def abandon(self) -> None:
        """Clears up after a test, whatever state it left."""
        if self.process is not None and self.process.poll() is None:
            family = self.family()
            self.stop(signal.SIGKILL)
            eventually(lambda: not any(map(alive, family)))
