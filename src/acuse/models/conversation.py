"""What people wrote and attached, each with its audience, and the bytes by their fingerprint."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.db import models

from .base import ErasableText, one_of
from .case import Case
from .people import Person


class Audience(StrEnum):
    """Who may read: the customer and the firm, or the firm alone. It never widens."""

    CUSTOMER = "customer"
    FIRM = "firm"


class MessageKind(StrEnum):
    REPORT = "report"
    COMMENT = "comment"
    INTERNAL_NOTE = "internal_note"
    ANSWER = "answer"
    NON_BINDING = "non_binding"
    ATTACHMENT = "attachment"


class AudienceQuerySet(models.QuerySet):
    def visible_to(self, person: Person) -> Self:
        """What this person may read: the case must be visible, and the audience theirs."""
        found = self.filter(case__in=Case.objects.visible_to(person))
        return found if person.is_firm else found.filter(audience=Audience.CUSTOMER)


class Message(ErasableText):
    """Something written on a case: a mail, a comment, a note, an answer."""

    personal = ("text", "whole_text", "html")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=16)
    audience = models.CharField(max_length=8)
    author = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    channel = models.CharField(max_length=16)
    whole_text = models.TextField(blank=True)  # a mail before its quotes were cut
    html = models.TextField(blank=True)  # as received, shown only after cleaning
    raw_mail = models.ForeignKey(
        "RawMail", null=True, blank=True, on_delete=models.PROTECT, related_name="messages"
    )
    late = models.BooleanField(default=False)  # it came after a term it might have held (P25)

    objects = AudienceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", MessageKind, "message_kind"),
            one_of("audience", Audience, "message_audience"),
            models.CheckConstraint(
                condition=~models.Q(kind=MessageKind.INTERNAL_NOTE)
                | models.Q(audience=Audience.FIRM),
                name="internal_note_is_the_firms",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "at"], name="message_by_case"),
            models.Index(fields=["author", "at"], name="message_by_author"),
        ]

    @property
    def has_more(self) -> bool:
        """Whether more was received than its text shows: quotes that were cut, or HTML."""
        return bool(self.html) or self.whole_text not in ("", self.text)


class Blob(models.Model):
    """Stored bytes, named by their sha256 (hex). Where they lie: connectors/storage.py."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.PositiveBigIntegerField()


class Attachment(models.Model):
    """A file on a case, under the name it came with."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="attachments"
    )
    version = models.ForeignKey(
        "Version", null=True, blank=True, on_delete=models.PROTECT, related_name="files"
    )
    claim = models.ForeignKey(
        "Claim", null=True, blank=True, on_delete=models.PROTECT, related_name="files"
    )
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    content_id = models.CharField(max_length=255, blank=True)
    audience = models.CharField(max_length=8)
    at = models.DateTimeField()

    objects = AudienceQuerySet.as_manager()

    class Meta:
        constraints = [one_of("audience", Audience, "attachment_audience")]


class SearchEntry(models.Model):
    """What search reads of a case, apart from the case itself (first report only)."""

    case = models.OneToOneField(
        Case, on_delete=models.CASCADE, primary_key=True, related_name="search"
    )
    subject = models.TextField()
    body = models.TextField()
