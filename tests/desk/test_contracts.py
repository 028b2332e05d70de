"""Contracts as the firm's managers publish them: versions, rules, hours (P09, P22)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions import billing
from acuse.interfaces.web import clock
from acuse.models import (
    Change,
    Contract,
    ContractKind,
    ContractVersion,
    Entity,
    Person,
    RateVersion,
    SlaVersion,
    Specialty,
)
from acuse.policy.billing import Activity
from acuse.policy.contracts import Beyond, HourBank, Renewal
from acuse.policy.priority import Priority
from tests.world import START, World

NOW = START + timedelta(days=2)
TODAY = date(2026, 11, 19)


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def agreed(world: World, **other: Any) -> dict[str, Any]:
    """What the form sends for a contract that rests on what is published."""
    given = {
        "seen": 0,
        "name": "Soporte",
        "kind": "support",
        "valid_from": "2026-11-01",
        "valid_until": "2027-10-31",
        "calendar": world.calendar.pk,
        "policy": world.policy.pk,
        "sla_choice": world.sla.pk,
        "rates_choice": world.rates.pk,
        "renewal": "never",
        "beyond": "rates",
        "rounding_minutes": 15,
    }
    return {name: value for name, value in (given | other).items() if value is not None}


def new_table(**other: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"sla_choice": "new", "sla_name": "plata"}
    for priority in Priority:
        given |= {f"{priority}_response": 60, f"{priority}_delivery": 480}
    return {name: value for name, value in (given | other).items() if value is not None}


def new_rates(**other: Any) -> dict[str, Any]:
    given = {"rates_choice": "new", "rates_name": "Brisa", "rates_currency": "COP"}
    return given | {"rate_diagnosis": "100000"} | other


def agree(world: World, who: str = "mario", **other: Any) -> HttpResponse:
    address = f"/desk/customers/{world.brisa.pk}/contracts/new"
    return enter(world.people[who]).post(address, agreed(world, **other))  # type: ignore[return-value]


def change(world: World, who: str = "mario", **other: Any) -> HttpResponse:
    """The next version of Andina's contract, by its own form."""
    pk = world.contract.contract_id
    given = agreed(world, name=None, kind=None, seen=1, valid_from="2025-01-01", **other)
    return enter(world.people[who]).post(f"/desk/contracts/{pk}/versions/new", given)  # type: ignore[return-value]


@pytest.mark.parametrize("who", ["mario", "ada"])
def test_a_contract_is_agreed_whole(world: World, who: str) -> None:
    specialty = Specialty.objects.create(code="dev", name="Desarrollo")
    entity = Entity.objects.create(organisation=world.brisa, name="Brisa S.A.S.")
    staging = admin.add_environment(world.brisa, "Pruebas")
    response = agree(
        world,
        who,
        **new_table(urgent_always="on"),
        **new_rates(activity_1="execution", specialty_1=specialty.pk, hourly_1="200000"),
        entities=[entity.pk],
        environments=[staging.pk],
        hours="40",
        renewal="monthly",
        beyond="approval",
        alert_hours="7.5",
        alert_days="5",
        why="Firmado el 1",
    )
    version = ContractVersion.objects.get(contract__organisation=world.brisa)
    assert response["Location"] == f"/desk/contracts/{version.contract_id}"
    assert (version.number, str(version.contract), version.contract.kind) == (
        1,
        "Soporte",
        ContractKind.SUPPORT,
    )
    assert version.bank == HourBank(2400, Renewal.MONTHLY, Beyond.APPROVAL, 450, 5)
    assert version.sla is not None
    urgent = {"response": 60, "delivery": 480, "round_the_clock": True}
    assert version.sla.rows["urgent"] == urgent
    assert version.listed == {
        "entities": {entity.pk},
        "environments": {staging.pk},
        "modules": frozenset(),
    }
    rates = {(r.activity, r.specialty): r.hourly for r in version.rates.rates.all()}
    assert rates == {
        ("diagnosis", None): Decimal("100000"),
        ("execution", specialty): Decimal("200000"),
    }
    noted = Change.objects.get(subject="contract_version", row=version.pk)
    assert (noted.by, noted.at, noted.why) == (world.people[who], NOW, "Firmado el 1")
    page = enter(world.sara).get(response["Location"]).content.decode()
    for shown in ("Brisa S.A.S.", "Pruebas", str(world.people[who]), "Desarrollo", "Firmado el 1"):
        assert shown in page


