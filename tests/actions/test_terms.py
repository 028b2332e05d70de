"""The customer's term to accept or reject, and what silence does (P23-P26)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions import billing, clock, conversation, deliveries, life
from acuse.actions.drafts import Planned
from acuse.models import (
    Case,
    Deadline,
    Dispatch,
    LedgerLine,
    Mailbox,
    Message,
    RawMail,
    Version,
    Window,
)
from acuse.policy.authors import CLOCK, POSTMAN
from acuse.policy.calendar import colombia
from acuse.policy.priority import Impact, Urgency
from acuse.policy.refusals import Refused
from acuse.policy.stages import Stage
from acuse.policy.versions import DEFAULT
from tests.world import START, World, refused

MICROSECOND = timedelta(microseconds=1)
# Wednesday 2 December 2026, 10:00 in Bogota. Tuesday 8 is a holiday: the fifth business day
# after it is Thursday 10, which ends at 5:00 UTC of the 11th.
DELIVERY = datetime(2026, 12, 2, 15, 0, tzinfo=UTC)
LAST_DAY = date(2026, 12, 10)
UNTIL = datetime(2026, 12, 11, 5, 0, tzinfo=UTC)


def delivered(world: World, **details: object) -> tuple[Case, Version, Window]:
    case = world.delivered(at=DELIVERY, **details)  # type: ignore[arg-type]
    version = case.versions.latest("pk")
    return world.fresh(case), version, version.window


def say(world: World, case: Case, at: datetime, who: str = "ana") -> Message:
    line = conversation.comment(world.on(case, who, at), text="¿Y el botón?")
    return Message.objects.get(pk=line.payload["message"])


def pending(case: Case, kind: str) -> list[datetime]:
    rows = Deadline.objects.filter(case=case, kind=kind, fired_at__isnull=True)
    return sorted(row.due_at for row in rows)


def kinds(case: Case) -> list[str]:
    return list(case.ledger.values_list("kind", flat=True))


def test_five_business_days_over_a_holiday_end_with_the_fifth(world: World) -> None:
    case, _, window = delivered(world)
    assert (window.last_day, window.until) == (LAST_DAY, UNTIL)
    skipped = {day.on: day.reason for day in window.term.days if not day.counted}
    assert skipped == {
        date(2026, 12, 2): "event",
        date(2026, 12, 5): "weekend",
        date(2026, 12, 6): "weekend",
        date(2026, 12, 8): "holiday",
    }
    assert pending(case, "acceptance") == [UNTIL]


def test_silence_accepts_at_the_instant_the_term_ends_and_not_before(world: World) -> None:
    case, version, _ = delivered(world)
    with pytest.raises(Refused, match="has not ended"):
        life.accept_tacitly(world.on(case, CLOCK, UNTIL - MICROSECOND), version=version)
    assert not [line for line in world.fire(UNTIL - MICROSECOND) if line.kind != "remind"]
    (line,) = world.fire(UNTIL + timedelta(days=3))
    assert (line.kind, line.at, line.author_kind) == ("accept_tacitly", UNTIL, "clock")
    assert line.payload["last_day"] == "2026-12-10"
    decision = case.decisions.get(version=version)
    assert (decision.verdict, decision.person, decision.at) == ("tacit", None, UNTIL)
    assert world.fresh(case).stage == Stage.ACCEPTED
    warranty = case.warranties.get()
    assert (warranty.starts_at, warranty.last_day) == (DELIVERY, date(2026, 12, 17))


def test_reminders_come_at_the_opening_of_business_two_and_one_days_before(world: World) -> None:
    case, _, window = delivered(world)
    at = [datetime(2026, 12, 7, 13, 0, tzinfo=UTC), datetime(2026, 12, 9, 13, 0, tzinfo=UTC)]
    assert pending(case, "acceptance_reminder") == at
    lines = world.fire(UNTIL - MICROSECOND)
    assert [(line.kind, line.at) for line in lines] == [("remind", at[0]), ("remind", at[1])]
    told = [{notice.person_id for notice in line.notices.all()} for line in lines]
    assert told == [{world.ana.pk}, {world.ana.pk, world.omar.pk}]
    assert not pending(case, "acceptance_reminder")
    assert window.closed_at is None


def test_a_comment_on_the_fifth_day_holds_silence_until_it_is_classified(world: World) -> None:
    case, version, window = delivered(world)
    said = say(world, case, UNTIL - timedelta(hours=1))
    window.refresh_from_db()
    assert (window.until, window.last_day) == (None, None)
    assert not pending(case, "acceptance")
    assert not [line for line in world.fire(UNTIL + timedelta(days=9)) if line.kind != "remind"]
    with pytest.raises(Refused, match="on hold"):
        life.accept_tacitly(world.on(case, CLOCK, UNTIL), version=version)
    hold = window.holds.get()
    assert (hold.message, hold.since, hold.ended_at) == (said, said.at, None)


def test_no_objection_and_the_term_runs_on_for_at_least_a_day(world: World) -> None:
    case, _, window = delivered(world)
    said = say(world, case, UNTIL - timedelta(hours=1))
    friday = datetime(2026, 12, 11, 15, 0, tzinfo=UTC)
    line = deliveries.classify_comment(
        world.on(case, "sara", friday), message=said, objection=False
    )
    window.refresh_from_db()
    # The day of the comment and that of its classification do not count: Monday does.
    assert window.last_day == date(2026, 12, 14)
    assert line.payload["until"] == "2026-12-15T05:00:00+00:00"
    assert pending(case, "acceptance") == [window.until]
    assert line.notices.filter(person=world.ana).exists()
    (silent,) = [line for line in world.fire(window.until) if line.kind == "accept_tacitly"]
    assert silent.at == window.until


def test_a_comment_is_classified_once(world: World) -> None:
    case, _, _ = delivered(world)
    said = say(world, case, DELIVERY + timedelta(days=1))
    deliveries.classify_comment(world.on(case, "sara"), message=said, objection=False)
    with pytest.raises(Refused, match="already"):
        deliveries.classify_comment(world.on(case, "sara"), message=said, objection=True)


def test_classified_as_an_objection_the_comment_rejects_when_it_was_written(world: World) -> None:
    case, version, window = delivered(world)
    said = say(world, case, UNTIL - timedelta(hours=1))
    deliveries.classify_comment(
        world.on(case, "paula", UNTIL + timedelta(hours=9)), message=said, objection=True
    )
    case = world.fresh(case)
    assert case.stage == Stage.CORRECTION
    decision = case.decisions.get(version=version)
    assert (decision.verdict, decision.person, decision.at) == ("rejected", world.ana, said.at)
    assert decision.objections.get().text == "¿Y el botón?"
    # The firm's five business days run from the objection of Thursday 10.
    assert pending(case, "correction") == [datetime(2026, 12, 18, 5, 0, tzinfo=UTC)]
    window.refresh_from_db()
    assert window.closed_at is not None
    assert not window.annulled


def test_an_objection_to_one_delivery_leaves_the_terms_of_the_others(world: World) -> None:
    case = world.working("development", "documentation")
    for deliverable in case.deliverables.filter(proposal=False).order_by("pk"):
        life.deliver(world.on(case, "carlos", DELIVERY), deliverable=deliverable, text="Listo")
        world.prove(case, DELIVERY)
    first, second = case.versions.filter(deliverable__proposal=False).order_by("pk")
    said = say(world, case, DELIVERY + timedelta(days=1))
    line = deliveries.classify_comment(
        world.on(case, "sara"), message=said, objection=True, versions=[first],
        objections=[("El botón", "Se pactó uno")],
    )  # fmt: skip
    assert len(line.payload["holds"]) == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, second.outcome) == ("rejected", "pending")
    assert first.objections.get().grounds == "Se pactó uno"
    assert second.window.until is not None
    assert world.fresh(case).stage == Stage.CORRECTION


def test_a_word_of_the_firm_holds_nothing(world: World) -> None:
    case, _, window = delivered(world)
    say(world, case, DELIVERY + timedelta(days=1), "sara")
    conversation.internal_note(world.on(case, "sara"), text="Ojo")
    assert not window.holds.exists()


@pytest.mark.parametrize("way", ["attach", "answer"])
def test_any_word_of_the_customer_holds(world: World, way: str) -> None:
    from acuse.policy.files import File

    case, _, window = delivered(world)
    if way == "attach":
        conversation.attach(world.on(case, "ana"), files=[File("ab" * 32, 3, "foto.png")])
    else:
        ask = conversation.ask(world.on(case, "sara"), addressee="user", text="¿Cuál?")
        wait = case.waits.get(pk=ask.payload["wait"])
        conversation.answer(world.on(case, "ana"), wait=wait, text="Este")
    window.refresh_from_db()
    assert window.holds.count() == 1
    assert window.until is None


def test_the_firm_is_reminded_of_a_comment_to_classify(world: World) -> None:
    case, _, _ = delivered(world)
    say(world, case, DELIVERY + timedelta(days=1))
    (due,) = pending(case, "hold_reminder")
    (line,) = world.fire(due)
    assert line.payload["deadline"] == "hold_reminder"
    assert {notice.person for notice in line.notices.all()} == {world.sara, world.paula}


def test_a_policy_may_let_any_comment_exclude_silence(db: None) -> None:
    world = World(replace(DEFAULT, any_comment_excludes_silence=True))
    case, version, window = delivered(world)
    said = say(world, case, DELIVERY + timedelta(days=1))
    deliveries.classify_comment(world.on(case, "sara"), message=said, objection=False)
    window.refresh_from_db()
    assert not window.tacit
    with pytest.raises(Refused) as told:
        life.accept_tacitly(world.on(case, CLOCK, window.until), version=version)
    assert told.value.code == "silence_excluded"


def test_a_late_comment_is_kept_and_marked(world: World) -> None:
    case, _, window = delivered(world)
    world.fire(UNTIL)
    said = say(world, case, UNTIL)
    assert said.late
    assert not window.holds.exists()
    early = say(world, case, UNTIL - MICROSECOND)
    assert not early.late


def test_a_rejection_in_time_needs_objections_with_their_grounds(world: World) -> None:
    case, version, _ = delivered(world)
    for bad in ([], [("", "porque")], [("algo", " ")]):
        with pytest.raises(Refused) as told:
            life.reject(world.on(case, "ana"), version=version, objections=bad)
        assert (told.value.code, told.value.field) == ("objections_required", "objections")
    line = life.reject(
        world.on(case, "ana", UNTIL - MICROSECOND), version=version, objections=[("Falta", "Pacto")]
    )
    assert len(line.payload["objections"]) == 1
    assert world.fresh(case).stage == Stage.CORRECTION


def test_a_rejection_at_the_end_of_the_term_comes_late(world: World) -> None:
    case, version, _ = delivered(world)
    with pytest.raises(Refused) as told:
        life.reject(world.on(case, "ana", UNTIL), version=version, objections=[("F", "P")])
    assert told.value.code == "window_ended"
    assert told.value.params == {"last_day": LAST_DAY}
    life.accept(world.on(case, "ana", UNTIL), version=version)  # accepting is never late


def test_a_corrected_version_is_not_accepted_by_silence(world: World) -> None:
    case = world.rejected("development", at=DELIVERY)
    version = case.versions.latest("pk")
    deliverable = version.deliverable
    with pytest.raises(Refused) as told:
        life.deliver(world.on(case, "carlos"), deliverable=deliverable, text="Otra vez")
    assert told.value.code == "objections_unanswered"
    (objection,) = version.objections.all()
    deliveries.answer_objection(
        world.on(case, "carlos"), objection=objection, outcome="corrected", text="Corregido"
    )
    with pytest.raises(Refused, match="answered already"):
        deliveries.answer_objection(
            world.on(case, "carlos"), objection=objection, outcome="corrected", text="Más"
        )
    life.deliver(world.on(case, "carlos"), deliverable=deliverable, text="Otra vez")
    assert not pending(case, "correction")
    world.prove(case)
    second = case.versions.latest("pk")
    assert (second.number, second.corrected, second.window.tacit) == (2, True, False)
    with pytest.raises(Refused) as told:
        life.accept(world.on(case, "ana"), version=version)
    assert told.value.code == "stale_version"
    with pytest.raises(Refused) as told:
        life.accept_tacitly(world.on(case, CLOCK, second.window.until), version=second)
    assert told.value.code == "explicit_only"
    assert pending(case, "answer_overdue") == [second.window.until]
    lines = world.fire(second.window.until)
    assert [line.payload["deadline"] for line in lines][-1] == "answer_overdue"
    assert {n.person for n in lines[-1].notices.all()} == {world.ana, world.sara, world.paula}
    life.accept(world.on(case, "ana", second.window.until), version=second)
    assert world.fresh(case).stage == Stage.ACCEPTED


def test_a_policy_may_let_silence_accept_a_correction(db: None) -> None:
    world = World(replace(DEFAULT, corrected_needs_explicit=False))
    case = world.rejected("development", at=DELIVERY)
    (objection,) = case.objections.all()
    deliveries.answer_objection(
        world.on(case, "carlos"), objection=objection, outcome="out_of_scope", text="Es más"
    )
    objection.refresh_from_db()
    assert objection.change.origin == case
    deliverable = case.deliverables.get(proposal=False)
    life.deliver(world.on(case, "carlos"), deliverable=deliverable, text="Otra vez")
    world.prove(case)
    window = case.versions.latest("pk").window
    assert world.fire(window.until)[-1].kind == "accept_tacitly"


def test_a_missed_correction_is_noted_once(world: World) -> None:
    case = world.rejected("development", at=DELIVERY)
    (due,) = pending(case, "correction")
    (line,) = world.fire(due)
    assert (line.kind, line.at, line.audience) == ("breach", due, "firm")
    conversation.internal_note(world.on(case, "sara"), text="Vamos tarde")
    assert not pending(case, "correction")


# Proof ------------------------------------------------------------------------------------------


def test_no_term_runs_before_the_delivery_is_proven(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    version = case.versions.latest("pk")
    assert not Window.objects.filter(version=version).exists()
    assert not pending(case, "acceptance")
    with pytest.raises(Refused) as told:
        life.accept_tacitly(world.on(case, CLOCK, UNTIL), version=version)
    assert told.value.code == "no_open_window"
    with pytest.raises(Refused) as told:
        deliveries.extend_window(world.on(case, "paula"), version=version, days=1)
    assert told.value.code == "no_open_window"


def test_a_late_proof_starts_the_term_and_tells_when_it_ends(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    late = DELIVERY + timedelta(days=1)
    line = deliveries.prove_delivery(
        world.on(case, POSTMAN, late), version=case.versions.latest("pk"),
        dispatch=Dispatch.objects.get(version=case.versions.latest("pk")),
    )  # fmt: skip
    version = case.versions.latest("pk")
    assert version.delivered_at == late
    assert line.payload["last_day"] == "2026-12-11"
    assert [notice.person for notice in line.notices.all()] == [world.ana]


def test_opening_it_in_the_portal_is_proof_and_a_second_proof_changes_nothing(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    version = case.versions.latest("pk")
    line = deliveries.prove_delivery(world.on(case, "beto", DELIVERY), version=version)
    assert line.payload["proof"] == "portal"
    assert not line.notices.exists()  # on the day of the letter, which names the term
    copy = Dispatch.objects.get(pk=line.payload["dispatch"])
    assert (copy.person, copy.opened_at) == (world.beto, DELIVERY)
    again = deliveries.prove_delivery(
        world.on(case, POSTMAN, DELIVERY + timedelta(days=2)), version=version,
        dispatch=version.dispatches.get(person=world.ana),
    )  # fmt: skip
    assert again.payload["last_day"] == "2026-12-10"


def test_a_proof_before_the_act_counts_from_the_act(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    world.prove(case, DELIVERY - timedelta(days=1))
    assert case.versions.latest("pk").delivered_at == DELIVERY


def test_what_was_said_before_the_proof_was_written_holds_as_well(world: World) -> None:
    """The answer to a mail may be read before its server's acceptance has been noted."""
    case = world.delivered(at=DELIVERY, prove=False)
    say(world, case, DELIVERY - timedelta(hours=1))
    said = say(world, case, DELIVERY + timedelta(minutes=10))
    say(world, case, DELIVERY + timedelta(minutes=11), "sara")
    world.prove(case, DELIVERY)
    window = case.versions.latest("pk").window
    assert [hold.message for hold in window.holds.all()] == [said]
    assert window.until is None


