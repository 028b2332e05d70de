"""The forms of what contracts rest on: committed times, rates, calendars, policies; the rows of the
first two stand in the form of a contract as well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.forms import BoundField
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.interfaces.web.forms.life import IMPACT, URGENCY
from acuse.models import RateVersion, SlaVersion, Specialty
from acuse.policy.billing import Activity
from acuse.policy.calendar import Calendar, Shift, Week
from acuse.policy.contracts import MOST_MINUTES, Commitment, HourlyRate
from acuse.policy.fields import N_, InvalidField
from acuse.policy.priority import Impact, Matrix, Priority, Urgency
from acuse.policy.versions import PolicyParameters
from acuse.queries import contracts as books
from acuse.queries import words

from .forms import PersonChoice

SPECIAL = range(1, 9)  # rows for the rates of a specialty

if TYPE_CHECKING:
    Mixin = forms.Form
else:
    Mixin = object


def some(form: forms.Form, *names: str) -> list[BoundField]:
    """Those of these fields that the form has, for a template."""
    return [form[name] for name in names if name in form.fields]


def tell_row(wrong: InvalidField) -> str:
    """The rule that a row breaks, the row named as the page names it."""
    return gettext(wrong.rule) % {key: _said(value) for key, value in wrong.params.items()}


def _said(value: object) -> object:
    if isinstance(value, date):
        return words.long_date(value)
    table = {**words.PRIORITIES, **words.ACTIVITIES}
    return gettext(table[str(value)]) if str(value) in table else value


# Committed times and rates ----------------------------------------------------------------------


def _minutes(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=MOST_MINUTES, required=False)


def _money(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=14, decimal_places=2
    )


def add_times(form: forms.Form) -> None:
    """For each priority the fields of what is committed."""
    for priority in Priority:
        form.fields[f"{priority}_response"] = _minutes(_("Minutes to the first response"))
        form.fields[f"{priority}_delivery"] = _minutes(_("Minutes to the delivery"))
        form.fields[f"{priority}_always"] = forms.BooleanField(
            label=_("Round the clock"), required=False
        )


def known_times(table: SlaVersion) -> dict[str, Any]:
    """A table as these fields hold it."""
    found: dict[str, Any] = {}
    for priority, row in table.rows.items():
        found[f"{priority}_response"] = row["response"]
        found[f"{priority}_delivery"] = row["delivery"]
        found[f"{priority}_always"] = row["round_the_clock"]
    return found


class TimesRows(Mixin):
    """What a form with the fields of `add_times` says."""

    def sla_rows(self) -> Iterator[tuple[str, list[BoundField]]]:
        for priority in Priority:
            names = [f"{priority}_{part}" for part in ("response", "delivery", "always")]
            yield gettext(words.PRIORITIES[priority]), some(self, *names)

    def times(self) -> list[Commitment]:
        given = self.cleaned_data
        return [
            Commitment(
                priority,
                given[f"{priority}_response"] or 0,
                given[f"{priority}_delivery"] or 0,
                given[f"{priority}_always"],
            )
            for priority in Priority
            if given[f"{priority}_response"] or given[f"{priority}_delivery"]
        ]


def add_prices(form: forms.Form) -> None:
    """For each activity the field of its rate, and some rows for specialties."""
    activities = [(code.value, gettext(words.ACTIVITIES[code])) for code in Activity]
    for activity in Activity:
        form.fields[f"rate_{activity}"] = _money(_("An hour"))
    for row in SPECIAL:
        form.fields[f"activity_{row}"] = forms.ChoiceField(
            label=_("Activity"), required=False, choices=[("", "—"), *activities]
        )
        form.fields[f"specialty_{row}"] = PersonChoice(
            Specialty.objects.filter(retired_at=None), label=_("Specialty"), required=False
        )
        form.fields[f"hourly_{row}"] = _money(_("An hour"))


def known_prices(rates: RateVersion) -> dict[str, Any]:
    """A list as these fields hold it."""
    found: dict[str, Any] = {}
    special = iter(SPECIAL)
    for rate in books.rates_of(rates):
        if rate.specialty_id is None:
            found[f"rate_{rate.activity}"] = rate.hourly
        elif (row := next(special, None)) is not None:
            found[f"activity_{row}"] = rate.activity
            found[f"specialty_{row}"] = rate.specialty_id
            found[f"hourly_{row}"] = rate.hourly
    return found


def check_prices(form: forms.Form) -> None:
    """Activity, specialty and rate stand together in a row."""
    given = form.cleaned_data
    for row in SPECIAL:
        parts = [given.get(f"{name}_{row}") for name in ("activity", "specialty", "hourly")]
        wanting = [part in (None, "") for part in parts]
        if any(wanting) and not all(wanting):
            form.add_error(f"hourly_{row}", _("Activity, specialty and rate go together."))


class PriceRows(Mixin):
    """What a form with the fields of `add_prices` says."""

    def rate_rows(self) -> Iterator[tuple[str, BoundField]]:
        for activity in Activity:
            yield gettext(words.ACTIVITIES[activity]), self[f"rate_{activity}"]

    def special_rows(self) -> Iterator[list[BoundField]]:
        for row in SPECIAL:
            yield some(self, f"activity_{row}", f"specialty_{row}", f"hourly_{row}")

    def prices(self) -> list[HourlyRate]:
        given = self.cleaned_data
        general = [
            HourlyRate(activity, given[f"rate_{activity}"])
            for activity in Activity
            if given[f"rate_{activity}"] is not None
        ]
        special = [
            HourlyRate(
                Activity(given[f"activity_{row}"]),
                given[f"hourly_{row}"],
                given[f"specialty_{row}"].pk,
            )
            for row in SPECIAL
            if given[f"hourly_{row}"] is not None
        ]
        return [*general, *special]


class TableForm(forms.Form):
    """What the forms of all versioned tables have: the name of a new one, the version that
    somebody had before them, and why."""

    use_required_attribute = False

    seen = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=100)

    def __init__(self, newest: Any, data: Any = None) -> None:
        self.newest = newest
        super().__init__(data, initial={"seen": getattr(newest, "number", 0), **self.known()})
        self.add()
        self.fields["why"] = forms.CharField(
            label=_("Why, for the history"), max_length=500, required=False
        )
        if newest is not None and "name" in self.fields:
            del self.fields["name"]

    def known(self) -> dict[str, Any]:
        """For a subclass: the newest version as its fields hold it."""
        return {}

    def add(self) -> None:
        """For a subclass: its own fields."""

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.newest.name if self.newest is not None else self.cleaned_data["name"]

    def blame(self, wrong: InvalidField) -> None:
        """A broken rule beside the field at fault, or above the form."""
        known = wrong.field in self.fields and wrong.field != "seen"
        self.add_error(wrong.field if known else None, tell_row(wrong))


class TimesForm(TimesRows, TableForm):
    """A version of a table of committed times."""

    def known(self) -> dict[str, Any]:
        return known_times(self.newest) if self.newest is not None else {}

    def add(self) -> None:
        add_times(self)


class PricesForm(PriceRows, TableForm):
    """A version of a list of rates."""

    currency = forms.CharField(
        label=_("Currency"), max_length=3, initial="COP", help_text=_("Three letters, as COP.")
    )

    def known(self) -> dict[str, Any]:
        if self.newest is None:
            return {}
        return known_prices(self.newest) | {"currency": self.newest.currency}

    def add(self) -> None:
        add_prices(self)
        if self.newest is not None:
            del self.fields["currency"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        check_prices(self)
        return given


# Calendars --------------------------------------------------------------------------------------

NOT_SHIFTS = N_("“%(value)s” is not written as 08:00-12:00")


def read_shifts(text: str) -> tuple[Shift, ...]:
    """The shifts of a day, written 08:00-12:00, 14:00-18:00; nothing is a day off. Raises
    InvalidField."""
    shifts = []
    for part in re.split(r"[,;]", text):
        if not part.strip():
            continue
        found = re.fullmatch(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", part.strip())
        if found is None or int(found[2]) > 59 or int(found[4]) > 59:
            raise InvalidField("week", NOT_SHIFTS, value=part.strip())
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        shifts.append(Shift(start, end))
    return tuple(shifts)


def write_shifts(shifts: tuple[Shift, ...]) -> str:
    """The same in words."""
    return ", ".join(
        f"{shift.start // 60:02}:{shift.start % 60:02}-{shift.end // 60:02}:{shift.end % 60:02}"
        for shift in shifts
    )


class CalendarForm(TableForm):
    """The working hours of a calendar, and for a new one its zone."""

    zone = forms.ChoiceField(label=_("Time zone"), initial="America/Bogota")

    def known(self) -> dict[str, Any]:
        if self.newest is None:
            return {}
        calendar: Calendar = self.newest.calendar
        return {f"day_{n}": write_shifts(shifts) for n, shifts in enumerate(calendar.week)}

    def add(self) -> None:
        if self.newest is not None:
            del self.fields["zone"]
        else:
            field = self.fields["zone"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(zone, zone) for zone in sorted(available_timezones())]
        for number, name in WEEKDAYS.items():
            self.fields[f"day_{number}"] = forms.CharField(
                label=name,
                max_length=200,
                required=False,
                help_text=_("For example 08:00-12:00, 14:00-18:00; empty is a day off.")
                if number == 0
                else "",
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        week: list[tuple[Shift, ...]] = []
        for number in range(7):
            try:
                week.append(read_shifts(given.get(f"day_{number}", "")))
            except InvalidField as wrong:
                self.add_error(f"day_{number}", tell_row(wrong))
        given["week"] = tuple(week)
        return given

    @property
    def week(self) -> Week:
        found: Week = self.cleaned_data["week"]
        return found

    def blame(self, wrong: InvalidField) -> None:
        """A rule of one day stands beside that day."""
        day = re.fullmatch(r"week\[(\d)\]", wrong.field)
        if day is None:
            super().blame(wrong)
        else:
            params = {name: _shift(value) for name, value in wrong.params.items()}
            self.add_error(f"day_{day[1]}", gettext(wrong.rule) % params)


def _shift(value: object) -> object:
    return write_shifts((value,)) if isinstance(value, Shift) else value


# Policies ---------------------------------------------------------------------------------------

PARAMETERS: Mapping[str, str] = {
    "acceptance_days": N_("Business days to accept or reject a delivery (P24)"),
    "correction_days": N_("Business days to correct a rejected version (P26)"),
    "proposal_revision_days": N_("Business days to revise a rejected proposal (P26)"),
    "warranty_days": N_("Calendar days of warranty (P27)"),
    "warranty_rolls": N_("A warranty that ends on a day off ends on the next business day (P27)"),
    "claim_correction_days": N_("Business days to fix what the warranty covers (P27)"),
    "corrected_needs_explicit": N_("Silence does not accept a corrected version (P26)"),
    "any_comment_excludes_silence": N_("Any comment in the term excludes silence (P24)"),
    "authorization_lapses_after_days": N_(
        "Business days after which an accepted proposal lapses without authorization (P19)"
    ),
    "reminder_days_before": N_("Business days before the end of a term at which to remind (P24)"),
    "owner_reminder_days_before": N_("The same for the service owner (P24)"),
    "approval_reminder_days": N_(
        "Business days after asking to approve time or billing at which to remind (P30)"
    ),
    "approval_escalates_after_days": N_(
        "Business days after which the service owner is told of it (P30)"
    ),
    "wait_reminder_days": N_("Business days after a question at which to remind (P13)"),
    "wait_cancel_days": N_(
        "Business days after which an unanswered question cancels the case (P13)"
    ),
    "target_warning_percents": N_("Percent of a committed time at which to warn (P21)"),
    "emergency_cap_minutes": N_("Minutes of work that an emergency may authorise (P19)"),
    "time_rounding_minutes": N_("Time is billed in units of so many minutes (P18)"),
    "diagnosis_billed_without_confirmation": N_(
        "Diagnosis of a case that the firm opened bills without confirmation (P18)"
    ),
    "satisfaction_days": N_("Business days to rate a closed case (P02)"),
}
"""What each parameter is called. The matrix has fields of its own; the end of a day is fixed."""


class PolicyForm(forms.Form):
    """The next version of the policies: its text and every parameter."""

    use_required_attribute = False

    seen = forms.IntegerField(widget=forms.HiddenInput)
    in_force_from = forms.DateTimeField(
        label=_("In force from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        help_text=_("Left empty: from now on."),
    )
    text = forms.CharField(
        label=_("Text"), widget=forms.Textarea(attrs={"rows": 24}), max_length=200_000
    )

    def __init__(self, newest: Any, data: Any = None) -> None:
        rules = newest.rules if newest is not None else PolicyParameters()
        known = {name: _as_typed(getattr(rules, name)) for name in PARAMETERS}
        for (impact, urgency), priority in rules.priority_matrix.cells.items():
            known[f"{impact}-{urgency}"] = priority.value
        start = {"seen": 0, "text": ""}
        if newest is not None:
            start = {"seen": newest.number, "text": newest.text}
        super().__init__(data, initial={**start, **known})
        for item in fields(PolicyParameters):
            if item.name in PARAMETERS:
                self.fields[item.name] = _field_of(str(item.type), _(PARAMETERS[item.name]))
        levels = [(priority.value, gettext(words.PRIORITIES[priority])) for priority in Priority]
        for impact in Impact:
            for urgency in Urgency:
                self.fields[f"{impact}-{urgency}"] = forms.ChoiceField(
                    label=gettext(URGENCY[urgency]), choices=levels
                )
        self.fields["why"] = forms.CharField(
            label=_("Why, for the history"), max_length=500, required=False
        )

    def whole(self) -> list[BoundField]:
        return some(self, "in_force_from", "text")

    def parameters(self) -> list[BoundField]:
        return some(self, *PARAMETERS)

    def matrix(self) -> Iterator[tuple[str, list[BoundField]]]:
        for impact in Impact:
            names = [f"{impact}-{urgency}" for urgency in Urgency]
            yield gettext(IMPACT[impact]), some(self, *names)

    def rules(self) -> PolicyParameters:
        """The parameters. Raises InvalidField."""
        given = self.cleaned_data
        cells = {
            (impact, urgency): Priority(given[f"{impact}-{urgency}"])
            for impact in Impact
            for urgency in Urgency
        }
        named = {name: given[name] for name in PARAMETERS if name in given}
        return PolicyParameters(**named, priority_matrix=Matrix(cells))

    def blame(self, wrong: InvalidField) -> None:
        """A broken rule beside the parameter at fault, or above the form."""
        known = wrong.field in self.fields and wrong.field != "seen"
        self.add_error(wrong.field if known else None, tell_row(wrong))

    def from_when(self, now: datetime) -> datetime:
        """When it is to be in force."""
        return self.cleaned_data["in_force_from"] or now


class _Numbers(forms.CharField):
    """Whole numbers with commas between them; left empty it is none, or nothing said."""

    def __init__(self, *, or_none: bool, **options: Any) -> None:
        self.or_none = or_none
        super().__init__(required=False, max_length=100, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.strip():
            return None if self.or_none else ()
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isdecimal() and len(part) < 6 for part in parts):
            raise forms.ValidationError(_("Whole numbers with commas between them, as 2, 1."))
        return tuple(int(part) for part in parts)


def _field_of(kind: str, label: Any) -> forms.Field:
    """The field of a parameter by its type, as the dataclass writes it."""
    optional = kind.endswith("| None")
    if kind == "bool":
        return forms.BooleanField(label=label, required=False)
    if kind.startswith("tuple"):
        return _Numbers(label=label, or_none=optional)
    return forms.IntegerField(label=label, required=not optional)


def _as_typed(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
