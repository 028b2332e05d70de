"""The long work that somebody asked for."""

from __future__ import annotations

from ..models import Person, Work

MOST = 50  # of a list


def list_works(person: Person) -> list[Work]:
    """What a person has asked for, the newest first."""
    return list(Work.objects.visible_to(person).order_by("-pk")[:MOST])


def get_work(person: Person, pk: int) -> Work:
    """A work that a person has asked for. Raises Work.DoesNotExist."""
    return Work.objects.visible_to(person).get(pk=pk)
