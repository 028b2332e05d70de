"""Customers and people from a file: sent, looked at row by row, applied by one confirmation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import imports as acts
from acuse.actions import work as work_acts
from acuse.interfaces.web import clock, sheets
from acuse.interfaces.web.doors import person_of
from acuse.interfaces.web.files import hand_out_bytes
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Import, Person
from acuse.policy import imports as rules
from acuse.policy.fields import N_, InvalidField
from acuse.policy.imports import COLUMNS, REQUIRED, Kind, header_of
from acuse.policy.stages import Role
from acuse.queries import words
from acuse.queries.administration import imports_applied

from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID, REFUSED = 422, 409
AT_ONCE = 100  # rows that are applied while one waits; more are left to the worker

KINDS = {
    Kind.CUSTOMERS: N_("Customers"),
    Kind.ENTITIES: N_("Entities of customers"),
    Kind.AREAS: N_("Areas of customers"),
    Kind.ENVIRONMENTS: N_("Environments of customers"),
    Kind.PEOPLE: N_("People and their roles"),
}
STATES = {
    acts.WRONG: N_("Wrong"),
    acts.NEW: N_("New"),
    acts.CHANGED: N_("Changed"),
    acts.UNCHANGED: N_("Unchanged"),
}


class ImportForm(forms.Form):
    """A file, what it is about, and how it is written."""

    use_required_attribute = False

    kind = forms.ChoiceField(label=_("What it is about"))
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=_("CSV or XLSX, up to 2 MB and 1000 rows. The first row names the columns."),
    )
    encoding = forms.ChoiceField(
        label=_("Encoding of a CSV"),
        help_text=_("Leave it as it is, unless we tell you that the file is not UTF-8."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, labels in (("kind", KINDS), ("encoding", sheets.ENCODINGS)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(str(code), gettext(label)) for code, label in labels.items()]

    def clean_kind(self) -> Kind:
        return Kind(self.cleaned_data["kind"])


@dataclass(frozen=True)
class Line:
    """One row as the page shows it: what stands in the file, what becomes of it in words, and what
    is wrong by column."""

    number: int
    state: str
    label: str
    cells: list[tuple[str, str]]
    changes: list[tuple[str, str, str]]
    problems: list[tuple[str, str]]


def _language() -> str:
    return (get_language() or "es")[:2]


@for_roles(*ADMINISTER)
def new_import(request: HttpRequest) -> HttpResponse:
    """GET asks for a file, POST reads it; its rows are looked at on the next page."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        kept = _take_in(form, person_of(request))
        if kept is not None:
            return redirect("desk:import", kept.pk)
    return show(
        request,
        "new_import",
        status=INVALID if request.method == "POST" else 200,
        current="people",
        form=form,
        kinds=[
            (kind, gettext(label), [(header_of(c, _language()), c in REQUIRED[kind]) for c in cols])
            for (kind, cols), label in zip(COLUMNS.items(), KINDS.values(), strict=True)
        ],
        applied=imports_applied(),
    )


