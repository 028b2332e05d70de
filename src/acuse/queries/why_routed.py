"""Why a case went where it went, in words: the sentence of a routing line (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import LedgerLine, Person, Queue, RuleVersion, Specialty, sql
from ..policy.fields import N_
from ..policy.routing import Outcome

LANGUAGES = {"es": N_("Spanish"), "en": N_("English"), "pt": N_("Portuguese")}


def why_routed(lines: Iterable[LedgerLine]) -> dict[int, str]:
    """For each routing line (by its id) whom the case went to and why. Two queries, however
    many lines; none for none."""
    lines = [line for line in lines if line.kind == "route"]
    if not lines:
        return {}

    def ids(*names: str) -> set[int]:
        return {line.payload[name] for line in lines for name in names if line.payload[name]}

    found = sql.together(
        Person.objects.filter(pk__in=ids("person", "stands_in")),
        Queue.objects.filter(pk__in=ids("queue")),
        Specialty.objects.filter(pk__in=ids("specialty")),
    )
    people, queues, specialties = ({row.pk: row for row in rows} for rows in found)
    rules = RuleVersion.objects.select_related("rule").in_bulk(ids("rule"))
    return {line.pk: _phrase(line, people, rules, queues, specialties) for line in lines}


def _phrase(
    line: LedgerLine,
    people: Mapping[int, Person],
    rules: Mapping[int, RuleVersion],
    queues: Mapping[int, Queue],
    specialties: Mapping[int, Specialty],
) -> str:
    said = line.payload
    rule, queue = rules.get(said["rule"] or 0), queues.get(said["queue"] or 0)
    specialty = specialties.get(said["specialty"] or 0)
    parts = [_whom(said, people)]
    parts.append(_("rule “%(rule)s”") % {"rule": rule} if rule else _("no rule"))
    if queue is not None:
        parts.append(_("queue %(queue)s") % {"queue": queue})
    parts += [str(said["level"]).upper(), _(LANGUAGES[said["language"]])]
    if specialty is not None:
        parts.append(str(specialty))
    if said["outcome"] == Outcome.ASSIGNED:
        parts.append(cases_words(said["open_cases"]))
    return "; ".join(parts)


def _whom(said: Mapping[str, Any], people: Mapping[int, Person]) -> str:
    person, absent = people.get(said["person"] or 0), people.get(said["stands_in"] or 0)
    if person is None:
        return _("nobody fits, and an alarm sounds")
    if said["outcome"] == Outcome.KEPT:
        return _("stays with %(person)s") % {"person": person}
    if absent is None:
        return _("to %(person)s") % {"person": person}
    words = _("to %(person)s, who stands in for %(absent)s")
    return words % {"person": person, "absent": absent}


def cases_words(count: int) -> str:
    """How many open cases somebody has, in words."""
    return ngettext("%(n)s open case", "%(n)s open cases", count) % {"n": count}
