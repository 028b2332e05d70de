"""The addresses of the desk, under /desk/."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from acuse.interfaces.web.doors import DESK, for_firm
from acuse.interfaces.web.routes import routes

from . import boards, books, cases, health, inbox, mail, mailboxes

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
    path("customers/<int:pk>", require_safe(books.customer), name="customer"),
    path("people", require_safe(books.people), name="people"),
    path("people/new", either(books.new_person), name="new_person"),
    path("people/<int:pk>", require_safe(books.person), name="person"),
    path("people/<int:pk>/roles", require_POST(books.roles), name="roles"),
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
]
