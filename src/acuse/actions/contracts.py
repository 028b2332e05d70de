"""Contracts as the firm's managers publish them: whole, in one piece or not at all (P09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from ..models import (
    BankNews,
    CalendarVersion,
    Contract,
    ContractKind,
    ContractVersion,
    Entity,
    Environment,
    Module,
    Organisation,
    OrganisationKind,
    Person,
    PolicyVersion,
    RateVersion,
    SlaVersion,
    TableKind,
    find_bank,
)
from ..policy.contracts import Commitment, HourBank, HourlyRate, bank_alerts, version_on
from ..policy.fields import N_, InvalidField
from . import records
from .administration import (
    add_contract,
    publish_commitments,
    publish_contract,
    publish_rate_rows,
)

VERSION = "contract_version"  # subject of a Change row
EMPTY = N_("must not be empty")
NOT_A_CUSTOMER = N_("%(name)s is not a customer in use")
KNOWN = N_("%(name)s exists already")
STALE = N_("version %(number)s has been published meanwhile: look at it first")


@dataclass(frozen=True)
class NewSla:
    """A table of committed times that is published with the contract; `name` runs through its
    versions."""

    name: str
    rows: Sequence[Commitment]


@dataclass(frozen=True)
class NewRates:
    """A list of hourly rates that is published with the contract."""

    name: str
    currency: str
    rows: Sequence[HourlyRate]


@dataclass(frozen=True)
class Terms:
    """What is agreed. Nothing listed: all entities, environments or modules. sla None: no
    committed times (P22). `seen`: the newest version that whoever publishes had before them."""

    valid_from: date
    valid_until: date | None
    sla: SlaVersion | NewSla | None
    rates: RateVersion | NewRates
    calendar: CalendarVersion | None
    policy: PolicyVersion
    rounding_minutes: int = 15
    bank: HourBank | None = None
    entities: Sequence[Entity] = ()
    environments: Sequence[Environment] = ()
    modules: Sequence[Module] = ()
    seen: int = 0


@transaction.atomic
def agree(
    customer: Organisation,
    name: str,
    kind: ContractKind,
    terms: Terms,
    *,
    by: Person,
    at: datetime,
    why: str = "",
) -> ContractVersion:
    """A new contract of a customer's with its first version. Raises InvalidField."""
    plain = " ".join(name.split())[:100]
    if not plain:
        raise InvalidField("name", EMPTY)
    if customer.kind != OrganisationKind.CUSTOMER or not customer.active:
        raise InvalidField("name", NOT_A_CUSTOMER, name=customer.name)
    if Contract.objects.filter(organisation=customer, name__iexact=plain).exists():
        raise InvalidField("name", KNOWN, name=plain)
    return publish(add_contract(customer, plain, kind), terms, by=by, at=at, why=why)


@transaction.atomic
def publish(
    contract: Contract, terms: Terms, *, by: Person, at: datetime, why: str = ""
) -> ContractVersion:
    """The next version of a contract, with the table of times and the rates that are new in it.
    Cases that run keep the version they are pinned to (P09). Raises InvalidField."""
    Contract.objects.select_for_update().get(pk=contract.pk)
    if contract.versions.count() != terms.seen:
        raise InvalidField("seen", STALE, number=contract.versions.count())
    if terms.calendar is None:
        raise InvalidField("calendar", EMPTY)
    version = publish_contract(
        contract,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        sla=_sla(terms.sla, by, at),
        rates=_rates(terms.rates, by, at),
        calendar=terms.calendar,
        policy=terms.policy,
        rounding_minutes=terms.rounding_minutes,
        bank=terms.bank,
        entities=terms.entities,
        environments=terms.environments,
        modules=terms.modules,
    )
    records.note_change(VERSION, version.pk, "publish", by=by, at=at, why=why.strip())
    return version


def _sla(wanted: SlaVersion | NewSla | None, by: Person, at: datetime) -> SlaVersion | None:
    if not isinstance(wanted, NewSla):
        return wanted
    if not wanted.name.strip():
        raise InvalidField("sla_name", EMPTY)
    version = publish_commitments(" ".join(wanted.name.split())[:100], wanted.rows)
    records.note_change(TableKind.SLA, version.pk, "publish", by=by, at=at)
    return version


def _rates(wanted: RateVersion | NewRates, by: Person, at: datetime) -> RateVersion:
    if not isinstance(wanted, NewRates):
        return wanted
    if not wanted.name.strip():
        raise InvalidField("rates_name", EMPTY)
    if not wanted.rows:
        raise InvalidField("rates", EMPTY)
    name = " ".join(wanted.name.split())[:100]
    version = publish_rate_rows(wanted.currency.strip().upper(), wanted.rows, name)
    records.note_change(TableKind.RATES, version.pk, "publish", by=by, at=at)
    return version


@transaction.atomic
def find_bank_news(at: datetime) -> list[BankNews]:
    """Note what is to be told of the hours of all contracts, each once a period: a second look
    finds nothing new. Days are those of the contract's calendar."""
    found: list[BankNews] = []
    versions: dict[int, dict[int, ContractVersion]] = {}
    rows = ContractVersion.objects.filter(contract__organisation__active=True)
    for row in rows.select_related("contract__organisation").order_by("contract", "number"):
        versions.setdefault(row.contract_id, {})[row.number] = row
    for of_one in versions.values():
        found += _news_of(of_one, at)
    return found


def _news_of(versions: Mapping[int, ContractVersion], at: datetime) -> Iterable[BankNews]:
    on = versions[max(versions)].calendar.calendar.local_day(at)
    holding = version_on([version.reach for version in versions.values()], on)
    assert holding is not None
    version = versions[holding.number]
    ended = version.valid_until is not None and version.valid_until < on
    state = None if version.valid_from > on or ended else find_bank(version, on)
    if state is None:
        return
    for kind in bank_alerts(state.bank, state.period, state.used, on):
        news, new = BankNews.objects.get_or_create(
            contract=version.contract,
            kind=kind,
            period_from=state.period.first,
            defaults={
                "version": version,
                "left": state.left,
                "last_day": state.period.last_day,
                "at": at,
            },
        )
        if new:
            yield news


@transaction.atomic
def note_news_told(news: BankNews, person: Person) -> None:
    """A mail server took the letter that tells this person."""
    row = BankNews.objects.select_for_update().get(pk=news.pk)
    row.told_to = [*row.told_to, person.pk]
    row.save(update_fields=["told_to"])


def note_news_over(news: BankNews, at: datetime) -> None:
    """Everybody whom it concerns has been told."""
    BankNews.objects.filter(pk=news.pk, told_at__isnull=True).update(told_at=at)
