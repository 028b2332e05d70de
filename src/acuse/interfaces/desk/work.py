"""Long work: asked for, looked at while the worker does it, left and come back to."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext

from acuse.actions import work as acts
from acuse.interfaces.desk.inbox import language, tell_wrong
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.files import hand_out_kept
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Work, WorkKind, WorkState
from acuse.policy import filters
from acuse.policy.fields import InvalidField
from acuse.queries import words
from acuse.queries.lexicon import read_lexicon
from acuse.queries.narrow import read_query
from acuse.queries.work import get_work, list_works

from .pages import show

INVALID = 422


@dataclass(frozen=True)
class Told:
    """A work in words: of what kind, how it stands, what came of it or what stopped it."""

    work: Work
    kind: str
    state: str
    says: str

    @property
    def running(self) -> bool:
        return self.work.ended_at is None


def tell(work: Work) -> Told:
    """A work in the active language."""
    kind = words.label(words.WORK_KINDS, work.kind)
    return Told(work, kind, words.label(words.WORK_STATES, work.state), _says(work))


def _says(work: Work) -> str:
    if work.state == WorkState.FAILED:
        rule, params = work.error
        return tell_rule(InvalidField("work", rule, **params))
    if work.state != WorkState.DONE:
        return ""
    if work.kind == WorkKind.EXPORT:
        cases = int(work.outcome["cases"])
        return ngettext("%(n)s case.", "%(n)s cases.", cases) % {"n": cases}
    rows = int(work.outcome.get("new", 0)) + int(work.outcome.get("changed", 0))
    told = ngettext("%(n)s row has been applied.", "%(n)s rows have been applied.", rows)
    return told % {"n": rows}


@for_firm
def works(request: HttpRequest) -> HttpResponse:
    """GET ?q=: what I have asked for, the newest first, and a list of cases to ask for."""
    asked = request.GET.get("q", "")[: filters.LONGEST]
    return _list(request, asked)


def _list(
    request: HttpRequest, asked: str, wrong: list[str] | None = None, status: int = 200
) -> HttpResponse:
    usual = filters.write(filters.parse("state:open").query, language())
    rows = [tell(work) for work in list_works(person_of(request))]
    return show(
        request,
        "works",
        status=status,
        current="works",
        rows=rows,
        asked=asked or usual,
        wrong=wrong,
    )


@for_firm
def export(request: HttpRequest) -> HttpResponse:
    """POST q=: have the cases of a filter written as a file."""
    asked = request.POST.get("q", "").replace("\0", " ")[: filters.LONGEST]
    person, now = person_of(request), clock.now()
    found = read_query(asked, person, read_lexicon(person), now)
    if found.wrong:
        told = [tell_wrong(each) for each in found.wrong]
        return _list(request, asked, told, INVALID)
    work = acts.ask_export(filters.write(found.query), by=person, at=now)
    return redirect("desk:work", work.pk)


@for_firm
def work(request: HttpRequest, pk: int) -> HttpResponse:
    """How a work of mine stands; with HX-Request only that part. That it has ended counts as
    seen."""
    found = _find(request, pk)
    if found.ended_at is not None:
        acts.mark_read(found, clock.now())
    told = tell(found)
    if request.headers.get("HX-Request"):
        return show(request, "work_state", row=told)
    return show(request, "work", current="works", row=told)


@for_firm
def work_file(request: HttpRequest, pk: int) -> FileResponse:
    """The file that came of a work of mine."""
    found = _find(request, pk)
    if found.result_id is None:
        raise Http404
    return hand_out_kept(found.result_id, found.filename)


def _find(request: HttpRequest, pk: int) -> Work:
    try:
        return get_work(person_of(request), pk)
    except Work.DoesNotExist as missing:
        raise Http404 from missing
