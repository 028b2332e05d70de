"""What lists and reply templates have in common: whose they are, their names, their end."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from ..models import Person
from ..models.kept import LONGEST_NAME, Kept
from ..policy.fields import N_, InvalidField
from . import records

NAME_REQUIRED = N_("give it a name")
TOO_LONG = N_("must have at most %(most)s characters")
NOT_YOURS = N_("only who keeps it, or for a shared one a manager, may change it")

K = TypeVar("K", bound=Kept)


def get_own(kept: K, by: Person) -> K:
    """The row, locked, for somebody who may change it. Raises InvalidField."""
    row: K = type(kept)._base_manager.select_for_update().get(pk=kept.pk)
    if not row.may_be_changed_by(by):
        raise InvalidField("name", NOT_YOURS)
    return row


@transaction.atomic
def retire(kept: K, subject: str, *, by: Person, at: datetime) -> K:
    """Take it out of use. What is retired already stays as it is. Raises InvalidField."""
    row = get_own(kept, by)
    if row.retired_at is None:
        row.retired_at = at
        row.save(update_fields=["retired_at"])
        records.note_change(subject, row.pk, "retire", by=by, at=at)
    return row


def require_name(name: str, others: QuerySet[K], taken: str) -> str:
    """The name without surplus space, which none of the `others` has; `taken`: what is said
    otherwise. Raises InvalidField."""
    plain = " ".join(name.split())
    if not plain:
        raise InvalidField("name", NAME_REQUIRED)
    if len(plain) > LONGEST_NAME:
        raise InvalidField("name", TOO_LONG, most=LONGEST_NAME)
    if others.filter(name=plain).exists():
        raise InvalidField("name", taken, name=plain)
    return plain
