"""Declaring an outage, telling how it goes, and ending it (P04, P06).

Everybody of the customers whose systems do not work gets one mail for each word, in their
language; the reports of it hang on one parent case of the firm's (actions/family.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import models, transaction
from procrastinate.contrib.django import app

from ..models import (
    Address,
    Case,
    Disruption,
    DisruptionLetter,
    DisruptionWord,
    Environment,
    LinkKind,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
)
from ..models.roles import find_author
from ..policy.authors import Occasion
from ..policy.disruptions import WordKind, check_texts, text_for
from ..policy.family import Member, find_leak
from ..policy.fields import N_, InvalidField
from ..policy.refusals import REASONS, Refused
from ..policy.stages import ENDED
from . import family, life

SEND = "send_disruption_letters"
MOST_TRIES = 40  # as of notices: over some five days
PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=4)
LONGEST_AGO = timedelta(days=366)  # an outage is not declared for the first time after that

NONE_CHOSEN = N_("must name at least one environment")
RETIRED = N_("%(name)s is retired")
RUNNING = N_("%(name)s has a declared outage already: write an update there")
IN_FUTURE = N_("must not be in the future")
TOO_LONG_AGO = N_("must not be more than a year ago")
NOT_A_PARENT = N_("must be an open case that hangs on no other")
TAKEN = N_("is the parent of another outage that has not ended")
OVER = N_("the outage is over")


@transaction.atomic
def declare(
    occasion: Occasion,
    *,
    environments: Collection[Environment],
    since: datetime,
    texts: Mapping[str, str],
    system: str = "",
    parent: Case | None = None,
) -> Disruption:
    """Declare that these environments do not work since a moment, and tell their customers.

    texts: by language (es, en, pt), the same for all customers; system: what the environments
    share, by its name; parent: the case on which the reports are to hang, without one the firm
    opens one that is no customer's. Raises InvalidField; Refused where the author may not open
    a case.
    """
    said = check_texts(texts)
    if since > occasion.at:
        raise InvalidField("since", IN_FUTURE)
    if since < occasion.at - LONGEST_AGO:
        raise InvalidField("since", TOO_LONG_AGO)
    rows = _lock_free(environments)
    if parent is not None:
        _check_parent(parent)
    name = " ".join(system.split())[:100]
    _check_leaks(_by_field(said) | {"system": name}, rows, parent)
    if parent is None:
        parent = _open_parent(occasion, rows, name, said)
    disruption = Disruption.objects.create(
        system=name,
        parent=parent,
        since=since,
        declared_at=occasion.at,
    )
    disruption.environments.set(rows)
    _say(disruption, WordKind.DECLARED, said, _author(occasion), occasion.at)
    return disruption


def _lock_free(environments: Collection[Environment]) -> list[Environment]:
    """The environments, locked, so that two who declare at once do not tell it twice."""
    ids = [row.pk for row in environments]
    rows = list(
        Environment.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    if not rows:
        raise InvalidField("environments", NONE_CHOSEN)
    for row in rows:
        if row.retired_at is not None:
            raise InvalidField("environments", RETIRED, name=row.name)
        if row.disruptions.running().exists():
            raise InvalidField("environments", RUNNING, name=row.name)
    return rows


def _check_parent(parent: Case) -> None:
    row = Case.objects.select_for_update().get(pk=parent.pk)
    under = row.links.filter(kind=LinkKind.PARENT, undone_at__isnull=True).exists()
    if row.stage in ENDED or under:
        raise InvalidField("parent", NOT_A_PARENT)
    if row.disruptions.running().exists():
        raise InvalidField("parent", TAKEN)


def _by_field(texts: Mapping[str, str]) -> dict[str, str]:
    return {f"text_{language}": text for language, text in texts.items()}


def _check_leaks(
    said: Mapping[str, str], environments: Collection[Environment], parent: Case | None
) -> None:
    """What all the customers reached read (by field) holds nothing that is one's alone: no name
    of theirs, no number and no words of the parent case, of the reports on it, or of a case that
    is named by its number (C-17), as in an answer to all of a parent's reports (P15)."""
    reached = Organisation.objects.filter(
        environments__in=environments, kind=OrganisationKind.CUSTOMER
    ).distinct()
    customers = [Member(None, row.pk, row.name) for row in reached]
    hanging = [parent, *family.children_of(parent)] if parent is not None else []
    for field, text in said.items():
        named = [int(digits) for digits in re.findall(r"\bC-(\d{1,18})\b", text, re.IGNORECASE)]
        others = Case.objects.select_related("organisation").filter(pk__in=named)
        cases = [*hanging, *others.exclude(pk__in=[case.pk for case in hanging])]
        leak = find_leak(
            text, customers + family.members(cases), {customer.pk for customer in reached}
        )
        if leak:
            raise InvalidField(field, REASONS["names_another"], value=leak)


