"""The supervisor's own behaviour, with children that do nothing but live and die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from acuse.interfaces.server import supervisor
from acuse.interfaces.server.processes import Forked
from acuse.interfaces.server.supervisor import Child
from tests.ops.installation import SOURCE, alive, children_of, eventually

PROGRAM = """
import signal, sys
from acuse.interfaces.server import supervisor
from acuse.interfaces.server.processes import Forked

def obedient():
    signal.pause()

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()

supervisor.GRACE = 0.5
supervisor.hold_signals()
children = [
    supervisor.Child(name, lambda run=globals()[name]: Forked(run)) for name in sys.argv[1:]
]
for child in children:
    child.begin()
print("ready", flush=True)
supervisor.watch(children, lambda line: print(line, flush=True))
supervisor.stop(children)
print("stopped", flush=True)
"""


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """A supervisor of one obedient and one stubborn child, both running."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "obedient", "stubborn"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_all_children_even_a_stubborn_one(
    program: subprocess.Popen[str], number: signal.Signals
) -> None:
    children = eventually(lambda: _two(program.pid))
    program.send_signal(number)
    output, _ = program.communicate(timeout=20)
    assert output == "stopped\n"
    assert program.returncode == 0
    assert not any(map(alive, children))


def test_killed_supervisor_leaves_nobody(program: subprocess.Popen[str]) -> None:
    children = eventually(lambda: _two(program.pid))
    program.kill()
    program.wait()
    eventually(lambda: not any(map(alive, children)))


def test_dead_child_starts_again_and_the_other_stays(program: subprocess.Popen[str]) -> None:
    first, second = eventually(lambda: _two(program.pid))
    os.kill(first, signal.SIGKILL)
    assert program.stdout is not None
    assert program.stdout.readline() == "obedient ended with code -9; it starts again in 0.5 s\n"
    again = eventually(lambda: _two(program.pid))
    assert second in again
    assert first not in again


def test_terminal_interrupt_reaches_only_the_supervisor(program: subprocess.Popen[str]) -> None:
    children = eventually(lambda: _two(program.pid))
    own = os.getpgid(program.pid)
    # A child leaves the group in its first moment, which may be after the fork is seen here.
    eventually(lambda: own not in {os.getpgid(child) for child in children})


def _two(pid: int) -> list[int] | None:
    found = children_of(pid)
    return found if len(found) == 2 else None


# --- pauses between starts --------------------------------------------------------------------


class Dead:
    """A process that has ended already."""

    pid = 0

    def poll(self) -> int | None:
        return 3

    def send_signal(self, number: int, /) -> None:
        raise AssertionError("nobody signals the dead")


def test_pause_doubles_up_to_the_longest_and_is_forgotten_after_a_steady_life() -> None:
    said: list[str] = []
    child = Child("worker", Dead)
    pauses = []
    for _ in range(9):
        child.begin()
        before = time.monotonic()
        child.notice_end(said.append)
        pauses.append(round(child.due - before, 1))
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert said[1] == "worker ended with code 3; it starts again in 1 s"
    child.begin()
    child.started -= supervisor.STEADY
    before = time.monotonic()
    child.notice_end(said.append)
    assert round(child.due - before, 1) == 0.5


def test_stop_does_not_signal_the_dead() -> None:
    child = Child("worker", Dead)
    child.begin()
    supervisor.stop([child, Child("never started", Dead)])


# --- forked children --------------------------------------------------------------------------


def test_exit_codes_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise ValueError("a reason to read")

    assert Forked(lambda: None).wait() == 0
    assert Forked(lambda: sys.exit(7)).wait() == 7
    assert Forked(lambda: sys.exit()).wait() == 0
    assert Forked(lambda: sys.exit("a message")).wait() == 1
    assert Forked(lambda: os.kill(os.getpid(), signal.SIGKILL)).wait() == -9
    assert Forked(fails).wait() == 1
    assert "a reason to read" in capfd.readouterr().err


def test_signal_after_the_end_goes_nowhere() -> None:
    child = Forked(lambda: None)
    child.wait()
    child.send_signal(signal.SIGKILL)
    assert child.poll() == 0


def test_child_unblocks_what_its_parent_holds_back() -> None:
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        child = Forked(signal.pause)
        child.send_signal(signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
