"""What somebody is writing and has not sent: theirs alone, and no record of anything."""

from __future__ import annotations

import re

from django.db import models

from .conversation import Blob
from .people import Person

WHAT = re.compile(r"[a-z_]{1,24}(:[0-9]{1,12})?")  # the name of a form that can be kept


class Draft(models.Model):
    """One form as it was last typed. `what`: which form ("report", "comment:17" for case 17);
    `content`: the values of each field, by its name. Removed once it is sent."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="drafts")
    what = models.CharField(max_length=40)
    content = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "what"], name="one_draft_a_form"),
        ]


class DraftFile(models.Model):
    """A file uploaded for a form that has not been sent, under the name it came with."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    at = models.DateTimeField()
