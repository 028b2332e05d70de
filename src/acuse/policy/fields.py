"""Bad input told by field and rule, so that a form can show it beside what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


def N_(text: str) -> str:
    """Mark a text for translation."""
    return text


NOT_A_DATE = N_("must be a date written YYYY-MM-DD, not “%(value)s”")
NOT_A_TYPE = N_("must be a %(wanted)s, not %(value)s")
NEEDS_ZONE = N_("needs its time zone")
OUT_OF_RANGE = N_("must be a whole number from %(low)s to %(high)s, not %(value)s")


class InvalidField(ValueError):
    """A value that breaks a rule.

    field: the name of the parameter at fault; rule: an English msgid with named placeholders;
    params: what the placeholders stand for. `str()` gives "field: rule", untranslated.
    """

    def __init__(self, field: str, rule: str, **params: object) -> None:
        self.field = field
        self.rule = rule
        self.params = params
        super().__init__(field, rule)

    def __str__(self) -> str:
        return f"{self.field}: {self.rule % self.params}"


def require_aware(field: str, at: datetime) -> datetime:
    """The moment itself, refused when it does not name its time zone."""
    if at.utcoffset() is None:
        raise InvalidField(field, NEEDS_ZONE)
    return at


def require_int(field: str, value: object, low: int, high: int) -> int:
    """A whole number within [low, high]; True and False are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidField(field, OUT_OF_RANGE, low=low, high=high, value=repr(value))
    return value


def find_int(text: str, most_digits: int = 18) -> int | None:
    """The whole number that an address or a form wrote in plain digits, as a key of the database
    can hold it; None for anything else. “²” is a digit to Python, and no number."""
    plain = text.isascii() and text.isdecimal() and len(text) <= most_digits
    return int(text) if plain else None


def read(data: Mapping[str, object], field: str, wanted: type[T]) -> T:
    """The value of a field of a JSON object, refused when it is missing or of another type."""
    value = data.get(field)
    if not isinstance(value, wanted):
        raise InvalidField(field, NOT_A_TYPE, wanted=wanted.__name__, value=repr(value))
    return value
