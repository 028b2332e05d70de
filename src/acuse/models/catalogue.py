"""What cases are about: environments, modules, specialties, types, root causes; and queues."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Lower

from .people import Organisation, Person


class Named(models.Model):
    """A word of the firm's own vocabulary. Words in use are retired, never deleted."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Module(Named):
    """A module of the business system (Sales, Accounting)."""


class Specialty(Named):
    """What somebody has to know to work on a case (P14)."""


class CaseType(Named):
    """Incident, question, requirement, ..."""


class RootCause(Named):
    """Why it happened, for the analysis of what reduces incidence (P01)."""


class Queue(Named):
    """Where cases wait for somebody of the firm."""


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def visible_to(self, person: Person) -> Self:
        if person.is_firm:
            return self
        return self.filter(organisation__in=person.organisation_ids())


class Environment(models.Model):
    """A system of a customer: production, staging (P06)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="environments"
    )
    name = models.CharField(max_length=100)
    url = models.URLField(blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="one_environment_a_name")
        ]

    def __str__(self) -> str:
        return self.name
