"""Sending notices: each is taken, written, handed over and noted, and never sent by two at once.

A worker killed in between leaves the notice as `sending`; it is sent again under the same
Message-ID, by which mail servers and readers know it for the same mail.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime

from acuse.actions import notices
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs.locks import alone
from acuse.models import Notice

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def send_line(line_id: int, clock: Clock) -> None:
    """Send what waits to be told because of one ledger line."""
    waiting = notices.pending(clock()).filter(line=line_id).order_by("pk")
    for notice_id in list(waiting.values_list("pk", flat=True)):
        send(notice_id, clock)


def send(notice_id: int, clock: Clock) -> None:
    """Send one notice, unless somebody is just sending it or it needs no sending any more."""
    with alone("notice", notice_id) as nobody_else:
        if nobody_else and notices.claim(notice_id, clock()) is not None:
            _hand_over(_load(notice_id), clock)


def _load(notice_id: int) -> Notice:
    """The notice with all that its letter reads."""
    related = (
        "case__organisation",
        "case__mailbox",
        "case__calendar",
        "case__policy",
        "line__author",
        "person",
        "dispatch__version",
    )
    return Notice.objects.select_related(*related).get(pk=notice_id)


def _hand_over(notice: Notice, clock: Clock) -> None:
    try:
        letter = letters.write(notice, clock())
        smtp.send(config.mail_server, letter.sender, letter.recipient, letter.content)
    except smtp.NotTaken as reason:
        if reason.permanent:
            notices.mark_bounced(notice, str(reason), clock())
        else:
            notices.mark_not_taken(notice, str(reason), clock())
    except Exception:  # a letter that cannot be written never stops the others
        log.exception("notice %s could not be sent", notice.pk)
        notices.mark_not_taken(notice, traceback.format_exc(), clock())
    else:
        notices.mark_sent(notice, clock())
