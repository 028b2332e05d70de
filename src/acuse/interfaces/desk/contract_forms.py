"""The form of a contract: what is agreed, with the tables that are new in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.contracts import NewRates, NewSla, Terms
from acuse.models import (
    CalendarVersion,
    ContractVersion,
    Entity,
    Environment,
    Module,
    Organisation,
)
from acuse.policy.contracts import (
    NO_BANK,
    Beyond,
    HourBank,
    Renewal,
)
from acuse.policy.fields import InvalidField
from acuse.queries import contracts as books
from acuse.queries import words

from .table_forms import (
    PriceRows,
    TimesRows,
    add_prices,
    add_times,
    check_prices,
    known_prices,
    known_times,
    some,
    tell_row,
)

NEW = "new"
# Where a rule of the actions names a column that the form calls otherwise.
FIELDS = {
    "hour_bank_minutes": "hours",
    "alert_minutes": "alert_hours",
    "sla": "sla_name",
    "currency": "rates_currency",
    "rates": "rates_choice",
}


def _day(label: Any, **options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


def _hours(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.25"),
        max_value=Decimal(10_000),
        max_digits=7,
        decimal_places=2,
        help_text=help_text,
    )


def _ticks(rows: type[Entity | Environment | Module], label: Any) -> Any:
    return forms.ModelMultipleChoiceField(
        rows._default_manager.none(),
        label=label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: it covers all."),
    )


class ContractForm(TimesRows, PriceRows, forms.Form):
    """One version of a contract; for a new contract its name and kind too."""

    use_required_attribute = False

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Name of the contract"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"))
    valid_from = _day(_("First day"))
    valid_until = _day(
        _("Last day"), required=False, help_text=_("Left empty, it has no end agreed.")
    )
    entities: Any = _ticks(Entity, _("Entities that it covers"))
    environments: Any = _ticks(Environment, _("Environments that it covers"))
    modules: Any = _ticks(Module, _("Modules that it covers"))
    calendar = forms.ChoiceField(label=_("Calendar"))
    policy = forms.ChoiceField(label=_("Version of the policies"))
    sla_choice = forms.ChoiceField(
        label=_("Committed times"),
        required=False,
        help_text=_("Without a table its cases are Low and have no committed times (P22)."),
    )
    sla_name = forms.CharField(label=_("Name of the new table"), max_length=100, required=False)
    rates_choice = forms.ChoiceField(label=_("Rates"))
    rates_name = forms.CharField(label=_("Name of the new list"), max_length=100, required=False)
    rates_currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Three letters, as COP.")
    )
    hours = _hours(_("Hours included"), _("Left empty, the contract includes none."))
    renewal = forms.ChoiceField(label=_("The hours start anew"))
    beyond = forms.ChoiceField(label=_("Beyond the hours"))
    alert_hours = _hours(_("Warn when so many hours are left"))
    alert_days = forms.IntegerField(
        label=_("Warn so many days before they end"), min_value=1, max_value=365, required=False
    )
    rounding_minutes = forms.IntegerField(
        label=_("Time is billed in units of so many minutes"), min_value=1, max_value=1440
    )
    why = forms.CharField(label=_("Why, for the history"), max_length=500, required=False)

    def __init__(
        self, customer: Organisation, newest: ContractVersion | None, data: Any = None
    ) -> None:
        super().__init__(data, initial=_initial(newest))
        if newest is not None:
            del self.fields["name"], self.fields["kind"]
        self._rows(customer, newest)
        add_times(self)
        add_prices(self)
        none = ("", gettext("None: Low, without committed times"))
        new = (NEW, gettext("A new one, below"))
        self.slas = {str(row.pk): row for row in _with(books.sla_tables(), newest, "sla")}
        self.lists = {str(row.pk): row for row in _with(books.rate_lists(), newest, "rates")}
        self.calendars = {
            str(row.pk): row for row in _with_latest(books.newest_calendars(), newest)
        }
        self.policies = {str(row.pk): row for row in books.policies()}
        self._choices("sla_choice", [none, *_named(self.slas), new])
        rates = [(key, f"{row} ({row.currency})") for key, row in self.lists.items()]
        self._choices("rates_choice", [*rates, new])
        self._choices("calendar", [("", "—"), *_named(self.calendars)])
        self._choices("policy", _named(self.policies))
        for name, table in (
            ("kind", words.CONTRACT_KINDS),
            ("renewal", words.RENEWALS),
            ("beyond", words.BEYONDS),
        ):
            if name in self.fields:
                self._choices(name, [(str(code), gettext(text)) for code, text in table.items()])

    def _rows(self, customer: Organisation, newest: ContractVersion | None) -> None:
        lists: dict[str, QuerySet[Any]] = {
            "entities": customer.entities.order_by("name"),
            "environments": customer.environments.order_by("name"),
            "modules": Module.objects.order_by("name"),
        }
        for name, rows in lists.items():
            kept = newest.listed[name] if newest is not None else frozenset()
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = rows.filter(Q(retired_at=None) | Q(pk__in=kept))
            if not field.queryset.exists():
                del self.fields[name]

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    # For the template --------------------------------------------------------------------------

    def agreed(self) -> list[BoundField]:
        covered = ("entities", "environments", "modules")
        return some(self, "name", "kind", "valid_from", "valid_until", *covered)

    def rests_on(self) -> list[BoundField]:
        return some(self, "calendar", "policy", "rounding_minutes")

    def bank_fields(self) -> list[BoundField]:
        return some(self, "hours", "renewal", "beyond", "alert_hours", "alert_days")

    @property
    def sla_is_new(self) -> bool:
        return self["sla_choice"].value() == NEW

    @property
    def rates_are_new(self) -> bool:
        return self["rates_choice"].value() == NEW

    # For the action ----------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """What belongs together stands together."""
        given = super().clean() or {}
        if given.get("hours") is None:
            for name in ("alert_hours", "alert_days"):
                if given.get(name) is not None:
                    self.add_error(name, gettext(NO_BANK))
        check_prices(self)
        return given

    def terms(self) -> Terms:
        """What is agreed. Raises InvalidField (the hour bank)."""
        given = self.cleaned_data
        return Terms(
            valid_from=given["valid_from"],
            valid_until=given["valid_until"],
            sla=self._sla(),
            rates=self._rates(),
            calendar=self.calendars[given["calendar"]],
            policy=self.policies[given["policy"]],
            rounding_minutes=given["rounding_minutes"],
            bank=self._bank(),
            entities=list(given.get("entities", ())),
            environments=list(given.get("environments", ())),
            modules=list(given.get("modules", ())),
            seen=given["seen"] or 0,
        )

    def _sla(self) -> Any:
        given = self.cleaned_data
        if given["sla_choice"] != NEW:
            return self.slas.get(given["sla_choice"])
        return NewSla(given["sla_name"], self.times())

    def _rates(self) -> Any:
        given = self.cleaned_data
        if given["rates_choice"] != NEW:
            return self.lists[given["rates_choice"]]
        return NewRates(given["rates_name"], given["rates_currency"], self.prices())

    def _bank(self) -> HourBank | None:
        given = self.cleaned_data
        if given["hours"] is None:
            return None
        alert = given["alert_hours"]
        return HourBank(
            int(given["hours"] * 60),
            Renewal(given["renewal"]),
            Beyond(given["beyond"]),
            int(alert * 60) if alert is not None else None,
            given["alert_days"],
        )

    def blame(self, wrong: InvalidField) -> None:
        """A broken rule beside the field at fault, the row named as the page names it."""
        name = FIELDS.get(wrong.field, wrong.field)
        if wrong.field == "rates" and not self.rates_are_new:
            name = "rates_choice"
        self.add_error(name if name in self.fields and name != "seen" else None, tell_row(wrong))


def _with(rows: Iterable[Any], newest: ContractVersion | None, name: str) -> list[Any]:
    """The newest of each name, and the one that the contract rests on where it is older."""
    found = list(rows)
    own = getattr(newest, name) if newest is not None else None
    return found if own is None or own in found else [own, *found]


def _with_latest(
    rows: list[CalendarVersion], newest: ContractVersion | None
) -> list[CalendarVersion]:
    """The calendars, and the newest of the contract's own where it is no longer offered."""
    own = newest.calendar.latest() if newest is not None else None
    return rows if own is None or own in rows else [own, *rows]


