"""How people enter: allauth's adapter, closed to sign-up."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAdapter(DefaultAccountAdapter):
    """People are made by their firm or by their first mail, never by a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always closed."""
        return False
