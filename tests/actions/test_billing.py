"""Time and billing: logged, approved, stated; never by silence (P18, P19, P30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from acuse.actions import billing, conversation, life, triage
from acuse.actions.drafts import Planned
from acuse.models import (
    Case,
    LedgerLine,
    Rate,
    RateVersion,
    Specialty,
    Statement,
    TimeEntry,
)
from acuse.policy.authors import MONITOR
from acuse.policy.billing import Activity
from acuse.policy.priority import Impact, Urgency
from acuse.policy.stages import Stage
from acuse.policy.versions import DEFAULT
from tests.world import START, World, refused


def log(
    world: World, case: Case, activity: str = "diagnosis", minutes: int = 50, **how: Any
) -> TimeEntry:
    occasion = world.on(case, how.pop("who", "carlos"))
    on = case.calendar.calendar.local_day(occasion.at)
    line = billing.log_time(
        occasion, work_date=how.pop("work_date", on), minutes=minutes,
        activity=Activity(activity), text="Revisión", **how,
    )  # fmt: skip
    return TimeEntry.objects.get(pk=line.payload["entry"])


def approve(world: World, case: Case) -> None:
    billing.submit_time(world.on(case, "carlos"))
    entries = list(case.time.filter(state="submitted"))
    billing.approve_time(world.on(case, "ana"), entries=entries)


def issue(world: World, case: Case) -> Statement:
    line = billing.issue_statement(world.on(case, "paula"))
    return Statement.objects.get(pk=line.payload["statement"])


def bill(world: World, case: Case) -> Statement:
    """Diagnosis logged, approved, stated, and the statement approved."""
    log(world, case)
    approve(world, case)
    statement = issue(world, case)
    billing.approve_statement(world.on(case, "ana"), statement=statement)
    return statement


def test_time_is_logged_and_rounded_by_the_contract(world: World) -> None:
    case = world.diagnosed()
    entry = log(world, case)
    assert (entry.minutes, entry.billed_minutes, entry.billable) == (50, 60, True)
    assert (entry.consent, entry.reason, entry.state) == ("registration", "registration", "logged")
    line = LedgerLine.objects.get(case=case, kind="log_time")
    assert line.audience == "firm"
    assert not line.notices.exists()


def test_without_a_contract_the_policy_rounds(db: None) -> None:
    world = World(replace(DEFAULT, time_rounding_minutes=40))
    case = world.report("nora")
    assert log(world, case).billed_minutes == 80


def test_what_is_logged_has_its_limits(world: World) -> None:
    case = world.diagnosed()
    today = case.calendar.calendar.local_day(world.on(case, "carlos").at)
    for minutes in (0, 1441, -5, True):
        with refused("minutes_positive"):
            log(world, case, minutes=minutes)
    with refused("work_date_future"):
        log(world, case, work_date=today + timedelta(days=1))
    with refused("text_required"):
        occasion = world.on(case, "carlos")
        billing.log_time(occasion, work_date=today, minutes=5, activity=Activity.MEETING, text=" ")
    life.cancel(world.on(case, "ana"), reason="withdrawn")
    ended = case.calendar.calendar.local_day(world.fresh(case).ended_at)
    at = world.on(case, "carlos").at + timedelta(days=4)
    with refused("work_date_after_end"):
        billing.log_time(
            world.on(case, "carlos", at), work_date=ended + timedelta(days=1), minutes=5,
            activity=Activity.MEETING, text="Tarde",
        )  # fmt: skip


def test_execution_before_its_authorisation_is_refused(world: World) -> None:
    case = world.to_authorize()
    with refused("not_authorized"):
        log(world, case, "execution")
    life.authorize(world.on(case, "ana", START + timedelta(days=3)))
    case = world.fresh(case)
    authorised = case.calendar.calendar.local_day(case.authorized_at)
    with refused("not_authorized"):
        log(world, case, "execution", work_date=authorised - timedelta(days=1))
    assert log(world, case, "execution").reason == "authorization"


def test_no_work_is_older_than_its_case(world: World) -> None:
    case = world.diagnosed()
    opened = case.calendar.calendar.local_day(case.opened_at)
    with refused("work_date_before", "work_date"):
        log(world, case, "meeting", work_date=opened - timedelta(days=1))
    assert log(world, case, "meeting", work_date=opened).billable


@pytest.mark.parametrize("activity", ["correction", "warranty", "internal"])
def test_some_work_never_bills(world: World, activity: str) -> None:
    case = world.accepted()
    entry = log(world, case, activity)
    assert (entry.billable, entry.billed_minutes) == (False, 0)
    approve(world, case)
    with refused("nothing_to_bill"):
        issue(world, case)
    life.close(world.on(case, "ana"))  # nothing bills: nothing to approve


def urgent(world: World) -> Case:
    case = world.taken()
    life.classify(
        world.on(case, "sara"), impact=Impact.WHOLE_OPERATION, urgency=Urgency.CUSTOMER_NOTICES
    )
    return case


def test_emergency_work_is_capped_until_its_estimate_is_accepted(world: World) -> None:
    case = urgent(world)
    with refused("nothing_planned"):
        life.authorize_emergency(world.on(case, "ana"), items=[])
    life.authorize_emergency(world.on(case, "ana"), items=[Planned("development", "Ya")])
    case = world.fresh(case)
    assert (case.stage, case.emergency_cap_minutes) == (Stage.IN_PROGRESS, 480)
    first = log(world, case, "execution", 300)
    with refused("emergency_cap"):
        log(world, case, "execution", 181)
    billing.correct_time(
        world.on(case, "carlos"), entry=first, work_date=first.work_date, minutes=400,
        activity=Activity.EXECUTION, text="Fue más",
    )  # fmt: skip
    log(world, case, "execution", 80)
    estimate = case.deliverables.get(kind="estimate")
    life.deliver(world.on(case, "carlos"), deliverable=estimate, text="Son 10 horas")
    with refused("emergency_cap"):
        log(world, case, "execution", 1)
    life.accept(world.on(case, "ana"), version=case.versions.get())
    log(world, case, "execution", 500)
    assert world.fresh(case).stage == Stage.IN_PROGRESS


def test_only_an_urgent_case_is_an_emergency(world: World) -> None:
    case = world.analysed()
    with refused("not_urgent"):
        life.authorize_emergency(world.on(case, "ana"), items=[Planned("development", "Ya")])


def test_time_is_corrected_by_a_new_entry_until_it_is_approved(world: World) -> None:
    case = world.accepted()
    entry = log(world, case)
    how: dict[str, Any] = {
        "entry": entry, "work_date": entry.work_date, "minutes": 20,
        "activity": Activity.MEETING, "text": "Reunión",
    }  # fmt: skip
    with refused("not_your_role"):
        billing.correct_time(world.on(case, "sara"), **how)
    line = billing.correct_time(world.on(case, "paula"), **how)
    entry.refresh_from_db()
    row = TimeEntry.objects.get(pk=line.payload["entry"])
    assert (entry.state, row.replaces, row.person) == ("replaced", entry, world.carlos)
    assert (row.minutes, row.billed_minutes, row.activity) == (20, 30, "meeting")
    approve(world, case)
    with refused("time_locked"):
        billing.correct_time(world.on(case, "carlos"), **{**how, "entry": row})


def test_a_user_approves_line_by_line_and_disputes_with_a_reason(world: World) -> None:
    case = world.accepted()
    first, second = log(world, case), log(world, case, "meeting")
    with refused("time_locked"):
        billing.approve_time(world.on(case, "ana"), entries=[first])
    billing.submit_time(world.on(case, "sara"))
    assert world.fresh(case).ball == "customer"
    with refused("nothing_to_submit"):
        billing.submit_time(world.on(case, "sara"))
    with refused("nothing_to_submit"):
        billing.approve_time(world.on(case, "ana"), entries=[])
    line = billing.approve_time(world.on(case, "beto"), entries=[first])
    assert line.payload["minutes"] == 60
    with refused("reason_required"):
        billing.dispute_time(world.on(case, "ana"), entries=[second], text=" ")
    billing.dispute_time(world.on(case, "ana"), entries=[second], text="No hubo reunión")
    assert world.fresh(case).ball == "firm"
    with refused("time_unapproved"):
        issue(world, case)
    with refused("time_unapproved"):
        life.close(world.on(case, "ana"))
    kinds = case.decisions.filter(kind="time").values_list("verdict", flat=True)
    assert sorted(kinds) == ["accepted", "rejected"]


@pytest.mark.parametrize(("waive", "state"), [(True, "waived"), (False, "submitted")])
def test_a_manager_settles_disputed_time_in_words_of_the_firms(
    world: World, waive: bool, state: str
) -> None:
    case = world.accepted()
    entry = log(world, case)
    billing.submit_time(world.on(case, "sara"))
    billing.dispute_time(world.on(case, "ana"), entries=[entry], text="No")
    before = case.decisions.count()
    line = billing.settle_time(
        world.on(case, "mario"), entries=[entry], waive=waive, text="Revisamos el registro"
    )
    entry.refresh_from_db()
    assert entry.state == state
    assert case.decisions.count() == before  # decisions are the customer's
    assert case.messages.latest("pk").text == "Revisamos el registro"
    assert line.notices.filter(person=world.ana).exists()
    due = case.deadlines.filter(kind="time_reminder", fired_at__isnull=True)
    assert due.count() == (0 if waive else 3)


def test_nobody_is_reminded_of_time_that_does_not_bill(world: World) -> None:
    case = world.accepted()
    log(world, case, "internal")
    billing.submit_time(world.on(case, "sara"))
    assert not case.deadlines.filter(kind="time_reminder").exists()


def test_time_submitted_early_is_reminded_as_well_and_then_escalates(world: World) -> None:
    case = world.estimating()
    log(world, case)
    billing.submit_time(world.on(case, "sara"))
    rows = list(case.deadlines.filter(kind="time_reminder").order_by("due_at"))
    told = []
    for row in rows:
        lines = [line for line in world.fire(row.due_at) if line.payload.get("step") == row.step]
        (line,) = [x for x in lines if x.payload["deadline"] == "time_reminder"]
        told.append({str(notice.person).split()[0] for notice in line.notices.all()})
    assert told == [{"Ana"}, {"Ana", "Omar"}, {"Ana", "Omar", "Sara", "Paula", "Mario"}]


def test_a_statement_says_what_the_approved_time_costs(world: World) -> None:
    case = world.accepted()
    with refused("nothing_to_bill"):
        issue(world, case)
    log(world, case)
    log(world, case, "execution", 100)
    approve(world, case)
    assert world.fresh(case).ball == "firm"
    with refused("billing_unapproved"):
        life.close(world.on(case, "ana"))
    statement = issue(world, case)
    assert [line.amount for line in statement.lines.order_by("pk")] == [
        Decimal(120000), Decimal(210000),
    ]  # fmt: skip
    assert (statement.total, statement.currency, statement.number) == (Decimal(330000), "COP", 1)
    with refused("statement_exists"):
        issue(world, case)
    with refused("billing_unapproved"):
        life.close(world.on(case, "ana"))
    with refused("statement_state"):
        billing.export_statement(world.on(case, "mario"), statement=statement)
    assert case.deadlines.filter(kind="statement_reminder").count() == 3
    line = billing.approve_statement(world.on(case, "ana"), statement=statement)
    assert line.payload["content_hash"] == statement.content_hash
    assert not case.deadlines.filter(kind="statement_reminder", fired_at__isnull=True).exists()
    with refused("statement_state"):
        billing.approve_statement(world.on(case, "beto"), statement=statement)
    billing.export_statement(world.on(case, "mario"), statement=statement)
    life.close(world.on(case, "ana"))
    decision = case.decisions.get(kind="closure")
    assert (decision.verdict, decision.person) == ("accepted", world.ana)


def test_a_rate_of_the_specialty_goes_before_the_general_one(world: World) -> None:
    case = world.accepted()
    specialty = Specialty.objects.create(code="odoo", name="Odoo")
    Case.objects.filter(pk=case.pk).update(specialty=specialty)
    Rate.objects.create(
        version=world.rates, activity="diagnosis", specialty=specialty, hourly=Decimal(200000)
    )
    assert bill(world, case).total == Decimal(200000)


def test_without_a_rate_nothing_is_stated(world: World) -> None:
    case = world.accepted()
    log(world, case)
    approve(world, case)
    empty = RateVersion.objects.create(name="vacía", number=1, currency="COP")
    for rates in (empty, None):
        Case.objects.filter(pk=case.pk).update(rates=rates)
        with refused("rate_missing"):
            issue(world, case)


def test_disputed_billing_is_credited_and_stated_anew(world: World) -> None:
    case = world.accepted()
    log(world, case)
    approve(world, case)
    statement = issue(world, case)
    billing.dispute_statement(world.on(case, "ana"), statement=statement, text="Es mucho")
    assert world.fresh(case).ball == "firm"
    before = case.decisions.count()
    line = billing.credit_statement(world.on(case, "mario"), statement=statement, text="Cierto")
    assert line.payload["total"] == str(-statement.total)
    assert case.decisions.count() == before
    assert case.messages.latest("pk").text == "Cierto"
    with refused("statement_state"):
        billing.credit_statement(world.on(case, "mario"), statement=statement, text="Otra vez")
    again = issue(world, case)
    assert (again.number, again.total) == (2, statement.total)


def test_time_approved_after_the_statement_still_has_to_be_billed(world: World) -> None:
    case = world.accepted()
    statement = bill(world, case)
    log(world, case, "meeting")
    approve(world, case)
    with refused("billing_unapproved"):
        life.close(world.on(case, "ana"))
    billing.credit_statement(world.on(case, "mario"), statement=statement, text="Falta tiempo")
    again = issue(world, case)
    assert again.total == statement.total * 2
    billing.approve_statement(world.on(case, "ana"), statement=again)
    life.close(world.on(case, "ana"))


def test_a_manager_closes_as_unapproved_and_nothing_unapproved_bills(world: World) -> None:
    case = world.accepted()
    approved, other = log(world, case), log(world, case, "meeting")
    billing.submit_time(world.on(case, "sara"))
    billing.approve_time(world.on(case, "ana"), entries=[approved])
    with refused("time_unapproved"):
        life.close(world.on(case, "mario"))
    with refused("not_your_role"):
        life.close(world.on(case, "ana"), unapproved=True)
    line = life.close(world.on(case, "mario"), unapproved=True)
    assert line.payload["unapproved"] is True
    assert {entry.state for entry in case.time.all()} == {"waived"}
    decision = case.decisions.get(kind="closure")
    assert (decision.verdict, decision.person) == ("unapproved", world.mario)
    assert other.case_id == case.pk


def test_closing_as_unapproved_keeps_what_was_settled_and_credits_what_was_not(
    world: World,
) -> None:
    case = world.accepted()
    statement = bill(world, case)
    log(world, case, "meeting")
    life.close(world.on(case, "mario"), unapproved=True)
    statement.refresh_from_db()
    assert statement.state == "approved"
    assert sorted(case.time.values_list("state", flat=True)) == ["approved", "waived"]
    other = world.accepted()
    log(world, other)
    approve(world, other)
    issued = issue(world, other)
    life.close(world.on(other, "mario"), unapproved=True)
    issued.refresh_from_db()
    assert issued.state == "credited"
    assert other.time.get().state == "waived"


def test_a_manager_who_closes_does_not_approve_for_the_customer(world: World) -> None:
    case = world.accepted()
    life.close(world.on(case, "mario"))
    assert case.decisions.get(kind="closure").verdict == "unapproved"


def test_a_cancelled_case_still_bills_what_registration_accepted(world: World) -> None:
    case = world.proposed()
    log(world, case)
    life.reject_proposal(
        world.on(case, "ana"), version=case.versions.get(), objections=[("No", "Caro")],
        revise=False,
    )  # fmt: skip
    assert world.fresh(case).ball == "firm"  # it has time to submit
    billing.submit_time(world.on(case, "carlos"))
    assert world.fresh(case).ball == "customer"
    billing.approve_time(world.on(case, "ana"), entries=case.time.all())
    assert world.fresh(case).ball == "firm"
    statement = issue(world, case)
    assert world.fresh(case).ball == "customer"
    billing.approve_statement(world.on(case, "ana"), statement=statement)
    assert world.fresh(case).ball == "nobody"
    assert statement.total == Decimal(120000)


def test_duplicates_bill_nothing_unless_the_manager_says_why(world: World) -> None:
    original, case = world.report(), world.diagnosed()
    entry, approved = log(world, case), log(world, case, "meeting")
    billing.submit_time(world.on(case, "carlos"))
    billing.approve_time(world.on(case, "ana"), entries=[approved])
    triage.merge_duplicate(world.on(case, "sara"), original=original)
    assert not case.time.filter(billable=True).exists()
    assert set(case.time.values_list("reason", flat=True)) == {"duplicate"}
    with refused("nothing_to_bill"):
        billing.approve_time(world.on(case, "ana"), entries=[entry])
        issue(world, case)
    log(world, case)
    with refused("not_your_role"):
        billing.submit_time(world.on(case, "carlos"), reason="Se pidió")
    line = billing.submit_time(world.on(case, "mario"), reason="Se pidió por separado")
    assert case.messages.get(kind="internal_note").text == "Se pidió por separado"
    assert line.payload["text_hash"]
    # What was approved as free of charge has to be approved again as it bills.
    assert set(case.time.values_list("state", flat=True)) == {"submitted"}
    billing.approve_time(world.on(case, "ana"), entries=case.time.all())
    statement = issue(world, case)
    assert statement.lines.count() == 3
    with refused("statement_exists"):
        life.restore(world.on(case, "sara"))


def test_a_case_of_the_firms_bills_only_what_a_user_confirmed(world: World) -> None:
    case = world.report("sara", organisation=world.andina)
    entry = log(world, case)
    assert (entry.billable, entry.reason) == (False, "not_confirmed")
    triage.confirm_report(world.on(case, "ana"))
    entry.refresh_from_db()
    assert (entry.billable, entry.billed_minutes) == (True, 60)
    with refused("confirmed"):
        triage.confirm_report(world.on(case, "beto"))
    with refused("confirmed"):
        triage.confirm_report(world.on(world.report(), "beto"))


def test_a_policy_may_bill_what_nobody_confirmed(db: None) -> None:
    world = World(replace(DEFAULT, diagnosis_billed_without_confirmation=True))
    case = life.open(
        world.on(None, MONITOR), subject="Caída", text="No responde", environment=world.production
    ).case
    assert case.organisation == world.andina
    assert log(world, case).reason == "contract"


def test_nothing_bills_before_the_case_has_a_customer(world: World) -> None:
    stranger = world.stranger()
    case = life.open(world.on(None, stranger), subject="Hola", text="¿Hay alguien?").case
    entry = log(world, case)
    assert (entry.billable, entry.reason) == (False, "not_bound")
    assert conversation.comment(world.on(case, stranger), text="¿?").payload["side"] == "customer"
    triage.bind_customer(world.on(case, "sara"), organisation=world.andina)
    entry.refresh_from_db()
    assert entry.billable


def test_on_a_closed_case_only_what_never_bills_is_logged(world: World) -> None:
    case = world.closed()
    with refused("not_in_stage", "activity"):
        log(world, case, work_date=START.date())
    assert log(world, case, "warranty").billed_minutes == 0
