"""Out of hours: the rota and its hand-overs, the pages of Urgent cases, the firm's webhooks
(P03, P05, P21)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.db import models

from ..policy import oncall
from ..policy.calendar import Calendar
from ..policy.oncall import DEFAULT_MINUTES, Gap, Line, Rung
from ..policy.priority import Priority
from ..policy.stages import ENDED, Role
from .base import get_version, one_of
from .case import Case
from .contracts import CalendarVersion
from .people import Membership, OrganisationKind, Person

STANDARD = "standard"  # the firm's own calendar


class Rota(models.Model):
    """The firm's rota, one at most: whether it is in use, and how many minutes somebody has to
    acknowledge a page before the next is paged."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    minutes = models.PositiveSmallIntegerField(default=DEFAULT_MINUTES)
    in_use = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_rota")]

    def __str__(self) -> str:
        return "rota"


class TurnQuerySet(models.QuerySet["Turn"]):
    def between(self, since: datetime, until: datetime) -> Self:
        """Those that touch [since, until)."""
        return self.filter(since__lt=until, until__gt=since)


class Turn(models.Model):
    """Somebody is on call on one line in [since, until)."""

    line = models.CharField(max_length=8)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="turns")
    since = models.DateTimeField()
    until = models.DateTimeField()

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("line", Line, "turn_line"),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since")), name="turn_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["line", "until"], name="turn_by_end")]
        ordering = ["since", "pk"]

    def __str__(self) -> str:
        return f"{self.line} {self.person} {self.since:%Y-%m-%d %H:%M}"


class HandOver(models.Model):
    """Who is on call offers the turn to somebody for [since, until); it is theirs once they have
    accepted. `accepted` is None until it has been answered or taken back."""

    line = models.CharField(max_length=8)
    giver = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="handed_over")
    taker = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="taken_over")
    since = models.DateTimeField()
    until = models.DateTimeField()
    offered_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("line", Line, "hand_over_line"),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since")), name="hand_over_ends_after"
            ),
            models.CheckConstraint(
                condition=~models.Q(giver=models.F("taker")), name="hand_over_to_another"
            ),
            models.CheckConstraint(
                condition=models.Q(accepted__isnull=True) | models.Q(answered_at__isnull=False),
                name="hand_over_accepted_at",
            ),
        ]
        indexes = [models.Index(fields=["line", "until"], name="hand_over_by_end")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.line} {self.giver} → {self.taker}"

    @property
    def effective_since(self) -> datetime:
        """From when on it is the taker's turn: not before it was accepted."""
        return max(self.since, self.answered_at) if self.answered_at is not None else self.since


class PagingQuerySet(models.QuerySet["Paging"]):
    def open(self) -> Self:
        """Those that somebody has still to acknowledge."""
        urgent = self.filter(ended_at__isnull=True, case__priority=Priority.URGENT)
        return urgent.exclude(case__stage__in=ENDED)


class Paging(models.Model):
    """A case became Urgent while the firm was closed: how far the chain has been climbed.

    `next_at`: when the next is paged; None once all have been. `ended_at`: acknowledged, or the
    case became Urgent anew.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pagings")
    began_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    steps = models.PositiveSmallIntegerField(default=0)
    rung = models.CharField(max_length=8, blank=True)  # the last that was paged
    acknowledged_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PagingQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("rung", Rung, "paging_rung"),
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_paging_a_case",
            ),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.case} {self.began_at:%Y-%m-%d %H:%M}"


class Page(models.Model):
    """One person was paged."""

    paging = models.ForeignKey(Paging, on_delete=models.PROTECT, related_name="pages")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="pages")
    rung = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        constraints = [one_of("rung", Rung, "page_rung")]
        ordering = ["pk"]


class Hook(models.Model):
    """An address of the firm's own that is told of pages (an outgoing webhook). `sealed`: the
    secret that signs, sealed."""

    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    sealed = models.TextField()
    since = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class HookKind(StrEnum):
    """What a webhook is told of."""

    PAGE = "page"
    ACKNOWLEDGED = "acknowledged"
    PING = "ping"


class HookState(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"
    FAILED = "failed"
    STOPPED = "stopped"  # the webhook was retired meanwhile


class HookDelivery(models.Model):
    """One message to one webhook: ids and codes, nobody's words. `key` is the same however often
    it is sent; `status`: what the other side answered last."""

    hook = models.ForeignKey(Hook, on_delete=models.PROTECT, related_name="deliveries")
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    kind = models.CharField(max_length=16)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    next_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, default=HookState.WAITING)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", HookKind, "hook_kind"),
            one_of("state", HookState, "hook_state"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="hook_waiting",
                condition=models.Q(state="waiting"),
            )
        ]
        ordering = ["-pk"]


def find_rota() -> Rota | None:
    """The rota, where it is in use."""
    return Rota.objects.filter(in_use=True).first()


def firm_calendar() -> Calendar | None:
    """When the firm works: the newest version of its own calendar; None before there is one."""
    named = CalendarVersion.objects.filter(name=STANDARD).order_by("-number")
    newest = named.values_list("pk", flat=True).first()
    if newest is None:
        return None
    found: CalendarVersion = get_version(CalendarVersion, newest)
    return found.calendar


def pages_out_of_hours(case: Case, at: datetime) -> bool:
    """Whether somebody is paged if the case is Urgent from this moment on: its contract commits
    times for Urgent day and night, the rota is in use, and the firm is closed."""
    row = case.sla.rows.get(Priority.URGENT, {}) if case.sla is not None else {}
    if not row.get("round_the_clock") or find_rota() is None:
        return False
    calendar = firm_calendar()
    return calendar is not None and oncall.is_closed(calendar, at)


ON_CALL_ROLES = (Role.SUPPORT, Role.CONSULTANT, Role.MANAGER)


def able_people(at: datetime) -> dict[int, Person]:
    """Who can be on call at a moment: the firm's active people of support and consulting, and
    its managers."""
    return _of_roles(ON_CALL_ROLES, at)


def managers(at: datetime) -> dict[int, Person]:
    """The firm's active managers at a moment."""
    return _of_roles((Role.MANAGER,), at)


def _of_roles(roles: Iterable[Role], at: datetime) -> dict[int, Person]:
    held = Membership.objects.in_force(at).filter(
        role__in=roles, organisation__kind=OrganisationKind.FIRM, person__is_active=True
    )
    return {m.person_id: m.person for m in held.select_related("person").order_by("person")}


def rota_between(
    line: Line, since: datetime, until: datetime
) -> tuple[list[oncall.Turn], list[oncall.Pass]]:
    """The turns of a line that touch [since, until), and what of them was handed over, in the
    order in which it was accepted."""
    turns = Turn.objects.filter(line=line).between(since, until)
    passes = HandOver.objects.filter(line=line, accepted=True, since__lt=until, until__gt=since)
    return (
        [oncall.Turn(turn.person_id, turn.since, turn.until) for turn in turns],
        [
            oncall.Pass(row.giver_id, row.taker_id, row.effective_since, row.until)
            for row in passes.order_by("answered_at", "pk")
        ],
    )


def on_call(line: Line, at: datetime, able: dict[int, Any]) -> tuple[int | None, Gap | None]:
    """Who (id) is on call on a line at a moment, or which gap there is; `able` by id."""
    turns, passes = rota_between(line, at, at + oncall.SHOWN)
    return oncall.on_call(at, turns, passes, able)
