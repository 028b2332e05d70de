"""Mail at the desk: found, judged and settled by whoever may, once, with the reason kept."""

from __future__ import annotations

import base64

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from acuse.actions import mail
from acuse.interfaces.desk.mail import preview
from acuse.interfaces.mail import intake
from acuse.models import Authentication, Case, CopiedAddress, LedgerLine, MailState, Person, RawMail
from tests.desk.conftest import NOW
from tests.mail.samples import mail as letter
from tests.mail.samples import multipart
from tests.web.entering import Browser, words_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def hold(
    world: World,
    content: bytes = b"From: Zoe <zoe@nowhere.example>\r\nTo: soporte@example.com\r\n"
    b"Subject: Hola\r\nMessage-ID: <1@nowhere.example>\r\n\r\nAyuda",
    **facts: object,
) -> RawMail:
    raw = mail.keep(content, world.mailbox, arrived_at=NOW, envelope_from="zoe@nowhere.example")
    given = {
        "state": MailState.HELD,
        "reason": "wrong_sender",
        "subject": "Hola",
        "sender": "zoe@nowhere.example",
        **facts,
    }
    RawMail.objects.filter(pk=raw.pk).update(**given)
    return RawMail.objects.get(pk=raw.pk)


def test_only_what_waits_can_be_ticked(world: World) -> None:
    hold(world, state=MailState.IGNORED, reason="automatic")
    client = Browser(world.sara)
    assert "The ticked mails lead to nothing" not in words_of(
        client.get("/desk/mail?state=ignored")
    )
    hold(world, b"From: zoe@nowhere.example\r\n\r\nOtra")
    assert "The ticked mails lead to nothing" in words_of(client.get("/desk/mail"))


def fresh(raw: RawMail) -> RawMail:
    return RawMail.objects.get(pk=raw.pk)


def test_held_mail_is_shown_and_counted(world: World) -> None:
    held = hold(world, authentication=Authentication.FAIL)
    client = Browser(world.sara)
    page = client.get("/desk/mail")
    assert '<b class="count">1</b>' in page.content.decode()
    said = words_of(page)
    for word in ("Hola", "zoe@nowhere.example", "Held", "says that it is not theirs"):
        assert word in said
    said = words_of(client.get(f"/desk/mail/{held.pk}"))
    for word in ("Ayuda", "zoe@nowhere.example", "1@nowhere.example"):
        assert word in said
    assert client.get("/desk/mail/999999").status_code == 404


def test_the_list_is_narrowed(world: World) -> None:
    hold(world)
    other = hold(world, b"Subject: x\r\n\r\n2", subject="Factura", reason="proposed")
    hold(world, b"Subject: x\r\n\r\n3", subject="Basura", state="ignored", reason="dismissed")
    hold(world, b"Subject: x\r\n\r\n4", subject="Rota", state="failed", reason="error")
    client = Browser(world.sara)

    def listed(query: str) -> set[str]:
        return {row.mail.subject for row in client.get(f"/desk/mail{query}").context["found"].rows}

    assert listed("") == {"Hola", "Factura", "Rota"}
    assert listed("?state=held") == {"Hola", "Factura"}
    assert listed("?state=ignored") == {"Basura"}
    assert listed("?reason=proposed") == {"Factura"}
    assert listed("?q=zoe+fact") == {"Factura"}
    assert listed(f"?mailbox={world.mailbox.pk}&state=failed") == {"Rota"}
    for odd in ("?state=nothing", "?mailbox=x", "?page=0", "?page=x", "?reason=%00"):
        assert client.get(f"/desk/mail{odd}").status_code == 200
    assert other.subject in listed("?state=nothing")


def test_the_list_pages_and_asks_alike_however_many_there_are(world: World) -> None:
    client, counts = Browser(world.sara), []
    case = world.report()
    for wanted in (2, 60):
        for number in range(RawMail.objects.count(), wanted):
            hold(world, f"Subject: {number}\r\n\r\n{number}".encode(), case=case)
        client.get("/desk/mail")
        with CaptureQueriesContext(connection) as asked:
            found = client.get("/desk/mail").context["found"]
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert (len(found.rows), found.more) == (50, True)
    second = client.get("/desk/mail?page=2").context["found"]
    assert (len(second.rows), second.more) == (10, False)
    assert not {row.mail.pk for row in found.rows} & {row.mail.pk for row in second.rows}


@pytest.mark.parametrize(
    ("noun", "reason"), [("reading", ""), ("new-case", mail.TO_NEW_CASE), ("case", mail.TO_CASE)]
)
def test_held_mail_is_taken_up_again(world: World, noun: str, reason: str) -> None:
    held, case = hold(world), world.report()
    given = {"case": case.number, "why": "la conozco"}
    response = Browser(world.sara).post(f"/desk/mail/{held.pk}/{noun}", given)
    assert response.status_code == 302
    raw = fresh(held)
    assert (raw.state, raw.reason) == (MailState.RECEIVED, reason)
    assert raw.case == (case if noun == "case" else None)
    if noun != "reading":
        assert (raw.settled_by, raw.settled_at, raw.settled_why) == (world.sara, NOW, "la conozco")


