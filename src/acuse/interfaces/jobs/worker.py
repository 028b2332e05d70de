"""The worker: a few jobs at a time, in order of arrival, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from asgiref.sync import sync_to_async
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued

from acuse.interfaces.web import heartbeat

# How many jobs of these queues at a time. What takes long (imports, a letter to each of many)
# waits for its like only: terms, pages out of hours and letters never wait for it.
LANES = ((["clock", "mail"], 2), (["slow"], 1))
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
        told = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, told.set)
        lanes = [asyncio.create_task(_serve(worker, *lane)) for lane in LANES]
        others = [asyncio.create_task(_beat()), asyncio.create_task(told.wait())]
        done, running = await asyncio.wait([*lanes, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()  # a lane lets its jobs end first
        await asyncio.gather(*running, return_exceptions=True)
        for task in done:
            task.result()  # what ended by an error ends the worker with it


async def _serve(worker: App, queues: list[str], concurrency: int) -> None:
    await worker.run_worker_async(
        queues=queues,
        concurrency=concurrency,
        fetch_job_polling_interval=5.0,
        shutdown_graceful_timeout=GRACE,
        update_heartbeat_interval=5.0,
        stalled_worker_timeout=20.0,
        install_signal_handlers=False,
    )


async def _beat() -> None:
    while True:
        await sync_to_async(heartbeat.beat, thread_sensitive=False)("worker")
        await asyncio.sleep(heartbeat.EVERY)
