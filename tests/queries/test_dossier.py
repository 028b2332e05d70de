"""What the firm looks up about a case: cover, clocks, what falls due and why, links, followers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions import conversation, triage
from acuse.models import Case, CaseLink, ContractKind, Deadline, LinkKind, Person
from acuse.policy.deadlines import DEADLINES
from acuse.policy.targets import COLUMNS, WARNINGS
from acuse.queries import dossier
from acuse.queries.case import CaseView, get_case
from acuse.queries.folder import open_folder
from tests.world import START, World

NOW = START + timedelta(days=2)


def seen(world: World, case: Case) -> Case:
    return get_case(Person.objects.get(pk=world.sara.pk), case.number)


def test_cover_names_every_condition_with_its_result(world: World) -> None:
    old = admin.add_contract(world.andina, "Implantación", ContractKind.IMPLEMENTATION)
    admin.publish_contract(
        old,
        valid_from=date(2020, 1, 1),
        valid_until=date(2021, 12, 31),
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
    )
    examined = dossier.coverage_of(seen(world, world.report()))
    by_name = {row.contract: row for row in examined}
    assert by_name["Soporte Andina v1"].covered
    assert all(c.passed for c in by_name["Soporte Andina v1"].conditions)
    ended = by_name["Implantación v1"]
    assert not ended.covered
    assert [c.passed for c in ended.conditions].count(False) == 1
    [unmet] = [c.text for c in ended.conditions if not c.passed]
    assert "31" in unmet
    assert "2021" in unmet
    assert not any("None" in c.text or "%(" in c.text for row in examined for c in row.conditions)


def test_without_a_contract_nothing_was_examined(world: World) -> None:
    assert dossier.coverage_of(seen(world, world.report("nora"))) == []


@pytest.mark.parametrize("kind", DEADLINES)
def test_every_deadline_says_what_it_is_counted_from(world: World, kind: str) -> None:
    case = world.report()
    Deadline.objects.filter(case=case).delete()
    Deadline.objects.create(case=case, kind=kind, due_at=NOW)
    [row] = dossier.falling_due(seen(world, case))
    assert row.why
    assert "%(" not in row.why
    assert "None" not in row.why or kind in ("authorization_lapse", "wait_lapse")
    assert row.clauses.startswith("P")
    in_hours = {*COLUMNS, *WARNINGS.values(), "acceptance_reminder", "page"}
    assert (row.last_day is None) == (kind in in_hours)


def test_committed_times_are_those_of_the_priority(world: World) -> None:
    half, most, row = dossier.falling_due(seen(world, world.report()))  # Low: 480 minutes
    assert "8 h" in row.why
    assert "oro v1" in row.why
    assert "50 %" in half.why
    assert "75 %" in most.why
    assert half.due_at < most.due_at < row.due_at


def test_the_printed_day_of_a_term_is_its_last_and_not_the_next(world: World) -> None:
    case = world.delivered()
    window = case.windows.get(version__deliverable__proposal=False)
    rows = {row.label: row for row in dossier.falling_due(seen(world, case))}
    term = next(row for row in rows.values() if row.due_at == window.until)
    assert term.last_day == window.last_day


def test_stretches_add_up_by_who_held_the_ball(world: World) -> None:
    case = world.report()  # 9:00, an hour for each act
    case = world.fresh(case)
    found = dossier.stretches(seen(world, case), START + timedelta(hours=3))
    assert [(row.ball, row.minutes, row.until) for row in found] == [("firm", 180, None)]
    conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
    found = dossier.stretches(seen(world, case), START + timedelta(hours=3))
    assert dossier.by_holder(found) == [("customer", 120), ("firm", 60)]


def test_a_link_is_seen_from_both_ends(world: World) -> None:
    one, two = world.report(), world.report()
    triage.relate(world.on(one, "sara"), other=two, kind=LinkKind.RELATED)
    [there] = dossier.linked_to(*linked(world, one))
    [back] = dossier.linked_to(*linked(world, two))
    assert (there.case.pk, there.towards) == (two.pk, True)
    assert (back.case.pk, back.towards) == (one.pk, False)


def test_followers_stand_on_their_side(world: World) -> None:
    case = world.report()
    conversation.watch(world.on(case, "beto"))
    conversation.watch(world.on(case, "carlos"))
    sides = {str(who): who.is_firm for who in dossier.followers_of(seen(world, case))}
    assert sides == {"Beto Díaz": False, "Carlos Consultor": True}


def linked(world: World, case: Case) -> tuple[Case, list[CaseLink]]:
    row = seen(world, case)
    return row, open_folder(row, Person.objects.get(pk=world.sara.pk)).links


def test_the_ledger_is_told_newest_first_with_each_new_stage(world: World) -> None:
    case = world.analysed()
    view = CaseView(seen(world, case), Person.objects.get(pk=world.sara.pk), NOW)
    found = dossier.events(view.timeline)
    assert [event.line.kind for event in found] == ["classify", "take", "open"]
    assert [bool(event.stage) for event in found] == [False, True, True]
