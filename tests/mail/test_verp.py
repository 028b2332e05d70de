"""Signed addresses at every door: mailboxes with plus-addressing, with a domain, with neither;
and what comes back to the address made for one notice."""

from __future__ import annotations

import smtplib

import pytest

from acuse.actions import mail
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake, post
from acuse.interfaces.mail.returned import judge_return
from acuse.interfaces.web import replies
from acuse.models import Address, Case, Mailbox, MailState, Message, Notice, NoticeState, RawMail
from tests.mail.post import key_address, postman, send_all, written
from tests.mail.samples import mail as sample
from tests.mail.working import Listening
from tests.world import HOUR, START, World


def team_notice(case: Case, world: World) -> Notice:
    """A notice that is no confirmation."""
    return Notice.objects.get(case=case, person=world.paula)


def came(content: bytes, *to: str, sender: str = "") -> RawMail:
    """A mail kept as the listener keeps it, and read."""
    mailbox = post.find_mailbox(to[0]) if to else Mailbox.objects.get()
    raw = mail.keep(
        content, mailbox, arrived_at=START + HOUR, envelope_from=sender, envelope_to=list(to)
    )
    intake.take_in(raw.pk, START + HOUR)
    return RawMail.objects.get(pk=raw.pk)


def report(text: str, **headers: str) -> bytes:
    headers = {"from": "MAILER-DAEMON@mx.andina.example", "subject": "Mail"} | headers
    return sample(text, **headers)


FORMS = {
    "plus": ({}, r"soporte+c", "@example.com"),
    "domain": ({"reply_domain": "reply.example.com"}, "c", "@reply.example.com"),
    "neither": ({"plus_addressing": False}, "soporte@example.com", "soporte@example.com"),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_finds_its_case_in_every_form(world: World, form: str) -> None:
    columns, start, end = FORMS[form]
    Mailbox.objects.update(**columns)
    case = world.report()
    to = key_address(case, world.ana)
    assert to.startswith(start)
    assert to.endswith(end)
    found = post.find_mailbox(to.upper())
    assert found == world.mailbox
    own = replies.message_id(Notice.objects.get(case=case, person=world.ana))
    content = written("ana@andina.example", "Sigue igual", to=to, In_Reply_To=f"<{own}>")
    raw = came(content, to, sender="ana@andina.example")
    assert (raw.state, raw.case_id) == (MailState.PROCESSED, case.pk)
    assert Message.objects.filter(case=case, kind="comment").count() == 1


@pytest.mark.parametrize("header", ["Delivered_To", "X_Original_To", "Envelope_To"])
def test_a_key_is_read_where_the_server_wrote_it(world: World, header: str) -> None:
    case = world.report()
    key = key_address(case, world.ana).upper()
    raw = came(written("ana@andina.example", "Sigue igual", **{header: key}))
    assert (raw.state, raw.case_id) == (MailState.PROCESSED, case.pk)


def test_a_domain_of_ours_takes_signed_addresses_alone(world: World) -> None:
    Mailbox.objects.update(reply_domain="reply.example.com")
    assert post.find_mailbox("info@reply.example.com") is None
    assert post.find_mailbox("c1.2.short@reply.example.com") is None
    assert post.find_mailbox(f"c1.2.{'a' * 20}@reply.example.com") == world.mailbox
    Mailbox.objects.update(active=False)
    assert post.find_mailbox(f"c1.2.{'a' * 20}@reply.example.com") is None


def test_a_mailbox_with_a_plus_in_its_own_name(world: World) -> None:
    own = Mailbox.objects.create(address="soporte+ventas@example.com", name="Ventas")
    assert post.find_mailbox("Soporte+Ventas@example.com") == own
    assert post.find_mailbox(f"soporte+ventas+c1.2.{'a' * 20}@example.com") == own
    assert post.find_mailbox("soporte+otra@example.com") == world.mailbox


def test_each_notice_has_its_own_envelope_a_confirmation_too(world: World) -> None:
    case = world.report()
    with postman() as sent:
        send_all()
    notices = {n.person.email: n for n in Notice.objects.filter(case=case)}
    assert notices.keys() == {"paula@firm.example", "ana@andina.example"}
    assert {to: sender for sender, to, _ in sent.taken} == {
        to: replies.bounce_address(notice) for to, notice in notices.items()
    }
    for notice in notices.values():
        assert replies.find_bounce_key([replies.bounce_address(notice)]) == notice.pk


def test_without_signed_addresses_the_envelope_is_the_mailbox(world: World) -> None:
    """But never a confirmation's: what comes back to where people write is a new case."""
    Mailbox.objects.update(plus_addressing=False)
    case = world.report()
    notice = team_notice(case, world)
    letter = letters.write(sending._load(notice.pk), START)
    assert letter.sender == "soporte@example.com"
    assert b"Reply-To: soporte@example.com" in letter.content
    confirmation = Notice.objects.get(case=case, person=world.ana)
    assert letters.write(sending._load(confirmation.pk), START).sender == ""


@pytest.mark.parametrize("sender", ["ana@andina.example", "eve@nowhere.example"])
def test_a_confirmation_that_comes_back_marks_its_address(world: World, sender: str) -> None:
    """It is seen on the case, and nobody answers it."""
    first = came(written(sender), "soporte@example.com", sender=sender)
    with postman() as post:
        send_all(START + HOUR)
    ((envelope, _to, _message),) = [one for one in post.taken if one[1] == sender]
    back = came(report("550 5.1.1 no such user", to=envelope), envelope)
    assert (back.state, back.reason, back.case) == (MailState.PROCESSED, "bounce", first.case)
    assert Notice.objects.get(person__email=sender).state == NoticeState.BOUNCED
    assert Address.objects.get(email=sender).bouncing_since == START + HOUR
    with postman() as post:
        send_all(START + 2 * HOUR)
    assert post.taken == []
    assert Case.objects.count() == 1


def test_a_deactivated_mailbox_is_not_answered_to(world: World) -> None:
    old = Mailbox.objects.create(address="vieja@example.com", name="Vieja", active=False)
    case = world.report()
    Case.objects.filter(pk=case.pk).update(mailbox=old)
    assert key_address(case, world.ana).startswith("soporte+c")


UNREADABLE = {
    "a status in a foreign tongue": ("Toimitus ei onnistunut (5.1.1)", MailState.PROCESSED),
    "a bare reply": ("Fjernserveren svarede:\n550 ukendt modtager", MailState.PROCESSED),
    "not yet": ("Toimitus viivästyy (4.4.1)", MailState.IGNORED),
    "no code at all": ("Toimitus ei onnistunut, valitettavasti", MailState.HELD),
}


@pytest.mark.parametrize("case_name", UNREADABLE)
def test_a_report_to_a_signed_address_names_its_notice(world: World, case_name: str) -> None:
    text, state = UNREADABLE[case_name]
    notice = team_notice(world.report(), world)
    address = replies.bounce_address(notice)
    raw = came(report(text, **{"from": "posti@mx.andina.example", "to": address}), address)
    assert (raw.state, raw.reason, raw.case_id) == (state, "bounce", notice.case_id)
    notice.refresh_from_db()
    hard = state == MailState.PROCESSED
    assert (notice.state == NoticeState.BOUNCED) is hard
    assert Address.objects.filter(bouncing_since__isnull=False).exists() is hard


def test_a_report_by_imap_is_known_by_its_headers(world: World) -> None:
    notice = team_notice(world.report(), world)
    address = replies.bounce_address(notice).upper()
    text = "550 5.1.1 no such user"
    raw = came(report(text, return_path="<>", delivered_to=address, to="x@example.com"))
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "bounce")
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.BOUNCED


