"""The ledger: append-only lines, a hash chain for each case, and signed daily checkpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from django.db import models
from django.db.models import Func

from ..policy.authors import AuthorKind, Channel
from .base import one_of
from .case import Case
from .people import Person


class CurrentTransaction(Func):
    """The number of the running transaction (PostgreSQL xid8)."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class OldestRunning(Func):
    """The number of the oldest transaction that still runs; all before it are settled."""

    template = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()


class LedgerQuerySet(models.QuerySet["LedgerLine"]):
    def visible_to(self, person: Person) -> Self:
        """A customer sees the lines that are not the firm's alone."""
        found = self.filter(case__in=Case.objects.visible_to(person))
        return found if person.is_firm else found.filter(audience="customer")

    def settled(self) -> Self:
        """Lines behind every running transaction: read in order of (transaction, pk), none can
        appear later before one already read."""
        return self.filter(transaction__lt=OldestRunning()).order_by("transaction", "pk")


class LedgerLine(models.Model):
    """One act that happened. The database refuses to change or remove it (migration 0002)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="ledger")
    seq = models.PositiveIntegerField()
    transaction = models.BigIntegerField(db_default=CurrentTransaction())
    kind = models.CharField(max_length=40)
    kind_version = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    audience = models.CharField(max_length=8)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    author = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    author_kind = models.CharField(max_length=8)
    channel = models.CharField(max_length=8)
    token = models.ForeignKey("ApiToken", null=True, blank=True, on_delete=models.PROTECT)
    imported = models.BooleanField(default=False)
    stage_from = models.CharField(max_length=20, blank=True)
    stage_to = models.CharField(max_length=20)
    ball = models.CharField(max_length=16)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ["case", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="one_line_a_number"),
            one_of("author_kind", AuthorKind, "line_author_kind"),
            one_of("channel", Channel, "line_channel"),
        ]
        indexes = [models.Index(fields=["transaction", "id"], name="line_by_commit")]

    def __str__(self) -> str:
        return f"C-{self.case_id}#{self.seq} {self.kind}"

    @property
    def receipt(self) -> str:
        """The receipt's number as people see it: C-17/5."""
        return f"C-{self.case_id}/{self.seq}"

    def hashed_fields(self) -> dict[str, object]:
        """What the line's hash covers, in plain types (moments in UTC, microseconds)."""
        return {
            "case": self.case_id,
            "seq": self.seq,
            "kind": str(self.kind),
            "kind_version": self.kind_version,
            "payload": self.payload,
            "audience": str(self.audience),
            "at": _moment(self.at),
            "recorded_at": _moment(self.recorded_at),
            "author": self.author_id,
            "author_kind": str(self.author_kind),
            "channel": str(self.channel),
            "token": self.token_id,
            "imported": self.imported,
            "stage_from": str(self.stage_from),
            "stage_to": str(self.stage_to),
            "ball": str(self.ball),
        }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class IdempotencyKey(models.Model):
    """A key that a caller gave with an act, and the receipt it got."""

    author = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    act = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    line = models.ForeignKey(LedgerLine, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="one_use_a_key")]


class RefusalNote(models.Model):
    """An act that a known person tried and was refused, noted after the rollback."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="refusals")
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    act = models.CharField(max_length=40)
    code = models.CharField(max_length=40)
    stage = models.CharField(max_length=20)
    channel = models.CharField(max_length=8)
    at = models.DateTimeField()


class SigningKey(models.Model):
    """The public half of a key that signs checkpoints and documents; `key_id` names it."""

    key_id = models.CharField(max_length=64, primary_key=True)
    algorithm = models.CharField(max_length=16)
    public = models.TextField()
    since = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)


class Checkpoint(models.Model):
    """The heads of all chains at the end of a day, signed: shows cut tails and rewrites."""

    on = models.DateField(unique=True)
    heads = models.JSONField()  # [[case, seq, hash], ...]
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    signature = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["on"]


class ApiToken(models.Model):
    """A personal token for the API, made in the portal by the person it acts for."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
