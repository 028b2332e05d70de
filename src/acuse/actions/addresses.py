"""Mail addresses of people: one that no longer takes mail, and one that takes it again (P11)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ..models import Address, Person
from ..policy.fields import N_, InvalidField
from . import records
from .administration import PERSON

WHY = N_("must say why mail reaches it again")


@transaction.atomic
def clear_bouncing(address: Address, *, by: Person, at: datetime, why: str) -> None:
    """Somebody at the firm says that mail reaches an address again, and why; one that was not
    bouncing stays as it is. Raises InvalidField without a reason."""
    if not why.strip():
        raise InvalidField("why", WHY)
    row = Address.objects.select_for_update().get(pk=address.pk)
    if row.bouncing_since is None:
        return
    since = row.bouncing_since.isoformat()
    row.bouncing_since = None
    row.save(update_fields=["bouncing_since"])
    fields = {"email": (row.email, row.email), "bouncing_since": (since, None)}
    records.note_change(
        PERSON, row.person_id, "clear_bouncing", by=by, at=at, why=why.strip(), fields=fields
    )
