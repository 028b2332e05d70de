"""The web child: granian in front of Django."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.core.wsgi import get_wsgi_application
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels

from acuse.config import config
from acuse.interfaces.server.processes import die_with_parent

# Django's work is bound by one interpreter: eight threads hide the waits for the database and keep
# as many connections, well under the embedded PostgreSQL's limit.
THREADS = 8


def main() -> None:
    """Serves on 127.0.0.1 until SIGTERM."""
    granian_pid = os.getpid()

    def load(_target: str) -> Callable[..., Any]:
        # Runs in granian's own forked worker, which knows nothing of our supervisor.
        die_with_parent(granian_pid)
        return get_wsgi_application()

    Granian(
        "acuse.wsgi:application",
        address="127.0.0.1",
        port=config.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        runtime_threads=1,
        runtime_blocking_threads=THREADS,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        workers_kill_timeout=5,
        log_level=LogLevels.error,
    ).serve(target_loader=load)
