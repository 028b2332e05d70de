"""Messages to webhooks as they fall due: each is taken, posted and noted, and never by two at
once. A worker killed in between leaves it waiting; it is posted again under the same key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from acuse.actions import hooks
from acuse.connectors.hooks import Answer
from acuse.interfaces.jobs.locks import alone
from acuse.interfaces.web import hooking
from acuse.models import HookDelivery
from acuse.policy.probing import Finding

log = logging.getLogger(__name__)


def post_now(delivery: HookDelivery) -> Answer:
    """The other side compares with its own clock, of which the demo's may be ahead."""
    return hooking.send(delivery, timezone.now())


def deliver(
    delivery_id: int,
    clock: Callable[[], datetime],
    post: Callable[[HookDelivery], Answer] = post_now,
) -> None:
    """Send one message, unless somebody is just sending it or it needs no sending any more."""
    with alone("hook", delivery_id) as nobody_else:
        taken = hooks.claim(delivery_id, clock()) if nobody_else else None
        if taken is None:
            return
        try:
            answer = post(taken)
        except Exception as ours:  # an error of ours must not look like silence
            log.exception("webhook message %s could not be sent", delivery_id)
            answer = Answer(None, Finding.ODD_ANSWER, f"{type(ours).__name__}"[:100])
        hooking.settle(taken, answer, clock())
