"""Notices: what has to be told to whom because of which ledger line."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from .base import one_of
from .case import Case
from .deliveries import Dispatch
from .ledger import LedgerLine
from .people import Person


class NoticeState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"


class Notice(models.Model):
    """One mail to one person about one line: exactly one (its Message-ID never changes)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    line = models.ForeignKey(LedgerLine, on_delete=models.PROTECT, related_name="notices")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    dispatch = models.OneToOneField(
        Dispatch, null=True, blank=True, on_delete=models.PROTECT, related_name="notice"
    )
    legal = models.BooleanField(default=False)
    state = models.CharField(max_length=12, default=NoticeState.QUEUED)
    not_before = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "person"], name="one_notice_a_person"),
            one_of("state", NoticeState, "notice_state"),
        ]
        indexes = [
            models.Index(
                fields=["queued_at"],
                name="notice_pending",
                condition=models.Q(state__in=["queued", "sending"]),
            )
        ]
