"""The addresses that both doors have: a case's acts, receipts, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import files, mails, notices, pages
from .doors import Door

View = Callable[..., HttpResponseBase]


def routes(door: Door, guard: Callable[[Any], View]) -> list[URLPattern]:
    """Addresses named act, receipt, receipt_text, pack, message, message_html, file, notices,
    notice_reading, notices_reading; `guard` is the door's own (who may come in)."""
    here = {"door": door}
    act = guard(require_http_methods(["GET", "HEAD", "POST"])(pages.act_page))
    receipt = guard(require_safe(pages.receipt_page))
    as_text = guard(require_safe(pages.receipt_text))
    pack = guard(require_safe(files.pack_page))
    file = guard(require_safe(files.file_page))
    message = guard(require_safe(mails.message_page))
    message_html = guard(require_safe(mails.message_html))
    notices_page = guard(require_safe(notices.notices_page))
    notice_reading = guard(require_POST(notices.notice_reading))
    notices_reading = guard(require_POST(notices.notices_reading))
    said = "cases/<case:number>/messages/<int:pk>"
    return [
        path("cases/<case:number>/receipts/<int:seq>", receipt, here, name="receipt"),
        path("cases/<case:number>/receipts/<int:seq>/text", as_text, here, name="receipt_text"),
        path("cases/<case:number>/receipts/<int:seq>/pack", pack, here, name="pack"),
        path("cases/<case:number>/<slug:noun>", act, here, name="act"),
        path(said, message, here, name="message"),
        path(f"{said}/html", message_html, here, name="message_html"),
        path("files/<int:pk>", file, here, name="file"),
        path("notices", notices_page, here, name="notices"),
        path("notices/reading", notices_reading, here, name="notices_reading"),
        path("notices/<int:pk>/reading", notice_reading, here, name="notice_reading"),
    ]
