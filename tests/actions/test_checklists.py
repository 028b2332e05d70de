"""Checklists: published as versions, kept by the cases opened under them, ticked (P13)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from acuse.actions import checklists, conversation, life
from acuse.models import Case, CaseType, Change, ChecklistVersion, LedgerLine, find_checklist
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Impact, Urgency
from acuse.queries.checklists import find_state, lists, propose_question
from tests.world import HOUR, LONG_AGO, START, World, last_line, refused

DAY = timedelta(days=1)


def publish(
    world: World, *texts: str, type: CaseType | None = None, seen: int = 0, days: int = -9
) -> ChecklistVersion:
    at = START + days * DAY
    return checklists.publish_checklist(type, texts, seen=seen, by=world.mario, at=at)


def incident(world: World, case: Case) -> Case:
    life.classify(
        world.on(case, "sara"),
        impact=Impact.LIMITED,
        urgency=Urgency.CAN_WAIT,
        type=CaseType.objects.get(code="incidente"),
    )
    return world.fresh(case)


def names(case: Case) -> list[str]:
    found = find_checklist(case)
    return [item.text for item in found.items] if found is not None else []


def test_a_case_keeps_the_list_that_stood_when_it_was_opened(world: World) -> None:
    before = world.report(at=LONG_AGO + DAY)
    publish(world, "¿Qué versión?", "¿Desde cuándo?")
    now = world.report()
    publish(world, "¿Desde cuándo?", "¿Quién?", seen=1, days=1)
    after = world.report(at=START + 2 * DAY)
    assert names(before) == []
    assert names(now) == ["¿Qué versión?", "¿Desde cuándo?"]
    assert names(after) == ["¿Desde cuándo?", "¿Quién?"]
    keys = [item.key for item in ChecklistVersion.objects.get(number=2).items]
    assert keys == [2, 3]
    publish(world, seen=2, days=3)
    assert names(world.report(at=START + 4 * DAY)) == []
    assert names(world.fresh(after)) == ["¿Desde cuándo?", "¿Quién?"]


def test_a_type_has_its_own_list_or_that_of_any(world: World) -> None:
    kind = CaseType.objects.get(code="incidente")
    publish(world, "¿General?")
    case = world.taken()
    assert names(case) == ["¿General?"]
    publish(world, "¿Del incidente?", type=kind)
    assert names(incident(world, case)) == ["¿Del incidente?"]
    ChecklistVersion.objects.filter(type=kind).update(rows=[])  # retired: the general one again
    assert names(world.fresh(case)) == ["¿General?"]
    assert [row.type for row in lists()] == [None, kind]


def test_the_same_again_is_no_version_and_two_do_not_overwrite(world: World) -> None:
    first = publish(world, "¿Uno?")
    assert publish(world, " ¿Uno? ", "", seen=1) == first
    with pytest.raises(InvalidField, match="version 1 has been published meanwhile"):
        publish(world, "¿Dos?", seen=0)
    with pytest.raises(InvalidField, match="row 2 says the same as row 1"):
        publish(world, "¿Dos?", "¿dos?", seen=1)
    assert ChecklistVersion.objects.count() == 1
    change = Change.objects.get(subject="checklist")
    assert (change.by, change.row, change.fields["items"]) == (world.mario, 0, [[], ["¿Uno?"]])


def test_a_key_that_was_given_up_is_never_given_again(world: World) -> None:
    publish(world, "¿Uno?", "¿Dos?")
    publish(world, "¿Uno?", seen=1)
    publish(world, "¿Uno?", "¿Tres?", seen=2)
    assert [item.key for item in ChecklistVersion.objects.get(number=3).items] == [1, 3]


def test_each_tick_has_its_author_and_moment_and_only_the_firm_knows(world: World) -> None:
    publish(world, "¿Uno?", "¿Dos?", "¿Tres?")
    case = world.taken()
    at = last_line(case).at + HOUR
    line = checklists.check_information(world.on(case, "sara"), ticked=[1, 3])
    assert (line.audience, line.payload["ticked"], line.payload["cleared"]) == ("firm", [1, 3], [])
    assert not line.notices.exists()
    assert line not in LedgerLine.objects.visible_to(world.ana)
    checklists.check_information(world.on(case, "carlos"), ticked=[2, 3])
    state = find_state(case)
    assert state is not None
    assert [(item.key, tick and (tick.by, tick.at)) for item, tick in state.rows] == [
        (1, None),
        (2, (world.carlos, at + HOUR)),
        (3, (world.sara, at)),
    ]
    assert case.ticks.get(item=1).until == at + HOUR
    assert last_line(case).payload["cleared"] == [1]
    with refused("nothing_changed"):
        checklists.check_information(world.on(case, "sara"), ticked=[3, 2])
    with refused("reason_unknown", "ticked"):
        checklists.check_information(world.on(case, "sara"), ticked=[4])
    with refused("not_your_role"):
        checklists.check_information(world.on(case, "ana"), ticked=[1])
    assert case.ticks.filter(until__isnull=True).count() == 2


def test_without_a_list_there_is_nothing_to_tick(world: World) -> None:
    case = world.taken()
    with refused("no_checklist"):
        checklists.check_information(world.on(case, "sara"), ticked=[])
    assert find_state(case) is None
    assert propose_question(case) == ""


def test_what_is_missing_makes_the_question(world: World) -> None:
    publish(world, "¿Qué versión?", "¿Desde cuándo?")
    case = world.taken()
    checklists.check_information(world.on(case, "sara"), ticked=[1])
    text = propose_question(case)
    assert text.endswith("\n\n- ¿Desde cuándo?")
    conversation.ask(world.on(case, "sara"), addressee="user", text=text)
    checklists.check_information(world.on(case, "sara"), ticked=[1, 2])
    assert propose_question(case) == ""