def test_when_every_copy_bounces_no_term_runs_and_the_firm_has_the_ball(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    version = case.versions.latest("pk")
    conversation.watch(world.on(case, "beto"))
    world.prove(case, DELIVERY)
    Dispatch.objects.create(version=version, person=world.beto, sent_at=DELIVERY)
    first, second = version.dispatches.order_by("pk")
    line = deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=first)
    assert line.payload["all_failed"] is False
    assert world.fresh(case).ball == "customer"
    line = deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=second)
    assert line.payload["all_failed"] is True
    assert {notice.person for notice in line.notices.all()} == {world.paula}
    version.refresh_from_db()
    assert version.delivered_at is None
    assert (version.window.annulled, world.fresh(case).ball) == (True, "firm")
    assert not pending(case, "acceptance")
    assert world.fire(UNTIL + timedelta(days=30)) == []
    # Opened in the portal after all: a term of its own starts there.
    again = UNTIL + timedelta(days=30)
    deliveries.prove_delivery(world.on(case, "beto", again), version=version)
    version.refresh_from_db()
    assert version.window.starts_at == again
    assert not version.window.annulled
    assert world.fresh(case).ball == "customer"


def test_a_copy_that_was_opened_outweighs_its_bounce(world: World) -> None:
    case = world.delivered(at=DELIVERY, prove=False)
    version = case.versions.latest("pk")
    deliveries.prove_delivery(world.on(case, "ana", DELIVERY), version=version)
    line = deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=version.dispatches.get())
    assert line.payload["all_failed"] is False
    assert version.window.closed_at is None


