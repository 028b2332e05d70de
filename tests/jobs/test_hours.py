"""The hours of a contract: what cover asks of them, and what is told of them, each once (P09)."""

from __future__ import annotations

from datetime import date, timedelta
from email import message_from_bytes, policy
from unittest.mock import patch

import pytest

from acuse.actions import administration as admin
from acuse.actions import billing, contracts
from acuse.connectors import smtp
from acuse.interfaces.jobs import hours, tasks
from acuse.models import BankNews, Case, ContractVersion, find_bank
from acuse.policy.billing import Activity
from acuse.policy.contracts import Beyond, HourBank, Renewal
from acuse.policy.priority import Priority
from tests.world import START, World

NOW = START + timedelta(days=2)  # 19 November 2026
DAY = timedelta(days=1)
TODAY = START.date()
BANK = HourBank(120, Renewal.MONTHLY, Beyond.APPROVAL, alert_minutes=30, alert_days=5)


def with_bank(world: World, bank: HourBank = BANK) -> ContractVersion:
    return admin.publish_contract(
        world.contract.contract,
        valid_from=date(2026, 1, 1),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        sla=world.sla,
        bank=bank,
    )


def log(world: World, case: Case, minutes: int, on: date = TODAY) -> None:
    billing.log_time(
        world.on(case, "sara"),
        work_date=on,
        minutes=minutes,
        activity=Activity.DIAGNOSIS,
        text="Mirar",
    )


def letters(now: object, taken: object = None) -> list[tuple[str, str]]:
    """To whom what is written when the hours are looked at."""
    sent: list[tuple[str, str]] = []

    def send(server: object, sender: str, to: str, raw: bytes) -> None:
        if taken is not None:
            raise taken  # type: ignore[misc]
        mail = message_from_bytes(raw, policy=policy.default)
        assert sender == ""
        sent.append((to, f"{mail['Message-ID']} {mail['Subject']}"))

    with patch.object(smtp, "send", send):
        hours.watch_hours(now)  # type: ignore[arg-type]
    return sent


def test_only_what_bills_uses_the_hours(world: World) -> None:
    version = with_bank(world)
    case = world.analysed()
    log(world, case, 50)
    billing.log_time(
        world.on(case, "sara"),
        work_date=START.date(),
        minutes=60,
        activity=Activity.INTERNAL,
        text="Aprender",
    )
    state = find_bank(version, NOW.date())
    assert state is not None
    assert (state.used, state.left) == (60, 60)
    entry = case.time.get(activity="diagnosis")
    billing.correct_time(
        world.on(case, "sara"),
        entry=entry,
        work_date=START.date(),
        minutes=20,
        activity=Activity.DIAGNOSIS,
        text="Menos",
    )
    again = find_bank(version, NOW.date())
    assert again is not None
    assert again.used == 30
    next_month = find_bank(version, date(2026, 12, 1))
    assert next_month is not None
    assert next_month.used == 0
    assert find_bank(world.contract, NOW.date()) is None


@pytest.mark.parametrize("beyond", Beyond)
def test_used_up_hours_end_the_cover_where_more_have_to_be_agreed(
    world: World, beyond: Beyond
) -> None:
    version = with_bank(world, HourBank(60, Renewal.MONTHLY, beyond))
    before = world.analysed()
    log(world, before, 60)
    late = world.report(at=NOW)
    conditions = {c["code"]: c for c in late.coverage[0]["conditions"]}
    assert conditions["hours"]["params"] == {"minutes_left": 0}
    if beyond is Beyond.RATES:
        assert late.contract == version
        assert conditions["hours"]["passed"]
    else:
        assert late.contract is None
        assert not conditions["hours"]["passed"]
        assert late.priority == Priority.LOW
    assert world.fresh(before).contract == version  # what runs keeps its cover
    december = world.report(at=START + 20 * DAY)
    assert december.contract == version


def test_hours_that_run_out_are_told_once(world: World) -> None:
    with_bank(world)
    case = world.analysed()
    assert letters(NOW) == []
    log(world, case, 90)
    told = letters(NOW)
    assert {to for to, _ in told} == {"paula@firm.example", *RUNNING}
    assert all("Soporte Andina" in said and "30" in said for _, said in told)
    assert letters(NOW) == []
    assert letters(NOW + timedelta(hours=1)) == []
    log(world, case, 15)
    assert letters(NOW) == []  # nearer, but told already
    log(world, case, 60)
    assert len(letters(NOW)) == 3  # used up is another thing
    assert [news.kind for news in BankNews.objects.order_by("pk")] == ["minutes_left", "used_up"]
    assert not BankNews.objects.filter(told_at=None).exists()


RUNNING = {"mario@firm.example", "ada@firm.example"}


def test_the_end_of_a_period_is_told_in_each_period(world: World) -> None:
    with_bank(world)
    assert letters(START + 6 * DAY) == []  # the 23rd
    assert len(letters(START + 8 * DAY)) == 3
    assert letters(START + 9 * DAY) == []
    assert letters(START + 14 * DAY) == []  # December
    assert len(letters(START + 40 * DAY)) == 3


def test_whoever_could_not_be_told_is_told_later_and_nobody_twice(world: World) -> None:
    with_bank(world)
    at = START + 8 * DAY
    assert letters(at, smtp.NotTaken("busy", permanent=False)) == []
    [news] = BankNews.objects.all()
    assert (news.told_to, news.told_at) == ([], None)
    contracts.note_news_told(news, world.mario)
    told = letters(at + timedelta(hours=1))
    assert {to for to, _ in told} == {"paula@firm.example", "ada@firm.example"}
    news.refresh_from_db()
    assert news.told_at == at + timedelta(hours=1)


def test_an_address_refused_for_good_is_not_tried_for_ever(world: World) -> None:
    with_bank(world)
    letters(START + 8 * DAY, smtp.NotTaken("no such user", permanent=True))
    assert BankNews.objects.get().told_at == START + 8 * DAY


def test_a_contract_that_has_ended_says_nothing(world: World) -> None:
    with_bank(world)
    admin.publish_contract(
        world.contract.contract,
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 11, 10),
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        bank=BANK,
    )
    assert letters(NOW) == []
    ended = world.report(at=NOW)
    assert ended.contract is None


def test_the_job_looks_at_the_hours(world: World) -> None:
    with patch.object(hours, "watch_hours") as watched:
        tasks.watch_hours(timestamp=0)
    assert watched.call_count == 1
