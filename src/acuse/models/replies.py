"""Answering: texts that are kept to be used again, and replies that are on their way."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from .base import one_of
from .case import Addressee, Case
from .catalogue import Queue
from .kept import Kept, KeptQuerySet
from .ledger import LedgerLine
from .people import Language, Person


class AfterReply(models.Model):
    """What is done beside a reply: each an act of its own, as if done by hand."""

    take = models.BooleanField(default=False)
    assign_me = models.BooleanField(default=False)
    assignee = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    wait_for = models.CharField(max_length=16, blank=True)  # an Addressee: the reply is a question

    class Meta:
        abstract = True


class ReplyTemplate(Kept, AfterReply):
    """A text under a name, with variables (policy/replies.py); with acts beside it, a macro."""

    language = models.CharField(max_length=2, default=Language.SPANISH)
    text = models.TextField()

    objects = KeptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name", "language"],
                condition=models.Q(retired_at__isnull=True),
                name="one_template_a_name",
            ),
            one_of("language", Language, "template_language"),
            one_of("wait_for", Addressee, "template_wait_for"),
        ]

    @property
    def is_macro(self) -> bool:
        """Whether it does something beside writing."""
        return bool(
            self.take or self.assign_me or self.assignee_id or self.queue_id or self.wait_for
        )


class SendingState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    UNDONE = "undone"
    REFUSED = "refused"


class Sending(AfterReply):
    """A reply between the button and the act: nothing has been said before `due_at`.

    It is no record: once it is sent, the words are the message's and leave this row. One that was
    taken back or refused keeps them for its author, until they send or drop it. `files`: as plain
    JSON (policy/files.File). `key`: of the form, so that pressing twice sends once. `refusals`:
    what came of the acts beside it, as [[act, code], ...].
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sendings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    files = models.JSONField(default=list)
    key = models.CharField(max_length=100)
    pressed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, default=SendingState.WAITING)
    refusals = models.JSONField(default=list)
    line = models.ForeignKey(
        LedgerLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="one_sending_a_key"),
            one_of("state", SendingState, "sending_state"),
            one_of("wait_for", Addressee, "sending_wait_for"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="sending_waiting",
                condition=models.Q(state="waiting"),
            )
        ]
