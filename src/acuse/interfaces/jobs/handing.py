"""Handing one letter over to the mail server, and noting what came of it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs.letters import Letter

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class Marks(Protocol):
    """Where it is noted, by actions of these names: they get the row, the error, and the moment."""

    def mark_sent(self, row: Any, at: datetime, /) -> object: ...
    def mark_not_taken(self, row: Any, error: str, at: datetime, /) -> object: ...
    def mark_bounced(self, row: Any, error: str, at: datetime, /) -> object: ...


def hand_over(row: Any, write: Callable[[], Letter], marks: Marks, clock: Clock) -> None:
    """Write the letter of a notice or a digest and hand it over: taken, refused for good, or to be
    tried again. One that cannot be written never stops the others."""
    try:
        letter = write()
        smtp.send(config.mail_server, letter.sender, letter.recipient, letter.content)
    except smtp.NotTaken as reason:
        mark = marks.mark_bounced if reason.permanent else marks.mark_not_taken
        mark(row, str(reason), clock())
    except Exception:
        log.exception("%s %s could not be sent", type(row).__name__.lower(), row.pk)
        marks.mark_not_taken(row, traceback.format_exc(), clock())
    else:
        marks.mark_sent(row, clock())
