"""A case that named no system when it was reported gets its contract when triage says what it is
about (P09, P14, P22)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from acuse.actions import administration as admin
from acuse.actions import life, triage
from acuse.models import (
    Case,
    Contract,
    ContractKind,
    ContractVersion,
    Entity,
    Environment,
    Module,
    Organisation,
)
from acuse.models.clocks import clocks_of
from acuse.policy.contracts import version_on
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.queries.dossier import coverage_of
from tests.world import HOUR, START, World, last_line, refused

URGENT: dict[str, Any] = {
    "impact": Impact.WHOLE_OPERATION,
    "urgency": Urgency.CUSTOMER_NOTICES,
}


def limit(world: World, customer: Organisation, **covered: list[Any]) -> ContractVersion:
    """A contract of a customer's that covers only these."""
    name = f"Limitado {Contract.objects.count()}"
    contract = admin.add_contract(customer, name, ContractKind.SUPPORT)
    return admin.publish_contract(
        contract,
        valid_from=date(2026, 1, 1),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        sla=world.sla,
        **covered,
    )


def taken(world: World, **details: Any) -> Case:
    case = world.report("nora", **details)
    life.take(world.on(case, "sara"))
    return world.fresh(case)


@pytest.mark.parametrize("kind", ["environment", "module", "entity"])
def test_triage_binds_what_a_mail_could_not_name(world: World, kind: str) -> None:
    rows = {
        "environment": Environment.objects.create(organisation=world.brisa, name="ERP"),
        "module": Module.objects.get(code="ventas"),
        "entity": Entity.objects.create(organisation=world.brisa, name="Brisa S.A.S."),
    }
    plural = {"environment": "environments", "module": "modules", "entity": "entities"}[kind]
    covered = limit(world, world.brisa, **{plural: [rows[kind]]})
    case = taken(world)
    assert (case.contract, case.priority) == (None, Priority.LOW)
    assert not clocks_of(case)
    receipt = life.classify(world.on(case, "sara"), **URGENT, **{kind: rows[kind]})
    case = world.fresh(case)
    assert (case.contract, case.sla, case.priority) == (covered, world.sla, Priority.URGENT)
    assert receipt.payload["contract"] == covered.pk
    assert receipt.payload["derived"] == "urgent"
    examined = coverage_of(case)
    assert [(row.covered, all(c.passed for c in row.conditions)) for row in examined] == [
        (True, True)
    ]
    # The clock runs from the report, not from the triage: eight hours round the clock.
    delivery = next(c for c in clocks_of(case) if c.target.name == "delivery")
    assert delivery.due_at == START + 8 * HOUR
    assert case.deadlines.get(kind="delivery").due_at == START + 8 * HOUR


def test_what_had_passed_before_it_was_bound_is_missed_at_its_own_moment(world: World) -> None:
    environment = Environment.objects.create(organisation=world.brisa, name="ERP")
    limit(world, world.brisa, environments=[environment])
    case = taken(world)
    late = START + timedelta(days=1)
    life.classify(world.on(case, "sara", late), **URGENT, environment=environment)
    world.fire(late)
    breach = case.ledger.get(kind="breach")
    assert (breach.payload["deadline"], breach.at) == ("delivery", START + 8 * HOUR)


def test_the_version_that_held_on_the_day_of_the_report_decides(world: World) -> None:
    environment = Environment.objects.create(organisation=world.brisa, name="ERP")
    first = limit(world, world.brisa, environments=[environment])
    case = taken(world)
    admin.publish_contract(  # from next week on: a renewal without committed times
        first.contract,
        valid_from=START.date() + timedelta(days=7),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
    )
    later = START + timedelta(days=10)
    life.classify(world.on(case, "sara", later), **URGENT, environment=environment)
    assert world.fresh(case).contract == first


def test_a_contract_is_never_lost_nor_changed(world: World) -> None:
    case = world.report("ana")
    life.take(world.on(case, "sara"))
    bound = world.fresh(case).contract
    other = Environment.objects.create(organisation=world.andina, name="Pruebas")
    for environment in (other, None, world.production):
        life.classify(world.on(case, "sara"), **URGENT, environment=environment)
        assert world.fresh(case).contract == bound
        assert last_line(case).payload["contract"] == bound.pk