def test_a_bounce_after_the_decision_changes_nothing(world: World) -> None:
    case = world.working("development", "documentation")
    one, _ = case.deliverables.filter(proposal=False).order_by("pk")
    life.deliver(world.on(case, "carlos"), deliverable=one, text="Listo")
    world.prove(case)
    version = case.versions.latest("pk")
    life.accept(world.on(case, "ana"), version=version)
    line = deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=version.dispatches.get())
    assert (line.payload["all_failed"], line.payload["window"]) == (True, None)
    proof = deliveries.prove_delivery(world.on(case, "ana"), version=version)
    assert proof.payload["window"] == version.window.pk


def test_a_proposal_that_bounced_is_withdrawn_and_made_anew(world: World) -> None:
    case = world.proposed(prove=False)
    version = case.versions.get()
    deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=version.dispatches.get())
    assert world.fresh(case).ball == "firm"
    deliveries.withdraw_delivery(world.on(case, "sara"), version=version, text="Rebotó")
    assert world.fresh(case).stage == Stage.ESTIMATION
    with pytest.raises(Refused) as told:
        life.accept_proposal(world.on(case, "ana"), version=version)
    assert told.value.code == "not_in_stage"


# Calendars and mail -----------------------------------------------------------------------------


def test_a_calendar_edited_later_lengthens_a_term_and_never_shortens_it(world: World) -> None:
    from acuse.policy.calendar import Calendar

    case, _, window = delivered(world)
    years = (2025, 2026, 2027)
    before = colombia(years, reviewed=years)

    def publish(change: dict[date, str | None]) -> None:
        holidays = {**before.holidays, **{d: n for d, n in change.items() if n}}
        for day, name in change.items():
            if name is None:
                del holidays[day]
        admin.publish_calendar(replace(before, holidays=holidays))
        window.refresh_from_db()

    assert isinstance(before, Calendar)
    publish({date(2026, 12, 8): None})
    assert window.last_day == LAST_DAY
    publish({date(2026, 12, 9): "Paro", date(2026, 12, 10): "Paro"})
    assert window.last_day == date(2026, 12, 14)
    assert pending(case, "acceptance") == [window.until]
    assert window.calendar == world.calendar


