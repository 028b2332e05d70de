"""Two at once, with real threads and transactions: one decision, one receipt, no deadlock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from acuse.actions import clock, conversation, life, triage
from acuse.models import Case, Deadline, LedgerLine, RefusalNote
from acuse.policy.refusals import Refused
from acuse.policy.stages import Stage
from tests.world import World


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small firm, committed, so that other connections see it."""
    return World()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run all at the same moment, each on its own connection; what each returned or raised."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return act()
        except Refused as told:
            return told
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(30) for future in [pool.submit(run, act) for act in acts]]


@pytest.mark.parametrize("rival", ["accept", "reject"])
def test_of_two_decisions_the_first_stands_and_the_second_is_told(city: World, rival: str) -> None:
    case = city.delivered()
    version = case.versions.latest("pk")
    one, two = city.on(case, "ana"), city.on(case, "beto")
    how = {"objections": [("Falta", "Se pactó")]} if rival == "reject" else {}
    results = at_once(
        lambda: life.accept(one, version=version),
        lambda: getattr(life, rival)(two, version=version, **how),
    )
    (line,) = [r for r in results if isinstance(r, LedgerLine)]
    (told,) = [r for r in results if isinstance(r, Refused)]
    assert told.code == "already_decided"
    assert told.params == {"by": str(line.author), "when": line.at}
    assert case.decisions.filter(version=version).count() == 1
    assert RefusalNote.objects.get().code == "already_decided"


def test_one_key_at_once_gives_one_receipt(city: World) -> None:
    case = city.report()
    occasion = city.on(case, "ana", key="k")
    results = at_once(*[lambda: conversation.comment(occasion, text="Hola")] * 4)
    assert len({line.pk for line in results}) == 1
    assert case.messages.filter(kind="comment").count() == 1


def test_one_key_at_once_opens_one_case(city: World) -> None:
    occasion = city.on(None, "ana", key="k")
    results = at_once(*[lambda: life.open(occasion, subject="x", text="x")] * 4)
    assert len({line.pk for line in results}) == 1
    assert Case.objects.count() == 1


def test_two_cases_merged_into_each_other_leave_one(city: World) -> None:
    for _ in range(3):
        a, b = city.report(), city.report("beto")
        one, two = city.on(a, "sara"), city.on(b, "paula")
        results = at_once(
            lambda: triage.merge_duplicate(one, original=b),  # noqa: B023 (run at once)
            lambda: triage.merge_duplicate(two, original=a),  # noqa: B023
        )
        assert [r.code for r in results if isinstance(r, Refused)] == ["itself"]
        stages = sorted(Case.objects.filter(pk__in=[a.pk, b.pk]).values_list("stage", flat=True))
        assert stages == ["cancelled", "received"]


def test_the_database_refuses_to_empty_the_ledger(city: World) -> None:
    city.report()
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("truncate acuse_ledgerline cascade")
    assert LedgerLine.objects.count() == 1


def test_many_at_once_leave_no_gap_in_the_chain(city: World) -> None:
    case = city.report()
    occasions = [city.on(case, who) for who in ("ana", "beto", "sara", "carlos") * 2]
    at_once(*[lambda o=o: conversation.comment(o, text="Hola") for o in occasions])  # type: ignore[misc]
    lines = list(case.ledger.order_by("seq"))
    assert [line.seq for line in lines] == list(range(1, 10))
    for before, line in zip(lines, lines[1:], strict=False):
        assert line.previous == before.hash


def test_two_workers_fire_a_deadline_once(city: World) -> None:
    case = city.delivered()
    row = Deadline.objects.get(case=case, kind="acceptance")
    results = at_once(*[lambda: clock.fire(row.pk, row.due_at)] * 3)
    assert len([r for r in results if r is not None]) == 1
    assert case.ledger.filter(kind="accept_tacitly").count() == 1
    assert city.fresh(case).stage == Stage.ACCEPTED


def test_silence_and_a_user_at_once_leave_one_outcome(city: World) -> None:
    case = city.delivered()
    version = case.versions.latest("pk")
    row = Deadline.objects.get(case=case, kind="acceptance")
    occasion = city.on(case, "ana", row.due_at)
    at_once(lambda: clock.fire(row.pk, row.due_at), lambda: life.accept(occasion, version=version))
    assert case.decisions.filter(version=version, annulled_at__isnull=True).count() == 1
    assert not Deadline.objects.filter(failed_at__isnull=False).exists()
