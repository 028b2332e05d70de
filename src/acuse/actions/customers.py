"""Customers and people as the firm keeps them: added, changed, retired; never deleted (P10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from ..models import (
    Area,
    Entity,
    Environment,
    Language,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
)
from ..models.people import find_person
from ..policy.fields import N_, InvalidField
from ..policy.stages import ENDED
from . import records
from .administration import CUSTOMER, PERSON, add_person, end_role

EMPTY = N_("must not be empty")
KNOWN = N_("%(name)s exists already")
NOT_OF_THE_FIRM = N_("%(person)s does not belong to the firm")
NOT_A_LANGUAGE = N_("%(value)s is not a language that Acuse speaks")
NOT_AN_ADDRESS = N_("“%(value)s” is not a mail address")
NOT_A_URL = N_("%(value)s is not an address of the web")
OPEN_CASES = N_("it has open cases (%(count)s): they have to end first")
IS_SPOC = N_("%(person)s is the single point of contact of %(name)s: name another first")
YOURSELF = N_("nobody retires themselves")

Part = Area | Entity | Environment
# What a customer consists of, by its code; and the one column beside the name.
PARTS: dict[str, type[Part]] = {"area": Area, "entity": Entity, "environment": Environment}
DETAILS = {"area": "", "entity": "tax_id", "environment": "url"}


@dataclass(frozen=True)
class CustomerFacts:
    """What is known of a customer: its name, the language it is written to in (a code), and its
    single point of contact at the firm."""

    name: str
    language: str = "es"
    spoc: Person | None = None


@transaction.atomic
def set_up_customer(facts: CustomerFacts, *, by: Person, at: datetime) -> Organisation:
    """A new customer. Raises InvalidField."""
    checked = _check_customer(facts, None)
    customer = Organisation.objects.create(**checked)
    records.note_change(
        CUSTOMER, customer.pk, "add", by=by, at=at, fields=records.compare({}, _told(checked))
    )
    return customer


@transaction.atomic
def change_customer(
    customer: Organisation, facts: CustomerFacts, *, by: Person, at: datetime
) -> None:
    """Another name, language or single point of contact, from now on. Raises InvalidField."""
    row = Organisation.objects.select_for_update().get(
        pk=customer.pk, kind=OrganisationKind.CUSTOMER
    )
    checked = _check_customer(facts, row)
    before: dict[str, object] = {"name": row.name, "language": row.language, "spoc": row.spoc}
    fields = records.compare(_told(before), _told(checked))
    if fields:
        for name, value in checked.items():
            setattr(row, name, value)
        row.save(update_fields=list(checked))
        records.note_change(CUSTOMER, row.pk, "edit", by=by, at=at, fields=fields)


def _check_customer(facts: CustomerFacts, own: Organisation | None) -> dict[str, object]:
    name = _require_name(facts.name, 200)
    others = Organisation.objects.filter(name__iexact=name)
    if any(row != own for row in others):
        raise InvalidField("name", KNOWN, name=name)
    _require_language(facts.language)
    if facts.spoc is not None and not facts.spoc.is_firm:
        raise InvalidField("spoc", NOT_OF_THE_FIRM, person=str(facts.spoc))
    return {"name": name, "language": str(facts.language), "spoc": facts.spoc}


def _require_name(name: str, longest: int) -> str:
    plain = " ".join(name.split())[:longest]
    if not plain:
        raise InvalidField("name", EMPTY)
    return plain


def _require_language(language: str) -> None:
    if language not in [str(code) for code in Language]:
        raise InvalidField("language", NOT_A_LANGUAGE, value=language)


def _told(columns: dict[str, object]) -> dict[str, object]:
    """The columns as plain JSON, rows by their names."""
    return {
        name: str(value) if isinstance(value, Person) else value for name, value in columns.items()
    }


@transaction.atomic
def retire_customer(customer: Organisation, *, by: Person, at: datetime, why: str) -> None:
    """Its people enter no more and no new case is its; what happened stays. Raises InvalidField
    while a case of its is open."""
    if not why.strip():
        raise InvalidField("why", EMPTY)
    row = Organisation.objects.select_for_update().get(
        pk=customer.pk, kind=OrganisationKind.CUSTOMER
    )
    count = row.cases.exclude(stage__in=ENDED).count()
    if count:
        raise InvalidField("why", OPEN_CASES, count=count)
    _set_active(row, "retire", by=by, at=at, why=why, active=False)


@transaction.atomic
def restore_customer(customer: Organisation, *, by: Person, at: datetime) -> None:
    """A retired customer is one again."""
    row = Organisation.objects.select_for_update().get(pk=customer.pk)
    _set_active(row, "restore", by=by, at=at, why="", active=True)


def _set_active(
    row: Organisation, act: str, *, by: Person, at: datetime, why: str, active: bool
) -> None:
    if row.active is not active:
        row.active = active
        row.save(update_fields=["active"])
        records.note_change(CUSTOMER, row.pk, act, by=by, at=at, why=why.strip())


# Areas, entities, environments ------------------------------------------------------------------


@transaction.atomic
def add_part(
    customer: Organisation, kind: str, name: str, detail: str = "", *, by: Person, at: datetime
) -> Part:
    """An area, a legal entity or an environment of a customer. `detail`: an entity's tax number,
    an environment's address. Raises InvalidField."""
    columns = _check_part(customer, kind, name, detail, None)
    row: Part = PARTS[kind].objects.create(organisation=customer, **columns)
    _note_part(row, kind, "add", records.compare({}, columns), by, at)
    return row


