"""The ground of all tests: an installation of their own, made before Django reads the settings.

Each process (pytest-xdist starts several) gets its own folder and, at the first test that asks
for the database, its own throwaway PostgreSQL in it.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

    from tests.world import World

GROUND = Path(tempfile.mkdtemp(prefix="acuse-test-"))
GROUND.chmod(0o711)


def _free_port() -> str:
    """A port of this process's own, so that two of them can run a listener side by side."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


os.environ.update(
    ACUSE_DATA=str(GROUND),
    ACUSE_ENV="development",
    ACUSE_SMTP_PORT=_free_port(),
    ACUSE_SECRET_KEY="a key that only the tests use, nothing else",
    DJANGO_SETTINGS_MODULE="acuse.settings",
)
for name in ("DATABASE_URL", "ACUSE_HOST", "ACUSE_SMTP_URL", "ACUSE_MAIL_DOMAIN", "ACUSE_PORT"):
    os.environ.pop(name, None)

import django  # noqa: E402  (the settings above come first)

django.setup()

slow_is_fine = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# Always the same examples; a failure prints the blob that repeats it.
settings.register_profile("acuse", derandomize=True, print_blob=True, **slow_is_fine)
# Fresh examples, many of them: `make test-long`.
settings.register_profile(
    "long", derandomize=False, print_blob=True, max_examples=2000, **slow_is_fine
)
settings.load_profile("acuse")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Before pytest-xdist starts its processes: each is to make its own ground, so that none may
    read the settings with ours before it has come to this file."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    """Leaves nothing behind."""
    shutil.rmtree(GROUND, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """The address of this process's PostgreSQL, running until its last test is done."""
    from acuse.connectors import postgres

    with postgres.running(GROUND, throwaway=True) as address:
        yield address


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    postgres_address: str, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Has pytest-django make its test database on a server that runs by then."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Lets transactional tests empty the append-only tables, which a trigger forbids to all; and
    in the end lets go of what threads of a live server or listener still hold."""
    from django.db import connection, transaction
    from django.db.backends.postgresql.operations import DatabaseOperations

    def flush(self: DatabaseOperations, statements: list[str]) -> None:
        alias = self.connection.alias
        with (
            transaction.atomic(using=alias, savepoint=self.connection.features.can_rollback_ddl),
            self.connection.cursor() as cursor,
        ):
            cursor.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement)

    DatabaseOperations.execute_sql_flush = flush
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def world(db: None) -> World:
    """A small firm with its customers (tests/world.py)."""
    from tests.world import World

    return World()


@pytest.fixture
def all_read_english(request: pytest.FixtureRequest) -> None:
    """Everybody of the world reads English; nothing where a test has no world."""
    if "world" in request.fixturenames:
        for person in request.getfixturevalue("world").people.values():
            person.language = "en"
            person.save()
