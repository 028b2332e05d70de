"""A door: through which of the two sets of pages an act comes, and what its pages look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import register_converter, reverse
from django.utils.cache import patch_cache_control

from acuse.interfaces.web import clock
from acuse.models import Case, Person
from acuse.policy import authors
from acuse.policy.authors import Author, Channel, Occasion
from acuse.queries.case import CaseView, get_case

P = ParamSpec("P")


@dataclass(frozen=True)
class Door:
    """`name`: the namespace of its addresses (case, act, receipt, file, new_case); `base`: the
    template its pages extend; `firm`: whose door it is."""

    name: str
    channel: Channel
    base: str
    firm: bool

    def url(self, page: str, *args: object) -> str:
        return reverse(f"{self.name}:{page}", args=args)

    def case_url(self, case: Case) -> str:
        return self.url("case", case.number)


PORTAL = Door("portal", Channel.PORTAL, "portal/base.html", firm=False)
DESK = Door("desk", Channel.DESK, "desk/base.html", firm=True)


class CaseNumber:
    """C-17 in an address."""

    regex = "[Cc]-[0-9]{1,12}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(CaseNumber, "case")


def person_of(request: HttpRequest) -> Person:
    """Who asks; only behind `entered`."""
    person = request.user
    assert isinstance(person, Person)
    return person


def author_of(request: HttpRequest, door: Door) -> Author:
    """The author of whatever this request does: the one place where a request becomes one."""
    return authors.person(person_of(request).pk, door.channel)


def key_of(request: HttpRequest) -> str:
    """The key that the form carried, as a database can hold it; empty where there is none."""
    return request.POST.get("key", "").replace("\0", "")[:100]


def occasion_of(request: HttpRequest, door: Door, case: Case | None) -> Occasion:
    """On which case, by whom, when; with the key that the form carried."""
    on = case.pk if case is not None else None
    return Occasion(on, author_of(request, door), clock.now(), key_of(request))


def view_of(request: HttpRequest, number: str) -> CaseView:
    """The case in the eyes of who asks. Raises Http404: not allowed looks like missing."""
    person = person_of(request)
    try:
        return CaseView(get_case(person, number), person, clock.now())
    except Case.DoesNotExist as missing:
        raise Http404(number) from missing


Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def entered(page: Page[P]) -> Page[P]:
    """A page for people who have signed in; never kept by a cache on the way."""

    @wraps(page)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = page(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    guarded: Any = login_required(asked)
    return guarded


def for_firm(page: Page[P]) -> Page[P]:
    """A page of the desk: to everybody else it does not exist."""

    @wraps(page)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not person_of(request).is_firm:
            raise Http404
        return page(request, *args, **kwargs)

    return entered(asked)


def for_customers(page: Page[P]) -> Page[P]:
    """A page of the portal: somebody of the firm is shown the same page of the desk instead,
    with what they sent, so that a link in a mail works for both sides."""

    @wraps(page)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if person_of(request).is_firm:
            return HttpResponseRedirect(f"/desk{request.get_full_path()}", preserve_request=True)
        return page(request, *args, **kwargs)

    return entered(asked)
