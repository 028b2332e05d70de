"""The language and the time zone of whoever reads: their own, once they have signed in."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from acuse.models import Person


class OwnLanguage:
    """Signed in: the person's language and zone; otherwise what the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = request.user
        if not isinstance(person, Person):
            return self.get_response(request)
        with translation.override(person.language), timezone.override(zone_of(person)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", person.language)
            return response


def zone_of(person: Person) -> zoneinfo.ZoneInfo:
    """The person's zone; the firm's where theirs is not known to this machine."""
    try:
        return zoneinfo.ZoneInfo(person.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("America/Bogota")
