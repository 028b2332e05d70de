"""The inbox: what a person has been told, newest first, and how much of it is unread."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Notice, Person, Work
from ..policy.fields import N_
from ..policy.notices import Group, Way
from .words import line_sentences

PAGE = 50
MOST_COUNTED = 99  # unread ones; beyond it the page says "99+"

GROUPS = {
    Group.CONVERSATION: N_("What is written on a case: comments, questions and answers"),
    Group.PROGRESS: N_("How a case goes on"),
    Group.OPENED: N_("New cases"),
    Group.FIRM: N_("What concerns the firm alone: assignments, escalations, warnings"),
}
WAYS = {
    Way.AT_ONCE: N_("By mail at once"),
    Way.HOURLY: N_("By mail in a summary every hour"),
    Way.DAILY: N_("By mail in a summary once a day"),
    Way.PORTAL: N_("Only in the portal"),
}


@dataclass(frozen=True)
class Entry:
    """One notice with its line in words."""

    notice: Notice
    sentence: str


@dataclass(frozen=True)
class InboxPage:
    """Some notices, the newest first; `older` is the place of the next page, 0 without one;
    `newest` the newest notice of all that are shown, 0 without any; `unread`: whether one of them
    has not been read."""

    entries: list[Entry]
    older: int
    newest: int
    unread: bool


def list_notices(person: Person, *, unread: bool = False, before: int = 0) -> InboxPage:
    """A page of somebody's inbox: those older than the notice `before` (0: from the newest on).
    Five queries at most, however many."""
    rows = Notice.objects.visible_to(person)
    if unread:
        rows = rows.filter(read_at__isnull=True)
    if before:
        rows = rows.filter(pk__lt=before)
    rows = rows.select_related("case", "line__author").order_by("-pk")
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    said = line_sentences(row.line for row in shown)
    return InboxPage(
        [Entry(row, said[row.line_id]) for row in shown],
        shown[-1].pk if len(found) > PAGE else 0,
        shown[0].pk if shown else 0,
        any(row.read_at is None for row in shown),
    )


def count_unread(person: Person) -> int:
    """How many notices somebody has not read, and how much of their long work has ended without
    their having looked: counted together, up to one more than MOST_COUNTED."""
    rows = Notice.objects.visible_to(person).filter(read_at__isnull=True)
    told = rows.order_by().values("pk")[: MOST_COUNTED + 1]
    ended = Work.objects.visible_to(person).unread().order_by().values("pk")
    return told.union(ended, all=True).count()


def works_ended(person: Person) -> list[Work]:
    """The long work of somebody's that has ended without their having looked, the newest first."""
    return list(Work.objects.visible_to(person).unread()[:PAGE])
