"""Files of customers and people: what is shown is what happens, whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acuse.actions import administration as admin
from acuse.actions import customers, imports
from acuse.models import (
    Area,
    Change,
    Entity,
    Environment,
    Import,
    Membership,
    Organisation,
    Person,
)
from acuse.policy.fields import InvalidField
from acuse.policy.imports import HEADERS, Grid, Kind, header_of, read_rows
from acuse.policy.stages import Role
from tests.world import START, World

NOW = START + timedelta(days=2)


def take_in(world: World, kind: Kind, *rows: dict[str, str]) -> Import:
    """A file with these rows, each its values by the code of the column."""
    columns = [column for column in HEADERS if any(column in row for row in rows)]
    header = tuple(header_of(column, "es") for column in columns)
    cells = [tuple(row.get(column, "") for column in columns) for row in rows]
    grid = Grid((header, *cells))
    read = read_rows(kind, grid, "es")
    return imports.take_in(kind, "lista.csv", "0" * 64, grid, read, by=world.ada, at=NOW)


def look(world: World, file: Import) -> list[imports.Outcome]:
    return imports.preview(file, by=world.ada, at=NOW)


def apply(world: World, file: Import) -> dict[str, int]:
    seen = imports.digest(look(world, file))
    return imports.apply(file, seen, by=world.ada, at=NOW)


def states(outcomes: list[imports.Outcome]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def standing() -> list[Any]:
    """Everything that a file may touch, as it stands."""
    return [
        sorted(model.objects.order_by("pk").values_list(*columns), key=repr)
        for model, columns in (
            (Organisation, ("name", "language", "spoc__email", "active")),
            (Area, ("organisation__name", "name", "retired_at")),
            (Entity, ("organisation__name", "name", "tax_id")),
            (Environment, ("organisation__name", "name", "url")),
            (Person, ("email", "name", "language", "is_active")),
            (
                Membership,
                ("person__email", "organisation__name", "role", "area__name", "level", "until"),
            ),
            (Change, ("subject", "act")),
        )
    ]


def test_customers_are_added_and_changed(world: World) -> None:
    file = take_in(
        world,
        Kind.CUSTOMERS,
        {"name": "Cóndor S.A.", "language": "portugués", "spoc": "PAULA@firm.example"},
        {"name": "andina", "spoc": "sara@firm.example"},
        {"name": "Brisa", "language": "es"},
    )
    before = standing()
    outcomes = look(world, file)
    assert standing() == before
    assert states(outcomes) == ["new", "changed", "unchanged"]
    assert outcomes[1].fields == {"spoc": ("paula@firm.example", "sara@firm.example")}
    assert apply(world, file) == {"wrong": 0, "new": 1, "changed": 1, "unchanged": 1}
    made = Organisation.objects.get(name="Cóndor S.A.")
    assert (made.language, made.spoc) == ("pt", world.paula)
    assert Organisation.objects.get(pk=world.andina.pk).spoc == world.sara
    assert Organisation.objects.get(pk=world.andina.pk).name == "Andina"
    change = Change.objects.get(subject="import")
    assert (change.row, change.by, change.act) == (file.pk, world.ada, "apply")
    assert change.fields["new"] == [None, 1]
    assert Change.objects.filter(subject="customer", row=made.pk, act="add").exists()
    file.refresh_from_db()
    assert (file.rows, file.applied_at) == ([], NOW)


@pytest.mark.parametrize(
    ("kind", "model", "more", "column"),
    [
        (Kind.AREAS, Area, {}, "name"),
        (Kind.ENTITIES, Entity, {"tax_id": "900123456"}, "tax_id"),
        (Kind.ENVIRONMENTS, Environment, {"url": "https://erp.example"}, "url"),
    ],
)
def test_what_a_customer_consists_of(
    world: World, kind: Kind, model: Any, more: dict[str, str], column: str
) -> None:
    file = take_in(world, kind, {"customer": "BRISA", "name": "Uno", **more})
    assert apply(world, file)["new"] == 1
    row = model.objects.get(organisation=world.brisa)
    assert getattr(row, column) == (more.get(column) or "Uno")
    again = take_in(world, kind, {"customer": "Brisa", "name": "UNO"})
    assert states(look(world, again)) == ["unchanged"]  # an empty cell says nothing
    customers.set_part_retired(row, True, by=world.ada, at=NOW)
    (outcome,) = look(world, again)
    assert (outcome.state, outcome.problems[0].rule) == ("wrong", imports.RETIRED)


def test_a_detail_is_changed_or_refused_by_its_column(world: World) -> None:
    given = {"customer": "Andina", "name": "Producción"}
    file = take_in(world, Kind.ENVIRONMENTS, {**given, "url": "https://erp.andina.example"})
    (outcome,) = look(world, file)
    assert outcome.fields == {"url": ("", "https://erp.andina.example")}
    (outcome,) = look(world, take_in(world, Kind.ENVIRONMENTS, {**given, "url": "javascript:x"}))
    assert (outcome.state, outcome.problems[0].field) == ("wrong", "url")


def test_people_with_roles_and_one_in_several_organisations(world: World) -> None:
    admin.add_area(world.andina, "Ventas")
    file = take_in(
        world,
        Kind.PEOPLE,
        {"email": "eva@andina.example", "name": "Eva", "organisation": "Andina", "role": "usuario"},
        {"email": "eva@andina.example", "organisation": "Brisa", "role": "usuario"},
        {
            "email": "nora@brisa.example",
            "organisation": "Andina",
            "role": "líder",
            "area": "ventas",
        },
        {
            "email": "sara@firm.example",
            "organisation": "Consultora",
            "role": "soporte",
            "level": "2",
        },
        {
            "email": "omar@andina.example",
            "organisation": "Andina",
            "role": "responsable del servicio",
        },
    )
    outcomes = look(world, file)
    assert states(outcomes) == ["new", "changed", "changed", "changed", "unchanged"]
    assert outcomes[3].fields == {"level": ("", "n2")}
    apply(world, file)
    eva = Person.objects.get(email="eva@andina.example")
    assert {m.organisation.name for m in eva.memberships.all()} == {"Andina", "Brisa"}
    nora = Person.objects.get(pk=world.nora.pk)
    held = nora.memberships.get(organisation=world.andina)
    assert (held.role, str(held.area)) == (Role.LEAD, "Ventas")
    assert nora.memberships.filter(organisation=world.brisa, until=None).exists()
    ended, running = world.sara.memberships.order_by("since")
    assert (ended.until, running.since, running.level) == (NOW, NOW, "n2")
    acts = Change.objects.filter(subject="person", row=eva.pk).order_by("pk")
    assert [change.act for change in acts] == ["add", "give_role", "give_role"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"organisation": "Nadie"}, "organisation"),
        ({"role": "soporte"}, "role"),  # the firm's, in a customer
        ({"area": "Nada"}, "area"),
        ({"level": "n2"}, "level"),
        ({"substitute": "sí"}, "substitute"),
        ({"email": "no es un correo"}, "email"),
        ({"email": "beto@andina.example"}, "email"),  # retired
        ({"organisation": "Brisa"}, "organisation"),  # retired
    ],
)
def test_a_row_that_breaks_a_rule_of_what_stands(
    world: World, row: dict[str, str], field: str
) -> None:
    customers.retire_person(world.beto, by=world.ada, at=NOW, why="se fue")
    customers.retire_customer(world.brisa, by=world.ada, at=NOW, why="se fue")
    base = {"email": "eva@andina.example", "organisation": "Andina", "role": "usuario"}
    good = {"email": "ivo@andina.example", "organisation": "Andina", "role": "usuario"}
    file = take_in(world, Kind.PEOPLE, good, base | row)
    outcomes = look(world, file)
    assert states(outcomes) == ["new", "wrong"]
    assert [problem.field for problem in outcomes[1].problems] == [field]
    before = standing()
    with pytest.raises(InvalidField) as told:
        imports.apply(file, imports.digest(outcomes), by=world.ada, at=NOW)
    assert (told.value.rule, told.value.params) == (imports.WRONG_ROWS, {"count": 1})
    assert standing() == before


def test_nothing_is_applied_where_what_stands_has_changed(world: World) -> None:
    file = take_in(world, Kind.CUSTOMERS, {"name": "Cóndor"}, {"name": "Delta"})
    seen = imports.digest(look(world, file))
    customers.set_up_customer(customers.CustomerFacts("Delta"), by=world.mario, at=NOW)
    before = standing()
    with pytest.raises(InvalidField) as told:
        imports.apply(file, seen, by=world.ada, at=NOW)
    assert told.value.rule == imports.STALE
    assert standing() == before
    assert apply(world, file) == {"wrong": 0, "new": 1, "changed": 0, "unchanged": 1}


def test_a_file_is_applied_once(world: World) -> None:
    file = take_in(world, Kind.CUSTOMERS, {"name": "Cóndor"})
    seen = imports.digest(look(world, file))
    imports.apply(file, seen, by=world.ada, at=NOW)
    with pytest.raises(InvalidField) as told:
        imports.apply(file, seen, by=world.ada, at=NOW)
    assert told.value.rule == imports.APPLIED
    imports.leave(file)
    assert Import.objects.filter(pk=file.pk).exists()  # that it was applied stays


def test_what_nobody_applied_is_thrown_away_after_a_day(world: World) -> None:
    left = take_in(world, Kind.CUSTOMERS, {"name": "Cóndor"})
    Import.objects.filter(pk=left.pk).update(at=NOW - imports.KEPT - timedelta(seconds=1))
    kept = take_in(world, Kind.CUSTOMERS, {"name": "Delta"})
    assert list(Import.objects.all()) == [kept]
    imports.leave(kept)
    assert not Import.objects.exists()


_people = st.lists(
    st.fixed_dictionaries(
        {
            "email": st.sampled_from(["eva@x.example", "ana@andina.example", "sara@firm.example"]),
            "organisation": st.sampled_from(["Andina", "brisa", "Consultora"]),
            "role": st.sampled_from(["usuario", "líder", "soporte", "owner"]),
        },
        optional={
            "name": st.sampled_from(["Eva", "Ana Ruiz"]),
            "area": st.sampled_from(["Ventas", "Compras"]),
            "level": st.sampled_from(["n1", "n3"]),
            "language": st.sampled_from(["es", "en"]),
        },
    ),
    min_size=1,
    max_size=5,
)


@given(rows=_people)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_shown_is_what_happens(world: World, rows: list[dict[str, str]]) -> None:
    """Looking leaves nothing; applying does exactly what was shown, or nothing; and the same file
    then changes nothing more."""
    with transaction.atomic():
        admin.add_area(world.andina, "Ventas")
        before = standing()
        file = take_in(world, Kind.PEOPLE, *rows)
        shown = look(world, file)
        assert standing() == before
        assert imports.digest(look(world, file)) == imports.digest(shown)
        if "wrong" in states(shown):
            with pytest.raises(InvalidField):
                imports.apply(file, imports.digest(shown), by=world.ada, at=NOW)
            assert standing() == before
        else:
            assert apply(world, file) == imports.count(shown)
            again = look(world, take_in(world, Kind.PEOPLE, *rows))
            assert set(states(again)) == {"unchanged"}
        transaction.set_rollback(True)
