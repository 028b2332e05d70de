"""The firm's webhooks: set up, told of pages, tried, retired (P03). What is told is kept in rows
and sent by a job: at least once, always under the same key, for some days at most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models, transaction
from procrastinate.contrib.django import app

from ..models import Hook, HookDelivery, HookKind, HookState, Person
from ..policy.fields import N_, InvalidField
from ..policy.oncall import next_try
from ..policy.probing import CheckKind, read_target
from . import records

HOOK = "hook"
DELIVER = "deliver_hook"
LEASE = timedelta(minutes=2)  # a message whose worker was killed is sent again after so long
MOST_HOOKS = 10
EMPTY = N_("must not be empty")
TOO_LONG = N_("must have at most %(most)s characters")
TOO_MANY = N_("there are %(most)s webhooks in use already")
KNOWN_URL = N_("there is a webhook with this address already")


def _text(field: str, text: str, most: int) -> str:
    plain = " ".join(text.split())
    if not plain:
        raise InvalidField(field, EMPTY)
    if len(plain) > most:
        raise InvalidField(field, TOO_LONG, most=most)
    return plain


@transaction.atomic
def add_hook(name: str, url: str, sealed: str, *, by: Person, at: datetime) -> Hook:
    """A webhook that is told of every page from now on; `sealed`: the secret that signs, sealed.
    Raises InvalidField."""
    name, url = _text("name", name, 100), _text("url", url, 500)
    try:
        read_target(CheckKind.HTTP, url)
    except InvalidField as wrong:
        raise InvalidField("url", wrong.rule, **wrong.params) from wrong
    used = Hook.objects.filter(retired_at__isnull=True)
    if used.filter(url=url).exists():
        raise InvalidField("url", KNOWN_URL)
    if used.count() >= MOST_HOOKS:
        raise InvalidField("name", TOO_MANY, most=MOST_HOOKS)
    row = Hook.objects.create(name=name, url=url, sealed=sealed, since=at)
    fields = {"name": (None, name), "url": (None, url), "secret": (None, records.HIDDEN)}
    records.note_change(HOOK, row.pk, "add", by=by, at=at, fields=fields)
    return row


@transaction.atomic
def retire_hook(hook: Hook, *, by: Person, at: datetime, why: str) -> None:
    """It is told nothing any more, also not what still waits; its secret is forgotten. Raises
    InvalidField."""
    why = _text("why", why, 500)
    if Hook.objects.filter(pk=hook.pk, retired_at__isnull=True).update(retired_at=at, sealed=""):
        hook.deliveries.filter(state=HookState.WAITING).update(state=HookState.STOPPED, done_at=at)
        records.note_change(HOOK, hook.pk, "retire", by=by, at=at, why=why)


def announce(kind: HookKind, facts: Mapping[str, object], at: datetime) -> list[HookDelivery]:
    """Tell every webhook in use, in the transaction of what happened. `facts`: ids and codes."""
    return [
        _enqueue(HookDelivery(hook=hook, kind=kind, facts=dict(facts), at=at, next_at=at))
        for hook in Hook.objects.filter(retired_at__isnull=True)
    ]


def _enqueue(row: HookDelivery) -> HookDelivery:
    row.save()
    app.configure_task(DELIVER, queue="mail").defer(delivery_id=row.pk)
    return row


def ping(hook: Hook, *, at: datetime) -> HookDelivery:
    """A message that says nothing, to try a webhook; whoever asked for it sends it."""
    return HookDelivery.objects.create(hook=hook, kind=HookKind.PING, at=at, next_at=at)


def waiting(now: datetime) -> models.QuerySet[HookDelivery]:
    """Messages that are to be sent now, and those that a killed worker was sending. A trial is
    sent once, by who asked for it."""
    due = HookDelivery.objects.filter(state=HookState.WAITING, next_at__lte=now)
    return due.exclude(kind=HookKind.PING)


@transaction.atomic
def claim(delivery_id: int, now: datetime) -> HookDelivery | None:
    """Take a message for sending, which the next tries must know of before the other side does;
    None where there is nothing to send now."""
    rows = HookDelivery.objects.select_for_update(of=("self",)).select_related("hook")
    row = rows.filter(pk=delivery_id, state=HookState.WAITING, next_at__lte=now).first()
    if row is None:
        return None
    row.tries, row.next_at = row.tries + 1, now + LEASE
    row.save(update_fields=["tries", "next_at"])
    return row


def mark_taken(delivery: HookDelivery, status: int, at: datetime) -> None:
    """The other side took it."""
    delivery.status, delivery.error = status, ""
    delivery.state, delivery.done_at = HookState.TAKEN, at
    _keep(delivery, "status", "error", "state", "done_at")


@transaction.atomic
def mark_not_taken(delivery: HookDelivery, status: int | None, error: str, at: datetime) -> None:
    """The other side did not take it: later again, and after days given up, visible."""
    delivery.status, delivery.error = status, error[:200]
    again = next_try(delivery.at, delivery.tries, at) if delivery.kind != HookKind.PING else None
    if again is None:
        delivery.state, delivery.done_at = HookState.FAILED, at
    else:
        delivery.next_at = again
    kept = _keep(delivery, "status", "error", "state", "done_at", "next_at")
    if kept and again is not None:
        seconds = max(1, int((again - at).total_seconds()))
        later = app.configure_task(DELIVER, queue="mail", schedule_in={"seconds": seconds})
        later.defer(delivery_id=delivery.pk)


def _keep(delivery: HookDelivery, *names: str) -> bool:
    """Whether it was still waiting: a webhook retired meanwhile has stopped it."""
    rows = HookDelivery.objects.filter(pk=delivery.pk, state=HookState.WAITING)
    return bool(rows.update(**{name: getattr(delivery, name) for name in names}))
