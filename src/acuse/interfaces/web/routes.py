"""The addresses that both doors have: a case's acts, receipts, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from . import files, mails, pages
from .doors import Door

View = Callable[..., HttpResponseBase]


def routes(door: Door, guard: Callable[[Any], View]) -> list[URLPattern]:
    """Addresses named act, receipt, pack, message, message_html, file; `guard` is the door's own
    (who may come in)."""
    here = {"door": door}
    act = guard(require_http_methods(["GET", "HEAD", "POST"])(pages.act_page))
    receipt = guard(require_safe(pages.receipt_page))
    pack = guard(require_safe(files.pack_page))
    file = guard(require_safe(files.file_page))
    message = guard(require_safe(mails.message_page))
    message_html = guard(require_safe(mails.message_html))
    said = "cases/<case:number>/messages/<int:pk>"
    return [
        path("cases/<case:number>/receipts/<int:seq>", receipt, here, name="receipt"),
        path("cases/<case:number>/receipts/<int:seq>/pack", pack, here, name="pack"),
        path("cases/<case:number>/<slug:noun>", act, here, name="act"),
        path(said, message, here, name="message"),
        path(f"{said}/html", message_html, here, name="message_html"),
        path("files/<int:pk>", file, here, name="file"),
    ]
