"""Contracts to be read: every version whole, who published it, and how far its hours have gone
(P09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Prefetch, QuerySet

from ..models import (
    BankState,
    CalendarVersion,
    Change,
    Contract,
    ContractVersion,
    Person,
    PolicyVersion,
    Rate,
    RateVersion,
    RetiredTable,
    SlaVersion,
    TableKind,
    find_bank,
)
from ..policy.contracts import version_on

PERIODS = 6  # of an hour bank, the running one included


@dataclass(frozen=True)
class Published:
    """One version of a contract: what it says, who published it (None: the setting up), and
    whether it is the one that holds."""

    version: ContractVersion
    change: Change | None
    rates: list[Rate]
    holds: bool


@dataclass(frozen=True)
class ContractView:
    """A contract with all its versions, the newest first, and its hours by period."""

    contract: Contract
    versions: list[Published]
    banks: list[BankState]

    @property
    def newest(self) -> ContractVersion | None:
        return self.versions[0].version if self.versions else None


def get_contract(person: Person, pk: int, at_day: date) -> ContractView:
    """One contract as it stands on a day. Raises Contract.DoesNotExist."""
    versions = (
        ContractVersion.objects.select_related("sla", "rates", "calendar", "policy")
        .prefetch_related("entities", "environments", "modules")
        .order_by("-number")
    )
    found = Contract.objects.visible_to(person).select_related("organisation")
    contract = found.prefetch_related(Prefetch("versions", versions)).get(pk=pk)
    rows = list(contract.versions.all())
    holding = version_on([row.reach for row in rows], at_day)
    changes = {
        change.row: change
        for change in Change.objects.filter(
            subject="contract_version", row__in=[row.pk for row in rows]
        ).select_related("by")
    }
    rates: dict[int, list[Rate]] = {}
    listed = Rate.objects.filter(version__in={row.rates_id for row in rows})
    for rate in listed.select_related("specialty").order_by("pk"):
        rates.setdefault(rate.version_id, []).append(rate)
    return ContractView(
        contract,
        [
            Published(
                row,
                changes.get(row.pk),
                rates.get(row.rates_id, []),
                holding is not None and holding.number == row.number,
            )
            for row in rows
        ],
        hours_by_period(rows, at_day),
    )


def hours_by_period(versions: list[ContractVersion], on: date) -> list[BankState]:
    """The hours consumed and left in the period that holds on a day and in those before it, the
    newest first, at most PERIODS."""
    by_number = {version.number: version for version in versions}
    found: list[BankState] = []
    while len(found) < PERIODS:
        holding = version_on([version.reach for version in versions], on)
        state = None
        if holding is not None and holding.first <= on:
            state = find_bank(by_number[holding.number], on)
        if state is None:
            break
        found.append(state)
        on = state.period.first - timedelta(days=1)
    return found


def sla_tables() -> list[SlaVersion]:
    """The newest version of each table of committed times that is in use, by name."""
    rows = SlaVersion.objects.exclude(name__in=_retired(TableKind.SLA))
    return list(rows.order_by("name", "-number").distinct("name"))


def rate_lists() -> list[RateVersion]:
    """The newest version of each list of rates that is in use, by name."""
    rows = RateVersion.objects.exclude(name__in=_retired(TableKind.RATES))
    return list(rows.order_by("name", "-number").distinct("name"))


def _retired(kind: TableKind) -> QuerySet[RetiredTable, str]:
    return RetiredTable.objects.filter(kind=kind).values_list("name", flat=True)


def rates_of(version: RateVersion) -> list[Rate]:
    """What stands in a list of rates."""
    return list(version.rates.select_related("specialty").order_by("pk"))


def newest_calendars() -> list[CalendarVersion]:
    """The newest version of each calendar that is in use, by name."""
    rows = CalendarVersion.objects.exclude(name__in=_retired(TableKind.CALENDAR))
    return list(rows.order_by("name", "-number").distinct("name"))


def policies() -> list[PolicyVersion]:
    """Every version of the policies, the newest first."""
    return list(PolicyVersion.objects.order_by("-number"))
