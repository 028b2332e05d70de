"""The addresses that both doors have: a case's acts, receipts, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from . import files, pages
from .doors import Door

View = Callable[..., HttpResponseBase]


def routes(door: Door, guard: Callable[[Any], View]) -> list[URLPattern]:
    """Addresses named act, receipt, pack, file; `guard` is the door's own (who may come in)."""
    here = {"door": door}
    act = guard(require_http_methods(["GET", "HEAD", "POST"])(pages.act_page))
    receipt = guard(require_safe(pages.receipt_page))
    pack = guard(require_safe(files.pack_page))
    file = guard(require_safe(files.file_page))
    return [
        path("cases/<case:number>/receipts/<int:seq>", receipt, here, name="receipt"),
        path("cases/<case:number>/receipts/<int:seq>/pack", pack, here, name="pack"),
        path("cases/<case:number>/<slug:noun>", act, here, name="act"),
        path("files/<int:pk>", file, here, name="file"),
    ]
