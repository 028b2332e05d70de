"""The names that the desk's lists know: customers, the firm's people, queues, types, modules,
specialties; all of them read in one query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    BooleanField,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from ..models import (
    CalendarVersion,
    CaseType,
    Membership,
    Module,
    Organisation,
    OrganisationKind,
    Person,
    Queue,
    Specialty,
)
from ..policy.filters import fold
from ..policy.stages import Role

_ASSIGNABLE = (Role.SUPPORT, Role.CONSULTANT, Role.MANAGER)
_WORDS: dict[str, type[Any]] = {
    "queue": Queue,
    "type": CaseType,
    "module": Module,
    "specialty": Specialty,
}


@dataclass
class Lexicon:
    """Names by key of policy/filters.py and id, sorted by name; `retired` those (key, id) that are
    no longer offered to choose from."""

    names: dict[str, dict[int, str]] = field(default_factory=dict)
    retired: set[tuple[str, int]] = field(default_factory=set)

    def of(self, key: str) -> dict[int, str]:
        """The names of one key by their ids."""
        return self.names.get(key, {})

    def in_use(self, key: str) -> list[tuple[int, str]]:
        """Those to choose from, by name."""
        found = self.of(key).items()
        return [(pk, name) for pk, name in found if (key, pk) not in self.retired]


def read_lexicon(person: Person) -> Lexicon:
    """The names that this person may know: one query. Nobody but the firm asks for the firm's
    people and words."""
    rows = _customers(person)
    if person.is_firm:
        rows = rows.union(_people(), _calendars(), *(_words(key) for key in _WORDS), all=True)
    lexicon = Lexicon()
    for row in sorted(rows, key=lambda row: (fold(row["label"]), row["id"])):
        lexicon.names.setdefault(row["key"], {})[row["id"]] = row["label"]
        if row["gone"]:
            lexicon.retired.add((row["key"], row["id"]))
    return lexicon


def _rows(found: QuerySet[Any], key: str, label: Any, gone: Any) -> QuerySet[Any]:
    named = found.order_by().annotate(
        key=Value(key, output_field=CharField()), label=Cast(label, CharField()), gone=gone
    )
    return named.values("id", "key", "label", "gone")


def _customers(person: Person) -> QuerySet[Any]:
    found = Organisation.objects.visible_to(person).filter(kind=OrganisationKind.CUSTOMER)
    return _rows(found, "customer", F("name"), ~_true("active"))


def _people() -> QuerySet[Any]:
    """Whoever can be assigned a case, and who once could: cases of theirs are still looked for."""
    held = Membership.objects.filter(organisation__kind=OrganisationKind.FIRM, role__in=_ASSIGNABLE)
    running = held.filter(person=OuterRef("pk"), until__isnull=True)
    return _rows(
        Person.objects.filter(pk__in=held.values("person")),
        "assignee",
        Coalesce(NullIf(F("name"), Value("")), F("email")),
        ExpressionWrapper(Q(is_active=False) | ~Q(Exists(running)), BooleanField()),
    )


def _calendars() -> QuerySet[Any]:
    """Every version: nobody writes their names in a filter, but `without:movement` reads them."""
    never = Value(False, output_field=BooleanField())
    return _rows(CalendarVersion.objects.all(), "calendar", F("name"), never)


def _words(key: str) -> QuerySet[Any]:
    return _rows(_WORDS[key]._default_manager.all(), key, F("name"), ~_true("retired_at__isnull"))


def _true(lookup: str) -> Any:
    return ExpressionWrapper(Q(**{lookup: True}), BooleanField())