def _open_parent(
    occasion: Occasion, rows: list[Environment], system: str, texts: Mapping[str, str]
) -> Case:
    """The firm's own case: of no customer, confirmed to nobody."""
    what = system or ", ".join(f"{row.organisation.name}: {row.name}" for row in rows)
    return life.open(
        Occasion(None, occasion.by, occasion.at),
        subject=what[:250],
        text=text_for(texts, "es"),
        confirm=False,
    ).case


def _author(occasion: Occasion) -> Person:
    author = find_author(occasion.by)
    assert author is not None  # people declare outages; monitoring opens incidents
    return author


@transaction.atomic
def update(
    disruption: Disruption, texts: Mapping[str, str], *, by: Person, at: datetime
) -> DisruptionWord:
    """Tell the customers how it goes. Raises InvalidField where it is over, or where the text
    holds what is one customer's alone."""
    said = check_texts(texts)
    row = _lock_running(disruption, said)
    return _say(row, WordKind.UPDATE, said, by, at)


@transaction.atomic
def end(
    disruption: Disruption, texts: Mapping[str, str], *, by: Person, at: datetime
) -> DisruptionWord:
    """Tell the customers that it is over; what is to become of their reports is for people to
    say. Raises InvalidField where it is over already."""
    said = check_texts(texts)
    row = _lock_running(disruption, said)
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    return _say(row, WordKind.ENDED, said, by, at)


def _lock_running(disruption: Disruption, texts: Mapping[str, str]) -> Disruption:
    """The outage, locked, where it runs and these texts may be said of it."""
    row = Disruption.objects.select_for_update().get(pk=disruption.pk)
    if row.ended_at is not None:
        raise InvalidField("text_es", OVER)
    _check_leaks(_by_field(texts), row.environments.all(), row.parent)
    return row


def _say(
    disruption: Disruption, kind: WordKind, texts: dict[str, str], by: Person, at: datetime
) -> DisruptionWord:
    """Keep the word, and a letter to each person of the customers, who may belong to several."""
    word = DisruptionWord.objects.create(
        disruption=disruption, kind=kind, texts=texts, by=by, at=at
    )
    people = (
        Membership.objects.in_force(at)
        .filter(
            organisation__environments__disruptions=disruption,
            organisation__kind=OrganisationKind.CUSTOMER,
            person__is_active=True,
        )
        .values_list("person", flat=True)
        .distinct()
    )
    DisruptionLetter.objects.bulk_create(
        DisruptionLetter(word=word, person_id=pk) for pk in sorted(people)
    )
    app.configure_task(SEND, queue="slow").defer(word_id=word.pk)
    return word


def pending(now: datetime) -> models.QuerySet[DisruptionLetter]:
    """Letters that wait to be sent at a moment."""
    due = models.Q(not_before__isnull=True) | models.Q(not_before__lte=now)
    return DisruptionLetter.objects.filter(due, sent_at__isnull=True, failed_at__isnull=True)


def note_sent(letter: DisruptionLetter, at: datetime) -> None:
    """A mail server took it."""
    letter.sent_at, letter.error = at, ""
    letter.save(update_fields=["sent_at", "error"])


def note_dropped(letter: DisruptionLetter, at: datetime) -> None:
    """It is not sent any more: its reader has left, or uses none of these systems now."""
    letter.failed_at, letter.error = at, "its reader has left"
    letter.save(update_fields=["failed_at", "error"])


def note_not_taken(
    letter: DisruptionLetter, error: str, at: datetime, *, for_good: bool = False
) -> None:
    """The mail server did not take it: later again, and after days, or where it refuses the
    address for good, given up; then the address bounces."""
    letter.tries, letter.error = letter.tries + 1, error[-2000:]
    if for_good or letter.tries >= MOST_TRIES:
        letter.failed_at = at
    else:
        letter.not_before = at + min(LONGEST_PAUSE, PAUSE * 2 ** min(letter.tries - 1, 20))
    letter.save(update_fields=["tries", "error", "failed_at", "not_before"])
    if for_good:
        Address.objects.filter(
            person=letter.person_id,
            email__lower=letter.person.email.lower(),
            bouncing_since__isnull=True,
        ).update(bouncing_since=at)


def attach_reports(
    disruption: Disruption, cases: Collection[Case], occasion: Occasion
) -> tuple[int, list[tuple[Case, Refused]]]:
    """Hang these reports on the outage's parent case, each by itself: how many do now, and which
    do not and why."""
    refused = []
    for case in sorted(cases, key=lambda row: row.pk):
        at = max(occasion.at, case.opened_at)
        try:
            family.attach_to_parent(Occasion(case.pk, occasion.by, at), parent=disruption.parent)
        except Refused as refusal:
            refused.append((case, refusal))
    return len(cases) - len(refused), refused
