"""The addresses of the portal."""

from __future__ import annotations

from django.urls import path

from acuse.interfaces.web.doors import PORTAL, for_customers
from acuse.interfaces.web.routes import routes

from . import demo, reporting, status, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("report", reporting.report, name="report"),
    path("report/forecast", reporting.foretold, name="forecast"),
    path("report/similar", reporting.similar, name="similar"),
    path("cases/<case:number>", views.case, name="case"),
    path("status", status.status, name="status"),
    path("organisation", views.organisation, name="organisation"),
    path("organisation/documents", views.documents, name="documents"),
    path("policy", views.policy, name="policy"),
    path("policy/<int:number>", views.policy, name="policy"),
    path("demo/", demo.index, name="demo"),
    path("demo/enter", demo.enter, name="demo_enter"),
    path("demo/mail/<int:pk>", demo.mail, name="demo_mail"),
    path("demo/mail/<int:pk>/html", demo.mail_html, name="demo_mail_html"),
    *routes(PORTAL, for_customers),
]
