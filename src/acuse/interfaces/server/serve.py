"""`acuse serve`: the whole product as one supervisor with five children."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial

from acuse.config import Config, config, make_folder
from acuse.connectors import postgres
from acuse.interfaces.server import supervisor
from acuse.interfaces.server.processes import Forked
from acuse.interfaces.server.supervisor import Child

# The children that are Python: each a function that serves until SIGTERM. All of them are imported
# by the parent, once, so that the forks share that memory.
SERVING = {
    "web": "acuse.interfaces.server.web:main",
    "worker": "acuse.interfaces.jobs.worker:main",
    "mail": "acuse.interfaces.mail.listener:main",
    "poll": "acuse.interfaces.mail.poller:main",
}


class Unfit(RuntimeError):
    """The product cannot start here; the message says why and what to do."""


def say(line: str) -> None:
    """Tells the terminal."""
    print(f"acuse: {line}", flush=True)


def main() -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit code: 0 stopped as asked, 1 not started."""
    supervisor.hold_signals()
    lock = postgres.Lock(config.data)
    database: list[Child] = []
    serving: list[Child] = []
    try:
        check_free(config.port, "ACUSE_PORT")
        check_free(config.smtp_port, "ACUSE_SMTP_PORT")
        make_folder(config.data)
        alive = _nothing
        if config.embedded:
            lock.take()
            cluster = postgres.Cluster(config.data, config.postgres_binaries)
            database = [start_database(cluster)]
            alive = partial(_check, cluster, database[0])
        targets = load()
        if not prepare(alive):
            return 1
        serving = [_forked(name, target) for name, target in targets.items()]
        for child in serving:
            child.begin()
        supervisor.watch([*database, *serving], say, partial(announce, config))
        say("stopping")
        return 0
    except (Unfit, postgres.PostgresError) as reason:
        print(f"acuse: {reason}", file=sys.stderr)
        return 1
    finally:
        supervisor.stop(serving)
        supervisor.stop(database)
        lock.free()


def check_free(port: int, name: str) -> None:
    """Raises Unfit naming the variable if something listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as reason:
            raise Unfit(f"port {port} ({name}) cannot be used: {reason.strerror}") from None


def start_database(cluster: postgres.Cluster) -> Child:
    """The embedded PostgreSQL, started (connections may still have to wait a moment)."""
    cluster.prepare()

    def start() -> supervisor.Process:
        cluster.clear_leftovers()
        return cluster.spawn()

    child = Child("database", start, signal.SIGINT)
    child.begin()
    return child


def _check(cluster: postgres.Cluster, child: Child) -> None:
    if child.process:
        cluster.check(child.process)


def _nothing() -> None:
    """A database of somebody else is not ours to watch."""


def load() -> dict[str, Callable[[], object]]:
    """Imports Django and every child's module, and freezes that memory for sharing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acuse.settings")
    import django

    django.setup()
    targets = {}
    for name, place in SERVING.items():
        module, _, function = place.partition(":")
        targets[name] = getattr(importlib.import_module(module), function)
    importlib.import_module("acuse.urls")
    gc.collect()
    gc.freeze()
    return targets


def prepare(alive: Callable[[], None]) -> bool:
    """Migrates and, in an empty development installation, loads the demo. False: it failed.

    In a child of its own, so that the parent never holds a connection that its forks would share.
    `alive` raises when the database has died meanwhile.
    """
    from acuse.interfaces.server.setup import prepare_database

    child = Child("setup", lambda: Forked(prepare_database))
    child.begin()
    assert child.process is not None
    while child.process.poll() is None:
        try:
            alive()
        except postgres.PostgresError:
            supervisor.stop([child])
            raise
        if supervisor.asked_to_stop(1):
            supervisor.stop([child])
            return False
    return child.process.poll() == 0


def _forked(name: str, target: Callable[[], object]) -> Child:
    return Child(name, lambda: Forked(target))


def announce(current: Config) -> bool:
    """Prints where everything is, once the web server takes connections; False until then."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", current.port)) != 0:
            return False
    welcome(current)
    return True


def welcome(current: Config) -> None:
    """Prints where everything is."""
    print(
        f"\n  Acuse is ready: {current.host}\n"
        f"  Mail comes in at {current.main_mailbox} through SMTP on 127.0.0.1:{current.smtp_port}\n"
        f"  Everything is kept in {current.data}\n"
        "  Ctrl-C stops it.\n",
        flush=True,
    )
