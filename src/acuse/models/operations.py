"""What keeps the installation running, and what only a demo has."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from .people import Person


class Heartbeat(models.Model):
    """The last sign of life of a process (worker, listener)."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)


class Alarm(models.Model):
    """Something that somebody who runs the installation has to look at, from when until when.

    `name` says which alarm, `about` which mailbox, address or job. Each sounds once: one row is
    open for the same name and subject.
    """

    name = models.CharField(max_length=32)
    about = models.CharField(max_length=320, blank=True)
    detail = models.TextField(blank=True)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)  # when the last of them had been told
    told_to = models.JSONField(default=list)  # who has a letter about it (person ids)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "about"],
                condition=models.Q(cleared_at__isnull=True),
                name="one_open_alarm",
            )
        ]
        ordering = ["-raised_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.about}".strip()


class Change(models.Model):
    """Who changed what of the installation, or settled which mail, when and why.

    `subject` says what kind of row (a mailbox, a raw mail), `row` which one; `fields` holds
    {name: [before, after]}. A secret is named in it and never shown.
    """

    subject = models.CharField(max_length=32)
    row = models.BigIntegerField()
    act = models.CharField(max_length=32)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    why = models.TextField(blank=True)
    fields = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject", "row"], name="change_by_row")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.subject} {self.row}: {self.act}"


class DemoClock(models.Model):
    """How far the demo's clock has been moved ahead of the real one. Never in production."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ahead = models.DurationField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_demo_clock")]


class CaughtMail(models.Model):
    """A mail that the demo sent over SMTP and its own listener caught, to be read on a page."""

    at = models.DateTimeField(db_default=Now())
    sender = models.CharField(max_length=320, blank=True)
    recipients = models.JSONField(default=list)
    message_id = models.CharField(max_length=998, blank=True)
    subject = models.TextField(blank=True)
    content = models.BinaryField()

    class Meta:
        ordering = ["-pk"]
