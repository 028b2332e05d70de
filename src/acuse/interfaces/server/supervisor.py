"""Keeps the children alive, starts a dead one again, and stops all of them in good order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a dead child starts again, doubling
STEADY = 60.0  # seconds alive after which a child's earlier deaths are forgotten
GRACE = 10.0  # seconds that a child has to stop when asked


class Process(Protocol):
    """What the supervisor needs of a running child (subprocess.Popen or Forked)."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def send_signal(self, number: int, /) -> None:
        """Sends a signal to it."""


@dataclass
class Child:
    """One child by name: how it starts, and with which signal it is asked to stop."""

    name: str
    start: Callable[[], Process]
    stop_signal: signal.Signals = signal.SIGTERM
    process: Process | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0

    def begin(self) -> None:
        """Starts the process now."""
        self.process = self.start()
        self.started = time.monotonic()

    def notice_end(self, say: Callable[[str], None]) -> None:
        """Plans the next start if the process has ended."""
        code = self.process.poll() if self.process else None
        if code is None:
            return
        alive = time.monotonic() - self.started
        self.pause = FIRST_PAUSE if alive >= STEADY else self.pause
        self.process, self.due = None, time.monotonic() + self.pause
        say(f"{self.name} ended with code {code}; it starts again in {self.pause:g} s")
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


def hold_signals() -> None:
    """From now on stop signals wait until the supervisor asks for them. Call before any child."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOPPING, signal.SIGCHLD})


def asked_to_stop(seconds: float) -> bool:
    """Waits at most `seconds` for news; True if somebody wants us to stop."""
    news = signal.sigtimedwait({*STOPPING, signal.SIGCHLD}, max(seconds, 0))
    return news is not None and news.si_signo in STOPPING


def watch(
    children: Sequence[Child],
    say: Callable[[str], None],
    announce: Callable[[], bool] = lambda: True,
) -> None:
    """Returns when asked to stop; until then every child that ends is started again.

    `announce` is called often until it returns True.
    """
    announced = False
    while True:
        for child in children:
            child.notice_end(say)
            if child.process is None and time.monotonic() >= child.due:
                child.begin()
        announced = announced or announce()
        waiting = [child.due - time.monotonic() for child in children if child.process is None]
        # A look every five seconds even without news: several ends may come as one SIGCHLD.
        if asked_to_stop(min([5.0 if announced else 0.03, *waiting])):
            return


def stop(children: Sequence[Child]) -> None:
    """Stops the children together: asked first, killed after GRACE seconds."""
    patience = time.monotonic() + GRACE
    living = [child.process for child in children if child.process and child.process.poll() is None]
    for child in children:
        if child.process in living and child.process:
            child.process.send_signal(child.stop_signal)
    while living and time.monotonic() < patience:
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)
        living = [process for process in living if process.poll() is None]
    for process in living:
        process.send_signal(signal.SIGKILL)
    while any(process.poll() is None for process in living):
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)
