"""The hours of contracts: looked at every hour; what is to be told is told once, by mail (P09)."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from acuse.actions import contracts
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs.locks import alone
from acuse.models import BankNews, Person
from acuse.queries import hours

log = logging.getLogger(__name__)


def watch_hours(now: datetime) -> None:
    """Note what is new of the hours of contracts, and tell of what has not been told. Whoever
    cannot be reached now is tried again an hour later; nobody gets the same news twice."""
    contracts.find_bank_news(now)
    with alone("hours") as nobody_else:
        if nobody_else:
            _tell(now)


def _tell(now: datetime) -> None:
    for news in hours.untold():
        people = hours.whom_to_tell(news)
        told = set(news.told_to)
        for person in people:
            if person.pk not in told and _write_to(person, news, now):
                contracts.note_news_told(news, person)
                told.add(person.pk)
        if people and {person.pk for person in people} <= told:
            contracts.note_news_over(news, now)


def _write_to(person: Person, news: BankNews, now: datetime) -> bool:
    """Whether there is nothing more to send: a mail server took the letter, or refuses the
    address for good."""
    try:
        # The null sender: what cannot be delivered comes back to nobody, and starts no loop.
        smtp.send(config.mail_server, "", person.email, letter(person, news, now))
    except smtp.NotTaken as reason:
        log.warning("hours could not be told to person %s: %s", person.pk, reason)
        return reason.permanent
    return True


def letter(person: Person, news: BankNews, now: datetime) -> bytes:
    """The letter in the person's language; the same news has always the same Message-ID."""
    about = hashlib.sha256(f"{news.pk}/{person.pk}".encode()).hexdigest()[:32]
    with translation.override(person.language):
        said = hours.sentence(news)
        context = {"sentence": said, "link": f"{config.host}/desk/contracts/{news.contract_id}"}
        mail = EmailMultiAlternatives(
            subject=said,
            body=render_to_string("mail/hours.txt", context),
            from_email=formataddr(("Acuse", config.main_mailbox)),
            to=[formataddr((person.name, person.email))],
            headers={
                "Date": format_datetime(now),
                "Message-ID": f"<hours.{about}@{config.mail_domain}>",
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
            },
        )
        mail.attach_alternative(render_to_string("mail/hours.html", context), "text/html")
        return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
