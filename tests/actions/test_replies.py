"""Replies of the desk: pressed, taken back, said; templates and mentions (P05, P13, P16)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from acuse.actions import aftercare, conversation, replies, triage
from acuse.actions import reply_templates as templates
from acuse.actions.replies import Beside
from acuse.models import (
    Addressee,
    Attachment,
    Audience,
    Case,
    Change,
    LedgerLine,
    Message,
    Notice,
    Queue,
    RefusalNote,
    ReplyTemplate,
    Sending,
    SendingState,
    Wait,
)
from acuse.policy.fields import InvalidField
from acuse.policy.files import File
from acuse.policy.replies import PAUSE
from tests.world import HOUR, START, World, refused

AT = START + HOUR
FILE = File("f" * 64, 10, "pantalla.png", "image/png")


def press(world: World, case: Case, who: str = "sara", key: str = "k", **given: Any) -> Sending:
    occasion = world.on(case, who, AT, key=key)
    return replies.press_send(occasion, **{"text": "Buenos días", **given})


def kinds(case: Case) -> list[str]:
    return list(case.ledger.order_by("seq").values_list("kind", flat=True))


def told(line: LedgerLine) -> set[str]:
    return {row.person.name.split()[0] for row in Notice.objects.filter(line=line)}


def test_nothing_is_said_before_the_pause_has_ended(world: World) -> None:
    case = world.analysed()
    before = kinds(case)
    sending = press(world, case, files=[FILE])
    assert sending.due_at == AT + PAUSE
    assert replies.send(sending.pk, AT + PAUSE - timedelta(milliseconds=1)) is None
    assert kinds(case) == before
    line = replies.send(sending.pk, AT + 2 * PAUSE)
    assert line is not None
    assert (line.kind, line.author, line.at) == ("comment", world.sara, AT + 2 * PAUSE)
    message = Message.objects.get(pk=line.payload["message"])
    assert (message.text, message.attachments.get().filename) == ("Buenos días", "pantalla.png")
    sending.refresh_from_db()
    assert (sending.state, sending.text, sending.files) == (SendingState.SENT, "", [])
    assert world.fresh(case).first_response_at is not None
    assert replies.send(sending.pk, AT + 3 * PAUSE) is None  # a job that runs twice
    assert kinds(case) == [*before, "comment"]


def test_a_reply_taken_back_was_never_said(world: World) -> None:
    case = world.analysed()
    before = kinds(case)
    sending = replies.take_back(press(world, case))
    assert (sending.state, sending.text) == (SendingState.UNDONE, "Buenos días")
    assert replies.send(sending.pk, AT + PAUSE) is None
    assert kinds(case) == before
    assert not replies.due(AT + PAUSE).exists()
    assert not Notice.objects.filter(line__kind="comment").exists()
    press(world, case, key="another")  # what was written anew replaces it
    assert not Sending.objects.filter(state=SendingState.UNDONE).exists()


@pytest.mark.parametrize("state", [SendingState.UNDONE, SendingState.REFUSED])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_was_not_said_is_sent_again_by_the_same_form(
    world: World, state: SendingState, elsewhere: bool
) -> None:
    case = world.analysed()
    first = press(world, world.analysed() if elsewhere else case)
    Sending.objects.filter(pk=first.pk).update(state=state)
    again = press(world, case, text="Mejor así")
    assert (again.state, again.text, again.case) == (SendingState.WAITING, "Mejor así", case)
    assert list(Sending.objects.all()) == [again]
    assert replies.send(first.pk, AT + PAUSE) is None  # the job of what was taken back
    assert replies.send(again.pk, AT + PAUSE) is not None
    assert press(world, case, text="Otra vez").pk == again.pk  # said: the key is used up


def test_what_has_been_said_is_not_taken_back(world: World) -> None:
    sending = press(world, world.analysed())
    assert list(replies.due(AT + PAUSE)) == [sending]
    replies.send(sending.pk, AT + PAUSE)
    assert replies.take_back(sending).state == SendingState.SENT


def test_pressing_twice_sends_once(world: World) -> None:
    case = world.analysed()
    assert press(world, case) == press(world, case, text="Otra vez")
    assert press(world, case, key="other") != press(world, case, "paula")
    assert Sending.objects.count() == 3
    assert press(world, case, key="") != press(world, case, key="")


def test_what_the_tables_refuse_is_refused_at_once(world: World) -> None:
    case = world.analysed()
    with refused("text_required", "text"):
        press(world, case, text=" ")
    with refused("text_required", "text"):
        press(world, case, text=" ", files=[FILE], beside=Beside(wait_for=Addressee.USER))
    with refused("not_in_stage"):
        press(world, case, beside=Beside(take=True))
    assert RefusalNote.objects.filter(person=world.sara, act="take").exists()
    with refused("not_your_role"):
        press(world, case, "carlos", beside=Beside(assignee=world.carlos))
    with refused("not_in_stage"):
        press(world, world.closed(), beside=Beside(wait_for=Addressee.USER))
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Cuándo?")
    with refused("wait_open", "wait_for"):
        press(world, case, beside=Beside(wait_for=Addressee.USER))
    assert not Sending.objects.exists()
    assert press(world, case, text=" ", files=[FILE]).files  # a file by itself says something


def test_send_and_wait_is_one_line_one_message_and_one_letter(world: World) -> None:
    case = world.analysed()
    conversation.watch(world.on(case, "omar"))
    sending = press(world, case, files=[FILE], beside=Beside(wait_for=Addressee.USER))
    line = replies.send(sending.pk, AT + PAUSE)
    assert line is not None
    assert (line.kind, told(line)) == ("ask", {"Ana", "Omar"})
    wait = Wait.objects.get(case=case)
    message = Message.objects.get(pk=line.payload["message"])
    assert (wait.text, message.text) == ("Buenos días", "Buenos días")
    assert message.attachments.count() == 1
    assert world.fresh(case).ball == "customer"
    line = conversation.ask(
        world.on(world.report(), "sara"), addressee=Addressee.USER, text="¿Cuándo?"
    )
    assert line.payload["message"] is None  # a plain question stays one


def test_a_macro_does_each_act_by_itself(world: World) -> None:
    case, queue = world.report(), Queue.objects.create(name="N2")
    beside = Beside(take=True, assignee=world.carlos, queue=queue, wait_for=Addressee.USER)
    assert beside.acts == ("ask", "take", "assign")
    sending = press(world, case, beside=beside)
    replies.send(sending.pk, AT + PAUSE)
    assert kinds(case) == ["open", "ask", "take", "assign"]
    case = world.fresh(case)
    assert (case.stage, case.assignee, case.queue) == ("analysis", world.carlos, queue)
    assert case.ball == "customer"  # the question still waits


def test_what_is_refused_beside_a_reply_does_not_unsay_it(world: World) -> None:
    case = world.report()
    sending = press(world, case, beside=Beside(take=True, assignee=world.sara))
    from acuse.actions import life

    life.take(world.on(case, "paula"))  # somebody was faster
    line = replies.send(sending.pk, AT + PAUSE)
    assert line is not None
    sending.refresh_from_db()
    assert (sending.state, sending.refusals) == (SendingState.SENT, [["take", "not_in_stage"]])
    assert kinds(case) == ["open", "take", "comment", "assign"]
    press(world, case, key="next")  # read, and gone on
    sending.refresh_from_db()
    assert sending.refusals == []


def test_a_queue_alone_leaves_the_case_with_whom_it_is(world: World) -> None:
    case, queue = world.analysed(), Queue.objects.create(name="N2")
    triage.assign(world.on(case, "sara"), person=world.carlos)
    replies.send(press(world, case, beside=Beside(queue=queue)).pk, AT + PAUSE)
    case = world.fresh(case)
    assert (case.assignee, case.queue) == (world.carlos, queue)


def test_a_refused_reply_is_kept_and_does_nothing_beside(world: World) -> None:
    case = world.analysed()
    beside = Beside(wait_for=Addressee.USER, assignee=world.carlos)
    sending = press(world, case, beside=beside)
    conversation.ask(world.on(case, "paula"), addressee=Addressee.USER, text="¿Cuándo?")
    before = kinds(case)
    assert replies.send(sending.pk, AT + PAUSE) is None
    sending.refresh_from_db()
    assert (sending.state, sending.text) == (SendingState.REFUSED, "Buenos días")
    assert sending.refusals == [["ask", "wait_open"]]
    assert kinds(case) == before
    replies.drop_kept(case, world.sara)
    assert not Sending.objects.exists()


def test_erasing_a_case_takes_what_was_not_sent(world: World) -> None:
    case = world.closed()
    replies.take_back(press(world, case))
    aftercare.anonymise(world.on(case, "mario"))
    assert not Sending.objects.exists()


def keep(world: World, who: str = "sara", **given: Any) -> ReplyTemplate:
    facts = {"name": "Saludo", "language": "es", "text": "Hola {{reporter}}", **given}
    return templates.keep_template(by=getattr(world, who), at=AT, **facts)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 61}),
        ("text", {"text": "Hola {{nmae}}"}),
        ("text", {"text": "x" * 10_001}),
        ("language", {"language": "fr"}),
        ("wait_for", {"wait_for": "everybody"}),
    ],
)
def test_a_template_is_checked(world: World, field: str, given: dict[str, str]) -> None:
    with pytest.raises(InvalidField) as told:
        keep(world, **given)
    assert told.value.field == field
    assert not ReplyTemplate.objects.exists()


def test_a_macro_assigns_to_one_of_the_firm(world: World) -> None:
    with pytest.raises(InvalidField):
        keep(world, assignee=world.ana)
    with pytest.raises(InvalidField):
        keep(world, assignee=world.carlos, assign_me=True)
    assert not keep(world).is_macro
    for number, beside in enumerate(
        [{"take": True}, {"assign_me": True}, {"assignee": world.carlos}, {"wait_for": "user"}]
    ):
        assert keep(world, name=f"M{number}", **beside).is_macro


def test_templates_are_ones_own_or_shared(world: World) -> None:
    own, shared = keep(world), keep(world, "paula", shared=True)
    hidden = keep(world, "carlos")
    usable = ReplyTemplate.objects.visible_to(world.sara).in_use()
    assert set(usable) == {own, shared}
    assert not ReplyTemplate.objects.visible_to(world.ana).exists()
    facts: dict[str, Any] = {"name": "Otro", "language": "es", "text": "x"}
    for kept, who in ((shared, "sara"), (hidden, "sara"), (hidden, "mario")):
        with pytest.raises(InvalidField):
            templates.change_template(kept, by=getattr(world, who), at=AT, **facts)
        with pytest.raises(InvalidField):
            templates.retire_template(kept, by=getattr(world, who), at=AT)
    assert templates.change_template(shared, by=world.mario, at=AT, **facts).name == "Otro"


def test_a_template_is_retired_and_its_name_free_again(world: World) -> None:
    own = keep(world)
    with pytest.raises(InvalidField):
        keep(world)
    keep(world, language="en")
    facts = {"name": "Saludo", "language": "es", "text": "Hola {{reporter}}"}
    templates.change_template(own, by=world.sara, at=AT, **facts)
    templates.retire_template(own, by=world.sara, at=AT)
    templates.retire_template(own, by=world.sara, at=AT)
    assert keep(world).name == "Saludo"
    noted = Change.objects.filter(subject=templates.TEMPLATE, row=own.pk)
    assert list(noted.order_by("pk").values_list("act", flat=True)) == ["keep", "retire"]


def test_too_many_templates_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_TEMPLATES", 1)
    keep(world)
    with pytest.raises(InvalidField):
        keep(world, name="Otro")


def note(world: World, case: Case, text: str, **given: Any) -> LedgerLine:
    return conversation.internal_note(world.on(case, "sara"), text=text, **given)


def test_who_is_mentioned_in_a_note_is_told(world: World) -> None:
    case = world.analysed()
    line = note(world, case, "@Carlos Consultor y @paula: mirad esto, y @nadie")
    assert told(line) == {"Carlos", "Paula"}
    assert line.payload["mentions"] == [world.carlos.pk, world.paula.pk]
    line = note(world, case, "Nadie: escriba a x@y.example")
    assert (told(line), line.payload["mentions"]) == (set(), [])


def test_a_customer_is_never_mentioned_in_a_note(world: World) -> None:
    case = world.analysed()
    with refused("mentions_customer", "text"):
        note(world, case, "@Ana Ruiz")
    assert told(note(world, case, "@Nora de otro cliente")) == set()
    world.carlos.name = "Paula Consultora"
    world.carlos.save()
    with refused("mention_unclear", "text"):
        note(world, case, "@Paula")
    assert told(note(world, case, "@Paula Puente")) == {"Paula"}


def test_a_note_that_came_by_mail_is_kept_whoever_it_names(world: World) -> None:
    from acuse.models import RawMail

    raw = RawMail.objects.create(sha256="2" * 64, content=b"x", arrived_at=START)
    line = note(world, world.analysed(), "@Ana Ruiz y @Carlos", raw_mail=raw)
    assert told(line) == {"Carlos"}


def test_the_marked_files_go_along_with_a_split(world: World) -> None:
    case = world.report(files=[FILE, File("e" * 64, 5, "otra.png")])
    message = case.messages.get()
    mine, other = message.attachments.order_by("pk")
    secret = note(world, case, "solo nuestro", files=[FILE])
    hidden = Attachment.objects.get(message=secret.payload["message"])
    line = triage.split(
        world.on(case, "sara"),
        message=message,
        subject="Lo otro",
        text="También",
        attachments=[mine, hidden],
    )
    new = Case.objects.get(pk=line.payload["case"])
    assert [file.filename for file in new.attachments.all()] == [mine.filename]
    assert new.attachments.get().audience == Audience.CUSTOMER
    assert other.case == case
    with refused("nothing_marked", "text"):
        triage.split(world.on(case, "sara"), message=message, subject="Lo otro", text=" ")
    with pytest.raises(Message.DoesNotExist):
        triage.split(
            world.on(case, "sara"),
            message=Message.objects.get(pk=secret.payload["message"]),
            subject="Lo otro",
            text="x",
        )


def test_the_moment_of_a_reply_is_that_of_the_act(world: World) -> None:
    late: datetime = AT + timedelta(days=1)
    line = replies.send(press(world, world.analysed()).pk, late)
    assert line is not None
    assert line.at == late
