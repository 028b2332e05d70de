"""The pages of every act: the form with its card, the confirmation, the refusal, the receipt.

One view serves all acts at both doors. It translates a request into one call of an action.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from acuse.actions.permission import require_allowed
from acuse.actions.registry import FUNCTIONS
from acuse.interfaces.web.doors import Door, occasion_of, person_of, view_of
from acuse.models import Case, LedgerLine
from acuse.policy.fields import InvalidField
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Stage, check
from acuse.queries import words
from acuse.queries.case import CaseView
from acuse.queries.receipts import Receipt, find_repeated, get_receipt

from .cards import card_for
from .consequences import CONFIRMATIONS
from .forms.base import MOST_ROWS, ActForm
from .nouns import PAGES, ActPage
from .opening import prove_what_is_shown
from .refusals import tell, tell_rule

REFUSED, INVALID = 409, 422


def act_page(request: HttpRequest, number: str, noun: str, door: Door) -> HttpResponse:
    """One act on one case: shown on GET, done on POST. Status 404 for what the person may not
    see, 409 for a refusal, 422 for a form with errors."""
    view = view_of(request, number)
    if noun not in PAGES:
        raise Http404(noun)
    page = PAGES[noun]
    if request.method == "POST":
        return _post(request, view, page, door)
    try:
        check(ACTS[page.act], Stage(view.case.stage), view.roles)
    except Refused as refusal:
        return _show(request, view, page, door, None, refusal)
    if not door.firm:  # a mail's link leads straight to the decision: that opens it too
        view = prove_what_is_shown(request, view, door)
    form = page.form(view.case, view.person, initial=_asked(request, page))
    return _show(request, view, page, door, form)


def _asked(request: HttpRequest, page: ActPage) -> dict[str, str]:
    """What the link has chosen already (?version=5)."""
    return {name: request.GET[name] for name in page.form.base_fields if name in request.GET}


def _post(request: HttpRequest, view: CaseView, page: ActPage, door: Door) -> HttpResponse:
    repeated = find_repeated(view.person, page.act, request.POST.get("key", ""))
    if repeated is not None:
        return _to_receipt(repeated, door)
    form = page.form(view.case, view.person, _with_another_row(request), files=request.FILES)
    if "add_row" in request.POST or "back" in request.POST:
        form.forget_errors()
        return _show(request, view, page, door, form)
    occasion = occasion_of(request, door, view.case)
    valid = form.is_valid()
    try:
        if not valid or (page.binding and "confirmed" not in request.POST):
            require_allowed(page.act, occasion)
            return _show(request, view, page, door, form, confirm=valid)
        line = FUNCTIONS[page.act](occasion, **form.to_details())
    except Refused as refusal:
        return _show(request, view, page, door, form, refusal)
    except InvalidField as invalid:
        _blame(form, invalid.field, tell_rule(invalid))
        return _show(request, view, page, door, form)
    return _to_receipt(line, door)


def _with_another_row(request: HttpRequest) -> QueryDict:
    """The data, with one more row in the list whose button was pressed."""
    prefix = request.POST.get("add_row", "")
    count = f"{prefix}-TOTAL_FORMS"
    if not request.POST.get(count, "").isdigit():
        return request.POST
    data = request.POST.copy()
    data[count] = str(min(MOST_ROWS, int(str(data[count])) + 1))
    return data


def _blame(form: ActForm, field: str, message: str) -> None:
    if not form.blame(field, message):
        form.add_error(None, message)


def _show(
    request: HttpRequest,
    view: CaseView,
    page: ActPage,
    door: Door,
    form: ActForm | None,
    refusal: Refused | None = None,
    confirm: bool = False,
) -> HttpResponse:
    told = tell(refusal, view.person) if refusal is not None else None
    if told is not None and refusal is not None and form is not None and refusal.field:
        form.blame(refusal.field, told.reason)
    context = {
        "door": door,
        "view": view,
        "case": view.case,
        "page": page,
        "title": words.act_label(page.act),
        "form": form,
        "refusal": told,
        "key": request.POST.get("key") or uuid.uuid4().hex,
        "card": card_for(page, view.case, view.person, form) if form is not None else None,
        "confirmation": _(CONFIRMATIONS.get(page.act, "")) if confirm else "",
        "back": door.case_url(view.case),
    }
    template = "shared/confirm.html" if confirm else "shared/act.html"
    return render(request, template, context, status=_status(form, told))


def _status(form: ActForm | None, told: Any) -> int:
    if told is not None:
        return REFUSED
    return INVALID if form is not None and form.is_bound and form.has_errors() else 200


def new_case_page(
    request: HttpRequest, form_class: type[ActForm], door: Door, template: str, **context: Any
) -> HttpResponse:
    """Report a case: the one act that has no case yet."""
    person = person_of(request)
    unopened = Case()
    if request.method != "POST":
        form = form_class(unopened, person, initial=request.GET.dict())
        return _show_new(request, form, door, template, None, context)
    repeated = find_repeated(person, "open", request.POST.get("key", ""))
    if repeated is not None:
        return _to_receipt(repeated, door)
    form = form_class(unopened, person, request.POST, files=request.FILES)
    if not form.is_valid():
        return _show_new(request, form, door, template, None, context)
    try:
        line = FUNCTIONS["open"](occasion_of(request, door, None), **form.to_details())
    except Refused as refusal:
        return _show_new(request, form, door, template, refusal, context)
    return _to_receipt(line, door)


def _show_new(
    request: HttpRequest,
    form: ActForm,
    door: Door,
    template: str,
    refusal: Refused | None,
    context: dict[str, Any],
) -> HttpResponse:
    told = tell(refusal, person_of(request)) if refusal is not None else None
    if told is not None and refusal is not None and refusal.field:
        form.blame(refusal.field, told.reason)
    shown = {
        "door": door,
        "title": words.act_label("open"),
        "form": form,
        "refusal": told,
        "key": request.POST.get("key") or uuid.uuid4().hex,
        **context,
    }
    return render(request, template, shown, status=_status(form, told))


def _to_receipt(line: LedgerLine, door: Door) -> HttpResponse:
    return redirect(door.url("receipt", f"C-{line.case_id}", line.seq))


def receipt_page(request: HttpRequest, number: str, seq: int, door: Door) -> HttpResponse:
    """The receipt (acuse) of one act: number, who, when, what, and its place in the chain."""
    view = view_of(request, number)
    receipt = get_receipt(view, seq)
    if receipt is None:
        raise Http404
    context = {"door": door, "view": view, "case": view.case, "receipt": receipt}
    return render(request, "shared/receipt.html", context | _follows(receipt, door))


def _follows(receipt: Receipt, door: Door) -> dict[str, str]:
    """Addresses of what the act left behind: another case, a file to take along."""
    found = {}
    if receipt.other_case is not None:
        found["other_url"] = door.url("case", receipt.other_case)
    if receipt.line.kind == "build_pack":
        found["pack_url"] = door.url("pack", receipt.line.case, receipt.line.seq)
    return found
