"""Forked children: they share the memory of one loaded parent and never outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process when `parent`, the process that forked it, ends.

    Even SIGKILL on the parent leaves nobody behind. Killed outright, not asked: with its parent
    dead nobody would insist, and all that a child does survives a crash by design.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Forked:
    """A child running `target`; the same verbs as subprocess.Popen, so a supervisor treats both
    alike. Ctrl-C in the terminal does not reach it, as it has a session of its own."""

    def __init__(self, target: Callable[[], object]) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._be_child(parent, target)

    def _be_child(self, parent: int, target: Callable[[], object]) -> None:
        code = 1
        try:
            os.setsid()
            die_with_parent(parent)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            target()
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        return self._collect(os.WNOHANG)

    def wait(self) -> int:
        """Waits for the end and returns the exit code."""
        code = self._collect(0)
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Sends a signal unless the child has been collected already."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def _collect(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode
