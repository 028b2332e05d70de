"""A decision passed on: for that decision alone, by name, until it is taken back (P08, P17)."""

from __future__ import annotations

import pytest

from acuse.actions import life, triage
from acuse.models import Delegation, Person
from acuse.models.roles import roles_on
from acuse.policy.stages import ACTS, DECIDING, Role, Stage
from acuse.queries.case import CaseView, get_case
from acuse.queries.sentence import sentence_for
from tests.world import World, refused

pytestmark = pytest.mark.django_db


def look(world: World, case: object, who: str) -> CaseView:
    person = Person.objects.get(pk=world.people[who].pk)
    found = get_case(person, case.number)  # type: ignore[attr-defined]
    return CaseView(found, person, found.opened_at)


def test_it_gives_its_own_acts_and_no_others(world: World) -> None:
    case = world.submitted()
    assert not look(world, case, "ana").may("validate_scope")
    triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="scope")
    view = look(world, case, "ana")
    assert view.may("validate_scope")
    assert view.may("return_scope")
    assert Role.OWNER not in view.roles
    assert Role.OWNER in view.roles_for("validate_scope")
    assert Role.OWNER not in view.roles_for("delegate_decision")
    assert view.sentence.yours
    assert sentence_for(world.fresh(case), world.ana).situation == "scope_yours"
    assert sentence_for(world.fresh(case), world.beto).situation == "scope_both"
    with refused("not_your_role"):  # it was given to Ana, who may not give it to another
        triage.delegate_decision(world.on(case, "ana"), person=world.beto, decision="scope")


def test_it_is_taken_back_by_whoever_gave_it(world: World) -> None:
    case = world.submitted()
    estimate = case.estimates.get()
    triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="scope")
    given = Delegation.objects.get()
    with refused("not_passed_on", "delegation"):
        triage.take_decision_back(world.on(case, "ana"), delegation=given)
    assert look(world, case, "omar").may("take_decision_back")
    assert not look(world, case, "ana").may("take_decision_back")
    line = triage.take_decision_back(world.on(case, "omar"), delegation=given)
    assert line.payload == {"person": world.ana.pk, "decision": "scope"}
    assert not look(world, case, "ana").may("validate_scope")
    assert not look(world, case, "omar").may("take_decision_back")
    with refused("not_your_role"):
        life.validate_scope(world.on(case, "ana"), estimate=estimate)
    with refused("not_passed_on", "delegation"):
        triage.take_decision_back(world.on(case, "omar"), delegation=given)
    life.validate_scope(world.on(case, "omar"), estimate=estimate)
    assert world.fresh(case).stage == Stage.SCOPE_VALIDATION


def test_whoever_left_has_nothing_of_it(world: World) -> None:
    case = world.submitted()
    triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="scope")
    world.ana.is_active = False
    world.ana.save()
    assert roles_on(case, world.ana, case.opened_at) == set()
    with refused("not_your_role"):
        life.validate_scope(world.on(case, "ana"), estimate=case.estimates.get())


def test_every_decision_is_taken_by_acts_that_its_role_may_do() -> None:
    for decision, (customer, firm) in triage.DELEGABLE.items():
        for act in DECIDING[decision]:
            assert customer in ACTS[act].who, (decision, act)
            assert firm is None or firm in ACTS[act].who, (decision, act)
    assert set(DECIDING) == set(triage.DELEGABLE)
