"""What goes out: one letter to each whom a line concerns, threaded, and nothing of the firm's."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from unittest.mock import patch

import pytest

from acuse.actions import conversation, life
from acuse.actions import notices as states
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail.reply import cut_reply
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Addressee,
    Audience,
    Dispatch,
    LedgerLine,
    Membership,
    Message,
    MessageKind,
    Notice,
    NoticeState,
    Person,
    Window,
)
from tests.mail.post import (
    arrived,
    body,
    key_address,
    notices_of_every_kind,
    postman,
    send_all,
    written,
)
from tests.world import HOUR, START, World, last_line

SECRET_WORDS = "the margin on this customer is thin"


def sent_for(line: LedgerLine, address: str, at: object = START) -> EmailMessage:
    notice = Notice.objects.get(line=line, person__email=address)
    with postman() as post:
        sending.send(notice.pk, lambda: at)
    (message,) = post.to(address)
    return message


def test_one_confirmation_threaded_to_the_mail_that_opened_the_case(world: World) -> None:
    raw = arrived(written("ana@andina.example", message_id="root@andina.example"))
    case = raw.case
    assert case is not None
    with postman() as post:
        send_all()
        send_all()
    (message,) = post.to("ana@andina.example")
    assert message["Subject"] == f"[C-{case.pk}] No imprime"
    assert message["In-Reply-To"] == message["References"] == "<root@andina.example>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Reply-To"] == key_address(case, world.ana)
    assert message["From"].addresses[0].addr_spec == "soporte@example.com"
    (envelope,) = [sender for sender, to, _ in post.taken if to == "ana@andina.example"]
    assert envelope == replies.bounce_address(Notice.objects.get(case=case, person=world.ana))
    for kind in ("plain", "html"):
        assert f"{config.host}/policy/{case.policy.number}" in body(message, kind)
        assert f"{config.host}/cases/{case.number}" in body(message, kind)
    assert "No puedo imprimir" not in body(message)


def test_the_confirmation_tells_what_registering_means(world: World) -> None:
    world.ana.language = "en"
    world.ana.save()
    case = world.report()
    text = body(sent_for(last_line(case), "ana@andina.example"))
    assert "Diagnosis and meetings are payable" in text
    assert "Reply above this line" in text
    assert text.index("Reply above this line") < text.index(case.number)


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_a_letter_speaks_the_language_and_zone_of_its_reader(world: World, language: str) -> None:
    Person.objects.filter(pk=world.ana.pk).update(language=language, zone="Europe/Madrid")
    case = world.report()
    message = sent_for(last_line(case), "ana@andina.example")
    assert "Europe/Madrid" in body(message)
    assert f'lang="{language}"' in body(message, "html")


def test_a_stranger_gets_nothing_of_the_mail_back(world: World) -> None:
    raw = arrived(written("Eve <eve@nowhere.example>", "Compre aquí", subject="PREMIO aquí"))
    assert raw.case is not None
    message = sent_for(last_line(raw.case), "eve@nowhere.example")
    assert f"[C-{raw.case.pk}]" in message["Subject"]
    for text in (message["Subject"], body(message), body(message, "html")):
        assert "PREMIO" not in text
        assert "Compre" not in text


def test_later_letters_follow_the_thread_and_are_from_a_person(world: World) -> None:
    case = arrived(written("ana@andina.example", message_id="root@andina.example")).case
    assert case is not None
    with postman():
        send_all()
    first = Notice.objects.get(case=case, person=world.ana)
    line = conversation.comment(world.on(case, "sara"), text="¿Qué impresora es?")
    message = sent_for(line, "ana@andina.example", START + HOUR)
    own = letters.replies.message_id(first)
    assert message["References"] == f"<root@andina.example> <{own}>"
    assert message["In-Reply-To"] == f"<{own}>"
    assert message["From"].addresses[0].display_name == "Sara Soporte (Consultora)"
    assert "¿Qué impresora es?" in body(message)
    assert "¿Qué impresora es?" in body(message, "html")
    assert message["Auto-Submitted"] is None
    assert message["Message-ID"] != f"<{own}>"


def test_what_a_machine_says_is_marked_as_such(world: World) -> None:
    case = world.report()
    life.take(world.on(case, "sara"))
    message = sent_for(last_line(case), "ana@andina.example")
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_long_or_odd_message_id_does_not_break_the_headers(world: World) -> None:
    for number, root in enumerate(("x" * 300 + "@andina.example", "y" * 120 + "@andina.example")):
        content = written("ana@andina.example", str(number), subject=f"s{number}")
        raw = arrived(f"Message-ID: <{root}>\r\n".encode() + content)
        assert raw.case is not None
        message = sent_for(last_line(raw.case), "ana@andina.example")
        assert (root in str(message["References"])) is (len(root) < 200)


def test_an_answer_above_the_line_is_cut_there(world: World) -> None:
    case = world.report()
    text = body(sent_for(last_line(case), "ana@andina.example"))
    assert cut_reply(f"Gracias.\n\n{text}").text == "Gracias."


def test_a_legal_date_names_its_day_and_zone(world: World) -> None:
    world.ana.language = "en"
    world.ana.save()
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    text = body(sent_for(LedgerLine.objects.get(case=case, kind="deliver"), "ana@andina.example"))
    assert f"{window.last_day:%A}, {window.last_day.day} {window.last_day:%B %Y}" in text
    assert "24:00 in the time zone America/Bogota" in text


def test_a_copy_that_the_server_takes_proves_the_delivery_then(world: World) -> None:
    case = world.delivered("development", prove=False)
    at = last_line(case).at + 3 * HOUR
    assert not Window.objects.filter(case=case, closed_at__isnull=True).exists()
    with postman():
        send_all(at)
    window = Window.objects.get(case=case, closed_at__isnull=True)
    assert window.starts_at == at
    copy = Dispatch.objects.get(version=window.version, person=world.ana)
    assert copy.accepted_at == at
    assert Notice.objects.get(dispatch=copy).sent_at == at
    with postman() as again:
        send_all(at + HOUR)
    assert again.to("ana@andina.example") == []


def test_a_refusal_for_good_is_a_bounce(world: World) -> None:
    case = world.delivered("development", prove=False)
    at = last_line(case).at + HOUR
    with postman(refuse=smtp.NotTaken("550 no such user", permanent=True)):
        send_all(at)
    notice = Notice.objects.get(case=case, dispatch__version__deliverable__proposal=False)
    assert (notice.state, notice.error) == (NoticeState.BOUNCED, "550 no such user")
    assert Address.objects.get(email="ana@andina.example").bouncing_since == at
    assert last_line(case).kind == "fail_delivery"
    assert not Window.objects.filter(case=case, closed_at__isnull=True).exists()


def test_a_refusal_for_now_is_tried_again_and_given_up_in_sight(world: World) -> None:
    case = world.delivered("development", prove=False)
    notice = Notice.objects.get(case=case, dispatch__version__deliverable__proposal=False)
    at, tries = last_line(case).at, 0
    with postman(refuse=smtp.NotTaken("451 later")):
        sending.send(notice.pk, lambda: at)
        notice.refresh_from_db()
        assert notice.state == NoticeState.QUEUED
        assert notice.not_before is not None
        assert notice.not_before > at
        sending.send(notice.pk, lambda: at)  # too early
        notice.refresh_from_db()
        assert notice.tries == 1
        while notice.state == NoticeState.QUEUED:
            assert notice.not_before is not None
            at, tries = notice.not_before, tries + 1
            sending.send(notice.pk, partial(lambda moment: moment, at))
            notice.refresh_from_db()
    assert (notice.state, notice.tries, tries) == (NoticeState.FAILED, states.MOST_TRIES, 39)
    assert notice.error == "451 later"
    assert last_line(case).kind == "fail_delivery"


def test_a_letter_that_cannot_be_written_stops_no_other(world: World) -> None:
    case = world.report()
    with (
        patch.object(letters, "_subject", side_effect=RuntimeError("broken")),
        postman() as post,
    ):
        send_all()
    assert post.taken == []
    states_now = set(Notice.objects.filter(case=case).values_list("state", flat=True))
    assert states_now == {NoticeState.QUEUED}
    assert "broken" in Notice.objects.filter(case=case)[0].error


def test_whoever_has_left_is_not_written_to(world: World) -> None:
    case = world.report()
    Person.objects.filter(pk=world.ana.pk).update(is_active=False)
    with postman() as post:
        send_all()
    assert post.to("ana@andina.example") == []
    assert Notice.objects.get(case=case, person=world.ana).state == NoticeState.SUPPRESSED


def test_a_message_id_never_changes(world: World) -> None:
    case = world.report()
    notice = Notice.objects.get(case=case, person=world.ana)
    first = letters.write(sending._load(notice.pk), START)
    later = letters.write(sending._load(notice.pk), START + timedelta(days=3))
    wanted = f"Message-ID: <{letters.replies.message_id(notice)}>".encode()
    assert wanted in first.content
    assert wanted in later.content


def test_nothing_of_the_firms_reaches_a_customer(world: World) -> None:
    """Whatever a line is, and whoever it would tell: what the firm wrote for itself is in no
    letter to somebody of the customer."""
    case = world.delivered("development")
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Cuál?")
    conversation.internal_note(world.on(case, "sara"), text=SECRET_WORDS)
    note = Message.objects.get(case=case, kind=MessageKind.INTERNAL_NOTE)
    assert note.audience == Audience.FIRM
    readers, told = (world.ana, world.beto, world.omar), {"message": note.pk}
    for notice in notices_of_every_kind(case, readers, told):
        letter = message_from_bytes(
            letters.write(sending._load(notice.pk), START).content, policy=policy.default
        )
        for part in ("plain", "html"):
            assert SECRET_WORDS not in body(letter, part), notice.line.kind


def test_the_firms_own_lines_tell_the_firm_alone(world: World) -> None:
    case = world.delivered("development")
    conversation.internal_note(world.on(case, "sara"), text=SECRET_WORDS)
    with postman() as post:
        send_all(START + timedelta(days=30))
    firm = set(
        Membership.objects.filter(organisation=world.firm).values_list("person__email", flat=True)
    )
    assert post.taken
    for _, recipient, message in post.taken:
        if recipient not in firm:
            assert SECRET_WORDS not in body(message) + body(message, "html")
    told = Notice.objects.filter(line__audience="firm").values_list("person__email", flat=True)
    assert set(told) <= firm