def _named(rows: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key, str(row)) for key, row in rows.items()]


def _initial(newest: ContractVersion | None) -> dict[str, Any]:
    """The contract as it stands, to be changed; for a new one what is usual."""
    if newest is None:
        return {"rounding_minutes": 15, "seen": 0, "rates_currency": "COP"}
    own = {
        name: getattr(newest, name)
        for name in ("valid_from", "valid_until", "rounding_minutes", "renewal", "beyond")
    }
    latest = newest.calendar.latest()
    return {
        **own,
        **{name: list(ids) for name, ids in newest.listed.items()},
        "seen": newest.number,
        "calendar": str(latest.pk),
        "policy": str(newest.policy_id),
        "sla_choice": str(newest.sla_id or ""),
        "rates_choice": str(newest.rates_id),
        "rates_currency": newest.rates.currency,
        "rates_name": newest.rates.name,
        "sla_name": newest.sla.name if newest.sla is not None else "",
        "hours": _as_hours(newest.hour_bank_minutes),
        "alert_hours": _as_hours(newest.alert_minutes),
        "alert_days": newest.alert_days,
        **_tables(newest),
    }


def _as_hours(minutes: int | None) -> Decimal | None:
    return (Decimal(minutes) / 60).quantize(Decimal("0.01")) if minutes is not None else None


def _tables(newest: ContractVersion) -> dict[str, Any]:
    """The tables of the version, as a start for new ones."""
    times = known_times(newest.sla) if newest.sla is not None else {}
    return times | known_prices(newest.rates)
