"""Notices: what has to be told to whom because of which ledger line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models.functions import Now

from ..policy.authors import Channel
from ..policy.brakes import Confirmed, Limit
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
    GROUPED = "grouped"  # waits for its digest
    IN_PORTAL = "in_portal"  # not mailed: its person wishes so


class Suppression(StrEnum):
    """Why a notice is not sent: whom it is for has left, or a brake (policy/brakes.py). One that
    may answer a robot (`circle`) waits until a person has shown themselves."""

    INACTIVE = "inactive"
    BRAKE_ADDRESS = "brake_address"
    BRAKE_DOMAIN = "brake_domain"
    BRAKE_ALL = "brake_all"
    CIRCLE = "circle"


class Digest(models.Model):
    """One letter to one person that tells of many lines, each once: those of its notices.

    Notices join it until it is first taken for sending (`taken_at`); from then on it is always
    the same letter, under the same Message-ID. `due_at`: the hour at which it goes.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="digests")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, default=NoticeState.QUEUED)
    not_before = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "due_at"], name="one_digest_an_hour"),
            one_of("state", NoticeState, "digest_state"),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="digest_pending",
                condition=models.Q(state__in=["queued", "sending"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.due_at:%Y-%m-%d %H:%M}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, person: Person) -> Self:
        """The inbox of a person: what they were told of and may still read."""
        found = self.filter(person=person)
        if person.is_firm:
            return found
        cases = Case.objects.visible_to(person)
        return found.filter(case__in=cases, line__audience="customer")

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

    def confirmations_to(self, person_id: int, since: datetime) -> list[Confirmed]:
        """The confirmations to one person that the mail server took after `since`, or has been
        given since and not taken yet."""
        late = models.Q(sent_at__gt=since) | models.Q(sent_at__isnull=True, taken_at__gt=since)
        found = self.filter(late, person=person_id, line__kind="open")
        rows = found.filter(case__reporter=person_id, taken_at__isnull=False)
        return [
            Confirmed(taken, sent or taken)
            for taken, sent in rows.values_list("taken_at", "sent_at")
            if taken is not None
        ]

    def vouched_for(self) -> Self:
        """Those on whose case a person has shown themselves by another way than a mail since it
        was opened, or whose addressee has signed in since: no robot does that."""
        acts = LedgerLine.objects.filter(case=models.OuterRef("case"), author_kind="person")
        seen = models.Exists(acts.exclude(channel=Channel.MAIL))
        signed_in = models.Q(person__last_login__gt=models.F("line__recorded_at"))
        return self.filter(models.Q(seen) | signed_in)


class Notice(models.Model):
    """One person told of one line: in the inbox at once, and by exactly one mail, if their
    preferences want one: a letter of its own (its Message-ID never changes) or a digest's.

    `read_at`: when its person had read it in the inbox. `taken_at`: when it was first taken for
    sending. `to_stranger`: it confirms a mail to an address that nobody vouched for then.
    `reason`: a Suppression, where it is not sent.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    line = models.ForeignKey(LedgerLine, on_delete=models.PROTECT, related_name="notices")
    # The index of the inbox, below, begins with the person and serves for both.
    person = models.ForeignKey(Person, on_delete=models.PROTECT, db_index=False)
    digest = models.ForeignKey(
        Digest,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notices",
        db_index=False,
    )
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
    read_at = models.DateTimeField(null=True, blank=True)

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
            models.Index(fields=["person", "-id"], name="notice_inbox"),
            models.Index(
                fields=["person"],
                name="notice_unread",
                condition=models.Q(read_at__isnull=True),
            ),
            models.Index(
                fields=["digest"],
                name="notice_of_digest",
                condition=models.Q(digest__isnull=False),
            ),
            models.Index(
                fields=["queued_at"],
                name="notice_in_a_circle",
                condition=models.Q(state="suppressed", reason="circle"),
            ),
        ]

    @property
    def may_go_again(self) -> bool:
        """Whether somebody at the firm may have it sent once more."""
        if self.state == NoticeState.SUPPRESSED:
            return self.reason == Suppression.CIRCLE
        return self.state in (NoticeState.FAILED, NoticeState.BOUNCED)

    @property
    def is_confirmation(self) -> bool:
        """Whether it confirms the opening to who reported it (P12)."""
        return self.line.kind == "open" and self.case.reporter_id == self.person_id
