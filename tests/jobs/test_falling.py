"""What falls due, by itself and as the demo's clock is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from acuse.actions import clock as acts
from acuse.config import config
from acuse.interfaces.jobs import falling, tasks
from acuse.interfaces.mail import intake
from acuse.interfaces.web import clock
from acuse.models import Case, Deadline, DemoClock, LedgerLine, RawMail, Window
from acuse.policy.stages import Stage
from tests.mail.post import kept, key_address, written
from tests.world import START, World

HOUR = timedelta(hours=1)


@pytest.fixture
def at_start() -> Iterator[None]:
    """The machine's clock stands at the moment at which the tests' world begins."""
    with patch.object(timezone, "now", return_value=START):
        yield


def due(until: datetime) -> list[str]:
    out, err = StringIO(), StringIO()
    call_command("due", until=until.isoformat(), stdout=out, stderr=err)
    assert err.getvalue() == ""
    return out.getvalue().splitlines()


@pytest.mark.django_db
def test_the_clock_moves_ahead_and_never_back(at_start: None) -> None:
    assert clock.now() == START
    clock.move_to(START + 5 * HOUR)
    assert clock.now() == START + 5 * HOUR
    clock.move_to(START + HOUR)
    clock.move_to(START - HOUR)
    assert clock.now() == START + 5 * HOUR
    assert DemoClock.objects.count() == 1


@pytest.mark.django_db
def test_the_clock_of_a_real_installation_stands(at_start: None) -> None:
    clock.move_to(START + HOUR)
    with patch.object(clock, "config", replace(config, environment="production")):
        assert clock.now() == START
        with pytest.raises(clock.NotInProduction):
            clock.move_to(START + 9 * HOUR)
        with pytest.raises(CommandError, match="real installation"):
            due(START + 9 * HOUR)
    assert DemoClock.objects.get().ahead == HOUR


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["2026-12-01T09:00", "tomorrow"])
def test_a_moment_without_its_zone_is_refused(words: str) -> None:
    with pytest.raises(CommandError, match="--until"):
        call_command("due", until=words)


def test_each_act_happens_at_its_due_moment_in_order(world: World, at_start: None) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    assert window.until is not None
    lines = due(window.until + timedelta(days=2))
    moments = [datetime.fromisoformat(line.split()[0]) for line in lines]
    assert moments == sorted(moments)
    tacit = LedgerLine.objects.get(case=case, kind="accept_tacitly")
    assert tacit.at == window.until
    assert f"{window.until.isoformat()} {tacit.receipt} accept_tacitly" in lines
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED
    assert clock.now() == window.until + timedelta(days=2)
    assert due(window.until + timedelta(days=2)) == []


def test_silence_does_not_fall_a_moment_early(world: World, at_start: None) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    assert window.until is not None
    due(window.until - timedelta(microseconds=1))
    assert Case.objects.get(pk=case.pk).stage == Stage.DELIVERED
    due(window.until)
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED


def test_mail_that_waits_is_read_first(world: World, at_start: None) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    assert window.until is not None
    to = key_address(case, world.ana)
    kept(written("ana@andina.example", "No sirve", to=to), window.until - HOUR, to)
    due(window.until + timedelta(days=1))
    assert Case.objects.get(pk=case.pk).stage == Stage.DELIVERED
    assert RawMail.objects.get().state == "processed"


def test_what_cannot_be_fired_is_told_and_stops_nothing(world: World, at_start: None) -> None:
    broken = world.delivered("development")
    case = world.delivered("development")
    bad = Deadline.objects.get(case=broken, kind="acceptance", fired_at__isnull=True)
    until = bad.due_at + timedelta(days=1)
    lock = acts._lock_and_plan_again

    def break_one(case_id: int) -> Case:
        if case_id == broken.pk:
            raise RuntimeError("broken")
        return lock(case_id)

    with patch.object(acts, "_lock_and_plan_again", break_one):
        done = list(falling.let_time_pass(until, intake.take_in_all))
    failed = [row for row in done if isinstance(row, Deadline)]
    assert bad.pk in {row.pk for row in failed}
    assert all("broken" in row.error for row in failed)
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED


def test_the_job_fires_what_has_fallen_due_by_now(world: World) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    for now, stage in ((window.until - HOUR, Stage.DELIVERED), (window.until, Stage.ACCEPTED)):
        with patch.object(clock, "now", return_value=now):
            tasks.fall_due(timestamp=0)
        assert Case.objects.get(pk=case.pk).stage == stage


@pytest.mark.django_db
def test_real_time_goes_on_under_the_moved_clock() -> None:
    clock.move_to(timezone.now() + timedelta(days=10))
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(days=9, hours=23) < ahead <= timedelta(days=10)