def test_a_case_that_runs_keeps_its_version(world: World) -> None:
    before = world.report()
    assert change(world, **new_table(), hours="10").status_code == 302
    newest = ContractVersion.objects.get(contract=world.contract.contract, number=2)
    old, new = world.fresh(before), world.report(at=NOW)
    assert (old.contract, old.sla) == (world.contract, world.sla)
    assert (new.contract, new.sla) == (newest, newest.sla)
    assert newest.sla != world.sla


def test_the_form_of_a_new_version_starts_from_what_holds(world: World) -> None:
    client = enter(world.mario)
    address = f"/desk/contracts/{world.contract.contract_id}/versions/new"
    form = client.get(address).context["form"]
    assert "name" not in form.fields
    assert (form.initial["seen"], form.initial["sla_choice"]) == (1, str(world.sla.pk))
    assert form.initial["urgent_always"] is True
    assert form.initial["rate_meeting"] == Decimal("120000")
    assert form["valid_from"].value() == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"valid_until": "2026-10-31"}, "valid_until", "2026"),
        ({"calendar": ""}, "calendar", ""),
        ({"calendar": "999999"}, "calendar", ""),
        ({"name": "  "}, "name", ""),
        ({"kind": "gift"}, "kind", ""),
        ({"rounding_minutes": "0"}, "rounding_minutes", ""),
        (new_table(urgent_delivery=59), "sla_name", "Urgente"),
        (new_table(low_delivery=None, low_response=None), "sla_name", "Baja"),
        (new_table(sla_name=" "), "sla_name", ""),
        (new_rates(rates_currency="pesos"), "rates_currency", ""),
        (new_rates(rates_currency="12$"), "rates_currency", "12$"),
        (new_rates(rates_name="standard", rates_currency="USD"), "rates_currency", "COP"),
        (new_rates(rate_diagnosis="-1"), "rate_diagnosis", ""),
        (new_rates(rate_diagnosis=""), "rates_choice", ""),
        (new_rates(activity_1="meeting"), "hourly_1", ""),
        ({"hours": "10", "alert_hours": "10"}, "alert_hours", "600"),
        ({"alert_hours": "10"}, "alert_hours", ""),
        ({"alert_days": "10"}, "alert_days", ""),
        ({"hours": "0"}, "hours", ""),
    ],
)
def test_what_breaks_a_rule_is_told_beside_its_field_and_nothing_is_kept(
    world: World, wrong: dict[str, Any], field: str, told: str
) -> None:
    def kept() -> list[int]:
        rows = (Contract, ContractVersion, SlaVersion, RateVersion, Change)
        return [row.objects.count() for row in rows]

    before = kept()
    response = agree(world, **wrong)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]  # type: ignore[attr-defined]
    [said] = response.context["form"].errors[field]  # type: ignore[attr-defined]
    assert told in said
    assert kept() == before


def test_new_tables_are_not_kept_of_a_contract_that_is_refused(world: World) -> None:
    """The table of times is published first: it goes when the rates are refused after it."""
    before = SlaVersion.objects.count()
    response = agree(world, **new_table(), **new_rates(rates_name="standard", rates_currency="USD"))
    assert response.status_code == 422
    assert SlaVersion.objects.count() == before
    assert not Contract.objects.filter(organisation=world.brisa).exists()


