"""From signals to cases: one for each incident, however many signals (P06)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from acuse.actions import incidents, life, watching
from acuse.actions.watching import CheckFacts
from acuse.models import Case, Change, Check, CheckRun, Incident, MaintenanceWindow, Outage
from acuse.policy.alerts import Grouping
from acuse.policy.fields import InvalidField
from acuse.policy.incidents import CALM, Signal, Step, Told, fingerprint
from acuse.policy.probing import Finding, Result
from acuse.policy.stages import CancelReason
from tests.world import START, World

MINUTE = timedelta(minutes=1)
F1, F2 = fingerprint("one"), fingerprint("two")
FACTS = CheckFacts("Entrada", "http", "https://erp.example.com/web/login")


def signal(failing: bool, which: str = F1, **more: object) -> Signal:
    return Signal(which, failing, "No responde", "503 en erp", **more)  # type: ignore[arg-type]


def hear(world: World, failing: bool, after: int, which: str = F1, **more: object) -> Incident:
    at = START + after * MINUTE
    found = incidents.hear(signal(failing, which, **more), world.production, at=at)
    assert found is not None
    found.refresh_from_db()
    return found


def kinds(case: Case | None) -> list[str]:
    assert case is not None
    return list(case.ledger.order_by("seq").values_list("kind", flat=True))


def test_many_signals_are_one_case_with_its_recovery(world: World) -> None:
    for minute in range(5):
        found = hear(world, True, minute)
    found = hear(world, False, 6)
    case = Case.objects.get()
    assert found.case == case
    assert case.opened_by == "monitor"
    assert case.organisation == world.andina
    assert case.subject == "Producción: No responde"
    assert kinds(case) == ["open", "recover"]
    assert (found.count, found.told, found.failing) == (6, Told.RECOVERED, False)
    outage = Outage.objects.get()
    assert (outage.since, outage.until) == (START, START + 6 * MINUTE)


def test_two_things_are_two_cases(world: World) -> None:
    assert hear(world, True, 0).case != hear(world, True, 0, F2).case


def test_a_recovery_of_what_nobody_knew_to_fail_is_nothing(world: World) -> None:
    assert incidents.hear(signal(False), world.production, at=START) is None
    assert not Incident.objects.exists()


def test_what_fails_again_is_noted_on_the_same_case(world: World) -> None:
    hear(world, True, 0)
    hear(world, False, 5)
    found = hear(world, True, 60)
    assert kinds(found.case) == ["open", "recover", "open_environment_alert"]
    assert Outage.objects.filter(until__isnull=True).get().since == START + 60 * MINUTE


def test_what_comes_and_goes_is_noted_once_and_its_calm_too(world: World) -> None:
    for minute in range(20):
        found = hear(world, minute % 2 == 0, minute)
    known = ["open", "recover", "open_environment_alert", "recover", "open_environment_alert"]
    assert kinds(found.case) == known
    assert found.told == Told.FLAPPING
    note = found.case.messages.latest("pk")  # type: ignore[union-attr]
    assert "15" in note.text
    assert note.audience == "firm"
    assert incidents.pending() == [found.pk]
    assert incidents.follow(found.pk, START + 20 * MINUTE) is None
    assert incidents.follow(found.pk, START + 19 * MINUTE + CALM) is Step.RECOVER
    assert kinds(found.case) == [*known, "recover"]
    assert incidents.pending() == []
    assert not Outage.objects.filter(until__isnull=True).exists()


def test_an_ended_case_stays_ended_and_the_next_failure_is_another(world: World) -> None:
    found = hear(world, True, 0)
    assert found.case is not None
    at = START + 2 * MINUTE
    life.cancel(world.on(found.case, "sara", at), reason=CancelReason.NOT_A_CASE)
    assert hear(world, True, 3).over_at is None
    assert Case.objects.count() == 1
    assert hear(world, False, 4).over_at == START + 4 * MINUTE
    again = hear(world, True, 5)
    assert again.pk != found.pk
    assert Case.objects.count() == 2


def test_a_case_closed_after_its_recovery_ends_the_incident(world: World) -> None:
    hear(world, True, 0)
    found = hear(world, False, 1)
    assert incidents.pending() == []
    assert found.case is not None
    life.cancel(world.on(found.case, "sara", START + MINUTE), reason=CancelReason.SOLVED_ITSELF)
    assert incidents.pending() == [found.pk]
    assert incidents.follow(found.pk, START + 2 * MINUTE) is Step.END
    assert incidents.follow(found.pk, START + 3 * MINUTE) is None


def test_an_overtaken_recovery_changes_nothing(world: World) -> None:
    hear(world, True, 0, started_at=START)
    found = hear(world, False, 1, started_at=START - MINUTE)
    assert found.failing
    assert found.count == 2
    assert not hear(world, False, 2, started_at=START).failing


def test_time_does_not_go_back(world: World) -> None:
    hear(world, True, 5)
    found = hear(world, False, 4)
    assert found.last_at == START + 5 * MINUTE
    assert found.told == Told.RECOVERED


def maintain(world: World, first: int, last: int, at: int = 0) -> MaintenanceWindow:
    return watching.announce_maintenance(
        world.production,
        since=START + first * MINUTE,
        until=START + last * MINUTE,
        reason="Actualización",
        by=world.mario,
        at=START + at * MINUTE,
    )


def test_maintenance_silences_and_what_still_fails_after_it_opens(world: World) -> None:
    maintain(world, 0, 30)
    found = hear(world, True, 1)
    assert found.case is None
    assert found.count == 1
    assert incidents.follow(found.pk, START + 29 * MINUTE) is None
    assert incidents.pending() == [found.pk]
    assert incidents.follow(found.pk, START + 30 * MINUTE) is Step.OPEN
    assert Case.objects.get().opened_at == START + 30 * MINUTE


def test_what_failed_only_in_maintenance_leaves_no_case(world: World) -> None:
    maintain(world, 0, 30)
    hear(world, True, 1)
    assert hear(world, False, 2).over_at is not None
    assert not Case.objects.exists()


def test_another_environments_maintenance_silences_nothing(world: World) -> None:
    from acuse.actions.administration import add_environment

    maintain(world, 0, 30)
    other = add_environment(world.andina, "Pruebas")
    found = incidents.hear(signal(True), other, at=START)
    assert found is not None
    assert found.case is not None


def test_the_end_of_maintenance_can_be_brought_forward(world: World) -> None:
    window = maintain(world, 0, 30)
    watching.end_maintenance(window, by=world.mario, at=START + 5 * MINUTE)
    assert hear(world, True, 6).case is not None
    with pytest.raises(InvalidField):
        watching.end_maintenance(window, by=world.mario, at=START + 7 * MINUTE)
    later = maintain(world, 60, 90, at=7)
    watching.end_maintenance(later, by=world.mario, at=START + 8 * MINUTE)
    later.refresh_from_db()
    assert later.until == later.since


@pytest.mark.parametrize(("first", "last", "at"), [(10, 10, 0), (0, 10, 20), (0, 60 * 24 * 32, 0)])
def test_maintenance_of_no_sense_is_refused(world: World, first: int, last: int, at: int) -> None:
    with pytest.raises(InvalidField) as wrong:
        maintain(world, first, last, at)
    assert wrong.value.field == "until"
    assert not MaintenanceWindow.objects.exists()


def test_maintenance_is_not_announced_for_the_past(world: World) -> None:
    assert maintain(world, 0, 30, at=10).since == START + 10 * MINUTE


# Checks -----------------------------------------------------------------------------------------


@pytest.fixture
def check(world: World) -> Check:
    return watching.add_check(world.production, FACTS, by=world.ada, at=START)


def found(check: Check, finding: Finding, after: int) -> None:
    result = Result(finding, "503\0", 12)
    incidents.keep_result(check, result, START + after * MINUTE, "no responde")


def test_a_check_opens_after_its_failures_in_a_row_and_recovers_likewise(check: Check) -> None:
    script = [
        (Finding.STATUS, 0), (Finding.FINE, 0), (Finding.STATUS, 0), (Finding.TIMED_OUT, 1),
        (Finding.TIMED_OUT, 1), (Finding.FINE, 1), (Finding.STATUS, 1), (Finding.FINE, 1),
        (Finding.FINE, 2),
    ]  # fmt: skip
    for minute, (finding, lines) in enumerate(script):
        found(check, finding, minute)
        case = Case.objects.first()
        assert (len(kinds(case)) if case else 0) == lines, minute
    assert kinds(case) == ["open", "recover"]
    assert case is not None
    assert case.subject == "Producción: Entrada: no responde"
    assert CheckRun.objects.count() == len(script)
    row = Incident.objects.get()
    assert row.of == check
    assert row.told == Told.RECOVERED


def test_a_retired_check_is_not_asked_and_says_nothing_of_recovery(
    world: World, check: Check
) -> None:
    for minute in range(3):
        found(check, Finding.STATUS, minute)
    at = START + 4 * MINUTE
    watching.retire_check(check, by=world.ada, at=at, why="Ya no existe")
    assert kinds(Case.objects.get()) == ["open"]
    assert Incident.objects.get().over_at == at
    assert Outage.objects.get().until == at
    found(check, Finding.STATUS, 5)
    assert CheckRun.objects.count() == 3
    assert watching.take_due_checks(at + 60 * MINUTE, most=9) == []
    watching.restore_check(check, by=world.ada, at=at)
    assert [row.pk for row in watching.take_due_checks(at, most=9)] == [check.pk]
    acts = Change.objects.filter(subject="check").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["add", "retire", "restore"]


def test_due_checks_are_taken_once(world: World, check: Check) -> None:
    assert watching.take_due_checks(START - MINUTE, most=9) == []
    assert [row.pk for row in watching.take_due_checks(START, most=9)] == [check.pk]
    assert watching.take_due_checks(START + 4 * MINUTE, most=9) == []
    assert len(watching.take_due_checks(START + 5 * MINUTE, most=9)) == 1


def test_a_change_says_what_changed(world: World, check: Check) -> None:
    facts = CheckFacts("Entrada", "http", "https://erp.example.com/web/login", every=10)
    watching.change_check(check, facts, by=world.mario, at=START)
    watching.change_check(check, facts, by=world.mario, at=START)
    change = Change.objects.filter(subject="check", act="edit").get()
    assert change.fields == {"every": [5, 10]}
    assert change.by == world.mario


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "x" * 101),
        ("kind", "ping"),
        ("target", "not a place"),
        ("every", 0),
        ("timeout", 11),
        ("to_open", 0),
        ("to_recover", 21),
        ("latency_limit", 0),
        ("expected_status", 99),
        ("expiry_days", 366),
    ],
)
def test_facts_of_no_sense_are_refused(world: World, field: str, value: object) -> None:
    facts = CheckFacts(**{**FACTS.__dict__, field: value})
    with pytest.raises(InvalidField) as wrong:
        watching.add_check(world.production, facts, by=world.ada, at=START)
    assert wrong.value.field == field
    assert not Check.objects.exists()


def test_a_retired_environment_gets_nothing_new(world: World) -> None:
    world.production.retired_at = START
    world.production.save()
    for add in (
        lambda: watching.add_check(world.production, FACTS, by=world.ada, at=START),
        lambda: maintain(world, 0, 30),
        lambda: watching.add_source(world.production, "x", "group", by=world.ada, at=START),
    ):
        with pytest.raises(InvalidField):
            add()


def test_old_results_are_forgotten(check: Check) -> None:
    found(check, Finding.FINE, 0)
    assert watching.forget_runs(START + watching.KEPT_RUNS) == 0
    assert watching.forget_runs(START + watching.KEPT_RUNS + MINUTE) == 1


# Sources ----------------------------------------------------------------------------------------


def test_a_token_opens_until_it_is_replaced_or_retired(world: World) -> None:
    at: datetime = START
    source, token = watching.add_source(world.production, "Prom", "alert", by=world.ada, at=at)
    assert watching.find_source(token) == source
    assert token not in str(source.__dict__)
    other = f"acuse-{source.pk + 1}-{token.rpartition('-')[2]}"
    named = f"acuse-{source.pk}-"
    for wrong in ("", "acuse-", named, token[:-1], f"{token}x", f"x{token}", other, "acuse-²-x"):
        assert watching.find_source(wrong) is None
    other = watching.replace_token(source, by=world.ada, at=at)
    assert watching.find_source(token) is None
    assert watching.find_source(other) == source
    watching.retire_source(source, by=world.ada, at=at, why="Ya no")
    assert watching.find_source(other) is None
    told = str(list(Change.objects.values()))
    assert token not in told
    assert other not in told


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("grouping", "all")])
def test_a_source_of_no_sense_is_refused(world: World, field: str, value: str) -> None:
    given = {"name": "Prom", "grouping": str(Grouping.GROUP)} | {field: value}
    with pytest.raises(InvalidField) as wrong:
        watching.add_source(world.production, **given, by=world.ada, at=START)
    assert wrong.value.field == field


def test_a_retired_sources_incidents_are_over(world: World) -> None:
    source, _ = watching.add_source(world.production, "Prom", "alert", by=world.ada, at=START)
    incidents.keep_alerts(source, [signal(True), signal(True, F2)], 2, START)
    watching.retire_source(source, by=world.ada, at=START + MINUTE, why="Ya no")
    assert set(Incident.objects.values_list("over_at", flat=True)) == {START + MINUTE}
    source.refresh_from_db()
    assert source.received == 2
