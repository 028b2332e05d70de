"""A message that came by mail, whole: what was cut from it, and its HTML made harmless (mail
rule 14: the rest is one click away)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from acuse.interfaces.web.cleaning import framed
from acuse.interfaces.web.doors import Door, view_of
from acuse.models import Message
from acuse.queries.case import CaseView


def message_page(request: HttpRequest, number: str, pk: int, door: Door) -> HttpResponse:
    """One message as it came: the whole text, the HTML, the files."""
    view = view_of(request, number)
    context = {"door": door, "view": view, "case": view.case, "message": _find(view, pk)}
    return render(request, "shared/message.html", context)


def message_html(request: HttpRequest, number: str, pk: int, door: Door) -> HttpResponse:
    """The HTML of one message, for a frame of the page before; its own images come from the
    reader's own door, which asks again who may see them."""
    message = _find(view_of(request, number), pk)
    if not message.html:
        raise Http404
    files = message.attachments.all()
    images = {file.content_id: door.url("file", file.pk) for file in files if file.content_id}
    return framed(message.html, images)


def _find(view: CaseView, pk: int) -> Message:
    try:
        return view.get_whole_message(pk)
    except Message.DoesNotExist as missing:
        raise Http404 from missing
