"""Out of hours at the desk: who is on call, hand-overs, pages, and the rota itself (P03, P05)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from acuse.actions import oncall as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.paging import read_for
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Change, HandOver, Page, Paging
from acuse.policy.fields import N_, InvalidField
from acuse.policy.oncall import GAPS, LINES, RUNGS, Line, Rung
from acuse.policy.stages import Role
from acuse.queries import oncall as questions
from acuse.queries.oncall import LineBoard, Planned

from .oncall_forms import HandOverForm, RotaForm, TurnsForm
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID, REFUSED = 422, 409


@for_firm
def oncall(request: HttpRequest) -> HttpResponse:
    """Who is on call now and in the next days, what waits, and the latest pages."""
    return _board(request)


def _board(request: HttpRequest, *, status: int = 200, **sent: Any) -> HttpResponse:
    person, now = person_of(request), clock.now()
    boards, rota = questions.lines(now), questions.rota()
    mine = _lines_of(request, boards)
    offers, waiting = questions.offers(now), questions.open_ids()
    facts = {
        "rota": rota,
        "boards": [(_(LINES[board.line]), board, *_told(board)) for board in boards],
        "last": questions.who_is_last(now),
        "to_me": [(_(LINES[Line(row.line)]), row) for row in offers if row.taker == person],
        "offers": [(_(LINES[Line(row.line)]), row) for row in offers if row.taker != person],
        "pagings": [(row, _pages(row), row.pk in waiting) for row in questions.pagings(person)],
        "turns": [(_(LINES[Line(turn.line)]), turn) for turn in questions.turns(now)],
        "changes": [_change(row, names) for row, names in questions.changes()],
        "administers": _administers(request),
        "form": HandOverForm(_others(request, now), mine) if mine else None,
        "rota_form": RotaForm(rota),
        "person": person,
        "now": now,
        **sent,
    }
    return show(request, "oncall", status=status, current="oncall", **facts)


def _administers(request: HttpRequest) -> bool:
    person = person_of(request)
    return person.is_administrator or person.is_manager


def _others(request: HttpRequest, now: datetime) -> list[Any]:
    person = person_of(request)
    return [row for row in questions.who_can(now) if row != person]


def _lines_of(request: HttpRequest, boards: list[LineBoard]) -> list[Line]:
    """The lines on which the reader is on call, now or in the next days."""
    person = person_of(request)
    return [
        board.line
        for board in boards
        if any(part.person == person for part in (board.now, *board.coming))
    ]


def _told(board: LineBoard) -> tuple[str, list[tuple[Planned, str]], list[tuple[Planned, str]]]:
    """Why nobody is on call now; what comes, and the gaps, each with why it is one."""

    def why(part: Planned) -> str:
        return _(GAPS[part.gap]) if part.gap is not None else ""

    return (
        why(board.now),
        [(part, why(part)) for part in board.coming],
        [(part, why(part)) for part in board.gaps],
    )


def _pages(paging: Paging) -> list[tuple[str, Page]]:
    shown: list[Page] = paging.shown  # type: ignore[attr-defined]
    return [(_(RUNGS[Rung(page.rung)]), page) for page in shown]


CHANGES = {
    ("rota", "edit"): N_("changed how the rota pages"),
    ("turn", "add"): N_("planned a turn"),
    ("turn", "end"): N_("ended a turn"),
    ("turn", "remove"): N_("took a turn out of the plan"),
    ("hand_over", "offer"): N_("offered a turn"),
    ("hand_over", "accept"): N_("took a turn over"),
    ("hand_over", "decline"): N_("declined a turn"),
    ("hand_over", "take_back"): N_("took an offer back"),
}


def _change(change: Change, names: dict[int, str]) -> tuple[Change, str, str]:
    """A change in words: what was done, and about which turn."""
    given = {name: after or before for name, (before, after) in change.fields.items()}
    said = [_(LINES[Line(given["line"])])] if "line" in given else []
    said += [names[given[name]] for name in ("person", "giver", "taker") if given.get(name)]
    moments = [datetime.fromisoformat(given[name]) for name in ("since", "until") if name in given]
    said += [timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") for moment in moments]
    if "minutes" in given:
        said.append(_("%(n)s minutes to acknowledge") % {"n": given["minutes"]})
    if "in_use" in change.fields:
        said.append(_("in use") if change.fields["in_use"][1] else _("not in use"))
    return change, _(CHANGES[change.subject, change.act]), " · ".join(said)


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))


@for_roles(*ADMINISTER)
def new_turns(request: HttpRequest) -> HttpResponse:
    """GET asks, POST plans turns."""
    now = clock.now()
    given = request.POST if request.method == "POST" else None
    form = TurnsForm(questions.who_can(now), Line, given)
    if form.is_bound and form.is_valid():
        try:
            zone = questions.zone()
            rows = acts.plan_turns(form.plan(zone), by=person_of(request), at=now)
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            said = _("Planned: the last of the turns ends on %(day)s.")
            day = timezone.localtime(rows[-1].until).strftime("%Y-%m-%d")
            messages.success(request, said % {"day": day})
            return redirect("desk:oncall")
    status = INVALID if form.is_bound else 200
    return show(request, "oncall_turns", status=status, current="oncall", form=form)


@for_roles(*ADMINISTER)
def turn_end(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a turn ends now, or does not take place."""
    try:
        acts.end_turn(questions.get_turn(pk), by=person_of(request), at=clock.now())
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    except InvalidField:
        messages.info(request, _("The turn was over already."))
    else:
        messages.success(request, _("The turn is not in the plan any more."))
    return redirect("desk:oncall")


