"""Alarms: each sounds once, is told once to those who run the installation, and is over by itself
(mail rule 20)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection, transaction

from ..models import Address, Alarm, Person

# What comes back within this time sounds on: a mailbox that fails every other minute is one alarm.
PAUSE = timedelta(hours=1)


class Found(Protocol):
    """Something that is wrong now (queries/health.py finds it)."""

    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def detail(self) -> str: ...


@transaction.atomic
def settle(found: Iterable[Found], at: datetime) -> None:
    """Raise an alarm for what is wrong and has none, and clear those of what is wrong no more.
    Two workers that look at once come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('acuse alarms'))")
    sounding = {
        (alarm.name, alarm.about): alarm for alarm in Alarm.objects.filter(cleared_at__isnull=True)
    }
    for trouble in found:
        alarm = sounding.pop((str(trouble.name), trouble.about), None)
        if alarm is None:
            _sound(trouble, at)
        elif alarm.detail != trouble.detail:
            alarm.detail = trouble.detail
            alarm.save(update_fields=["detail"])
    for alarm in sounding.values():
        alarm.cleared_at = at
        alarm.save(update_fields=["cleared_at"])


def _sound(trouble: Found, at: datetime) -> None:
    before = Alarm.objects.filter(
        name=str(trouble.name), about=trouble.about, cleared_at__gt=at - PAUSE
    ).first()
    if before is None:
        Alarm.objects.create(
            name=str(trouble.name), about=trouble.about, detail=trouble.detail, raised_at=at
        )
    else:
        before.cleared_at, before.detail = None, trouble.detail
        before.save(update_fields=["cleared_at", "detail"])


def untold() -> list[Alarm]:
    """The alarms that sound and have not been told to everybody whom they concern."""
    return list(Alarm.objects.filter(cleared_at__isnull=True, told_at__isnull=True).order_by("pk"))


@transaction.atomic
def note_told(alarms: Iterable[Alarm], person: Person) -> None:
    """A mail server took the letter that tells this person of these alarms."""
    for alarm in alarms:
        alarm.told_to = [*alarm.told_to, person.pk]
        alarm.save(update_fields=["told_to"])


@transaction.atomic
def note_all_told(alarms: Iterable[Alarm], people: Iterable[Person], at: datetime) -> None:
    """Those of the alarms that everybody has been told of are told."""
    everybody = {person.pk for person in people}
    for alarm in alarms:
        if everybody and everybody <= set(alarm.told_to):
            alarm.told_at = at
            alarm.save(update_fields=["told_at"])


def note_unreachable(person: Person, at: datetime) -> None:
    """A mail server refused this person's address for good: it bounces."""
    Address.objects.filter(
        person=person, email__lower=person.email.lower(), bouncing_since__isnull=True
    ).update(bouncing_since=at)
