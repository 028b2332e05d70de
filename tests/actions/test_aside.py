"""What is said, routed, linked, monitored, claimed, remembered and erased beside the main line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions import (
    aftercare,
    billing,
    changes,
    conversation,
    deliveries,
    life,
    monitoring,
    triage,
    warranty,
)
from acuse.models import (
    Area,
    Case,
    CaseLink,
    Environment,
    LedgerLine,
    Membership,
    Organisation,
    RawMail,
    Warranty,
)
from acuse.policy.authors import CLOCK, MONITOR
from acuse.policy.billing import Activity
from acuse.policy.fields import InvalidField
from acuse.policy.files import File
from acuse.policy.stages import Role, Stage
from tests.world import LONG_AGO, START, World, refused

FILE = File("ab" * 32, 3, "foto.png")


def told(line: LedgerLine) -> set[str]:
    return {str(notice.person).split()[0] for notice in line.notices.all()}


# Conversation -----------------------------------------------------------------------------------


def test_both_sides_comment_and_each_is_told(world: World) -> None:
    case = world.report()
    line = conversation.comment(world.on(case, "ana"), text="¿Y?")
    assert (line.payload["side"], line.payload["holds"]) == ("customer", [])
    assert told(line) == {"Paula"}  # nobody is told what they did
    life.take(world.on(case, "sara"))
    conversation.watch(world.on(case, "beto"))
    assert told(conversation.comment(world.on(case, "ana"), text="¿Y?")) == {"Beto", "Sara"}
    assert told(conversation.comment(world.on(case, "sara"), text="Ya")) == {"Ana", "Beto"}
    with refused("text_required", "text"):
        conversation.comment(world.on(case, "ana"), text=" ")
    line = conversation.comment(world.on(case, "ana"), text="", files=[FILE])
    assert case.messages.get(pk=line.payload["message"]).attachments.count() == 1


def test_without_a_contact_everybody_of_support_is_told(world: World) -> None:
    Organisation.objects.filter(pk=world.andina.pk).update(spoc=None)
    case = world.report()
    assert told(conversation.comment(world.on(case, "ana"), text="¿Y?")) == {"Sara", "Paula"}


def test_a_note_stays_with_the_firm(world: World) -> None:
    case = world.taken()
    conversation.watch(world.on(case, "beto"))
    line = conversation.internal_note(world.on(case, "carlos"), text="Ojo", files=[FILE])
    assert line.audience == "firm"
    assert not line.notices.exists()
    message = case.messages.get(kind="internal_note")
    assert (message.audience, message.attachments.get().audience) == ("firm", "firm")
    with refused("text_required"):
        conversation.internal_note(world.on(case, "carlos"), text=" ")


def test_a_contact_outside_the_channels_binds_nobody_and_the_customer_is_told(
    world: World,
) -> None:
    case = world.delivered()
    line = conversation.log_non_binding_contact(
        world.on(case, "sara"), medium="phone", text="Llamó"
    )
    assert told(line) == {"Ana"}
    assert not case.versions.latest("pk").window.holds.exists()
    with refused("reason_unknown", "medium"):
        conversation.log_non_binding_contact(world.on(case, "sara"), medium="pigeon", text="x")


def test_files_are_attached_and_none_is_no_attachment(world: World) -> None:
    case = world.report()
    assert conversation.attach(world.on(case, "ana"), files=[FILE]).payload["files"] == [
        FILE.sha256
    ]
    with refused("text_required", "files"):
        conversation.attach(world.on(case, "ana"), files=[])


@pytest.mark.parametrize(
    ("addressee", "who", "ball"),
    [
        ("user", {"Ana"}, "customer"),
        ("owner", {"Omar"}, "customer"),
        ("lead", {"Lina"}, "customer"),
        ("third_party", set(), "third_party"),
    ],
)
def test_a_question_has_its_addressee_and_moves_the_ball(
    world: World, addressee: str, who: set[str], ball: str
) -> None:
    case = world.analysed()
    line = conversation.ask(world.on(case, "sara"), addressee=addressee, text="¿Cuál?")
    assert told(line) == who
    assert world.fresh(case).ball == ball
    with refused("wait_open"):
        conversation.ask(world.on(case, "sara"), addressee="user", text="¿Y?")
    wait = case.waits.get()
    with refused("text_required"):
        conversation.answer(world.on(case, "ana"), wait=wait, text="")
    by = "sara" if addressee == "third_party" else "beto"
    conversation.answer(world.on(case, by), wait=wait, text="Este", files=[FILE])
    assert world.fresh(case).ball == "firm"
    with refused("wait_closed"):
        conversation.answer(world.on(case, "ana"), wait=wait, text="Aquel")


def test_a_question_to_the_lead_goes_to_the_leads_of_the_area(world: World) -> None:
    area = Area.objects.create(organisation=world.andina, name="Ventas")
    other = Area.objects.create(organisation=world.andina, name="Compras")
    Membership.objects.filter(person=world.lina).update(area=other)
    admin.give_role(world.beto, world.andina, Role.LEAD, since=LONG_AGO, area=area)
    case = world.report()
    Case.objects.filter(pk=case.pk).update(area=area)
    line = conversation.ask(world.on(case, "sara"), addressee="lead", text="¿?")
    assert told(line) == {"Beto"}


def test_a_question_to_somebody_named_is_reminded_to_them(world: World) -> None:
    case = world.report()
    with refused("not_a_member", "person"):
        conversation.ask(world.on(case, "sara"), addressee="user", text="¿?", person=world.nora)
    line = conversation.ask(world.on(case, "sara"), addressee="user", text="¿?", person=world.beto)
    assert told(line) == {"Beto"}
    lines = world.fire(START + timedelta(days=30))
    assert [told(line) for line in lines] == [{"Beto"}, {"Beto", "Omar"}]
    assert [line.payload["deadline"] for line in lines] == ["wait_reminder"] * 2


def test_a_question_without_a_reporter_reaches_nobody_by_itself(world: World) -> None:
    case = life.open(world.on(None, "sara"), subject="x", text="x").case
    line = conversation.ask(world.on(case, "sara"), addressee="user", text="¿?")
    assert told(line) == set()
    assert [told(line) for line in world.fire(START + timedelta(days=9))] == [set(), set()]


def test_only_people_of_the_two_sides_follow_a_case(world: World) -> None:
    case = world.report()
    conversation.watch(world.on(case, "ana"), person=world.beto)
    conversation.watch(world.on(case, "beto"))
    assert case.watchers.filter(until__isnull=True).count() == 1
    conversation.watch(world.on(case, "sara"), person=world.carlos)
    with refused("not_a_member", "person"):
        conversation.watch(world.on(case, "sara"), person=world.nora)
    conversation.watch(world.on(case, "beto"), following=False)
    assert [row.person for row in case.watchers.filter(until__isnull=True)] == [world.carlos]


# Triage -----------------------------------------------------------------------------------------


def test_a_case_is_assigned_and_escalated_within_the_firm(world: World) -> None:
    case = world.report()
    line = triage.assign(world.on(case, "sara"), person=world.carlos, level="n2")
    assert told(line) == {"Carlos"}
    with refused("not_a_member", "person"):
        triage.assign(world.on(case, "sara"), person=world.ana)
    with refused("reason_unknown", "level"):
        triage.assign(world.on(case, "sara"), level="n9")
    how = {"text": "No sé cómo"}
    with refused("reason_unknown", "direction"):
        triage.escalate(world.on(case, "carlos"), direction="sideways", **how)
    with refused("not_a_member", "person"):
        triage.escalate(world.on(case, "carlos"), direction="functional", person=world.ana, **how)
    with refused("reason_required"):
        triage.escalate(world.on(case, "carlos"), direction="functional", text="")
    triage.escalate(
        world.on(case, "carlos"), direction="functional", person=world.paula, level="n3", **how
    )
    case = world.fresh(case)
    assert (case.assignee, case.level, case.stage) == (world.paula, "n3", "received")
    line = triage.escalate(
        world.on(case, "carlos"), direction="hierarchical", person=world.ada, **how
    )
    assert told(line) == {"Paula", "Mario", "Ada"}
    assert world.fresh(case).assignee == world.paula
    line = triage.escalate(world.on(case, "carlos"), direction="hierarchical", **how)
    assert told(line) == {"Paula", "Mario"}


def test_a_second_problem_becomes_a_case_of_its_own(world: World) -> None:
    raw = RawMail.objects.create(sha256="1" * 64, content=b"x", arrived_at=START)
    case = world.report(raw_mail=raw)
    line = triage.split(
        world.on(case, "sara"), message=case.messages.get(), subject="Lo otro", text="También"
    )
    new = Case.objects.get(pk=line.payload["case"])
    assert (new.reporter, new.organisation, new.opened_by, new.origin) == (
        world.ana, world.andina, "user", case,
    )  # fmt: skip
    assert new.messages.get().author == world.ana
    assert CaseLink.objects.get(case=case).kind == "split"


def test_a_duplicate_follows_the_original_and_can_be_restored(world: World) -> None:
    original, case = world.report("beto"), world.analysed()
    conversation.watch(world.on(case, "omar"))
    line = conversation.ask(world.on(case, "sara"), addressee="user", text="¿?")
    with refused("itself", "original"):
        triage.merge_duplicate(world.on(case, "sara"), original=case)
    with refused("other_customer", "original"):
        triage.merge_duplicate(world.on(case, "sara"), original=world.report("nora"))
    triage.merge_duplicate(world.on(case, "sara"), original=original)
    case = world.fresh(case)
    assert (case.stage, case.duplicate_of, case.ball) == ("cancelled", original, "nobody")
    followers = original.watchers.filter(until__isnull=True).values_list("person", flat=True)
    assert set(followers) == {world.ana.pk, world.omar.pk}
    assert not case.waits.filter(ended_at__isnull=True).exists()
    third = world.report()
    line = triage.merge_duplicate(world.on(third, "sara"), original=case)
    assert line.payload["original"] == original.pk  # the duplicate of a duplicate
    life.restore(world.on(case, "sara"))
    case = world.fresh(case)
    assert (case.stage, case.duplicate_of, case.ended_at) == ("analysis", None, None)
    assert (case.ball, case.waits.get().ended_at) == ("customer", None)
    assert {row.kind for row in case.deadlines.filter(fired_at__isnull=True)} == {"wait_reminder"}
    assert case.links.get().undone_at is not None


def test_a_case_turned_duplicate_meanwhile_is_not_an_original(world: World) -> None:
    a, b = world.report(), world.report("beto")
    stale = world.fresh(a)
    triage.merge_duplicate(world.on(a, "sara"), original=b)
    with refused("itself"):
        triage.merge_duplicate(world.on(b, "sara"), original=stale)


def test_unbound_cases_of_two_strangers_are_no_duplicates(world: World) -> None:
    one = life.open(world.on(None, world.stranger()), subject="x", text="x").case
    two = life.open(world.on(None, world.stranger("z@z.example")), subject="x", text="x").case
    with refused("other_customer", "original"):
        triage.merge_duplicate(world.on(one, "sara"), original=two)


def test_a_proposed_duplicate_is_not_restored_and_its_term_ends(world: World) -> None:
    original, case = world.report(), world.proposed()
    triage.merge_duplicate(world.on(case, "sara"), original=original)
    assert case.windows.get().annulled
    with refused("not_restorable"):
        life.restore(world.on(case, "sara"))


def test_cases_are_related_within_a_customer_only(world: World) -> None:
    case, other, foreign = world.report(), world.report(), world.report("nora")
    with refused("itself", "other"):
        triage.relate(world.on(case, "sara"), other=case)
    triage.relate(world.on(case, "sara"), other=other)
    triage.relate(world.on(case, "sara"), other=other)
    with refused("other_customer", "other"):
        triage.relate(world.on(case, "sara"), other=foreign)
    with refused("reason_unknown", "kind"):  # that is attach_to_parent, which no customer sees
        triage.relate(world.on(case, "sara"), other=other, kind="parent")
    assert list(case.links.values_list("kind", flat=True)) == ["related"]


def test_a_decision_is_passed_on_within_one_side(world: World) -> None:
    case = world.submitted()
    estimate = case.estimates.get()
    with refused("reason_unknown", "decision"):
        triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="all")
    with refused("not_your_role"):  # scope is the owner's to pass on
        triage.delegate_decision(world.on(case, "ana"), person=world.beto, decision="scope")
    with refused("not_your_role"):  # the result is the customer's
        triage.delegate_decision(world.on(case, "paula"), person=world.sara, decision="result")
    for who, person in (("omar", "sara"), ("omar", "nora"), ("paula", "ana")):
        with refused("same_side", "person"):
            triage.delegate_decision(
                world.on(case, who), person=world.people[person], decision="scope"
            )
    line = triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="scope")
    assert "Ana" in told(line)
    life.validate_scope(world.on(case, "ana"), estimate=estimate)
    triage.delegate_decision(world.on(case, "paula"), person=world.sara, decision="scope")
    life.validate_scope(world.on(case, "sara"), estimate=estimate)
    assert world.fresh(case).stage == Stage.PROPOSAL
    sides = {row.side: row.person for row in estimate.validations.all()}
    assert sides == {"owner": world.ana, "spoc": world.sara}


# Changes, warranty ------------------------------------------------------------------------------


def test_a_change_is_a_new_case_linked_to_its_source(world: World) -> None:
    case = world.rejected()
    objection = case.objections.get()
    with refused("subject_required", "subject"):
        changes.request_change(world.on(case, "ana"), subject=" ", text="x")
    line = changes.request_change(
        world.on(case, "ana"), subject="Más\ncosas", text="Otro botón", objection=objection
    )
    change = Case.objects.get(pk=line.payload["case"])
    assert (change.subject, change.origin, change.stage) == ("Más", case, "received")
    assert (line.payload["source"], line.payload["source_id"]) == ("objection", objection.pk)
    assert CaseLink.objects.get(case=case).kind == "change"
    line = changes.request_change(world.on(case, "carlos"), subject="Más", text="x")
    assert (line.payload["source"], line.payload["source_id"]) == ("case", None)
    assert Case.objects.get(pk=line.payload["case"]).opened_by == "support"
    with refused("other_customer", "objection"):
        other = world.report("nora")
        changes.request_change(world.on(other, "nora"), subject="x", text="x", objection=objection)


def claim(world: World, case: Case, at: datetime | None = None) -> LedgerLine:
    version = case.versions.latest("pk")
    return warranty.claim_warranty(
        world.on(case, "ana", at), version=version, text="Se pactó", omitted="El botón"
    )


def test_a_claim_on_the_last_day_is_in_time_and_one_later_becomes_a_change(world: World) -> None:
    case = world.accepted()
    (row,) = case.warranties.all()
    assert (row.until - timedelta(microseconds=1)).date() == row.until.date()
    line = claim(world, case, row.until - timedelta(microseconds=1))
    assert (line.payload["in_time"], line.payload["change"]) == (True, None)
    assert world.fresh(case).ball == "firm"
    line = claim(world, case, row.until)
    late = case.claims.latest("pk")
    assert (late.in_time, late.covered, late.exclusion) == (False, False, "late")
    assert late.change.origin == case


def test_fifteen_calendar_days_roll_to_a_business_day(world: World) -> None:
    # Friday 27 November: the fifteenth day is Saturday 12 December.
    case = world.delivered(at=datetime(2026, 11, 27, 15, 0, tzinfo=UTC))
    life.accept(world.on(case, "ana"), version=case.versions.latest("pk"))
    assert str(case.warranties.get().last_day) == "2026-12-14"


def test_what_has_no_warranty_or_was_not_accepted_is_no_claim(world: World) -> None:
    case = world.accepted("documentation")
    line = claim(world, case)
    assert case.claims.get().exclusion == "kind_not_covered"
    assert line.payload["change"]
    with refused("not_delivered", "version"):
        claim(world, world.delivered())


def test_a_covered_claim_is_fixed_in_its_term_and_never_billed(world: World) -> None:
    case = world.closed()
    line = claim(world, case)
    row = case.claims.get(pk=line.payload["claim"])
    assert world.fresh(case).ball == "firm"
    with refused("open_claims"):
        aftercare.anonymise(world.on(case, "mario"))
    with refused("claim_not_covered"):
        warranty.deliver_fix(world.on(case, "carlos"), claim=row, text="Ya")
    line = warranty.decide_claim(world.on(case, "paula"), claim=row, covered=True, text="Cierto")
    assert told(line) == {"Ana", "Sara"}
    pending = case.deadlines.filter(fired_at__isnull=True)
    assert {d.kind for d in pending} >= {"claim_correction", "warranty_end"}
    with refused("claim_decided"):
        warranty.decide_claim(world.on(case, "paula"), claim=row, covered=True, text="Más")
    before = Warranty.objects.values("until", "last_day").get()
    warranty.deliver_fix(world.on(case, "carlos"), claim=row, text="Corregido", files=[FILE])
    assert Warranty.objects.values("until", "last_day").get() == before
    assert world.fresh(case).ball == "nobody"
    assert "claim_correction" not in {d.kind for d in pending.all()}
    with refused("already_answered"):
        warranty.deliver_fix(world.on(case, "carlos"), claim=row, text="Otra vez")
    entry = billing.log_time(
        world.on(case, "carlos"), work_date=START.date(), minutes=30,
        activity=Activity.WARRANTY, text="Arreglo",
    )  # fmt: skip
    assert (entry.payload["billable"], entry.payload["billed_minutes"]) == (False, 0)


def test_an_excluded_claim_needs_its_reason_and_opens_the_change(world: World) -> None:
    case = world.accepted()
    row = case.claims.get(pk=claim(world, case).payload["claim"])
    assert world.fresh(case).ball == "firm"
    how = {"claim": row, "covered": False, "text": "Cambiaron los datos"}
    with refused("reason_required", "exclusion"):
        warranty.decide_claim(world.on(case, "sara"), **how)
    with refused("reason_unknown", "exclusion"):
        warranty.decide_claim(world.on(case, "sara"), exclusion="late", **how)
    line = warranty.decide_claim(world.on(case, "sara"), exclusion="data_quality", **how)
    assert line.payload["change"]
    assert world.fresh(case).ball == "customer"


def test_a_claim_in_time_outlives_its_warranty_and_is_breached_once(world: World) -> None:
    case = world.closed()
    row = case.claims.get(pk=claim(world, case).payload["claim"])
    lines = world.fire(Warranty.objects.get().until)
    assert lines[-1].kind == "end_warranty"
    assert not lines[-1].notices.exists()
    warranty.decide_claim(world.on(case, "mario"), claim=row, covered=True, text="Cierto")
    lines = world.fire(START + timedelta(days=90))
    assert [line.payload["deadline"] for line in lines if line.kind == "breach"] == [
        "claim_correction"
    ]


def test_a_warranty_ends_once_and_not_before_its_time(world: World) -> None:
    case = world.accepted()
    row = case.warranties.get()
    with refused("window_open"):
        at = row.until - timedelta(microseconds=1)
        warranty.end_warranty(world.on(case, CLOCK, at), warranty=row)
    warranty.end_warranty(world.on(case, CLOCK, row.until), warranty=row)
    with refused("no_warranty"):
        warranty.end_warranty(world.on(case, CLOCK, row.until), warranty=row)


# Monitor, policies, evidence, erasure -----------------------------------------------------------


def test_a_monitor_notes_alerts_and_recovery_on_the_case_of_the_incident(world: World) -> None:
    case = life.open(
        world.on(None, MONITOR), subject="Caída", text="503", environment=world.production
    ).case
    how = {"environment": world.production, "fingerprint": "f" * 64}
    line = monitoring.open_environment_alert(world.on(case, MONITOR), text="Otra vez", **how)
    assert line.audience == "firm"
    monitoring.recover(world.on(case, MONITOR), **how)
    how["environment"] = Environment.objects.create(organisation=world.brisa, name="P")
    with refused("other_customer", "environment"):
        monitoring.recover(world.on(case, MONITOR), **how)


def test_a_user_accepts_the_policies_of_the_case_once(world: World) -> None:
    case = world.report()
    line = aftercare.accept_policy(world.on(case, "ana"), policy=world.policy)
    assert line.payload["policy_hash"] == world.policy.sha256
    with refused("already_answered", "policy"):
        aftercare.accept_policy(world.on(case, "ana"), policy=world.policy)
    newer = admin.publish_policy("Otras", world.policy.rules, START)
    with refused("policy_stale", "policy"):
        aftercare.accept_policy(world.on(case, "beto"), policy=newer)


@pytest.mark.parametrize(("who", "audience"), [("ana", "customer"), ("mario", "firm")])
def test_a_pack_is_noted_with_its_hash(world: World, who: str, audience: str) -> None:
    case = world.report()
    line = aftercare.build_pack(world.on(case, who), sha256="e" * 64)
    assert line.payload == {"pack_hash": "e" * 64, "audience": audience}


def test_erasing_leaves_no_word_and_the_chain_whole(world: World) -> None:
    from acuse.policy import chain
    from acuse.policy.chain import Line

    case = world.closed(subject="Secreto uno", text="Secreto dos")
    RawMail.objects.create(
        sha256="2" * 64, content=b"Secreto tres", arrived_at=START, case=case, subject="Secreto"
    )
    conversation.attach(world.on(case, "ana"), files=[File("ab" * 32, 1, "Secreto.png")])
    aftercare.anonymise(world.on(case, "mario"))
    case = world.fresh(case)
    assert case.subject == "-"
    for rows in (
        case.messages, case.estimates, case.versions, case.deliverables, case.raw_mails,
        case.attachments, case.decisions,
    ):  # fmt: skip
        assert "Secreto" not in str(list(rows.values()))
    assert "Entrega" not in str(list(case.deliverables.values()))
    assert case.messages.order_by("pk")[0].salt in (b"", None)
    stored = [
        Line(case.pk, row.seq, row.previous, row.hash, row.hashed_fields())
        for row in case.ledger.order_by("seq")
    ]
    assert chain.verify(stored) == []
    aftercare.anonymise(world.on(case, "mario"))  # what has come in since


# The firm's own setting up ----------------------------------------------------------------------


def test_what_does_not_fit_is_told_by_field_and_rule(world: World) -> None:
    with pytest.raises(InvalidField, match="name: .*Consultora"):
        admin.found_firm("Otra")
    with pytest.raises(InvalidField, match="spoc: Ana"):
        admin.add_customer("Otra", spoc=world.ana)
    with pytest.raises(InvalidField, match="spoc: Ana"):
        admin.name_spoc(world.andina, world.ana)
    for role, where in ((Role.USER, world.firm), (Role.SUPPORT, world.andina)):
        with pytest.raises(InvalidField, match="role: "):
            admin.give_role(world.beto, where, role, since=START)
    with pytest.raises(InvalidField, match="currency: .*COP.*USD"):
        admin.publish_rates("USD", {})


def test_a_person_is_found_again_by_their_address(world: World) -> None:
    assert admin.add_person(" ANA@andina.example ") == world.ana
    admin.name_spoc(world.brisa, world.sara)
    assert Organisation.objects.get(name="Brisa").spoc == world.sara
    assert admin.publish_rates("COP", {}).number == 2
    assert admin.add_customer("Sola").spoc is None


def test_a_delivery_in_the_hands_of_who_left_is_still_theirs(world: World) -> None:
    """Whoever left acts no more; what they did stays."""
    case = world.delivered()
    admin.end_role(Membership.objects.get(person=world.ana), START + timedelta(minutes=1))
    version = case.versions.latest("pk")
    with refused("not_your_role"):
        life.accept(world.on(case, "ana"), version=version)
    life.accept(world.on(case, "beto"), version=version)
    assert case.decisions.filter(kind="proposal").get().person == world.ana
    assert deliveries.__name__


def test_a_monitors_case_is_merged_without_a_reporter_to_follow(world: World) -> None:
    original = world.report()
    how = {"subject": "Caída", "text": "503", "environment": world.production}
    case = life.open(world.on(None, MONITOR), **how).case
    triage.merge_duplicate(world.on(case, "sara"), original=original)
    assert not original.watchers.exists()


def test_a_users_wish_for_more_on_an_ended_case_is_no_answer_to_their_own_word(
    world: World,
) -> None:
    case = world.closed()
    conversation.comment(world.on(case, "ana"), text="Volvió a pasar")
    changes.request_change(world.on(case, "ana"), subject="Y más", text="Otra cosa")
    assert world.fresh(case).ball == "firm"
    changes.request_change(world.on(case, "carlos"), subject="Lo de Ana", text="Se sigue aquí")
    assert world.fresh(case).ball == "nobody"


def test_what_the_firm_keeps_of_people_and_places(world: World) -> None:
    admin.set_profile(world.ana, name=" Ana R. ", language="pt", zone="America/Lima")
    world.ana.refresh_from_db()
    assert (world.ana.name, world.ana.language, world.ana.zone) == ("Ana R.", "pt", "America/Lima")
    with pytest.raises(InvalidField, match="role: "):
        admin.give_role(world.ana, world.andina, Role.USER, since=START)
    assert admin.add_area(world.andina, "Ventas") == admin.add_area(world.andina, "Ventas")
    assert admin.add_environment(world.andina, "Pruebas", url="https://x.example").url