def test_a_year_nobody_reviewed_allows_no_silence_until_it_is(world: World) -> None:
    years = (2025, 2026, 2027)
    admin.publish_calendar(colombia(years, reviewed=(2025,)))
    case, version, window = delivered(world)
    assert [line for line in world.fire(UNTIL) if line.kind != "remind"] == []
    row = Deadline.objects.get(case=case, kind="acceptance")
    assert (row.fired_at, row.failed_at) == (None, None)
    assert row.not_before == UNTIL + clock.LOOK_AGAIN
    with pytest.raises(Refused) as told:
        life.accept_tacitly(world.on(case, CLOCK, UNTIL), version=version)
    assert told.value.code == "year_not_reviewed"
    # Whoever rejects meanwhile is in time: silence could not end the term.
    admin.publish_calendar(colombia(years, reviewed=years))
    lines = world.fire(UNTIL + timedelta(days=2))
    assert [(line.kind, line.at) for line in lines] == [("accept_tacitly", UNTIL)]
    assert window.calendar != world.calendar


def test_in_an_unreviewed_year_a_rejection_is_never_late(world: World) -> None:
    admin.publish_calendar(colombia((2025, 2026, 2027), reviewed=()))
    case, version, _ = delivered(world)
    life.reject(world.on(case, "ana", UNTIL), version=version, objections=[("F", "P")])
    assert world.fresh(case).stage == Stage.CORRECTION