def test_what_was_put_on_a_case_says_who_did_it(world: World) -> None:
    held, case = hold(world), world.report()
    client = Browser(world.sara)
    client.post(f"/desk/mail/{held.pk}/case", {"case": case.number, "why": "es de Ana"})
    intake.take_in(held.pk, NOW)
    assert fresh(held).state == MailState.PROCESSED, fresh(held).detail
    line = LedgerLine.objects.filter(case=case).latest("seq")
    said = words_of(client.get(f"/desk/mail/{held.pk}"))
    for word in ("Sara Soporte", "es de Ana", line.receipt, "Processed"):
        assert word in said
    assert "What should happen with it?" not in said


def test_mail_is_dismissed_with_its_reason(world: World) -> None:
    held, client = hold(world), Browser(world.sara)
    assert client.post(f"/desk/mail/{held.pk}/dismissal", {"why": " "}).status_code == 422
    assert fresh(held).state == MailState.HELD
    assert client.post(f"/desk/mail/{held.pk}/dismissal", {"why": "publicidad"}).status_code == 302
    raw = fresh(held)
    assert (raw.state, raw.reason) == (MailState.IGNORED, "dismissed")
    assert (raw.settled_by, raw.settled_why) == (world.sara, "publicidad")
    assert raw.content
    said = words_of(client.get(f"/desk/mail/{held.pk}"))
    assert "publicidad" in said


@pytest.mark.parametrize("noun", ["reading", "case", "new-case", "dismissal"])
def test_whoever_comes_second_is_told(world: World, noun: str) -> None:
    held, case = hold(world), world.report()
    Browser(world.sara).post(f"/desk/mail/{held.pk}/dismissal", {"why": "publicidad"})
    given = {"case": case.number, "why": "x"}
    again = Browser(world.mario).post(f"/desk/mail/{held.pk}/{noun}", given)
    assert again.status_code == 409
    assert "Somebody was first" in words_of(again)
    assert (fresh(held).state, fresh(held).settled_by) == (MailState.IGNORED, world.sara)


def test_mail_goes_to_no_case_that_is_not_there(world: World) -> None:
    held = hold(world)
    response = Browser(world.sara).post(f"/desk/mail/{held.pk}/case", {"case": "C-999999"})
    assert response.status_code == 422
    assert "case" in response.context["place"].errors
    assert Browser(world.sara).post(f"/desk/mail/{held.pk}/nothing").status_code == 404
    assert Browser(world.sara).get(f"/desk/mail/{held.pk}/reading").status_code == 405


@pytest.mark.parametrize("noun", ["reading", "case", "new-case", "forward", "dismissal"])
def test_only_those_who_attend_cases_settle_mail(world: World, noun: str) -> None:
    held, case = hold(world), world.report()
    given = {"case": case.number, "why": "x", "email": "ana@andina.example"}
    for person, status in ((world.ada, 403), (world.ana, 404), (world.omar, 404)):
        assert Browser(person).post(f"/desk/mail/{held.pk}/{noun}", given).status_code == status
    assert Client().post(f"/desk/mail/{held.pk}/{noun}", given).status_code == 302
    assert fresh(held).state == MailState.HELD
    page = Browser(world.ada).get(f"/desk/mail/{held.pk}")
    assert f"/desk/mail/{held.pk}/{noun}" not in page.content.decode()


def test_who_names_one_of_the_firm_without_proof_goes_nowhere(world: World) -> None:
    held, case = hold(world, person=world.carlos, sender="carlos@firm.example"), world.report()
    response = Browser(world.sara).post(f"/desk/mail/{held.pk}/case", {"case": case.number})
    assert response.status_code == 409
    assert 'class="refusal"' in response.content.decode()
    assert fresh(held).state == MailState.HELD


def test_cases_are_proposed_and_found(world: World) -> None:
    of_sender = world.report(who="ana", subject="Impresora")
    other = world.report(who="nora", subject="Bodega de Funza")
    held = hold(world, person=world.ana)
    client = Browser(world.sara)
    assert client.get(f"/desk/mail/{held.pk}").context["candidates"] == [of_sender]
    RawMail.objects.filter(pk=held.pk).update(case=other)  # proposed: it stands first
    Case.objects.filter(pk=other.pk).update(stage="closed")
    proposed = client.get(f"/desk/mail/{held.pk}").context["candidates"]
    assert proposed == [other, of_sender]
    assert client.get(f"/desk/mail/{held.pk}?find=funza").context["candidates"] == [other]
    assert client.get(f"/desk/mail/{held.pk}?find={other.number}").context["candidates"] == [other]
    assert "No case was found." in words_of(client.get(f"/desk/mail/{held.pk}?find=zzz"))
    assert Browser(world.ada).get(f"/desk/mail/{held.pk}?find=funza").context["candidates"] == []


