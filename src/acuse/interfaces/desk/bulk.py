"""The same act on several cases: each through its own act, each with its own answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from acuse.actions.registry import FUNCTIONS
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import DESK, author_of, for_firm, key_of, person_of
from acuse.interfaces.web.refusals import Told, tell, tell_rule
from acuse.models import Case, LedgerLine, Person, Queue
from acuse.policy.authors import Occasion
from acuse.policy.fields import N_, InvalidField
from acuse.policy.refusals import Refused
from acuse.queries.case import with_facts
from acuse.queries.lexicon import read_lexicon
from acuse.queries.narrow import numbers

from .inbox_forms import BULK, BulkForm
from .pages import show

MOST_AT_ONCE = 100
INVALID = 422


@dataclass(frozen=True)
class Result:
    """What came of one case: its receipt, or why not."""

    case: Case
    line: LedgerLine | None = None
    refusal: Told | None = None
    wrong: str = ""


@for_firm
def bulk(request: HttpRequest) -> HttpResponse:
    """POST act= case=… person= queue= original=: what came of each case. Sent again, the same
    receipts come back."""
    person = person_of(request)
    form = BulkForm(read_lexicon(person), request.POST)
    cases = _ticked(request, person)
    if not cases:
        form.add_error(None, _("Tick at least one case."))
    if not form.is_valid():
        return _show(request, form, [], INVALID)
    try:
        details = _details(person, form.cleaned_data)
    except InvalidField as invalid:
        form.add_error(invalid.field, tell_rule(invalid))
        return _show(request, form, [], INVALID)
    act = form.cleaned_data["act"]
    return _show(request, form, [_do(request, act, case, details) for case in cases])


def _ticked(request: HttpRequest, person: Person) -> list[Case]:
    ids = numbers(request.POST.getlist("case")[:MOST_AT_ONCE])
    return list(with_facts(Case.objects.visible_to(person)).filter(pk__in=ids).order_by("pk"))


def _details(person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """What the act is told of every case alike. Raises InvalidField."""
    act = given["act"]
    if act == "assign_me":
        return {"person": person}
    if act == "assign":
        return {"person": Person.objects.visible_to(person).get(pk=given["person"])}
    if act == "queue":
        return {"queue": Queue.objects.get(pk=given["queue"])}
    if act == "merge_duplicate":
        found = Case.objects.visible_to(person).filter(pk__in=numbers([given["original"]]))
        if not found:
            raise InvalidField("original", NO_SUCH_CASE)
        return {"original": found[0]}
    return {}


NO_SUCH_CASE = N_("There is no case with that number: write it as C-17.")
_ACTS = {"assign_me": "assign", "queue": "assign"}  # the act behind a choice, where it differs


def _do(request: HttpRequest, choice: str, case: Case, details: dict[str, Any]) -> Result:
    name = _ACTS.get(choice, choice)
    if choice == "queue":  # whoever works on it goes on working on it
        details = details | {"person": case.assignee}
    key = key_of(request)[:80]
    occasion = Occasion(
        case.pk, author_of(request, DESK), clock.now(), f"{key} {case.pk}" if key else ""
    )
    try:
        return Result(case, line=FUNCTIONS[name](occasion, **details))
    except Refused as refusal:
        return Result(case, refusal=tell(refusal, person_of(request)))
    except InvalidField as invalid:
        return Result(case, wrong=tell_rule(invalid))


def _show(
    request: HttpRequest, form: BulkForm, results: list[Result], status: int = 200
) -> HttpResponse:
    back = request.POST.get("back", "")
    done = [result for result in results if result.line is not None]
    return show(
        request,
        "inbox_results",
        status=status,
        current="inbox",
        form=form,
        title=str(BULK[form.cleaned_data["act"]][0]) if results else _("With the ticked ones"),
        results=results,
        done=len(done),
        failed=len(results) - len(done),
        back=back if len(back) < 4000 else "",
    )
