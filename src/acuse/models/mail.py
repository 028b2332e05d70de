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
    WEBHOOK = "webhook"


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
    plus_addressing = models.BooleanField(default=True)  # whether name+key@ is delivered here
    reply_domain = models.CharField(max_length=253, blank=True)  # all of its mail comes here
    authserv_id = models.CharField(max_length=253, blank=True)  # whose verdicts count (RFC 8601)
    read_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("address"), name="one_mailbox_an_address"),
            one_of("transport", Transport, "mailbox_transport"),
        ]

    def __str__(self) -> str:
        return self.address


class Security(StrEnum):
    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class SignIn(StrEnum):
    PASSWORD = "password"
    GOOGLE = "google"
    MICROSOFT = "microsoft"


class ImapAccount(models.Model):
    """Where a polled mailbox lies and how we sign in there (RFC 3501); and how polling goes.

    `sealed` holds the password or the OAuth secrets, encrypted with a key of the installation.
    `uid_validity` belongs to the folder that `place` names; what another one holds is new to us
    (and known by its hash, where it is the same mail).
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.PROTECT, related_name="imap")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=993)
    security = models.CharField(max_length=16, default=Security.TLS)
    username = models.CharField(max_length=254)
    sign_in = models.CharField(max_length=16, default=SignIn.PASSWORD)
    authority = models.URLField(blank=True)  # who gives tokens, where not the provider's usual
    sealed = models.TextField(blank=True)
    folder = models.CharField(max_length=200, default="INBOX")
    processed_folder = models.CharField(max_length=200, default="Processed")
    failed_folder = models.CharField(max_length=200, default="Failed")
    place = models.CharField(max_length=700, blank=True)  # user, server and folder last read
    uid_validity = models.BigIntegerField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)  # the last poll that succeeded
    next_poll_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    error = models.TextField(blank=True)
    token_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("security", Security, "imap_security"),
            one_of("sign_in", SignIn, "imap_sign_in"),
        ]

    def __str__(self) -> str:
        return f"{self.username} at {self.host}"


class Authentication(StrEnum):
    """Whether the domain of a mail's From vouches for it (RFC 7489, RFC 8601)."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"  # the domain says nothing
    UNKNOWN = "unknown"  # it was not asked, or gave no answer


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
    size = models.PositiveBigIntegerField(default=0)  # of the whole mail, in bytes
    complete = models.BooleanField(default=True)  # False: too large, only its headers are kept
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
    authentication = models.CharField(max_length=8, blank=True)  # "": not asked yet
    authentication_detail = models.TextField(blank=True)  # who says so, on what ground
    proposal = models.JSONField(default=dict, blank=True)  # of a forward: whose mail it was
    settled_by = models.ForeignKey(  # who at the firm said what a held mail is
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="settled_mails"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_why = models.TextField(blank=True)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="raw_mails"
    )

    class Meta:
        constraints = [
            one_of("state", MailState, "mail_state"),
            one_of("authentication", Authentication, "mail_authentication"),
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


class CopiedAddress(models.Model):
    """Somebody unknown whom a mail on a case was copied to: sees nothing until somebody at the
    firm accepts them (mail rule 19)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="copied")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    raw_mail = models.ForeignKey(RawMail, on_delete=models.PROTECT, related_name="copied")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    accepted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("case", Lower("email"), name="copied_once_a_case")]

    def __str__(self) -> str:
        return self.email
