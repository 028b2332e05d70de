"""The addresses of the desk, under /desk/."""

from __future__ import annotations

from django.urls import path

from acuse.interfaces.web.doors import DESK, for_firm
from acuse.interfaces.web.routes import routes

from . import boards, books, cases, inbox, mail

app_name = "desk"
urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("search", inbox.find, name="search"),
    path("cases/new", cases.new_case, name="new_case"),
    path("cases/<case:number>", cases.case, name="case"),
    *routes(DESK, for_firm),
    path("terms", boards.terms, name="terms"),
    path("comments", boards.comments, name="comments"),
    path("failures", boards.failures, name="failures"),
    path("time", boards.my_time, name="my_time"),
    path("mail", mail.mails, name="mails"),
    path("mail/<int:pk>", mail.mail, name="mail"),
    path("customers", books.customers, name="customers"),
    path("customers/<int:pk>", books.customer, name="customer"),
    path("people", books.people, name="people"),
    path("people/new", books.new_person, name="new_person"),
    path("people/<int:pk>", books.person, name="person"),
    path("people/<int:pk>/roles", books.roles, name="roles"),
    path("roles/<int:pk>/end", books.role_end, name="role_end"),
    path("calendars", books.calendars, name="calendars"),
    path("calendars/<int:pk>", books.calendar, name="calendar"),
    path("calendars/<int:pk>/years/<int:year>", books.review, name="review"),
    path("mailboxes", books.mailboxes, name="mailboxes"),
]