def test_silence_waits_until_every_mailbox_has_been_read_past_the_end(world: World) -> None:
    case, _, _ = delivered(world)
    box = admin.add_mailbox("buzon@example.com", "Buzón", transport="imap")
    assert [line for line in world.fire(UNTIL) if line.kind != "remind"] == []
    Mailbox.objects.filter(pk=box.pk).update(read_until=UNTIL - MICROSECOND)
    assert world.fire(UNTIL + timedelta(hours=1)) == []
    Mailbox.objects.filter(pk=box.pk).update(read_until=UNTIL)
    (line,) = world.fire(UNTIL + timedelta(hours=2))
    assert (line.kind, line.at) == ("accept_tacitly", UNTIL)
    assert world.fresh(case).stage == Stage.ACCEPTED


def mail(world: World, arrived_at: datetime, state: str, **who: object) -> RawMail:
    return RawMail.objects.create(
        sha256=f"{RawMail.objects.count():064d}", content=b"", mailbox=world.mailbox,
        arrived_at=arrived_at, state=state, **who,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["received", "held", "failed"])
@pytest.mark.parametrize("whose", ["case", "ana", "omar", "nobody"])
def test_mail_that_is_not_settled_holds_silence_off(world: World, state: str, whose: str) -> None:
    case, _, _ = delivered(world)
    who = {"case": case} if whose == "case" else {}
    if whose in ("ana", "omar"):
        who = {"person": world.people[whose]}  # type: ignore[dict-item]
    row = mail(world, UNTIL - MICROSECOND, state, **who)
    assert [line for line in world.fire(UNTIL) if line.kind != "remind"] == []
    assert world.fresh(case).stage == Stage.DELIVERED
    RawMail.objects.filter(pk=row.pk).update(state="ignored")
    (line,) = world.fire(UNTIL + timedelta(hours=1))
    assert line.at == UNTIL


