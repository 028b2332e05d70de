"""The worker: a few jobs at a time, in order of arrival, until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from asgiref.sync import sync_to_async
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued

from acuse.interfaces.web import heartbeat

CONCURRENCY = 2
GRACE = 8.0  # seconds that running jobs have to end once we are told to stop
STARTING = ("rescue", "sweep", "fall_due")  # not left to the next full minute


def main() -> None:
    """Works until SIGTERM; what it was doing is finished, or done again by the next one."""
    asyncio.run(_work())


async def _work() -> None:
    # The jobs themselves enqueue through Django's connection, in the transaction of the fact
    # they serve; only the worker's own book-keeping has a connection of its own.
    app.perform_import_paths()
    django = app.connector
    assert isinstance(django, DjangoConnector)
    worker = app.with_connector(django.get_worker_connector())
    async with worker.open_async():
        for name in STARTING:
            with suppress(AlreadyEnqueued):  # a worker killed before this one has left it
                await app.tasks[name].defer_async(timestamp=0)
        beating = asyncio.create_task(_beat())
        try:
            await worker.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=5.0,
                shutdown_graceful_timeout=GRACE,
                update_heartbeat_interval=5.0,
                stalled_worker_timeout=20.0,
            )
        finally:
            beating.cancel()


async def _beat() -> None:
    while True:
        await sync_to_async(heartbeat.beat, thread_sensitive=False)("worker")
        await asyncio.sleep(heartbeat.EVERY)
