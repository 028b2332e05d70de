"""Answering at the desk: the composer, what is on its way, templates, mentions, a split."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from acuse.actions import conversation, drafting, replies
from acuse.actions import reply_templates as templates
from acuse.interfaces.jobs import tasks
from acuse.interfaces.web import clock
from acuse.models import Attachment, Case, Message, Person, Queue, ReplyTemplate, Sending
from acuse.policy.files import File
from acuse.policy.replies import PAUSE
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")


@pytest.fixture
def sara(world: World) -> Browser:
    return Browser(world.sara)


def keep(world: World, who: str = "sara", **given: Any) -> ReplyTemplate:
    facts = {"name": "Saludo", "language": "es", "text": "Hola {{reporter}}: {{number}}", **given}
    return templates.keep_template(by=getattr(world, who), at=NOW, **facts)


def test_who_will_read_it_is_said_before_it_is_sent(world: World, sara: Browser) -> None:
    case = world.analysed()
    conversation.watch(world.on(case, "omar"))
    said = words_of(sara.look(case))
    assert "They will see it: 4 people of Andina and 5 people of the firm." in said
    assert "By mail: Ana Ruiz, Omar Dueño." in said
    assert "Only the firm will see it: 5 people of the firm, and nobody of the customer." in said
    world.beto.memberships.update(until=NOW)
    assert "3 people of Andina" in words_of(sara.look(case))


def test_of_an_unbound_case_only_its_reporter_reads(world: World, sara: Browser) -> None:
    stranger = world.stranger()
    case = world.report(stranger)  # type: ignore[arg-type]
    assert "They will see it: quien@otra.example and 5 people" in words_of(sara.look(case))


def test_a_form_sent_once_more_after_taking_it_back_is_sent(world: World, sara: Browser) -> None:
    case = world.analysed()
    sara.send(case, "reply", key="k1", text="Buenos días")
    sara.post(f"/desk/sendings/{Sending.objects.get().pk}/undo")
    sara.send(case, "reply", key="k1", text="Mejor así")  # "Back" in the browser, edited
    sending = Sending.objects.get()
    assert (sending.state, sending.text) == ("waiting", "Mejor así")


def test_a_key_with_nul_is_a_key(world: World, sara: Browser) -> None:
    case = world.analysed()
    assert sara.send(case, "reply", key="k\0", text="Buenos días").status_code == 302
    assert Sending.objects.get().key == "k"
    assert sara.send(case, "reply", key="\0x", text="").status_code == 409


def test_a_reply_waits_and_goes_by_the_job(
    world: World, sara: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.analysed()
    answer = sara.send(case, "reply", key="k1", text="Buenos días")
    assert answer["Location"] == f"/desk/cases/{case.number}#sending"
    sending = Sending.objects.get()
    page = sara.look(case).content.decode()
    assert 'data-sending="waiting" data-left="10"' in page
    assert f'action="/desk/sendings/{sending.pk}/undo"' in page
    assert not Message.objects.filter(case=case, text="Buenos días").exists()
    assert "Buenos días" not in words_of(Browser(world.ana).look(case))
    job = ProcrastinateJob.objects.get(task_name="send_reply")
    assert job.args == {"sending_id": sending.pk}
    monkeypatch.setattr(clock, "now", lambda: NOW + PAUSE)
    tasks.send_reply(**job.args)
    assert Message.objects.get(text="Buenos días").author == world.sara
    piece = sara.get(f"/desk/sendings/{sending.pk}")
    assert "Your reply was sent." in words_of(piece)
    assert "data-sending" not in sara.look(case).content.decode()


def test_a_reply_whose_job_was_lost_is_swept_up(
    world: World, sara: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    sara.send(world.analysed(), "reply", text="Buenos días")
    ProcrastinateJob.objects.filter(task_name="send_reply")._raw_delete("default")
    monkeypatch.setattr(clock, "now", lambda: NOW + PAUSE)
    tasks.sweep(timestamp=0)
    assert ProcrastinateJob.objects.filter(task_name="send_reply").count() == 1


def test_what_is_taken_back_stands_in_the_composer_again(world: World, sara: Browser) -> None:
    case = world.analysed()
    sara.send(case, "reply", text="Demasiado pronto", wait_for="user")
    sending = Sending.objects.get()
    answer = sara.post(f"/desk/sendings/{sending.pk}/undo")
    assert answer["Location"].endswith("#reply")
    page = sara.look(case).content.decode()
    assert re.search(r'id="reply"[^>]*>Demasiado pronto</textarea>', page)
    assert '<option value="user" selected>' in page
    sara.post(f"/desk/sendings/{sending.pk}/removal")
    assert "Demasiado pronto" not in sara.look(case).content.decode()


def test_taking_back_too_late_is_told(world: World, sara: Browser) -> None:
    case = world.analysed()
    sara.send(case, "reply", text="Buenos días")
    sending = Sending.objects.get()
    replies.send(sending.pk, NOW + PAUSE)
    sara.post(f"/desk/sendings/{sending.pk}/undo")
    assert "It was too late: the reply has been sent." in words_of(sara.look(case))


def test_a_reply_is_its_authors_alone(world: World, sara: Browser) -> None:
    case = world.analysed()
    sara.send(case, "reply", text="Buenos días")
    pk = Sending.objects.get().pk
    for person, status in ((world.paula, 404), (world.ana, 404)):
        other = Browser(person)
        assert other.get(f"/desk/sendings/{pk}").status_code == status
        for noun in ("undo", "removal"):
            assert other.post(f"/desk/sendings/{pk}/{noun}").status_code == status
    assert "data-sending" not in Browser(world.paula).look(case).content.decode()
    for address in (f"cases/{case.number}/reply", "triage", f"triage/{case.number}", "replies"):
        assert Browser(world.ana).get(f"/desk/{address}").status_code == 404
    assert sara.get("/desk/cases/C-99999/reply").status_code == 404


def test_a_refused_reply_keeps_what_was_typed(world: World, sara: Browser) -> None:
    case = world.analysed()
    conversation.ask(world.on(case, "paula"), addressee="user", text="¿Cuándo?")  # type: ignore[arg-type]
    answer = sara.send(case, "reply", text="¿Y cómo?", wait_for="user")
    assert answer.status_code == 409
    assert "There is already an open question." in words_of(answer)
    assert re.search(r'id="reply"[^>]*>¿Y cómo\?</textarea>', answer.content.decode())
    assert 'name="wait_for"' not in sara.look(case).content.decode()  # nor is it offered now
    answer = sara.send(case, "reply", text="Hola", assign="999")
    assert answer.status_code == 422
    answer = sara.send(case, "reply", text="  ")
    assert answer.status_code == 409
    assert "Write the text." in words_of(answer)
    assert not Sending.objects.exists()


def test_what_was_refused_later_is_told(world: World, sara: Browser) -> None:
    case = world.analysed()
    sara.send(case, "reply", text="¿Y cómo?", wait_for="user")
    conversation.ask(world.on(case, "paula"), addressee="user", text="¿Cuándo?")  # type: ignore[arg-type]
    replies.send(Sending.objects.get().pk, NOW + PAUSE)
    page = sara.look(case)
    assert "Your reply was not sent." in words_of(page)
    assert "There is already an open question." in words_of(page)
    assert re.search(r'id="reply"[^>]*>¿Y cómo\?</textarea>', page.content.decode())


def test_what_was_not_done_beside_a_reply_is_told_until_it_is_read(
    world: World, sara: Browser
) -> None:
    case = world.report()
    sara.send(case, "reply", text="Buenos días", take="on")
    from acuse.actions import life

    life.take(world.on(case, "paula"))
    sending = Sending.objects.get()
    replies.send(sending.pk, NOW + PAUSE)
    assert "But not done: Take for analysis." in words_of(sara.look(case))
    sara.post(f"/desk/sendings/{sending.pk}/removal")
    assert "But not done" not in words_of(sara.look(case))


def test_a_template_is_filled_for_the_case(world: World, sara: Browser) -> None:
    case = world.analysed()
    text = "{{reporter}}|{{number}}|{{subject}}|{{me}}|{{link}}|{{sentence}}"
    template = keep(world, text=text)
    filled = sara.get(f"/desk/cases/{case.number}/reply/templates/{template.pk}")
    assert filled["Content-Type"].startswith("text/plain")
    parts = filled.content.decode().split("|")
    assert parts[:4] == ["Ana Ruiz", case.number, case.subject, "Sara Soporte"]
    assert parts[4].endswith(f"/cases/{case.number}")
    assert "analizando" in parts[5] or "análisis" in parts[5]  # in the template's own language
    hidden = keep(world, "carlos")
    assert sara.get(f"/desk/cases/{case.number}/reply/templates/{hidden.pk}").status_code == 404


def test_without_javascript_a_macro_is_put_in_by_its_button(world: World, sara: Browser) -> None:
    case, queue = world.report(), Queue.objects.create(name="Segundo nivel")
    macro = keep(world, take=True, assignee=world.carlos, queue=queue, wait_for="user")
    assert "Saludo · es · macro" in words_of(sara.look(case))
    answer = sara.send(case, "reply", text="Antes.", template=str(macro.pk), use="1")
    page = answer.content.decode()
    assert f"Antes.\n\nHola Ana Ruiz: {case.number}</textarea>" in page
    assert f'<option value="{macro.pk}" selected>Carlos Consultor · Segundo nivel' in page
    assert '<option value="user" selected>' in page
    assert re.search(r'name="take"[^>]*checked', page)
    sara.send(case, "reply", text="Hola", take="on", assign=str(macro.pk), wait_for="user")
    sending = Sending.objects.get()
    assert (sending.take, sending.assignee, sending.queue) == (True, world.carlos, queue)
    sara.send(case, "reply", text="Hola", assign="me")
    assert Sending.objects.latest("pk").assignee == world.sara


def test_files_go_with_a_reply(world: World, sara: Browser) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    case = world.analysed()
    sara.send(case, "reply", text="", files=SimpleUploadedFile("a.txt", b"hola"))
    line = replies.send(Sending.objects.get().pk, NOW + PAUSE)
    assert line is not None
    assert Attachment.objects.get(message=line.payload["message"]).filename == "a.txt"


def test_a_draft_survives_and_is_forgotten_once_sent(world: World, sara: Browser) -> None:
    case = world.analysed()
    for what, text in (("reply", "Media respuesta"), ("note", "Media nota")):
        drafting.keep_draft(world.sara, f"{what}:{case.pk}", {"text": [text]}, at=NOW)
    page = sara.look(case).content.decode()
    assert re.search(r'id="reply"[^>]*>Media respuesta<', page)
    assert re.search(r'id="note"[^>]*>Media nota<', page)
    sara.send(case, "reply", text="Entera", draft=f"reply:{case.pk}")
    sara.send(case, "note", text="Entera", draft=f"note:{case.pk}")
    assert not world.sara.drafts.exists()


def test_a_mention_of_a_customer_is_refused_beside_the_note(world: World, sara: Browser) -> None:
    case = world.analysed()
    answer = sara.send(case, "note", text="@Ana Ruiz no debe saberlo")
    assert answer.status_code == 409
    assert "@ana ruiz belongs to the customer" in words_of(answer)
    assert sara.send(case, "note", text="@Carlos: mira").status_code == 302


@pytest.mark.parametrize("many", [1, 30])
def test_the_case_page_costs_no_query_more(world: World, sara: Browser, many: int) -> None:
    case, queue = world.analysed(), Queue.objects.create(name="N2")
    sara.look(case)
    with CaptureQueriesContext(
        connection,
    ) as without:
        sara.look(case)
    for number in range(many):
        keep(world, name=f"T{number}", assignee=world.carlos, queue=queue)
    keep(world, "paula", name="Compartida", shared=True, assignee=world.mario)
    sara.send(case, "reply", text="Buenos días")
    with CaptureQueriesContext(connection) as with_all:
        sara.look(case)
    assert len(with_all) <= len(without) <= 12


def test_templates_are_kept_changed_and_retired(world: World, sara: Browser) -> None:
    assert "There is none yet." in words_of(sara.get("/desk/replies"))
    typed = {"name": "Saludo", "language": "es", "text": "Hola {{reporter}}", "take": "on"}
    answer = sara.post("/desk/replies/new", typed | {"text": "Hola {{nombre}}"})
    assert answer.status_code == 422
    assert "“nombre” is not one of the variables: reporter, number" in words_of(answer)
    assert "Hola {{nombre}}" in answer.content.decode()
    sara.post("/desk/replies/new", typed)
    kept = ReplyTemplate.objects.get()
    assert "Takes the case" in words_of(sara.get("/desk/replies"))
    assert "Hola {{reporter}}" in sara.get(f"/desk/replies/{kept.pk}").content.decode()
    sara.post(f"/desk/replies/{kept.pk}", typed | {"shared": "on", "text": "Buenas"})
    assert "Buenas" in words_of(Browser(world.carlos).get("/desk/replies"))
    assert Browser(world.carlos).get(f"/desk/replies/{kept.pk}").status_code == 404
    assert Browser(world.mario).get(f"/desk/replies/{kept.pk}").status_code == 200
    sara.post(f"/desk/replies/{kept.pk}/retirement")
    assert "There is none yet." in words_of(sara.get("/desk/replies"))
    assert sara.get(f"/desk/replies/{kept.pk}").status_code == 404


def test_the_list_of_templates_costs_the_same_however_long(world: World, sara: Browser) -> None:
    counts = []
    for number in (1, 3, 30):
        while ReplyTemplate.objects.count() < number:
            keep(world, name=f"T{ReplyTemplate.objects.count()}", assignee=world.carlos)
        with CaptureQueriesContext(connection) as queries:
            sara.get("/desk/replies")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 12


def test_one_marks_the_part_that_becomes_another_case(world: World, sara: Browser) -> None:
    text = "No abre el informe.\n\nAdemás la factura sale doble.\n\nGracias."
    case = world.report(text=text, files=[File("f" * 64, 9, "doble.png")])
    message = case.messages.get()
    assert f"/split?message={message.pk}" in sara.look(case).content.decode()
    page = sara.look(case, "split", message=message.pk).content.decode()
    assert page.count('name="parts"') == 3
    assert "Además la factura sale doble." in page
    file = message.attachments.get()
    typed: dict[str, Any] = {"message": message.pk, "subject": "Factura doble"}
    answer = sara.send(case, "split", **typed)
    assert answer.status_code == 409
    assert "Mark the part of the message that goes" in words_of(answer)
    sara.send(case, "split", **typed, parts=["1"], attachments=[file.pk], text="Lo otro:")
    new = Case.objects.latest("pk")
    assert new.subject == "Factura doble"
    assert new.messages.get().text == "Lo otro:\n\nAdemás la factura sale doble."
    assert new.attachments.get().filename == "doble.png"
    assert case.messages.get().text == text


def test_a_person_without_rights_gets_no_composer_of_replies(world: World) -> None:
    case = world.analysed()
    page = Browser(world.ada).look(case).content.decode()
    assert 'id="reply"' not in page
    assert Browser(world.ada).send(case, "reply", text="Hola").status_code == 409
    assert Person.objects.get(pk=world.ada.pk).is_firm


def test_a_message_that_is_not_there_is_not_split(world: World, sara: Browser) -> None:
    case, other = world.report(), world.report("nora")
    note = conversation.internal_note(world.on(case, "sara"), text="Solo nuestro.\n\nNada más.")
    for pk in (note.payload["message"], other.messages.get().pk, "x"):
        page = sara.look(case, "split", message=pk).content.decode()
        assert "Solo nuestro." not in page
        answer = sara.send(case, "split", message=pk, subject="Otro", text="Otro")
        assert answer.status_code == 422
    assert not Case.objects.filter(subject="Otro").exists()
