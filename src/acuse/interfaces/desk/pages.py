"""What all pages of the desk share: the door, and who may come in where."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from acuse.interfaces.web.doors import DESK, for_firm, person_of
from acuse.policy.stages import Role
from acuse.queries import words

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def show(request: HttpRequest, template: str, *, status: int = 200, **facts: Any) -> HttpResponse:
    """A page of the desk; `current` among the facts marks its place in the header."""
    context = {"door": DESK, **facts}
    return render(request, f"desk/{template}.html", context, status=status)


def for_roles(*roles: Role) -> Callable[[Page[P]], Page[P]]:
    """A page for certain roles of the firm; its other people are told whose it is."""

    def wrap(page: Page[P]) -> Page[P]:
        @for_firm
        @wraps(page)
        def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            held = {m.role for m in person_of(request).active_memberships()}
            if held.isdisjoint(roles):
                who = words.who_could(roles)
                return show(request, "not_yours", status=403, who=who)
            return page(request, *args, **kwargs)

        return asked

    return wrap
