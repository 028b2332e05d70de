"""Tables that run in versions (calendars, committed times, rates) and are no longer offered."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from .base import one_of


class TableKind(StrEnum):
    CALENDAR = "calendar"
    SLA = "sla"
    RATES = "rates"


class RetiredTable(models.Model):
    """A table that no new contract may rest on. Its versions stay with whatever names them."""

    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=100)  # runs through its versions
    retired_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("kind", TableKind, "retired_table_kind"),
            models.UniqueConstraint(fields=["kind", "name"], name="retired_once"),
        ]

    def __str__(self) -> str:
        return self.name
