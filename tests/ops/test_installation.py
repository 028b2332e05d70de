"""The whole product: it starts, starts again fast, heals, and stops without leaving anybody."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from acuse.connectors import postgres
from tests.ops.installation import (
    Installation,
    alive,
    children_of,
    eventually,
    family_of,
    memory_of,
)

Install = Callable[..., Installation]
SECOND_START = 5.0  # seconds
BUDGET = 300_000  # kB, proportional share of all processes


def database_of(installation: Installation) -> int:
    """The process of the embedded PostgreSQL."""
    return next(pid for pid in children_of(installation.pid) if "postgres" in _words(pid))


def web_of(installation: Installation) -> int:
    """The web child: the one with a child of its own that is no PostgreSQL."""
    return next(
        pid
        for pid in children_of(installation.pid)
        if "postgres" not in _words(pid) and children_of(pid)
    )


def _words(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_life_of_an_installation(install: Install) -> None:
    one = install()
    one.start()
    one.wait_healthy()

    eventually(lambda: len(children_of(one.pid)) == 5)
    family = one.family()
    assert sum(map(memory_of, family)) < BUDGET

    output = one.stop(signal.SIGINT)
    assert one.process is not None
    assert one.process.returncode == 0, output
    assert not any(map(alive, family))
    assert one.environment["ACUSE_HOST"] in output
    assert str(one.smtp_port) in output

    before = time.monotonic()
    one.start()
    one.wait_healthy()
    assert time.monotonic() - before < SECOND_START
    family = one.family()
    assert "stopping" in one.stop(signal.SIGTERM)
    assert not any(map(alive, family))


def test_killed_supervisor_leaves_nobody_and_starts_again(install: Install) -> None:
    one = install()
    one.start()
    one.wait_healthy()
    family = one.family()
    one.stop(signal.SIGKILL)
    one.start()
    one.wait_healthy()
    assert not any(map(alive, family))
    one.stop()


def test_each_killed_child_comes_back(install: Install) -> None:
    one = install()
    one.start()
    one.wait_healthy()
    others = [pid for pid in children_of(one.pid) if pid not in (database_of(one), web_of(one))]
    for pid in (web_of(one), *others, database_of(one)):
        family = family_of(pid)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: not alive(pid) and len(children_of(one.pid)) == 5)
        eventually(lambda family=family: not any(map(alive, family)))
        one.wait_healthy()
    output = one.stop()
    for name in ("web", "worker", "mail", "poll", "database"):
        assert f"{name} ended with code -9" in output


def test_granian_worker_killed_comes_back(install: Install) -> None:
    one = install()
    one.start()
    one.wait_healthy()
    (worker,) = children_of(web_of(one))
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: not alive(worker))
    one.wait_healthy()
    one.stop()


def test_health_tells_of_a_stopped_part(install: Install) -> None:
    one = install()
    one.start()
    one.wait_healthy()
    parts = [pid for pid in children_of(one.pid) if pid not in (database_of(one), web_of(one))]
    for pid in parts:
        os.kill(pid, signal.SIGSTOP)
    status, body = eventually(lambda: (found := one.health())[1].get("down") and found)
    assert status == 503
    assert set(body["down"]) <= {"worker", "mail", "poll"}
    for pid in parts:
        os.kill(pid, signal.SIGCONT)
    one.wait_healthy()
    one.stop()


def test_two_side_by_side(install: Install) -> None:
    one, two = install("one"), install("two")
    one.start()
    two.start()
    one.wait_healthy()
    two.wait_healthy()
    family = two.family()
    one.stop()
    assert two.health()[0] == 200
    assert all(map(alive, family))
    two.stop()


def test_same_folder_twice_is_refused(install: Install, folder: Path) -> None:
    one = install()
    one.start()
    one.wait_healthy()
    rival = install()
    refused = rival.run("serve")
    assert refused.returncode == 1
    assert re.search(rf"in use by process {one.pid}.*ACUSE_DATA", refused.stderr)
    assert one.health()[0] == 200
    one.stop()


def test_taken_port_is_refused_by_name(install: Install) -> None:
    one, two = install("one"), install("two")
    one.start()
    one.wait_healthy()
    for name, port in (("ACUSE_PORT", one.port), ("ACUSE_SMTP_PORT", one.smtp_port)):
        refused = two.run("serve", **{name: str(port)})
        assert refused.returncode == 1
        assert f"port {port} ({name})" in refused.stderr
    one.stop()


def test_a_database_of_ones_own(install: Install, folder: Path) -> None:
    with postgres.running(folder / "elsewhere") as address:
        one = install()
        one.environment["DATABASE_URL"] = address
        one.start()
        one.wait_healthy()
        assert len(children_of(one.pid)) == 4
        one.stop()
        assert not postgres.folder(one.data).exists()
        with psycopg.connect(address) as connection:
            found = connection.execute("select to_regclass('acuse_ledgerline')").fetchone()
        assert found is not None
        assert found[0] == "acuse_ledgerline"


def test_unreachable_database_of_ones_own_is_an_error(install: Install) -> None:
    one = install()
    one.environment["DATABASE_URL"] = "postgresql://127.0.0.1:9/acuse?connect_timeout=1"
    one.start()
    eventually(lambda: children_of(one.pid))
    family = one.family()
    # Somebody who sees the mistake does not wait for the minute to pass.
    one.stop(signal.SIGINT)
    assert not any(map(alive, family))
