"""Brings the database to the state that this version needs, before anything serves."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from acuse.config import config
from acuse.connectors import postgres
from acuse.models import Heartbeat


def prepare_database() -> None:
    """Migrates where something is missing; an empty development installation gets the demo firm."""
    wait_for_database()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    if not config.production and not get_user_model().objects.exists():
        call_command("demo")
    # What an earlier run said of itself is no sign of life of this one.
    Heartbeat.objects.all().delete()
    connection.close()


def wait_for_database(seconds: int = 60) -> None:
    """Returns once a connection succeeds; raises PostgresError after `seconds`."""
    postgres.wait_until_answers(config.database_url or postgres.url(config.data), seconds)
