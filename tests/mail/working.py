"""The real worker and the real listener as processes of their own, on the tests' database.

As a script it is such a process: `python -m tests.mail.working worker|listener|poller`. A worker
or poller can be told (by `POINT` and `MARK`) to make a file and stand still at a point inside
its work, so that a test can kill it exactly there.
"""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.ops.installation import PATIENCE, eventually, free_port

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The tests' own database, for another process."""
    from django.db import connection

    params = connection.get_connection_params()
    query = {"host": params["host"], "user": params["user"]} if params.get("host") else {}
    if params.get("port"):
        query["port"] = str(params["port"])
    return f"postgresql:///{quote(params['dbname'])}?{urlencode(query)}"


class Process:
    """One process of ours; ended with the test, whatever happens."""

    def __init__(self, what: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mail.working", what],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
                "DATABASE_URL": database_url(),
                **environment,
            },
        )

    def has(self, what: Callable[[], Any]) -> Callable[[], Any]:
        """The question itself, as long as this process lives to answer it."""

        def asked() -> Any:
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            return what()

        return asked

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Listening(Process):
    """The listener on a port of its own, taking mail when this returns."""

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__("listener", ACUSE_SMTP_PORT=str(self.port))
        eventually(self.has(self.answers))

    def answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return True
        except OSError:
            return False


def _stand_still(mark: str) -> None:
    Path(mark).touch()
    threading.Event().wait()


def _arrange(point: str, mark: str) -> None:
    """Stand still at this point of the first work that comes to it."""
    from acuse.actions import digests, imports, life, mail, notices, polling
    from acuse.connectors import smtp
    from acuse.connectors.imap import Connection
    from acuse.interfaces.jobs import digests as together
    from acuse.interfaces.jobs import notices as sending
    from acuse.interfaces.jobs import work as long_work
    from acuse.interfaces.mail import intake
    from acuse.journal import outbox

    places: dict[str, tuple[Any, str, bool]] = {
        # what is called there, and whether to stand still before it or after
        "mail fetched, not kept": (Connection, "contents", False),
        "mail being kept, not committed": (mail, "_enqueue", True),
        "mail kept, not known as this one": (polling, "adopt", True),
        "mail filed, not marked": (Connection, "file_away", True),
        "mail marked, not moved": (Connection, "_move", True),
        "mail moved, not noted": (Connection, "_move", False),
        "poll not noted": (polling, "note_success", True),
        "mail taken up, not read": (intake, "read", True),
        "mail read, no case yet": (life, "open", True),
        "case opened, no notice": (outbox, "queue", True),
        "case opened, mail not settled": (mail, "settle", True),
        "mail read, not committed": (mail, "settle", False),
        "mail committed, job not done": (intake, "take_in", False),
        "notice queued, not taken": (sending, "send_line", True),
        "notice taken, not sent": (smtp, "send", True),
        "notice sent, not noted": (smtp, "send", False),
        "notice noted, job not done": (notices, "mark_sent", False),
        "notice in a digest, not committed": (notices, "goes_now", False),
        "digest due, not taken": (together, "send", True),
        "digest taken, not written": (together, "write", True),
        "digest noted, job not done": (digests, "mark_sent", False),
        "work begun, nothing done": (imports, "apply", True),
        "work done, not committed": (imports, "apply", False),
        "work committed, job not done": (long_work, "do", False),
    }
    module, name, before = places[point]
    real = getattr(module, name)

    def stopping(*args: Any, **kwargs: Any) -> Any:
        if before:
            _stand_still(mark)
        result = real(*args, **kwargs)
        _stand_still(mark)
        return result

    setattr(module, name, stopping)


def main() -> None:
    import django

    django.setup()
    if os.environ.get("POINT"):
        _arrange(os.environ["POINT"], os.environ["MARK"])
    if sys.argv[1] == "listener":
        from acuse.interfaces.mail import listener

        listener.main()
    elif sys.argv[1] == "poller":
        from acuse.interfaces.mail import poller

        poller.main()
    else:
        from acuse.interfaces.jobs import worker

        worker.main()


if __name__ == "__main__":
    main()