def _take_in(form: ImportForm, by: Person) -> Import | None:
    """The file's rows, kept; None with the error told beside its field."""
    sent, kind = form.cleaned_data["file"], form.cleaned_data["kind"]
    try:
        if sent.size > sheets.LARGEST:
            raise InvalidField("file", sheets.TOO_LARGE, limit=sheets.LARGEST // 1024**2)
        content = sent.read()
        grid = sheets.read_grid(content, kind, form.cleaned_data["encoding"])
        rows = rules.read_rows(kind, grid, _language())
    except InvalidField as wrong:
        form.add_error(wrong.field, tell_rule(wrong))
        return None
    fingerprint = hashlib.sha256(content).hexdigest()
    return acts.take_in(kind, sent.name, fingerprint, grid, rows, by=by, at=clock.now())


def _find(pk: int) -> Import:
    found = Import.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@for_roles(*ADMINISTER)
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Every row with what would become of it now; or, once it was applied, how many did what."""
    return _page(request, _find(pk))


def _page(request: HttpRequest, file: Import, refusal: str = "", status: int = 200) -> HttpResponse:
    applied = file.applied_at is not None
    outcomes = [] if applied else acts.preview(file, by=person_of(request), at=clock.now())
    counts = file.counts if applied else acts.count(outcomes)
    changing = counts.get(acts.NEW, 0) + counts.get(acts.CHANGED, 0)
    return show(
        request,
        "import",
        status=status,
        current="people",
        file=file,
        kind=gettext(KINDS[Kind(file.kind)]),
        notes=[gettext(rule) % params for rule, params in file.notes],
        counts=[(state, gettext(label), counts.get(state, 0)) for state, label in STATES.items()],
        lines=_lines(Kind(file.kind), outcomes),
        seen=acts.digest(outcomes),
        wrong=counts.get(acts.WRONG, 0),
        changing=changing,
        refusal=refusal,
    )


def _lines(kind: Kind, outcomes: Iterable[acts.Outcome]) -> list[Line]:
    """The rows in words, those that are wrong first. Of a new one the file says everything."""
    found = [
        Line(
            outcome.row.number,
            outcome.state,
            gettext(STATES[outcome.state]),
            [
                (header_of(column, _language()), _cell(column, outcome.row.values[column]))
                for column in COLUMNS[kind]
                if column in outcome.row.values
            ],
            [
                (header_of(name, _language()), _cell(name, before), _cell(name, after))
                for name, (before, after) in outcome.fields.items()
                if outcome.state == acts.CHANGED
            ],
            [(_column(problem), tell_problem(problem)) for problem in outcome.problems],
        )
        for outcome in outcomes
    ]
    return sorted(found, key=lambda line: (line.state != acts.WRONG, line.number))


def _column(problem: rules.Problem) -> str:
    return header_of(problem.field, _language()) if problem.field in rules.HEADERS else ""


def tell_problem(problem: rules.Problem) -> str:
    """What is wrong with a row, in the active language."""
    return tell_rule(InvalidField(problem.field, problem.rule, **problem.params))


def _cell(column: str, value: object) -> str:
    if column == "role" and value in words.ROLES:
        return words.label(words.ROLES, str(value))
    if column == "substitute":
        return gettext("yes") if value in (True, "yes") else gettext("no")
    return str(value or "")


@for_roles(*ADMINISTER)
def import_confirmation(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: all rows are applied as they were shown, or none; many of them by the worker."""
    file, person = _find(pk), person_of(request)
    seen = request.POST.get("seen", "").replace("\0", "")
    try:
        if len(file.rows) > AT_ONCE:
            asked = work_acts.ask_import(file, seen, by=person, at=clock.now())
            return redirect("desk:work", asked.pk)
        done = acts.apply(file, seen, by=person, at=clock.now())
    except InvalidField as wrong:
        return _page(request, _find(pk), tell_rule(wrong), REFUSED)
    number = done[acts.NEW] + done[acts.CHANGED]
    told = ngettext("%(n)s row has been applied.", "%(n)s rows have been applied.", number)
    messages.success(request, told % {"n": number})
    return redirect("desk:import", pk)


@for_roles(*ADMINISTER)
def import_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a file that is not to be applied is thrown away with its rows."""
    acts.leave(_find(pk))
    return redirect("desk:new_import")


@for_roles(*ADMINISTER)
def import_wrong(request: HttpRequest, pk: int) -> FileResponse:
    """The wrong rows as a CSV with what is wrong; corrected, it can be sent as it is."""
    file = _find(pk)
    outcomes = acts.preview(file, by=person_of(request), at=clock.now())
    columns = COLUMNS[Kind(file.kind)]
    language = _language()
    at = rules.LANGUAGES.index(language) if language in rules.LANGUAGES else 1
    rows = [[rules.OUR_OWN[0][at], rules.OUR_OWN[1][at], *_headers(columns)]]
    for outcome in outcomes:
        if outcome.state == acts.WRONG:
            said = "; ".join(
                f"{_column(problem)}: {tell_problem(problem)}".removeprefix(": ")
                for problem in outcome.problems
            )
            values: Mapping[str, str] = outcome.row.values
            cells = [values.get(column, "") for column in columns]
            rows.append([str(outcome.row.number), said, *cells])
    return hand_out_bytes(sheets.write_csv(rows, _delimiter()), f"{file.kind}-{pk}.csv")


@for_roles(*ADMINISTER)
def import_template(request: HttpRequest, kind: str) -> FileResponse:
    """A CSV with nothing but the names of the columns."""
    if kind not in set(Kind):
        raise Http404
    content = sheets.write_csv([_headers(COLUMNS[Kind(kind)])], _delimiter())
    return hand_out_bytes(content, f"{kind}.csv")


def _headers(columns: Iterable[str]) -> list[str]:
    return [header_of(column, _language()) for column in columns]


def _delimiter() -> str:
    """What the spreadsheets of a language open without asking."""
    return "," if _language() == "en" else ";"
