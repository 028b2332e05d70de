"""What somebody is told after an act that was right, and that they should know more about."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from acuse.models import LedgerLine
from acuse.queries import words
from acuse.queries.effort import find_overrun

_LOGGING = frozenset({"log_time", "correct_time"})


def warn(request: HttpRequest, line: LedgerLine) -> None:
    """After time was logged: whether the work takes longer than was estimated (P17, P18)."""
    if line.kind not in _LOGGING:
        return
    over = find_overrun(line.case_id, str(line.payload["activity"]))
    if over is None:
        return
    told = _(
        "%(activity)s: %(logged)s logged, %(over)s more than the %(estimated)s of the estimate"
        " (version %(version)s). Tell the customer before you go on."
    )
    messages.warning(
        request,
        told
        % {
            "activity": words.label(words.ACTIVITIES, over.activity),
            "logged": words.minutes(over.logged),
            "over": words.minutes(over.minutes),
            "estimated": words.minutes(over.estimated),
            "version": over.version,
        },
    )
