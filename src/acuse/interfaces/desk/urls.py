"""The addresses of the desk, under /desk/."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from acuse.interfaces.web.doors import DESK, for_firm
from acuse.interfaces.web.routes import routes

from . import boards, books, cases, contracts, customers, health, inbox, mail, mailboxes, monitoring

PARTS = ("area", "entity", "environment")
either = require_http_methods(["GET", "HEAD", "POST"])

app_name = "desk"
urlpatterns = [
    path("", require_safe(inbox.inbox), name="inbox"),
    path("search", require_safe(inbox.find), name="search"),
    path("cases/new", either(cases.new_case), name="new_case"),
    path("cases/<case:number>", require_safe(cases.case), name="case"),
    *routes(DESK, for_firm),
    path("terms", require_safe(boards.terms), name="terms"),
    path("comments", require_safe(boards.comments), name="comments"),
    path("failures", require_safe(boards.failures), name="failures"),
    path("time", require_safe(boards.my_time), name="my_time"),
    path("mail", require_safe(mail.mails), name="mails"),
    path("mail/health", require_safe(health.health), name="mail_health"),
    path("mail/health/alarms", require_POST(health.look_again), name="look_again"),
    path("mail/dismissals", require_POST(mail.dismiss_several), name="mail_dismissals"),
    path("mail/<int:pk>", require_safe(mail.mail), name="mail"),
    path("mail/<int:pk>/html", require_safe(mail.mail_html), name="mail_html"),
    path("mail/<int:pk>/raw", require_safe(mail.mail_raw), name="mail_raw"),
    path("mail/<int:pk>/files/<int:number>", require_safe(mail.mail_file), name="mail_file"),
    path("mail/<int:pk>/<slug:noun>", require_POST(mail.decide), name="mail_decision"),
    path("customers", require_safe(books.customers), name="customers"),
    path("customers/new", either(customers.new_customer), name="new_customer"),
    path("customers/<int:pk>", require_safe(books.customer), name="customer"),
    path("customers/<int:pk>/facts", either(customers.customer_facts), name="customer_facts"),
    path(
        "customers/<int:pk>/retirement",
        require_POST(customers.customer_retirement),
        name="customer_retirement",
    ),
    path(
        "customers/<int:pk>/restoration",
        require_POST(customers.customer_restoration),
        name="customer_restoration",
    ),
    *(
        path(
            f"customers/<int:pk>/{kind}/new",
            either(customers.new_part),
            {"kind": kind},
            f"new_{kind}",
        )
        for kind in PARTS
    ),
    *(
        path(
            f"customers/<int:pk>/{kind}/<int:number>", either(customers.part), {"kind": kind}, kind
        )
        for kind in PARTS
    ),
    path("customers/<int:pk>/contracts/new", either(contracts.new_contract), name="new_contract"),
    path("contracts/<int:pk>", require_safe(contracts.contract), name="contract"),
    path("contracts/<int:pk>/versions/new", either(contracts.new_version), name="new_version"),
    path("people", require_safe(books.people), name="people"),
    path("people/new", either(books.new_person), name="new_person"),
    path("people/<int:pk>", require_safe(books.person), name="person"),
    path("people/<int:pk>/roles", require_POST(books.roles), name="roles"),
    path("people/<int:pk>/facts", either(customers.person_facts), name="person_facts"),
    path(
        "people/<int:pk>/retirement",
        require_POST(customers.person_retirement),
        name="person_retirement",
    ),
    path(
        "people/<int:pk>/restoration",
        require_POST(customers.person_restoration),
        name="person_restoration",
    ),
    path("roles/<int:pk>/end", either(books.role_end), name="role_end"),
    path("calendars", require_safe(books.calendars), name="calendars"),
    path("calendars/<int:pk>", require_safe(books.calendar), name="calendar"),
    path("calendars/<int:pk>/years/<int:year>", either(books.review), name="review"),
    path("mailboxes", require_safe(mailboxes.mailboxes), name="mailboxes"),
    path("mailboxes/new", either(mailboxes.new_mailbox), name="new_mailbox"),
    path("mailboxes/<int:pk>", require_safe(mailboxes.mailbox), name="mailbox"),
    path("mailboxes/<int:pk>/facts", require_POST(mailboxes.facts), name="mailbox_facts"),
    path("mailboxes/<int:pk>/account", require_POST(mailboxes.account), name="mailbox_account"),
    path("mailboxes/<int:pk>/trial", require_POST(mailboxes.trial), name="mailbox_trial"),
    path(
        "mailboxes/<int:pk>/retirement",
        require_POST(mailboxes.retirement),
        name="mailbox_retirement",
    ),
    path(
        "mailboxes/<int:pk>/restoration",
        require_POST(mailboxes.restoration),
        name="mailbox_restoration",
    ),
    path("monitoring", require_safe(monitoring.monitoring), name="monitoring"),
    path("monitoring/<int:pk>", require_safe(monitoring.environment), name="environment_status"),
    path("monitoring/<int:pk>/checks", either(monitoring.new_check), name="new_check"),
    path(
        "monitoring/<int:pk>/maintenance", require_POST(monitoring.maintenance), name="maintenance"
    ),
    path("monitoring/<int:pk>/sources", require_POST(monitoring.new_source), name="new_source"),
    path(
        "maintenance/<int:pk>/end",
        require_POST(monitoring.maintenance_end),
        name="maintenance_end",
    ),
    path("checks/<int:pk>", require_safe(monitoring.check), name="check"),
    path("checks/<int:pk>/facts", require_POST(monitoring.check_facts), name="check_facts"),
    path(
        "checks/<int:pk>/retirement",
        require_POST(monitoring.check_retirement),
        name="check_retirement",
    ),
    path(
        "checks/<int:pk>/restoration",
        require_POST(monitoring.check_restoration),
        name="check_restoration",
    ),
    path("alert-sources/<int:pk>", require_safe(monitoring.source), name="alert_source"),
    path(
        "alert-sources/<int:pk>/token",
        require_POST(monitoring.source_token),
        name="alert_source_token",
    ),
    path(
        "alert-sources/<int:pk>/retirement",
        require_POST(monitoring.source_retirement),
        name="alert_source_retirement",
    ),
]