def test_only_our_signature_counts(world: World) -> None:
    notice = team_notice(world.report(), world)
    other = Notice.objects.exclude(pk=notice.pk).latest("pk")
    address = replies.bounce_address(notice).replace(f"+b{notice.pk}.", f"+b{other.pk}.")
    raw = came(report("550 5.1.1 no such user", to=address), address)
    assert raw.state != MailState.PROCESSED
    assert not Notice.objects.filter(state=NoticeState.BOUNCED).exists()


def test_an_absence_sent_to_the_envelope_is_no_bounce(world: World) -> None:
    notice = team_notice(world.report(), world)
    address = replies.bounce_address(notice)
    content = report(
        "Vuelvo el 5.1.2027",
        to=address,
        subject="Respuesta automática: No imprime",
        auto_submitted="auto-replied",
        **{"from": "paula@firm.example"},
    )
    raw = came(content, address)
    assert (raw.state, raw.reason) == (MailState.IGNORED, "automatic")
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.QUEUED


def test_a_person_who_writes_to_the_envelope_is_heard(world: World) -> None:
    notice = team_notice(world.report(), world)
    address = replies.bounce_address(notice)
    raw = came(written("beto@andina.example", to=address), address, sender="beto@andina.example")
    assert raw.state == MailState.PROCESSED
    assert raw.reason == ""
    assert raw.case is not None


def test_a_number_is_not_a_status() -> None:
    def told(text: str) -> str:
        parsed = {
            "bounce": False,
            "auto_submitted": False,
            "out_of_office": False,
            "subject": "",
            "text": text,
            "headers": {},
        }
        return judge_return(parsed, "", verp=True)

    assert told("10.5.1.1 sagde nej") == "unreadable"
    assert told("version 15.1.1.2") == "unreadable"
    assert told("fejl 5.2.2: fuld") == "failed"
    assert told("said: 451 igen") == "delayed"


def test_the_listener_takes_signed_addresses(firm: World, listener: Listening) -> None:
    Mailbox.objects.update(reply_domain="reply.example.com")
    notice = team_notice(firm.report(), firm)
    address = replies.bounce_address(notice)
    with smtplib.SMTP("127.0.0.1", listener.port) as client:
        client.sendmail("", [address], report("550 5.1.1 no", to=address))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", ["info@reply.example.com"], report("x"))
    raw = RawMail.objects.get()
    assert (raw.mailbox, raw.envelope_from, raw.envelope_to) == (firm.mailbox, "", [address])


def test_before_there_is_a_mailbox_the_main_address_is_named(world: World) -> None:
    case = world.report()
    Mailbox.objects.update(address="otra@example.com")
    assert key_address(case, world.ana).startswith("soporte+c")
