"""Out of hours: an Urgent case pages who is on call until somebody acknowledges; and the rota with
its turns and hand-overs (P03, P05, P21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from ..journal.writer import Writing, act
from ..models import HandOver, HookKind, Page, Paging, Person, Rota, Turn
from ..models.oncall import able_people, managers, on_call
from ..policy import oncall
from ..policy.authors import CLOCK, Occasion
from ..policy.fields import N_, InvalidField, require_int
from ..policy.kinds import Payload
from ..policy.oncall import Line, Rung, Step, Why
from ..policy.refusals import Refused
from . import hooks, records

ROTA, TURN, HAND_OVER = "rota", "turn", "hand_over"
EMPTY = N_("must not be empty")
IN_THE_PAST = N_("must not be in the past")
ENDS_FIRST = N_("must be after the beginning")
TOO_LATE = N_("must be at most %(days)s days ahead")
OVERLAPS = N_("overlaps with the turn of %(name)s")
NOT_ABLE = N_("%(name)s does not work in support, consulting or management here")
OVER = N_("is over")
NOT_YOURS = N_("you are not on call then")
YOURSELF = N_("must be somebody else")
OFFERED = N_("you have offered this turn to %(name)s already: take that back first")
ANSWERED = N_("has been answered or taken back already")
NOT_GIVERS = N_("it is not the turn of who offered it any more")
FARTHEST = timedelta(days=400)
JUST_NOW = timedelta(days=1)  # a turn may be entered after it has begun


# On a case ----------------------------------------------------------------------------------------


@act("page")
def page(w: Writing, *, paging: Paging, sent_at: datetime, handed_over: bool = False) -> Payload:
    """The clock pages who is on call about a case that became Urgent while the firm was closed;
    without an acknowledgement in time the next in the chain, each once (P03, P05, P21). Who has
    taken the turn over is paged in place of who gave it. `sent_at`: when it really is sent, from
    which the time to acknowledge runs."""
    row = w.case.pagings.filter(pk=paging.pk, ended_at__isnull=True).first()
    if row is None:
        w.refuse("not_paged")
    known = able_people(sent_at)
    step = _handed_over(row, sent_at) if handed_over else _next(row, sent_at)
    told = [known[person] for person in step.people]
    why = _why(row, step, handed_over)
    for person in told:
        Page.objects.create(paging=row, person=person, rung=step.rung, at=sent_at)
    minutes = timedelta(minutes=_rota().minutes)
    row.next_at = None if step.rung is Rung.NOBODY else sent_at + minutes
    row.rung, row.steps = step.rung, row.steps + 1
    row.save(update_fields=["next_at", "rung", "steps"])
    w.told += told
    facts = {"rung": step.rung, "why": why, "people": list(step.people)}
    hooks.announce(HookKind.PAGE, _facts(row) | facts, sent_at)
    return {"paging": row.pk, "rung": step.rung, "why": why, "persons": list(step.people)}


def _next(row: Paging, at: datetime) -> Step:
    able = able_people(at)
    people: dict[Rung, list[int]] = {Rung.MANAGER: list(managers(at))}
    for line in Line:
        person, _gap = on_call(line, at, able)
        people[Rung(line.value)] = [person] if person is not None else []
    paged = set(row.pages.values_list("person", flat=True))
    return oncall.escalate(Rung(row.rung) if row.rung else None, people, paged)


def _handed_over(row: Paging, at: datetime) -> Step:
    person, _gap = on_call(Line(row.rung), at, able_people(at))
    return Step(Rung(row.rung), (person,) if person is not None else (), over_gap=False)


def _why(row: Paging, step: Step, handed_over: bool) -> Why:
    if handed_over:
        return Why.HANDED_OVER
    if step.over_gap:
        return Why.GAP
    return Why.URGENT if row.steps == 0 else Why.NOT_ACKNOWLEDGED


def _facts(row: Paging) -> dict[str, object]:
    """What a webhook is told of a paging: ids and codes, none of the customer's words."""
    case = row.case
    return {"case": case.pk, "number": case.number, "priority": case.priority, "paging": row.pk}


