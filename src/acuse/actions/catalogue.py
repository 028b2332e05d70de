"""The firm's vocabulary: queues, types, modules, specialties, causes. Added, renamed, retired;
never deleted, because cases name them (P01, P14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from ..models import CaseType, Mailbox, Module, Person, Queue, RootCause, Specialty
from ..models.catalogue import Named
from ..policy.fields import N_, InvalidField
from . import records

WORDS: dict[str, type[Named]] = {
    "queue": Queue,
    "type": CaseType,
    "module": Module,
    "specialty": Specialty,
    "cause": RootCause,
}
"""Each part of the vocabulary by its code, which is also the subject of its Change rows."""

EMPTY = N_("must not be empty")
KNOWN = N_("%(name)s exists already")
MAIL_COMES = N_("mail of %(address)s goes there: choose another queue for it first")
CASES_WAIT = N_("open cases wait there (%(count)s): move them first")


@transaction.atomic
def add_word(kind: str, name: str, *, by: Person, at: datetime) -> Named:
    """A new word of the vocabulary (a key of WORDS). Its code is made of its name and never
    changes. Raises InvalidField."""
    plain = _check_name(kind, name, None)
    word = WORDS[kind]._default_manager.create(code=_free_code(kind, plain), name=plain)
    _note(kind, word, "add", by, at, {"name": (None, plain)})
    return word


@transaction.atomic
def rename_word(kind: str, word: Named, name: str, *, by: Person, at: datetime) -> None:
    """Another name for the same thing, also where it was named before. Raises InvalidField."""
    plain = _check_name(kind, name, word)
    if plain != word.name:
        fields = {"name": (word.name, plain)}
        word.name = plain
        word.save(update_fields=["name"])
        _note(kind, word, "edit", by, at, fields)


@transaction.atomic
def retire_word(kind: str, word: Named, *, by: Person, at: datetime) -> None:
    """It is not offered any more; what names it keeps it. A queue into which mail still comes, or
    in which open cases wait, is refused with InvalidField."""
    if isinstance(word, Queue):
        box = Mailbox.objects.filter(queue=word, active=True).first()
        if box is not None:
            raise InvalidField("name", MAIL_COMES, address=box.address)
        count = word.case_set.open().count()
        if count:
            raise InvalidField("name", CASES_WAIT, count=count)
    if WORDS[kind]._default_manager.filter(pk=word.pk, retired_at=None).update(retired_at=at):
        _note(kind, word, "retire", by, at)


@transaction.atomic
def restore_word(kind: str, word: Named, *, by: Person, at: datetime) -> None:
    """A retired word is offered again."""
    rows = WORDS[kind]._default_manager.filter(pk=word.pk, retired_at__isnull=False)
    if rows.update(retired_at=None):
        _note(kind, word, "restore", by, at)


def _check_name(kind: str, name: str, own: Named | None) -> str:
    plain = " ".join(name.split())[:100]
    if not plain:
        raise InvalidField("name", EMPTY)
    others = WORDS[kind]._default_manager.filter(name__iexact=plain)
    if any(row != own for row in others):
        raise InvalidField("name", KNOWN, name=plain)
    return plain


def _free_code(kind: str, name: str) -> str:
    """The name as a code, with a number where it is taken."""
    stem = slugify(name).replace("-", "_")[:36] or kind
    taken = set(WORDS[kind]._default_manager.values_list("code", flat=True))
    code, number = stem, 1
    while code in taken:
        number += 1
        code = f"{stem}_{number}"
    return code


def _note(
    kind: str,
    word: Named,
    act: str,
    by: Person,
    at: datetime,
    fields: Mapping[str, tuple[object, object]] | None = None,
) -> None:
    records.note_change(kind, word.pk, act, by=by, at=at, fields=fields)
