"""What time may be logged, what of it bills, and for how much (P18, P19; life.md, "Money")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from .fields import N_, InvalidField, require_int

LONGEST_MINUTES = 10_000_000

RATE_INVALID = N_("must be a decimal number, zero or more, not %(value)s")
CURRENCY_INVALID = N_("must be three capital letters (ISO 4217), not %(value)s")

# ISO 4217: digits after the point of the currencies that do not have two.
MINOR_UNITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND")
    + ("VUV", "XAF", "XOF", "XPF"),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


class Activity(StrEnum):
    """What time is spent on."""

    DIAGNOSIS = "diagnosis"
    MEETING = "meeting"
    EXECUTION = "execution"
    CORRECTION = "correction"
    WARRANTY = "warranty"
    INTERNAL = "internal"


class Consent(StrEnum):
    """By what the customer agreed to pay for it."""

    REGISTRATION = "registration"
    AUTHORIZATION = "authorization"
    CONTRACT = "contract"
    NONE = "none"


class Opener(StrEnum):
    """Who reported the case: somebody of the customer, the firm itself, or a monitor."""

    USER = "user"
    SUPPORT = "support"
    MONITOR = "monitor"


@dataclass(frozen=True)
class CaseFacts:
    """What billing depends on.

    bound: the case belongs to a customer. confirmed: a user confirmed a case opened by the firm
    or a monitor; unconfirmed_bills: the contract or its policy bills it without. duplicate: it
    was cancelled as one; manager_reason: why it bills all the same. authorized: the customer
    authorised the work; emergency_minutes_left: of an emergency authorisation's cap, None when
    the authorisation has none. A cancellation changes nothing by itself, so it is no fact here.
    """

    bound: bool = True
    opened_by: Opener = Opener.USER
    confirmed: bool = False
    unconfirmed_bills: bool = False
    duplicate: bool = False
    manager_reason: str = ""
    authorized: bool = False
    emergency_minutes_left: int | None = None


@dataclass(frozen=True)
class Verdict:
    """Yes or no, and the code of the reason."""

    ok: bool
    reason: str

    def __bool__(self) -> bool:
        return self.ok


REASONS: dict[str, str] = {
    "registration": N_("Registering the case accepted it."),
    "authorization": N_("The customer authorised it."),
    "contract": N_("The contract accepts it."),
    "correction_never_bills": N_("Corrections are never billed."),
    "warranty_never_bills": N_("Warranty work is never billed."),
    "internal_never_bills": N_("Internal time is never billed."),
    "not_bound": N_("The case belongs to no customer yet."),
    "duplicate": N_("The case is a duplicate."),
    "not_authorized": N_("The customer has not authorised the work."),
    "not_confirmed": N_("No user of the customer has confirmed the case."),
}
"""Why time bills, or why it does not: the sentence of each reason that `billable` gives."""

_BASIS = {
    Activity.DIAGNOSIS: Consent.REGISTRATION,
    Activity.MEETING: Consent.REGISTRATION,
    Activity.EXECUTION: Consent.AUTHORIZATION,
    Activity.CORRECTION: Consent.NONE,
    Activity.WARRANTY: Consent.NONE,
    Activity.INTERNAL: Consent.NONE,
}


def consent_for(activity: Activity) -> Consent:
    """The consent that an activity needs to be billed; NONE where nothing could bill it."""
    return _BASIS[activity]


def billable(activity: Activity, facts: CaseFacts) -> Verdict:
    """Whether time on this activity bills.

    Correction, warranty and internal time never does; nothing does on an unbound case, nor on a
    duplicate without a manager's reason. Diagnosis and meetings bill by the registration even
    when the proposal is rejected or the case cancelled (P18), once a user stands behind it;
    execution by the authorisation (P19). The reason of a yes is the consent it rests on.
    """
    if consent_for(activity) is Consent.NONE:
        return Verdict(False, f"{activity}_never_bills")
    if not facts.bound:
        return Verdict(False, "not_bound")
    if facts.duplicate and not facts.manager_reason.strip():
        return Verdict(False, "duplicate")
    if activity is Activity.EXECUTION:
        if facts.authorized:
            return Verdict(True, Consent.AUTHORIZATION)
        return Verdict(False, "not_authorized")
    if facts.opened_by is Opener.USER or facts.confirmed:
        return Verdict(True, Consent.REGISTRATION)
    if facts.unconfirmed_bills:
        return Verdict(True, Consent.CONTRACT)
    return Verdict(False, "not_confirmed")


def may_log(activity: Activity, facts: CaseFacts, minutes: int = 0) -> Verdict:
    """Whether this much time may be logged: execution only once it is authorised (P19), and not
    beyond the cap of an emergency authorisation. The reason of a no is a refusal's code."""
    if activity is not Activity.EXECUTION:
        return Verdict(True, consent_for(activity))
    if not facts.authorized:
        return Verdict(False, "not_authorized")
    if facts.emergency_minutes_left is not None and minutes > facts.emergency_minutes_left:
        return Verdict(False, "emergency_cap")
    return Verdict(True, Consent.AUTHORIZATION)


def round_minutes(minutes: int, unit: int) -> int:
    """Minutes billed for minutes worked: up to the next multiple of the unit (in minutes)."""
    require_int("minutes", minutes, 0, LONGEST_MINUTES)
    require_int("unit", unit, 1, 1440)
    return -(-minutes // unit) * unit


def amount(minutes: int, hourly_rate: Decimal, currency: str) -> Decimal:
    """What minutes cost at a rate an hour, rounded half up to the currency's smallest unit.

    Computed exactly and rounded once. currency: ISO 4217 code.
    """
    require_int("minutes", minutes, 0, LONGEST_MINUTES)
    if not isinstance(hourly_rate, Decimal) or not hourly_rate.is_finite() or hourly_rate < 0:
        raise InvalidField("hourly_rate", RATE_INVALID, value=repr(hourly_rate))
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidField("currency", CURRENCY_INVALID, value=repr(currency))
    digits = MINOR_UNITS.get(currency, 2)
    units = Fraction(hourly_rate) * minutes / 60 * 10**digits
    return Decimal(f"{int(units + Fraction(1, 2))}E-{digits}")
