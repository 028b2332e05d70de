"""What happens by itself out of hours: letters, webhooks that fail and workers that die, alarms."""

from __future__ import annotations

import email
import json
from datetime import datetime, timedelta
from email import policy

import pytest
from django.conf import settings
from procrastinate.contrib.django.models import ProcrastinateJob

from acuse.actions import hooks as acts
from acuse.actions import oncall
from acuse.actions.oncall import TurnPlan
from acuse.config import config
from acuse.connectors import hooks, sealing
from acuse.connectors.hooks import Answer
from acuse.interfaces.jobs import letters, tasks
from acuse.interfaces.jobs import oncall as jobs
from acuse.interfaces.web import hooking, paging
from acuse.models import Hook, HookDelivery, Notice, Paging
from acuse.policy.oncall import Line
from acuse.policy.probing import Finding
from acuse.queries import health
from acuse.queries.health import AlarmName
from tests.actions.test_oncall import DAY, MINUTE, NIGHT, WAIT, ZONE, report
from tests.web.entering import StoppedClock
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")
TAKEN = Answer(200, Finding.FINE)
DOWN = Answer(None, Finding.NO_CONNECTION, "refused")


@pytest.fixture
def rota(world: World) -> None:
    plan = TurnPlan(Line.FIRST, (world.sara,), START, 7, 1, ZONE)
    oncall.plan_turns(plan, by=world.mario, at=START)


@pytest.fixture
def hook(world: World) -> Hook:
    _secret, sealed = hooking.new_secret()
    return acts.add_hook("Centralita", "https://x.example/in", sealed, by=world.ada, at=START)


@pytest.fixture
def delivery(world: World, rota: None, hook: Hook) -> HookDelivery:
    report(world)
    world.fire(NIGHT)
    return HookDelivery.objects.get()


# The letter ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rota")
def test_the_letter_of_a_page_is_pressing_and_leads_to_the_button(world: World) -> None:
    case = report(world)
    world.fire(NIGHT)
    notice = Notice.objects.get(line__kind="page")
    raw = letters.write(notice, NIGHT)
    mail = email.message_from_bytes(raw.content, policy=policy.default)
    assert mail["Importance"] == "high"
    assert mail["Subject"].startswith(f"[{case.number}] Urgent: ")
    link = paging.link_for(Paging.objects.get().pk, world.sara)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert f"Look and acknowledge:\n{link}" in text.get_content().replace("\r\n", "\n")
    assert f'href="{link}"' in html.get_content()
    other = letters.write(Notice.objects.filter(line__kind="open").earliest("pk"), NIGHT)
    assert email.message_from_bytes(other.content, policy=policy.default)["Importance"] is None


# Webhooks -----------------------------------------------------------------------------------------


def test_a_message_is_signed_and_always_the_same(delivery: HookDelivery, hook: Hook) -> None:
    first = hooking.body_of(delivery)
    assert hooking.body_of(HookDelivery.objects.get()) == first
    said = json.loads(first)
    row = Paging.objects.get()
    assert said["id"] == str(delivery.key)
    assert said["type"] == "page"
    assert said["data"]["link"] == f"{config.host}/desk/oncall/pages/{row.pk}"
    assert said["data"]["number"] == row.case.number
    assert row.case.subject not in first.decode()
    assert "Ana" not in first.decode()


def test_what_goes_out_can_be_checked_with_the_secret(
    world: World, delivery: HookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes, dict[str, str]]] = []
    monkeypatch.setattr(hooks, "post", lambda *given: sent.append(given) or TAKEN)
    assert hooking.send(delivery, NIGHT) == TAKEN
    url, body, headers = sent[0]
    assert url == "https://x.example/in"
    secret = sealing.unseal(delivery.hook.sealed, settings.SECRET_KEY)["secret"]
    assert headers["webhook-signature"] == hooks.sign(secret, str(delivery.key), NIGHT, body)
    delivery.hook.sealed = "changed"
    assert "secret" in hooking.send(delivery, NIGHT).detail
    assert len(sent) == 1


def test_what_was_taken_is_not_sent_again(delivery: HookDelivery) -> None:
    sent: list[HookDelivery] = []
    for _ in range(2):
        jobs.deliver(delivery.pk, StoppedClock(NIGHT), lambda row: sent.append(row) or TAKEN)
    delivery.refresh_from_db()
    assert len(sent) == 1
    assert (delivery.state, delivery.status, delivery.tries) == ("taken", 200, 1)


