"""The parameters of a policy version: every number of the policy, none of them in code (P07).

A case keeps the parameters it was bound to for life. A parameter added later must default to what
was done before it existed, because older versions are read without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from .fields import N_, NOT_A_TYPE, InvalidField, require_int
from .priority import DEFAULT_MATRIX, Matrix

MOST_DAYS = 365
MOST_MINUTES = 60_000

DAY_END_FIXED = N_("must be 24:00: a legal day ends at its end")
BEFORE_CANCELLATION = N_("must come before the cancellation (day %(limit)s), not %(value)s")
DAYS_DESCENDING = N_("must fall from one reminder to the next")
DAYS_ASCENDING = N_("must rise from one reminder to the next")
PERCENTS_ASCENDING = N_("must rise from one warning to the next")
BEFORE_THE_TERM = N_("must be fewer days than the term has (%(limit)s), not %(value)s")
BEFORE_ESCALATION = N_("must come before the escalation (day %(limit)s), not %(value)s")
UNKNOWN_PARAMETER = N_("is not a parameter of a policy version")

_DAYS = (
    "acceptance_days",
    "correction_days",
    "proposal_revision_days",
    "warranty_days",
    "claim_correction_days",
    "approval_escalates_after_days",
    "satisfaction_days",
)
_SWITCHES = (
    "warranty_rolls",
    "corrected_needs_explicit",
    "any_comment_excludes_silence",
    "diagnosis_billed_without_confirmation",
)
_REMINDERS = ("approval_reminder_days", "wait_reminder_days")
_LISTS = {
    "reminder_days_before": "list of days",
    "owner_reminder_days_before": "list of days",
    "approval_reminder_days": "list of days",
    "wait_reminder_days": "list of days",
    "target_warning_percents": "list of percents",
}
_OPTIONAL = frozenset({"owner_reminder_days_before"})  # may be None


@dataclass(frozen=True)
class WindowReminder:
    """So many business days before a window ends, and who is told: the customer's users, their
    service owner."""

    days: int
    user: bool
    owner: bool


@dataclass(frozen=True)
class PolicyParameters:
    """All parameters of a policy version. Days are business days, warranty_days calendar days.

    Raises InvalidField naming the parameter and its rule.

    acceptance_days: to accept or reject a deliverable or an estimate (P24)
    correction_days: the firm's, to answer a rejected version (P26)
    proposal_revision_days: the firm's, to answer a rejected proposal (P26)
    warranty_days, warranty_rolls: from delivery; to the next business day when it ends on a day
        off (P27)
    claim_correction_days: the firm's, to fix a covered claim (P27)
    corrected_needs_explicit: silence does not accept a corrected version (P26)
    any_comment_excludes_silence: any comment in the window, not only an objection (P24)
    authorization_lapses_after_days: an accepted proposal nobody authorised; None, never (P19)
    reminder_days_before: business days before the end of an acceptance window (P24)
    owner_reminder_days_before: the same for the service owner; None, together with the user from
        the second reminder on (P24)
    approval_reminder_days, approval_escalates_after_days: after asking to approve time or
        billing; then the service owner is told (P30)
    wait_reminder_days: after a question to the customer: the first reminds its addressee, the
        others the service owner as well. Older versions had those of approval (P13)
    wait_cancel_days: after which a question without any word of the customer's cancels the case,
        while nothing has been proposed; None, never (P13)
    target_warning_percents: parts of a committed time after which the firm's people are warned;
        from the second on it is escalated. At the whole of it the miss is noted (P05, P21). They
        bind nobody and are the firm's own affair: older versions have them as well
    priority_matrix: P21
    emergency_cap_minutes: of work authorised in an emergency, before its estimate (P19)
    time_rounding_minutes: billed minutes are rounded up to a multiple of it
    diagnosis_billed_without_confirmation: of a case opened by support or a monitor (P18)
    day_ends_at: fixed, printed with every term
    satisfaction_days: to answer the question asked at closing (P02)
    """

    acceptance_days: int = 5
    correction_days: int = 5
    proposal_revision_days: int = 5
    warranty_days: int = 15
    warranty_rolls: bool = True
    claim_correction_days: int = 5
    corrected_needs_explicit: bool = True
    any_comment_excludes_silence: bool = False
    authorization_lapses_after_days: int | None = None
    reminder_days_before: tuple[int, ...] = (2, 1)
    owner_reminder_days_before: tuple[int, ...] | None = None
    approval_reminder_days: tuple[int, ...] = (2, 4)
    approval_escalates_after_days: int = 5
    wait_reminder_days: tuple[int, ...] = (2, 4)
    wait_cancel_days: int | None = None
    target_warning_percents: tuple[int, ...] = (50, 75)
    priority_matrix: Matrix = DEFAULT_MATRIX
    emergency_cap_minutes: int = 480
    time_rounding_minutes: int = 15
    diagnosis_billed_without_confirmation: bool = False
    day_ends_at: str = "24:00"
    satisfaction_days: int = 10

    def __post_init__(self) -> None:
        for name in _DAYS:
            require_int(name, getattr(self, name), 1, MOST_DAYS)
        lapses = self.authorization_lapses_after_days
        if lapses is not None:
            require_int("authorization_lapses_after_days", lapses, 1, MOST_DAYS)
        if self.wait_cancel_days is not None:
            require_int("wait_cancel_days", self.wait_cancel_days, 1, MOST_DAYS)
        for name in _SWITCHES:
            _require_type(name, getattr(self, name), bool, "true or false")
        require_int("emergency_cap_minutes", self.emergency_cap_minutes, 0, MOST_MINUTES)
        require_int("time_rounding_minutes", self.time_rounding_minutes, 1, 1440)
        _require_type("priority_matrix", self.priority_matrix, Matrix, "priority matrix")
        if self.day_ends_at != "24:00":
            raise InvalidField("day_ends_at", DAY_END_FIXED)
        self._check_reminders()
        self._check_warnings()

    def _check_reminders(self) -> None:
        for name in _REMINDERS:
            _require_type(name, getattr(self, name), tuple, "list of days")
            for value in getattr(self, name):
                require_int(name, value, 1, MOST_DAYS)
        after = self.approval_reminder_days
        self._check_days_before("reminder_days_before", self.reminder_days_before)
        if self.owner_reminder_days_before is not None:
            self._check_days_before("owner_reminder_days_before", self.owner_reminder_days_before)
        for name in ("approval_reminder_days", "wait_reminder_days"):
            if any(earlier >= later for earlier, later in pairwise(getattr(self, name))):
                raise InvalidField(name, DAYS_ASCENDING)
        for value in after:
            limit = self.approval_escalates_after_days
            _require_below("approval_reminder_days", BEFORE_ESCALATION, value, limit)
        cancels = self.wait_cancel_days
        for value in self.wait_reminder_days if cancels is not None else ():
            _require_below("wait_reminder_days", BEFORE_CANCELLATION, value, cancels or 0)

    def _check_days_before(self, name: str, days: tuple[int, ...]) -> None:
        _require_type(name, days, tuple, "list of days")
        for value in days:
            require_int(name, value, 1, MOST_DAYS)
        if any(earlier <= later for earlier, later in pairwise(days)):
            raise InvalidField(name, DAYS_DESCENDING)
        for value in days:
            _require_below(name, BEFORE_THE_TERM, value, self.acceptance_days)

    @property
    def window_reminders(self) -> tuple[WindowReminder, ...]:
        """The reminders of an acceptance window, the earliest first."""
        user, owner = self.reminder_days_before, self.owner_reminder_days_before
        owner = user[1:] if owner is None else owner
        days = sorted({*user, *owner}, reverse=True)
        return tuple(WindowReminder(day, day in user, day in owner) for day in days)

    def _check_warnings(self) -> None:
        percents = self.target_warning_percents
        _require_type("target_warning_percents", percents, tuple, "list of percents")
        for percent in percents:
            require_int("target_warning_percents", percent, 1, 99)
        if any(earlier >= later for earlier, later in pairwise(percents)):
            raise InvalidField("target_warning_percents", PERCENTS_ASCENDING)

    def to_json(self) -> dict[str, object]:
        """Plain JSON types; `from_json` gives the same parameters back."""
        plain: dict[str, object] = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in _LISTS:
            if plain[name] is not None:
                plain[name] = list(getattr(self, name))
        plain["priority_matrix"] = self.priority_matrix.to_json()
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PolicyParameters:
        """The parameters that `to_json` wrote; one that is missing has its default, one that is
        unknown is refused. Raises InvalidField."""
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = dict(data)
        for name in values:
            if name not in known:
                raise InvalidField(name, UNKNOWN_PARAMETER)
        for name, wanted in _LISTS.items():
            if name in values and not (values[name] is None and name in _OPTIONAL):
                _require_type(name, values[name], list, wanted)
                values[name] = tuple(values[name])
        if "approval_reminder_days" in values:
            values.setdefault("wait_reminder_days", values["approval_reminder_days"])
        if "priority_matrix" in values:
            _require_type("priority_matrix", values["priority_matrix"], dict, "priority matrix")
            values["priority_matrix"] = Matrix.from_json(values["priority_matrix"])
        return cls(**values)


def _require_type(name: str, value: object, wanted: type, said: str) -> None:
    if not isinstance(value, wanted):
        raise InvalidField(name, NOT_A_TYPE, wanted=said, value=repr(value))


def _require_below(name: str, rule: str, value: int, limit: int) -> None:
    if value >= limit:
        raise InvalidField(name, rule, limit=limit, value=value)


DEFAULT = PolicyParameters()
