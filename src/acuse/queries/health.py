"""How the installation fares: what somebody who runs it has to look at, and since when.

An alarm is computed from rows and nothing else, so that the same moment gives the same alarms to
whoever asks, and one that is no longer found is over (mail rule 20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import (
    Address,
    Alarm,
    CalendarVersion,
    Heartbeat,
    ImapAccount,
    Mailbox,
    MailState,
    Notice,
    NoticeState,
    OrganisationKind,
    Person,
    RawMail,
    RoutingRule,
    RoutingState,
    SignIn,
    Transport,
)
from ..policy.fields import N_
from ..policy.routing import Outcome
from ..policy.stages import ENDED, Role
from ..policy.terms import working_minutes
from . import oncall
from .outgoing import Brake, brake
from .workload import WAITING

POLL_SILENCE = timedelta(minutes=10)
TOKEN_EDGE = timedelta(minutes=2)  # a token is replaced five minutes before its end, or not at all
PROCESS_SILENCE = timedelta(minutes=1)
HELD_MINUTES = 4 * 60  # working minutes that a held mail may wait for somebody to look at it
STANDARD = "standard"  # the firm's own calendar
MOST = 100  # alarms of one name


class AlarmName(StrEnum):
    POLL = "poll"
    TOKEN = "token"
    FAILED_MAIL = "failed_mail"
    HELD_MAIL = "held_mail"
    BRAKE = "brake"
    NOTICE = "notice"
    HEARTBEAT = "heartbeat"
    PAGE = "page"
    ROTA = "rota"
    HOOK = "hook"
    ROUTING = "routing"


WORDS = {
    AlarmName.POLL: N_("The mailbox %(about)s cannot be read."),
    AlarmName.TOKEN: N_("The sign-in to the mailbox %(about)s ends and is not renewed."),
    AlarmName.FAILED_MAIL: N_("Mail could not be read: somebody has to look at it."),
    AlarmName.HELD_MAIL: N_("Held mail has waited for more than four working hours."),
    AlarmName.BRAKE: N_("Too many strangers write: their confirmations are held back."),
    AlarmName.NOTICE: N_("A notice with legal effect on %(about)s has reached nobody."),
    AlarmName.PAGE: N_("Nobody has acknowledged the Urgent case %(about)s; all have been paged."),
    AlarmName.ROTA: N_("The firm is closed and nobody is first on call."),
    AlarmName.HOOK: N_("The webhook %(about)s takes no messages."),
    AlarmName.HEARTBEAT: N_("The process “%(about)s” gives no sign of life."),
    AlarmName.ROUTING: N_("Nobody fits for cases that wait in the queue %(about)s."),
}

PROCESSES = {
    "mail": N_("Takes mail in"),
    "poll": N_("Fetches mail from other servers"),
    "worker": N_("Reads mail, sends letters, keeps terms"),
}

COUNTED = (
    AlarmName.FAILED_MAIL,
    AlarmName.HELD_MAIL,
    AlarmName.BRAKE,
    AlarmName.NOTICE,
    AlarmName.ROUTING,
)


@dataclass(frozen=True)
class Found:
    """Something that is wrong now: which alarm, about what, and figures or an error beside it."""

    name: AlarmName
    about: str = ""
    detail: str = ""


def process_words(name: str) -> str:
    """What a process does, in the active language; "" for one that we do not know."""
    return _(PROCESSES[name]) if name in PROCESSES else ""


def alarm_words(alarm: Alarm) -> str:
    """An alarm as a sentence, in the active language."""
    return _(WORDS[AlarmName(alarm.name)]) % {"about": alarm.about}


def alarm_detail(alarm: Alarm) -> str:
    """What is known beside it, in the active language: a figure says what it counts; an error of
    a mailbox is left as it is kept."""
    if alarm.name not in COUNTED or not alarm.detail.isdecimal():
        return alarm.detail
    number = int(alarm.detail)
    if alarm.name == AlarmName.NOTICE:
        told = ngettext("%(n)s notice", "%(n)s notices", number)
    elif alarm.name == AlarmName.BRAKE:
        told = ngettext("%(n)s confirmation not sent", "%(n)s confirmations not sent", number)
    elif alarm.name == AlarmName.ROUTING:
        told = ngettext("%(n)s case", "%(n)s cases", number)
    else:
        told = ngettext("%(n)s mail", "%(n)s mails", number)
    return told % {"n": number}


def find_alarms(now: datetime, *, heard_since: datetime) -> list[Found]:
    """Everything that is wrong at `now`. A process counts as silent that has shown no sign of
    life since `heard_since`: those signs are dated by the real clock, never by the demo's."""
    return [
        *_unread_mailboxes(now),
        *_ending_tokens(now),
        *_failed_mail(),
        *_long_held(now),
        *_braked(now),
        *_unreached(),
        *_silent(heard_since),
        *_out_of_hours(now),
        *_without_anybody(),
    ]