def test_other_mail_holds_nothing_off(world: World) -> None:
    delivered(world)
    mail(world, UNTIL, "received", person=world.ana)
    mail(world, UNTIL - MICROSECOND, "held", person=world.nora)
    mail(world, UNTIL - MICROSECOND, "processed", person=world.ana)
    assert world.fire(UNTIL)[-1].kind == "accept_tacitly"


# Annulment --------------------------------------------------------------------------------------


def annul(world: World, case: Case, version: Version, at: datetime) -> LedgerLine:
    said = say(world, case, at)
    raw = mail(world, at, "processed", person=world.ana)
    return deliveries.annul_tacit(
        world.on(case, POSTMAN, UNTIL + timedelta(days=4)),
        version=version, message=said, raw_mail=raw,
    )  # fmt: skip


def test_timely_mail_found_later_annuls_silence_and_what_followed(world: World) -> None:
    from tests.actions.test_billing import bill

    case, version, window = delivered(world)
    world.fire(UNTIL)
    statement = bill(world, case)
    life.close(world.on(case, "ana"))
    line = annul(world, case, version, UNTIL - timedelta(hours=2))
    case = world.fresh(case)
    assert (case.stage, case.ended_at, case.ball) == (Stage.DELIVERED, None, "firm")
    assert line.payload["statement"] == statement.pk
    statement.refresh_from_db()
    assert statement.state == "credited"
    assert case.warranties.get().annulled_at is not None
    assert case.decisions.get(verdict="tacit").annulled_at == line.at
    assert not case.decisions.filter(kind="closure", annulled_at__isnull=True).exists()
    window.refresh_from_db()
    assert (window.closed_at, window.until) == (None, None)
    said = Message.objects.get(pk=line.payload["message"])
    deliveries.classify_comment(world.on(case, "sara"), message=said, objection=False)
    window.refresh_from_db()
    (again,) = [line for line in world.fire(window.until) if line.kind == "accept_tacitly"]
    assert again.at == window.until
    assert case.warranties.filter(annulled_at__isnull=True).count() == 1


