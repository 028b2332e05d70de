"""What somebody is to a case. The right to an act is a column of the stage table; this says in
which of its roles a person stands there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from ..policy.authors import Author, AuthorKind, Channel
from ..policy.stages import CUSTOMER_ROLES, DECIDING, Role
from .case import Case
from .people import Membership, OrganisationKind, Person, read_memberships

_MACHINES = {
    AuthorKind.CLOCK: frozenset({Role.CLOCK}),
    AuthorKind.MONITOR: frozenset({Role.MONITOR}),
    AuthorKind.SYSTEM: frozenset({Role.SYSTEM}),
}


@dataclass(frozen=True)
class ReadAuthor(Author):
    """An author whose record has just been read, in the transaction of the act."""

    record: Person | None = field(default=None, compare=False, repr=False)


def author(person: Person, channel: Channel) -> ReadAuthor:
    """The author of what a person does, who need not be read again for the act."""
    return ReadAuthor(AuthorKind.PERSON, channel, person.pk, record=person)


def find_author(author: Author) -> Person | None:
    """The person that an author names."""
    if isinstance(author, ReadAuthor):
        return author.record
    if author.person_id is None:
        return None
    return Person.objects.get(pk=author.person_id)


def author_roles(
    author: Author, person: Person | None, case: Case | None, at: datetime, act: str = ""
) -> set[Role]:
    """The roles of an author on a case (None: a case that is not open yet) at a moment. For an
    act of this name also those of a decision that was passed on to them."""
    if person is None:
        return set(_MACHINES.get(author.kind, ()))
    roles = roles_on(case, person, at)
    if case is None or not roles or not any(act in acts for acts in DECIDING.values()):
        return roles
    return roles | passed_on(case, person).get(act, frozenset())


def roles_on(case: Case | None, person: Person, at: datetime) -> set[Role]:
    """The roles of a person on a case at a moment. Nobody stands on both sides: whoever belongs
    to the firm is nothing to it as a customer."""
    if not person.is_active:
        return set()
    held = person.memberships_at(at)
    firm = [m for m in held if m.organisation.kind == OrganisationKind.FIRM]
    if firm:
        return _firm_roles(case, person, firm)
    if case is None:
        return {Role.USER} if held else {Role.STRANGER}
    mine = [m for m in held if m.organisation_id == case.organisation_id]
    if not mine:
        stranger = _takes_part(case, person) and not _left(case, person, at)
        return {Role.STRANGER} if stranger else set()
    roles = {Role.USER} | {Role(m.role) for m in mine if not m.substitute}
    if any(m.substitute for m in mine) and not _has_owner(case, at):
        roles.add(Role.OWNER)
    return roles


def _firm_roles(case: Case | None, person: Person, held: list[Membership]) -> set[Role]:
    roles = {Role(m.role) for m in held}
    if Role.MANAGER in roles:
        roles.add(Role.SUPPORT)
    customer = case.organisation if case is not None else None
    if customer is not None and customer.spoc_id == person.pk:
        roles.add(Role.SPOC)
    return roles


def _takes_part(case: Case, person: Person) -> bool:
    return case.reporter_id == person.pk or (
        case.watchers.filter(person=person, until__isnull=True).exists()
    )


def _has_owner(case: Case, at: datetime) -> bool:
    return (
        Membership.objects.in_force(at)
        .filter(
            organisation=case.organisation_id,
            role=Role.OWNER,
            substitute=False,
            person__is_active=True,
        )
        .exists()
    )


def passed_on(case: Case, person: Person) -> dict[str, frozenset[Role]]:
    """For each act that takes a decision passed on to this person: the role they take it in. It is
    theirs for that decision only, for as long as it is not taken back (P08, P17)."""
    found: dict[str, frozenset[Role]] = {}
    for row in case.delegations.all():
        if row.to_id != person.pk or row.ended_at is not None:
            continue
        for act in DECIDING[row.decision]:
            found[act] = found.get(act, frozenset()) | {Role(row.role)}
    return found


def owners_of(case: Case, at: datetime) -> list[Person]:
    """The customer's service owners at that moment, or without one their substitutes."""
    held = list(
        Membership.objects.in_force(at)
        .filter(organisation=case.organisation_id, role=Role.OWNER, person__is_active=True)
        .select_related("person")
    )
    named = [m.person for m in held if not m.substitute]
    return named or [m.person for m in held]


def who_left(case: Case, people: Collection[Person], at: datetime) -> set[int]:
    """Those of these people (ids) who once belonged to the case's customer or to the firm and no
    longer do: what they took part in is not theirs any more."""
    read_memberships(people)
    return {person.pk for person in people if _left(case, person, at)}


def _left(case: Case, person: Person, at: datetime) -> bool:
    once = [
        held
        for held in person.all_memberships()
        if held.organisation_id == case.organisation_id
        or held.organisation.kind == OrganisationKind.FIRM
    ]
    return bool(once) and not any(held.holds(at) for held in once)


def holders_of(role: Role, at: datetime) -> list[Person]:
    """Everybody who holds this role at that moment."""
    held = Membership.objects.in_force(at).filter(role=role).select_related("person")
    return [membership.person for membership in held]


def of_level(level: str, at: datetime) -> list[Person]:
    """The active people of support at this level (n1, n2, n3) at that moment (P05)."""
    held = Membership.objects.in_force(at).filter(
        role=Role.SUPPORT, level=level, person__is_active=True
    )
    return [membership.person for membership in held.select_related("person")]


def is_customer_side(roles: set[Role] | frozenset[Role]) -> bool:
    return bool(roles & CUSTOMER_ROLES)
