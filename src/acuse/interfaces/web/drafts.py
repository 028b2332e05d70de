"""Nothing typed is lost: what a form holds is kept on the server while it is written, with the
files uploaded for it, and forgotten once it is sent. Both doors share these addresses."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from acuse.actions import drafting
from acuse.interfaces.web import clock, uploads
from acuse.interfaces.web.doors import DESK, PORTAL, entered, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.policy.fields import InvalidField, find_int
from acuse.queries.drafts import Kept, find_draft

INVALID = 422
# Of a form, but nothing that somebody typed.
NOT_TYPED = frozenset(
    {"csrfmiddlewaretoken", "key", "draft", "kept", "add_row", "back", "confirmed", "preview"}
)


@require_POST
@entered
def keep(request: HttpRequest, what: str) -> HttpResponse:
    """Keep a form as it is now: 204, or 422 with the reason in words."""
    content = {
        name: [str(value) for value in values]
        for name, values in request.POST.lists()
        if name not in NOT_TYPED
    }
    try:
        drafting.keep_draft(person_of(request), what, content, at=clock.now())
    except InvalidField as invalid:
        return _refuse(invalid)
    return HttpResponse(status=204)


@require_POST
@entered
def upload(request: HttpRequest, what: str) -> HttpResponse:
    """Keep one file for a form: its line in the form's list, or 422 with the reason in words."""
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse(status=INVALID)
    if not _fits(file.size):
        return _say(_("“%(name)s” is larger than 25 MB.") % {"name": file.name})
    try:
        [stored] = uploads.keep([file])
        row = drafting.keep_file(person_of(request), what, stored, at=clock.now())
    except InvalidField as invalid:
        return _refuse(invalid)
    return render(request, "shared/kept_file.html", {"file": row})


@require_POST
@entered
def forget(request: HttpRequest, what: str) -> HttpResponse:
    """Throw a draft away, and show its form as new."""
    person = person_of(request)
    drafting.forget_draft(person, what)
    door = DESK if person.is_firm else PORTAL
    _form, _, case = what.partition(":")
    if (number := find_int(case)) is not None:
        return redirect(door.url("case", f"C-{number}"))
    return redirect(door.url("new_case" if person.is_firm else "report"))


def forget_sent(request: HttpRequest) -> None:
    """What the form was a draft of has been sent."""
    if what := request.POST.get("draft", ""):
        drafting.forget_draft(person_of(request), what)


def keep_uploads(request: HttpRequest) -> Kept | None:
    """A form that is shown once more keeps the files that came with it: a browser does not. The
    draft of which the form is; nothing for a form that has none."""
    what = request.POST.get("draft", "")
    if not what:
        return None
    person, came = person_of(request), request.FILES.getlist("files")
    try:
        for file in uploads.keep(file for file in came if _fits(file.size)):
            drafting.keep_file(person, what, file, at=clock.now())
    except InvalidField:  # too many: the form says how many it takes
        pass
    return find_draft(person, what)


def _fits(size: int | None) -> bool:
    return size is not None and size <= uploads.LARGEST


def _refuse(invalid: InvalidField) -> HttpResponse:
    return _say(tell_rule(invalid))


def _say(reason: str) -> HttpResponse:
    return HttpResponse(reason, status=INVALID, content_type="text/plain; charset=utf-8")
