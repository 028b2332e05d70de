"""The jobs. Each reads what is true from our rows, so a lost one is found again by the sweep and
a repeated one does nothing."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.job_context import JobContext

from acuse.actions import mail, notices, watching
from acuse.actions.checkpoint import write_checkpoint
from acuse.connectors import signing
from acuse.interfaces.jobs import alarms, falling, hours, monitoring
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.web import clock
from acuse.models import Checkpoint, MailState, RawMail

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"
EVERY_HOUR = "13 * * * *"
NIGHTLY = "7 5 * * *"  # UTC: after midnight in Bogota
STALLED = 30  # seconds without a sign of life of the worker that holds a job
KEPT_HOURS = 48  # finished jobs are looked at for two days


@app.task(name="send_notices", queue="mail")
def send_notices(*, line_id: int) -> None:
    """Tell whom a ledger line concerns."""
    sending.send_line(line_id, clock.now)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="fall_due", queue="clock", queueing_lock="fall_due")
def fall_due(timestamp: int) -> None:
    """Fire what has fallen due."""
    for line in falling.fire_due(clock.now()):
        log.info("%s %s", line.receipt, line.kind)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="sweep", queue="clock", queueing_lock="sweep")
def sweep(timestamp: int) -> None:
    """Give a job to every mail that waits to be read or sent and may have lost its own."""
    unread = RawMail.objects.filter(state=MailState.RECEIVED).order_by("arrived_at", "pk")
    for raw_id in unread.values_list("pk", flat=True)[:500]:
        _enqueue(mail.PROCESS, raw_id=raw_id)
    unsent = notices.pending(clock.now()).order_by("line_id")
    for line_id in unsent.values_list("line_id", flat=True).distinct()[:500]:
        _enqueue(notices.SEND, line_id=line_id)


def _enqueue(name: str, **details: int) -> None:
    lock = "/".join([name, *map(str, details.values())])
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(name, queue="mail", queueing_lock=lock).defer(**details)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="watch_over", queue="clock", queueing_lock="watch_over")
def watch_over(timestamp: int) -> None:
    """Raise the alarms of what is wrong, clear those of what is over, and tell of them."""
    alarms.watch_over(clock.now())


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="run_checks", queue="clock", queueing_lock="run_checks")
def run_checks(timestamp: int) -> None:
    """Ask the customers' systems whether they work (P06)."""
    monitoring.run_checks(clock.now)


@app.periodic(cron=NIGHTLY)
@app.task(name="forget_runs", queue="clock", queueing_lock="forget_runs")
def forget_runs(timestamp: int) -> None:
    """Delete results of checks that are too old to be looked at."""
    watching.forget_runs(clock.now())


@app.periodic(cron=EVERY_HOUR)
@app.task(name="watch_hours", queue="clock", queueing_lock="watch_hours")
def watch_hours(timestamp: int) -> None:
    """Tell of contracts whose hours go to their end (P09)."""
    hours.watch_hours(clock.now())


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="rescue", queue="clock", queueing_lock="rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> None:
    """Give back the jobs of workers that died with them."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        await jobs.retry_job(job)


@app.periodic(cron=NIGHTLY)
@app.task(name="purge", queue="clock", queueing_lock="purge", pass_context=True)
async def purge(context: JobContext, timestamp: int) -> None:
    """Delete finished jobs; what they did is in our rows."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


@app.periodic(cron=NIGHTLY)
@app.task(name="sign_checkpoint", queue="clock", queueing_lock="sign_checkpoint")
def sign_checkpoint(timestamp: int) -> None:
    """Sign the heads of all chains as of yesterday (Evidence)."""
    sign_heads()


def sign_heads() -> Checkpoint | None:
    """Sign the heads of all chains as of the last day that has ended (UTC); None where that day
    has its checkpoint."""
    signer = signing.load_signer()
    now = clock.now()
    return write_checkpoint(
        (now - timedelta(days=1)).date(),
        now,
        key_id=signer.key_id,
        algorithm=signing.ALGORITHM,
        public=signer.public,
        sign=signer.sign,
    )
