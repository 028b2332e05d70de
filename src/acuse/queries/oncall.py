"""Out of hours, to be read: who is on call, what is planned, where the gaps are, which pages wait,
how the webhooks fare (P03, P05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Prefetch, Q

from ..models import (
    Case,
    Change,
    HandOver,
    Hook,
    HookDelivery,
    HookState,
    Page,
    Paging,
    Person,
    Rota,
    Turn,
)
from ..models.oncall import able_people, find_rota, firm_calendar, managers, rota_between
from ..policy import oncall
from ..policy.oncall import SHOWN, Gap, Line, Rung, Stretch

MOST_PAGINGS = 30
MOST_DELIVERIES = 50
MOST_CHANGES = 20
CHANGED = ("rota", "turn", "hand_over")


@dataclass(frozen=True)
class Planned:
    """A stretch of a line with the person on call, or which gap there is."""

    since: datetime
    until: datetime
    person: Person | None
    gap: Gap | None


@dataclass(frozen=True)
class LineBoard:
    """One line: who is on call now, what follows in the next days, when nobody is."""

    line: Line
    now: Planned
    coming: list[Planned]
    gaps: list[Planned]


def lines(now: datetime, *, ahead: timedelta = SHOWN) -> list[LineBoard]:
    """Both lines from a moment on. Gaps are those out of the firm's hours."""
    able, calendar = able_people(now), firm_calendar()
    boards = []
    for line in Line:
        turns, passes = rota_between(line, now, now + ahead)
        stretches = oncall.timeline(now, now + ahead, turns, passes, able)
        found = [_planned(stretch, able) for stretch in stretches]
        gaps = oncall.gaps(stretches, calendar) if calendar is not None else ()
        boards.append(LineBoard(line, found[0], found[1:], [_planned(gap, able) for gap in gaps]))
    return boards


def _planned(stretch: Stretch, able: dict[int, Person]) -> Planned:
    person = able[stretch.person] if stretch.person is not None else None
    return Planned(stretch.since, stretch.until, person, stretch.gap)


def rota() -> Rota | None:
    """The rota, in use or not; None before the first turn was planned."""
    return Rota.objects.first()


def who_is_last(now: datetime) -> list[Person]:
    """Who is paged when nobody on call has acknowledged."""
    return list(managers(now).values())


def who_can(now: datetime) -> list[Person]:
    """Who can be on call, by name."""
    return sorted(able_people(now).values(), key=str)


def turns(now: datetime) -> list[Turn]:
    """The turns that run or come, by line and beginning."""
    rows = Turn.objects.filter(until__gt=now).select_related("person")
    return list(rows.order_by("line", "since", "pk"))


def get_turn(pk: int) -> Turn:
    """Raises Turn.DoesNotExist."""
    return Turn.objects.get(pk=pk)


def offers(now: datetime) -> list[HandOver]:
    """Hand-overs that wait for an answer."""
    rows = HandOver.objects.filter(answered_at__isnull=True, until__gt=now)
    return list(rows.select_related("giver", "taker").order_by("since", "pk"))


def get_hand_over(person: Person, pk: int) -> HandOver:
    """One that concerns this person. Raises HandOver.DoesNotExist."""
    return HandOver.objects.filter(Q(giver=person) | Q(taker=person)).get(pk=pk)


def pagings(person: Person) -> list[Paging]:
    """The latest, those that nobody has acknowledged first; each with `shown`, its pages."""
    rows = Paging.objects.filter(case__in=Case.objects.visible_to(person))
    rows = rows.select_related("case__organisation", "acknowledged_by").prefetch_related(_pages())
    waiting = list(rows.open())
    known = {row.pk for row in waiting}
    past = (row for row in rows[: MOST_PAGINGS + len(known)] if row.pk not in known)
    return [*waiting, *past][: MOST_PAGINGS + len(known)]


def _pages() -> Prefetch[str]:
    return Prefetch("pages", Page.objects.select_related("person"), to_attr="shown")


def get_paging(person: Person, pk: int) -> Paging:
    """Raises Paging.DoesNotExist."""
    rows = Paging.objects.filter(case__in=Case.objects.visible_to(person))
    rows = rows.select_related("case__organisation", "acknowledged_by").prefetch_related(_pages())
    return rows.get(pk=pk)


def is_open(paging: Paging) -> bool:
    """Whether somebody has still to acknowledge it."""
    return Paging.objects.open().filter(pk=paging.pk).exists()


def find_open_paging(case: Case) -> Paging | None:
    """What pages about a case now."""
    return Paging.objects.open().filter(case=case).first()


def unheard() -> list[str]:
    """The numbers of the Urgent cases about which all have been paged and nobody has
    acknowledged."""
    rows = Paging.objects.open().filter(rung=Rung.NOBODY).order_by("case_id")
    return [f"C-{case}" for case in rows.values_list("case_id", flat=True)]


def gap_now(now: datetime) -> bool:
    """Whether the first line has nobody although the rota is in use and the firm is closed."""
    calendar = firm_calendar()
    if calendar is None or find_rota() is None or not oncall.is_closed(calendar, now):
        return False
    rows, passes = rota_between(Line.FIRST, now, now + SHOWN)
    return oncall.on_call(now, rows, passes, able_people(now))[1] is not None


def failed_hooks() -> list[str]:
    """The names of the webhooks in use whose last message that is done with was given up."""
    done = HookDelivery.objects.filter(state__in=[HookState.TAKEN, HookState.FAILED])
    last = (
        done.exclude(kind="ping")
        .filter(hook__retired_at__isnull=True)
        .order_by("hook_id", "-done_at")
        .distinct("hook_id")
    )
    rows = last.values_list("hook__name", "state")
    return sorted(name for name, state in rows if state == HookState.FAILED)


def hooks() -> list[Hook]:
    """Every webhook, those in use first; each with `last_at`, `waits` and `given_up`."""
    return list(
        Hook.objects.annotate(
            last_at=Max("deliveries__at"),
            waits=Count("deliveries", filter=Q(deliveries__state=HookState.WAITING)),
            given_up=Count("deliveries", filter=Q(deliveries__state=HookState.FAILED)),
        ).order_by("-retired_at", "name", "pk")
    )


def get_hook(pk: int) -> Hook:
    """Raises Hook.DoesNotExist."""
    return Hook.objects.get(pk=pk)


def deliveries_of(hook: Hook) -> list[HookDelivery]:
    """Its last messages, newest first."""
    return list(hook.deliveries.all()[:MOST_DELIVERIES])


def open_ids() -> set[int]:
    """The ids of the pagings that somebody has still to acknowledge."""
    return set(Paging.objects.open().values_list("pk", flat=True))


def zone() -> str:
    """By whose clocks turns begin at the same time of day: the firm's."""
    calendar = firm_calendar()
    return calendar.zone if calendar is not None else "UTC"


def changes() -> list[tuple[Change, dict[int, str]]]:
    """The last changes of the rota, its turns and hand-overs, each with the names of the people
    (by id) that it speaks of."""
    rows = list(
        Change.objects.filter(subject__in=CHANGED)
        .select_related("by")
        .order_by("-pk")[:MOST_CHANGES]
    )
    ids = {
        value
        for row in rows
        for name in ("person", "giver", "taker")
        for value in row.fields.get(name, ())
        if value is not None
    }
    names = {person.pk: str(person) for person in Person.objects.filter(pk__in=ids)}
    return [(row, names) for row in rows]