def _accounts() -> QuerySet[ImapAccount]:
    polled = ImapAccount.objects.filter(mailbox__active=True, mailbox__transport=Transport.IMAP)
    return polled.select_related("mailbox").order_by("pk")


def _unread_mailboxes(now: datetime) -> Iterator[Found]:
    """One that has never been read counts once reading it has failed."""
    old = Q(polled_at__lte=now - POLL_SILENCE) | Q(polled_at__isnull=True, failures__gt=0)
    for account in _accounts().filter(old)[:MOST]:
        yield Found(AlarmName.POLL, account.mailbox.address, account.error)


def _ending_tokens(now: datetime) -> Iterator[Found]:
    """A token lasts an hour and is renewed early, so one near its end is one that is not renewed;
    and one that was refused says so at once."""
    ending = Q(token_until__lte=now + TOKEN_EDGE) | Q(failures__gt=0, error__startswith="token")
    for account in _accounts().exclude(sign_in=SignIn.PASSWORD).filter(ending)[:MOST]:
        yield Found(AlarmName.TOKEN, account.mailbox.address, account.error)


def _failed_mail() -> Iterator[Found]:
    count = RawMail.objects.filter(state=MailState.FAILED).count()
    if count:
        yield Found(AlarmName.FAILED_MAIL, detail=str(count))


def _long_held(now: datetime) -> Iterator[Found]:
    """Waiting is counted in the firm's own working hours: nobody is woken for it at night."""
    held = RawMail.objects.filter(state=MailState.HELD).aggregate(first=Min("arrived_at"))
    first: datetime | None = held["first"]
    kept = CalendarVersion.objects.filter(name=STANDARD).order_by("-number").first()
    if first is None or kept is None:
        return
    until = working_minutes(first, HELD_MINUTES, kept.calendar).until
    if until is not None and until <= now:
        count = RawMail.objects.filter(state=MailState.HELD).count()
        yield Found(AlarmName.HELD_MAIL, detail=str(count))


def _braked(now: datetime) -> Iterator[Found]:
    on = brake(now)
    if on is not None:
        yield Found(AlarmName.BRAKE, detail=str(on.suppressed))


def _unreached() -> Iterator[Found]:
    """Legal notices of running cases that came to nothing, until something has reached that
    person on that case since (P23)."""
    later = Notice.objects.filter(
        case=OuterRef("case"), person=OuterRef("person"), pk__gt=OuterRef("pk")
    ).filter(state=NoticeState.SENT)
    lost = (
        Notice.objects.filter(~Exists(later), legal=True)
        .filter(state__in=[NoticeState.FAILED, NoticeState.BOUNCED])
        .exclude(case__stage__in=ENDED)
    )
    cases = lost.order_by("case_id").values("case_id").annotate(count=Count("pk"))
    for row in cases[:MOST]:
        yield Found(AlarmName.NOTICE, f"C-{row['case_id']}", str(row["count"]))


def _silent(heard_since: datetime) -> Iterator[Found]:
    for beat in Heartbeat.objects.filter(at__lt=heard_since).order_by("name"):
        yield Found(AlarmName.HEARTBEAT, beat.name)


def _without_anybody() -> Iterator[Found]:
    """Open cases that routing found nobody for and nobody has taken since, by queue (P14)."""
    routing = Exists(RoutingRule.objects.filter(retired_at__isnull=True))
    lost = RoutingState.objects.filter(
        routing, outcome=Outcome.NOBODY, case__assignee__isnull=True
    ).exclude(case__stage__in=ENDED)
    queues = lost.order_by("case__queue__name").values("case__queue__name")
    for row in queues.annotate(count=Count("pk"))[:MOST]:
        yield Found(AlarmName.ROUTING, row["case__queue__name"] or "—", str(row["count"]))


