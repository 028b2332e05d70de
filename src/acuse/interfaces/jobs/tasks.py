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

from acuse.actions import clock as clock_acts
from acuse.actions import digests, hooks, mail, notices, replies, watching
from acuse.actions import disruptions as disruption_acts
from acuse.actions import work as work_acts
from acuse.actions.checkpoint import write_checkpoint
from acuse.connectors import signing
from acuse.interfaces.jobs import alarms, disruptions, falling, hours, monitoring, oncall, routing
from acuse.interfaces.jobs import digests as together
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.jobs import work as working
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


@app.task(name="send_digest", queue="mail")
def send_digest(*, digest_id: int) -> None:
    """Tell somebody at once of what they want to be told of together."""
    together.send(digest_id, clock.now)


@app.task(name=replies.SEND, queue="mail")
def send_reply(*, sending_id: int) -> None:
    """Say a reply whose pause has ended."""
    replies.send(sending_id, clock.now())


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="fall_due", queue="clock", queueing_lock="fall_due")
def fall_due(timestamp: int) -> None:
    """Fire what has fallen due."""
    for line in falling.fire_due(clock.now()):
        log.info("%s %s", line.receipt, line.kind)


@app.task(name="fire_deadline", queue="clock")
def fire_deadline(*, deadline_id: int) -> None:
    """Fire what is not to wait for the full minute: a page."""
    clock_acts.fire(deadline_id, clock.now())


@app.task(name=work_acts.DO, queue="slow")
def do_work(*, work_id: int) -> None:
    """Do a long piece of work that somebody waits for."""
    working.do(work_id, clock.now)


@app.task(name="deliver_hook", queue="mail")
def deliver_hook(*, delivery_id: int) -> None:
    """Tell a webhook."""
    oncall.deliver(delivery_id, clock.now)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="sweep", queue="clock", queueing_lock="sweep")
def sweep(timestamp: int) -> None:
    """Give a job to every mail that waits to be read or sent and may have lost its own; let go
    what waited for a person."""
    notices.release_vouched(clock.now())
    unread = RawMail.objects.filter(state=MailState.RECEIVED).order_by("arrived_at", "pk")
    for raw_id in unread.values_list("pk", flat=True)[:500]:
        _enqueue(mail.PROCESS, raw_id=raw_id)
    unsent = notices.pending(clock.now()).order_by("line_id")
    for line_id in unsent.values_list("line_id", flat=True).distinct()[:500]:
        _enqueue(notices.SEND, line_id=line_id)
    for digest_id in digests.pending(clock.now()).order_by("pk").values_list("pk", flat=True)[:500]:
        _enqueue(digests.SEND, digest_id=digest_id)
    for sending_id in replies.due(clock.now()).order_by("pk").values_list("pk", flat=True)[:500]:
        _enqueue(replies.SEND, sending_id=sending_id)
    for delivery_id in hooks.waiting(clock.now()).order_by("pk").values_list("pk", flat=True)[:500]:
        _enqueue(hooks.DELIVER, delivery_id=delivery_id)
    for work_id in work_acts.waiting().order_by("pk").values_list("pk", flat=True)[:500]:
        _enqueue(work_acts.DO, "slow", work_id=work_id)


def _enqueue(name: str, queue: str = "mail", /, **details: int) -> None:
    lock = "/".join([name, *map(str, details.values())])
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(name, queue=queue, queueing_lock=lock).defer(**details)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="watch_over", queue="clock", queueing_lock="watch_over")
def watch_over(timestamp: int) -> None:
    """Raise the alarms of what is wrong, clear those of what is over, and tell of them."""
    alarms.watch_over(clock.now())


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="route_cases", queue="clock", queueing_lock="route_cases")
def route_cases(timestamp: int) -> None:
    """Give new cases, and those classified anew, to a queue, a level and a person (P14)."""
    routing.route_waiting(clock.now())


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


@app.task(name=disruption_acts.SEND, queue="slow")
def send_disruption_letters(word_id: int) -> None:
    """Send what is told of an outage (P04)."""
    disruptions.send_pending(clock.now, word_id)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="sweep_disruption_letters", queue="slow", queueing_lock="sweep_disruptions")
def sweep_disruption_letters(timestamp: int) -> None:
    """Send the letters about outages whose job was lost, and those to be tried again."""
    disruptions.send_pending(clock.now)


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
