"""A refusal in words: what is not allowed, in which stage, who could; the same at every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from acuse.models import Person
from acuse.policy.fields import InvalidField
from acuse.policy.refusals import REASONS, Refused
from acuse.policy.stages import ACTS, Role
from acuse.queries import words


@dataclass(frozen=True)
class Told:
    """A refusal for a page: the act's name, why not, in which stage, who could."""

    act: str
    reason: str
    stage: str
    who: str


def tell(refusal: Refused, reader: Person) -> Told:
    """The refusal in the active language, its dates in the reader's time zone."""
    stage = words.stage_label(refusal.stage, firm=reader.is_firm) if refusal.stage else ""
    who = words.who_could(role for role in refusal.who if role not in _MACHINES)
    params = {name: _word(name, value, reader) for name, value in refusal.params.items()}
    reason = _(REASONS[refusal.code]) % {"stage": stage, "who": who, **params}
    act = words.act_label(refusal.act) if refusal.act in ACTS else ""
    # A reason that names the roles already need not be followed by them.
    return Told(act, reason, stage, "" if refusal.code == "not_your_role" else who)


_MACHINES = {Role.CLOCK, Role.SYSTEM, Role.MONITOR}

_TABLES: dict[str, Mapping[str, str]] = {
    "state": words.TIME_STATES | words.STATEMENT_STATES,
    "activity": words.ACTIVITIES,
    "value": words.EXCLUSIONS | words.CANCEL_REASONS,
}


def _word(name: str, value: object, reader: Person) -> object:
    if isinstance(value, datetime):
        return words.moment(value, reader.zone)
    if isinstance(value, date):
        return words.long_date(value)
    if name == "by" and value in _MACHINES:
        return _(words.ROLES[str(value)])
    table = _TABLES.get(name, {})
    return _(table[str(value)]) if str(value) in table else value


def tell_rule(invalid: InvalidField) -> str:
    """The rule that a value breaks, in the active language."""
    return _(invalid.rule) % invalid.params
