"""Files of customers and people that somebody read in: first looked at, then applied or left."""

from __future__ import annotations

from django.db import models

from ..policy.imports import Kind
from .base import one_of
from .people import Person


class Import(models.Model):
    """One file. Its rows are kept until it is applied or left; then only that it was."""

    kind = models.CharField(max_length=16)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)  # of the file as it was sent
    rows = models.JSONField(default=list)  # [number, {column: text}, [[column, rule, params]]]
    notes = models.JSONField(default=list)  # what of the file was not read: [msgid, params]
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)  # when it was applied: rows by what became of them

    class Meta:
        constraints = [one_of("kind", Kind, "import_kind")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.filename
