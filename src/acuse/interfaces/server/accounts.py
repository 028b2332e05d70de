"""How people enter: allauth's adapter, closed to sign-up; and who they are on every request."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from acuse.models import Person
from acuse.models.people import get_people


class ClosedAdapter(DefaultAccountAdapter):
    """People are made by their firm or by their first mail, never by a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always closed."""
        return False


class Entrance(AuthenticationBackend):
    """allauth's way in; a signed-in person is read with what they are at once, on every page."""

    def get_user(self, user_id: int) -> Person | None:
        """The person of a session; None once they are no longer active."""
        return next((person for person in get_people([int(user_id)]) if person.is_active), None)
