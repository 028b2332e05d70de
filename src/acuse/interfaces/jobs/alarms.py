"""Alarms: looked for every minute, and told by mail to the firm's managers and administrators."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from acuse.actions import alarms
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs.locks import alone
from acuse.models import Alarm, Person
from acuse.policy.letters import HTML_CLASS
from acuse.queries import health, words

log = logging.getLogger(__name__)


def watch_over(now: datetime) -> None:
    """Raise what is wrong, clear what no longer is, and tell of what nobody has been told."""
    # Signs of life are dated by the real clock, which the demo's may be ahead of.
    heard_since = timezone.now() - health.PROCESS_SILENCE
    alarms.settle(health.find_alarms(now, heard_since=heard_since), now)
    tell(now)


def tell(now: datetime) -> None:
    """Write to each of the people who are to know, about all that they do not know yet. Whoever
    cannot be reached now is tried again a minute later; nobody gets the same alarm twice."""
    with alone("alarms") as nobody_else:
        waiting = alarms.untold() if nobody_else else []
        if not waiting:
            return
        people = health.whom_to_tell()
        for person in people:
            news = [alarm for alarm in waiting if person.pk not in alarm.told_to]
            if news:
                _write_to(person, news, now)
        alarms.note_all_told(waiting, people, now)


def _write_to(person: Person, news: list[Alarm], now: datetime) -> None:
    try:
        # The null sender: what cannot be delivered comes back to nobody, and starts no loop.
        smtp.send(config.mail_server, "", person.email, letter(person, news, now))
    except smtp.NotTaken as reason:
        log.warning("alarms could not be told to person %s: %s", person.pk, reason)
        if reason.permanent:
            alarms.note_unreachable(person, now)
    else:
        alarms.note_told(news, person)


def letter(person: Person, news: list[Alarm], now: datetime) -> bytes:
    """The letter about some alarms, in the person's language; the same alarms have always the
    same Message-ID."""
    with translation.override(person.language):
        context = {
            "alarms": [
                (health.alarm_words(alarm), words.moment(alarm.raised_at, person.zone, named=True))
                for alarm in news
            ],
            "html_class": HTML_CLASS,
            "link": f"{config.host}/desk/mail/health",
        }
        subject = ngettext("%(n)s alarm of Acuse", "%(n)s alarms of Acuse", len(news))
        mail = EmailMultiAlternatives(
            subject=subject % {"n": len(news)},
            body=render_to_string("mail/alarm.txt", context),
            from_email=formataddr(("Acuse", config.main_mailbox)),
            to=[formataddr((person.name, person.email))],
            headers={
                "Date": format_datetime(now),
                "Message-ID": _message_id(person, news),
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
            },
        )
        mail.attach_alternative(render_to_string("mail/alarm.html", context), "text/html")
        return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]


def _message_id(person: Person, news: list[Alarm]) -> str:
    about = "/".join(str(number) for number in [person.pk, *(alarm.pk for alarm in news)])
    digest = hashlib.sha256(about.encode()).hexdigest()[:32]
    return f"<alarm.{digest}@{config.mail_domain}>"
