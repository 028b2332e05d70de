"""Reporting a case: what it will be is told before it is sent, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from acuse.actions import drafting, life
from acuse.interfaces.web import uploads
from acuse.models import Attachment, Case, ContractVersion, Draft, DraftFile
from acuse.policy.fields import InvalidField
from acuse.policy.files import File
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.queries.forecast import MEANINGS
from acuse.queries.similar import find_similar
from tests.web.entering import Browser, StoppedClock, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]
ANSWERS = {"impact": "whole_operation", "urgency": "work_blocked"}
REPORT = ANSWERS | {"subject": "No imprime", "text": "Desde hoy"}


def test_the_priority_and_the_committed_times_are_told_before(world: World, enter: Enter) -> None:
    browser = enter("ana")
    said = words_of(browser.get("/report/forecast", ANSWERS))
    assert "Urgent" in said
    assert "The whole operation stands still." in said
    sla = ContractVersion.objects.get(contract__organisation=world.andina).sla
    assert sla is not None
    minutes = sla.rows["urgent"]["response"]
    hours, rest = divmod(minutes, 60)
    assert (f"{hours} h" if hours else f"{rest} min") in said
    browser.post("/report", REPORT | {"organisation": world.andina.pk})
    assert Case.objects.get().priority == "urgent"  # and so it is


def test_without_a_contract_it_says_plainly_that_nothing_is_committed(
    world: World, enter: Enter
) -> None:
    said = words_of(enter("nora").get("/report/forecast", ANSWERS))
    assert "Low" in said
    assert "No contract covers it: Low priority, no committed times (P22)." in said
    assert "Committed by" not in said


def test_nothing_is_foretold_of_what_is_not_answered(world: World, enter: Enter) -> None:
    browser = enter("ana")
    for asked in ({}, {"impact": "limited"}, {"impact": "nonsense", "urgency": "can_wait"}):
        said = words_of(browser.get("/report/forecast", asked))
        assert "Answer the two questions" in said
        assert "Your case will have" not in said


@pytest.mark.parametrize("impact", list(Impact))
@pytest.mark.parametrize("urgency", list(Urgency))
def test_what_is_foretold_is_what_the_case_gets(
    world: World, impact: Impact, urgency: Urgency
) -> None:
    foretold = drafting.foresee(world.andina, impact=impact, urgency=urgency, at=START)
    assert foretold.pk is None
    line = life.open(
        world.on(None, "ana", at=START),
        subject="Igual",
        text="Igual",
        impact=impact,
        urgency=urgency,
    )
    case = Case.objects.get(pk=line.case_id)
    for name in ("priority", "contract_id", "sla_id", "policy_id", "calendar_id"):
        assert getattr(foretold, name) == getattr(case, name), name


def test_every_priority_has_its_meaning() -> None:
    assert set(MEANINGS) == set(Priority)


def test_a_look_at_the_priority_without_script_keeps_all_and_opens_nothing(
    world: World, enter: Enter
) -> None:
    response = enter("ana").post("/report", REPORT | {"preview": "1", "subject": ""})
    said = words_of(response)
    assert response.status_code == 200
    assert "Urgent" in said
    assert "Desde hoy" in response.content.decode()
    assert not response.context["form"].has_errors()
    assert not Case.objects.exists()


# Cases that are like it ------------------------------------------------------------------------


def test_cases_like_it_are_those_of_the_own_organisation(world: World, enter: Enter) -> None:
    like = world.report(subject="Ninguna factura imprime", who="beto")
    world.report(subject="Nómina de octubre", who="beto")
    world.report(subject="Las facturas no imprimen", who="nora")
    ended = world.closed(subject="Facturas sin imprimir")
    asked = {"subject": "No imprime facturas"}
    shown = enter("ana").get("/report/similar", asked)
    assert {row.case.pk for row in shown.context["rows"]} == {like.pk, ended.pk}
    assert "Ninguna factura imprime" in words_of(shown)
    assert not words_of(enter("ana").get("/report/similar", {"subject": "¿y?"}))


def test_what_ended_long_ago_or_was_cancelled_is_not_like_anything(world: World) -> None:
    ended = world.fresh(world.closed(subject="Facturas sin imprimir"))
    cancelled = world.to_authorize(subject="Facturas sin imprimir, otra vez")
    life.decline(world.on(cancelled, "ana"))
    assert ended.ended_at is not None
    text = "imprimir facturas"
    found = find_similar(world.ana, text, ended.ended_at + timedelta(days=89))
    assert [row.case.pk for row in found] == [ended.pk]
    assert not find_similar(world.ana, text, ended.ended_at + timedelta(days=91))


def test_the_search_asks_alike_however_many_there_are(
    world: World, enter: Enter, django_assert_num_queries: Callable[[int], object]
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = enter("ana")
    counts = []
    for wanted in (1, 3, 30):
        while Case.objects.count() < wanted:
            world.report(subject="No imprime facturas")
        with CaptureQueriesContext(connection) as found:
            browser.get("/report/similar", {"subject": "facturas imprime"})
        counts.append(len(found))
    assert counts[0] == counts[1] == counts[2] <= 8, counts


# Drafts ----------------------------------------------------------------------------------------


def test_a_report_is_there_again_as_it_was_typed(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    browser = enter("ana")
    assert browser.post("/drafts/report", REPORT | {"key": "k"}).status_code == 204
    draft = Draft.objects.get()
    assert (draft.person, draft.updated_at) == (world.ana, clock.at)
    assert "key" not in draft.content
    page = browser.get("/report")
    assert "What you were writing is here again" in words_of(page)
    assert page.context["form"]["subject"].value() == "No imprime"
    assert page.context["form"]["impact"].value() == "whole_operation"
    assert "Urgent" in words_of(page)
    assert "is here again" not in words_of(enter("beto").get("/report"))


def test_it_is_forgotten_once_sent_or_thrown_away(world: World, enter: Enter) -> None:
    browser = enter("ana")
    browser.post("/drafts/report", REPORT)
    given = REPORT | {"organisation": world.andina.pk, "draft": "report"}
    assert browser.post("/report", given | {"subject": ""}).status_code == 422
    assert Draft.objects.exists()  # an error keeps it
    assert browser.post("/report", given).status_code == 302
    assert not Draft.objects.exists()
    browser.post("/drafts/report", REPORT)
    thrown = browser.post("/drafts/report/forgetting", {})
    assert thrown["Location"] == "/report"
    assert not Draft.objects.exists()


def test_an_uploaded_file_goes_with_the_report(world: World, enter: Enter) -> None:
    browser = enter("ana")
    for name in ("uno.png", "dos.png"):
        file = SimpleUploadedFile(name, name.encode(), "image/png")
        shown = browser.post("/drafts/report/files", {"file": file})
        assert name in shown.content.decode()
    first, second = DraftFile.objects.order_by("pk")
    given = REPORT | {"organisation": world.andina.pk, "draft": "report", "kept": [first.pk]}
    assert browser.post("/report", given).status_code == 302
    sent = Attachment.objects.get()
    assert (sent.filename, sent.blob_id) == ("uno.png", first.blob_id)
    assert not DraftFile.objects.filter(pk=second.pk).exists()


def test_nobody_sends_a_file_of_somebody_elses_draft(world: World, enter: Enter) -> None:
    file = SimpleUploadedFile("de-ana.txt", b"Ana", "text/plain")
    enter("ana").post("/drafts/report/files", {"file": file})
    theirs = DraftFile.objects.get()
    given = REPORT | {"organisation": world.andina.pk, "kept": [theirs.pk, "no", "9" * 30]}
    assert enter("beto").post("/report", given).status_code == 302
    assert not Attachment.objects.exists()


def test_a_form_with_an_error_keeps_the_files_that_came_with_it(world: World, enter: Enter) -> None:
    file = SimpleUploadedFile("pantalla.png", b"png", "image/png")
    given = REPORT | {"subject": "", "draft": "report", "files": [file]}
    response = enter("ana").post("/report", given)
    assert response.status_code == 422
    assert [row.filename for row in response.context["kept"].files] == ["pantalla.png"]
    assert "pantalla.png" in words_of(response)


def test_a_comment_and_an_objection_are_kept_too(world: World, enter: Enter) -> None:
    case = world.delivered()
    browser = enter("ana")
    browser.post(f"/drafts/comment:{case.pk}", {"text": "Iba a decir"})
    assert "Iba a decir" in browser.look(case).content.decode()
    assert "Iba a decir" not in enter("beto").look(case).content.decode()
    rejection = browser.get(f"/cases/{case.number}/rejection")
    typed = {
        "version": "999999",  # of a version that is not the one to decide on
        "objections-0-what": "No suma",
        "objections-0-why": "Falta el IVA",
        **{f"objections-{name}": "1" for name in ("TOTAL_FORMS", "INITIAL_FORMS")},
        "objections-INITIAL_FORMS": "0",
        "objections-MIN_NUM_FORMS": "0",
        "objections-MAX_NUM_FORMS": "60",
    }
    wanted = rejection.context["form"]["version"].value()
    browser.post(f"/drafts/reject:{case.pk}", typed)
    again = browser.get(f"/cases/{case.number}/rejection")
    assert "Falta el IVA" in again.content.decode()
    assert str(again.context["form"]["version"].value()) == str(wanted)
    assert not again.context["form"].has_errors()
    sent = browser.send(case, "comment", text="Ya lo dije", draft=f"comment:{case.pk}")
    assert sent.status_code == 302
    assert not Draft.objects.filter(what=f"comment:{case.pk}").exists()
    assert Draft.objects.filter(what=f"reject:{case.pk}").exists()


@pytest.mark.parametrize("what", ["", "Report", "report:x", "report:1:2", "a" * 25, "comment:-1"])
def test_only_forms_are_kept(world: World, what: str) -> None:
    with pytest.raises(InvalidField):
        drafting.keep_draft(world.ana, what, {"text": ["x"]}, at=START)
    assert not Draft.objects.exists()


def test_drafts_have_their_limits(world: World, enter: Enter) -> None:
    with pytest.raises(InvalidField):
        drafting.keep_draft(world.ana, "report", {"text": ["x" * (drafting.LONGEST + 1)]}, at=START)
    for number in range(drafting.MOST_DRAFTS + 2):
        at = START + timedelta(minutes=number)
        drafting.keep_draft(world.ana, f"comment:{number}", {"text": ["x"]}, at=at)
    assert Draft.objects.count() == drafting.MOST_DRAFTS
    assert not Draft.objects.filter(what="comment:0").exists()
    from acuse.connectors import storage

    sha256, size = storage.put([b"x"])
    for _ in range(drafting.MOST_FILES):
        drafting.keep_file(world.ana, "report", File(sha256, size, "x.txt"), at=START)
    with pytest.raises(InvalidField):
        drafting.keep_file(world.ana, "report", File(sha256, size, "x.txt"), at=START)
    browser = enter("ana")
    one_more = SimpleUploadedFile("x.txt", b"x", "text/plain")
    assert browser.post("/drafts/report/files", {"file": one_more}).status_code == 422
    assert browser.post("/drafts/report/files", {}).status_code == 422
    assert browser.post("/drafts/Report", {"text": "x"}).status_code == 422


def test_a_nul_sign_is_no_obstacle(world: World, enter: Enter) -> None:
    assert enter("ana").post("/drafts/report", {"text": "a\0b"}).status_code == 204
    assert Draft.objects.get().content["text"] == ["ab"]


def test_who_is_signed_out_keeps_nothing(client, db: None) -> None:  # type: ignore[no-untyped-def]
    assert client.post("/drafts/report", {"text": "x"}).status_code == 302
    assert not Draft.objects.exists()


def test_a_file_too_large_is_named_with_the_rule(
    world: World, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 3)
    answer = enter("ana").post(
        "/drafts/report/files", {"file": SimpleUploadedFile("grande.txt", b"cuatro")}
    )
    assert answer.status_code == 422
    assert "“grande.txt”" in answer.content.decode()
    assert "25 MB" in answer.content.decode()
    assert not DraftFile.objects.exists()
