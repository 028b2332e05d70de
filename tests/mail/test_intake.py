"""What becomes of a mail: a case, a comment, or held for somebody to look at; never lost."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest

from acuse.actions import administration, clock, deliveries, life, mail, triage
from acuse.connectors import storage
from acuse.interfaces.mail import intake
from acuse.interfaces.mail.letter import Letter
from acuse.models import (
    Address,
    Attachment,
    Case,
    Decision,
    Hold,
    LedgerLine,
    MailState,
    Message,
    Notice,
    NoticeState,
    Outcome,
    Person,
    RawMail,
    Window,
)
from acuse.policy.authors import POSTMAN
from acuse.policy.stages import Stage
from tests.mail.post import arrived, kept, key_address, proven, written
from tests.world import HOUR, START, World, last_line

DAY = timedelta(days=1)


def test_a_mail_of_a_user_opens_a_case_at_its_arrival(world: World) -> None:
    content = written("Ana Ruiz <ANA@andina.example>", attach=("factura.pdf", b"%PDF-1"))
    raw = arrived(content, START + HOUR)
    case = raw.case
    assert raw.state == MailState.PROCESSED
    assert case is not None
    assert (case.reporter, case.organisation, case.mailbox) == (
        world.ana,
        world.andina,
        world.mailbox,
    )
    assert case.opened_at == START + HOUR
    assert case.subject == "No imprime"
    assert last_line(case).channel == "mail"
    assert last_line(case).author == world.ana
    message = Message.objects.get(case=case)
    assert message.raw_mail == raw
    assert message.text == "No puedo imprimir las facturas."  # no empty lines around it
    file = Attachment.objects.get(case=case)
    assert file.filename == "factura.pdf"
    with storage.open(file.blob_id) as stream:
        assert stream.read() == b"%PDF-1"
    assert Notice.objects.filter(case=case, person=world.ana).count() == 1


def test_a_date_header_never_decides_when_a_mail_counts(world: World) -> None:
    raw = arrived(written("ana@andina.example", Date="Mon, 02 Jan 2023 10:00:00 +0000"))
    assert raw.case is not None
    assert raw.case.opened_at == START


def test_a_stranger_is_met_in_their_language_and_bound_to_nobody(world: World) -> None:
    text = "Good morning, we cannot print our invoices since yesterday. Please help us with this."
    raw = arrived(written("Eve New <eve@nowhere.example>", text))
    person = Person.objects.get(email="eve@nowhere.example")
    assert (person.name, person.language) == ("Eve New", "en")
    assert raw.case is not None
    assert (raw.case.reporter, raw.case.organisation) == (person, None)


def test_a_mail_without_a_subject_takes_its_first_line(world: World) -> None:
    raw = arrived(written("ana@andina.example", "\n\n  No   abre\nNada.", subject=""))
    assert raw.case is not None
    assert raw.case.subject == "No abre"
    empty = arrived(written("ana@andina.example", "", subject="", message_id="e@x"))
    assert empty.state == MailState.PROCESSED


def test_an_agents_mail_opens_a_case_of_support(world: World) -> None:
    raw = arrived(proven(world, "sara@firm.example"))
    assert raw.case is not None
    assert raw.case.opened_by == "support"


def test_an_answer_by_key_is_a_comment_and_holds_the_term(world: World) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    to = key_address(case, world.ana)
    raw = arrived(written("ana@andina.example", "Falta un campo.", to=to), window.until - HOUR, to)
    assert (raw.state, raw.case) == (MailState.PROCESSED, case)
    line = last_line(case)
    assert (line.kind, line.author, line.at) == ("comment", world.ana, window.until - HOUR)
    assert Hold.objects.get(window=window).since == window.until - HOUR


def test_the_key_is_found_in_a_message_id_too(world: World) -> None:
    case = world.report()
    notice = Notice.objects.get(case=case, person=world.ana)
    reference = intake.replies.message_id(notice)
    raw = arrived(written("ana@andina.example", "Gracias", In_Reply_To=f"<{reference}>"))
    assert (raw.state, raw.case) == (MailState.PROCESSED, case)
    assert last_line(case).kind == "comment"


def test_the_quoted_mail_is_cut_and_kept(world: World) -> None:
    case = world.report()
    text = "De acuerdo.\n\nEl lun, 1 jun 2026 a las 9:00, Soporte <s@x.example> escribió:\n> Hola\n"
    to = key_address(case, world.ana)
    arrived(written("ana@andina.example", text, to=to), to=to)
    message = Message.objects.filter(case=case).latest("pk")
    assert message.text == "De acuerdo."
    assert "> Hola" in message.whole_text


def test_a_colleague_may_use_the_key_and_nobody_else(world: World) -> None:
    case = world.report()
    to = key_address(case, world.ana)
    assert arrived(written("beto@andina.example", "Yo también.", to=to), to=to).case == case
    for thief in ("nora@brisa.example", "eve@nowhere.example", "sara@firm.example"):
        raw = arrived(proven(world, thief, "Acepto.", to=to), to=to)
        assert (raw.state, raw.reason, raw.case) == (MailState.HELD, "wrong_sender", case)
    assert LedgerLine.objects.filter(case=case, kind="comment").count() == 1
    assert Case.objects.count() == 1


def test_a_forged_key_is_no_key(world: World) -> None:
    case = world.report()
    to = key_address(case, world.ana)
    forged = (
        to[: to.index("@") - 1] + ("a" if to[to.index("@") - 1] != "a" else "b") + "@example.com"
    )
    raw = arrived(written("ana@andina.example", to=forged), to=forged)
    assert raw.state == MailState.PROCESSED
    assert raw.case != case


def test_an_agent_answers_with_the_own_key_as_the_firm(world: World) -> None:
    case = world.report()
    to = key_address(case, world.sara)
    raw = arrived(proven(world, "sara@firm.example", "Lo miramos.", to=to), START + HOUR, to)
    assert raw.state == MailState.PROCESSED
    line = last_line(case)
    assert line.payload["side"] == "firm"
    assert Case.objects.get(pk=case.pk).first_response_at == START + HOUR


def test_whoever_left_the_customer_is_held(world: World) -> None:
    case = world.report("beto")
    membership = world.ana.memberships.get()
    membership.until = START
    membership.save()
    to = key_address(case, world.ana)
    raw = arrived(written("ana@andina.example", to=to), START + HOUR, to)
    assert (raw.state, raw.reason) == (MailState.HELD, "wrong_sender")


def test_a_comment_on_an_ended_case_is_kept_and_gives_support_the_ball(world: World) -> None:
    case = world.closed("development")
    to = key_address(case, world.ana)
    raw = arrived(written("ana@andina.example", "Volvió a fallar", to=to), last_line(case).at, to)
    assert raw.state == MailState.PROCESSED
    fresh = Case.objects.get(pk=case.pk)
    assert (fresh.stage, fresh.ball) == (Stage.CLOSED, "firm")


def test_mail_on_a_duplicate_goes_to_the_original(world: World) -> None:
    original, twin = world.report(), world.report()
    triage.merge_duplicate(world.on(twin, "sara"), original=original)
    to = key_address(twin, world.ana)
    assert arrived(written("ana@andina.example", to=to), START + DAY, to).case == original


def test_twice_the_same_mail_is_one_case(world: World) -> None:
    content = written("ana@andina.example", message_id="m1@andina.example")
    first, again = arrived(content), arrived(content)
    assert first.pk == again.pk
    assert Case.objects.count() == 1


def test_one_mail_to_two_of_our_addresses_is_one_case(world: World) -> None:
    administration.add_mailbox("facturas@example.com", "Facturas")
    for message_id in ("m1@andina.example", ""):
        before = Case.objects.count()
        plain = written("ana@andina.example", message_id=message_id, subject=f"a{message_id}")
        first = arrived(b"Received: by one\r\n" + plain)
        second = arrived(b"Received: by two\r\n" + plain, to="facturas@example.com")
        assert first.state == MailState.PROCESSED
        assert (second.state, second.reason) == (MailState.IGNORED, "duplicate")
        assert second.case == first.case
        assert Case.objects.count() == before + 1


def test_the_same_message_id_with_other_content_is_another_mail(world: World) -> None:
    arrived(written("ana@andina.example", "uno", message_id="m1@andina.example"))
    raw = arrived(written("ana@andina.example", "dos", message_id="m1@andina.example"))
    assert raw.state == MailState.PROCESSED
    assert Case.objects.count() == 2


def test_a_copy_that_nobody_vouched_for_takes_nothing_from_the_one_that_is(world: World) -> None:
    """One came by a way that broke its signature, and was held; the other came by itself."""
    copies = [
        proven(world, "sara@firm.example", message_id="m@f", verdict=verdict)
        for verdict in ("fail", "pass", "fail", "pass")
    ]
    first, second, third, fourth = (
        arrived(f"Received: by mx{n}\r\n".encode() + copy) for n, copy in enumerate(copies)
    )
    assert (first.state, first.reason) == (MailState.HELD, "spoofed")
    assert second.state == MailState.PROCESSED
    assert third.reason == fourth.reason == "duplicate"
    assert Case.objects.count() == 1
    mail.replay(first)
    intake.take_in(first.pk, START)
    first.refresh_from_db()
    assert (first.state, first.case) == (MailState.IGNORED, second.case)


def test_an_address_longer_than_any_is_nobodys(world: World) -> None:
    """Nobody can be met under it; the mail waits for somebody instead of failing."""
    raw = arrived(written("x@y", "z").replace(b"x@y", b"n" * 190 + b"@" + b"d" * 300 + b".example"))
    assert (raw.state, raw.reason) == (MailState.HELD, "unclear_sender")


def test_a_held_mail_and_its_copy_are_read_again_as_one(world: World) -> None:
    case = world.report()
    content = written("eve@nowhere.example", subject=f"Re: [C-{case.pk}] x", message_id="m@e")
    held = arrived(content)
    copy = arrived(b"Received: by two\r\n" + content)
    assert (held.state, copy.reason) == (MailState.HELD, "duplicate")
    mail.put_on_new_case(held, by=world.sara, at=START + HOUR)
    intake.take_in(held.pk, START + HOUR)
    held.refresh_from_db()
    assert held.state == MailState.PROCESSED


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"X_Autoreply": "yes"},
        {"Precedence": "bulk"},
        {"List_Id": "<l.example.org>"},
        {"subject": "Respuesta automática: No imprime"},
    ],
)
def test_what_a_machine_wrote_is_kept_and_nothing_follows(
    world: World, headers: dict[str, str]
) -> None:
    case = world.delivered("development")
    lines = LedgerLine.objects.count()
    to = key_address(case, world.ana)
    raw = arrived(written("ana@andina.example", to=to, **headers), START + DAY, to)
    assert (raw.state, raw.reason, raw.case) == (MailState.IGNORED, "automatic", case)
    other = arrived(written("ana@andina.example", "otra", **headers))
    assert (other.state, other.case) == (MailState.IGNORED, None)
    assert LedgerLine.objects.count() == lines
    assert not Hold.objects.exists()


def test_our_own_mail_does_not_come_in_again(world: World) -> None:
    case = world.report()
    notice = Notice.objects.get(case=case, person=world.ana)
    own_id = intake.replies.message_id(notice)
    looped = arrived(written("ana@andina.example", message_id=own_id))
    from_us = arrived(written("soporte+c1@example.com"))
    assert {(looped.state, looped.reason), (from_us.state, from_us.reason)} == {
        (MailState.IGNORED, "own")
    }
    assert Case.objects.count() == 1


def test_a_mail_without_a_sender_is_held(world: World) -> None:
    raw = arrived(b"Subject: hola\r\n\r\nQuien soy")
    assert (raw.state, raw.reason) == (MailState.HELD, "no_sender")


def test_a_subject_tag_or_a_known_mail_only_proposes(world: World) -> None:
    case = arrived(written("ana@andina.example", message_id="root@andina.example")).case
    assert case is not None
    by_tag = arrived(written("beto@andina.example", subject=f"Re: [C-{case.pk}] No imprime"))
    by_id = arrived(written("beto@andina.example", "b", In_Reply_To="<root@andina.example>"))
    for raw in (by_tag, by_id):
        assert (raw.state, raw.reason, raw.case) == (MailState.HELD, "proposed", case)
    assert arrived(written("beto@andina.example", subject="[C-999999] x")).case != case
    assert LedgerLine.objects.filter(case=case).count() == 1


def test_the_firm_decides_about_a_held_mail(world: World) -> None:
    case = world.report()
    tag = f"[C-{case.pk}]"
    raws = [
        arrived(written("beto@andina.example", str(number), subject=f"{tag} {number}"))
        for number in range(3)
    ]
    mail.put_on_case(raws[0], case, by=world.sara, at=START + HOUR)
    mail.put_on_new_case(raws[1], by=world.sara, at=START + HOUR)
    mail.dismiss(raws[2], by=world.sara, at=START + HOUR, why="publicidad")
    for raw in raws:
        intake.take_in(raw.pk, START + DAY)
        raw.refresh_from_db()
    assert [raw.state for raw in raws] == ["processed", "processed", "ignored"]
    kinds = dict(LedgerLine.objects.filter(case=case).values_list("kind", "author__email"))
    assert (kinds["place_mail"], kinds["settle_mail"]) == ("sara@firm.example",) * 2
    placed = Message.objects.get(case=case, raw_mail=raws[0])
    assert (placed.author, placed.at, placed.channel) == (world.beto, START, "mail")
    assert raws[1].case != case
    assert last_line(raws[1].case).payload["outcome"] == "new_case"
    with pytest.raises(ValueError, match="neither held nor failed"):
        mail.dismiss(raws[0], by=world.sara, at=START + HOUR, why="x")


def test_an_error_is_tried_three_times_and_never_loses_the_mail(world: World) -> None:
    raw = kept(written("ana@andina.example"))
    with patch.object(intake, "read", side_effect=RuntimeError("broken")):
        states = [intake.take_in(raw.pk, START) for _ in range(4)]
    raw.refresh_from_db()
    assert states == ["received", "received", "failed", "failed"]
    assert (raw.tries, "broken" in raw.detail) == (3, True)
    mail.replay(raw)
    assert intake.take_in(raw.pk, START) == MailState.PROCESSED
    assert Case.objects.count() == 1


def test_one_bad_mail_does_not_stop_the_others(world: World) -> None:
    kept(written("ana@andina.example", "uno"))
    kept(written("beto@andina.example", "dos"), START + HOUR)
    reading = intake.read

    def break_first(letter: Letter) -> mail.Reading:
        if b"uno" in bytes(letter.raw.content):
            raise RuntimeError("broken")
        return reading(letter)

    with patch.object(intake, "read", break_first):
        assert intake.take_in_all(START + HOUR) == 2
    assert [row.state for row in RawMail.objects.order_by("pk")] == ["received", "processed"]


def test_an_erased_mail_is_not_read_again(world: World) -> None:
    raw = arrived(b"Subject: hola\r\n\r\nQuien soy")
    RawMail.objects.update(content=b"")
    with pytest.raises(ValueError, match="erased"):
        mail.replay(raw)


def bounced(notice: Notice, address: str, status: str = "5.1.1", action: str = "failed") -> bytes:
    original = intake.replies.message_id(notice)
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: soporte@example.com\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        f"Message-ID: <dsn-{notice.pk}-{action}@mx.example>\r\nMIME-Version: 1.0\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nI could not deliver it.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n"
        "Subject: x\r\n\r\n--b--\r\n"
    ).encode()


def test_a_bounce_of_every_copy_annuls_the_term(world: World) -> None:
    case = world.delivered("development", prove=False)
    line = LedgerLine.objects.get(case=case, kind="deliver")
    notice = Notice.objects.get(line=line, dispatch__isnull=False)
    deliveries.prove_delivery(
        world.on(case, POSTMAN), version=notice.dispatch.version, dispatch=notice.dispatch
    )
    window = Window.objects.get(version=notice.dispatch.version)
    assert window.until is not None
    at = last_line(case).at + HOUR
    raw = arrived(bounced(notice, "ana@andina.example"), at)
    assert (raw.state, raw.reason, raw.case) == (MailState.PROCESSED, "bounce", case)
    window.refresh_from_db()
    notice.refresh_from_db()
    assert (window.annulled, notice.state) == (True, NoticeState.BOUNCED)
    assert Address.objects.get(email="ana@andina.example").bouncing_since == at
    assert last_line(case).payload["all_failed"] is True
    told = Notice.objects.filter(line=last_line(case)).values_list("person__email", flat=True)
    assert list(told) == ["paula@firm.example"]


def test_a_delay_or_a_forged_bounce_marks_nothing(world: World) -> None:
    case = world.report()
    notice = Notice.objects.get(case=case, person=world.ana)
    delayed = arrived(bounced(notice, "ana@andina.example", "4.4.1", "delayed"))
    forged = bounced(notice, "ana@andina.example").replace(b"Message-ID: <c", b"Message-ID: <d")
    assert {delayed.state, arrived(forged).state} == {MailState.IGNORED}
    assert not Address.objects.filter(bouncing_since__isnull=False).exists()
    notice.refresh_from_db()
    assert notice.state == NoticeState.QUEUED


def test_silence_waits_for_mail_that_has_not_been_read(world: World) -> None:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    to = key_address(case, world.ana)
    raw = kept(written("ana@andina.example", "No sirve", to=to), window.until - HOUR, to)
    later = window.until + HOUR
    assert [clock.fire(pk, later) for pk in clock.due(later)].count(None) >= 1
    assert Case.objects.get(pk=case.pk).stage == Stage.DELIVERED
    intake.take_in(raw.pk, later)
    assert Hold.objects.filter(window=window, ended_at__isnull=True).exists()
    assert not Decision.objects.filter(verdict="tacit", kind="result").exists()


def accepted_by_silence(world: World) -> tuple[Case, Window]:
    case = world.delivered("development")
    window = Window.objects.get(case=case, closed_at__isnull=True)
    for pk in clock.due(window.until):
        clock.fire(pk, window.until)
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED
    return case, Window.objects.get(pk=window.pk)


def test_timely_mail_found_later_annuls_silence(world: World) -> None:
    case, window = accepted_by_silence(world)
    to = key_address(case, world.ana)
    found_at = window.until + DAY
    raw = arrived(
        written("ana@andina.example", "No sirve", to=to), window.until - HOUR, to, now=found_at
    )
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "")
    fresh = Case.objects.get(pk=case.pk)
    version = fresh.versions.latest("pk")
    assert (fresh.stage, version.outcome) == (Stage.DELIVERED, Outcome.PENDING)
    assert (last_line(case).kind, last_line(case).at) == ("annul_tacit", found_at)
    assert last_line(case).payload["raw_mail"] == raw.pk


def test_mail_after_the_end_of_the_term_annuls_nothing(world: World) -> None:
    case, window = accepted_by_silence(world)
    to = key_address(case, world.ana)
    arrived(written("ana@andina.example", "No sirve", to=to), window.until, to)
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED
    assert Message.objects.filter(case=case).latest("pk").late is True


def test_silence_that_work_has_followed_stays_and_says_so(world: World) -> None:
    case = world.proposed("development")
    window = Window.objects.get(case=case)
    for pk in clock.due(window.until):
        clock.fire(pk, window.until)
    life.authorize(world.on(case, "ana"))
    to = key_address(case, world.ana)
    raw = arrived(
        written("ana@andina.example", "No", to=to), window.until - HOUR, to, now=window.until + DAY
    )
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "found_late")
    assert "manager" in raw.detail
    assert Case.objects.get(pk=case.pk).stage == Stage.IN_PROGRESS
