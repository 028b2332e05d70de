"""Notices: what has to be told to whom because of which ledger line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from ..policy.brakes import Limit
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


class Suppression(StrEnum):
    """Why a notice is not sent: whom it is for has left, or a brake (policy/brakes.py)."""

    INACTIVE = "inactive"
    BRAKE_ADDRESS = "brake_address"
    BRAKE_DOMAIN = "brake_domain"
    BRAKE_ALL = "brake_all"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def confirmed_at(
        self, limit: Limit, now: datetime, person: Person | None = None
    ) -> list[datetime]:
        """When the confirmations went that a limit counts at a moment, in order: those to
        strangers, or to one person where the limit is on an address."""
        found = self.filter(line__kind="open", taken_at__gt=now - limit.within, taken_at__lte=now)
        if person is None or limit.scope == "all":
            found = found.filter(to_stranger=True)
        elif limit.scope == "domain":
            domain = person.email.rpartition("@")[2]
            found = found.filter(to_stranger=True, person__email__iendswith=f"@{domain}")
        else:
            found = found.filter(person=person, case__reporter=person)
        return sorted(row.taken_at for row in found.only("taken_at") if row.taken_at is not None)


class Notice(models.Model):
    """One mail to one person about one line: exactly one (its Message-ID never changes).

    `taken_at`: when it was first taken for sending. `to_stranger`: it confirms a mail to an
    address that nobody vouched for then. `reason`: a Suppression, where it is not sent.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    line = models.ForeignKey(LedgerLine, on_delete=models.PROTECT, related_name="notices")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    dispatch = models.OneToOneField(
        Dispatch, null=True, blank=True, on_delete=models.PROTECT, related_name="notice"
    )
    legal = models.BooleanField(default=False)
    state = models.CharField(max_length=12, default=NoticeState.QUEUED)
    reason = models.CharField(max_length=16, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    to_stranger = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "person"], name="one_notice_a_person"),
            one_of("state", NoticeState, "notice_state"),
            one_of("reason", Suppression, "notice_suppression"),
        ]
        indexes = [
            models.Index(
                fields=["queued_at"],
                name="notice_pending",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["taken_at"],
                name="notice_to_stranger",
                condition=models.Q(to_stranger=True),
            ),
        ]

    @property
    def is_confirmation(self) -> bool:
        """Whether it confirms the opening to who reported it (P12)."""
        return self.line.kind == "open" and self.case.reporter_id == self.person_id
