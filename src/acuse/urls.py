"""The addresses of everything."""

from __future__ import annotations

from django.urls import include, path

from acuse.interfaces.server.health import health
from acuse.interfaces.web.profile import profile_page

urlpatterns = [
    path("health", health, name="health"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("profile", profile_page, name="profile"),
    path("desk/", include("acuse.interfaces.desk.urls")),
    path("", include("acuse.interfaces.portal.urls")),
]

handler400 = "acuse.interfaces.web.errors.bad_request"
handler403 = "acuse.interfaces.web.errors.forbidden"
handler404 = "acuse.interfaces.web.errors.missing"
handler500 = "acuse.interfaces.web.errors.failed"
