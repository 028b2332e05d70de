"""The timer: started and stopped on a case; what it counted is shown, and logged by its person."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import timers as acts
from acuse.actions.permission import require_allowed
from acuse.interfaces.web import clock, warnings
from acuse.interfaces.web.doors import DESK, for_firm, key_of, occasion_of, person_of, view_of
from acuse.interfaces.web.forms.billing import LogTime
from acuse.interfaces.web.refusals import tell, tell_rule
from acuse.models import Timer
from acuse.policy.billing import round_minutes
from acuse.policy.fields import InvalidField
from acuse.policy.refusals import Refused
from acuse.policy.stages import Stage
from acuse.policy.timers import usual_activity
from acuse.queries.receipts import find_repeated
from acuse.queries.timers import get_timer, ticking

from .pages import show

REFUSED, INVALID = 409, 422


@for_firm
def start(request: HttpRequest, number: str) -> HttpResponse:
    """POST: my timer runs on this case; one that ran on another is stopped and put before me."""
    view, person = view_of(request, number), person_of(request)
    try:
        require_allowed("log_time", occasion_of(request, DESK, view.case))
    except Refused as refusal:
        messages.error(request, tell(refusal, person).reason)
        return redirect("desk:case", number)
    started = acts.start(view.case, by=person, at=clock.now())
    messages.success(request, _("Your timer runs on %(case)s.") % {"case": view.case.number})
    if started.stopped is None:
        return redirect("desk:case", number)
    return redirect("desk:timer", started.stopped.pk)


@for_firm
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: my timer stops, and what it counted is proposed."""
    try:
        acts.stop(pk, by=person_of(request), at=clock.now())
    except Timer.DoesNotExist as missing:
        raise Http404 from missing
    return redirect("desk:timer", pk)


@for_firm
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: what my timer counted is not logged."""
    try:
        acts.throw_away(pk, by=person_of(request), at=clock.now())
    except Timer.DoesNotExist as missing:
        raise Http404 from missing
    except InvalidField as wrong:
        messages.error(request, tell_rule(wrong))
    else:
        messages.success(request, _("Thrown away: nothing was logged."))
    return redirect("desk:day")


@for_firm
def timer(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what a timer counted, as a time entry to look over. POST: that entry is logged."""
    found = _find(request, pk)
    if request.method == "POST":
        return _log(request, found)
    if found.settled_at is not None or found.stopped_at is None:
        return _page(request, found, None)
    return _page(request, found, LogTime(found.case, found.person, initial=_proposed(found)))


def _find(request: HttpRequest, pk: int) -> Timer:
    try:
        return get_timer(person_of(request), pk)
    except Timer.DoesNotExist as missing:
        raise Http404 from missing


def _proposed(found: Timer) -> dict[str, object]:
    assert found.stopped_at is not None
    return {
        "work_date": found.case.calendar.calendar.local_day(found.started_at),
        "minutes": found.stretch(found.stopped_at).proposed,
        "activity": usual_activity(Stage(found.case.stage)),
    }


def _log(request: HttpRequest, found: Timer) -> HttpResponse:
    person = person_of(request)
    repeated = find_repeated(person, "log_time", key_of(request))
    if repeated is not None:
        return redirect("desk:receipt", f"C-{repeated.case_id}", repeated.seq)
    form, occasion = (
        LogTime(found.case, person, request.POST),
        occasion_of(request, DESK, found.case),
    )
    if not form.is_valid():
        return _page(request, found, form, status=INVALID)
    try:
        line = acts.log(found.pk, occasion, by=person, **form.to_details())
    except Refused as refusal:
        return _page(request, found, form, status=REFUSED, refusal=tell(refusal, person))
    except InvalidField as wrong:
        form.add_error(None, tell_rule(wrong))
        return _page(request, found, form, status=REFUSED)
    warnings.warn(request, line)
    return redirect("desk:receipt", f"C-{line.case_id}", line.seq)


def _page(
    request: HttpRequest,
    found: Timer,
    form: LogTime | None,
    *,
    status: int = 200,
    refusal: object = None,
) -> HttpResponse:
    stretch = ticking(found, clock.now()).stretch
    return show(
        request,
        "timer",
        status=status,
        current="day",
        timer=found,
        case=found.case,
        stretch=stretch,
        unit=found.case.rounding_minutes,
        rounded=round_minutes(stretch.minutes, found.case.rounding_minutes),
        form=form,
        refusal=refusal,
        key=key_of(request) or uuid.uuid4().hex,
    )