def test_what_was_not_taken_is_tried_for_days_under_the_same_key_and_then_given_up(
    delivery: HookDelivery,
) -> None:
    keys, now = set(), StoppedClock(NIGHT)
    while HookDelivery.objects.get().state == "waiting":
        jobs.deliver(delivery.pk, now, lambda row: keys.add(row.key) or DOWN)
        now.at = max(now.at, HookDelivery.objects.get().next_at)
    delivery.refresh_from_db()
    assert keys == {delivery.key}
    assert delivery.state == "failed"
    assert delivery.error == "no_connection: refused"
    assert 15 < delivery.tries < 40
    assert timedelta(days=2) < now.at - NIGHT <= timedelta(days=3)
    found = {(found.name, found.about) for found in health.find_alarms(now.at, heard_since=NIGHT)}
    assert (AlarmName.HOOK, "Centralita") in found


def test_a_worker_killed_on_the_way_leaves_it_to_the_next_under_the_same_key(
    delivery: HookDelivery,
) -> None:
    class Killed(BaseException):
        pass

    def die(row: HookDelivery) -> Answer:
        keys.append(row.key)
        raise Killed

    keys: list[object] = []
    with pytest.raises(Killed):
        jobs.deliver(delivery.pk, StoppedClock(NIGHT), die)
    assert not acts.waiting(NIGHT + MINUTE).exists()
    later = NIGHT + acts.LEASE
    assert acts.waiting(later).exists()
    jobs.deliver(delivery.pk, StoppedClock(later), lambda row: keys.append(row.key) or TAKEN)
    assert keys == [delivery.key] * 2
    assert HookDelivery.objects.get().state == "taken"


def test_an_error_of_ours_is_kept_and_tried_again(delivery: HookDelivery) -> None:
    def fail(row: HookDelivery) -> Answer:
        raise RuntimeError("ours")

    jobs.deliver(delivery.pk, StoppedClock(NIGHT), fail)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("waiting", "odd_answer: RuntimeError")


def test_a_webhook_retired_meanwhile_is_told_nothing(
    world: World, delivery: HookDelivery, hook: Hook
) -> None:
    def retire(row: HookDelivery) -> Answer:
        acts.retire_hook(hook, by=world.ada, at=NIGHT, why="Ya no")
        return DOWN

    jobs.deliver(delivery.pk, StoppedClock(NIGHT), retire)
    delivery.refresh_from_db()
    assert delivery.state == "stopped"
    assert not acts.waiting(NIGHT + 9 * DAY).exists()


def test_every_message_has_its_job_and_a_lost_one_is_found(
    delivery: HookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ProcrastinateJob.objects.filter(task_name="deliver_hook")
    assert [job.args for job in sent] == [{"delivery_id": delivery.pk}]
    monkeypatch.setattr(tasks.clock, "now", lambda: NIGHT)
    tasks.sweep(timestamp=0)
    assert sent.all().count() == 2


def test_the_job_of_a_page_fires_it(
    world: World, rota: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = report(world)
    monkeypatch.setattr(tasks.clock, "now", lambda: NIGHT)
    (job,) = ProcrastinateJob.objects.filter(task_name="fire_deadline")
    tasks.fire_deadline(**job.args)
    assert case.ledger.filter(kind="page").count() == 1


# Alarms -------------------------------------------------------------------------------------------


def alarms(at: datetime) -> set[tuple[str, str]]:
    return {(found.name, found.about) for found in health.find_alarms(at, heard_since=START)}


@pytest.mark.usefixtures("rota")
def test_an_alarm_sounds_when_all_have_been_paged_until_somebody_acknowledges(
    world: World,
) -> None:
    case = report(world)
    alarm = (AlarmName.PAGE, case.number)
    for number in range(2):
        world.fire(NIGHT + number * WAIT)
        assert alarm not in alarms(NIGHT + number * WAIT)
    at = NIGHT + 2 * WAIT
    world.fire(at)
    assert alarm in alarms(at)
    oncall.acknowledge(world.on(case, "mario", at))
    assert alarm not in alarms(at)


@pytest.mark.usefixtures("rota")
def test_a_gap_is_an_alarm_when_it_begins_and_while_the_firm_is_closed(world: World) -> None:
    end = START + 7 * DAY  # 09:00 in Bogota on a Tuesday
    gap = (AlarmName.ROTA, "")
    assert gap not in alarms(end - MINUTE)
    assert gap not in alarms(end)  # the firm works
    lunch = end + 3 * 60 * MINUTE
    assert gap in alarms(lunch)
    oncall.set_rota(15, False, by=world.ada, at=end)
    assert gap not in alarms(lunch)


def test_without_a_rota_there_is_no_gap(world: World) -> None:
    assert (AlarmName.ROTA, "") not in alarms(NIGHT)
