"""Triage: which cases wait to be sorted, in which order, and what is known to help (P14, P15)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Case as Choose
from django.db.models import F, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from ..models import Case, Person
from ..policy.priority import Priority
from ..policy.stages import Stage
from . import words
from .case import CaseView
from .routing import why_assigned
from .similar import in_common, stems_of

MOST_WAITING = 1000  # of the queue of triage; nobody goes through more in a day
MOST_LIKELY = 3
_RANK = (Priority.URGENT, Priority.HIGH, Priority.MEDIUM, Priority.LOW)


def waiting(person: Person) -> QuerySet[Case]:
    """The cases that nobody has classified yet, the most pressing and then the oldest first."""
    rank = Choose(
        *(When(priority=each, then=Value(n)) for n, each in enumerate(_RANK)),
        default=Value(len(_RANK)),
        output_field=IntegerField(),
    )
    early = Case.objects.visible_to(person).filter(stage__in=[Stage.RECEIVED, Stage.ANALYSIS])
    found = early.filter(classified_at__isnull=True).annotate(rank=rank)
    return found.order_by("rank", "opened_at", "pk")


def first_waiting(person: Person) -> str | None:
    """The number of the case to begin with."""
    first = waiting(person).values_list("pk", flat=True).first()
    return f"C-{first}" if first is not None else None


@dataclass(frozen=True)
class Place:
    """Where a case stands among those that wait: `at` of `of` (0: it does not wait any more),
    and the numbers of the one before and the one after; "" for none."""

    at: int = 0
    of: int = 0
    previous: str = ""
    next: str = ""


def place_of(case: Case, person: Person) -> Place:
    """The place of a case in the queue of triage. One that has been sorted leads back to the
    first. One query."""
    line = list(waiting(person).values_list("pk", flat=True)[:MOST_WAITING])
    numbers = [f"C-{pk}" for pk in line]
    if case.pk not in line:
        return Place(0, len(line), next=numbers[0] if numbers else "")
    at = line.index(case.pk)
    before = numbers[at - 1] if at else ""
    after = numbers[at + 1] if at + 1 < len(numbers) else ""
    return Place(at + 1, len(line), before, after)


@dataclass(frozen=True)
class Likely:
    """An earlier case that may be about the same: why it is thought so, and what it reported."""

    case: Case
    stage: str
    reasons: list[str]
    text: str


def likely_duplicates(view: CaseView) -> list[Likely]:
    """The earlier cases of the same customer (of the same reporter, where there is none yet) that
    have most words in common with this report, none of them a duplicate itself. One query."""
    case, report = view.case, next(iter(view.messages), None)
    said = f"{case.subject} {report.text if report is not None else ''}"
    stems = stems_of(said)
    same = Q(organisation=case.organisation_id)
    if case.organisation_id is None:
        same = Q(organisation__isnull=True, reporter=case.reporter_id)
    if not stems or (case.organisation_id is None and case.reporter_id is None):
        return []
    rows = Case.objects.visible_to(view.person).filter(same, duplicate_of=None)
    rows = rows.filter(opened_at__lte=case.opened_at).exclude(pk=case.pk)
    rows = rows.select_related("search", "module", "environment").annotate(common=in_common(stems))
    rows = rows.filter(common__gte=min(2, len(stems))).order_by("-common", F("opened_at").desc())
    return [_likely(row, case, stems) for row in rows[:MOST_LIKELY]]


def _likely(row: Case, case: Case, stems: list[str]) -> Likely:
    search = row.search
    shared = _whole_words(f"{search.subject} {search.body}".lower(), stems)
    reasons = [_("Words in common: %(words)s") % {"words": ", ".join(shared)}]
    if row.module_id is not None and row.module_id == case.module_id:
        reasons.append(_("Same module: %(module)s") % {"module": row.module})
    if row.environment_id is not None and row.environment_id == case.environment_id:
        reasons.append(_("Same environment: %(environment)s") % {"environment": row.environment})
    return Likely(row, words.stage_label(row.stage, firm=True), reasons, search.body)


def _whole_words(text: str, stems: list[str]) -> list[str]:
    """For each stem that a text holds the first word that has it, as it stands there."""
    found = (re.search(rf"\w*{re.escape(stem)}\w*", text) for stem in stems)
    return list(dict.fromkeys(word[0] for word in found if word is not None))


def why_here(view: CaseView) -> str:
    """Why the case is with whom it is: the sentence of the line that gave it; "" if none did."""
    return why_assigned(view.timeline)
