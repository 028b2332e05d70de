"""How far the hours of a contract have gone in a period, and what has been told of it (P09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models

from ..policy.contracts import BankAlert, HourBank, Period, period_of
from .base import one_of
from .billing import TimeEntry, TimeState
from .contracts import Contract, ContractVersion


@dataclass(frozen=True)
class BankState:
    """The hours of one version of a contract in one period, in minutes; below zero `left` is
    what went beyond them."""

    version: ContractVersion
    bank: HourBank
    period: Period
    used: int

    @property
    def left(self) -> int:
        return self.bank.minutes - self.used

    @property
    def over(self) -> int:
        """What went beyond the hours."""
        return max(0, -self.left)


def find_bank(version: ContractVersion, on: date) -> BankState | None:
    """The hours of the period that holds on a day; None where the contract has none.

    Used is what bills of the contract's cases, rounded as it bills, by its day of work: from the
    moment it is logged, unless it was replaced or waived.
    """
    bank = version.bank
    if bank is None:
        return None
    period = period_of(on, version.valid_from, version.valid_until, bank.renewal)
    return BankState(version, bank, period, _used(version.contract_id, period))


def _used(contract_id: int, period: Period) -> int:
    days: dict[str, Any] = {"work_date__gte": period.first}
    if period.last_day is not None:
        days["work_date__lte"] = period.last_day
    rows = TimeEntry.objects.current().exclude(state=TimeState.WAIVED)
    rows = rows.filter(case__contract__contract=contract_id, billable=True, **days)
    found: int | None = rows.aggregate(sum=models.Sum("billed_minutes"))["sum"]
    return found or 0


class BankNews(models.Model):
    """What is to be told, once, of the hours of a contract in one period."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="bank_news")
    kind = models.CharField(max_length=16)
    period_from = models.DateField()
    version = models.ForeignKey(ContractVersion, on_delete=models.PROTECT, related_name="+")
    left = models.IntegerField()  # minutes, when it was found
    last_day = models.DateField(null=True, blank=True)  # of the period
    at = models.DateTimeField()
    told_to = models.JSONField(default=list)  # who has a letter about it (person ids)
    told_at = models.DateTimeField(null=True, blank=True)  # when the last of them had been told

    class Meta:
        constraints = [
            one_of("kind", BankAlert, "bank_news_kind"),
            models.UniqueConstraint(
                fields=["contract", "period_from", "kind"], name="one_news_a_period"
            ),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.contract}: {self.kind}"
