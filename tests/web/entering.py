"""Entering the site in tests: a signed-in browser without JavaScript, at a moment of the test."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils.html import strip_tags

from acuse.models import Case, Person

BACKEND = "acuse.interfaces.server.accounts.Entrance"


class Browser(Client):
    """One person's browser; `door` is where their pages of a case are."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self.person = person
        self.force_login(person, backend=BACKEND)
        fresh = Person.objects.get(pk=person.pk)
        self.door = "/desk" if fresh.is_firm else ""

    def case_url(self, case: Case, noun: str = "") -> str:
        address = f"{self.door}/cases/{case.number}"
        return f"{address}/{noun}" if noun else address

    def look(self, case: Case, noun: str = "", **query: Any) -> HttpResponse:
        return self.get(self.case_url(case, noun), query)  # type: ignore[return-value]

    def send(
        self, case: Case, noun: str, confirmed: bool = True, key: str = "", **typed: Any
    ) -> HttpResponse:
        """Send the form of an act, confirmed at once unless told otherwise."""
        data = {"key": key or uuid.uuid4().hex, **typed}
        if confirmed:
            data["confirmed"] = "1"
        return self.post(self.case_url(case, noun), data)  # type: ignore[return-value]


def words_of(response: HttpResponse) -> str:
    """What a page says, in one line."""
    html = response.content.decode()
    body = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S)
    return " ".join(strip_tags(body).replace("&quot;", '"').replace("&#x27;", "'").split())


def rows(name: str, *given: dict[str, str]) -> dict[str, str]:
    """A list of rows as a form sends it."""
    data = {f"{name}-TOTAL_FORMS": str(len(given)), f"{name}-INITIAL_FORMS": "0"}
    for number, row in enumerate(given):
        data |= {f"{name}-{number}-{field}": value for field, value in row.items()}
    return data


class StoppedClock:
    """The time of the test, in place of interfaces/web/clock.now."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at