def test_only_silence_and_only_timely_mail_annul(world: World) -> None:
    case, version, _ = delivered(world)
    with pytest.raises(Refused) as told:
        annul(world, case, version, DELIVERY)
    assert told.value.code == "tacit_only"
    case, version, _ = delivered(world)
    world.fire(UNTIL)
    with pytest.raises(Refused) as told:
        annul(world, case, version, UNTIL)
    assert told.value.code == "not_in_time"


def test_a_manager_annuls_with_a_reason_and_gives_the_day(world: World) -> None:
    case, version, window = delivered(world)
    world.fire(UNTIL)
    at = datetime(2027, 3, 2, 15, 0, tzinfo=UTC)
    with pytest.raises(Refused) as told:
        deliveries.annul_tacit(world.on(case, "mario", at), version=version)
    assert told.value.code == "reason_required"
    deliveries.annul_tacit(world.on(case, "mario", at), version=version, text="Fue un error")
    window.refresh_from_db()
    assert window.last_day == date(2027, 3, 3)
    assert world.fresh(case).stage == Stage.DELIVERED


def test_a_proposal_accepted_by_silence_is_annulled_before_its_authorisation(world: World) -> None:
    case = world.proposed()
    version = case.versions.get()
    (silent,) = [x for x in world.fire(version.window.until) if x.kind != "remind"]
    assert (silent.kind, world.fresh(case).stage) == ("accept_proposal_tacitly", "authorization")
    deliveries.annul_tacit(world.on(case, "mario"), version=version, text="Hubo correo")
    assert world.fresh(case).stage == Stage.PROPOSAL
    world.fire(Window.objects.get(version=version).until)
    life.authorize(world.on(case, "ana"))
    with pytest.raises(Refused) as told:
        deliveries.annul_tacit(world.on(case, "mario"), version=version, text="Hubo correo")
    assert told.value.code == "work_started"


# Extending and withdrawing ----------------------------------------------------------------------


def test_the_firm_extends_a_term_before_it_has_ended(world: World) -> None:
    case, version, window = delivered(world)
    for bad in (0, 61, True):
        with pytest.raises(Refused, match="from 1 to 60"):
            deliveries.extend_window(world.on(case, "paula"), version=version, days=bad)
    line = deliveries.extend_window(world.on(case, "mario"), version=version, days=2)
    assert line.payload["last_day"] == "2026-12-14"
    window.refresh_from_db()
    assert pending(case, "acceptance") == [window.until]
    occasion = world.on(case, "paula", window.until)
    with pytest.raises(Refused) as told:
        deliveries.extend_window(occasion, version=version, days=1)
    assert told.value.code == "window_ended"


def test_a_wrong_file_is_withdrawn_with_its_term(world: World) -> None:
    case, version, window = delivered(world)
    with pytest.raises(Refused, match="reason"):
        deliveries.withdraw_delivery(world.on(case, "carlos"), version=version, text=" ")
    deliveries.withdraw_delivery(world.on(case, "carlos"), version=version, text="Otro archivo")
    window.refresh_from_db()
    version.refresh_from_db()
    assert (window.annulled, version.outcome) == (True, "withdrawn")
    assert world.fresh(case).stage == Stage.IN_PROGRESS
    assert {line.kind for line in world.fire(UNTIL + timedelta(days=9))} <= {"breach"}
    with pytest.raises(Refused) as told:
        life.accept(world.on(case, "ana"), version=version)
    assert told.value.code == "no_open_window"
    life.deliver(world.on(case, "carlos"), deliverable=version.deliverable, text="El bueno")
    again = case.versions.latest("pk")
    assert (again.number, again.corrected) == (2, False)


def test_after_the_term_nothing_is_withdrawn(world: World) -> None:
    case, version, _ = delivered(world)
    with pytest.raises(Refused) as told:
        deliveries.withdraw_delivery(world.on(case, "sara", UNTIL), version=version, text="Tarde")
    assert told.value.code == "window_ended"


