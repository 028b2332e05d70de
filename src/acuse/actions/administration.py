"""Setting up the firm and its customers. Versions are added, never edited; what is in use is
ended or retired, never deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from ..journal import deadlines
from ..journal.writer import load
from ..models import (
    Address,
    Area,
    CalendarVersion,
    Case,
    Contract,
    ContractKind,
    ContractVersion,
    Deadline,
    Entity,
    Environment,
    Mailbox,
    Membership,
    Module,
    Organisation,
    OrganisationKind,
    Person,
    PolicyVersion,
    Queue,
    Rate,
    RateVersion,
    SlaVersion,
    Window,
)
from ..models.base import get_version
from ..models.people import find_person
from ..policy.billing import Activity
from ..policy.calendar import Calendar
from ..policy.contracts import (
    OVERLAPS,
    Commitment,
    HourBank,
    HourlyRate,
    Reach,
    check_commitments,
    check_rates,
    check_validity,
    find_overlap,
)
from ..policy.fields import N_, InvalidField, require_int
from ..policy.priority import Priority
from ..policy.stages import Role
from ..policy.targets import COLUMNS
from ..policy.versions import PolicyParameters
from . import records, windows
from .binding import STANDARD

FIRM_EXISTS = N_("the installation already has its firm, %(name)s")
WRONG_SIDE = N_("%(role)s is not a role in %(organisation)s")
NOT_OF_THE_FIRM = N_("%(person)s does not belong to the firm")
OTHER_AREA = N_("That area belongs to another organisation.")
NO_LEVELS = N_("Only support has levels.")
NO_SUBSTITUTE = N_("Only a service owner has a substitute.")
HELD_ALREADY = N_("%(person)s already holds this role in %(organisation)s")
OTHER_CURRENCY = N_("rates must be in %(wanted)s, not %(given)s")
OF_ANOTHER = N_("%(name)s belongs to another customer")

PERSON, CUSTOMER = "person", "customer"  # subjects of Change rows

_CUSTOMERS = frozenset({Role.USER, Role.LEAD, Role.OWNER})


def found_firm(name: str) -> Organisation:
    """The firm itself, one an installation. Raises InvalidField when there is one."""
    firm = Organisation.objects.filter(kind=OrganisationKind.FIRM).first()
    if firm is not None:
        raise InvalidField("name", FIRM_EXISTS, name=firm.name)
    return Organisation.objects.create(name=name, kind=OrganisationKind.FIRM)


def add_customer(name: str, *, spoc: Person | None = None, language: str = "es") -> Organisation:
    """A customer, with its single point of contact at the firm."""
    if spoc is not None and not spoc.is_firm:
        raise InvalidField("spoc", NOT_OF_THE_FIRM, person=str(spoc))
    return Organisation.objects.create(name=name, spoc=spoc, language=language)


def name_spoc(customer: Organisation, spoc: Person) -> None:
    """Another single point of contact for a customer, from now on."""
    if not spoc.is_firm:
        raise InvalidField("spoc", NOT_OF_THE_FIRM, person=str(spoc))
    customer.spoc = spoc
    customer.save(update_fields=["spoc"])


@transaction.atomic
def add_person(
    email: str, name: str = "", *, language: str = "es", verified_at: datetime | None = None
) -> Person:
    """Somebody by their address, found again where it is known (in any letter case)."""
    known = find_person(email)
    if known is not None:
        return known
    person = Person(email=email.strip().lower(), name=name.strip()[:200], language=language)
    person.set_unusable_password()
    person.save()
    Address.objects.create(person=person, email=person.email, verified_at=verified_at)
    return person


def set_profile(person: Person, *, name: str, language: str, zone: str) -> None:
    """What somebody says of themselves: their name, language (a code) and time zone (IANA)."""
    person.name, person.language, person.zone = name.strip()[:200], language, zone
    person.save(update_fields=["name", "language", "zone"])


@transaction.atomic
def give_role(
    person: Person,
    organisation: Organisation,
    role: Role,
    *,
    since: datetime,
    area: Area | None = None,
    level: str = "",
    substitute: bool = False,
    by: Person | None = None,
) -> Membership:
    """A person's role in an organisation from a moment on, noted where somebody gives it. Raises
    InvalidField when the role is not one of that side, is held already, or has no area, level or
    substitute."""
    if (role in _CUSTOMERS) != (organisation.kind == OrganisationKind.CUSTOMER):
        raise InvalidField("role", WRONG_SIDE, role=role, organisation=organisation.name)
    if area is not None and area.organisation_id != organisation.pk:
        raise InvalidField("area", OTHER_AREA)
    if level and role != Role.SUPPORT:
        raise InvalidField("level", NO_LEVELS)
    if substitute and role != Role.OWNER:
        raise InvalidField("substitute", NO_SUBSTITUTE)
    running = person.memberships.filter(organisation=organisation, role=role, until__isnull=True)
    if running.exists():
        raise InvalidField("role", HELD_ALREADY, person=str(person), organisation=organisation.name)
    held = Membership.objects.create(
        person=person,
        organisation=organisation,
        role=role,
        area=area,
        level=level,
        substitute=substitute,
        since=since,
    )
    if by is not None:
        _note_role(held, "give_role", by, since)
    return held


@transaction.atomic
def end_role(membership: Membership, at: datetime, by: Person | None = None) -> None:
    """End a role; what was done in it stays theirs. Noted where somebody ends it."""
    membership.until = at
    membership.save(update_fields=["until"])
    if by is not None:
        _note_role(membership, "end_role", by, at)


def _note_role(held: Membership, act: str, by: Person, at: datetime) -> None:
    """In the person's history and in the organisation's."""
    fields: dict[str, tuple[object, object]] = {
        "person": (None, str(held.person)),
        "organisation": (None, held.organisation.name),
        "role": (None, held.role),
    }
    if held.area is not None:
        fields["area"] = (None, held.area.name)
    for subject, row in ((PERSON, held.person_id), (CUSTOMER, held.organisation_id)):
        records.note_change(subject, row, act, by=by, at=at, fields=fields)


def publish_policy(text: str, rules: PolicyParameters, in_force_from: datetime) -> PolicyVersion:
    """The next version of the service policy, with its hash and all its parameters (P07)."""
    return PolicyVersion.objects.create(
        number=PolicyVersion.objects.count() + 1,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        parameters=rules.to_json(),
        in_force_from=in_force_from,
    )


@transaction.atomic
def publish_calendar(calendar: Calendar, name: str = STANDARD) -> CalendarVersion:
    """The next version of a calendar. Terms that run may get longer by it, never shorter."""
    before = CalendarVersion.objects.filter(name=name).count()
    version = CalendarVersion.objects.create(name=name, number=before + 1, data=calendar.to_json())
    running = Window.objects.filter(closed_at__isnull=True, calendar__name=name)
    committed = Deadline.objects.filter(
        fired_at__isnull=True, kind__in=COLUMNS, case__calendar__name=name
    )
    cases = {*running.values_list("case_id", flat=True)}
    cases |= {*committed.values_list("case_id", flat=True)}
    for case_id in sorted(cases):
        _compute_terms_again(case_id)
    return version


def _compute_terms_again(case_id: int) -> None:
    Case.objects.select_for_update().get(pk=case_id)
    case = load(case_id)
    for window in case.windows.filter(closed_at__isnull=True):
        windows.recompute(window)
    deadlines.replan(case, deadlines.last_moment(case))


def publish_sla(name: str, rows: Mapping[Priority, tuple[int, int, bool]]) -> SlaVersion:
    """The next version of a table of committed times: for each priority the minutes to a first
    response and to delivery, and whether they run round the clock (P21). Raises InvalidField."""
    return publish_commitments(name, [Commitment(p, *row) for p, row in rows.items()])


def publish_commitments(name: str, rows: Sequence[Commitment]) -> SlaVersion:
    """The same from rows, of which each priority has one. Raises InvalidField naming the row."""
    check_commitments(rows)
    plain = {
        row.priority.value: {
            "response": row.response,
            "delivery": row.delivery,
            "round_the_clock": row.round_the_clock,
        }
        for row in rows
    }
    number = SlaVersion.objects.filter(name=name).count() + 1
    return SlaVersion.objects.create(name=name, number=number, rows=plain)


def publish_rates(
    currency: str, hourly: Mapping[Activity, Decimal], name: str = STANDARD
) -> RateVersion:
    """The next version of a list of hourly rates, in one currency. Raises InvalidField."""
    rows = [HourlyRate(activity, rate) for activity, rate in hourly.items()]
    return publish_rate_rows(currency, rows, name)


@transaction.atomic
def publish_rate_rows(
    currency: str, rows: Sequence[HourlyRate], name: str = STANDARD
) -> RateVersion:
    """The same with rates for certain specialties. Raises InvalidField naming the row."""
    check_rates(currency, rows)
    before = RateVersion.objects.filter(name=name).order_by("number").last()
    if before is not None and before.currency != currency:
        raise InvalidField("currency", OTHER_CURRENCY, wanted=before.currency, given=currency)
    number = before.number + 1 if before is not None else 1
    version = RateVersion.objects.create(name=name, number=number, currency=currency)
    for row in rows:
        Rate.objects.create(
            version=version,
            activity=row.activity,
            hourly=row.hourly,
            specialty_id=row.specialty,
        )
    return version


def add_contract(organisation: Organisation, name: str, kind: ContractKind) -> Contract:
    return Contract.objects.create(organisation=organisation, name=name, kind=kind)


@transaction.atomic
def publish_contract(
    contract: Contract,
    *,
    valid_from: date,
    valid_until: date | None,
    rates: RateVersion,
    calendar: CalendarVersion,
    policy: PolicyVersion,
    sla: SlaVersion | None = None,
    hour_bank_minutes: int | None = None,
    rounding_minutes: int = 15,
    bank: HourBank | None = None,
    entities: Sequence[Entity] = (),
    environments: Sequence[Environment] = (),
    modules: Sequence[Module] = (),
) -> ContractVersion:
    """The next version of a contract; a running case keeps the one it is pinned to (P09).

    `hour_bank_minutes` is short for a bank that neither renews nor warns. Raises InvalidField: it
    ends before it starts, its rates are in another currency than before, what it covers is
    another customer's, or another contract of its kind could cover the same case.
    """
    # Two who publish for one customer come one after the other: neither overlaps the other.
    Organisation.objects.select_for_update().get(pk=contract.organisation_id)
    check_validity(valid_from, valid_until)
    require_int("rounding_minutes", rounding_minutes, 1, 1440)
    _check_currency(contract, rates)
    for field, covered in (("entities", entities), ("environments", environments)):
        for row in covered:
            if row.organisation_id != contract.organisation_id:
                raise InvalidField(field, OF_ANOTHER, name=row.name)
    number = contract.versions.count() + 1
    lists = {"entities": entities, "environments": environments, "modules": modules}
    reach = Reach(
        number,
        valid_from,
        valid_until,
        **{name: frozenset(row.pk for row in rows) for name, rows in lists.items()},
    )
    _check_overlaps(contract, reach)
    if bank is None and hour_bank_minutes is not None:
        bank = HourBank(hour_bank_minutes)
    version = ContractVersion.objects.create(
        contract=contract,
        number=number,
        valid_from=valid_from,
        valid_until=valid_until,
        rates=rates,
        calendar=calendar,
        policy=policy,
        sla=sla,
        rounding_minutes=rounding_minutes,
        **_bank_columns(bank),
    )
    for name, rows in lists.items():
        getattr(version, name).set(rows)
    return version


def _bank_columns(bank: HourBank | None) -> dict[str, Any]:
    if bank is None:
        return {}
    return {
        "hour_bank_minutes": bank.minutes,
        "renewal": bank.renewal,
        "beyond": bank.beyond,
        "alert_minutes": bank.alert_minutes,
        "alert_days": bank.alert_days,
    }


def _check_currency(contract: Contract, rates: RateVersion) -> None:
    before = contract.versions.order_by("number").last()
    if before is not None and before.rates.currency != rates.currency:
        wanted = before.rates.currency
        raise InvalidField("rates", OTHER_CURRENCY, wanted=wanted, given=rates.currency)


def _check_overlaps(contract: Contract, new: Reach) -> None:
    others = Contract.objects.filter(organisation=contract.organisation_id, kind=contract.kind)
    for other in others.exclude(pk=contract.pk):
        known = other.versions.order_by("number").values_list("pk", flat=True)
        first = find_overlap(new, [get_version(ContractVersion, pk).reach for pk in known])
        if first is not None:
            raise InvalidField("valid_from", OVERLAPS, contract=other.name, first=first)


def add_mailbox(
    address: str,
    name: str,
    *,
    organisation: Organisation | None = None,
    queue: Queue | None = None,
    transport: str = "listener",
    authserv_id: str = "",
) -> Mailbox:
    """An address at which the firm receives mail, for one customer or one queue (P11).
    `authserv_id`: the mail server whose verdicts on senders count (RFC 8601)."""
    return Mailbox.objects.create(
        address=address.lower(),
        name=name,
        organisation=organisation,
        queue=queue,
        transport=transport,
        authserv_id=authserv_id,
    )


def add_environment(customer: Organisation, name: str, *, url: str = "") -> Environment:
    """A system of a customer's that cases are about and monitors watch (P06)."""
    return Environment.objects.create(organisation=customer, name=name, url=url)


def add_area(customer: Organisation, name: str) -> Area:
    """A part of a customer that has a functional lead (P10), found again where it is known."""
    return Area.objects.get_or_create(organisation=customer, name=name)[0]


def add_words(model: type, words: Iterable[tuple[str, str]]) -> None:
    """Codes and names of the firm's vocabulary (modules, types, ...); known ones are left."""
    for code, name in words:
        model.objects.get_or_create(code=code, defaults={"name": name})  # type: ignore[attr-defined]
