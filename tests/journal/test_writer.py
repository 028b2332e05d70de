"""The one writer: the same steps for every act, and nothing half done."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from acuse.actions import clock, conversation, deliveries, life
from acuse.models import (
    Case,
    Deadline,
    IdempotencyKey,
    LedgerLine,
    Notice,
    Person,
    RefusalNote,
)
from acuse.models.roles import roles_on
from acuse.policy import chain
from acuse.policy.authors import CLOCK, Channel, Occasion, person
from acuse.policy.stages import Role, Stage
from tests.world import HOUR, START, World, refused


def test_a_receipt_names_its_place_in_an_unbroken_chain(world: World) -> None:
    case = world.delivered()
    lines = list(case.ledger.order_by("seq"))
    assert [line.receipt for line in lines] == [f"C-{case.pk}/{n + 1}" for n in range(len(lines))]
    assert lines[0].previous == chain.GENESIS
    for before, line in zip(lines, lines[1:], strict=False):
        assert line.previous == before.hash
        assert line.hash == chain.line_hash(line.previous, line.hashed_fields())
    case = world.fresh(case)
    assert (case.lines, case.head) == (len(lines), lines[-1].hash)
    assert all(line.recorded_at.tzinfo and line.transaction for line in lines)


@pytest.mark.parametrize(
    "change",
    [
        "update acuse_ledgerline set at = now()",
        "update acuse_ledgerline set payload = '{}' where seq = 1",
        "delete from acuse_ledgerline where seq = 2",
    ],
)
def test_the_database_refuses_to_change_a_line(world: World, change: str) -> None:
    case = world.taken()
    with (
        pytest.raises((IntegrityError, InternalError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert case.ledger.count() == 2


def test_a_line_says_who_through_which_door(world: World) -> None:
    case = world.report()
    author = person(world.sara.pk, Channel.API)
    line = life.take(Occasion(case.pk, author, START + HOUR, imported=True))
    assert (line.author, line.author_kind, line.channel, line.imported) == (
        world.sara, "person", "api", True,
    )  # fmt: skip
    assert (line.stage_from, line.stage_to, line.ball) == ("received", "analysis", "firm")
    assert not line.notices.exists()  # what is imported tells nobody


def test_the_same_key_gets_the_same_receipt_and_does_nothing_twice(world: World) -> None:
    case = world.report()
    first = conversation.comment(world.on(case, "ana", key="k1"), text="Hola")
    again = conversation.comment(world.on(case, "ana", START + 9 * HOUR, "k1"), text="Hola")
    assert again == first
    assert case.messages.filter(kind="comment").count() == 1
    other = conversation.comment(world.on(case, "beto", key="k1"), text="Hola")
    assert other != first
    assert IdempotencyKey.objects.count() == 2


def test_a_key_is_not_for_another_act_text_or_case(world: World) -> None:
    case, second = world.report(), world.report()
    conversation.comment(world.on(case, "ana", key="k1"), text="Hola")
    for act, on, how in (
        (conversation.comment, case, {"text": "Adiós"}),
        (conversation.comment, second, {"text": "Hola"}),
        (conversation.watch, case, {}),
    ):
        with refused("key_reused"):
            act(world.on(on, "ana", key="k1"), **how)
    assert LedgerLine.objects.count() == 3


def test_a_refused_act_uses_up_no_key(world: World) -> None:
    case = world.report()
    with refused("text_required"):
        conversation.comment(world.on(case, "ana", key="k1"), text="")
    conversation.comment(world.on(case, "ana", key="k1"), text="Hola")
    assert RefusalNote.objects.get().code == "text_required"


def test_the_key_of_opening_opens_one_case(world: World) -> None:
    how = {"subject": "x", "text": "x"}
    first = life.open(world.on(None, "ana", key="k"), **how)
    assert life.open(world.on(None, "ana", key="k"), **how) == first
    assert Case.objects.count() == 1


def test_whoever_has_no_case_yet_leaves_no_note(world: World) -> None:
    with refused("not_your_role"):
        life.open(world.on(None, CLOCK), subject="x", text="x")
    assert not RefusalNote.objects.exists()


def test_a_stage_that_the_table_does_not_name_is_a_fault_of_ours(world: World) -> None:
    from acuse.journal.writer import Writing, act
    from acuse.policy.kinds import Payload

    @act("take")
    def take(w: Writing) -> Payload:
        w.stage = Stage.CLOSED
        return {}

    case = world.report()
    with pytest.raises(RuntimeError, match="take cannot lead to closed"):
        take(world.on(case, "sara"))
    assert world.fresh(case).stage == Stage.RECEIVED
    assert case.ledger.count() == 1


def test_an_act_that_fails_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from acuse.journal import outbox

    case = world.report()
    before = (Notice.objects.count(), Deadline.objects.count())

    def broken(*args: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(outbox, "queue", broken)
    with pytest.raises(OSError, match="disk"):
        life.take(world.on(case, "sara"))
    assert (Notice.objects.count(), Deadline.objects.count()) == before
    assert world.fresh(case).stage == Stage.RECEIVED
    assert case.ledger.count() == 1


def test_roles_follow_memberships_and_sides(world: World) -> None:
    case = world.report()
    expected = {
        "ana": {Role.USER},
        "lina": {Role.USER, Role.LEAD},
        "omar": {Role.USER, Role.OWNER},
        "sara": {Role.SUPPORT},
        "paula": {Role.SUPPORT, Role.SPOC},
        "mario": {Role.MANAGER, Role.SUPPORT},
        "ada": {Role.ADMINISTRATOR},
        "nora": set(),
    }
    for who, roles in expected.items():
        assert roles_on(case, world.people[who], START) == roles, who
    stranger = Person.objects.get(pk=world.stranger().person_id)
    assert roles_on(None, stranger, START) == {Role.STRANGER}
    assert roles_on(None, world.lina, START) == {Role.USER}
    assert roles_on(case, stranger, START) == set()
    world.ana.is_active = False
    assert roles_on(case, world.ana, START) == set()


def test_a_job_goes_with_the_notices_of_a_line_in_one_transaction(world: World) -> None:
    case = world.report()
    line = life.take(world.on(case, "sara"))
    assert [notice.person for notice in line.notices.all()] == [world.ana]
    with connection.cursor() as cursor:
        cursor.execute(
            "select args, queue_name from procrastinate_jobs where task_name = 'send_notices' "
            "order by id desc limit 1"
        )
        args, queue = cursor.fetchone()
        assert (json.loads(args) if isinstance(args, str) else args, queue) == (
            {"line_id": line.pk}, "mail",
        )  # fmt: skip
        cursor.execute("select count(*) from procrastinate_jobs where task_name = 'send_notices'")
        assert cursor.fetchone()[0] == LedgerLine.objects.filter(notices__isnull=False).distinct(
        ).count()  # fmt: skip


def test_a_firm_line_is_told_to_the_firm_alone(world: World) -> None:
    from acuse.actions import triage

    case = world.report()
    triage.escalate(
        world.on(case, "sara"), direction="hierarchical", text="Ayuda", person=world.mario
    )
    lines = case.ledger.filter(audience="firm")
    assert lines
    for notice in Notice.objects.filter(line__in=lines):
        assert notice.person.is_firm
    Person.objects.filter(pk=world.mario.pk).update(is_active=False)
    line = triage.escalate(world.on(case, "sara"), direction="hierarchical", text="Ayuda")
    assert not line.notices.filter(person=world.mario).exists()


def test_even_named_by_the_act_no_customer_is_told_of_a_firms_line(world: World) -> None:
    from acuse.journal import outbox
    from acuse.policy.kinds import KINDS

    case = world.report()
    line = conversation.internal_note(world.on(case, "sara"), text="Ojo")
    told = [world.ana, world.mario]
    notices = outbox.queue(case, KINDS["internal_note"], line, frozenset(), told, [])
    assert [notice.person for notice in notices] == [world.mario]


# Deadlines ----------------------------------------------------------------------------------------


def test_a_deadline_that_no_longer_stands_does_nothing(world: World) -> None:
    case = world.delivered()
    row = Deadline.objects.get(case=case, kind="acceptance")
    life.accept(world.on(case, "ana"), version=case.versions.latest("pk"))
    assert clock.fire(row.pk, row.due_at) is None
    assert not Deadline.objects.filter(pk=row.pk).exists()


def test_a_stale_row_is_planned_again_before_it_fires(world: World) -> None:
    case = world.delivered()
    row = Deadline.objects.get(case=case, kind="acceptance")
    due_at = row.due_at
    Deadline.objects.filter(pk=row.pk).update(due_at=START)
    assert clock.fire(row.pk, START + HOUR) is None
    row.refresh_from_db()
    assert (row.due_at, row.fired_at) == (due_at, None)


def test_a_bad_row_is_set_aside_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = world.delivered(), world.delivered()
    row = Deadline.objects.get(case=bad, kind="acceptance")
    accept = clock._ACTS["accept_tacitly"]

    def explode(occasion: Occasion, deadline: Deadline) -> LedgerLine:
        if occasion.case_id == bad.pk:
            raise OSError("no disk")
        return accept(occasion, deadline)

    monkeypatch.setitem(clock._ACTS, "accept_tacitly", explode)
    lines = world.fire(row.due_at)
    assert {line.case_id for line in lines if line.kind == "accept_tacitly"} == {good.pk}
    row.refresh_from_db()
    assert (row.failed_at, row.fired_at) == (row.due_at, None)
    assert "no disk" in row.error
    assert world.fire(row.due_at + HOUR) == []
    # A change of what it rests on gives it another chance.
    monkeypatch.undo()
    version = bad.versions.latest("pk")
    at = row.due_at - timedelta(days=1)
    deliveries.extend_window(world.on(bad, "paula", at), version=version, days=1)
    row.refresh_from_db()
    assert (row.failed_at, row.error) == (None, "")
    assert world.fire(row.due_at)[-1].kind == "accept_tacitly"


def test_a_refusal_that_time_does_not_heal_is_an_alarm(world: World) -> None:
    case = world.delivered()
    row = Deadline.objects.get(case=case, kind="acceptance")
    Case.objects.filter(pk=case.pk).update(opened_at=row.due_at + HOUR)
    assert clock.fire(row.pk, row.due_at) is None
    row.refresh_from_db()
    assert row.failed_at is not None
    assert "Refused" in row.error


def test_what_fired_does_not_fire_again(world: World) -> None:
    case = world.report()
    row = Deadline.objects.get(case=case, kind="first_response")
    assert clock.fire(row.pk, row.due_at) is not None
    assert clock.fire(row.pk, row.due_at) is None
    assert clock.fire(10**9, row.due_at) is None
    assert case.ledger.filter(kind="breach").count() == 1


def test_committed_times_round_the_clock_count_nights(world: World) -> None:
    from acuse.policy.priority import Impact, Urgency

    case = world.report()
    life.take(world.on(case, "sara"))
    life.classify(
        world.on(case, "sara"), impact=Impact.WHOLE_OPERATION, urgency=Urgency.CUSTOMER_NOTICES
    )
    (row,) = case.deadlines.filter(kind="delivery")
    assert row.due_at == START + timedelta(minutes=480)
    ask = conversation.ask(world.on(case, "sara"), addressee="user", text="¿?")
    wait = case.waits.get()
    assert ask.at == START + 3 * HOUR
    conversation.answer(world.on(case, "ana", START + 13 * HOUR), wait=wait, text="Sí")
    (row,) = case.deadlines.filter(kind="delivery", fired_at__isnull=True)
    assert row.due_at == START + timedelta(minutes=480) + 10 * HOUR


def test_a_priority_without_committed_times_has_no_clock(world: World) -> None:
    from acuse.models import SlaVersion

    SlaVersion.objects.filter(pk=world.sla.pk).update(rows={"high": {"response": 10}})
    case = world.report()
    assert not case.deadlines.exists()


def test_the_tables_are_asked_without_doing_anything(world: World) -> None:
    from acuse.actions import permission

    case = world.report()
    permission.require_allowed("take", world.on(case, "sara"))
    with refused("not_your_role"):
        permission.require_allowed("take", world.on(case, "ana"))
    assert RefusalNote.objects.get().act == "take"
    assert case.ledger.count() == 1


def test_whoever_has_left_the_customer_is_told_nothing_more(world: World) -> None:
    """What somebody took part in is not theirs any more, as reporter or follower."""
    case = world.analysed()
    membership = world.ana.memberships.get()
    membership.until = START + 3 * HOUR
    membership.save()
    conversation.comment(world.on(case, "sara", START + 4 * HOUR), text="¿Sigue igual?")
    assert not Notice.objects.filter(line__kind="comment", person=world.ana).exists()
    with refused("not_your_role"):
        conversation.comment(world.on(case, "ana", START + 5 * HOUR), text="Ya no")