@for_roles(*ADMINISTER)
def rota(request: HttpRequest) -> HttpResponse:
    """POST: how the rota pages."""
    form = RotaForm(questions.rota(), request.POST)
    if not form.is_valid():
        return _board(request, status=INVALID, rota_form=form)
    acts.set_rota(**form.cleaned_data, by=person_of(request), at=clock.now())
    messages.success(request, _("Kept."))
    return redirect("desk:oncall")


@for_firm
def new_offer(request: HttpRequest) -> HttpResponse:
    """POST: who is on call offers the turn to somebody."""
    now = clock.now()
    mine = _lines_of(request, questions.lines(now)) or list(Line)
    form = HandOverForm(_others(request, now), mine, request.POST)
    if form.is_valid():
        taker, given = form.person("taker"), form.cleaned_data
        assert taker is not None  # a valid form names somebody
        try:
            acts.offer(
                Line(given["line"]),
                taker,
                given["until"],
                since=given["since"],
                by=person_of(request),
                at=now,
            )
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            said = _("Offered: until %(name)s accepts, you stay on call.")
            messages.success(request, said % {"name": taker})
            return redirect("desk:oncall")
    return _board(request, status=INVALID, form=form)


ANSWERS = {
    "acceptance": (acts.take_over, N_("It is your turn now: open pages came along.")),
    "refusal": (acts.decline, N_("The offer is off the table.")),
}


@for_firm
def answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """POST: take a turn over; or decline it, or take one's own offer back."""
    if answer not in ANSWERS:
        raise Http404(answer)
    act, said = ANSWERS[answer]
    try:
        act(_offer(request, pk), by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        messages.error(request, _("The offer %(rule)s.") % {"rule": tell_rule(wrong)})
    else:
        messages.success(request, _(said))
    return redirect("desk:oncall")


def _offer(request: HttpRequest, pk: int) -> HandOver:
    try:
        return questions.get_hand_over(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@for_firm
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what somebody was paged about, with the button that acknowledges. ?for= is the mark
    of a letter's link: whom the letter was for."""
    person = person_of(request)
    try:
        found = questions.get_paging(person, pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    signed = request.GET.get("for")
    meant = read_for(found, signed) if signed is not None else person.pk
    if meant is None:
        raise Http404("for")
    return show(
        request,
        "oncall_page",
        current="oncall",
        paging=found,
        case=found.case,
        pages=_pages(found),
        open=questions.is_open(found),
        another=meant != person.pk,
        key=uuid.uuid4().hex,
    )
