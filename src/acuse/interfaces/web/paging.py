"""The link in a letter that pages somebody: signed, so that its page knows for whom it was written.
Following it shows; only the button on the page acknowledges."""

from __future__ import annotations

from django.core.signing import BadSignature, Signer

from acuse.config import config
from acuse.models import Paging, Person

_SIGNER = Signer(salt="acuse page", sep="~")


def link(paging_id: int) -> str:
    """The address of the page about a paging, for whoever signs in."""
    return f"{config.host}/desk/oncall/pages/{paging_id}"


def link_for(paging_id: int, person: Person) -> str:
    """The same address, in a letter to this person."""
    return f"{link(paging_id)}?for={_SIGNER.sign(f'{paging_id}.{person.pk}')}"


def read_for(paging: Paging, signed: str) -> int | None:
    """The id of the person for whom a link was written; None where it was not ours, or for
    another page."""
    try:
        named, _, person = _SIGNER.unsign(signed).partition(".")
    except BadSignature:
        return None
    return int(person) if named == str(paging.pk) else None
