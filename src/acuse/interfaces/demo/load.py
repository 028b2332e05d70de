"""`acuse demo`: an empty development installation becomes a firm with a history.

Everything that happened, happened by acts: the same functions, checks and ledger as at every other
door. Only the mails of the past are marked as sent, since nobody is to receive them today.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import override

from acuse.actions import administration as admin
from acuse.config import Config
from acuse.models import (
    Case,
    DisruptionLetter,
    DisruptionWord,
    LedgerLine,
    Membership,
    Notice,
    NoticeState,
    Person,
)
from acuse.policy.fields import N_

from .days import Days
from .firm import CHARACTERS, CUSTOMERS, Cast, begin_of, found
from .play import Story, play
from .scene import IRENE_LEFT, Plot, Scene
from .service import organise
from .stories import TELLERS

UNREAD = timedelta(days=3)
PLOTS = Path(__file__).with_name("cases.toml")

ONLY_IN_DEVELOPMENT = N_("The demo firm exists in development only (ACUSE_ENV=development).")
NOT_EMPTY = N_("This installation is not empty: the demo is made only where nobody is known yet.")


class NoDemo(Exception):
    """The demo cannot be made here; the message says why."""


@dataclass(frozen=True)
class Summary:
    """What the demo holds, and the address of somebody in each role to enter as."""

    people: int
    cases: int
    lines: int
    addresses: dict[str, str]


def read_plots() -> list[Plot]:
    """The cases as cases.toml tells them, in its order."""
    with PLOTS.open("rb") as file:
        rows = tomllib.load(file)["case"]
    return [Plot(**row | {"items": tuple(row.get("items", ()))}) for row in rows]


def load(config: Config, now: datetime) -> Summary:
    """Make the demo firm, its customers and their cases, ending shortly before `now` (aware).

    All or nothing. Raises NoDemo in production or where anybody is known already.
    """
    if config.production:
        raise NoDemo(_(ONLY_IN_DEVELOPMENT))
    with transaction.atomic(), override("es"):
        if Person.objects.get_queryset().exists():
            raise NoDemo(_(NOT_EMPTY))
        # From before the first case to the end of next year; the years that were reviewed first.
        years = range(min(2025, now.year - 1), max(2027, now.year + 1) + 1)
        begun = begin_of(years[0])
        cast = found(config.mail_domain, years, begun)
        days = Days(cast.ground.calendar.calendar, now)
        plots = read_plots()
        organise(cast, begun, days.on(0))
        stories: list[Story] = [_irene_leaves(cast, days)]
        for number, plot in enumerate(plots):
            scene = Scene(plot, cast, days, seed=f"demo {number}")
            stories.append(TELLERS[plot.story](scene))
        play(stories, now)
        _mark_as_sent(now)
    return _summary(cast)


def _irene_leaves(cast: Cast, days: Days) -> Iterator[datetime]:
    """Textiles' service owner leaves; from then on her substitute decides."""
    yield (at := days.at(IRENE_LEFT, 0))
    admin.end_role(Membership.objects.get(person=cast.people["irene"]), at)


def _mark_as_sent(now: datetime) -> None:
    """The notices of the past went out when they were written, and all but the last days' have
    been read; none waits for the worker."""
    written = LedgerLine.objects.filter(pk=OuterRef("line")).values("at")
    notices = Notice.objects.filter(state=NoticeState.QUEUED)
    notices.update(state=NoticeState.SENT, sent_at=Subquery(written), queued_at=Subquery(written))
    Notice.objects.filter(sent_at__lt=now - UNREAD).update(read_at=F("sent_at"))
    told = DisruptionWord.objects.filter(pk=OuterRef("word")).values("at")
    DisruptionLetter.objects.update(sent_at=Subquery(told))
    bounced = Notice.objects.filter(dispatch__bounced_at__isnull=False)
    bounced.update(state=NoticeState.BOUNCED)
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs where status = 'todo'")


def _summary(cast: Cast) -> Summary:
    addresses: dict[str, str] = {}
    for short, character in CHARACTERS.items():
        role = " ".join(filter(None, (character.roles[0], character.level)))
        addresses.setdefault(role, cast.people[short].email)
    addresses["spoc"] = cast.people[CUSTOMERS["andina"][1]].email
    return Summary(
        people=len(cast.people),
        cases=Case.objects.count(),
        lines=LedgerLine.objects.count(),
        addresses=addresses,
    )