@transaction.atomic
def change_part(part: Part, name: str, detail: str = "", *, by: Person, at: datetime) -> None:
    """Another name or detail. Raises InvalidField."""
    kind = kind_of(part)
    columns = _check_part(part.organisation, kind, name, detail, part)
    fields = records.compare({key: getattr(part, key) for key in columns}, columns)
    if fields:
        for key, value in columns.items():
            setattr(part, key, value)
        part.save(update_fields=list(columns))
        fields.setdefault("name", (None, part.name))  # of which one it is told
        _note_part(part, kind, "edit", fields, by, at)


def set_part_retired(part: Part, retired: bool, *, by: Person, at: datetime) -> None:
    """Whether it is still offered for new cases and contracts; those that name it keep it."""
    with transaction.atomic():
        wanted = type(part).objects.filter(pk=part.pk, retired_at__isnull=retired)
        if wanted.update(retired_at=at if retired else None):
            act = "retire" if retired else "restore"
            _note_part(part, kind_of(part), act, {"name": (None, part.name)}, by, at)


def kind_of(part: Part) -> str:
    """The code of what it is (a key of PARTS)."""
    return next(kind for kind, model in PARTS.items() if isinstance(part, model))


def _check_part(
    customer: Organisation, kind: str, name: str, detail: str, own: Part | None
) -> dict[str, str]:
    plain = _require_name(name, 100)
    others = PARTS[kind].objects.filter(organisation=customer, name__iexact=plain)
    if any(row != own for row in others):
        raise InvalidField("name", KNOWN, name=plain)
    columns, column, text = {"name": plain}, DETAILS[kind], detail.strip()
    if column == "url" and text:
        try:
            URLValidator(["http", "https"])(text)
        except ValidationError as wrong:
            raise InvalidField("detail", NOT_A_URL, value=text) from wrong
    if column:
        columns[column] = text[:200] if column == "url" else text[:32]
    return columns


def _note_part(
    part: Part,
    kind: str,
    act: str,
    fields: dict[str, tuple[object, object]],
    by: Person,
    at: datetime,
) -> None:
    note = f"{act}_{kind}"
    records.note_change(CUSTOMER, part.organisation_id, note, by=by, at=at, fields=fields)


# People -----------------------------------------------------------------------------------------


@transaction.atomic
def register_person(email: str, name: str, language: str, *, by: Person, at: datetime) -> Person:
    """Somebody by their address; whoever is known by it already is found again and left as they
    are. Raises InvalidField."""
    known = find_person(email)
    if known is not None:
        return known
    try:
        validate_email(email.strip())
    except ValidationError as wrong:
        raise InvalidField("email", NOT_AN_ADDRESS, value=email) from wrong
    _require_language(language)
    person = add_person(email, " ".join(name.split()), language=language)
    told = {"name": person.name, "email": person.email, "language": person.language}
    records.note_change(PERSON, person.pk, "add", by=by, at=at, fields=records.compare({}, told))
    return person


@transaction.atomic
def change_person(person: Person, name: str, language: str, *, by: Person, at: datetime) -> None:
    """Another name or language for somebody, as the firm knows them. Raises InvalidField."""
    after: dict[str, object] = {"name": _require_name(name, 200), "language": language}
    _require_language(language)
    fields = records.compare({"name": person.name, "language": person.language}, after)
    if fields:
        Person.objects.filter(pk=person.pk).update(**after)
        records.note_change(PERSON, person.pk, "edit", by=by, at=at, fields=fields)


@transaction.atomic
def retire_person(person: Person, *, by: Person, at: datetime, why: str) -> None:
    """Somebody enters no more and holds no role any more; what they did stays theirs. Raises
    InvalidField."""
    if not why.strip():
        raise InvalidField("why", EMPTY)
    if person.pk == by.pk:
        raise InvalidField("why", YOURSELF)
    served = Organisation.objects.filter(spoc=person, active=True).order_by("name").first()
    if served is not None:
        raise InvalidField("why", IS_SPOC, person=str(person), name=served.name)
    if Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        records.note_change(PERSON, person.pk, "retire", by=by, at=at, why=why.strip())
        for held in Membership.objects.filter(person=person, until=None):
            end_role(held, at, by)


@transaction.atomic
def restore_person(person: Person, *, by: Person, at: datetime) -> None:
    """Somebody may enter again; roles are given anew."""
    if Person.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
        records.note_change(PERSON, person.pk, "restore", by=by, at=at)