@act("acknowledge")
def acknowledge(w: Writing) -> Payload:
    """Somebody of the firm acknowledges the page and sees to the case: nobody else is paged (P03,
    P05, P21)."""
    row = w.case.pagings.filter(ended_at__isnull=True).first()
    if row is None:
        before = w.case.pagings.exclude(acknowledged_by=None).first()
        if before is not None:
            w.refuse("already_decided", by=str(before.acknowledged_by), when=before.ended_at)
        w.refuse("not_paged")
    row.acknowledged_by, row.ended_at = w.by, w.at
    row.save(update_fields=["acknowledged_by", "ended_at"])
    w.told += [page.person for page in row.pages.select_related("person")]
    hooks.announce(HookKind.ACKNOWLEDGED, _facts(row) | {"people": [w.by.pk]}, w.at)
    return {"paging": row.pk}


# The rota -----------------------------------------------------------------------------------------


def _lock() -> None:
    """Changes of the rota come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('acuse rota'))")


def _rota() -> Rota:
    return Rota.objects.first() or Rota()


@transaction.atomic
def set_rota(minutes: int, in_use: bool, *, by: Person, at: datetime) -> Rota:
    """How many minutes somebody has to acknowledge a page, and whether anybody is paged at all.
    Raises InvalidField."""
    require_int("minutes", minutes, 2, 120)
    _lock()
    row = Rota.objects.first()
    before = {"minutes": row.minutes, "in_use": row.in_use} if row is not None else {}
    after = {"minutes": minutes, "in_use": in_use}
    fields = records.compare(before, after)
    row, _new = Rota.objects.update_or_create(pk=1, defaults=after)
    if fields:
        records.note_change(ROTA, row.pk, "edit", by=by, at=at, fields=fields)
    return row


@dataclass(frozen=True)
class TurnPlan:
    """Turns of so many days each from a moment on, the people one after the other, so many times
    round; `zone`: by whose clocks each begins at the same time of day."""

    line: Line
    people: tuple[Person, ...]
    since: datetime
    days: int
    rounds: int
    zone: str


@transaction.atomic
def plan_turns(plan: TurnPlan, *, by: Person, at: datetime) -> list[Turn]:
    """Plan turns; the first that are ever planned take the rota into use. Raises InvalidField,
    and then nothing is planned."""
    _check(plan, at)
    _lock()
    wanted = oncall.rotation(
        [person.pk for person in plan.people], plan.since, plan.days, plan.rounds, plan.zone
    )
    if wanted[-1].until > at + FARTHEST:
        raise InvalidField("rounds", TOO_LATE, days=FARTHEST.days)
    taken = Turn.objects.filter(line=plan.line).between(wanted[0].since, wanted[-1].until)
    for turn in taken.select_related("person")[:1]:
        raise InvalidField("since", OVERLAPS, name=str(turn.person))
    rows = [
        Turn.objects.create(line=plan.line, person_id=t.person, since=t.since, until=t.until)
        for t in wanted
    ]
    if not Rota.objects.exists():
        Rota.objects.create()
    for row in rows:
        records.note_change(TURN, row.pk, "add", by=by, at=at, fields=_changed(row))
    return rows


def _check(plan: TurnPlan, at: datetime) -> None:
    require_int("days", plan.days, 1, 28)
    require_int("rounds", plan.rounds, 1, 52)
    if not plan.people:
        raise InvalidField("person_1", EMPTY)
    if plan.since < at - JUST_NOW:
        raise InvalidField("since", IN_THE_PAST)
    if plan.since > at + FARTHEST:  # also what no calendar could count on from
        raise InvalidField("since", TOO_LATE, days=FARTHEST.days)
    able = able_people(at)
    for number, person in enumerate(plan.people, 1):
        _require_able(f"person_{number}", person, able)


def _require_able(field: str, person: Person, able: dict[int, Person]) -> None:
    if person.pk not in able:
        raise InvalidField(field, NOT_ABLE, name=str(person))


def _changed(row: Turn | HandOver) -> dict[str, tuple[object, object]]:
    fields: dict[str, tuple[object, object]] = {
        "line": (None, row.line),
        "since": (None, row.since.isoformat()),
        "until": (None, row.until.isoformat()),
    }
    if isinstance(row, Turn):
        return fields | {"person": (None, row.person_id)}
    return fields | {"giver": (None, row.giver_id), "taker": (None, row.taker_id)}


@transaction.atomic
def end_turn(turn: Turn, *, by: Person, at: datetime) -> None:
    """A turn ends now, or does not take place. Raises InvalidField where it is over."""
    _lock()
    row = Turn.objects.select_for_update().filter(pk=turn.pk).first()
    if row is None or row.until <= at:
        raise InvalidField("until", OVER)
    fields: dict[str, tuple[object, object]] = {
        name: (before, None) for name, (_none, before) in _changed(row).items()
    }
    if row.since >= at:
        row.delete()
        records.note_change(TURN, turn.pk, "remove", by=by, at=at, fields=fields)
        return
    before, row.until = row.until, at
    row.save(update_fields=["until"])
    fields |= {
        "line": (row.line, row.line),
        "person": (row.person_id, row.person_id),
        "until": (before.isoformat(), at.isoformat()),
    }
    del fields["since"]
    records.note_change(TURN, turn.pk, "end", by=by, at=at, fields=fields)


# Hand-overs ---------------------------------------------------------------------------------------


def _holder(line: Line, at: datetime) -> int | None:
    return on_call(line, at, able_people(at))[0]


@transaction.atomic
def offer(
    line: Line, taker: Person, until: datetime, *, since: datetime | None, by: Person, at: datetime
) -> HandOver:
    """Who is on call (now, or from `since` on) offers the turn to somebody until a moment; it
    stays theirs until the other has accepted. Raises InvalidField."""
    _lock()
    begin = max(since or at, at)
    if until <= begin:
        raise InvalidField("until", ENDS_FIRST)
    if until > at + FARTHEST:
        raise InvalidField("until", TOO_LATE, days=FARTHEST.days)
    if taker.pk == by.pk:
        raise InvalidField("taker", YOURSELF)
    _require_able("taker", taker, able_people(at))
    if _holder(line, begin) != by.pk:
        raise InvalidField("since", NOT_YOURS)
    waiting = HandOver.objects.filter(line=line, giver=by, answered_at__isnull=True)
    for other in waiting.filter(since__lt=until, until__gt=begin).select_related("taker")[:1]:
        raise InvalidField("taker", OFFERED, name=str(other.taker))
    row = HandOver.objects.create(
        line=line, giver=by, taker=taker, since=begin, until=until, offered_at=at
    )
    records.note_change(HAND_OVER, row.pk, "offer", by=by, at=at, fields=_changed(row))
    return row


def _unanswered(hand_over: HandOver, at: datetime) -> HandOver:
    row = HandOver.objects.select_for_update().get(pk=hand_over.pk)
    if row.answered_at is not None:
        raise InvalidField("hand_over", ANSWERED)
    if row.until <= at:
        raise InvalidField("hand_over", OVER)
    return row


@transaction.atomic
def take_over(hand_over: HandOver, *, by: Person, at: datetime) -> None:
    """Whom it was offered to accepts the turn: from then on they are on call, and the pages that
    nobody has acknowledged go along. Raises InvalidField."""
    _lock()
    row = _unanswered(hand_over, at)
    line = Line(row.line)
    if row.taker_id != by.pk or _holder(line, max(row.since, at)) != row.giver_id:
        raise InvalidField("hand_over", NOT_GIVERS)
    _require_able("hand_over", by, able_people(at))
    row.answered_at, row.accepted = at, True
    row.save(update_fields=["answered_at", "accepted"])
    records.note_change(HAND_OVER, row.pk, "accept", by=by, at=at)
    if row.since <= at:
        _pass_pages_on(line, at)


def _pass_pages_on(line: Line, at: datetime) -> None:
    for paging in Paging.objects.open().filter(rung=line.value).order_by("case_id"):
        try:
            page(Occasion(paging.case_id, CLOCK, at), paging=paging, sent_at=at, handed_over=True)
        except Refused:  # acknowledged this moment, or the case has ended
            continue


@transaction.atomic
def decline(hand_over: HandOver, *, by: Person, at: datetime) -> None:
    """Whom it was offered to declines the turn, or who offered it takes that back. Raises
    InvalidField."""
    row = _unanswered(hand_over, at)
    if by.pk not in (row.taker_id, row.giver_id):
        raise InvalidField("hand_over", NOT_YOURS)
    row.answered_at, row.accepted = at, False
    row.save(update_fields=["answered_at", "accepted"])
    done = "decline" if by.pk == row.taker_id else "take_back"
    records.note_change(HAND_OVER, row.pk, done, by=by, at=at)