def test_two_contracts_of_one_kind_do_not_overlap(world: World) -> None:
    assert agree(world).status_code == 302
    late = agree(world, name="Otro", valid_from="2027-10-31", valid_until=None)
    assert late.status_code == 422
    [said] = late.context["form"].errors["valid_from"]  # type: ignore[attr-defined]
    assert "Soporte" in said
    assert "31 de octubre de 2027" in said
    assert (
        agree(world, name="Después", valid_from="2027-11-01", valid_until=None).status_code == 302
    )
    assert agree(world, name="Proyecto", kind="implementation").status_code == 302
    assert agree(world, name="soporte", kind="implementation").status_code == 422  # the name


def test_overlapping_contracts_may_cover_different_environments(world: World) -> None:
    one, other = (admin.add_environment(world.brisa, name) for name in ("Uno", "Dos"))
    assert agree(world, environments=[one.pk]).status_code == 302
    assert agree(world, name="Dos", environments=[other.pk]).status_code == 302
    assert agree(world, name="Tres", environments=[other.pk]).status_code == 422


def test_a_contract_keeps_its_currency(world: World) -> None:
    dollars = admin.publish_rates("USD", {Activity.MEETING: Decimal(50)}, "dólares")
    response = change(world, rates_choice=dollars.pk)
    assert response.status_code == 422
    [said] = response.context["form"].errors["rates_choice"]  # type: ignore[attr-defined]
    assert "COP" in said
    assert "USD" in said


def test_who_publishes_on_an_older_version_is_told(world: World) -> None:
    assert change(world).status_code == 302
    late = change(world)
    assert late.status_code == 422
    assert "2" in late.context["form"].non_field_errors()[0]  # type: ignore[attr-defined]
    assert world.contract.contract.versions.count() == 2


def test_what_another_customer_has_cannot_be_covered(world: World) -> None:
    admin.add_environment(world.brisa, "Propio")
    response = agree(world, environments=[world.production.pk])
    assert list(response.context["form"].errors) == ["environments"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", ["sara", "carlos"])
def test_others_of_the_firm_are_told_whose_it_is(world: World, who: str) -> None:
    assert agree(world, who).status_code == 403
    assert change(world, who).status_code == 403
    assert Contract.objects.count() == 1
    page = enter(world.people[who]).get(f"/desk/contracts/{world.contract.contract_id}")
    assert page.status_code == 200
    assert "versions/new" not in page.content.decode()
    assert enter(world.people[who]).get("/desk/contracts/999999").status_code == 404
    assert enter(world.ada).get("/desk/customers/999999/contracts/new").status_code == 404


def log(world: World, case: Any, minutes: int, on: date) -> None:
    billing.log_time(
        world.on(case, "sara"),
        work_date=on,
        minutes=minutes,
        activity=Activity.DIAGNOSIS,
        text="Mirar",
    )


def test_the_hours_are_shown_by_period(world: World) -> None:
    change(world, hours="2", renewal="monthly", valid_until=None)
    case = world.analysed(at=NOW)
    log(world, case, 50, TODAY)
    log(world, case, 95, TODAY)
    page = enter(world.sara).get(f"/desk/contracts/{world.contract.contract_id}")
    banks = page.context["found"].banks
    assert (banks[0].used, banks[0].left, banks[0].over) == (165, -45, 45)
    assert (banks[0].period.first, banks[0].period.last_day) == (
        date(2026, 11, 1),
        date(2026, 11, 30),
    )
    assert [bank.used for bank in banks[1:]] == [0] * 5


def test_the_page_asks_as_often_for_many_versions(world: World) -> None:
    client, counts = enter(world.sara), []
    for wanted in (1, 3):
        while world.contract.contract.versions.count() < wanted:
            given = agreed(world, name=None, kind=None, valid_from="2025-01-01")
            given["seen"] = world.contract.contract.versions.count()
            address = f"/desk/contracts/{world.contract.contract_id}/versions/new"
            assert enter(world.mario).post(address, given).status_code == 302
        with CaptureQueriesContext(connection) as found:
            client.get(f"/desk/contracts/{world.contract.contract_id}")
        counts.append(len(found))
    assert counts[1] - counts[0] <= 4  # `listed` is read once a process for each version
