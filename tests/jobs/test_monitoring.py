"""The job that asks the customers' systems."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from acuse.actions import incidents, watching
from acuse.actions.watching import CheckFacts
from acuse.connectors import probes
from acuse.interfaces.jobs import monitoring
from acuse.models import Case, Check, CheckRun, Incident
from acuse.policy.incidents import CALM, Told
from acuse.policy.probing import Finding, Probe, Result
from tests.web.entering import StoppedClock
from tests.world import START, World

MINUTE = timedelta(minutes=1)


def add(world: World, name: str, **more: object) -> Check:
    facts = CheckFacts(name, "tcp", f"{name}.example:443", **more)  # type: ignore[arg-type]
    return watching.add_check(world.production, facts, by=world.ada, at=START)


def down(probe: Probe) -> Result:
    return Result(Finding.NO_CONNECTION, "refused")


def fine(probe: Probe) -> Result:
    return Result(Finding.FINE, "", 5)


def test_what_is_due_is_asked_and_a_failure_becomes_a_case(world: World) -> None:
    add(world, "erp", every=1)
    clock = StoppedClock(START)
    assert monitoring.run_checks(clock, down) == 1
    assert not Case.objects.exists()
    assert monitoring.run_checks(clock, down) == 0
    clock.at += MINUTE
    assert monitoring.run_checks(clock, down) == 1
    assert "erp" in Case.objects.get().subject
    for _ in range(2):
        clock.at += MINUTE
        monitoring.run_checks(clock, fine)
    assert Incident.objects.get().told == Told.RECOVERED


def test_more_than_fit_at_once_are_all_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "AT_ONCE", 3)
    for number in range(7):
        add(world, f"erp{number}")
    assert monitoring.run_checks(StoppedClock(START), fine) == 7
    assert CheckRun.objects.count() == 7


def test_one_that_hangs_delays_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "GRACE", -0.8)
    over = threading.Event()

    def ask(probe: Probe) -> Result:
        if probe.target.startswith("stuck"):
            over.wait(30)
        return fine(probe)

    add(world, "stuck", timeout=1)
    other = add(world, "erp", timeout=1)
    assert monitoring.run_checks(StoppedClock(START), ask) == 2
    over.set()
    found = {run.of.name: run.finding for run in CheckRun.objects.select_related("of")}
    assert found == {"stuck": Finding.TIMED_OUT, "erp": Finding.FINE}
    other.refresh_from_db()
    assert other.next_at == START + 5 * MINUTE


def test_what_came_and_went_recovers_without_a_new_signal(world: World) -> None:
    check = add(world, "erp", to_open=1, to_recover=1)
    for number in range(8):
        result = down(check.probe) if number % 2 == 0 else fine(check.probe)
        incidents.keep_result(check, result, START + number * MINUTE, "no responde")
    assert Incident.objects.get().told == Told.FLAPPING
    monitoring.follow_up(StoppedClock(START + 7 * MINUTE + CALM))
    assert Incident.objects.get().told == Told.RECOVERED


def test_one_that_cannot_be_kept_or_followed_costs_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add(world, "uno", to_open=1), add(world, "dos", to_open=1)
    keep, follow = incidents.keep_result, incidents.follow

    def break_on_first(check: Check, *rest: Any) -> None:
        if check == first:
            raise RuntimeError("ours")
        keep(check, *rest)

    monkeypatch.setattr(incidents, "keep_result", break_on_first)
    monitoring.run_checks(StoppedClock(START), down)
    assert Incident.objects.get().of == second
    monkeypatch.setattr(incidents, "keep_result", keep)
    followed: list[int] = []

    def break_once(incident_id: int, at: datetime) -> object:
        followed.append(incident_id)
        if len(followed) == 1:
            raise RuntimeError("ours")
        return follow(incident_id, at)

    monkeypatch.setattr(incidents, "follow", break_once)
    monkeypatch.setattr(incidents, "pending", lambda: [Incident.objects.get().pk] * 2)
    monitoring.follow_up(StoppedClock(START))
    assert len(followed) == 2


def test_the_finding_is_told_in_the_customers_language(world: World) -> None:
    world.andina.language = "en"
    world.andina.save()
    add(world, "erp", to_open=1)
    monitoring.run_checks(StoppedClock(START), down)
    assert Case.objects.get().subject == "Producción: erp: no connection"


def test_this_machine_is_not_asked_by_the_job(world: World) -> None:
    facts = CheckFacts("yo", "tcp", "127.0.0.1:5432")
    check = watching.add_check(world.production, facts, by=world.ada, at=START)
    monitoring.run_checks(StoppedClock(START))
    check.refresh_from_db()
    assert check.last_finding == Finding.FORBIDDEN