def _out_of_hours(now: datetime) -> Iterator[Found]:
    for number in oncall.unheard()[:MOST]:
        yield Found(AlarmName.PAGE, number)
    if oncall.gap_now(now):
        yield Found(AlarmName.ROTA)
    for name in oncall.failed_hooks():
        yield Found(AlarmName.HOOK, name)


def open_alarms() -> list[Alarm]:
    """What is wrong and not over, the oldest first."""
    return list(Alarm.objects.filter(cleared_at__isnull=True).order_by("raised_at", "pk"))


def past_alarms(*, limit: int = 20) -> list[Alarm]:
    """The alarms that are over, the last first."""
    return list(Alarm.objects.filter(cleared_at__isnull=False).order_by("-cleared_at")[:limit])


def whom_to_tell() -> list[Person]:
    """Who is told of an alarm: managers and administrators whose address takes mail."""
    held = Q(
        memberships__until__isnull=True,
        memberships__role__in=[Role.MANAGER, Role.ADMINISTRATOR],
        memberships__organisation__kind=OrganisationKind.FIRM,
    )
    rows = Person.objects.filter(held, is_active=True).distinct().order_by("pk")
    bouncing = Address.objects.filter(
        person=OuterRef("pk"), email__iexact=OuterRef("email"), bouncing_since__isnull=False
    )
    return list(rows.filter(~Exists(bouncing)))


@dataclass(frozen=True)
class MailboxHealth:
    """One mailbox: how many mails wait there, the last that came, and how polling it goes."""

    mailbox: Mailbox
    account: ImapAccount | None
    waiting: int
    last_at: datetime | None


def mailbox_health() -> list[MailboxHealth]:
    """Every mailbox in use, by address."""
    rows = (
        Mailbox.objects.filter(active=True)
        .select_related("organisation", "queue", "imap")
        .order_by("address")
    )
    came = RawMail.objects.values("mailbox").annotate(
        last=Max("arrived_at"), waiting=Count("pk", filter=Q(state__in=WAITING))
    )
    counted = {row["mailbox"]: (row["waiting"], row["last"]) for row in came}
    return [
        MailboxHealth(
            box,
            getattr(box, "imap", None) if box.transport == Transport.IMAP else None,
            *counted.get(box.pk, (0, None)),
        )
        for box in rows
    ]


@dataclass(frozen=True)
class Backlog:
    """Mail that waits: to be read, to be looked at; and since when the oldest of each does."""

    received: int
    received_since: datetime | None
    held: int
    held_since: datetime | None
    failed: int
    failed_since: datetime | None


def backlog() -> Backlog:
    counted = {
        row["state"]: row
        for row in RawMail.objects.filter(state__in=WAITING)
        .values("state")
        .annotate(count=Count("pk"), since=Min("arrived_at"))
    }

    def of(state: MailState) -> tuple[int, datetime | None]:
        row = counted.get(state)
        return (row["count"], row["since"]) if row is not None else (0, None)

    return Backlog(*of(MailState.RECEIVED), *of(MailState.HELD), *of(MailState.FAILED))


@dataclass(frozen=True)
class Outgoing:
    """Notices on their way out, and those that came to nothing."""

    queued: int
    queued_since: datetime | None
    failed: int
    bounced: int
    suppressed: int
    brake: Brake | None


def outgoing(now: datetime) -> Outgoing:
    waiting = Q(state__in=[NoticeState.QUEUED, NoticeState.SENDING])
    counted = Notice.objects.aggregate(
        queued=Count("pk", filter=waiting),
        queued_since=Min("queued_at", filter=waiting),
        failed=Count("pk", filter=Q(state=NoticeState.FAILED)),
        bounced=Count("pk", filter=Q(state=NoticeState.BOUNCED)),
        suppressed=Count("pk", filter=Q(state=NoticeState.SUPPRESSED)),
    )
    return Outgoing(**counted, brake=brake(now))


def heartbeats() -> list[Heartbeat]:
    """The last sign of life of every process, by name."""
    return list(Heartbeat.objects.order_by("name"))