def test_what_a_colleague_passed_on_opens_a_case_of_whoever_wrote_it(world: World) -> None:
    held = hold(
        world,
        sender="sara@firm.example",
        person=world.sara,
        authentication=Authentication.PASS,
        reason=mail.FORWARD,
        proposal={
            "email": "nora@brisa.example",
            "name": "Nora",
            "subject": "No carga",
            "text": "No carga el inventario",
            "words": "La llamé: es urgente",
            "language": "es",
        },
    )
    client = Browser(world.sara)
    page = client.get(f"/desk/mail/{held.pk}")
    assert "La llamé: es urgente" in words_of(page)
    assert "No carga el inventario" in words_of(page)
    form = page.context["forward"]
    assert (form["email"].value(), form["organisation"].value()) == (
        "nora@brisa.example",
        world.brisa.pk,
    )
    address = f"/desk/mail/{held.pk}/forward"
    wrong = {"email": "nora@brisa.example", "organisation": world.andina.pk}
    assert client.post(address, wrong).status_code == 409
    wrong = {"email": "mario@firm.example"}
    assert client.post(address, wrong).status_code == 422
    given = {"email": "nora@brisa.example", "name": "Nora", "organisation": world.brisa.pk}
    assert client.post(address, given).status_code == 302
    intake.take_in(held.pk, NOW)
    raw = fresh(held)
    assert raw.state == MailState.PROCESSED, (raw.reason, raw.detail)
    assert raw.case is not None
    assert (raw.case.reporter, raw.case.organisation) == (world.nora, world.brisa)


def test_a_mail_that_is_no_forward_is_opened_as_none(world: World) -> None:
    held = hold(world)
    given = {"email": "nora@brisa.example"}
    assert Browser(world.sara).post(f"/desk/mail/{held.pk}/forward", given).status_code == 409
    assert Browser(world.sara).get(f"/desk/mail/{held.pk}").context["forward"] is None


def test_several_lead_to_nothing_for_one_reason(world: World) -> None:
    rows = [hold(world, f"Subject: {n}\r\n\r\n{n}".encode(), subject=f"n{n}") for n in range(4)]
    mail.dismiss(rows[1], by=world.mario, at=NOW, why="antes")
    client = Browser(world.sara)
    ticked = [rows[0].pk, rows[1].pk, rows[2].pk]
    page = client.post("/desk/mail/dismissals", {"mail": ticked, "why": "spam"}, follow=True)
    said = words_of(page)
    assert "2 mails lead to nothing." in said
    assert "Somebody was first, or it is not yours to settle: n1" in said
    assert [fresh(row).state for row in rows] == ["ignored"] * 3 + ["held"]
    assert [fresh(row).settled_why for row in rows] == ["spam", "antes", "spam", ""]


def test_several_need_a_reason_and_somebody_who_may(world: World) -> None:
    held = hold(world)
    client = Browser(world.sara)
    for given in ({"mail": [held.pk], "why": " "}, {"why": "x"}, {"mail": ["x"], "why": "x"}):
        assert client.post("/desk/mail/dismissals", given).status_code == 302
    for person, status in ((world.ada, 403), (world.ana, 404)):
        given = {"mail": [held.pk], "why": "x"}
        assert Browser(person).post("/desk/mail/dismissals", given).status_code == status
    assert client.post("/desk/mail/dismissals", {"mail": [999], "why": "x"}).status_code == 404
    assert client.get("/desk/mail/dismissals").status_code == 405
    assert fresh(held).state == MailState.HELD
    assert 'form="bulk"' not in Browser(world.ada).get("/desk/mail").content.decode()


RICH = multipart(
    "related",
    "Content-Type: text/html; charset=utf-8\n\n<p>Mire <b>esto</b><script>alert(1)</script></p>"
    "<img src='cid:a@b'><img src='https://spy.example/p.png'>",
    'Content-Type: image/png; name="a.png"\nContent-ID: <a@b>\n'
    f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(PNG).decode()}",
    'Content-Type: text/html; name="mal.html"\nContent-Disposition: attachment\n\n'
    "<script>1</script>",
)