def test_nothing_is_bound_under_a_proposal(world: World) -> None:
    environment = Environment.objects.create(organisation=world.brisa, name="ERP")
    limit(world, world.brisa, environments=[environment])
    case = world.proposed(who="nora")
    life.classify(world.on(case, "sara"), **URGENT, environment=environment)
    case = world.fresh(case)
    assert (case.contract, case.environment, case.priority) == (None, environment, Priority.LOW)


def test_what_belongs_to_another_customer_is_refused(world: World) -> None:
    case = taken(world)
    entity = Entity.objects.create(organisation=world.andina, name="Andina S.A.")
    area = admin.add_area(world.andina, "Ventas")
    for field, row in (("entity", entity), ("area", area), ("environment", world.production)):
        with refused("other_customer", field):
            life.classify(world.on(case, "sara"), **URGENT, **{field: row})
    own = admin.add_area(world.brisa, "Compras")
    life.classify(world.on(case, "sara"), **URGENT, area=own)
    assert world.fresh(case).area == own


def test_an_unknown_sender_is_bound_with_what_triage_had_found_out(world: World) -> None:
    module = Module.objects.get(code="ventas")
    covered = limit(world, world.brisa, modules=[module])
    case = world.report(world.stranger())
    life.take(world.on(case, "sara"))
    life.classify(world.on(case, "sara"), **URGENT, module=module)
    assert world.fresh(case).contract is None
    triage.bind_customer(world.on(case, "sara"), organisation=world.brisa)
    case = world.fresh(case)
    assert (case.contract, case.priority) == (covered, Priority.URGENT)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_known_decides_and_nothing_is_lost(world: World, seed: int) -> None:
    """Random contracts and random triage: the case has the one contract that covers what was
    known when it had none, and keeps it; it is Low exactly where nothing is committed (P22)."""
    chance = random.Random(seed)
    environments = [
        Environment.objects.create(organisation=world.brisa, name=f"E{n}") for n in range(3)
    ]
    entities = [Entity.objects.create(organisation=world.brisa, name=f"S{n}") for n in range(2)]
    admin.add_words(Module, [("compras", "Compras")])
    modules = list(Module.objects.order_by("code"))
    versions = []
    for n, environment in enumerate(environments[: chance.randint(1, 3)]):
        contract = admin.add_contract(world.brisa, f"C{n}", ContractKind.SUPPORT)
        versions.append(
            admin.publish_contract(
                contract,
                valid_from=date(2026, 1, 1),
                valid_until=chance.choice([None, date(2026, 6, 1)]),
                rates=world.rates,
                calendar=world.calendar,
                policy=world.policy,
                sla=chance.choice([None, world.sla]),
                environments=[environment],
                modules=chance.sample(modules, chance.randint(0, 1)),
                entities=chance.sample(entities, chance.randint(0, 1)),
            )
        )
    case = taken(world)
    bound: ContractVersion | None = None
    for _step in range(6):
        known = {
            "environment": chance.choice([None, *environments]),
            "module": chance.choice([None, *modules]),
            "entity": chance.choice([None, *entities]),
        }
        life.classify(world.on(case, "sara"), **URGENT, **known)
        if bound is None:
            covering = [version for version in versions if _covers(version, known)]
            bound = covering[0] if len(covering) == 1 else None
        case = world.fresh(case)
        assert case.contract == bound
        committed = bound is not None and bound.sla is not None
        assert case.priority == (Priority.URGENT if committed else Priority.LOW)
        assert bool(clocks_of(case)) is committed


def _covers(version: ContractVersion, known: dict[str, Any]) -> bool:
    plural = {"environment": "environments", "module": "modules", "entity": "entities"}
    held = version_on([version.reach], START.date())
    assert held is not None
    ended = version.valid_until is not None and version.valid_until < START.date()
    return not ended and all(
        not getattr(version, plural[name]).exists()
        or (row is not None and row in getattr(version, plural[name]).all())
        for name, row in known.items()
    )
