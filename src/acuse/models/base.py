"""Small things that records use: code columns held to their list, keys to rows that never change,
and erasable text."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor

from ..policy import chain


def one_of(field: str, codes: Iterable[str], name: str) -> models.CheckConstraint:
    """A constraint: the column holds one of these codes (or is empty where it may be)."""
    values = [str(code) for code in codes]
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": values}) | models.Q(**{field: ""}), name=name
    )


@functools.lru_cache(maxsize=1024)
def get_version(model: type[models.Model], pk: int) -> Any:
    """A row of a table whose rows are added and never changed, read once a process. Nobody may
    set anything on it: it is shared."""
    return model._base_manager.get(pk=pk)


class _VersionDescriptor(ForwardManyToOneDescriptor):
    def get_object(self, instance: models.Model) -> Any:
        return get_version(self.field.remote_field.model, getattr(instance, self.field.attname))


class VersionKey(models.ForeignKey):
    """A foreign key to a published version (calendar, policy, SLA table, rates)."""

    forward_related_accessor_class = _VersionDescriptor

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


def new_salt() -> bytes:
    return secrets.token_bytes(16)


class ErasableText(models.Model):
    """A person's words, kept beside the ledger and never in it.

    The ledger holds their salted hash; erasing removes words and salt, so that the hash can no
    longer be matched against guesses. `personal` names the columns that hold words.
    """

    text = models.TextField(blank=True)
    salt = models.BinaryField(default=new_salt, max_length=16)
    erased_at = models.DateTimeField(null=True, blank=True)

    personal: ClassVar[tuple[str, ...]] = ("text",)

    class Meta:
        abstract = True

    def hash_of(self, *columns: str) -> str:
        """Salted hash (hex) of the words in these columns (by default `text`), for the ledger."""
        words = [getattr(self, name) for name in columns or ("text",)]
        return chain.salted(chain.canonical(words), bytes(self.salt))

    def erase(self, at: datetime) -> None:
        """Remove the words and the salt; the row and its place stay."""
        for name in self.personal:
            setattr(self, name, "")
        self.salt, self.erased_at = b"", at
        self.save(update_fields=[*self.personal, "salt", "erased_at"])
