"""The brakes on confirmations: nobody can make us write to somebody without end (mail rule 12)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acuse.actions import life, mail, notices
from acuse.connectors import smtp
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake
from acuse.models import (
    Address,
    Case,
    Mailbox,
    MailState,
    Notice,
    NoticeState,
    Person,
    RawMail,
    Suppression,
)
from acuse.policy.brakes import (
    ANSWER_TIME,
    CLOCK_ERROR,
    GLOBAL,
    TO_KNOWN,
    TO_STRANGERS,
    Confirmed,
    Limit,
    find_brake,
    may_answer,
)
from acuse.queries import outgoing
from tests.mail.post import arrived, kept, postman, written
from tests.world import HOUR, START, World

MINUTE = timedelta(minutes=1)


@dataclass
class Sent:
    """What went out, as the tables would count it."""

    gone: list[tuple[datetime, str]] = field(default_factory=list)

    def counted(self, to: str, now: datetime) -> Callable[[Limit], Sequence[datetime]]:
        def taken(limit: Limit) -> list[datetime]:
            end = {"address": to, "domain": to.partition("@")[2], "all": ""}[limit.scope]
            return [
                at for at, other in self.gone if other.endswith(end) and at > now - limit.within
            ]

        return taken


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 40),  # minutes since the one before
        st.sampled_from([f"{n}@{d}.example" for n in "abc" for d in ("robot", "otra")]),
    ),
    max_size=150,
)


@given(arrivals=ARRIVALS)
def test_random_arrivals_never_exceed_a_limit(arrivals: list[tuple[int, str]]) -> None:
    sent, now = Sent(), START
    for minutes, to in arrivals:
        now += minutes * MINUTE
        if find_brake(TO_STRANGERS, sent.counted(to, now)) is None:
            sent.gone.append((now, to))
    for limit in TO_STRANGERS:
        groups: dict[str, list[datetime]] = {}
        for at, to in sent.gone:
            scope = {"address": to, "domain": to.partition("@")[2], "all": ""}[limit.scope]
            groups.setdefault(scope, []).append(at)
        for moments in groups.values():
            for at in moments:
                assert bisect_right(moments, at) - bisect_right(moments, at - limit.within) <= (
                    limit.most
                )


@given(arrivals=st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_somebody_known_gets_each_in_the_end_and_at_most_so_many_an_hour(
    arrivals: list[int],
) -> None:
    sent, now, waiting = Sent(), START, []
    for minutes in arrivals:
        now += minutes * MINUTE
        waiting.append(now)
    rounds = 0
    while waiting:
        rounds += 1
        at = min(waiting)
        waiting.remove(at)
        stopped = find_brake(TO_KNOWN, sent.counted("ana@andina.example", at))
        if stopped is None:
            sent.gone.append((at, "ana@andina.example"))
        else:
            assert stopped[1] > at
            waiting.append(stopped[1])
        assert rounds < 5_000
    moments = [at for at, _ in sent.gone]
    assert len(moments) == len(arrivals)
    for at in moments:
        inside = [other for other in moments if at - TO_KNOWN[0].within < other <= at]
        assert len(inside) <= TO_KNOWN[0].most


def stranger_writes(number: int, at: datetime, sender: str = "eve@nowhere.example") -> Notice:
    case = arrived(written(sender, f"Hola {number}", subject=f"s{number}"), at).case
    assert case is not None
    return Notice.objects.get(case=case, person=case.reporter)


def send(notice: Notice, at: datetime) -> Notice:
    with postman():
        sending.send(notice.pk, lambda: at)
    return Notice.objects.get(pk=notice.pk)


def test_a_stranger_gets_three_an_hour_and_the_desk_sees_the_rest(world: World) -> None:
    times = [START + minutes * MINUTE for minutes in (0, 16, 32, 48, 59)]
    states = [send(stranger_writes(n, at), at) for n, at in enumerate(times)]
    assert [n.state for n in states] == [NoticeState.SENT] * 3 + [NoticeState.SUPPRESSED] * 2
    assert {n.reason for n in states[3:]} == {Suppression.BRAKE_ADDRESS}
    unsent = [n.pk for n, _why in outgoing.list_unsent(world.sara).rows]
    assert unsent == [n.pk for n in reversed(states[3:])]
    assert set(outgoing.NOTICE_REASONS) == set(Suppression)
    assert Case.objects.count() == 5  # nothing that they wrote is lost
    again = send(states[4], START + timedelta(days=2))
    assert again.state == NoticeState.SUPPRESSED
    later = START + timedelta(hours=1)
    assert send(stranger_writes(9, later), later).state == NoticeState.SENT


def test_whoever_writes_again_at_once_is_confirmed_once_a_person_has_shown_themselves(
    world: World,
) -> None:
    """A robot may have answered our confirmation, in whatever words; the case is there, and what
    waits is seen at the desk."""
    for number, sender in enumerate(("ana@andina.example", "eve@nowhere.example")):
        at = START + number * HOUR
        first = send(stranger_writes(1, at, sender), at)
        assert first.state == NoticeState.SENT
        soon = [at + timedelta(seconds=seconds) for seconds in (1, 50)]
        waiting = [send(stranger_writes(n, late, sender), late) for n, late in enumerate(soon, 2)]
        assert {(n.state, n.reason) for n in waiting} == {
            (NoticeState.SUPPRESSED, Suppression.CIRCLE)
        }
        assert notices.release_vouched(at + HOUR / 2) == 0
        assert send(waiting[0], at + HOUR / 2).state == NoticeState.SUPPRESSED
        # Somebody of the firm looks at one case; of the other nobody says anything.
        life.take(world.on(waiting[0].case, "sara", at + HOUR / 2))
        assert notices.release_vouched(at + HOUR / 2) == 1
        told, silent = (send(n, at + HOUR / 2) for n in waiting)
        assert (told.state, told.sent_at) == (NoticeState.SENT, at + HOUR / 2)
        assert silent.state == NoticeState.SUPPRESSED
        assert notices.release_vouched(at + HOUR / 2) == 0
        # They sign in: no robot does.
        Person.objects.filter(pk=silent.person_id).update(
            last_login=silent.line.recorded_at + MINUTE
        )
        assert notices.release_vouched(at + HOUR / 2) == 1
        assert send(silent, at + HOUR / 2).state == NoticeState.SENT


def test_whoever_is_known_to_be_a_person_is_confirmed_at_once(world: World) -> None:
    """Later than robots answer, before we had said anything, from the portal, or where somebody
    of the firm has opened it."""
    both = [stranger_writes(n, START, "ana@andina.example") for n in range(2)]
    assert [send(n, START + MINUTE).state for n in both] == [NoticeState.SENT] * 2
    portal = Notice.objects.get(case=world.report(at=START + 2 * MINUTE), person=world.ana)
    assert send(portal, START + 2 * MINUTE).state == NoticeState.SENT
    later = START + 2 * MINUTE + ANSWER_TIME
    assert send(stranger_writes(3, later, "ana@andina.example"), later).state == NoticeState.SENT
    held = kept(written("ana@andina.example", "Otra cosa", message_id="held@x"), later + MINUTE)
    mail.settle(held, mail.Reading(MailState.HELD, "proposed"))
    mail.put_on_new_case(held, by=world.sara, at=later + 2 * MINUTE)
    intake.take_in(held.pk, later + 2 * MINUTE)
    case = RawMail.objects.get(pk=held.pk).case
    assert send(Notice.objects.get(case=case, person=world.ana), later + 3 * MINUTE).state == "sent"


def test_a_mailbox_elsewhere_may_date_an_answer_before_what_it_answers(world: World) -> None:
    Mailbox.objects.update(transport="imap")
    assert send(stranger_writes(1, START), START).state == NoticeState.SENT
    before = START - CLOCK_ERROR + timedelta(seconds=1)
    assert send(stranger_writes(2, before), START).reason == Suppression.CIRCLE
    Mailbox.objects.update(transport="listener")
    assert send(stranger_writes(3, before), START).state == NoticeState.SENT


def test_what_was_taken_late_is_answered_late(world: World) -> None:
    """The other server was away for a while: the robot answers when it comes back."""
    first = stranger_writes(1, START, "ana@andina.example")
    with postman(refuse=smtp.NotTaken("451 later")):
        sending.send(first.pk, lambda: START)
    assert send(first, START + HOUR).sent_at == START + HOUR
    at = START + HOUR + MINUTE / 2
    assert send(stranger_writes(2, at, "ana@andina.example"), at).reason == Suppression.CIRCLE


@given(
    gap=st.integers(0, 40 * 60),
    delay=st.integers(0, 90 * 60),
    error=st.integers(0, 120),
)
def test_an_answer_comes_after_what_it_answers_and_soon(gap: int, delay: int, error: int) -> None:
    """Seconds: a confirmation taken at START and sent after `delay`; a mail `gap` after that."""
    sent = Confirmed(START, START + timedelta(seconds=delay))
    arrived_at = sent.sent_at + timedelta(seconds=gap)
    asked = may_answer(arrived_at, [sent], error=timedelta(seconds=error))
    assert asked is (gap < ANSWER_TIME.total_seconds() and gap + delay + error > 0)
    assert not may_answer(START - timedelta(seconds=error), [sent], error=timedelta(seconds=error))
    assert not may_answer(arrived_at, [])


def test_a_retry_takes_no_second_place(world: World) -> None:
    """A confirmation that the server did not take at first counts once."""
    first = stranger_writes(0, START)
    for minutes in range(0, 40, 10):
        Notice.objects.filter(pk=first.pk).update(state=NoticeState.QUEUED, not_before=None)
        assert send(first, START + minutes * MINUTE).state == NoticeState.SENT
    assert Notice.objects.get(pk=first.pk).taken_at == START
    at = START + 50 * MINUTE
    assert [send(stranger_writes(n, at), at).state for n in (1, 2)] == [NoticeState.SENT] * 2


def test_a_robot_that_varies_its_name_is_stopped_by_its_domain(world: World) -> None:
    robots = [stranger_writes(n, START, f"bot{n}@robots.example") for n in range(22)]
    states = [send(notice, START) for notice in robots]
    assert [n.reason for n in states if n.reason] == [Suppression.BRAKE_DOMAIN] * 2
    assert send(stranger_writes(99, START, "eve@nowhere.example"), START).state == NoticeState.SENT


def test_the_global_brake_is_told_and_lets_known_people_through(world: World) -> None:
    assert outgoing.brake(START) is None
    for number in range(GLOBAL.most):
        notice = stranger_writes(number, START, f"bot{number}@d{number // 10}.example")
        assert notices.claim(notice.pk, START) is not None
    on = outgoing.brake(START)
    assert on is not None
    assert (on.taken, on.most, on.suppressed) == (GLOBAL.most, GLOBAL.most, 0)
    stopped = send(stranger_writes(900, START, "eve@nowhere.example"), START)
    assert stopped.reason == Suppression.BRAKE_ALL
    assert outgoing.brake(START) == outgoing.Brake(GLOBAL.most, GLOBAL.most, 1)
    known = Notice.objects.get(case=world.report(), person=world.ana)
    assert send(known, START).state == NoticeState.SENT
    assert outgoing.brake(START + GLOBAL.within) is None


def test_somebody_known_waits_and_gets_it(world: World) -> None:
    """Also one whose address nobody has proven: the firm vouches for its customers' people."""
    Address.objects.filter(person=world.ana).update(verified_at=None)
    rows = [Notice.objects.get(case=world.report(), person=world.ana) for _ in range(12)]
    states = [send(notice, START) for notice in rows]
    assert [n.state for n in states] == [NoticeState.SENT] * 10 + [NoticeState.QUEUED] * 2
    for notice in states[10:]:
        assert notice.not_before == START + timedelta(hours=1)
        assert send(notice, START + 59 * MINUTE).state == NoticeState.QUEUED
        assert send(notice, notice.not_before).state == NoticeState.SENT