def test_the_html_and_the_files_of_a_mail_do_no_harm(world: World) -> None:
    held, client = hold(world, RICH), Browser(world.carlos)
    page = client.get(f"/desk/mail/{held.pk}").content.decode()
    assert f'src="/desk/mail/{held.pk}/html"' in page
    assert 'sandbox="allow-same-origin allow-popups"' in page
    frame = client.get(f"/desk/mail/{held.pk}/html")
    body = frame.content.decode()
    assert "<b>esto</b>" in body
    assert f'src="/desk/mail/{held.pk}/files/0"' in body
    for harm in ("<script", "spy.example", "cid:"):
        assert harm not in body
    assert "allow-scripts" not in frame["Content-Security-Policy"]
    image = client.get(f"/desk/mail/{held.pk}/files/0")
    assert image["Content-Type"] == "image/png"
    assert b"".join(image.streaming_content) == PNG  # type: ignore[attr-defined]
    bad = client.get(f"/desk/mail/{held.pk}/files/1")
    assert bad["Content-Type"] == "application/octet-stream"
    assert bad["Content-Disposition"].startswith("attachment")
    assert client.get(f"/desk/mail/{held.pk}/files/9").status_code == 404
    for end in ("html", "files/0", "raw", ""):
        strange = Browser(world.ana).get(f"/desk/mail/{held.pk}/{end}".rstrip("/"))
        assert strange.status_code == 404


def test_a_mail_is_taken_along_byte_for_byte(world: World) -> None:
    held = hold(world, RICH)
    got = Browser(world.sara).get(f"/desk/mail/{held.pk}/raw")
    assert b"".join(got.streaming_content) == RICH  # type: ignore[attr-defined]
    assert got["Content-Disposition"].startswith(f'attachment; filename="mail-{held.pk}.eml"')
    assert Browser(world.ada).get(f"/desk/mail/{held.pk}/raw").status_code == 403


def test_a_mail_without_html_has_no_frame(world: World) -> None:
    held = hold(world)
    assert Browser(world.sara).get(f"/desk/mail/{held.pk}/html").status_code == 404


def test_an_erased_mail_says_so(world: World) -> None:
    held = hold(world, content=b"Subject: x\r\n\r\nx")
    RawMail.objects.filter(pk=held.pk).update(content=b"")
    page = Browser(world.sara).get(f"/desk/mail/{held.pk}")
    assert "The words were erased." in words_of(page)
    assert Browser(world.sara).post(f"/desk/mail/{held.pk}/reading").status_code == 409


QUOTED = letter("Gracias.\n\nOn Mon, 2 Feb 2026 at 09:05, Acuse wrote:\n> Su caso\n> está abierto")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00 no mail at all",
        b"Content-Type: text/plain; charset=nothing-known\r\n\r\nhola",
        b"Content-Type: multipart/mixed\r\n\r\nhola",
        b"From: =?utf-8?q?=ff?= <a@b>\r\nTo: <<<>>>, :;\r\nDate: never\r\n\r\nhola",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_a_preview_shows_something_of_every_mail(content: bytes) -> None:
    shown = preview(content)
    assert "\0" not in shown.text + shown.reply
    if b"hola" in content:
        assert "hola" in shown.text
        assert "hola" in shown.reply


def test_a_preview_shows_the_answer_and_keeps_the_rest() -> None:
    shown = preview(QUOTED)
    assert shown.reply == "Gracias."
    assert "está abierto" in shown.text
    assert shown.cut
    assert not preview(letter("Gracias.")).cut


def test_copied_people_are_let_in_or_left_out_on_the_case(world: World) -> None:
    case = world.report()
    raw = hold(world, case=case)
    for name in ("uno", "dos"):
        CopiedAddress.objects.create(
            case=case, email=f"{name}@andina.example", raw_mail=raw, at=NOW
        )
    one, two = CopiedAddress.objects.order_by("pk")
    paula = Browser(world.paula)
    page = paula.get(f"/desk/cases/{case.number}").content.decode()
    assert f"/desk/cases/{case.number}/copied-admission?copied={one.pk}" in page
    assert (
        "uno@andina.example" not in Browser(world.ana).get(f"/cases/{case.number}").content.decode()
    )
    admission = f"/desk/cases/{case.number}/copied-admission"
    asked = {"copied": one.pk, "key": "k1"}
    assert paula.post(admission, asked).status_code == 200  # asks once more
    assert paula.post(admission, {**asked, "confirmed": "1"}).status_code == 302
    assert Case.objects.visible_to(Person.objects.get(email="uno@andina.example")).count() == 1
    sara = Browser(world.sara)
    assert sara.post(admission, {"copied": two.pk, "confirmed": "1"}).status_code == 409
    dismissal = f"/desk/cases/{case.number}/copied-dismissal"
    assert sara.post(dismissal, {"copied": two.pk, "key": "k2"}).status_code == 302
    assert not Person.objects.filter(email="dos@andina.example").exists()
    assert "dos@andina.example" not in sara.get(f"/desk/cases/{case.number}").content.decode()
