"""The main line, in order: each act with its rows, its stage, its ball, its deadlines, and each
of its refusals (P03-P22, P30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions import conversation, deliveries, life, triage
from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.models import (
    Case,
    CaseType,
    Environment,
    LedgerLine,
    Membership,
    Organisation,
    RawMail,
    SearchEntry,
)
from acuse.policy.authors import MONITOR
from acuse.policy.files import File
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.refusals import Refused
from acuse.policy.stages import CancelReason, Role, Stage
from acuse.policy.versions import DEFAULT
from tests.world import LONG_AGO, START, World, refused


def due(case: Case) -> set[str]:
    rows = case.deadlines.filter(fired_at__isnull=True)
    return set(rows.values_list("kind", flat=True))


def told(line: LedgerLine) -> set[str]:
    return {str(notice.person).split()[0] for notice in line.notices.all()}


# Opening ----------------------------------------------------------------------------------------


def test_a_user_opens_a_case_pinned_to_its_contract(world: World) -> None:
    line = life.open(
        world.on(None, "ana"), subject="  No imprime ", text="Desde hoy",
        files=[File("ab" * 32, 10, "foto.png", "image/png")],
    )  # fmt: skip
    case = line.case
    assert (case.stage, case.ball, case.subject, case.opened_by) == (
        "received", "firm", "No imprime", "user",
    )  # fmt: skip
    assert (case.organisation, case.contract, case.policy) == (
        world.andina, world.contract, world.policy,
    )  # fmt: skip
    assert (case.reporter, case.opened_at, case.priority) == (world.ana, START, "low")
    assert line.receipt == f"C-{case.pk}/1"
    assert (line.stage_from, line.stage_to, line.author, line.channel) == (
        "", "received", world.ana, "portal",
    )  # fmt: skip
    assert SearchEntry.objects.get(case=case).body == "Desde hoy"
    assert case.attachments.get().filename == "foto.png"
    assert due(case) == {"first_response", "response_warning"}
    assert told(line) == {"Ana", "Paula"}  # the confirmation, and who attends
    assert [c["passed"] for c in case.coverage[0]["conditions"]] == [True] * 7


def test_a_case_needs_a_subject_and_its_own_customer(world: World) -> None:
    with refused("subject_required", "subject"):
        life.open(world.on(None, "ana"), subject=" ", text="x")
    with refused("other_customer", "organisation"):
        life.open(world.on(None, "ana"), subject="x", text="x", organisation=world.brisa)
    with refused("other_customer", "organisation"):
        life.open(
            world.on(None, "sara"), subject="x", text="x",
            reporter=world.nora, organisation=world.andina,
        )  # fmt: skip
    elsewhere = Environment.objects.create(organisation=world.brisa, name="Prod")
    with refused("other_customer"):
        life.open(world.on(None, "ana"), subject="x", text="x", environment=elsewhere)
    assert not Case.objects.exists()


def test_without_a_contract_it_is_low_without_committed_times(world: World) -> None:
    case = world.report("nora")
    assert (case.organisation, case.contract, case.sla) == (world.brisa, None, None)
    life.take(world.on(case, "sara"))
    line = life.classify(
        world.on(case, "sara"), impact=Impact.WHOLE_OPERATION, urgency=Urgency.CUSTOMER_NOTICES
    )
    assert (line.payload["priority"], line.payload["derived"]) == ("low", "low")
    assert due(case) == set()
    with refused("priority_fixed", "priority"):
        life.classify(
            world.on(case, "sara"), impact=Impact.QUESTION, urgency=Urgency.CAN_WAIT,
            priority=Priority.HIGH, reason="Insisten",
        )  # fmt: skip


def test_an_unknown_senders_case_has_no_clock_and_no_decision_until_it_is_bound(
    world: World,
) -> None:
    stranger = world.stranger()
    case = life.open(
        world.on(None, stranger), subject="Hola", text="¿?", mailbox=world.mailbox
    ).case
    assert (case.organisation, case.opened_by, case.queue) == (
        None, "stranger", world.mailbox.queue,
    )  # fmt: skip
    assert due(case) == set()
    life.take(world.on(case, "sara"))
    details = {"impact": Impact.QUESTION, "urgency": Urgency.CAN_WAIT}
    life.classify(world.on(case, "sara"), **details)
    life.diagnose(world.on(case, "sara"))
    with refused("not_bound"):
        life.estimate(world.on(case, "carlos"))
    with refused("not_bound"):
        life.deliver(world.on(case, "sara"), new=Planned("answer", "Así"), text="Así")
    for act in (life.cancel, triage.confirm_report):
        with refused("not_your_role"):
            act(world.on(case, stranger))
    line = triage.bind_customer(world.on(case, "sara"), organisation=world.andina)
    case = world.fresh(case)
    assert (case.organisation, case.contract) == (world.andina, world.contract)
    assert line.payload["contract"] == world.contract.pk
    with refused("other_customer"):
        triage.bind_customer(world.on(case, "sara"), organisation=world.brisa)
    life.estimate(world.on(case, "carlos"))


def test_a_customers_person_is_not_bound_to_another_customer(world: World) -> None:
    both = admin.add_person("doble@x.example", "Doble")
    for customer in (world.andina, world.brisa):
        admin.give_role(both, customer, Role.USER, since=LONG_AGO)
    third = admin.add_customer("Tercera", spoc=world.andina.spoc)
    case = life.open(world.on(None, "sara"), subject="x", text="x", reporter=both).case
    assert case.organisation is None  # which of the two is for a person to say
    with refused("other_customer", "organisation"):
        triage.bind_customer(world.on(case, "sara"), organisation=third)
    triage.bind_customer(world.on(case, "sara"), organisation=world.brisa)


def test_of_several_customers_the_mailbox_says_which(world: World) -> None:
    both = admin.add_person("doble@x.example", "Doble")
    for customer in (world.andina, world.brisa):
        admin.give_role(both, customer, Role.USER, since=LONG_AGO)
    box = admin.add_mailbox("brisa@example.com", "Brisa", organisation=world.brisa)
    case = life.open(world.on(None, "sara"), subject="x", text="x", reporter=both, mailbox=box).case
    assert case.organisation == world.brisa


def test_a_mail_opens_a_case_in_its_senders_name_and_a_robots_is_not_confirmed(
    world: World,
) -> None:
    raw = RawMail.objects.create(
        sha256="0" * 64, content=b"x", mailbox=world.mailbox, arrived_at=START
    )
    line = life.open(
        world.on(None, "ana"), subject="Alerta", text="Robot", raw_mail=raw, confirm=False,
        whole_text="Robot\n> x", html="<p>Robot", language="pt",
    )  # fmt: skip
    assert not line.notices.exists()
    message = line.case.messages.get()
    assert (message.author, message.raw_mail, message.whole_text) == (world.ana, raw, "Robot\n> x")
    assert line.case.language == "pt"


def test_a_monitor_opens_the_case_of_its_environment(world: World) -> None:
    case = life.open(
        world.on(None, MONITOR), subject="Caída", text="503", environment=world.production
    ).case
    assert (case.organisation, case.opened_by, case.reporter) == (world.andina, "monitor", None)


def test_the_first_human_answer_closes_the_first_response(world: World) -> None:
    case = world.report()
    conversation.comment(world.on(case, "ana"), text="¿Hay alguien?")
    conversation.internal_note(world.on(case, "sara"), text="Ya voy")
    assert due(case) == {"first_response", "response_warning"}
    at = world.on(case, "sara").at
    conversation.comment(world.on(case, "sara"), text="Aquí estoy")
    assert world.fresh(case).first_response_at == at
    assert due(case) == set()


def test_a_missed_first_response_is_noted_at_its_moment(world: World) -> None:
    case = world.report()
    *warnings, line = world.fire(START + timedelta(days=3))
    assert [w.kind for w in warnings] == ["warn", "warn"]
    assert (line.kind, line.audience) == ("breach", "firm")
    # Eight working hours from 9:00 on Tuesday, with an hour for lunch or none.
    assert line.at == case.deadlines.get(kind="first_response").due_at
    assert told(line) == {"Paula", "Mario"}


# From analysis to the proposal ------------------------------------------------------------------


def test_classifying_derives_the_priority_and_plans_the_delivery_from_the_opening(
    world: World,
) -> None:
    case = world.taken()
    type_ = CaseType.objects.get()
    with refused("not_classified"):
        life.diagnose(world.on(case, "sara"))
    details = {"impact": Impact.CRITICAL_PROCESS, "urgency": Urgency.WORK_BLOCKED}
    line = life.classify(world.on(case, "sara"), type=type_, **details)
    case = world.fresh(case)
    assert (case.priority, case.type, line.stage_to) == ("high", type_, "analysis")
    assert line.payload["overridden"] is False
    assert due(case) == {"delivery", "delivery_warning"}
    with refused("priority_reason", "priority"):
        life.classify(world.on(case, "sara"), priority=Priority.URGENT, **details)
    life.classify(
        world.on(case, "sara"), priority=Priority.URGENT, reason="Lo pide gerencia", **details
    )
    assert world.fresh(case).priority == "urgent"
    assert case.messages.get(kind="internal_note").text == "Lo pide gerencia"
    elsewhere = Environment.objects.create(organisation=world.brisa, name="Prod")
    with refused("other_customer", "environment"):
        life.classify(world.on(case, "sara"), environment=elsewhere, **details)


def test_the_delivery_target_stands_still_while_the_customer_holds_the_ball(
    world: World,
) -> None:
    case = world.analysed()
    (before,) = case.deadlines.filter(kind="delivery")
    line = conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
    assert (world.fresh(case).ball, due(case)) == ("customer", {"wait_reminder"})
    wait = case.waits.get(pk=line.payload["wait"])
    conversation.answer(
        world.on(case, "ana", line.at + timedelta(days=1)), wait=wait, text="La verde"
    )
    (after,) = case.deadlines.filter(kind="delivery", fired_at__isnull=True)
    # A day of waiting, and not a minute more.
    assert after.due_at - before.due_at == timedelta(days=1)
    assert world.fresh(case).ball == "firm"


def test_minutes_once_counted_are_not_rewritten_by_a_calendar(world: World) -> None:
    from acuse.policy.calendar import colombia

    case = world.diagnosed()
    minutes = list(case.intervals.values_list("minutes", flat=True))
    years = (2025, 2026, 2027)
    calendar = colombia(years, reviewed=years)
    holidays = {**calendar.holidays, START.date(): "Paro"}
    admin.publish_calendar(replace(calendar, holidays=holidays))
    life.estimate(world.on(case, "carlos"))
    assert list(case.intervals.values_list("minutes", flat=True))[:2] == minutes[:2]
    assert minutes[0] == 60


def test_a_scope_needs_what_will_be_delivered_and_what_it_takes(world: World) -> None:
    case = world.estimating()
    good = world.draft()
    for bad, code, field in (
        (EstimateDraft("x", lines=good.lines), "nothing_planned", "items"),
        (EstimateDraft("x", items=good.items), "lines_required", "lines"),
        (replace(good, lines=(LineDraft("x", 0),)), "lines_required", "lines"),
        (replace(good, scope=" "), "text_required", "scope"),
    ):
        with refused(code, field):
            life.submit_scope(world.on(case, "carlos"), draft=bad)
    line = life.submit_scope(world.on(case, "carlos"), draft=good)
    assert (line.payload["version"], line.payload["minutes"], line.stage_to) == (
        1, 300, "scope_validation",
    )  # fmt: skip
    assert world.fresh(case).ball == "both"
    assert told(line) == {"Omar", "Paula"}


def test_both_named_people_validate_the_same_version(world: World) -> None:
    case = world.submitted()
    first = case.estimates.get()
    for who in ("ana", "lina", "sara", "mario", "oscar"):
        with refused("not_your_role"):
            life.validate_scope(world.on(case, who), estimate=first)
    line = life.validate_scope(world.on(case, "omar"), estimate=first)
    assert (line.payload["side"], line.payload["complete"]) == ("owner", False)
    with refused("already_validated"):
        life.validate_scope(world.on(case, "omar"), estimate=first)
    with refused("reason_required"):
        life.return_scope(world.on(case, "paula"), estimate=first, text=" ")
    life.return_scope(world.on(case, "paula"), estimate=first, text="Falta un riesgo")
    assert world.fresh(case).stage == Stage.ESTIMATION
    life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    second = case.estimates.latest("number")
    with refused("stale_version"):
        life.validate_scope(world.on(case, "paula"), estimate=first)
    life.validate_scope(world.on(case, "paula"), estimate=second)
    assert world.fresh(case).stage == Stage.SCOPE_VALIDATION  # Omar's was of the first version
    line = life.validate_scope(world.on(case, "omar"), estimate=second)
    assert world.fresh(case).stage == Stage.PROPOSAL
    version = case.versions.get()
    assert (line.payload["version"], version.estimate) == (version.pk, second)
    assert [copy.person for copy in version.dispatches.all()] == [world.ana]
    with refused("already_decided"):
        life.return_scope(world.on(case, "omar"), estimate=second, text="Mejor no")


def test_without_an_owner_the_substitute_validates_and_without_both_nobody(world: World) -> None:
    case = world.estimating()
    held = Membership.objects.get(person=world.omar)
    admin.give_role(world.beto, world.andina, Role.OWNER, since=LONG_AGO, substitute=True)
    life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    estimate = case.estimates.get()
    with refused("not_your_role"):  # the owner is there
        life.validate_scope(world.on(case, "beto"), estimate=estimate)
    admin.end_role(held, START + timedelta(hours=5))
    life.validate_scope(world.on(case, "beto", START + timedelta(hours=6)), estimate=estimate)
    life.return_scope(world.on(case, "paula"), estimate=estimate, text="Otra vez")
    Membership.objects.filter(person=world.beto, role="owner").delete()
    with refused("owner_missing"):
        life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    Organisation.objects.filter(pk=world.andina.pk).update(spoc=None)
    with refused("spoc_missing"):
        life.submit_scope(world.on(case, "carlos"), draft=world.draft())


def test_nobody_acts_for_both_sides(world: World) -> None:
    admin.give_role(world.paula, world.andina, Role.OWNER, since=LONG_AGO)
    case = world.submitted()
    line = life.validate_scope(world.on(case, "paula"), estimate=case.estimates.get())
    assert line.payload["side"] == "spoc"
    with refused("already_validated"):
        life.validate_scope(world.on(case, "paula"), estimate=case.estimates.get())


# Proposal and authorisation ---------------------------------------------------------------------


def test_a_proposal_is_accepted_by_any_user_and_authorises_nothing(world: World) -> None:
    case = world.proposed(prove=False)
    version = case.versions.get()
    line = life.accept_proposal(world.on(case, "lina"), version=version)
    assert line.payload["window"] is None  # accepted before its delivery was proven
    case = world.fresh(case)
    assert (case.stage, case.authorized_at) == (Stage.AUTHORIZATION, None)
    assert due(case) >= {"authorization_reminder"}
    assert told(line) == {"Ana", "Sara", "Paula"}
    life.authorize(world.on(case, "omar"))
    assert world.fresh(case).stage == Stage.IN_PROGRESS
    assert [row.kind for row in case.deliverables.filter(proposal=False)] == ["development"]
    with refused("already_decided"):
        life.decline(world.on(case, "ana"))


def test_the_second_to_decide_is_told_by_whom_and_when(world: World) -> None:
    case = world.proposed()
    version = case.versions.get()
    line = life.accept_proposal(world.on(case, "ana"), version=version)
    with pytest.raises(Refused) as second:
        life.reject_proposal(world.on(case, "beto"), version=version, objections=[("a", "b")])
    assert second.value.code == "already_decided"
    assert second.value.params == {"by": "Ana Ruiz", "when": line.at}


def test_a_rejected_proposal_is_revised_in_the_firms_term(world: World) -> None:
    case = world.proposed()
    version = case.versions.get()
    line = life.reject_proposal(
        world.on(case, "ana"), version=version, objections=[("Precio", "Más de lo hablado")]
    )
    assert (world.fresh(case).stage, line.payload["revise"]) == (Stage.ESTIMATION, True)
    assert "proposal_revision" in due(case)
    with refused("objections_unanswered"):
        life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    deliveries.answer_objection(
        world.on(case, "paula"), objection=case.objections.get(), outcome="corrected", text="Bajó"
    )
    life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    assert "proposal_revision" not in due(case)
    for who in ("omar", "paula"):
        life.validate_scope(world.on(case, who), estimate=case.estimates.latest("number"))
    second = case.versions.latest("pk")
    assert (second.number, second.corrected, second.deliverable.proposal) == (2, True, True)


def test_a_comment_on_the_proposal_may_be_its_rejection(world: World) -> None:
    case = world.proposed()
    line = conversation.comment(world.on(case, "ana"), text="Muy caro")
    message = case.messages.get(pk=line.payload["message"])
    deliveries.classify_comment(world.on(case, "sara"), message=message, objection=True)
    assert world.fresh(case).stage == Stage.ESTIMATION
    assert case.decisions.get().kind == "proposal"


def test_a_proposal_rejected_for_good_or_declined_ends_the_case(world: World) -> None:
    case = world.proposed()
    life.reject_proposal(
        world.on(case, "ana"), version=case.versions.get(), objections=[("N", "o")], revise=False
    )
    case = world.fresh(case)
    assert (case.stage, case.ball, due(case)) == (Stage.CANCELLED, "nobody", set())
    case = world.to_authorize()
    line = life.decline(world.on(case, "ana"))
    assert (world.fresh(case).stage, line.payload["lapsed"]) == (Stage.CANCELLED, False)
    assert due(case) == set()


def test_an_offer_lapses_only_where_the_policy_says_so(world: World) -> None:
    case = world.to_authorize()
    lines = world.fire(START + timedelta(days=400))
    assert {line.kind for line in lines} == {"remind"}
    assert world.fresh(case).stage == Stage.AUTHORIZATION


def test_a_policy_lets_an_offer_lapse_after_its_days(db: None) -> None:
    world = World(replace(DEFAULT, authorization_lapses_after_days=10))
    case = world.to_authorize()
    lines = world.fire(START + timedelta(days=400))
    assert lines[-1].kind == "decline"
    assert lines[-1].payload["lapsed"] is True
    assert case.decisions.get(kind="authorization").person is None
    assert world.fresh(case).stage == Stage.CANCELLED


# Delivery ---------------------------------------------------------------------------------------


def test_several_deliverables_derive_the_stage(world: World) -> None:
    case = world.working("development", "documentation")
    one, two = case.deliverables.filter(proposal=False).order_by("pk")
    with refused("nothing_planned", "deliverable"):
        life.deliver(world.on(case, "carlos"), text="x")
    with refused("text_required"):
        life.deliver(world.on(case, "carlos"), deliverable=one, text=" ")
    line = life.deliver(
        world.on(case, "carlos"), deliverable=one, text="Código",
        files=[File("cd" * 32, 5, "código.zip")],
    )  # fmt: skip
    assert line.payload["files"] == ["cd" * 32]
    assert (world.fresh(case).stage, "delivery" in due(case)) == (Stage.IN_PROGRESS, True)
    with refused("awaiting_acceptance", "deliverable"):
        life.deliver(world.on(case, "carlos"), deliverable=one, text="Otra")
    life.deliver(world.on(case, "carlos"), deliverable=two, text="Manual")
    assert (world.fresh(case).stage, "delivery" in due(case)) == (Stage.DELIVERED, False)
    first, second = case.versions.filter(deliverable__proposal=False).order_by("pk")
    life.accept(world.on(case, "ana"), version=first)
    assert world.fresh(case).stage == Stage.DELIVERED
    with refused("already_decided"):
        life.accept(world.on(case, "beto"), version=first)
    with refused("already_accepted", "deliverable"):
        life.deliver(world.on(case, "carlos"), deliverable=one, text="Otra")
    life.reject(world.on(case, "ana"), version=second, objections=[("Falta", "Se pactó")])
    assert world.fresh(case).stage == Stage.CORRECTION
    deliveries.answer_objection(
        world.on(case, "carlos"), objection=case.objections.get(), outcome="corrected", text="Ya"
    )
    life.deliver(world.on(case, "carlos"), deliverable=two, text="Manual 2")
    life.accept(world.on(case, "ana"), version=case.versions.latest("pk"))
    assert world.fresh(case).stage == Stage.ACCEPTED
    assert [w.version for w in case.warranties.all()] == [first]


def test_an_answer_is_delivered_from_diagnosis(world: World) -> None:
    case = world.diagnosed()
    with refused("kind_not_deliverable", "kind"):
        life.deliver(world.on(case, "sara"), new=Planned("development", "x"), text="x")
    with refused("nothing_planned", "deliverable"):
        life.deliver(world.on(case, "sara"), new=Planned("answer", " "), text="x")
    life.deliver(world.on(case, "sara"), new=Planned("answer", "Cómo se hace"), text="Así")
    assert world.fresh(case).stage == Stage.DELIVERED
    line = life.accept(world.on(case, "ana"), version=case.versions.get())
    assert line.payload["warranty"] is None
    life.close(world.on(case, "ana"))
    case = world.fresh(case)
    assert (case.stage, case.ball, due(case)) == (Stage.CLOSED, "nobody", {"satisfaction"})
    with refused("already_decided"):
        life.close(world.on(case, "beto"))


def test_where_there_was_execution_an_answer_is_not_enough(world: World) -> None:
    """Execution logged under an authorisation that an import brought, say."""
    from acuse.models import TimeEntry

    case = world.diagnosed()
    TimeEntry.objects.create(
        case=case, person=world.carlos, work_date=START.date(), minutes=10, billed_minutes=0,
        activity="execution", consent="authorization", billable=False, reason="", at=START,
    )  # fmt: skip
    with refused("execution_exists"):
        life.deliver(world.on(case, "sara"), new=Planned("answer", "Así"), text="Así")


def test_a_delivery_without_a_reporter_goes_to_the_service_owner(world: World) -> None:
    case = life.open(world.on(None, "sara"), subject="x", text="x", organisation=world.andina).case
    life.take(world.on(case, "sara"))
    life.classify(world.on(case, "sara"), impact=Impact.QUESTION, urgency=Urgency.CAN_WAIT)
    life.diagnose(world.on(case, "sara"))
    life.deliver(world.on(case, "sara"), new=Planned("answer", "Así"), text="Así")
    assert [copy.person for copy in case.versions.get().dispatches.all()] == [world.omar]


# Ends -------------------------------------------------------------------------------------------


def test_a_case_is_cancelled_with_a_reason_and_nothing_of_it_goes_on(world: World) -> None:
    case = world.proposed()
    conversation.ask(world.on(case, "sara"), addressee="user", text="¿?")
    line = life.cancel(world.on(case, "sara"), reason=CancelReason.NO_ANSWER, text="Nadie contestó")
    case = world.fresh(case)
    assert (case.stage, case.stage_before_cancel, line.payload["reason"]) == (
        "cancelled", "proposal", "no_answer",
    )  # fmt: skip
    assert (case.ball, due(case), case.ended_at) == ("nobody", set(), line.at)
    assert case.windows.get().annulled
    assert not case.waits.filter(ended_at__isnull=True).exists()
    assert case.messages.latest("pk").text == "Nadie contestó"
    with refused("already_decided"):
        life.cancel(world.on(case, "ana"), reason=CancelReason.WITHDRAWN)
    with refused("not_restorable"):
        life.restore(world.on(case, "sara"))


def test_running_work_is_cancelled_by_a_user_or_a_manager_only(world: World) -> None:
    case = world.working()
    with refused("not_your_role"):
        life.cancel(world.on(case, "sara"), reason=CancelReason.NO_ANSWER)
    life.cancel(world.on(case, "mario"), reason=CancelReason.NO_ANSWER)
    assert world.fresh(case).stage == Stage.CANCELLED


def test_the_rating_is_asked_for_once_after_the_close(world: World) -> None:
    from acuse.actions import aftercare

    case = world.closed()
    assert "satisfaction" in due(case)
    for bad in (0, 6, True):
        with refused("rating_range", "rating"):
            aftercare.answer_satisfaction(world.on(case, "ana"), rating=bad)
    line = aftercare.answer_satisfaction(world.on(case, "ana"), rating=5, text="Bien")
    assert line.payload["text_hash"]
    assert "satisfaction" not in due(case)
    with refused("already_answered", "rating"):
        aftercare.answer_satisfaction(world.on(case, "ana"), rating=4)
    again = aftercare.answer_satisfaction(world.on(case, "beto"), rating=4)
    assert again.payload["text_hash"] is None


def test_who_has_the_ball_after_the_end(world: World) -> None:
    case = world.closed()
    conversation.comment(world.on(case, "ana"), text="Volvió a pasar")
    assert world.fresh(case).ball == "firm"
    conversation.watch(world.on(case, "beto"))
    conversation.internal_note(world.on(case, "sara"), text="Ya miro")
    assert world.fresh(case).ball == "firm"
    conversation.comment(world.on(case, "sara"), text="Lo vemos en otro caso")
    assert world.fresh(case).ball == "nobody"
    conversation.watch(world.on(case, "ana"))
    assert world.fresh(case).ball == "nobody"
    spans = list(case.intervals.order_by("pk"))
    assert all(span.until is not None for span in spans)
    for before, after in zip(spans, spans[1:], strict=False):
        assert before.until is not None
        assert before.until <= after.since


def test_a_mail_from_before_the_last_change_does_not_turn_the_clock_back(world: World) -> None:
    case = world.closed()
    early = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)
    conversation.comment(world.on(case, "ana", early), text="Tarde leído")
    spans = list(case.intervals.order_by("pk"))
    assert spans[-1].until is None
    assert spans[-1].since == spans[-2].until
