"""Routing as it happens: one owner or an alarm, and a line that says why (P05, P14)."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from acuse.actions import administration as admin
from acuse.actions import conversation, life, routing, staffing, triage
from acuse.actions import customers as keeping
from acuse.actions.routing_rules import (
    RuleFacts,
    add_rule,
    change_rule,
    facts_of,
    move_rule,
    set_rule_retired,
)
from acuse.actions.staffing import SkillFacts, add_absence, end_absence, set_skills
from acuse.interfaces.jobs import routing as jobs
from acuse.interfaces.jobs import tasks
from acuse.interfaces.jobs.routing import route_waiting
from acuse.interfaces.web import clock
from acuse.models import (
    Absence,
    Case,
    CaseType,
    Change,
    Environment,
    LedgerLine,
    Level,
    Module,
    Notice,
    Organisation,
    Person,
    Queue,
    RoutingRule,
    RoutingState,
    RuleVersion,
    Specialty,
)
from acuse.models.agents import matter_of
from acuse.models.routing import rules_in_force, standing_in
from acuse.policy.authors import CLOCK
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.refusals import Refused
from acuse.policy.routing import Decision, Outcome, find_rule
from acuse.policy.stages import CancelReason, Role, Stage
from acuse.queries import health, words
from tests.world import HOUR, LONG_AGO, START, World, last_line, refused

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 17)


@pytest.fixture
def desk(world: World) -> World:
    """Sara N1; Carlos, consultant, knows accounting; Paula is away all year; one queue for it."""
    admin.add_words(Queue, [("contable", "Contable")])
    admin.add_words(Specialty, [("contable", "Contabilidad"), ("dev", "Desarrollo")])
    know(world, "carlos", "contable")
    add_absence(world.paula, TODAY, TODAY + 300 * DAY, by=world.mario, at=LONG_AGO, substitute=None)
    return world


def know(world: World, short: str, *codes: str, **more: Any) -> None:
    facts = SkillFacts(list(Specialty.objects.filter(code__in=codes)), **more)
    set_skills(world.people[short], facts, by=world.mario, at=LONG_AGO)


def rule(world: World, name: str = "Todo", queue: str = "soporte", **asked: Any) -> RoutingRule:
    facts = RuleFacts(name, Queue.objects.get(code=queue), **asked)
    return add_rule(facts, by=world.mario, at=START - DAY)


def accounting() -> Specialty:
    return Specialty.objects.get(code="contable")


def classify(world: World, case: Case, specialty: Specialty | None = None, **more: Any) -> None:
    life.classify(
        world.on(case, "sara"),
        impact=Impact.CRITICAL_PROCESS,
        urgency=Urgency.WORK_BLOCKED,
        specialty=specialty,
        **more,
    )


def run(at: datetime = START + 2 * HOUR) -> int:
    return route_waiting(at)


def routed(case: Case) -> list[dict[str, Any]]:
    return [line.payload for line in LedgerLine.objects.filter(case=case, kind="route")]


def alarms() -> list[tuple[str, str]]:
    return [(found.about, found.detail) for found in health._without_anybody()]


def test_without_rules_nothing_is_routed(desk: World, django_assert_num_queries: Any) -> None:
    case = desk.report()
    with django_assert_num_queries(3):  # two of them take and give back the lock
        assert run() == 0
    assert routed(case) == []
    assert alarms() == []


def test_a_new_case_goes_to_somebody_and_says_why(desk: World) -> None:
    version = rule(desk, "De Andina", customer=desk.andina).versions.get()
    desk.report(at=START - HOUR)
    assert run(START) == 1
    case = desk.report()
    assert run() == 1
    line = last_line(case)
    assert (line.kind, line.author_kind, line.channel, line.audience) == (
        "route", "clock", "clock", "firm",
    )  # fmt: skip
    assert line.payload == {
        "outcome": "assigned",
        "rule": version.pk,
        "queue": Queue.objects.get(code="soporte").pk,
        "level": "n1",
        "person": desk.sara.pk,
        "stands_in": None,
        "specialty": None,
        "language": "es",
        "open_cases": 1,
    }
    case = desk.fresh(case)
    assert (case.assignee, case.queue_id) == (desk.sara, line.payload["queue"])
    said = words.line_sentence(line)
    assert said == (
        "Routing: to Sara Soporte; rule “De Andina”; queue Soporte; N1; Spanish; 1 open case."
    )
    assert [row.person for row in Notice.objects.filter(line=line)] == [desk.sara]
    assert run() == 0  # again changes nothing
    assert len(routed(case)) == 1


@pytest.fixture(autouse=True)
def _in_english() -> Any:
    from django.utils import translation

    with translation.override("en"):
        yield


def test_classifying_sends_it_to_who_knows(desk: World) -> None:
    rule(desk)
    rule(desk, "Contable", "contable", specialty=accounting(), level="n2")
    move_rule(RoutingRule.objects.get(name="Contable"), up=True, by=desk.mario, at=START)
    case = desk.report()
    run()
    life.take(desk.on(case, "sara"))
    assert run(START + 4 * HOUR) == 0  # taking it asks nothing
    classify(desk, case, accounting())
    assert run(START + 5 * HOUR) == 1
    case = desk.fresh(case)
    assert (case.assignee, case.queue.code, case.level) == (desk.carlos, "contable", "n2")  # type: ignore[union-attr]
    assert "Contabilidad; 0 open cases" in words.line_sentence(last_line(case))


def test_who_took_it_keeps_it_while_they_fit(desk: World) -> None:
    rule(desk, queue="contable")
    know(desk, "sara", "contable")
    case = desk.taken()
    classify(desk, case, accounting())
    run()
    case = desk.fresh(case)
    assert (case.assignee, case.queue.code) == (desk.sara, "contable")  # type: ignore[union-attr]
    assert routed(case)[0]["outcome"] == "kept"
    assert "stays with Sara Soporte" in words.line_sentence(last_line(case))
    assert not Notice.objects.filter(line=last_line(case)).exists()


def test_who_took_it_keeps_it_where_nobody_else_fits(desk: World) -> None:
    rule(desk)
    case = desk.taken()
    classify(desk, case, Specialty.objects.get(code="dev"))
    run()
    assert desk.fresh(case).assignee == desk.sara
    assert alarms() == []


def test_what_a_person_gave_by_hand_stays(desk: World) -> None:
    rule(desk, "Contable", "contable", specialty=accounting())
    case = desk.report()
    triage.assign(desk.on(case, "sara"), person=desk.mario)
    classify(desk, case, accounting())
    assert run() == 0
    case = desk.fresh(case)
    assert (case.assignee, case.queue) == (desk.mario, None)


def test_who_has_begun_the_diagnosis_keeps_it(desk: World) -> None:
    rule(desk)
    case = desk.diagnosed()
    run(START + 4 * HOUR)
    classify(desk, case, accounting())
    run(START + 5 * HOUR)
    assert desk.fresh(case).assignee == desk.sara


def test_a_queue_without_a_person_is_given_somebody_in_that_queue(desk: World) -> None:
    rule(desk)
    case = desk.report()
    run()
    queue = Queue.objects.get(code="contable")
    triage.assign(desk.on(case, "sara"), person=None, queue=queue)
    assert run(START + 4 * HOUR) == 1
    case = desk.fresh(case)
    assert (case.assignee, case.queue) == (desk.sara, queue)
    assert routed(case)[-1]["rule"] is None
    classify(desk, case)  # from then on the rules speak again
    run(START + 6 * HOUR)
    assert desk.fresh(case).queue.code == "soporte"  # type: ignore[union-attr]


def test_a_functional_escalation_without_a_name_finds_somebody_else(desk: World) -> None:
    rule(desk)
    end = desk.sara.memberships.get(role=Role.SUPPORT)
    admin.end_role(end, START - DAY)
    admin.give_role(desk.sara, desk.firm, Role.SUPPORT, since=START - DAY, level=Level.N2)
    admin.give_role(desk.mario, desk.firm, Role.SUPPORT, since=START - DAY, level=Level.N2)
    case = desk.taken()
    triage.escalate(desk.on(case, "sara"), direction="functional", text="No sé", level=Level.N2)
    assert run(START + 4 * HOUR) == 1
    assert desk.fresh(case).assignee == desk.mario  # not back to who escalated it
    case = desk.taken()
    run(START + 5 * HOUR)
    triage.escalate(desk.on(case, "sara"), direction="hierarchical", text="Cliente molesto")
    assert run(START + 6 * HOUR) == 0
    assert desk.fresh(case).assignee == desk.sara


def test_nobody_is_said_alarmed_and_tried_again(desk: World) -> None:
    rule(desk)
    case = desk.report(who="ana")
    Case.objects.filter(pk=case.pk).update(language="pt")
    assert run() == 1
    assert routed(case)[0]["outcome"] == "nobody"
    assert "nobody fits, and an alarm sounds" in words.line_sentence(last_line(case))
    assert alarms() == [("Soporte", "1")]
    assert run(START + 3 * HOUR) == 0  # said once
    know(desk, "sara", languages=["pt"])
    assert run(START + 4 * HOUR) == 1
    assert desk.fresh(case).assignee == desk.sara
    assert alarms() == []


def test_without_rules_no_alarm_sounds_any_more(desk: World) -> None:
    made = rule(desk)
    desk.report()
    Case.objects.update(language="pt")
    run()
    assert alarms() == [("Soporte", "1")]
    set_rule_retired(made, True, by=desk.mario, at=START + 3 * HOUR)
    assert alarms() == []


def test_the_alarm_ends_with_a_hand_or_with_the_case(desk: World) -> None:
    rule(desk)
    one, two = desk.report(), desk.report()
    Case.objects.update(language="pt")
    run()
    assert alarms() == [("Soporte", "2")]
    triage.assign(desk.on(one, "sara"), person=desk.carlos)
    life.cancel(desk.on(two, "ana"), reason=CancelReason.WITHDRAWN)
    assert alarms() == []
    assert run(START + 9 * HOUR) == 0


def test_who_left_has_nothing_any_more(desk: World) -> None:
    rule(desk)
    case = desk.report()
    triage.assign(desk.on(case, "sara"), person=desk.carlos)
    keeping.retire_person(desk.carlos, by=desk.ada, at=START + 2 * HOUR, why="Se fue")
    assert run(START + 3 * HOUR) == 1
    assert desk.fresh(case).assignee == desk.sara


def test_urgent_first_and_loads_are_counted_as_they_grow(desk: World) -> None:
    rule(desk)
    admin.give_role(desk.mario, desk.firm, Role.SUPPORT, since=START - DAY)
    low = [desk.report(at=START + n * MINUTE) for n in range(3)]
    urgent = desk.report(at=START + HOUR)
    Case.objects.filter(pk=urgent.pk).update(priority=Priority.URGENT)
    assert run() == 4
    order = LedgerLine.objects.filter(kind="route").order_by("pk").values_list("case", flat=True)
    assert list(order) == [urgent.pk, *(case.pk for case in low)]
    mine = [desk.fresh(case).assignee for case in (urgent, *low)]
    assert mine == [desk.sara, desk.mario, desk.mario, desk.mario]  # 4, then 1 + 1 + 1


def test_of_equal_priority_the_term_that_ends_first(desk: World) -> None:
    rule(desk)
    untimed, timed = desk.report("nora"), desk.report("ana", at=START + HOUR)
    run()
    order = LedgerLine.objects.filter(kind="route").order_by("pk").values_list("case", flat=True)
    assert list(order) == [timed.pk, untimed.pk]


def test_a_job_takes_its_time_and_no_more(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(desk)
    desk.report()
    monkeypatch.setattr(jobs, "SECONDS", 0.0)
    monkeypatch.setattr(clock, "now", lambda: START + HOUR)
    assert run() == 0
    monkeypatch.setattr(jobs, "SECONDS", 40.0)
    tasks.route_cases(timestamp=0)
    assert Case.objects.get().assignee is not None


def test_an_old_case_is_left_where_it_is(desk: World) -> None:
    case = desk.report(at=START - 3 * DAY)
    rule(desk)
    assert run() == 0
    assert desk.fresh(case).assignee is None
    low = {"impact": Impact.QUESTION, "urgency": Urgency.CAN_WAIT}
    life.classify(desk.on(case, "sara", START), **low)  # from then on it is looked at
    assert run() == 1


def test_one_that_raises_holds_up_no_other(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(desk)
    bad, good = desk.report(), desk.report(at=START + MINUTE)
    real = routing.route_case

    def fail(case_id: int, *rest: Any) -> LedgerLine | None:
        if case_id == bad.pk:
            raise RuntimeError("odd")
        return real(case_id, *rest)

    monkeypatch.setattr(routing, "route_case", fail)
    assert run() == 1
    assert desk.fresh(good).assignee == desk.sara
    assert alarms() == [("—", "1")]  # it has not come to its queue
    monkeypatch.undo()
    run()
    assert desk.fresh(bad).assignee == desk.sara
    assert alarms() == []


def test_a_failure_alarms_only_where_nobody_has_the_case(desk: World) -> None:
    held, free = desk.taken(), desk.report()
    routing.note_failed(held.pk)
    routing.note_failed(free.pk)
    assert [state.case for state in RoutingState.objects.all()] == [free]


def test_what_was_escalated_before_anybody_had_it(desk: World) -> None:
    rule(desk)
    case = desk.report()
    triage.escalate(desk.on(case, "carlos"), direction="functional", text="Urge", level="n1")
    run()
    assert desk.fresh(case).assignee == desk.sara


def test_a_duplicate_that_comes_back_is_looked_at_then(desk: World) -> None:
    rule(desk)
    first, second = desk.report(), desk.report(at=START + MINUTE)
    triage.merge_duplicate(desk.on(second, "sara"), original=first)
    assert run() == 1
    life.restore(desk.on(second, "sara"))
    assert run(START + 5 * HOUR) == 1
    assert desk.fresh(second).assignee == desk.sara


def test_the_act_is_the_clocks_alone(desk: World) -> None:
    case = desk.report()
    to_sara = Decision(Outcome.ASSIGNED, None, None, "n1", desk.sara.pk)
    for who in ("sara", "mario", "ada", "ana"):
        with refused("not_your_role"):
            routing.route(desk.on(case, who), decision=to_sara)
    with pytest.raises(Refused) as told:
        routing.route(desk.on(desk.closed(), CLOCK), decision=to_sara)
    assert told.value.code == "not_in_stage"


def test_a_case_that_ended_meanwhile_is_left_alone(desk: World) -> None:
    rule(desk)
    case = desk.cancelled()
    roster = routing.read_roster(START)
    assert roster is not None
    assert routing.route_case(case.pk, START + DAY, roster) is None
    assert not RoutingState.objects.filter(case=case).exists()


def _random_facts(world: World, draw: random.Random, number: int) -> RuleFacts:
    def one(rows: list[Any]) -> Any:
        return draw.choice([None, None, *rows])

    customer = one([world.andina, world.brisa])
    environment = world.production if customer != world.brisa else None
    return RuleFacts(
        f"Regla {number}",
        draw.choice(list(Queue.objects.all())),
        draw.choice(["", "n1", "n2", "n3"]),
        customer,
        one([environment]),
        one(list(Module.objects.all())),
        one(list(Specialty.objects.all())),
        one(list(CaseType.objects.all())),
        draw.choice(["", "low", "high"]),
        draw.choice(["", "es", "pt"]),
    )


@pytest.mark.parametrize("seed", range(12))
def test_what_the_preview_shows_is_what_happens(desk: World, seed: int) -> None:
    """Random rules, people and cases: every case has one owner or an alarm, and the rule that its
    line names is the one that the preview would have named."""
    draw = random.Random(seed)
    for number in range(draw.randint(1, 5)):
        add_rule(_random_facts(desk, draw, number), by=desk.mario, at=START - DAY)
    for short in ("sara", "carlos", "mario"):
        know(desk, short, *draw.sample(["contable", "dev"], draw.randint(0, 2)),
             languages=draw.sample(["es", "en", "pt"], draw.randint(0, 3)))  # fmt: skip
    if draw.random() < 0.5:
        admin.give_role(desk.mario, desk.firm, Role.SUPPORT, since=START - DAY, level=Level.N3)
    cases = []
    for number in range(8):
        case = desk.report(draw.choice(["ana", "nora"]), at=START + number * MINUTE)
        if draw.random() < 0.6:
            home = case.organisation_id == desk.andina.pk
            classify(
                desk, case, draw.choice([None, *Specialty.objects.all()]),
                type=draw.choice([None, CaseType.objects.get()]),
                module=draw.choice([None, Module.objects.get()]),
                environment=draw.choice([None, desk.production]) if home else None,
            )  # fmt: skip
        Case.objects.filter(pk=case.pk).update(language=draw.choice(["es", "pt"]))
        cases.append(case)
    rules = [version.plain for version in rules_in_force()]
    shown = {case.pk: find_rule(rules, matter_of(desk.fresh(case))) for case in cases}
    run(START + 8 * HOUR)
    for case in cases:
        (payload,) = routed(case)
        expected = shown[case.pk]
        assert payload["rule"] == (expected.number if expected else None)
        state = RoutingState.objects.get(case=case)
        assert (desk.fresh(case).assignee_id is None) == (state.outcome == Outcome.NOBODY)
    nobody = sum(desk.fresh(case).assignee_id is None for case in cases)
    assert sum(int(detail) for _, detail in alarms()) == nobody


# Absences -----------------------------------------------------------------------------------------


def test_a_substitute_gets_the_case_and_the_line_says_for_whom(desk: World) -> None:
    rule(desk)
    add_absence(desk.carlos, TODAY, TODAY, by=desk.carlos, at=LONG_AGO, substitute=desk.sara)
    case = desk.taken()
    triage.assign(desk.on(case, "sara"), person=None)
    classify(desk, case, accounting())
    assert run(START + 4 * HOUR + 30 * MINUTE) == 1
    assert desk.fresh(case).assignee == desk.sara
    said = words.line_sentence(last_line(case))
    assert "to Sara Soporte, who stands in for Carlos Consultor" in said


def test_who_stands_in_is_told_what_the_absent_would_be(desk: World) -> None:
    case = desk.report()
    triage.assign(desk.on(case, "sara"), person=desk.carlos)
    add_absence(desk.carlos, TODAY, TODAY, by=desk.mario, at=LONG_AGO, substitute=desk.paula)
    absence = Absence.objects.get(person=desk.paula)
    end_absence(absence, by=desk.mario, at=START - DAY)
    line = conversation.comment(desk.on(case, "ana"), text="¿Hay algo?")
    assert told(line) == {desk.carlos, desk.paula}
    later = desk.on(case, "ana", START + 2 * DAY)
    assert told(conversation.comment(later, text="¿Y ahora?")) == {desk.carlos}


def told(line: LedgerLine) -> set[Person]:
    return {notice.person for notice in Notice.objects.filter(line=line)}


def test_substitutes_of_substitutes_stand_in_and_circles_end(desk: World) -> None:
    for short, substitute in (("sara", desk.carlos), ("carlos", desk.mario), ("mario", desk.sara)):
        who = desk.people[short]
        add_absence(who, TODAY, TODAY, by=desk.mario, at=LONG_AGO, substitute=substitute)
    assert standing_in([desk.sara.pk], START) == [desk.carlos, desk.mario]
    assert standing_in([desk.sara.pk], START + DAY) == []
    assert standing_in([], START) == []


def test_an_absence_is_kept_with_its_history(desk: World) -> None:
    absence = add_absence(desk.sara, TODAY, TODAY + DAY, by=desk.sara, at=START)
    assert Absence.objects.covering(START).filter(person=desk.sara).exists()
    end_absence(absence, by=desk.mario, at=START + HOUR)
    end_absence(absence, by=desk.mario, at=START + 2 * HOUR)  # over already
    absence.refresh_from_db()
    assert absence.ended_at == START + HOUR
    assert not Absence.objects.covering(START + 2 * HOUR).filter(person=desk.sara).exists()
    changes = Change.objects.filter(subject="person", row=desk.sara.pk).order_by("pk")
    assert [(change.act, change.by) for change in changes] == [
        ("add_absence", desk.sara),
        ("end_absence", desk.mario),
    ]
    assert changes[0].fields["last_day"] == [None, "2026-11-18"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"last_day": TODAY - DAY}, "last_day"),
        ({"first": TODAY - 9 * DAY, "last_day": TODAY - DAY}, "last_day"),
        ({"substitute": "sara"}, "substitute"),
        ({"substitute": "ana"}, "substitute"),
        ({"person": "ana"}, "person"),
        ({"first": TODAY + 3 * DAY, "last_day": TODAY + 5 * DAY}, "first"),
    ],
)
def test_a_wrong_absence_is_told_by_its_field(
    desk: World, wrong: dict[str, Any], field: str
) -> None:
    add_absence(desk.sara, TODAY + 4 * DAY, TODAY + 4 * DAY, by=desk.mario, at=START)
    given = {"person": "sara", "first": TODAY, "last_day": TODAY, "substitute": None} | wrong
    names = {name: desk.people[given[name]] for name in ("person", "substitute") if given[name]}
    given |= names
    with pytest.raises(InvalidField) as told:
        add_absence(**given, by=desk.mario, at=START)
    assert told.value.field == field
    assert Absence.objects.filter(person=desk.sara).count() == 1


# Skills -------------------------------------------------------------------------------------------


def test_skills_are_set_with_their_history(desk: World) -> None:
    know(desk, "sara", "dev", languages=["pt", "en", "pt"], customers=[desk.andina])
    know(desk, "sara", "dev", languages=["en", "pt"], customers=[desk.andina])  # the same
    (change,) = Change.objects.filter(act="set_skills", row=desk.sara.pk)
    assert change.fields == {
        "specialties": ["", "Desarrollo"],
        "languages": ["", "en, pt"],
        "customers": ["", "Andina"],
    }


def test_somebody_works_by_their_own_calendar(desk: World) -> None:
    from acuse.policy.calendar import around_the_clock

    admin.publish_calendar(around_the_clock("America/Bogota"), "24x7")
    admin.give_role(desk.mario, desk.firm, Role.SUPPORT, since=START - DAY)
    know(desk, "mario", calendar="24x7")
    rule(desk)
    case = desk.report(at=START + 12 * HOUR)
    run(START + 12 * HOUR + MINUTE)
    assert desk.fresh(case).assignee == desk.mario  # there at night; Sara only tomorrow


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (SkillFacts(languages=["fr"]), "languages"),
        (SkillFacts(calendar="Luna"), "calendar"),
    ],
)
def test_wrong_skills_are_told_by_their_field(desk: World, facts: SkillFacts, field: str) -> None:
    with pytest.raises(InvalidField) as told:
        set_skills(desk.sara, facts, by=desk.mario, at=START)
    assert told.value.field == field


def test_the_team_of_a_customer_are_customers_and_the_people_the_firms(desk: World) -> None:
    with pytest.raises(InvalidField) as told:
        set_skills(desk.sara, SkillFacts(customers=[desk.firm]), by=desk.mario, at=START)
    assert told.value.field == "customers"
    with pytest.raises(InvalidField) as told:
        staffing.set_skills(desk.ana, SkillFacts(), by=desk.mario, at=START)
    assert told.value.field == "person"


# Rules --------------------------------------------------------------------------------------------


def test_a_rule_is_changed_by_a_version_and_never_edited(desk: World) -> None:
    made = rule(desk, "Andina", customer=desk.andina)
    first = made.versions.get()
    new = RuleFacts(" Andina  urgente ", first.queue, "n2", desk.andina, priority="urgent")
    second = change_rule(made, new, number=1, by=desk.ada, at=START)
    first.refresh_from_db()
    assert (first.level, first.priority) == ("", "")
    assert (second.number, second.since, second.priority) == (2, START, "urgent")
    assert [version.pk for version in rules_in_force()] == [second.pk]
    change = Change.objects.get(subject="routing_rule", act="edit")
    assert change.fields == {
        "name": ["Andina", "Andina urgente"],
        "level": ["", "n2"],
        "priority": ["", "urgent"],
    }
    made.refresh_from_db()
    assert change_rule(made, facts_of(second), number=2, by=desk.ada, at=START) == second
    with pytest.raises(InvalidField, match="meanwhile"):
        change_rule(made, new, number=1, by=desk.mario, at=START)
    assert RuleVersion.objects.count() == 2


def test_the_order_of_rules_is_changed_one_place_at_a_time(desk: World) -> None:
    made = [rule(desk, name, priority="low") for name in "abc"]

    def names() -> str:
        return "".join(version.rule.name for version in rules_in_force())

    move_rule(made[2], up=True, by=desk.mario, at=START)
    assert names() == "acb"
    move_rule(made[0], up=True, by=desk.mario, at=START)  # is the first
    move_rule(made[1], up=False, by=desk.mario, at=START)  # is the last
    assert names() == "acb"
    assert Change.objects.filter(act="move").count() == 1
    set_rule_retired(made[0], True, by=desk.mario, at=START)
    set_rule_retired(made[0], True, by=desk.mario, at=START)
    assert names() == "cb"
    set_rule_retired(made[0], False, by=desk.mario, at=START)
    assert names() == "cba"
    assert Change.objects.filter(act="retire").count() == 1


def test_a_rule_whose_queue_is_retired_takes_nothing(desk: World) -> None:
    made = rule(desk)
    Queue.objects.filter(code="soporte").update(retired_at=START)
    assert rules_in_force() == []
    set_rule_retired(made, True, by=desk.mario, at=START)
    with pytest.raises(InvalidField) as told:
        set_rule_retired(made, False, by=desk.mario, at=START)
    assert told.value.field == "queue"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "TODO"}, "name"),
        ({"level": "n9"}, "level"),
        ({"priority": "soon"}, "priority"),
        ({"language": "fr"}, "language"),
        ({"customer": "firm"}, "customer"),
        ({"customer": "brisa", "environment": "production"}, "environment"),
        ({"module": "retired"}, "module"),
    ],
)
def test_a_wrong_rule_is_told_by_its_field(desk: World, wrong: dict[str, str], field: str) -> None:
    rule(desk)
    Module.objects.create(code="viejo", name="Viejo", retired_at=START)
    rows: dict[str, Organisation | Environment | Module] = {
        "firm": desk.firm,
        "brisa": desk.brisa,
        "production": desk.production,
        "retired": Module.objects.get(code="viejo"),
    }
    given: dict[str, Any] = {"name": "Otra", "queue": Queue.objects.get(code="soporte")}
    given |= {name: rows.get(value, value) for name, value in wrong.items()}
    with pytest.raises(InvalidField) as told:
        add_rule(RuleFacts(**given), by=desk.mario, at=START)
    assert told.value.field == field
    assert RoutingRule.objects.count() == 1


def test_every_open_stage_may_be_routed(desk: World) -> None:
    from acuse.policy.stages import ACTS, OPEN

    assert ACTS["route"].stages == OPEN
    assert Stage.CLOSED not in ACTS["route"].stages
