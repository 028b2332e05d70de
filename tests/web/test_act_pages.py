"""The page of an act: card, confirmation, receipt; what was typed is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from acuse.actions import billing, conversation, life
from acuse.interfaces.web import uploads
from acuse.models import Addressee, Attachment, LedgerLine
from acuse.policy.billing import Activity
from acuse.policy.stages import Stage
from tests.web.entering import Browser, StoppedClock, rows, words_of
from tests.web.stages import case_in
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]

OBJECTION = {"what": "El total no suma", "why": "Se acordó sumar el IVA"}


def test_a_binding_decision_is_shown_confirmed_and_acknowledged(world: World, enter: Enter) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    browser = enter("ana")
    shown = browser.look(case, "acceptance", version=version.pk)
    said = words_of(shown)
    assert "Entrega development" in said
    assert "version 1" in said
    assert "Silence accepts the delivery on" in said

    asked = browser.send(case, "acceptance", confirmed=False, key="k", version=version.pk)
    assert asked.status_code == 200
    assert "You accept the delivery definitively." in words_of(asked)
    assert world.fresh(case).stage == Stage.DELIVERED

    done = browser.send(case, "acceptance", key="k", version=version.pk)
    assert done.status_code == 302
    line = LedgerLine.objects.filter(case=case).latest("seq")
    assert (line.kind, line.channel, line.author_id) == ("accept", "portal", world.ana.pk)
    receipt = words_of(browser.get(done["Location"]))
    assert line.receipt in receipt
    assert line.hash in receipt
    assert "Ana Ruiz" in receipt


def test_the_confirmation_carries_everything_and_back_keeps_it(world: World, enter: Enter) -> None:
    case = world.delivered()
    typed = {"version": case.versions.latest("pk").pk, **rows("objections", OBJECTION)}
    browser = enter("ana")
    asked = browser.send(case, "rejection", confirmed=False, key="k", **typed)
    hidden = dict(asked.context["form"].typed())
    assert hidden["objections-0-what"] == OBJECTION["what"]
    assert hidden["key"] == "k"

    back = browser.send(case, "rejection", confirmed=False, back="1", **hidden)
    assert OBJECTION["why"] in back.content.decode()
    assert "You reject" not in words_of(back)

    done = browser.send(case, "rejection", **hidden)
    assert done.status_code == 302
    objection = world.fresh(case).objections.get()
    assert (objection.text, objection.grounds) == (OBJECTION["what"], OBJECTION["why"])


def test_nul_in_what_no_form_reads_fails_nothing(world: World, enter: Enter) -> None:
    case, browser = world.delivered(), enter("ana")
    version = case.versions.latest("pk").pk
    asked = browser.send(
        case, "acceptance", confirmed=False, key="k\0", draft="\0", version=version
    )
    assert asked.status_code == 200
    done = browser.send(case, "acceptance", key="k\0", draft="accept:\0", version=version)
    again = browser.send(case, "acceptance", key="k", version=version)
    assert (done.status_code, done["Location"]) == (302, again["Location"])
    reported = browser.post("/report", {"key": "\0", "draft": "report\0", "preview": "1"})
    assert reported.status_code in (200, 422)


def test_sending_twice_gives_the_same_receipt(world: World, enter: Enter) -> None:
    case = world.delivered()
    version = case.versions.latest("pk").pk
    browser = enter("ana")
    first = browser.send(case, "acceptance", key="same", version=version)
    again = browser.send(case, "acceptance", key="same", version=version)
    assert first["Location"] == again["Location"]
    assert LedgerLine.objects.filter(case=case, kind="accept").count() == 1


def test_the_second_to_decide_is_told_by_whom_and_keeps_the_words(
    world: World, enter: Enter
) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    life.accept(world.on(case, "beto"), version=version)
    typed = rows("objections", OBJECTION)
    response = enter("ana").send(case, "rejection", version=version.pk, **typed)
    assert response.status_code == 409
    assert "Beto Díaz already decided this on Tuesday, 17 November 2026" in words_of(response)
    assert OBJECTION["what"] in response.content.decode()


def test_a_late_rejection_says_when_the_term_ended(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    clock.at = version.window.until + timedelta(seconds=1)
    typed = rows("objections", OBJECTION)
    response = enter("ana").send(case, "rejection", version=version.pk, **typed)
    assert response.status_code == 409
    assert "The term ended on" in words_of(response)
    assert OBJECTION["why"] in response.content.decode()


def test_a_rejection_without_grounds_is_blamed_on_the_list(world: World, enter: Enter) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    response = enter("ana").send(
        case, "rejection", version=version.pk, **rows("objections", {"what": "No", "why": ""})
    )
    assert response.status_code == 409
    ((_, _, _, errors),) = response.context["form"].titled_rows()
    assert errors == [
        "Say what you object to and why: each objection needs its subject and its grounds."
    ]


def test_another_row_can_be_added_and_judges_nothing(world: World, enter: Enter) -> None:
    case = world.delivered()
    response = enter("ana").send(
        case, "rejection", confirmed=False, add_row="objections", **rows("objections", OBJECTION)
    )
    assert response.status_code == 200
    assert len(response.context["form"].rows["objections"].forms) == 2
    assert OBJECTION["what"] in response.content.decode()
    assert not response.context["form"].has_errors()


def test_what_is_missing_is_said_beside_the_field_and_the_rest_is_kept(
    world: World, enter: Enter
) -> None:
    case = case_in(world, Stage.ACCEPTED)
    typed = {"version": case.versions.latest("pk").pk, "text": "El reporte lista todo"}
    response = enter("ana").send(case, "claim", **typed)
    assert response.status_code == 422
    assert "El reporte lista todo" in response.content.decode()
    assert set(response.context["form"].errors) == {"omitted"}
    assert "This field is required." in words_of(response)


def test_a_refusal_that_names_a_field_stands_beside_it(world: World, enter: Enter) -> None:
    case = world.working()
    response = enter("carlos").send(
        case, "time", work_date="2027-01-01", minutes="30", activity="execution", text="Más"
    )
    assert response.status_code == 409
    assert response.context["form"].errors["work_date"] == [
        "The day of work cannot be in the future."
    ]


def test_only_rows_of_the_case_can_be_chosen(world: World, enter: Enter) -> None:
    mine, other = world.delivered(), world.delivered()
    response = enter("ana").send(mine, "acceptance", version=other.versions.latest("pk").pk)
    assert response.status_code == 422
    assert world.fresh(other).stage == Stage.DELIVERED


def test_a_scope_is_written_in_lists_and_the_next_starts_from_it(
    world: World, enter: Enter
) -> None:
    case = world.estimating()
    typed = {
        "scope": "Corregir la impresión",
        **rows("items", {"kind": "development", "title": "Corrección"}, {}),
        **rows(
            "lines",
            {"description": "Desarrollar", "activity": "execution", "minutes": "240"},
            {"description": "", "activity": "", "minutes": ""},
        ),
    }
    assert enter("carlos").send(case, "scope", **typed).status_code == 302
    estimate = case.estimates.get()
    assert [item.title for item in estimate.items.all()] == ["Corrección"]
    assert estimate.minutes == 240

    life.return_scope(world.on(case, "omar"), estimate=estimate, text="Falta el IVA")
    again = enter("carlos").look(case, "scope")
    assert "Corregir la impresión" in again.content.decode()
    first = again.context["form"].rows["lines"].forms[0].initial
    assert (first["key"], first["minutes"]) == (1, 240)


def test_a_line_without_minutes_is_blamed(world: World, enter: Enter) -> None:
    case = world.estimating()
    typed = {
        "scope": "Corregir",
        **rows("items", {"kind": "", "title": "Corrección"}),
        **rows("lines", {"description": "Desarrollar", "activity": "", "minutes": ""}),
    }
    response = enter("carlos").send(case, "scope", **typed)
    assert response.status_code == 422
    found = response.context["form"].rows
    assert set(found["items"].forms[0].errors) == {"kind"}
    assert set(found["lines"].forms[0].errors) == {"minutes"}
    said = words_of(response)
    assert "Choose the kind." in said
    assert "Say how many minutes." in said


def test_files_are_kept_by_their_hash_and_handed_out_as_downloads(
    world: World, enter: Enter
) -> None:
    case = world.report()
    browser = enter("ana")
    given = [
        SimpleUploadedFile("pantalla ñ.html", b"<script>alert(1)</script>", "text/html"),
        SimpleUploadedFile("dos.txt", b"2", "text/plain"),
    ]
    sent = browser.send(case, "attachment", files=given)
    assert sent.status_code == 302
    names = set(Attachment.objects.filter(case=case).values_list("filename", flat=True))
    assert names == {"pantalla ñ.html", "dos.txt"}

    file = Attachment.objects.get(filename="pantalla ñ.html")
    got = browser.get(f"/files/{file.pk}")
    assert b"".join(got.streaming_content) == b"<script>alert(1)</script>"  # type: ignore[attr-defined]
    assert got["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''pantalla%20%C3%B1.html" in got["Content-Disposition"]
    assert got["Content-Type"] == "application/octet-stream"
    assert got["Content-Security-Policy"].startswith("sandbox;")
    assert enter("nora").get(f"/files/{file.pk}").status_code == 404


def test_a_file_too_large_is_named(
    world: World, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 3)
    case = world.report()
    big = SimpleUploadedFile("grande.txt", b"1234", "text/plain")
    response = enter("ana").send(case, "comment", text="Va el archivo", files=[big])
    assert response.status_code == 422
    assert "“grande.txt” is larger than 25 MB." in words_of(response)
    assert "Va el archivo" in response.content.decode()
    assert "Choose your files again" in words_of(response)


def test_an_internal_file_is_nobody_elses(world: World, enter: Enter) -> None:
    case = world.report()
    note = SimpleUploadedFile("nota.txt", b"interna", "text/plain")
    assert enter("sara").send(case, "note", text="Ojo", files=[note]).status_code == 302
    file = Attachment.objects.get()
    assert enter("ana").get(f"/files/{file.pk}").status_code == 404
    assert enter("carlos").get(f"/desk/files/{file.pk}").status_code == 200


def test_a_receipt_of_the_firm_alone_is_not_the_customers(world: World, enter: Enter) -> None:
    case = world.report()
    line = conversation.internal_note(world.on(case, "sara"), text="Ojo")
    path = f"cases/{case.number}/receipts/{line.seq}"
    assert enter("ana").get(f"/{path}").status_code == 404
    assert enter("sara").get(f"/desk/{path}").status_code == 200


def test_time_is_approved_line_by_line(world: World, enter: Enter) -> None:
    case = world.fresh(world.working())
    at = world.on(case, "carlos").at
    day = case.calendar.calendar.local_day(at)
    for text in ("Desarrollar", "Probar"):
        billing.log_time(
            world.on(case, "carlos"),
            work_date=day,
            minutes=60,
            activity=Activity.EXECUTION,
            text=text,
        )
    billing.submit_time(world.on(case, "carlos"))
    first, second = case.time.order_by("pk")
    enter("ana").send(case, "time-approval", entries=[first.pk])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("approved", "submitted")


def test_a_question_is_answered_at_its_page(world: World, enter: Enter) -> None:
    case = world.analysed()
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿En qué bodega?")
    assert "¿En qué bodega?" in words_of(enter("ana").look(case))
    wait = case.waits.get()
    enter("ana").send(case, "answer", wait=wait.pk, text="En Funza")
    wait.refresh_from_db()
    assert wait.answered


def test_another_case_is_named_by_its_number_among_the_visible_ones(
    world: World, enter: Enter
) -> None:
    earlier, later = world.report(), world.report()
    browser = enter("sara")
    assert browser.send(later, "duplicate", original="C-999999").status_code == 422
    assert browser.send(later, "duplicate", original=f"c{earlier.pk}").status_code == 302
    assert world.fresh(later).duplicate_of_id == earlier.pk


def test_the_evidence_is_built_noted_and_handed_out(world: World, enter: Enter) -> None:
    import hashlib

    case = world.report()
    conversation.internal_note(world.on(case, "sara"), text="Solo la firma lo lee")
    browser = enter("ana")
    done = browser.send(case, "evidence")
    pack = b"".join(browser.get(done["Location"] + "/pack").streaming_content)  # type: ignore[attr-defined]
    line = LedgerLine.objects.filter(case=case).latest("seq")
    assert line.payload["pack_hash"] == hashlib.sha256(pack).hexdigest()
    assert b"Desde hoy no imprime." in pack
    assert b"Solo la firma" not in pack
    assert enter("nora").get(done["Location"] + "/pack").status_code == 404


def test_cancelling_needs_its_reason_from_the_list(world: World, enter: Enter) -> None:
    case = world.report()
    assert enter("ana").send(case, "cancellation", reason="because").status_code == 422
    assert enter("ana").send(case, "cancellation", reason="withdrawn").status_code == 302
    assert world.fresh(case).stage == Stage.CANCELLED


def test_only_a_manager_is_offered_the_unapproved_close(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.ACCEPTED)
    assert "unapproved" not in enter("ana").look(case, "closure").context["form"].fields
    assert enter("mario").send(case, "closure", unapproved="on").status_code == 302
    line = LedgerLine.objects.filter(case=case).latest("seq")
    assert line.payload["unapproved"] is True
