"""What keeps the installation running, and what only a demo has."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """The last sign of life of a process (worker, listener)."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)


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
