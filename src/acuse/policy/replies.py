"""Reply templates: a text with a closed list of variables; and how long a reply may be taken back.

A variable is written {{number}}. What is put in its place is never read again: a subject that
says {{me}} stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from .fields import N_, InvalidField

# From pressing the button to the act: so long a reply is taken back as if it had never been sent.
PAUSE = timedelta(seconds=10)

VARIABLES: dict[str, str] = {
    "reporter": N_("the name of who reported the case"),
    "number": N_("the number of the case"),
    "subject": N_("the subject of the case"),
    "sentence": N_("where the case stands, as the customer reads it"),
    "me": N_("the name of who writes"),
    "link": N_("the address of the case"),
}

UNKNOWN_VARIABLE = N_("“%(word)s” is not one of the variables: %(known)s")
TEXT_REQUIRED = N_("must not be empty")

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def require_known(text: str) -> str:
    """The text without surrounding space. Raises InvalidField where there is none, and for the
    first variable that is not on the list, naming it."""
    words = text.strip()
    if not words:
        raise InvalidField("text", TEXT_REQUIRED)
    for name in _VARIABLE.findall(words):
        if name not in VARIABLES:
            raise InvalidField("text", UNKNOWN_VARIABLE, word=name, known=", ".join(VARIABLES))
    return words


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable replaced; one that has no value is left as it was written."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)
