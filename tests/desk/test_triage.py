"""Triage: one new case after another, with what is known to help (P13, P14, P15)."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.models import Case
from acuse.policy.priority import Impact, Urgency
from acuse.queries.triage import place_of, waiting
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import HOUR, START, World

pytestmark = pytest.mark.usefixtures("all_read_english")


@pytest.fixture
def sara(world: World) -> Browser:
    return Browser(world.sara)


def classify(sara: Browser, case: Case, **typed: Any) -> Any:
    return sara.post(f"/desk/triage/{case.number}", {"key": uuid.uuid4().hex, **typed})


def codes() -> dict[str, str]:
    """The gravest of both, from which the highest priority follows."""
    return {"impact": list(Impact)[0], "urgency": list(Urgency)[0]}


def test_the_most_pressing_come_first_and_the_classified_never(world: World) -> None:
    late = world.report(at=START + 2 * HOUR)
    early = world.report(at=START + HOUR)
    pressing = world.report(at=START + 3 * HOUR)
    Case.objects.filter(pk=pressing.pk).update(priority="urgent")
    done = world.analysed()
    Case.objects.filter(pk=done.pk).update(classified_at=NOW)
    assert list(waiting(world.sara)) == [pressing, early, late]
    place = place_of(early, world.sara)
    assert (place.at, place.of, place.previous, place.next) == (
        2, 3, pressing.number, late.number,
    )  # fmt: skip
    assert (place_of(pressing, world.sara).previous, place_of(late, world.sara).next) == ("", "")
    gone = place_of(done, world.sara)
    assert (gone.at, gone.next) == (0, pressing.number)


def test_triage_begins_with_the_first_and_ends_when_none_waits(world: World, sara: Browser) -> None:
    assert "Every case has been classified." in words_of(sara.get("/desk/triage"))
    first, second = world.report(), world.report(at=START + HOUR)
    assert sara.get("/desk/triage")["Location"] == f"/desk/triage/{first.number}"
    page = sara.get(f"/desk/triage/{first.number}").content.decode()
    assert f'rel="next" href="/desk/triage/{second.number}"' in page
    assert "Triage 1 of 2" in page
    answer = classify(sara, first, **codes())
    assert answer["Location"] == f"/desk/triage/{second.number}"
    assert world.fresh(first).classified_at is not None
    answer = classify(sara, second, stay="1", **codes())
    assert answer["Location"] == f"/desk/triage/{second.number}"
    assert sara.get("/desk/triage").status_code == 200


def test_the_page_says_what_is_known(world: World, sara: Browser) -> None:
    case = world.report(subject="Factura doble en ventas", text="La factura sale doble")
    said = words_of(sara.get(f"/desk/triage/{case.number}"))
    for word in ("La factura sale doble", "Andina", "Soporte Andina v1", "Ana Ruiz", "Nobody"):
        assert word in said
    brisa = world.report("nora")
    assert "No contract covers it." in words_of(sara.get(f"/desk/triage/{brisa.number}"))


def test_likely_duplicates_stand_beside_it_with_their_reasons(world: World, sara: Browser) -> None:
    words = {"subject": "Factura doble en ventas", "text": "La factura sale doble"}
    before = world.report("beto", **words)
    world.report("nora", **words)  # another customer's
    world.report(subject="Impresora", text="No imprime la impresora")
    case = world.report(at=START + HOUR, **words)
    later = world.report(at=START + 2 * HOUR, **words)
    page = sara.get(f"/desk/triage/{case.number}").content.decode()
    found = re.findall(r"<summary><span>(C-\d+)", page)
    assert found == [before.number]
    assert "Words in common: factura, doble, ventas, sale" in page
    assert f"/duplicate?original={before.number}" in page
    found = re.findall(
        r"<summary><span>(C-\d+)", sara.get(f"/desk/triage/{later.number}").content.decode()
    )
    assert found == [case.number, before.number]


def test_a_strangers_case_is_compared_with_their_own(world: World, sara: Browser) -> None:
    stranger = world.stranger()
    words = {"subject": "Factura doble en ventas", "text": "La factura sale doble"}
    world.report(**words)
    first = world.report(stranger, **words)  # type: ignore[arg-type]
    second = world.report(stranger, at=START + timedelta(hours=3), **words)  # type: ignore[arg-type]
    page = sara.get(f"/desk/triage/{second.number}").content.decode()
    assert re.findall(r"<summary><span>(C-\d+)", page) == [first.number]


def test_errors_and_refusals_keep_what_was_chosen(world: World, sara: Browser) -> None:
    case = world.report()
    answer = sara.post(f"/desk/triage/{case.number}", {"impact": codes()["impact"]})
    assert answer.status_code == 422
    chosen = f'value="{codes()["impact"]}"[^>]*checked'
    assert re.search(chosen, answer.content.decode())
    answer = classify(sara, case, priority="low", **codes())
    assert answer.status_code == 409
    assert "needs a reason" in words_of(answer)
    carlos = Browser(world.carlos)
    assert classify(carlos, case, **codes()).status_code == 409
    assert world.fresh(case).classified_at is None
    assert sara.get("/desk/triage/C-99999").status_code == 404


def test_the_page_costs_the_same_however_many_wait(world: World, sara: Browser) -> None:
    words = {"subject": "Factura doble en ventas", "text": "La factura sale doble"}
    case = world.report(at=START + HOUR, **words)
    counts = []
    for number in (1, 3, 30):
        while Case.objects.count() < number + 1:
            world.report(**words)
        with CaptureQueriesContext(connection) as queries:
            sara.get(f"/desk/triage/{case.number}")
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert max(counts) <= 25, counts
