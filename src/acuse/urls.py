"""The addresses of everything."""

from __future__ import annotations

from django.urls import include, path

from acuse.interfaces.server.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
]
