"""The pages of the desk by name and key: for the palette, the search and the sheet of keys."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from acuse.policy.fields import N_
from acuse.policy.filters import fold


@dataclass(frozen=True)
class Place:
    """A page that one goes to: the name of its address, what it is called, and the key that goes
    there after G; "" for none."""

    page: str
    label: str
    key: str = ""

    @property
    def url(self) -> str:
        return reverse(f"desk:{self.page}")

    def __str__(self) -> str:
        return _(self.label)


PLACES = (
    Place("inbox", N_("Inbox"), "i"),
    Place("triage", N_("Triage"), "s"),
    Place("notices", N_("Notices"), "n"),
    Place("new_case", N_("New case"), "c"),
    Place("record_call", N_("Record a call")),
    Place("terms", N_("Terms"), "t"),
    Place("comments", N_("Comments"), "k"),
    Place("mails", N_("Mail"), "m"),
    Place("failures", N_("Alarms"), "a"),
    Place("day", N_("My day"), "y"),
    Place("board", N_("Board"), "b"),
    Place("my_time", N_("My time"), "h"),
    Place("customers", N_("Customers"), "u"),
    Place("people", N_("People"), "p"),
    Place("monitoring", N_("Monitoring"), "o"),
    Place("oncall", N_("On call"), "d"),
    Place("disruptions", N_("Outages")),
    Place("calendars", N_("Calendars")),
    Place("settings", N_("Settings")),
    Place("routing", N_("Routing")),
    Place("mailboxes", N_("Mailboxes")),
    Place("mail_health", N_("Mail health")),
    Place("checklists", N_("Checklists")),
    Place("reply_templates", N_("Reply templates")),
    Place("new_import", N_("Import")),
    Place("works", N_("Long work"), "w"),
    Place("filter", N_("Put a filter together"), "f"),
    Place("keys", N_("Keys")),
)


@dataclass(frozen=True)
class KeyWord:
    """What one or more keys do."""

    keys: tuple[str, ...]
    does: str


# The sheet of keys, beside those that go to a place.
SHEET: tuple[tuple[str, tuple[KeyWord, ...]], ...] = (
    (
        N_("Everywhere"),
        (
            KeyWord(("Ctrl", "K"), N_("Find a case, a person, a page or something to do")),
            KeyWord(("/",), N_("Write in the search or in the filter")),
            KeyWord(("?",), N_("This sheet")),
            KeyWord(("Esc",), N_("Close what is open")),
        ),
    ),
    (
        N_("In a list"),
        (
            KeyWord(("J",), N_("The next case")),
            KeyWord(("K",), N_("The case before")),
            KeyWord(("O",), N_("Open the case (so does Enter)")),
            KeyWord(("X",), N_("Tick the case, or take the tick away")),
            KeyWord(("B",), N_("What to do with the ticked ones")),
        ),
    ),
    (
        N_("On a case"),
        (
            KeyWord(("R",), N_("Write to the customer")),
            KeyWord(("N",), N_("Write an internal note")),
        ),
    ),
    (
        N_("In triage"),
        (
            KeyWord(("J",), N_("The next case")),
            KeyWord(("K",), N_("The case before")),
        ),
    ),
)


def matching_places(text: str) -> list[Place]:
    """The pages whose name has every word of the text, in their order; without text all."""
    words = fold(text).split()
    return [place for place in PLACES if all(word in fold(str(place)) for word in words)]
