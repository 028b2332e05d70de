"""One case as somebody sees it: the sentence, the timeline, what may be done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from acuse.actions import clock, conversation, deliveries, life
from acuse.models import Addressee, Case, LedgerLine, Message
from acuse.policy.stages import Ball, Stage
from acuse.queries.case import CaseView, days_of, get_case
from acuse.queries.sentence import SITUATIONS, sentence_for, sentences
from acuse.queries.words import line_sentences
from tests.world import HOUR, START, World

MAKERS = (
    "report",
    "analysed",
    "diagnosed",
    "estimating",
    "submitted",
    "proposed",
    "to_authorize",
    "working",
    "delivered",
    "accepted",
    "closed",
)


@pytest.mark.parametrize("maker", MAKERS)
def test_every_stage_has_its_sentence_for_both_sides(world: World, maker: str) -> None:
    case = world.fresh(getattr(world, maker)())
    with translation.override("en"):
        theirs = sentence_for(case, world.ana)
        ours = sentence_for(case, world.sara)
    assert theirs.situation == ours.situation
    assert theirs.situation in SITUATIONS
    assert "%" not in theirs.text + ours.text
    assert theirs.ball == case.ball


def test_the_delivered_sentence_names_version_day_and_silence(world: World) -> None:
    case = world.fresh(world.delivered())
    with translation.override("en"):
        said = sentence_for(case, world.ana)
    assert said.situation == "delivered_tacit"
    assert said.yours
    assert "tuesday 24" not in said.text  # English months and days are capitals
    assert "Tuesday, 24 November 2026" in said.text
    assert "count as accepted that day" in said.text


def test_a_comment_in_the_term_changes_the_sentence(world: World) -> None:
    case = world.delivered()
    conversation.comment(world.on(case, "ana"), text="Falta el logo")
    assert sentence_for(world.fresh(case), world.ana).situation == "delivered_held"


def test_a_question_overrides_the_stage(world: World) -> None:
    case = world.analysed()
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Qué impresora?")
    said = sentence_for(world.fresh(case), world.ana)
    assert (said.situation, said.yours) == ("asked_customer", True)


def test_sentences_of_many_cases_take_one_query(world: World, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        world.proposed()
    cases = list(Case.objects.select_related("organisation", "calendar"))
    world.sara.active_memberships()
    with django_assert_num_queries(1):
        assert len(sentences(cases, world.sara)) == 3


def test_scope_names_who_still_has_to_validate(world: World) -> None:
    case = world.submitted()
    assert sentence_for(world.fresh(case), world.omar).situation == "scope_yours"
    assert sentence_for(world.fresh(case), world.paula).situation == "scope_yours"
    assert sentence_for(world.fresh(case), world.ana).situation == "scope_both"
    life.validate_scope(world.on(case, "omar"), estimate=case.estimates.get())
    assert sentence_for(world.fresh(case), world.omar).situation == "scope_spoc"


def test_every_line_has_a_sentence_in_every_language(world: World) -> None:
    case = world.closed()
    lines = list(LedgerLine.objects.filter(case=case).select_related("author"))
    for language in ("es", "en", "pt"):
        with translation.override(language):
            said = line_sentences(lines)
            assert all("%(" not in text for text in said.values())
    assert "Ana Ruiz" in said[lines[0].pk]


def test_what_may_be_done_is_what_there_is_something_for(world: World) -> None:
    case = world.fresh(world.delivered())
    view = CaseView(case, world.ana, START + HOUR)
    names = {act.name for act in view.acts}
    assert {"accept", "reject", "comment", "delegate_decision"} <= names
    assert not {"answer", "approve_time", "deliver", "claim_warranty"} & names
    assert view.may("accept")
    assert not view.may("close")


def test_why_this_date_names_every_day(world: World) -> None:
    case = world.delivered()
    with translation.override("en"):
        days = days_of(case.windows.latest("pk").term)
    assert [day["counted"] for day in days].count(True) == 5
    assert {"Weekend", "Counts", "Day of the event: does not count"} == {d["reason"] for d in days}


def test_another_customers_case_looks_missing(world: World) -> None:
    case = world.report()
    with pytest.raises(Case.DoesNotExist):
        get_case(world.nora, case.number)
    with pytest.raises(Case.DoesNotExist):
        get_case(world.ana, "C-nada")
    assert get_case(world.beto, case.number.lower()) == case


def test_a_customer_reads_no_internal_note(world: World) -> None:
    case = world.analysed()
    conversation.internal_note(world.on(case, "sara"), text="Cliente difícil")
    view = CaseView(world.fresh(case), world.ana, START)
    assert all("difícil" not in message.text for message in view.messages)
    assert all(line.kind != "internal_note" for line, _ in view.timeline)
    assert Message.objects.filter(text__contains="difícil").exists()


def test_a_withdrawn_delivery_can_be_delivered_again(world: World) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    deliveries.withdraw_delivery(world.on(case, "carlos"), version=version, text="Archivo errado")
    view = CaseView(world.fresh(case), world.carlos, START)
    assert view.case.stage == Stage.IN_PROGRESS
    assert view.may("deliver")


def test_a_missed_term_is_said_and_never_hidden(world: World) -> None:
    case = world.report()
    assert sentence_for(world.fresh(case), world.ana).situation == "received_by"
    later = START + timedelta(days=3)
    for deadline_id in clock.due(later):
        clock.fire(deadline_id, later)
    with translation.override("en"):
        said = sentence_for(world.fresh(case), world.ana)
    assert said.situation == "received_late"
    # Low: 480 working minutes from Tuesday 9:00 in Bogota
    assert "Wednesday, 18 November 2026, 09:00" in said.text
    assert said.last_day is None  # a target in hours does not run to the end of its day
    conversation.comment(world.on(case, "sara"), text="Ya lo miramos")
    assert sentence_for(world.fresh(case), world.ana).situation == "received_answered"


def test_a_held_term_is_the_firms_turn(world: World) -> None:
    case = world.delivered()
    conversation.comment(world.on(case, "ana"), text="Falta el logo")
    held = world.fresh(case)
    assert held.ball == Ball.FIRM
    assert sentence_for(held, world.sara).yours
    assert not sentence_for(held, world.ana).yours
    message = case.messages.latest("pk")
    deliveries.classify_comment(world.on(case, "sara"), message=message, objection=False)
    assert world.fresh(case).ball == Ball.CUSTOMER
