"""A case that was reported by telephone: opened, confirmed, and not payable before (P16, P18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from acuse.actions import billing, calls, triage
from acuse.models import Address, Case, LedgerLine, Notice, Person
from acuse.policy.authors import Channel
from acuse.policy.authors import person as author
from acuse.policy.billing import Activity
from acuse.policy.priority import Impact, Urgency
from acuse.policy.stages import Role
from tests.world import HOUR, START, World, refused


def call(world: World, who: str = "sara", key: str = "", **given: Any) -> LedgerLine:
    details: dict[str, Any] = {
        "medium": "phone",
        "called_at": START - HOUR,
        "subject": "No imprime",
        "text": "Dice que no imprime facturas",
        "organisation": world.andina,
        "reporter": world.ana,
    }
    if "email" in given:
        details["reporter"] = None
    return calls.open_from_call(world.on(None, who, key=key), **(details | given))


def told(line: LedgerLine) -> set[str]:
    return set(line.notices.values_list("person__email", flat=True))


def test_a_call_becomes_a_case_from_the_moment_it_is_written_down(world: World) -> None:
    line = call(
        world,
        environment=world.production,
        impact=Impact.CRITICAL_PROCESS,
        urgency=Urgency.WORK_BLOCKED,
    )
    case = world.fresh(line.case)
    assert (line.kind, case.opened_at, case.opened_by) == ("open", START, "support")
    assert (case.reporter, case.organisation, case.contract) == (
        world.ana, world.andina, world.contract,
    )  # fmt: skip
    assert case.priority != "low"
    assert case.deadlines.filter(kind="first_response").exists()
    recorded = case.ledger.get(seq=2)
    assert (recorded.kind, recorded.author) == ("record_call", world.sara)
    assert recorded.payload["medium"] == "phone"
    assert recorded.payload["called_at"].startswith("2026-11-17T13:00")
    assert "ana@andina.example" in told(line)
    assert not recorded.notices.exists()


def test_nothing_is_payable_before_a_user_confirms_it(world: World) -> None:
    case = call(world).case
    triage_time = {
        "work_date": START.date(),
        "minutes": 30,
        "activity": Activity.DIAGNOSIS,
        "text": "Mirar",
    }
    billing.log_time(world.on(case, "sara"), **triage_time)
    assert not case.time.get().billable
    with refused("not_your_role"):
        triage.confirm_report(world.on(case, "sara"))
    triage.confirm_report(world.on(case, "beto"))
    assert case.time.current().get().billable


def test_the_same_request_twice_is_one_case(world: World) -> None:
    first, again = call(world, key="k"), call(world, key="k")
    assert first == again
    assert Case.objects.count() == 1
    assert LedgerLine.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"medium": "pigeon"}, "reason_unknown", "medium"),
        ({"called_at": START + HOUR}, "contact_in_future", "called_at"),
        ({"called_at": START - 9000 * HOUR}, "contact_too_long_ago", "called_at"),
        ({"reporter": None}, "caller_required", "reporter"),
        ({"subject": " "}, "subject_required", "subject"),
        ({"email": "sara@firm.example"}, "not_a_member", "email"),
        ({"email": "nora@brisa.example"}, "other_customer", "organisation"),
    ],
)
def test_what_cannot_be_recorded_leaves_nothing(
    world: World, given: dict[str, Any], code: str, field: str
) -> None:
    people = Person.objects.count()
    with refused(code, field):
        call(world, **given)
    assert not Case.objects.exists()
    assert Person.objects.count() == people


def test_an_environment_of_another_customer_is_refused(world: World) -> None:
    with refused("other_customer"):
        call(world, organisation=world.brisa, reporter=world.nora, environment=world.production)


def test_only_the_firms_agents_record_calls(world: World) -> None:
    with refused("not_your_role"):
        call(world, "ana")
    with refused("not_your_role"):
        call(world, "ada")
    assert not Case.objects.exists()
    assert call(world, "carlos").author == world.carlos


def test_who_is_new_is_let_in_by_who_may_say_so(world: World) -> None:
    with refused("caller_unknown", "email"):
        call(world, email="nueva@andina.example", name="Nueva Voz")
    assert not Address.objects.filter(email="nueva@andina.example").exists()
    line = call(world, "paula", email="Nueva@Andina.example", name="Nueva Voz")
    new = Person.objects.get(email="nueva@andina.example")
    assert (new.name, line.case.reporter) == ("Nueva Voz", new)
    assert [held.role for held in new.memberships.all()] == [Role.USER]
    triage.confirm_report(world.on(line.case, author(new.pk, Channel.PORTAL)))
    mario = call(world, "mario", email="otra@andina.example").case
    assert mario.organisation == world.andina


def test_without_a_customer_the_case_waits_as_a_strangers_mail_does(world: World) -> None:
    line = call(world, email="quien@otra.example", organisation=None)
    case = world.fresh(line.case)
    assert (case.organisation, case.priority) == (None, "low")
    assert case.reporter is not None
    assert case in Case.objects.visible_to(case.reporter)
    assert "quien@otra.example" in told(line)


def test_a_known_address_is_found_again(world: World) -> None:
    line = call(world, email="BETO@andina.example", name="Otro nombre")
    assert line.case.reporter == world.beto
    assert Person.objects.get(pk=world.beto.pk).name == "Beto Díaz"


def test_a_contact_is_told_only_with_the_opening(world: World) -> None:
    case = world.report()
    with refused("not_just_opened"):
        calls.record_call(world.on(case, "sara"), medium="phone", called_at=START)
    mine = call(world).case
    with refused("not_just_opened"):
        calls.record_call(
            world.on(mine, "sara"), medium="phone", called_at=START + timedelta(minutes=1)
        )
    assert Notice.objects.filter(line__kind="record_call").count() == 0
