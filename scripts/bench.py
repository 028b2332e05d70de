"""Measures what the product promises: start, memory at rest, stop, and how fast pages come.

Starts an installation of its own (no demo) in a folder that it removes, asks only that one, over
the loopback interface, and ends with 1 if a promise is broken.
"""

from __future__ import annotations

import http.client
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.ops.installation import Installation, memory_of

SECOND_START = 5.0  # seconds
BUDGET = 300.0  # MB, proportional share of all processes
SETTLING = 6.0  # seconds until everything has beaten its heart once
REQUESTS, CLIENTS = 400, 4
# As a proxy in front would ask; in production plain HTTP is only redirected.
HEADERS = {"Host": "acuse.example.com", "X-Forwarded-Proto": "https"}


def seconds(act: Callable[[], object]) -> float:
    """How long `act` takes."""
    before = time.perf_counter()
    act()
    return time.perf_counter() - before


def start(installation: Installation) -> None:
    """Starts everything and waits until all of it is up."""
    installation.start()
    installation.wait_healthy()


def ask(port: int, path: str, count: int) -> list[float]:
    """Milliseconds of `count` requests one after another on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken = []
    for _ in range(count):
        before = time.perf_counter()
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        taken.append((time.perf_counter() - before) * 1000)
    connection.close()
    return taken


def load(port: int, path: str) -> tuple[float, float, float]:
    """Requests a second with CLIENTS at once, and their median and 95th percentile in ms."""
    ask(port, path, 10)
    with ThreadPoolExecutor(CLIENTS) as clients:
        before = time.perf_counter()
        share = REQUESTS // CLIENTS
        parts = list(clients.map(lambda _: ask(port, path, share), range(CLIENTS)))
        passed = time.perf_counter() - before
    taken = [one for part in parts for one in part]
    return REQUESTS / passed, statistics.median(taken), statistics.quantiles(taken, n=20)[18]


def main() -> int:
    """Prints the figures; 1 if a promise is broken."""
    folder = Path(tempfile.mkdtemp(prefix="acuse-bench-"))
    folder.chmod(0o711)
    installation = Installation(folder / "var")
    try:
        print(f"first start (empty folder)   {seconds(lambda: start(installation)):8.2f} s")
        print(f"stop                         {seconds(installation.stop):8.2f} s")
        again = seconds(lambda: start(installation))
        print(f"second start                 {again:8.2f} s   at most {SECOND_START:g}")
        threading.Event().wait(SETTLING)
        memory = sum(map(memory_of, installation.family())) / 1024
        print(f"memory at rest, all          {memory:8.1f} MB  at most {BUDGET:g}")
        for path in ("/health", "/accounts/login/"):
            rate, median, tail = load(installation.port, path)
            print(f"{path:<28} {rate:8.0f} /s  median {median:.1f} ms, 95 % in {tail:.1f} ms")
        memory_after = sum(map(memory_of, installation.family())) / 1024
        print(f"memory after that            {memory_after:8.1f} MB")
        installation.stop()
    finally:
        installation.abandon()
        shutil.rmtree(folder, ignore_errors=True)
    return int(again > SECOND_START or memory > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
