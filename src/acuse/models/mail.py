"""Mailboxes and the raw mail they brought, kept before anything else is done with it."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models.functions import Lower, Now

from .base import one_of
from .case import Case
from .catalogue import Queue
from .people import Organisation, Person


class Transport(StrEnum):
    LISTENER = "listener"
    PIPE = "pipe"
    IMAP = "imap"


class Mailbox(models.Model):
    """An address at which the firm receives mail, for one customer or one queue (P11).

    A polled mailbox says up to when it has been read (`read_until`); what comes in by our own
    listener or the pipe is read as it arrives.
    """

    address = models.EmailField(max_length=254)
    name = models.CharField(max_length=100)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="mailboxes"
    )
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT)
    transport = models.CharField(max_length=16, default=Transport.LISTENER)
    read_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("address"), name="one_mailbox_an_address"),
            one_of("transport", Transport, "mailbox_transport"),
        ]

    def __str__(self) -> str:
        return self.address


class MailState(StrEnum):
    """How far a raw mail has come (mail rule 1)."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    HELD = "held"
    FAILED = "failed"


class RawMail(models.Model):
    """One mail, byte for byte, with its envelope; committed before it is parsed.

    `arrived_at` is when it reached the firm's server (RFC 3501 INTERNALDATE, or our own SMTP
    acceptance): the moment at which it counts.
    """

    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.JSONField(default=list)
    mailbox = models.ForeignKey(Mailbox, null=True, blank=True, on_delete=models.PROTECT)
    uid_validity = models.BigIntegerField(null=True, blank=True)
    uid = models.BigIntegerField(null=True, blank=True)
    arrived_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=16, default=MailState.RECEIVED)
    reason = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    message_id = models.CharField(max_length=998, blank=True)
    subject = models.TextField(blank=True)
    sender = models.CharField(max_length=320, blank=True)  # From, as parsed
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="raw_mails"
    )

    class Meta:
        constraints = [
            one_of("state", MailState, "mail_state"),
            models.UniqueConstraint(fields=["mailbox", "sha256"], name="one_raw_mail_a_mailbox"),
            models.UniqueConstraint(
                fields=["mailbox", "uid_validity", "uid"], name="one_raw_mail_a_uid"
            ),
        ]
        indexes = [
            models.Index(fields=["message_id"], name="raw_mail_by_message_id"),
            models.Index(
                fields=["arrived_at"],
                name="raw_mail_unsettled",
                condition=models.Q(state__in=["received", "held", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender or self.envelope_from}: {self.subject}"