def test_what_the_firm_opens_for_a_stranger_is_confirmed(world: World) -> None:
    """The brakes are for what strangers cause themselves."""
    for number in range(4):
        notice = stranger_writes(number, START)
        assert notice.line.author_id == notice.person_id
        notice.line.author_id = world.sara.pk
        assert not notices._is_to_stranger(notice, START)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(gaps=st.lists(st.integers(0, 30), min_size=6, max_size=14), who=st.data())
def test_through_the_tables_as_well(world: World, gaps: list[int], who: st.DataObject) -> None:
    """At most three an hour to each stranger, each known person's in the end, one to a case."""
    start = Notice.objects.count() * timedelta(days=1) + START
    now, written_now = start, []
    for number, gap in enumerate(gaps):
        now += gap * MINUTE
        sender = who.draw(st.sampled_from(["eve@nowhere.example", "ana@andina.example"]))
        notice = stranger_writes(number + int(now.timestamp()), now, sender)
        written_now.append(notice.pk)
        send(notice, now)
    for row in Notice.objects.filter(pk__in=written_now, reason=Suppression.CIRCLE):
        life.take(world.on(row.case, "sara", now))
    notices.release_vouched(now)
    for hours in range(1, 4):
        for pk in written_now:
            with postman():
                sending.send(pk, lambda moment=now + hours * timedelta(hours=1): moment)
    rows = list(Notice.objects.filter(pk__in=written_now).select_related("person"))
    assert len({row.case_id for row in rows}) == len(gaps)
    assert {r.state for r in rows if r.person_id == world.ana.pk} <= {NoticeState.SENT}
    gone = sorted(r.taken_at for r in rows if r.person_id != world.ana.pk and r.taken_at)
    assert all(
        later - first >= timedelta(hours=1) for first, later in zip(gone, gone[3:], strict=False)
    )
