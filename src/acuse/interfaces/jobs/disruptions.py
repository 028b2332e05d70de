"""Mails about declared outages: one to each person and word, under a Message-ID that never
changes (P04)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from acuse.actions import disruptions
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs.letters import firm_name
from acuse.interfaces.jobs.locks import alone
from acuse.models import DisruptionLetter
from acuse.models.preferences import zone_of
from acuse.policy.disruptions import WordKind
from acuse.policy.fields import N_
from acuse.queries import words
from acuse.queries.disruptions import known_in_letter

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

SUBJECTS = {
    WordKind.DECLARED: N_("Outage: %(system)s"),
    WordKind.UPDATE: N_("Outage, how it goes: %(system)s"),
    WordKind.ENDED: N_("Outage over: %(system)s"),
}


def send_pending(clock: Clock, word_id: int | None = None) -> None:
    """Send what waits, of one word or whatever there is; one that cannot be sent stops no other."""
    waiting = disruptions.pending(clock())
    if word_id is not None:
        waiting = waiting.filter(word=word_id)
    for letter_id in list(waiting.order_by("pk").values_list("pk", flat=True)):
        with alone("disruption_letter", letter_id) as nobody_else:
            found = disruptions.pending(clock()).filter(pk=letter_id)
            letter = found.select_related("word__disruption", "person").first()
            if nobody_else and letter is not None:
                _hand_over(letter, clock)


def _hand_over(letter: DisruptionLetter, clock: Clock) -> None:
    if not letter.person.is_active or not known_in_letter(letter).environments:
        disruptions.note_dropped(letter, clock())
        return
    try:
        content = write(letter, clock())
        # The null sender: what cannot be delivered comes back to nobody, and starts no loop.
        smtp.send(config.mail_server, "", letter.person.email, content)
    except smtp.NotTaken as reason:
        disruptions.note_not_taken(letter, str(reason), clock(), for_good=reason.permanent)
    except Exception:  # a letter that cannot be written never stops the others
        log.exception("outage letter %s could not be sent", letter.pk)
        disruptions.note_not_taken(letter, traceback.format_exc(), clock())
    else:
        disruptions.note_sent(letter, clock())


def write(letter: DisruptionLetter, at: datetime) -> bytes:
    """The letter in its reader's language and time zone, naming their own systems only."""
    person, word = letter.person, letter.word
    with translation.override(person.language):
        known = known_in_letter(letter)
        zone = zone_of(person)
        context = {
            "headline": known.headline,
            "ended": known.ended and word.kind == WordKind.ENDED,
            "since": words.moment(known.disruption.since, zone, named=True),
            "text": known.latest.text,
            "link": f"{config.host}/status#outage-{known.disruption.pk}",
            "firm": firm_name(),
        }
        mail = EmailMultiAlternatives(
            subject=_(SUBJECTS[WordKind(word.kind)]) % {"system": known.name},
            body=render_to_string("mail/disruption.txt", context),
            from_email=formataddr((firm_name(), config.main_mailbox)),
            to=[formataddr((person.name, person.email))],
            headers={
                "Date": format_datetime(at),
                "Message-ID": f"<outage.{word.pk}.{person.pk}@{config.mail_domain}>",
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                **_thread(letter),
            },
        )
        mail.attach_alternative(render_to_string("mail/disruption.html", context), "text/html")
        return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]


def _thread(letter: DisruptionLetter) -> dict[str, str]:
    """What is told later stands under the first letter of the same outage."""
    first = letter.word.disruption.words.order_by("at", "pk").values_list("pk", flat=True)[0]
    if first == letter.word_id:
        return {}
    root = f"<outage.{first}.{letter.person_id}@{config.mail_domain}>"
    return {"In-Reply-To": root, "References": root}
