"""The firm's vocabulary at the desk: added, renamed, retired, never deleted."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions.catalogue import WORDS
from acuse.models import Change, Mailbox, Module, Person, Queue, Specialty
from tests.desk.conftest import NOW
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("kind", WORDS)
def test_words_are_added_renamed_and_retired(world: World, kind: str) -> None:
    client, model = enter(world.ada), WORDS[kind]
    address = f"/desk/words/{kind}"
    assert client.post(address, {"name": "  Nómina   y pagos "}).status_code == 302
    word = model._default_manager.get(name="Nómina y pagos")
    assert word.code == "nomina_y_pagos"
    page = f"{address}/{word.pk}"
    assert client.post(page, {"name": "Nómina"}).status_code == 302
    assert client.post(f"{page}/retirement").status_code == 302
    word.refresh_from_db()
    assert (word.name, word.code, word.retired_at) == ("Nómina", "nomina_y_pagos", NOW)
    assert "(retired)" in client.get(address).content.decode()
    assert client.post(f"{page}/restoration").status_code == 302
    word.refresh_from_db()
    assert word.retired_at is None
    changes = Change.objects.filter(subject=kind, row=word.pk).order_by("pk")
    assert [change.act for change in changes] == ["add", "edit", "retire", "restore"]
    assert {change.by for change in changes} == {world.ada}
    assert "Nómina y pagos → Nómina" in client.get(page).content.decode()


@pytest.mark.parametrize("name", ["", "  ", "VENTAS", " ventas "])
def test_a_name_is_there_once(world: World, name: str) -> None:
    client = enter(world.ada)
    other = Module.objects.create(code="compras", name="Compras")
    for address in ("/desk/words/module", f"/desk/words/module/{other.pk}"):
        response = client.post(address, {"name": name})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == ["name"]
    assert Module.objects.count() == 2
    assert not Change.objects.exists()


def test_codes_never_meet(world: World) -> None:
    client = enter(world.ada)
    for name in ("Año", "Ano", "¿?", "¡!"):
        client.post("/desk/words/specialty", {"name": name})
    codes = list(Specialty.objects.order_by("pk").values_list("code", flat=True))
    assert codes == ["ano", "ano_2", "specialty", "specialty_2"]


def test_a_queue_in_use_is_not_retired(world: World) -> None:
    client, queue = enter(world.mario), Queue.objects.get(code="soporte")
    address = f"/desk/words/queue/{queue.pk}/retirement"
    refused = client.post(address)
    assert refused.status_code == 422
    assert "soporte@example.com" in refused.content.decode()
    case = world.report(mailbox=world.mailbox)
    Mailbox.objects.update(active=False)
    assert "open cases wait there (1)" in client.post(address).content.decode()
    queue.refresh_from_db()
    assert queue.retired_at is None
    type(case).objects.filter(pk=case.pk).update(queue=None)
    assert client.post(address).status_code == 302
    queue.refresh_from_db()
    assert queue.retired_at == NOW


def test_a_retired_word_is_kept_by_what_names_it_and_offered_no_more(world: World) -> None:
    module = Module.objects.get(code="ventas")
    case = world.report(module=module)
    client = enter(world.ada)
    client.post(f"/desk/words/module/{module.pk}/retirement")
    assert world.fresh(case).module == module
    page = enter(world.sara).get("/desk/cases/new")
    assert module not in page.context["form"].fields["module"].queryset


@pytest.mark.parametrize("who", ["sara", "carlos"])
def test_others_of_the_firm_look_and_change_nothing(world: World, who: str) -> None:
    client, module = enter(world.people[who]), Module.objects.get(code="ventas")
    page = f"/desk/words/module/{module.pk}"
    assert client.get("/desk/words/module").status_code == 200
    assert client.get("/desk/settings").status_code == 200
    assert client.get(page).status_code == 403
    for address in ("/desk/words/module", page, f"{page}/retirement", f"{page}/restoration"):
        assert client.post(address, {"name": "x"}).status_code == 403
    assert not Change.objects.exists()
    assert enter(world.ana).get("/desk/words/module").status_code == 404


def test_what_does_not_exist(world: World) -> None:
    client = enter(world.ada)
    for address in ("/desk/words/nothing", "/desk/words/nothing/1", "/desk/words/module/0"):
        assert client.get(address).status_code == 404


def test_a_list_costs_the_same_for_any_number_of_words(world: World) -> None:
    client = enter(world.ada)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/desk/words/module").status_code == 200
        return len(queries)

    statements()
    before = statements()
    admin.add_words(Module, [(f"m{n}", f"M{n}") for n in range(20)])
    assert statements() == before
