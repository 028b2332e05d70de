"""Deliverable -> version -> dispatch -> window -> hold: what was delivered and its terms."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from ..policy.terms import Term
from .base import ErasableText, VersionKey, one_of
from .case import Case
from .contracts import CalendarVersion
from .conversation import Message
from .estimates import Estimate
from .people import Person


class DeliverableKind(StrEnum):
    """P23, and the plain answer."""

    ESTIMATE = "estimate"
    DEVELOPMENT = "development"
    PARAMETRISATION = "parametrisation"
    DOCUMENTATION = "documentation"
    ANSWER = "answer"


WARRANTED = (DeliverableKind.DEVELOPMENT, DeliverableKind.PARAMETRISATION)


class Deliverable(models.Model):
    """One thing that the customer will get. A proposal is the deliverable of kind estimate that
    leads to the authorisation (`proposal`); it does not count for the derived stage."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="deliverables")
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    proposal = models.BooleanField(default=False)
    planned_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("kind", DeliverableKind, "deliverable_kind"),
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(proposal=True), name="one_proposal_a_case"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def latest(self) -> Version | None:
        """The newest version that has not been withdrawn."""
        return self.versions.filter(withdrawn_at__isnull=True).order_by("-number").first()


class Outcome(StrEnum):
    """How a version stands with the customer."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    TACIT = "tacit"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Version(ErasableText):
    """One delivered version; the text says what it is. `outcome` is final but for an annulment."""

    deliverable = models.ForeignKey(Deliverable, on_delete=models.PROTECT, related_name="versions")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    corrected = models.BooleanField(default=False)
    estimate = models.ForeignKey(Estimate, null=True, blank=True, on_delete=models.PROTECT)
    author = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)  # proven: the later of act and proof
    outcome = models.CharField(max_length=16, default=Outcome.PENDING)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("outcome", Outcome, "version_outcome"),
            models.UniqueConstraint(fields=["deliverable", "number"], name="one_version_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.deliverable.title} v{self.number}"


class Dispatch(models.Model):
    """One copy of a version sent to one person, and what proves that it arrived (P23)."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="dispatches")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    sent_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)  # by the recipient's mail server
    opened_at = models.DateTimeField(null=True, blank=True)  # in the portal
    bounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "person"], name="one_dispatch_a_person")
        ]


class Window(models.Model):
    """The customer's term for one version (P24), with its days as computed at the last change.

    `calendar` is the version in force at delivery: later edits may lengthen the term, never
    shorten it. `last_day` and `until` are null while a hold runs.
    """

    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="window")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="windows")
    calendar = VersionKey(CalendarVersion, on_delete=models.PROTECT)
    starts_at = models.DateTimeField()  # the proven delivery; that day is not counted
    length = models.PositiveIntegerField()  # business days
    extra = models.PositiveIntegerField(default=0)  # business days granted by extend_window
    last_day = models.DateField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    computation = models.JSONField(default=dict)
    tacit = models.BooleanField(default=True)  # whether silence accepts at the end
    closed_at = models.DateTimeField(null=True, blank=True)
    annulled = models.BooleanField(default=False)

    @property
    def term(self) -> Term:
        return Term.from_json(self.computation)


class Hold(models.Model):
    """Something that the customer said inside a window (P24). Classified as no objection, the
    days run on; as an objection, the version is rejected."""

    window = models.ForeignKey(Window, on_delete=models.PROTECT, related_name="holds")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="holds")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    objection = models.BooleanField(null=True, blank=True)
