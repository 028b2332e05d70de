"""Declared outages: which run, what was said of them, which reports they explain (P04, P06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from ..models import (
    Case,
    CaseLink,
    Disruption,
    DisruptionLetter,
    DisruptionWord,
    Environment,
    LinkKind,
    Person,
)
from ..policy.disruptions import concerns
from ..policy.stages import ENDED

SHOWN_AFTER = timedelta(days=7)  # so long an ended one stands on the portal's status page
EARLIER = timedelta(hours=2)  # a report made so long before it began may be about it
MOST = 100


@dataclass(frozen=True)
class Told:
    """One word in the reader's language."""

    kind: str
    text: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Known:
    """An outage as one reader may know it: of their own systems only."""

    disruption: Disruption
    environments: list[Environment]
    words: list[Told]

    @property
    def name(self) -> str:
        """What does not work: the shared system by its name, or the reader's environments."""
        names = ", ".join(dict.fromkeys(row.name for row in self.environments))
        return self.disruption.system or names

    @property
    def ended(self) -> bool:
        return self.disruption.ended_at is not None

    @property
    def latest(self) -> Told:
        return self.words[-1]

    @property
    def headline(self) -> str:
        if self.ended:
            return _("%(system)s works again.") % {"system": self.name}
        return _("%(system)s does not work as it should.") % {"system": self.name}


def _rows(person: Person) -> QuerySet[Disruption]:
    own = Environment.objects.visible_to(person).select_related("organisation").order_by("name")
    words = DisruptionWord.objects.select_related("by")
    return Disruption.objects.visible_to(person).prefetch_related(
        Prefetch("environments", own), Prefetch("words", words)
    )


def _known(row: Disruption, language: str) -> Known:
    told = [
        Told(word.kind, word.text_for(language), word.at, str(word.by)) for word in row.words.all()
    ]
    return Known(row, list(row.environments.all()), told)


def running(person: Person) -> list[Known]:
    """The outages that have not ended, of the systems that this person may see."""
    rows = _rows(person).filter(ended_at__isnull=True)
    return [_known(row, person.language) for row in rows]


def lately(person: Person, at: datetime) -> list[Known]:
    """The same, and those that ended in the last days."""
    rows = _rows(person).filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at - SHOWN_AFTER))
    return [_known(row, person.language) for row in rows]


def every(person: Person) -> list[Known]:
    """All of them, the newest first."""
    return [_known(row, person.language) for row in _rows(person)[:MOST]]


def get_disruption(person: Person, pk: int) -> Known:
    """One outage. Raises Disruption.DoesNotExist."""
    rows = _rows(person).select_related("parent__organisation")
    return _known(rows.get(pk=pk), person.language)


def explaining(case: Case) -> Disruption | None:
    """The running outage that a case may be about, or None: of its environment, or, where it
    names none, of any of its customer's."""
    if case.organisation_id is None or case.stage in ENDED:
        return None
    rows = Disruption.objects.running().filter(
        environments__organisation=case.organisation_id, since__lte=case.opened_at + EARLIER
    )
    for row in rows.exclude(parent=case).prefetch_related("environments").distinct():
        reach = [(one.pk, one.organisation_id) for one in row.environments.all()]
        if concerns(case.environment_id, case.organisation_id, reach):
            return row
    return None


def explaining_to(case: Case, person: Person) -> Known | None:
    """The same as one reader may know it."""
    found = explaining(case)
    row = _rows(person).filter(pk=found.pk).first() if found is not None else None
    return _known(row, person.language) if row is not None else None


def find_over(parent: Case) -> Disruption | None:
    """The outage of a parent case that has ended last, if none of it runs any more."""
    newest = parent.disruptions.order_by("-declared_at").first()
    return newest if newest is not None and newest.ended_at is not None else None


def children_of(disruption: Disruption) -> list[Case]:
    """The cases that hang on its parent."""
    links = CaseLink.objects.filter(
        other=disruption.parent_id, kind=LinkKind.PARENT, undone_at__isnull=True
    )
    rows = Case.objects.filter(pk__in=links.values("case"))
    return list(rows.select_related("organisation", "reporter", "environment").order_by("pk"))


def candidates(disruption: Disruption) -> list[Case]:
    """Open reports that it may explain and that hang on nothing yet, oldest first."""
    reach = list(disruption.environments.values_list("pk", "organisation"))
    of = Q(environment__in=[one for one, _ in reach]) | Q(
        environment__isnull=True, organisation__in=[organisation for _, organisation in reach]
    )
    hanging = CaseLink.objects.filter(kind=LinkKind.PARENT, undone_at__isnull=True)
    rows = Case.objects.open().filter(of, opened_at__gte=disruption.since - EARLIER)
    rows = rows.exclude(pk=disruption.parent_id).exclude(pk__in=hanging.values("case"))
    rows = rows.exclude(pk__in=hanging.values("other"))
    if disruption.ended_at is not None:
        rows = rows.filter(opened_at__lte=disruption.ended_at)
    return list(
        rows.select_related("organisation", "reporter", "environment").order_by("pk")[:MOST]
    )


@dataclass(frozen=True)
class Post:
    """How far the mails of an outage have come."""

    sent: int
    waiting: int
    failed: int


def post_of(disruption: Disruption) -> Post:
    """How many of its mails were taken, wait, or were given up."""
    found = DisruptionLetter.objects.filter(word__disruption=disruption).aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        waiting=Count("pk", filter=Q(sent_at__isnull=True, failed_at__isnull=True)),
        failed=Count("pk", filter=Q(failed_at__isnull=False)),
    )
    return Post(**found)


def known_in_letter(letter: DisruptionLetter) -> Known:
    """What a letter tells its reader, up to the word that it is about. Somebody who has lost
    access since is told of no system."""
    row = _rows(letter.person).filter(pk=letter.word.disruption_id).first()
    disruption = row if row is not None else letter.word.disruption
    own = list(row.environments.all()) if row is not None else []
    word = letter.word
    told = Told(word.kind, word.text_for(letter.person.language), word.at, str(word.by))
    return Known(disruption, own, [told])
