"""Questions that nobody answers: reminders, and the cancellation that only a policy version
brings (P13)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions import conversation, life
from acuse.models import (
    Case,
    ContractKind,
    LedgerLine,
    Mailbox,
    Module,
    Person,
    PolicyVersion,
    RawMail,
)
from acuse.policy.fields import InvalidField
from acuse.policy.files import File
from acuse.policy.priority import Impact, Urgency
from acuse.policy.stages import Stage
from acuse.policy.versions import PolicyParameters
from acuse.queries.sentence import sentence_for
from tests.world import LONG_AGO, START, World, last_line, refused

DAY = timedelta(days=1)
LATER = START + 40 * DAY
# Asked on Tuesday 17 November 2026: the fifth business day is Tuesday 24, until 24:00 in Bogota.
UNTIL = datetime.fromisoformat("2026-11-25T00:00-05:00")


def with_rules(world: World, **rules: object) -> None:
    """New cases follow a policy version with these parameters."""
    parameters = PolicyParameters(**rules)  # type: ignore[arg-type]
    policy = admin.publish_policy("Otras", parameters, LONG_AGO)
    admin.publish_contract(
        world.contract.contract,
        valid_from=LONG_AGO.date(),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=policy,
        sla=world.sla,
    )


def asked(world: World, addressee: str = "user", **details: object) -> Case:
    case = world.taken()
    conversation.ask(world.on(case, "sara"), addressee=addressee, text="¿Cuál factura?", **details)  # type: ignore[arg-type]
    return case


def kinds(lines: list[LedgerLine]) -> list[str]:
    return [line.payload.get("deadline", line.kind) for line in lines]


def told(line: LedgerLine) -> set[str]:
    return {str(notice.person).split()[0] for notice in line.notices.all()}


def due(case: Case) -> set[str]:
    return set(case.deadlines.filter(fired_at__isnull=True).values_list("kind", flat=True))


def reminders(world: World, until: datetime = LATER) -> list[LedgerLine]:
    lines = world.fire(until)
    return [line for line in lines if line.payload.get("deadline") == "wait_reminder"]


def test_the_policy_version_says_when_and_how_often_it_reminds(world: World) -> None:
    with_rules(world, wait_reminder_days=(1, 3, 6))
    case = asked(world)
    days = [line.at.astimezone(UNTIL.tzinfo).isoformat()[:10] for line in reminders(world)]
    assert days == ["2026-11-19", "2026-11-21", "2026-11-26"]  # at the ends of 18, 20 and 25
    assert world.fresh(case).stage == Stage.ANALYSIS


def test_older_versions_remind_as_they_did(world: World) -> None:
    plain = PolicyParameters(approval_reminder_days=(1, 3)).to_json()
    del plain["wait_reminder_days"]
    assert PolicyParameters.from_json(plain).wait_reminder_days == (1, 3)
    assert PolicyParameters.from_json({}).wait_reminder_days == (2, 4)
    assert PolicyParameters.from_json({}).wait_cancel_days is None


@pytest.mark.parametrize(
    ("rules", "told_"),
    [
        ({"wait_reminder_days": (3, 2)}, "wait_reminder_days: must rise"),
        ({"wait_reminder_days": (0,)}, "wait_reminder_days: must be a whole number"),
        ({"wait_reminder_days": [2]}, "wait_reminder_days: must be a list of days"),
        ({"wait_cancel_days": 0}, "wait_cancel_days: must be a whole number"),
        ({"wait_cancel_days": 4}, r"wait_reminder_days: .*cancellation \(day 4\)"),
    ],
)
def test_rules_of_the_parameters(rules: dict[str, object], told_: str) -> None:
    with pytest.raises(InvalidField, match=told_):
        PolicyParameters(**rules)  # type: ignore[arg-type]
    assert PolicyParameters(wait_cancel_days=5).wait_cancel_days == 5


@pytest.mark.parametrize(
    ("addressee", "first", "second"),
    [
        ("user", {"Ana"}, {"Ana", "Omar"}),
        ("lead", {"Lina"}, {"Lina", "Omar"}),
        ("owner", {"Omar"}, {"Omar"}),
        ("third_party", {"Sara"}, {"Sara"}),
    ],
)
def test_who_is_asked_is_reminded_and_then_the_service_owner(
    world: World, addressee: str, first: set[str], second: set[str]
) -> None:
    asked(world, addressee)
    assert [told(line) for line in reminders(world)] == [first, second]


def test_who_asked_a_third_party_and_left_is_not_reminded(world: World) -> None:
    case = asked(world, "third_party")
    Person.objects.filter(pk=world.sara.pk).update(is_active=False)
    lines = reminders(world)
    assert [told(line) for line in lines] == [{"Paula"}, {"Paula"}]  # all of support
    assert world.fresh(case).ball == "third_party"


def test_without_the_parameter_silence_cancels_nothing(world: World) -> None:
    case = asked(world)
    assert due(case) >= {"wait_reminder"}
    assert "wait_lapse" not in due(case)
    world.fire(LATER)
    assert world.fresh(case).stage == Stage.ANALYSIS
    assert sentence_for(world.fresh(case), world.ana).situation == "asked_customer"


def test_silence_cancels_where_the_policy_version_says_so_and_it_is_announced(
    world: World,
) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    said = sentence_for(world.fresh(case), world.ana)
    assert (said.situation, said.yours) == ("asked_customer_until", True)
    assert "24" in said.text
    assert said.last_day is not None
    assert said.last_day.isoformat() == "2026-11-24"
    lines = world.fire(LATER)
    line = last_line(case)
    assert kinds(lines)[-1] == "cancel_unanswered"
    assert (line.kind, line.at, line.author_kind) == ("cancel_unanswered", UNTIL, "clock")
    assert line.payload == {"wait": case.waits.get().pk, "days": 5}
    assert told(line) == {"Ana", "Paula", "Sara"}
    fresh = world.fresh(case)
    assert (fresh.stage, fresh.ball, fresh.ended_at) == ("cancelled", "nobody", UNTIL)
    assert case.waits.get().ended_at == UNTIL
    assert due(case) == set()


@pytest.mark.parametrize("how", ["comment", "attach", "watcher"])
def test_any_word_of_the_customers_stops_it(world: World, how: str) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    if how == "attach":
        conversation.attach(world.on(case, "ana"), files=[File("ab" * 32, 3, "foto.png")])
    else:
        by = "beto" if how == "watcher" else "ana"
        conversation.comment(world.on(case, by), text="Ya le averiguo")
    assert "wait_lapse" not in due(case)
    assert "wait_reminder" in due(case)
    assert sentence_for(world.fresh(case), world.ana).situation == "asked_customer"
    world.fire(LATER)
    assert world.fresh(case).stage == Stage.ANALYSIS


def test_a_word_of_the_firms_stops_nothing(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    conversation.comment(world.on(case, "sara"), text="Seguimos esperando")
    conversation.internal_note(world.on(case, "carlos"), text="Nada todavía")
    world.fire(LATER)
    assert world.fresh(case).stage == Stage.CANCELLED


def test_what_was_said_before_the_question_does_not_stop_it(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = world.taken()
    conversation.comment(world.on(case, "ana"), text="¿Y?")
    conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
    assert "wait_lapse" in due(case)


def test_an_answer_ends_it_all(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    conversation.answer(world.on(case, "beto"), wait=case.waits.get(), text="La 7")
    assert not due(case) & {"wait_lapse", "wait_reminder"}


def test_a_third_party_cancels_nobody_s_case(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world, "third_party")
    assert "wait_lapse" not in due(case)


def test_after_a_proposal_a_question_cancels_nothing(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = world.working()
    conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
    assert "wait_lapse" not in due(case)


def test_mail_that_has_not_been_read_holds_it_back(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    raw = RawMail.objects.create(
        mailbox=Mailbox.objects.get(),
        sha256="cd" * 32,
        content=b"",
        arrived_at=START + DAY,
        person=world.ana,
        state="held",
    )
    world.fire(LATER)
    assert world.fresh(case).stage == Stage.ANALYSIS
    raw.state = "ignored"
    raw.save()
    world.fire(LATER + DAY)
    assert (world.fresh(case).stage, last_line(case).at) == ("cancelled", UNTIL)


def test_support_takes_the_case_up_again_and_silence_does_not_end_it_twice(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    world.fire(LATER)
    with refused("not_your_role"):
        life.restore(world.on(case, "ana"))
    line = life.restore(world.on(case, "sara", LATER))
    assert line.payload == {"original": None}
    assert world.fresh(case).stage == Stage.ANALYSIS
    wait = case.waits.get()
    assert (wait.ended_at, wait.answered) == (None, False)
    assert world.fresh(case).ball == "customer"
    assert "wait_lapse" not in due(case)
    world.fire(LATER + 40 * DAY)
    assert world.fresh(case).stage == Stage.ANALYSIS
    conversation.answer(world.on(case, "ana"), wait=wait, text="La 7")
    assert world.fresh(case).ball == "firm"


def test_what_people_cancelled_is_not_restored_so(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    world.fire(LATER)
    life.restore(world.on(case, "sara", LATER))
    life.cancel(world.on(case, "ana", LATER + DAY), reason="withdrawn")
    with refused("not_restorable"):
        life.restore(world.on(case, "sara", LATER + 2 * DAY))


def test_a_late_worker_dates_it_as_it_should_have_been(world: World) -> None:
    with_rules(world, wait_cancel_days=5)
    case = asked(world)
    conversation.comment(world.on(case, "ana", UNTIL + DAY), text="Perdón, ¿qué?")
    world.fire(LATER)  # the comment came after the end, and before the worker
    fresh = world.fresh(case)
    assert fresh.stage == Stage.ANALYSIS
    assert fresh.ball == "customer"


def test_a_question_asked_under_other_policies_never_cancels(world: World) -> None:
    """What nobody announced does not happen, and nothing is cancelled before it could be."""
    case = world.report("nora")  # Brisa has no contract: the firm's own policies, without an end
    life.take(world.on(case, "sara"))
    conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
    assert "wait_lapse" not in due(case)
    with_rules(world, wait_cancel_days=5)
    contract = admin.add_contract(world.brisa, "Soporte Brisa", ContractKind.SUPPORT)
    version = admin.publish_contract(
        contract,
        valid_from=date(2020, 1, 1),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=PolicyVersion.objects.latest("number"),
    )
    assert version.policy.rules.wait_cancel_days == 5
    # Bound by triage weeks later, as `classify` does when it finds out what a mail did not say.
    life.classify(
        world.on(case, "sara", START + 20 * DAY),
        impact=Impact.CRITICAL_PROCESS,
        urgency=Urgency.WORK_BLOCKED,
        module=Module.objects.first(),
    )
    assert world.fresh(case).contract == version
    assert "wait_lapse" not in due(case)
    assert "cancel_unanswered" not in kinds(world.fire(LATER))