def test_a_withdrawn_answer_leaves_the_case_in_diagnosis_and_owes_nothing(world: World) -> None:
    from acuse.actions.drafts import Planned

    case = world.diagnosed()
    life.deliver(world.on(case, "sara"), new=Planned("answer", "Así se hace"), text="Así")
    assert world.fresh(case).stage == Stage.DELIVERED
    with pytest.raises(Refused) as told:
        life.deliver(world.on(case, "carlos"), new=Planned("development", "Más"), text="x")
    assert told.value.code == "kind_not_deliverable"
    version = case.versions.get()
    deliveries.withdraw_delivery(world.on(case, "sara"), version=version, text="No era")
    assert world.fresh(case).stage == Stage.DIAGNOSIS
    life.estimate(world.on(case, "carlos"))
    life.submit_scope(world.on(case, "carlos"), draft=world.draft())
    for who in ("omar", "paula"):
        life.validate_scope(world.on(case, who), estimate=case.estimates.get())
    life.accept_proposal(world.on(case, "ana"), version=case.versions.latest("pk"))
    life.authorize(world.on(case, "ana"))
    work = case.deliverables.get(kind="development")
    life.deliver(world.on(case, "carlos"), deliverable=work, text="Listo")
    assert world.fresh(case).stage == Stage.DELIVERED


def test_nothing_of_this_happens_before_the_case_was_opened(world: World) -> None:
    case = world.report()
    with pytest.raises(Refused) as told:
        life.take(world.on(case, "sara", START - MICROSECOND))
    assert told.value.code == "in_the_past"


def test_a_comment_after_the_end_holds_nothing_though_silence_still_waits(world: World) -> None:
    admin.add_mailbox("buzon@example.com", "Buzón", transport="imap")
    case, _, window = delivered(world)
    world.fire(UNTIL)
    say(world, case, UNTIL)
    assert not window.holds.exists()


def test_no_reminder_is_dated_before_the_term_was_opened_again(world: World) -> None:
    case, version, window = delivered(world)
    world.fire(UNTIL)
    deliveries.annul_tacit(
        world.on(case, "mario", UNTIL + timedelta(days=30)), version=version, text="Fue un error"
    )
    reminders = case.deadlines.filter(kind="acceptance_reminder", fired_at__isnull=True)
    assert all(row.due_at > UNTIL + timedelta(days=30) for row in reminders)


def test_a_proof_that_bounced_proves_nothing(world: World) -> None:
    """The copy that started the term came back while another had not arrived yet."""
    conversation.watch(world.on(case := world.working(), "beto"))
    deliverable = case.deliverables.get(proposal=False)
    life.deliver(world.on(case, "carlos"), deliverable=deliverable, text="Listo")
    world.prove(case)
    version = case.versions.latest("pk")
    first = version.dispatches.get(accepted_at__isnull=False)
    deliveries.fail_delivery(world.on(case, POSTMAN), dispatch=first)
    window = version.window
    window.refresh_from_db()
    assert window.annulled
    second = version.dispatches.exclude(pk=first.pk).get()
    deliveries.prove_delivery(world.on(case, POSTMAN), version=version, dispatch=second)
    window.refresh_from_db()
    assert not window.annulled
    assert window.closed_at is None


def test_silence_on_an_emergencys_estimate_lifts_no_cap(world: World) -> None:
    case = world.analysed()
    life.classify(
        world.on(case, "sara"),
        impact=Impact.WHOLE_OPERATION,
        urgency=Urgency.CUSTOMER_NOTICES,
    )
    life.authorize_emergency(world.on(case, "ana"), items=[Planned("development", "Arreglo")])
    with refused("estimate_by_scope"):
        other = Planned("estimate", "Otra")
        life.deliver(world.on(case, "carlos"), new=other, text="Otra")
    estimate = case.deliverables.get(kind="estimate")
    life.deliver(world.on(case, "carlos"), deliverable=estimate, text="16 horas")
    world.prove(case)
    version = case.versions.latest("pk")
    world.fire(version.window.until)
    version.refresh_from_db()
    assert version.outcome == "tacit"
    assert billing.case_facts(world.fresh(case)).emergency_minutes_left is not None
