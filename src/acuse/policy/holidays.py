"""Where a new calendar takes its holidays from. A source to be reviewed, never the live calendar.

The rows are copied into a calendar version once, edited and reviewed by a manager, and frozen:
a later edition of the library changes nothing that has been promised (P24, P27).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from .fields import N_, InvalidField

UNKNOWN_COUNTRY = N_("“%(value)s” is not a country whose holidays are known")


def public_holidays(country: str, years: Iterable[int], language: str) -> dict[date, str]:
    """The public holidays of a country (ISO 3166 code) in those years, in order, by name.

    Two holidays on one day give one row with both names. Raises InvalidField for a country
    that the source does not know.
    """
    # Loaded only when a calendar is made: it is large, and every process imports the rulebook.
    import holidays

    wanted = sorted(set(years))
    if not wanted:
        return {}
    try:
        found = holidays.country_holidays(country, years=wanted, language=language)
    except NotImplementedError as unknown:
        raise InvalidField("country", UNKNOWN_COUNTRY, value=country) from unknown
    return {day: found[day] for day in sorted(found)}


def colombian_holidays(years: Iterable[int]) -> dict[date, str]:
    """Colombia's public holidays with their Spanish names; 19 a year since 2026 (Ley 2578)."""
    return public_holidays("CO", years, "es")
