"""Customers and people: set up, changed and retired at the desk, with who did what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from acuse.actions import administration as admin
from acuse.actions import life
from acuse.interfaces.web import clock
from acuse.models import Area, Change, Entity, Environment, Organisation, Person
from acuse.policy.stages import CancelReason, Role
from tests.world import START, World

NOW = START + timedelta(days=2)


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("who", ["mario", "ada"])
def test_a_customer_is_set_up_and_changed(world: World, who: str) -> None:
    client = enter(world.people[who])
    given = {"name": " Cóndor  S.A. ", "language": "pt", "spoc": world.paula.pk}
    page = client.post("/desk/customers/new", given)["Location"]
    made = Organisation.objects.get(name="Cóndor S.A.")
    assert page == f"/desk/customers/{made.pk}"
    assert (made.language, made.spoc) == ("pt", world.paula)
    assert client.post(f"{page}/facts", given | {"spoc": world.sara.pk})["Location"] == page
    made.refresh_from_db()
    assert made.spoc == world.sara
    add, edit = Change.objects.filter(subject="customer", row=made.pk).order_by("pk")
    assert (add.act, add.by, add.at) == ("add", world.people[who], NOW)
    assert edit.fields == {"spoc": ["Paula Puente", "Sara Soporte"]}
    assert client.post(f"{page}/facts", given | {"spoc": world.sara.pk}).status_code == 302
    assert Change.objects.filter(subject="customer", row=made.pk).count() == 2  # nothing changed
    shown = client.get(page).content.decode()
    assert "Paula Puente → Sara Soporte" in shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "ANDINA"}, "name"),
        ({"name": "Consultora"}, "name"),
        ({"name": ""}, "name"),
        ({"language": "fr"}, "language"),
        ({"spoc": "ana"}, "spoc"),
    ],
)
def test_a_wrong_customer_is_told_by_its_field(
    world: World, wrong: dict[str, str], field: str
) -> None:
    given = {"name": "Cóndor", "language": "es", "spoc": world.paula.pk} | wrong
    if given["spoc"] == "ana":
        given["spoc"] = world.ana.pk
    response = enter(world.ada).post("/desk/customers/new", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Organisation.objects.count() == 3
    assert not Change.objects.exists()


def test_a_customer_in_use_is_retired_once_its_cases_have_ended(world: World) -> None:
    client, case = enter(world.mario), world.analysed()
    address = f"/desk/customers/{world.andina.pk}"
    wrong = client.post(f"{address}/retirement", {"why": "Se fue"})
    assert wrong.status_code == 422
    assert "1" in wrong.context["retire"].errors["why"][0]
    life.cancel(world.on(case, "ana"), reason=CancelReason.WITHDRAWN)
    assert client.post(f"{address}/retirement", {"why": " "}).status_code == 422
    assert client.post(f"{address}/retirement", {"why": "Se fue"}).status_code == 302
    assert not Organisation.objects.get(pk=world.andina.pk).active
    assert world.ana.pk not in {
        person.pk for person in Person.objects.all() if Person.objects.get(pk=person.pk).customers()
    }
    assert Change.objects.get(act="retire").why == "Se fue"
    assert client.post(f"{address}/restoration").status_code == 302
    assert Organisation.objects.get(pk=world.andina.pk).active


@pytest.mark.parametrize(
    ("kind", "model", "detail", "column"),
    [
        ("area", Area, "", "name"),
        ("entity", Entity, "900.123", "tax_id"),
        ("environment", Environment, "https://erp.brisa.example", "url"),
    ],
)
def test_what_a_customer_consists_of_is_retired_never_deleted(
    world: World, kind: str, model: type, detail: str, column: str
) -> None:
    client, customer = enter(world.ada), f"/desk/customers/{world.brisa.pk}"
    given = {"name": "Uno"} | ({"detail": detail} if detail else {})
    assert client.post(f"{customer}/{kind}/new", given).status_code == 302
    row = model.objects.get(organisation=world.brisa)  # type: ignore[attr-defined]
    assert getattr(row, column) == (detail or "Uno")
    assert client.post(f"{customer}/{kind}/new", {"name": " uno "}).status_code == 422
    assert client.post(f"{customer}/{kind}/{row.pk}", given | {"name": "Dos"}).status_code == 302
    assert client.post(f"{customer}/{kind}/{row.pk}", {"retired": "yes"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.retired_at) == ("Dos", NOW)
    assert "Dos" in client.get(customer).content.decode()
    client.post(f"{customer}/{kind}/{row.pk}", {"retired": "no"})
    row.refresh_from_db()
    assert row.retired_at is None
    acts = [change.act for change in Change.objects.order_by("pk")]
    assert acts == [f"{act}_{kind}" for act in ("add", "edit", "retire", "restore")]
    other = f"/desk/customers/{world.andina.pk}/{kind}/{row.pk}"
    assert client.get(other).status_code == 404  # another customer's


def test_an_environment_needs_an_address_of_the_web(world: World) -> None:
    given = {"name": "Uno", "detail": "javascript:alert(1)"}
    response = enter(world.ada).post(f"/desk/customers/{world.brisa.pk}/environment/new", given)
    assert list(response.context["form"].errors) == ["detail"]
    assert not Environment.objects.filter(organisation=world.brisa).exists()


def test_retired_parts_are_not_offered(world: World) -> None:
    area = admin.add_area(world.brisa, "Ventas")
    client = enter(world.ada)
    person = f"/desk/people/{world.nora.pk}"
    assert area in client.get(person).context["form"].fields["area"].queryset
    client.post(f"/desk/customers/{world.brisa.pk}/area/{area.pk}", {"retired": "yes"})
    assert area not in client.get(person).context["form"].fields["area"].queryset


def test_a_person_is_changed_and_retired(world: World) -> None:
    client, address = enter(world.ada), f"/desk/people/{world.beto.pk}"
    given = {"name": "Alberto Díaz", "language": "en"}
    assert client.post(f"{address}/facts", given)["Location"] == address
    assert client.post(f"{address}/retirement", {"why": "Renunció"}).status_code == 302
    beto = Person.objects.get(pk=world.beto.pk)
    assert (beto.name, beto.language, beto.is_active) == ("Alberto Díaz", "en", False)
    assert beto.memberships.get().until == NOW
    acts = [c.act for c in Change.objects.filter(subject="person", row=beto.pk).order_by("pk")]
    assert acts == ["edit", "retire", "end_role"]
    assert "Renunció" in client.get(address).content.decode()
    client.post(f"{address}/restoration")
    beto.refresh_from_db()
    assert beto.is_active
    assert not beto.active_memberships()  # roles are given anew


def test_nobody_retires_themselves_nor_a_single_point_of_contact(world: World) -> None:
    client = enter(world.ada)
    for person, said in ((world.ada, ""), (world.paula, "Andina")):
        response = client.post(f"/desk/people/{person.pk}/retirement", {"why": "x"})
        assert response.status_code == 422
        assert said in response.context["retire"].errors["why"][0]
        assert Person.objects.get(pk=person.pk).is_active


def test_roles_given_and_ended_stand_in_both_histories(world: World) -> None:
    """One person may belong to several customers."""
    client, address = enter(world.ada), f"/desk/people/{world.nora.pk}"
    area = admin.add_area(world.andina, "Ventas")
    given = {"organisation": world.andina.pk, "role": "lead", "area": area.pk}
    assert client.post(f"{address}/roles", given).status_code == 302
    nora = Person.objects.get(pk=world.nora.pk)
    later = NOW + timedelta(days=3650)
    assert {m.organisation.name for m in nora.memberships_at(later)} == {"Andina", "Brisa"}
    for subject, row in (("person", nora.pk), ("customer", world.andina.pk)):
        change = Change.objects.get(subject=subject, row=row)
        assert (change.act, change.by) == ("give_role", world.ada)
        assert change.fields["role"] == [None, Role.LEAD]
        assert change.fields["area"] == [None, "Ventas"]
    assert "Nora Brisa" in client.get(f"/desk/customers/{world.andina.pk}").content.decode()


@pytest.mark.parametrize("who", ["sara", "carlos"])
def test_others_of_the_firm_look_and_change_nothing(world: World, who: str) -> None:
    client, customer = enter(world.people[who]), f"/desk/customers/{world.andina.pk}"
    environment = f"{customer}/environment/{world.production.pk}"
    for address in (
        "/desk/customers/new",
        f"{customer}/facts",
        f"{customer}/area/new",
        environment,
    ):
        assert client.get(address).status_code == 403
        assert client.post(address, {"name": "x", "retired": "yes"}).status_code == 403
    person = f"/desk/people/{world.ana.pk}"
    for address in (
        f"{customer}/retirement",
        f"{customer}/restoration",
        f"{person}/facts",
        f"{person}/retirement",
        f"{person}/restoration",
    ):
        given = {"why": "x", "name": "X", "language": "en"}
        assert client.post(address, given).status_code == 403, address
    page = client.get(customer).content.decode()
    assert "/facts" not in page
    assert "/area/new" not in page
    assert not Change.objects.exists()
    assert enter(world.ana).get(customer).status_code == 404


def test_who_is_still_to_be_named_is_told(world: World) -> None:
    client, page = enter(world.ada), f"/desk/customers/{world.andina.pk}"
    assert client.get(page).context["missing"] == []
    area = admin.add_area(world.andina, "Ventas")
    admin.end_role(world.omar.memberships.get(), NOW)
    Organisation.objects.filter(pk=world.andina.pk).update(spoc=None)
    spoc, owner, lead = client.get(page).context["missing"]
    assert ("P17" in spoc, "P17" in owner, "Ventas" in lead) == (True, True, True)
    admin.end_role(world.lina.memberships.get(), NOW)
    later = NOW + timedelta(seconds=1)
    admin.give_role(world.lina, world.andina, Role.LEAD, since=later, area=area)
    assert len(client.get(page).context["missing"]) == 2
