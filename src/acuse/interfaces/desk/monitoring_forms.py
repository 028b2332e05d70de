"""The forms of what is watched: checks, maintenance, sources of alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.watching import CheckFacts
from acuse.models import Check
from acuse.policy.alerts import Grouping
from acuse.policy.fields import N_
from acuse.queries.watching import KINDS
from acuse.queries.words import brief_moment

GROUPINGS = {
    Grouping.GROUP: N_("one case for what Alertmanager groups"),
    Grouping.ALERT: N_("one case for each alert"),
}


def _choices(words: dict[Any, str]) -> list[tuple[str, str]]:
    return [(str(code), gettext(text)) for code, text in words.items()]


def _number(label: Any, low: int, high: int, help_text: Any = "", **more: Any) -> Any:
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, help_text=help_text, **more
    )


class CheckForm(forms.Form):
    """What a check asks, how often, and from when on it fails."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("What is asked"))
    target = forms.CharField(
        label=_("Where"),
        max_length=500,
        help_text=_("https://erp.example.com/web/login for a page, server:port otherwise."),
    )
    every = _number(_("Every so many minutes"), 1, 1440)
    timeout = _number(_("Seconds to wait for an answer"), 1, 10)
    to_open = _number(_("Failures in a row that open a case"), 1, 20)
    to_recover = _number(_("Passes in a row that make it recovered"), 1, 20)
    latency_limit = _number(
        _("Slowest answer, in milliseconds"), 1, 10_000, _("Slower is a failure."), required=False
    )
    expected_status = _number(
        _("Expected HTTP status"), 100, 599, _("Redirects are not followed: 303 is an answer.")
    )
    expected_text = forms.CharField(
        label=_("Text that the page must contain"), required=False, max_length=200
    )
    expiry_days = _number(
        _("Days that the certificate must still be valid"), 0, 365, _("0: not looked at.")
    )

    def __init__(self, check: Check | None, data: Any = None) -> None:
        shown = check or Check()
        names = CheckFacts.__annotations__
        super().__init__(data, initial={name: getattr(shown, name) for name in names})
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = _choices(KINDS)

    def facts(self) -> CheckFacts:
        return CheckFacts(**self.cleaned_data)


class Moment(forms.DateTimeInput):
    """A date and a time of day, as browsers ask for them."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MaintenanceForm(forms.Form):
    """From when until when work on an environment is announced, in the reader's time zone."""

    use_required_attribute = False

    since = forms.DateTimeField(label=_("From"), widget=Moment())
    until = forms.DateTimeField(label=_("Until"), widget=Moment())
    reason = forms.CharField(label=_("What is done"), max_length=200)


class SourceForm(forms.Form):
    """Somebody else's monitoring that is to send us alerts."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)
    grouping = forms.ChoiceField(label=_("What becomes one case"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        grouping = self.fields["grouping"]
        assert isinstance(grouping, forms.ChoiceField)
        grouping.choices = _choices(GROUPINGS)


class Retire(forms.Form):
    """Why something is no longer used."""

    use_required_attribute = False

    why = forms.CharField(label=_("Why"), max_length=500)


def field_label(name: str) -> str:
    """What the forms call a column."""
    fields = {**SourceForm.base_fields, **MaintenanceForm.base_fields, **CheckForm.base_fields}
    return str(fields[name].label) if name in fields else gettext("Token")


def shown_value(name: str, value: object) -> str:
    """A value of a column in words, for the history; a moment in the reader's zone."""
    if name in MaintenanceForm.base_fields and name != "reason":
        return brief_moment(datetime.fromisoformat(str(value)), timezone.get_current_timezone())
    tables: dict[str, dict[Any, str]] = {"kind": KINDS, "grouping": GROUPINGS}
    words = {str(code): text for code, text in tables.get(name, {}).items()}
    return gettext(words[str(value)]) if str(value) in words else str(value)
