"""Outages that somebody declared: of which systems, what was told to whom, on which parent case
their reports hang (P04, P06). What monitoring measures is in models/monitoring.py."""

from __future__ import annotations

from typing import Self

from django.db import models

from ..policy.disruptions import WordKind, text_for
from .base import one_of
from .case import Case
from .catalogue import Environment
from .people import Person


class DisruptionQuerySet(models.QuerySet["Disruption"]):
    def visible_to(self, person: Person) -> Self:
        """The firm sees all; a customer's person those of their own systems."""
        if person.is_firm:
            return self
        own = Environment.objects.visible_to(person)
        return self.filter(
            pk__in=Disruption.environments.through.objects.filter(environment__in=own).values(
                "disruption"
            )
        )

    def running(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Disruption(models.Model):
    """A declared outage. `system`: what several environments share and what it is called then;
    `parent`: the firm's case on which the reports of it hang."""

    system = models.CharField(max_length=100, blank=True)
    environments = models.ManyToManyField(Environment, related_name="disruptions")
    parent = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="disruptions")
    since = models.DateTimeField()
    declared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DisruptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["parent"],
                condition=models.Q(ended_at__isnull=True),
                name="one_running_disruption_a_parent",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True)
                | models.Q(ended_at__gte=models.F("since")),
                name="disruption_ends_after",
            ),
        ]
        ordering = ["-since", "-pk"]

    @property
    def number(self) -> str:
        """How people call it: O-3."""
        return f"O-{self.pk}"


class DisruptionWord(models.Model):
    """What the firm said of it, to all customers alike: `texts` by language."""

    disruption = models.ForeignKey(Disruption, on_delete=models.PROTECT, related_name="words")
    kind = models.CharField(max_length=8)
    texts = models.JSONField(default=dict)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [one_of("kind", WordKind, "disruption_word_kind")]
        ordering = ["at", "pk"]

    def text_for(self, language: str) -> str:
        """In this language, or in another where there is none in it."""
        return text_for(self.texts, language)


class DisruptionLetter(models.Model):
    """One mail to one person about one word: exactly one (its Message-ID never changes)."""

    word = models.ForeignKey(DisruptionWord, on_delete=models.PROTECT, related_name="letters")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["word", "person"], name="one_letter_a_person")
        ]
        indexes = [
            models.Index(
                fields=["word"],
                condition=models.Q(sent_at__isnull=True, failed_at__isnull=True),
                name="disruption_letter_pending",
            )
        ]
