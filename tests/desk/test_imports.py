"""The pages of a file of customers and people: sent, looked at, applied, thrown away."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from acuse.actions import customers
from acuse.interfaces.web import sheets
from acuse.models import Area, Change, Import, Organisation, Person
from acuse.policy.imports import Kind
from tests.desk.conftest import NOW
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")
AREAS = "Customer,Name\nAndina,Sales\nBrisa,Purchases\n"


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(
    client: Client, content: str | bytes, kind: str = "areas", encoding: str = "auto"
) -> HttpResponse:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("areas.csv", data, "text/csv")
    given = {"kind": kind, "file": file, "encoding": encoding}
    return client.post("/desk/imports", given)  # type: ignore[return-value]


def seen_on(page: str) -> str:
    found = re.search('name="seen" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("who", ["mario", "ada"])
def test_a_file_is_looked_at_and_applied(world: World, who: str) -> None:
    client = enter(world.people[who])
    address = send(client, AREAS)["Location"]
    page = client.get(address).content.decode()
    assert "Sales" in page
    assert not Area.objects.exists()  # looking changes nothing
    done = client.post(f"{address}/confirmation", {"seen": seen_on(page)})
    assert done["Location"] == address
    assert set(Area.objects.values_list("organisation__name", "name")) == {
        ("Andina", "Sales"),
        ("Brisa", "Purchases"),
    }
    change = Change.objects.get(subject="import")
    assert (change.by, change.at) == (world.people[who], NOW)
    page = client.get(address).content.decode()
    assert "2 rows have been applied." in page
    assert "Sales" not in page  # what the rows said is not kept
    assert client.post(f"{address}/confirmation", {"seen": "x"}).status_code == 409
    assert "areas.csv" in client.get("/desk/imports").content.decode()


def test_a_workbook_is_read_as_well(world: World) -> None:
    book, stream = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(["Cliente", "Nome"])
    book.active.append(["Andina", "Vendas"])
    book.save(stream)
    client = enter(world.ada)
    address = send(client, stream.getvalue())["Location"]
    client.post(f"{address}/confirmation", {"seen": seen_on(client.get(address).content.decode())})
    assert Area.objects.get().name == "Vendas"


def test_each_wrong_row_is_named_and_nothing_can_be_applied(world: World) -> None:
    client = enter(world.ada)
    address = send(client, AREAS + "Nobody,=1+1\nAndina,\nandina,SALES\n")["Location"]
    response = client.get(address)
    page = response.content.decode()
    lines = response.context["lines"]
    assert [(line.number, line.state) for line in lines] == [
        (4, "wrong"),
        (5, "wrong"),
        (6, "wrong"),
        (2, "new"),
        (3, "new"),
    ]
    assert [problem for line in lines for problem in line.problems] == [
        ("customer", "Nobody is not known"),
        ("name", "must not be empty"),
        ("", "stands in row 2 already"),
    ]
    assert 'name="seen"' not in page
    refused = client.post(f"{address}/confirmation", {"seen": response.context["seen"]})
    assert refused.status_code == 409
    assert "3 rows are wrong" in refused.content.decode()
    assert not Area.objects.exists()
    assert not Change.objects.exists()
    # The list of them runs nowhere, and can be corrected and sent again.
    wrong = client.get(f"{address}/wrong")
    assert wrong["Content-Disposition"].startswith("attachment")
    text = b"".join(wrong.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert text.splitlines()[0] == "row,what is wrong,customer,name"
    assert "4,customer: Nobody is not known,Nobody,'=1+1" in text
    fixed = text.replace("Nobody", "Andina").replace("Andina,\r", "Andina,Legal\r")
    fixed = fixed.replace("SALES", "Support")
    again = client.get(send(client, fixed)["Location"])
    assert [line.state for line in again.context["lines"]] == ["new"] * 3


def test_what_changed_meanwhile_is_shown_again_before_it_is_applied(world: World) -> None:
    client = enter(world.ada)
    address = send(client, AREAS)["Location"]
    seen = seen_on(client.get(address).content.decode())
    customers.add_part(world.andina, "area", "Sales", by=world.mario, at=NOW)
    response = client.post(f"{address}/confirmation", {"seen": seen})
    assert response.status_code == 409
    page = response.content.decode()
    assert "has changed meanwhile" in page
    assert Area.objects.count() == 1
    assert client.post(f"{address}/confirmation", {"seen": seen_on(page)}).status_code == 302
    assert Area.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "field", "said"),
    [
        ("Customer,Colour\nAndina,red\n", "file", "column B, “Colour”, is not known"),
        ("Customer\nAndina\n", "file", "the column “name” is missing"),
        ("", "file", ""),
        ("Customer,Name\nPeña,x\n".encode("cp1252"), "encoding", "row 2, column A"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_the_field(
    world: World, content: str | bytes, field: str, said: str
) -> None:
    response = send(enter(world.ada), content)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]  # type: ignore[attr-defined]
    assert said in response.context["form"].errors[field][0]  # type: ignore[attr-defined]
    assert not Import.objects.exists()


def test_a_file_that_is_too_large_is_not_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "LARGEST", 10)
    assert send(enter(world.ada), AREAS).status_code == 422


def test_a_file_is_thrown_away(world: World) -> None:
    client = enter(world.ada)
    address = send(client, AREAS)["Location"]
    assert client.post(f"{address}/removal")["Location"] == "/desk/imports"
    assert client.get(address).status_code == 404
    assert not Import.objects.exists()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_an_empty_file(world: World, kind: Kind) -> None:
    client = enter(world.ada)
    answer = client.get(f"/desk/imports/templates/{kind}")
    text = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    told = send(client, text, kind).context["form"].errors["file"]  # type: ignore[attr-defined]
    assert told == ["there is no row under the names of the columns"]
    assert client.get("/desk/imports/templates/nothing").status_code == 404


@pytest.mark.parametrize("who", ["sara", "carlos", "ana"])
def test_others_neither_look_nor_send(world: World, who: str) -> None:
    address = send(enter(world.ada), AREAS)["Location"]
    client = enter(world.people[who])
    missing = 404 if who == "ana" else 403
    for page in ("/desk/imports", address, f"{address}/wrong", "/desk/imports/templates/areas"):
        assert client.get(page).status_code == missing
    assert send(client, AREAS).status_code == missing
    for page in (f"{address}/confirmation", f"{address}/removal"):
        assert client.post(page, {"seen": "x"}).status_code == missing
    assert Import.objects.count() == 1
    assert not Area.objects.exists()


def test_a_row_costs_so_many_statements_and_no_more(world: World) -> None:
    client = enter(world.ada)

    def statements(rows: int) -> int:
        lines = [f"p{n}@x.example,P{n},Andina,user" for n in range(rows)]
        text = "\n".join(["mail address,name,organisation,role", *lines])
        address = send(client, text, "people")["Location"]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    assert statements(12) - statements(2) == 10 * 20
    assert Organisation.objects.count() == 3
