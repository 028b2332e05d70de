"""How mail fares: mailboxes, what waits, what goes out, the processes, the alarms."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from acuse.actions import alarms
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.heartbeat import is_fresh
from acuse.interfaces.web.polled import tell
from acuse.models import Alarm
from acuse.policy.stages import Role
from acuse.queries import health as questions
from acuse.queries.health import AlarmName
from acuse.queries.outgoing import list_unsent

from .notices import sends
from .pages import for_roles, show

RUN = (Role.MANAGER, Role.ADMINISTRATOR)
MOST_UNSENT = 20
PLACES: dict[str, tuple[str, str]] = {
    AlarmName.POLL: ("desk:mailboxes", ""),
    AlarmName.TOKEN: ("desk:mailboxes", ""),
    AlarmName.FAILED_MAIL: ("desk:mails", "?state=failed"),
    AlarmName.HELD_MAIL: ("desk:mails", "?state=held"),
    AlarmName.NOTICE: ("desk:failures", ""),
    AlarmName.PAGE: ("desk:oncall", ""),
    AlarmName.ROTA: ("desk:oncall", ""),
    AlarmName.HOOK: ("desk:hooks", ""),
    AlarmName.ROUTING: ("desk:inbox", "?view=unassigned"),
}


@for_firm
def health(request: HttpRequest) -> HttpResponse:
    """GET: everything at a glance; nothing is asked of any other server."""
    person, now, real = person_of(request), clock.now(), timezone.now()
    return show(
        request,
        "health",
        current="health",
        alarms=[(alarm, *_words(alarm), _where(alarm)) for alarm in questions.open_alarms()],
        past=[(alarm, questions.alarm_words(alarm)) for alarm in questions.past_alarms()],
        mailboxes=[
            (row, tell(row.account.error) if row.account else "")
            for row in questions.mailbox_health()
        ],
        backlog=questions.backlog(),
        outgoing=questions.outgoing(now),
        unsent=list_unsent(person, size=MOST_UNSENT),
        sends=sends(request),
        beats=[
            (beat, questions.process_words(beat.name), is_fresh(beat.at, real))
            for beat in questions.heartbeats()
        ],
        now=now,
        runs=person.is_manager or person.is_administrator,
    )


def _words(alarm: Alarm) -> tuple[str, str]:
    """An alarm as a sentence, and what is known beside it."""
    polled = alarm.name in (AlarmName.POLL, AlarmName.TOKEN)
    known = questions.alarm_detail(alarm)
    return questions.alarm_words(alarm), tell(known) if polled else known


def _where(alarm: Alarm) -> str:
    """The page where one sees what an alarm is about; "" if that is this page."""
    name, narrowed = PLACES.get(alarm.name, ("", ""))
    return reverse(name) + narrowed if name else ""


@for_roles(*RUN)
def look_again(request: HttpRequest) -> HttpResponse:
    """POST: the alarms as they are this moment, without waiting for the minute to end."""
    heard_since = timezone.now() - questions.PROCESS_SILENCE
    now = clock.now()
    alarms.settle(questions.find_alarms(now, heard_since=heard_since), now)
    messages.success(request, _("The alarms have been looked for again."))
    return redirect("desk:mail_health")
