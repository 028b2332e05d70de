"""The manager's board: the load of people and queues, the terms at risk, what stands still."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from acuse.interfaces.desk.inbox import language
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import person_of
from acuse.policy import filters
from acuse.policy.quiet import QUIET_DAYS
from acuse.policy.stages import Role
from acuse.queries.board import MEASURES, Cell, Line, read_board
from acuse.queries.lexicon import read_lexicon

from .pages import for_roles, show

Shown = tuple[str, list[tuple[Cell, str]]]


@for_roles(Role.MANAGER, Role.SPOC, Role.SUPPORT)
def board(request: HttpRequest) -> HttpResponse:
    """All open cases by person and by queue; each number leads to its list in the inbox."""
    person, now = person_of(request), clock.now()
    found = read_board(person, now, read_lexicon(person))
    return show(
        request,
        "board",
        current="board",
        columns=[_(label) for label, _terms in MEASURES.values()],
        whole=_shown(found.whole, ""),
        tables=[
            (_("By person"), _("Person"), [_shown(line, _("Nobody")) for line in found.people]),
            (_("By queue"), _("Queue"), [_shown(line, _("No queue")) for line in found.queues]),
        ],
        terms=found.terms,
        quiet_days=QUIET_DAYS,
    )


def _shown(line: Line, none: str) -> Shown:
    """A line with the address of each number's list; `none`: what those are called without."""
    label = none if line.nobody else _("Others") if line.others else line.label
    return label, [(cell, _address(cell)) for cell in line.cells]


def _address(cell: Cell) -> str:
    asked = urlencode({"q": filters.write(cell.query, language())})
    return f"{reverse('desk:inbox')}?{asked}"
