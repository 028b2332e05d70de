"""The pages for what went wrong, in our look and the reader's language, with a way out."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def closed(request: HttpRequest) -> HttpResponse:
    """An address that a library has and this product does not."""
    raise Http404


def failed(request: HttpRequest) -> HttpResponse:
    """Without a context that could fail again: nobody is looked up."""
    return HttpResponse(_FAILED, status=500)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF: a form sent without its token, mostly after signing out in another tab."""
    return render(request, "errors/expired.html", status=403)


# Spanish, English and Portuguese at once: which one the reader has is not known any more.
_FAILED = """<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Acuse</title><link rel="stylesheet" href="/static/acuse.css"></head><body><main id="main">
<h1>No pudimos mostrar esta página</h1>
<p>Falló algo de nuestro lado y quedó anotado. Nada de lo que estaba hecho se perdió.
Vuelva atrás e inténtelo de nuevo.</p>
<p lang="en">Something failed on our side and has been noted. Nothing that was done is lost.
Go back and try again.</p>
<p lang="pt">Algo falhou do nosso lado e ficou registrado. Nada do que estava feito se perdeu.
Volte e tente de novo.</p>
<p><a href="/">Acuse</a></p></main></body></html>
"""
