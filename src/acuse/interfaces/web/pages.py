"""The pages of every act: the form with its card, the confirmation, the refusal, the receipt.

One view serves all acts at both doors. It translates a request into one call of an action.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from acuse.actions.permission import require_allowed
from acuse.actions.registry import FUNCTIONS
from acuse.interfaces.web.doors import Door, key_of, occasion_of, person_of, view_of
from acuse.models import Case, LedgerLine
from acuse.policy.fields import InvalidField
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Stage, check
from acuse.queries import words
from acuse.queries.case import CaseView
from acuse.queries.drafts import Kept, find_draft
from acuse.queries.receipts import Receipt, find_repeated, get_receipt

from .cards import card_for, in_one_line
from .consequences import CONFIRMATIONS
from .drafts import forget_sent, keep_uploads
from .forms.base import ActForm
from .forms.edits import asks_for_edit, edited
from .nouns import PAGES, ActPage
from .opening import prove_what_is_shown
from .refusals import tell, tell_rule
from .warnings import warn

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
        check(ACTS[page.act], Stage(view.case.stage), view.roles_for(page.act))
    except Refused as refusal:
        return _show(request, view, page, door, None, refusal)
    if not door.firm:  # a mail's link leads straight to the decision: that opens it too
        view = prove_what_is_shown(request, view, door)
    kept = None if door.firm else find_draft(view.person, _draft_of(page, view))
    form = page.form(view.case, view.person, initial=_asked(request, page))
    if kept is not None:
        form = _restored(page, form, kept, _asked(request, page))
    return _show(request, view, page, door, form, kept=kept)


def _draft_of(page: ActPage, view: CaseView) -> str:
    """The name under which what is typed on this page is kept."""
    return f"{page.act}:{view.case.pk}"


def _restored(page: ActPage, form: ActForm, kept: Kept, asked: dict[str, str]) -> ActForm:
    """The form as it was last typed, not judged. What is decided on is what the page says now,
    whatever it was when somebody began to type."""
    data = QueryDict(mutable=True)
    for name, values in kept.content.items():
        data.setlist(name, values)
    for name, field in form.fields.items():
        if field.widget.is_hidden:
            data[name] = str(form.get_initial_for_field(field, name) or "")
    for name, value in asked.items():
        data[name] = value
    if any(f"{rows.prefix}-TOTAL_FORMS" not in data for rows in form.rows.values()):
        return form
    restored = page.form(form.case, form.actor, data)
    restored.forget_errors()
    return restored


def _asked(request: HttpRequest, page: ActPage) -> dict[str, str]:
    """What the link has chosen already (?version=5)."""
    return {name: request.GET[name] for name in page.form.base_fields if name in request.GET}


def _post(request: HttpRequest, view: CaseView, page: ActPage, door: Door) -> HttpResponse:
    repeated = find_repeated(view.person, page.act, key_of(request))
    if repeated is not None:
        return _to_receipt(repeated, door)
    form = page.form(view.case, view.person, edited(request.POST), files=request.FILES)
    if asks_for_edit(request.POST) or "back" in request.POST:
        form.forget_errors()
        return _show(request, view, page, door, form, kept=keep_uploads(request))
    occasion = occasion_of(request, door, view.case)
    valid = form.is_valid()
    try:
        if not valid or (page.binding and "confirmed" not in request.POST):
            require_allowed(page.act, occasion)
            kept = keep_uploads(request)
            return _show(request, view, page, door, form, confirm=valid, kept=kept)
        line = FUNCTIONS[page.act](occasion, **form.to_details())
    except Refused as refusal:
        return _show(request, view, page, door, form, refusal, kept=keep_uploads(request))
    except InvalidField as invalid:
        _blame(form, invalid.field, tell_rule(invalid))
        return _show(request, view, page, door, form, kept=keep_uploads(request))
    forget_sent(request)
    warn(request, line)
    return _to_receipt(line, door)


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
    kept: Kept | None = None,
) -> HttpResponse:
    told = tell(refusal, view.person) if refusal is not None else None
    if told is not None and refusal is not None and form is not None and refusal.field:
        form.blame(refusal.field, told.reason)
    card = card_for(page, view.case, view.person, form) if form is not None else None
    context = {
        "door": door,
        "view": view,
        "case": view.case,
        "page": page,
        "title": words.act_label(page.act),
        "form": form,
        "refusal": told,
        "key": key_of(request) or uuid.uuid4().hex,
        "card": card,
        "repeated": in_one_line(card, form) if confirm and form is not None else "",
        "confirmation": _(CONFIRMATIONS.get(page.act, "")) if confirm else "",
        "back": door.case_url(view.case),
        "draft": "" if door.firm else _draft_of(page, view),
        "kept": kept,
        "restored": kept is not None and request.method == "GET",
    }
    template = "shared/confirm.html" if confirm else page.template
    return render(request, template, context, status=_status(form, told))


def _status(form: ActForm | None, told: Any) -> int:
    if told is not None:
        return REFUSED
    return INVALID if form is not None and form.is_bound and form.has_errors() else 200


def new_case_page(
    request: HttpRequest,
    form_class: type[ActForm],
    door: Door,
    template: str,
    open_case: Callable[..., LedgerLine] = FUNCTIONS["open"],
    draft: str = "",
    beside: Callable[[ActForm], dict[str, Any]] = lambda form: {},
    **context: Any,
) -> HttpResponse:
    """Report a case: the one act that has no case yet. `open_case` is called with the occasion
    and what the form gives. `draft`: the name under which the form is kept as it is written;
    `beside`: what the template shows beside the form, as it stands."""
    person = person_of(request)
    unopened = Case()
    context |= {"draft": draft}
    if request.method != "POST":
        kept = find_draft(person, draft) if draft else None
        typed = {name: kept.first(name) for name in kept.content} if kept is not None else {}
        form = form_class(unopened, person, initial=typed | request.GET.dict())
        context |= {"kept": kept, "restored": kept is not None}
        return _show_new(request, form, door, template, None, context | beside(form))
    repeated = find_repeated(person, "open", key_of(request))
    if repeated is not None:
        return _to_receipt(repeated, door)
    form = form_class(unopened, person, request.POST, files=request.FILES)
    refused = None
    if "preview" not in request.POST and form.is_valid():
        try:
            line = open_case(occasion_of(request, door, None), **form.to_details())
        except Refused as refusal:
            refused = refusal
        else:
            forget_sent(request)
            return _to_receipt(line, door)
    context |= {"kept": keep_uploads(request)} | beside(form)
    if "preview" in request.POST:
        form.forget_errors()
    return _show_new(request, form, door, template, refused, context)


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
        "key": key_of(request) or uuid.uuid4().hex,
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


def receipt_text(request: HttpRequest, number: str, seq: int, door: Door) -> HttpResponse:
    """The same receipt as a plain text to take along."""
    view = view_of(request, number)
    receipt = get_receipt(view, seq)
    if receipt is None:
        raise Http404
    zone = timezone.get_current_timezone_name()
    context = {"case": view.case, "receipt": receipt, "at": words.moment(receipt.line.at, zone)}
    text = render_to_string("shared/receipt.txt", context, request)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{receipt.line.receipt}.txt"'
    return response


def _follows(receipt: Receipt, door: Door) -> dict[str, str]:
    """Addresses of what the act left behind: another case, a file to take along."""
    found = {}
    if receipt.other_case is not None:
        found["other_url"] = door.url("case", receipt.other_case)
    if receipt.line.kind == "build_pack":
        found["pack_url"] = door.url("pack", receipt.line.case, receipt.line.seq)
    return found
