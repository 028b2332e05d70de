"""The addresses of everything."""

from __future__ import annotations

from allauth.account.urls import urlpatterns as account_pages
from django.urls import include, path
from django.urls.resolvers import RoutePattern

from acuse.interfaces.api.alerts import receive as receive_alerts
from acuse.interfaces.mail.webhooks import receive
from acuse.interfaces.server.health import health
from acuse.interfaces.web import drafts
from acuse.interfaces.web.errors import closed
from acuse.interfaces.web.profile import notices_chosen, profile_page

# Signing in is by a mailed code and nothing else: allauth's other pages keep their names, which
# its own code looks up, and answer that there is no such page.
ENTRANCE = {
    "account_login",
    "account_logout",
    "account_request_login_code",
    "account_confirm_login_code",
    "account_inactive",
}
entrance = [
    page if page.name in ENTRANCE else path(str(page.pattern), closed, name=page.name)
    for page in account_pages
    if isinstance(page.pattern, RoutePattern)
]

urlpatterns = [
    path("health", health, name="health"),
    # Mailgun posts the raw message only to an address that says "mime".
    path("mail/webhooks/<slug:provider>", receive, name="mail_webhook"),
    path("mail/webhooks/<slug:provider>/mime", receive, name="mail_webhook_mime"),
    path("monitoring/alerts", receive_alerts, name="alerts"),
    path("accounts/", include(entrance)),
    path("profile", profile_page, name="profile"),
    path("profile/notices", notices_chosen, name="notices_chosen"),
    path("drafts/<str:what>", drafts.keep, name="draft"),
    path("drafts/<str:what>/files", drafts.upload, name="draft_files"),
    path("drafts/<str:what>/forgetting", drafts.forget, name="draft_forgetting"),
    path("desk/", include("acuse.interfaces.desk.urls")),
    path("", include("acuse.interfaces.portal.urls")),
]

handler400 = "acuse.interfaces.web.errors.bad_request"
handler403 = "acuse.interfaces.web.errors.forbidden"
handler404 = "acuse.interfaces.web.errors.missing"
handler500 = "acuse.interfaces.web.errors.failed"
