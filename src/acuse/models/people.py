"""People, their addresses, the organisations they belong to and what they are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now

from ..policy.stages import Role
from . import sql
from .base import one_of

models.EmailField.register_lookup(Lower)  # email__lower: by the index, as email__iexact is not


class Language(StrEnum):
    SPANISH = "es"
    ENGLISH = "en"
    PORTUGUESE = "pt"


class OrganisationKind(StrEnum):
    FIRM = "firm"
    CUSTOMER = "customer"


class Level(StrEnum):
    """Support levels (P05)."""

    N1 = "n1"
    N2 = "n2"
    N3 = "n3"


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, person: Person) -> Self:
        """The firm sees everybody; a customer's person sees colleagues and the firm's people."""
        if person.is_firm:
            return self
        return self.filter(
            models.Q(pk=person.pk)
            | models.Q(memberships__organisation__in=person.organisation_ids())
            | models.Q(memberships__organisation__kind=OrganisationKind.FIRM)
        ).distinct()


class PersonStore(BaseUserManager["Person"]):
    def get_queryset(self) -> PersonQuerySet:
        return PersonQuerySet(self.model, using=self._db)

    def visible_to(self, person: Person) -> PersonQuerySet:
        return self.get_queryset().visible_to(person)

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__lower=(username or "").lower())


class Person(AbstractBaseUser):
    """Somebody known to the firm. Whoever can read mail at a verified address can sign in."""

    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=2, default=Language.SPANISH)
    zone = models.CharField(max_length=64, default="America/Bogota")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    _memberships: list[Membership]
    _read_at: datetime  # the database's time when they were read

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = PersonStore()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_an_email"),
            one_of("language", Language, "person_language"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def memberships_at(self, at: datetime) -> list[Membership]:
        """Memberships in force at a moment."""
        return [held for held in self.all_memberships() if held.holds(at)]

    def active_memberships(self) -> list[Membership]:
        """Memberships in force when this person's were read, by the database's clock."""
        return [held for held in self.all_memberships() if held.holds(self._read_at)]

    def all_memberships(self) -> list[Membership]:
        """Every membership ever, read once for each loaded person (a request, an act)."""
        read_memberships([self])
        return self._memberships

    def _hold(self, held: Membership, organisation: Organisation, read_at: datetime) -> None:
        held.organisation = organisation
        self._memberships.append(held)
        self._read_at = read_at

    @property
    def is_firm(self) -> bool:
        return any(m.organisation.kind == OrganisationKind.FIRM for m in self.active_memberships())

    @property
    def is_administrator(self) -> bool:
        return any(m.role == Role.ADMINISTRATOR for m in self.active_memberships())

    @property
    def is_manager(self) -> bool:
        return any(m.role == Role.MANAGER for m in self.active_memberships())

    def customers(self) -> list[Organisation]:
        """The customers that this person belongs to, once for each role; none for the firm's
        people."""
        held = self.active_memberships()
        return [m.organisation for m in held if m.organisation.kind == OrganisationKind.CUSTOMER]

    def organisation_ids(self) -> list[int]:
        """The ids of `customers`."""
        return [customer.pk for customer in self.customers()]


def read_memberships(people: Iterable[Person]) -> None:
    """Read at once the memberships of those whose memberships have not been read yet."""
    unread = {person.pk: person for person in people if not hasattr(person, "_memberships")}
    if not unread:
        return
    rows = sql.read(
        "from acuse_membership m join acuse_organisation o on o.id = m.organisation_id"
        " where m.person_id = any(%s)",
        [list(unread)],
        "statement_timestamp()",
        m=Membership,
        o=Organisation,
    )
    for person in unread.values():
        person._memberships = []
    for held, organisation, read_at in rows:
        unread[held.person_id]._hold(held, organisation, read_at)


def _read_people(condition: str, value: object) -> list[Person]:
    """Those people with their memberships, in one statement."""
    rows = sql.read(
        "from acuse_person p left join acuse_membership m on m.person_id = p.id"
        f" left join acuse_organisation o on o.id = m.organisation_id where {condition}",
        [value],
        "statement_timestamp()",
        p=Person,
        m=Membership,
        o=Organisation,
    )
    found: dict[int, Person] = {}
    for row, held, organisation, read_at in rows:
        person = found.setdefault(row.pk, row)
        if person is row:
            person._memberships = []
        if held is not None:
            person._hold(held, organisation, read_at)
    return list(found.values())


class Address(models.Model):
    """A mail address of a person: whether it has been proven, and whether it bounces."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="addresses")
    email = models.EmailField(max_length=254)
    verified_at = models.DateTimeField(null=True, blank=True)
    bouncing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_address")]

    def __str__(self) -> str:
        return self.email


def find_person(email: str) -> Person | None:
    """Who writes from an address, in any letter case."""
    owner = "p.id in (select person_id from acuse_address where lower(email) = %s)"
    return next(iter(_read_people(owner, email.strip().lower())), None)


def get_people(ids: Collection[int]) -> list[Person]:
    """These people, with what they are."""
    return _read_people("p.id = any(%s)", list(ids)) if ids else []


def get_person(pk: int) -> Person:
    """A person by id, with what they are. Raises Person.DoesNotExist."""
    for person in _read_people("p.id = %s", pk):
        return person
    raise Person.DoesNotExist(pk)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, person: Person) -> Self:
        return self if person.is_firm else self.filter(pk__in=person.organisation_ids())


class Organisation(models.Model):
    """The firm itself (one an installation) or one of its customers."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, default=OrganisationKind.CUSTOMER)
    spoc = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="spoc_of"
    )
    language = models.CharField(max_length=2, default=Language.SPANISH)
    active = models.BooleanField(default=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="one_organisation_a_name"),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(kind="firm"), name="one_firm"
            ),
            one_of("kind", OrganisationKind, "organisation_kind"),
        ]

    def __str__(self) -> str:
        return self.name


class Area(models.Model):
    """A part of a customer with its own functional lead (P10)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="areas")
    name = models.CharField(max_length=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="one_area_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Entity(models.Model):
    """A legal entity of a customer, which a contract may cover."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="entities"
    )
    name = models.CharField(max_length=200)
    tax_id = models.CharField(max_length=32, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="one_entity_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self, at: datetime | None = None) -> Self:
        """Memberships that hold at this moment (by default the database's own)."""
        moment: Any = Now() if at is None else at
        return self.filter(
            models.Q(until__isnull=True) | models.Q(until__gt=moment),
            since__lte=moment,
            organisation__active=True,
        )


MEMBER_ROLES = (
    Role.USER,
    Role.LEAD,
    Role.OWNER,
    Role.SUPPORT,
    Role.CONSULTANT,
    Role.MANAGER,
    Role.ADMINISTRATOR,
)


class Membership(models.Model):
    """What a person is in an organisation, from when until when. Several are possible."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16)
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT)
    level = models.CharField(max_length=2, blank=True)
    substitute = models.BooleanField(default=False)  # a stand-in for a missing service owner
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("role", MEMBER_ROLES, "membership_role"),
            one_of("level", Level, "membership_level"),
            models.UniqueConstraint(
                fields=["person", "organisation", "role"],
                condition=models.Q(until__isnull=True),
                name="one_running_membership_a_role",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("since")),
                name="membership_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.role} · {self.organisation}"

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment; `MembershipQuerySet.in_force` says it in SQL."""
        begun = self.since <= at and (self.until is None or self.until > at)
        return begun and self.organisation.active
