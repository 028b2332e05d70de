"""The brakes on confirmations: nobody can make us write to somebody without end (mail rule 12)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acuse.actions import notices
from acuse.interfaces.jobs import notices as sending
from acuse.models import Address, Case, Notice, NoticeState, Suppression
from acuse.policy.brakes import GLOBAL, TO_KNOWN, TO_STRANGERS, Limit, find_brake
from acuse.queries import outgoing
from tests.mail.post import arrived, postman, written
from tests.world import START, World

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
    states = [send(stranger_writes(n, START + n * MINUTE), START + n * MINUTE) for n in range(5)]
    assert [n.state for n in states] == [NoticeState.SENT] * 3 + [NoticeState.SUPPRESSED] * 2
    assert {n.reason for n in states[3:]} == {Suppression.BRAKE_ADDRESS}
    assert [n.pk for n in outgoing.suppressed_notices(world.sara)] == [
        n.pk for n in reversed(states[3:])
    ]
    assert set(outgoing.NOTICE_REASONS) == set(Suppression)
    assert Case.objects.count() == 5  # nothing that they wrote is lost
    again = send(states[4], START + timedelta(days=2))
    assert again.state == NoticeState.SUPPRESSED
    later = START + timedelta(hours=1)
    assert send(stranger_writes(9, later), later).state == NoticeState.SENT


def test_a_retry_takes_no_second_place(world: World) -> None:
    """A confirmation that the server did not take at first counts once."""
    first = stranger_writes(0, START)
    for minutes in range(0, 120, 30):
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
