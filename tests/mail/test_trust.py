"""Whom a mail is believed, and what it may do: every forgery is held or stays outside the case,
and no mail decides anything (mail rules 6 to 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from acuse.actions import administration, conversation, life, mail, triage
from acuse.actions.correspondence import settle_mail
from acuse.interfaces.mail import intake
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Case,
    Decision,
    Hold,
    LedgerLine,
    MailState,
    Membership,
    Message,
    Notice,
    Outcome,
    Person,
    RawMail,
    Window,
)
from acuse.policy.refusals import Refused
from acuse.policy.stages import Role, Stage
from tests.mail.post import arrived, kept, key_address, postman, proven, send_all, written
from tests.world import HOUR, LONG_AGO, START, World, last_line, refused

DAY = timedelta(days=1)


def held(raw: RawMail, reason: str, case: Case | None = None) -> None:
    """The mail waits for somebody at the firm, and nothing has followed from it."""
    assert (raw.state, raw.reason, raw.case) == (MailState.HELD, reason, case)


@pytest.fixture
def case(world: World) -> Case:
    """A delivered case inside its term; Ana reported it, Sara and Carlos work on it."""
    return world.delivered("development")


@pytest.fixture
def inside(case: Case) -> datetime:
    window = Window.objects.get(case=case, closed_at__isnull=True)
    assert window.until is not None
    return window.until - HOUR


def untouched(case: Case, lines: int) -> None:
    """No line, no hold, no decision, no letter has come of it."""
    assert LedgerLine.objects.filter(case=case).count() == lines
    assert not Hold.objects.exists()


# Attacks: nothing of them is accepted


def test_a_forged_key_opens_nothing(world: World, case: Case, inside: datetime) -> None:
    lines = LedgerLine.objects.filter(case=case).count()
    to = key_address(case, world.ana)
    for wrong in (to.replace(f"+c{case.pk}.", f"+c{case.pk + 1}."), to[:-15] + "aa" + to[-13:]):
        raw = arrived(written("ana@andina.example", wrong, to=wrong), inside, wrong)
        assert raw.case != case
    untouched(case, lines)


def test_a_key_in_other_hands_is_held(world: World, case: Case, inside: datetime) -> None:
    lines = LedgerLine.objects.filter(case=case).count()
    to = key_address(case, world.ana)
    for thief in ("eve@evil.example", "nora@brisa.example", "ana@andina.example.evil.example"):
        held(arrived(written(thief, thief, to=to), inside, to), "wrong_sender", case)
    notice = Notice.objects.filter(case=case, person=world.ana).latest("pk")
    reference = f"<{replies.message_id(notice)}>"
    held(arrived(written("eve@evil.example", In_Reply_To=reference), inside), "wrong_sender", case)
    untouched(case, lines)


def test_the_key_of_one_case_or_customer_opens_no_other(world: World, case: Case) -> None:
    brisas = world.report("nora")
    to = key_address(brisas, world.nora)
    held(arrived(written("ana@andina.example", to=to), START + DAY, to), "wrong_sender", brisas)
    both = f"{key_address(case, world.ana)}, {to}"
    raw = arrived(written("nora@brisa.example", to=both), START + DAY, to)
    assert raw.case == brisas  # the envelope says which
    assert not Message.objects.filter(case=case, author=world.nora).exists()


def test_a_foreign_reference_or_a_tag_only_proposes(
    world: World, case: Case, inside: datetime
) -> None:
    root = arrived(written("ana@andina.example", "uno", message_id="root@andina.example"))
    assert root.case is not None
    for sender in ("ana@andina.example", "eve@evil.example"):
        answer = written(sender, f"{sender} b", In_Reply_To="<root@andina.example>")
        held(arrived(answer, inside), "proposed", root.case)
        held(arrived(written(sender, subject=f"[C-{case.pk}]"), inside), "proposed", case)
    assert not Message.objects.filter(kind="comment").exists()
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("sara@firm.example", "unproven"),
        ("Sara Soporte <sara@firm.example>", "unproven"),
        ("Sara Soporte <eve@evil.example>", "borrowed_name"),
        ("SARA  SÓPORTE <eve@evil.example>", "borrowed_name"),
        ('"sara@firm.example" <eve@evil.example>', "unclear_sender"),
        ('"Sara Soporte <sara@firm.example>" <eve@evil.example>', "unclear_sender"),
        ("sara@firm.example, ana@andina.example", "unclear_sender"),
        ("sara@flrm.example", "wrong_sender"),
        ("sara@firm.example.evil.example", "wrong_sender"),
    ],
)
def test_a_spoofed_agent_with_the_right_key_is_held(
    world: World, case: Case, inside: datetime, sender: str, reason: str
) -> None:
    lines = LedgerLine.objects.filter(case=case).count()
    to = key_address(case, world.sara)
    held(arrived(written(sender, to=to), inside, to), reason, case)
    untouched(case, lines)


def test_neither_reply_to_nor_sender_says_who_wrote_it(
    world: World, case: Case, inside: datetime
) -> None:
    to = key_address(case, world.sara)
    sara = "sara@firm.example"
    content = written("eve@evil.example", to=to, Reply_To=sara, Sender=sara)
    held(arrived(content, inside, to), "wrong_sender", case)
    from_sara = proven(world, sara, "x", to=to, verdict="fail", Sender="eve@evil.example")
    held(arrived(from_sara, inside, to), "spoofed", case)


def test_a_second_from_is_never_read(world: World, case: Case, inside: datetime) -> None:
    to = key_address(case, world.ana)
    for first, second in (("ana@andina.example", "eve@evil.example"), ("eve@x.example", "ana@a.b")):
        content = f"From: {first}\r\n".encode() + written(second, first, to=to)
        held(arrived(content, inside, to), "unclear_sender", case)


def test_an_agent_needs_the_own_key_the_proof_and_access_now(
    world: World, case: Case, inside: datetime
) -> None:
    own, anas = key_address(case, world.sara), key_address(case, world.ana)
    for verdict in ("none", "temperror"):
        raw = arrived(proven(world, "sara@firm.example", verdict, to=own, verdict=verdict), inside)
        held(raw, "unproven", case)
    held(arrived(proven(world, "sara@firm.example", "a", to=anas), inside), "wrong_sender", case)
    carlos = arrived(proven(world, "carlos@firm.example", "b", to=own), inside)
    held(carlos, "wrong_sender", case)
    fine = arrived(proven(world, "sara@firm.example", "Lo miramos.", to=own), inside)
    assert (fine.state, last_line(case).author) == (MailState.PROCESSED, world.sara)
    Membership.objects.filter(person=world.sara).update(until=inside)
    gone = arrived(proven(world, "sara@firm.example", "Adiós", to=own), inside + HOUR / 2)
    held(gone, "wrong_sender", case)


def test_who_left_the_customer_or_is_closed_out_is_held(
    world: World, case: Case, inside: datetime
) -> None:
    to = key_address(case, world.beto)
    Membership.objects.filter(person=world.beto).update(until=inside - HOUR)
    held(arrived(written("beto@andina.example", "a", to=to), inside, to), "wrong_sender", case)
    Person.objects.filter(pk=world.ana.pk).update(is_active=False)
    held(arrived(written("ana@andina.example", "b", to=to), inside, to), "wrong_sender", case)


@pytest.mark.parametrize("who", ["omar", "lina"])
def test_an_approver_is_held_where_the_domain_denies_it(
    world: World, case: Case, inside: datetime, who: str
) -> None:
    to = key_address(case, world.people[who])
    email = f"{who}@andina.example"
    held(
        arrived(proven(world, email, "Acepto", to=to, verdict="fail"), inside, to), "spoofed", case
    )
    raw = arrived(proven(world, email, "Acepto todo", to=to, verdict="none"), inside, to)
    assert (raw.state, raw.authentication) == (MailState.PROCESSED, "none")


def test_a_user_is_taken_and_the_verdict_kept(world: World, case: Case, inside: datetime) -> None:
    to = key_address(case, world.ana)
    raw = arrived(proven(world, "ana@andina.example", to=to, verdict="fail"), inside, to)
    assert (raw.state, raw.authentication) == (MailState.PROCESSED, "fail")


def test_no_mail_decides_anything(world: World, case: Case, inside: datetime) -> None:
    version = case.versions.latest("pk")
    to = key_address(case, world.ana)
    raw = arrived(written("ana@andina.example", "Acepto. I accept. Aceito.", to=to), inside, to)
    assert raw.state == MailState.PROCESSED
    version.refresh_from_db()
    assert version.outcome == Outcome.PENDING
    assert Case.objects.get(pk=case.pk).stage == Stage.DELIVERED
    assert not Decision.objects.filter(kind="result").exists()
    assert Hold.objects.filter(window__case=case).count() == 1  # but silence it is not


def test_a_machine_holds_no_term_and_stops_no_silence(
    world: World, case: Case, inside: datetime
) -> None:
    lines = LedgerLine.objects.filter(case=case).count()
    to = key_address(case, world.ana)
    away = written(
        "ana@andina.example", "Estoy de vacaciones.", to=to, Auto_Submitted="auto-replied"
    )
    assert arrived(away, inside, to).reason == "automatic"
    untouched(case, lines)


def test_a_forged_bounce_annuls_nothing(world: World, case: Case, inside: datetime) -> None:
    report = (
        "From: MAILER-DAEMON@mx.example\r\nTo: soporte@example.com\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "MIME-Version: 1.0\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; ana@andina.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <c{case.pk}.1.1.{'a' * 20}"
        f"@example.com>\r\nSubject: [C-{case.pk}]\r\n\r\n--b--\r\n"
    )
    raw = arrived(report.encode(), inside)
    assert (raw.state, raw.reason) == (MailState.IGNORED, "bounce")
    assert not Window.objects.filter(annulled=True).exists()
    assert not Address.objects.filter(bouncing_since__isnull=False).exists()


def test_whoever_was_held_hears_nothing_of_the_case(world: World, case: Case) -> None:
    before = Notice.objects.count()
    to = key_address(case, world.ana)
    arrived(written("eve@evil.example", to=to), START + DAY, to)
    arrived(written("eve@evil.example", "b", subject=f"[C-{case.pk}]"), START + DAY)
    assert Notice.objects.count() == before
    assert not Person.objects.filter(email="eve@evil.example").exists()


# Robots


def test_two_robots_stop_after_one_letter(world: World) -> None:
    """A responder without a robot's headers answers every letter; ours is the other robot."""
    with postman() as post:
        raw = arrived(written("eve@evil.example", "Fuera de la oficina", message_id="0@evil"))
        at = START
        for turn in range(1, 6):
            at += timedelta(seconds=20)
            send_all(at)
            letters = post.to("eve@evil.example")
            if len(letters) < turn:
                break
            reply_to = str(letters[-1]["Reply-To"])
            answer = written(
                "eve@evil.example",
                "Fuera de la oficina",
                to=reply_to,
                message_id=f"{turn}@evil",
                In_Reply_To=str(letters[-1]["Message-ID"]),
            )
            arrived(answer, at, reply_to)
    assert turn == 2
    assert len(post.to("eve@evil.example")) == 1
    assert Case.objects.get() == raw.case
    assert str(post.to("eve@evil.example")[0]["Auto-Submitted"]) == "auto-replied"


def test_robots_on_one_case_do_not_answer_one_another_for_ever(world: World) -> None:
    case = world.report()
    ana, beto = key_address(case, world.ana), key_address(case, world.beto)
    talk = [("ana@andina.example", ana), ("beto@andina.example", beto)] * 4
    states = [
        arrived(
            written(sender, "Gracias por su mensaje", to=to, message_id=f"{turn}@robot"),
            START + timedelta(minutes=turn),
            to,
        ).reason
        for turn, (sender, to) in enumerate(talk, 1)
    ]
    assert states == ["", ""] + ["loop"] * 6
    assert LedgerLine.objects.filter(case=case, kind="comment").count() == 2
    # An hour later, or in other words, it is a person again.
    later = written("ana@andina.example", "Gracias por su mensaje", to=ana, message_id="later@x")
    assert arrived(later, START + DAY, ana).state == MailState.PROCESSED


def test_a_known_robot_that_names_no_letter_of_ours_stops_too(world: World) -> None:
    """It answers each confirmation with a mail of its own to our plain address."""
    with postman() as post:
        for turn in range(4):
            at = START + timedelta(minutes=turn)
            content = written(
                "ana@andina.example", "Recibimos su mensaje", "Recibido", message_id=f"{turn}@r"
            )
            raw = arrived(content, at)
            send_all(at)
    assert (raw.state, raw.reason) == (MailState.HELD, "loop")
    assert len(post.to("ana@andina.example")) == Case.objects.count() == 1
    mail.put_on_new_case(raw, by=world.sara, at=START + HOUR)
    assert settled(world, raw).state == MailState.PROCESSED
    # Other words, other files or another hour are a person's.
    for number, more in enumerate(({"text": "Otra"}, {"attach": ("a.pdf", b"%PDF")}, {})):
        words = {"text": "Recibimos su mensaje", "subject": "Recibido", **more}
        later = START + (DAY if not more else HOUR / 2)
        assert arrived(
            written("ana@andina.example", message_id=f"p{number}@r", **words), later
        ).case


def test_a_sender_faster_than_people_waits(world: World) -> None:
    case = world.report()
    to = key_address(case, world.ana)
    reasons = [
        arrived(
            written("ana@andina.example", f"Aviso {number}", to=to),
            START + timedelta(minutes=1),
            to,
        ).reason
        for number in range(12)
    ]
    assert reasons == [""] * 10 + ["loop"] * 2


# What somebody at the firm decides about a held mail


def settled(world: World, raw: RawMail) -> RawMail:
    intake.take_in(raw.pk, START + DAY)
    return RawMail.objects.select_related("case", "person").get(pk=raw.pk)


def test_a_strangers_mail_is_put_on_a_case_by_who_answers_for_it(
    world: World, case: Case, inside: datetime
) -> None:
    raw = arrived(
        written(
            "Eve Contadora <eve@contadores.example>",
            "El informe está mal.",
            subject=f"[C-{case.pk}] informe",
            attach=("informe.pdf", b"%PDF-1"),
        ),
        inside,
    )
    mail.put_on_case(raw, case, by=world.sara, at=inside + HOUR, why="Es su contadora")
    raw = settled(world, raw)
    assert (raw.state, raw.case) == (MailState.PROCESSED, case)
    assert (raw.settled_by, raw.settled_why) == (world.sara, "Es su contadora")
    line = last_line(case)
    eve = Person.objects.get(email="eve@contadores.example")
    assert (line.kind, line.author, line.channel) == ("place_mail", world.sara, "desk")
    assert (line.payload["person"], line.payload["side"]) == (eve.pk, "customer")
    assert "contadora" not in str(line.payload)
    message = Message.objects.get(raw_mail=raw)
    assert (message.author, message.at, message.channel) == (eve, inside, "mail")
    assert message.attachments.get().filename == "informe.pdf"
    assert Hold.objects.get(message=message).since == inside
    told = set(Notice.objects.filter(line=line).values_list("person__email", flat=True))
    assert "ana@andina.example" in told
    assert "eve@contadores.example" not in told  # they see nothing of the case
    assert not Case.objects.visible_to(eve).exists()


def test_a_colleague_is_told_where_their_held_mail_went(world: World, case: Case) -> None:
    raw = arrived(written("ana@andina.example", "Otra cosa", subject=f"[C-{case.pk}]"), START + DAY)
    mail.put_on_case(raw, case, by=world.sara, at=START + DAY)
    settled(world, raw)
    assert Notice.objects.filter(line=last_line(case), person=world.ana).exists()


def test_mail_put_on_a_case_annuls_silence_that_it_had_broken(world: World, case: Case) -> None:
    window = Window.objects.get(case=case, closed_at__isnull=True)
    until = window.until
    assert until is not None
    raw = kept(written("eve@contadores.example", "No sirve", subject="Informe"), until - HOUR)
    world.fire(until)  # held back: that mail has not been read
    RawMail.objects.update(state=MailState.HELD)
    mail.dismiss(raw, by=world.sara, at=until, why="publicidad")
    world.fire(until + DAY)
    assert Case.objects.get(pk=case.pk).stage == Stage.ACCEPTED
    RawMail.objects.update(state=MailState.HELD)
    mail.put_on_case(raw, case, by=world.sara, at=until + DAY)
    intake.take_in(raw.pk, until + DAY)
    assert Case.objects.get(pk=case.pk).stage == Stage.DELIVERED


def test_late_words_put_on_a_case_are_marked_late(world: World, case: Case) -> None:
    until = Window.objects.get(case=case, closed_at__isnull=True).until
    assert until is not None
    world.fire(until)
    raw = arrived(written("eve@x.example", "Tarde", subject=f"[C-{case.pk}]"), until + HOUR)
    mail.put_on_case(raw, case, by=world.sara, at=until + DAY)
    intake.take_in(raw.pk, until + DAY)
    assert Message.objects.get(raw_mail=raw).late is True


def test_words_put_on_an_ended_case_give_the_firm_the_ball(world: World) -> None:
    case = world.closed("development")
    at = last_line(case).at + DAY
    raw = arrived(written("eve@x.example", "Volvió a fallar", subject=f"[C-{case.pk}]"), at)
    mail.put_on_case(raw, case, by=world.sara, at=at)
    intake.take_in(raw.pk, at)
    assert Case.objects.get(pk=case.pk).ball == "firm"
    conversation.internal_note(world.on(case, "sara", at + HOUR), text="La miro")
    assert Case.objects.get(pk=case.pk).ball == "firm"  # a note is no answer
    conversation.comment(world.on(case, "sara", at + HOUR), text="Lo miramos")
    assert Case.objects.get(pk=case.pk).ball == "nobody"


def test_an_agents_held_mail_is_put_on_a_case_as_the_firms(world: World, case: Case) -> None:
    content = proven(world, "sara@firm.example", "Lo miramos.", subject=f"[C-{case.pk}]")
    raw = arrived(content, START + DAY)
    held(raw, "proposed", case)
    mail.put_on_case(raw, case, by=world.mario, at=START + DAY)
    settled(world, raw)
    assert last_line(case).payload["side"] == "firm"
    assert not Hold.objects.exists()


def test_nobody_answers_for_an_unproven_mail_of_the_firm(world: World, case: Case) -> None:
    raw = arrived(written("sara@firm.example", to=key_address(case, world.sara)), START + DAY)
    with refused("sender_unproven"):
        mail.put_on_case(raw, case, by=world.sara, at=START + DAY)
    with refused("sender_unproven"):
        mail.put_on_new_case(raw, by=world.sara, at=START + DAY)
    # Nor where nothing was known of it when it was decided: it had failed before it was read.
    RawMail.objects.update(state=MailState.FAILED, person=None)
    mail.put_on_case(raw, case, by=world.sara, at=START + DAY)
    held(settled(world, raw), "unproven", case)


@pytest.mark.parametrize("content", [b"Subject: hola\r\n\r\nQuien soy", None])
def test_a_mail_without_a_clear_author_is_settled_too(
    world: World, case: Case, content: bytes | None
) -> None:
    content = content or written("eve@x.example, ana@andina.example", "Quien soy")
    raw = arrived(content, START + DAY)
    assert raw.state == MailState.HELD
    mail.put_on_case(raw, case, by=world.sara, at=START + DAY)
    assert settled(world, raw).state == MailState.PROCESSED
    message = Message.objects.get(raw_mail=raw)
    assert (message.author, last_line(case).payload["person"]) == (None, None)
    other = arrived(content + b"\r\n.", START + DAY)
    mail.put_on_new_case(other, by=world.sara, at=START + DAY, why="Parece un caso")
    opened = settled(world, other).case
    assert opened is not None
    assert (opened.opened_by, opened.reporter) == ("support", None)


def test_a_new_case_says_who_opened_the_held_mail(world: World, case: Case) -> None:
    raw = arrived(written("eve@evil.example", subject=f"[C-{case.pk}]"), START + DAY)
    mail.put_on_new_case(raw, by=world.sara, at=START + 2 * DAY, why="Es otra cosa")
    opened = settled(world, raw).case
    assert opened is not None
    assert (opened.opened_at, opened.reporter.email) == (START + DAY, "eve@evil.example")
    lines = list(LedgerLine.objects.filter(case=opened).order_by("seq"))
    assert [(line.kind, line.author) for line in lines] == [
        ("open", opened.reporter),
        ("settle_mail", world.sara),
    ]
    assert lines[1].payload["raw_mail"] == raw.pk
    assert Notice.objects.filter(line=lines[0], person=opened.reporter).count() == 1


def test_a_dismissal_needs_a_reason_and_is_noted_on_the_case(world: World, case: Case) -> None:
    raw = arrived(written("eve@evil.example", subject=f"[C-{case.pk}]"), START + DAY)
    with refused("reason_required", "why"):
        mail.dismiss(raw, by=world.sara, at=START + DAY, why=" ")
    mail.dismiss(raw, by=world.sara, at=START + DAY, why="Publicidad")
    line = last_line(case)
    assert (line.kind, line.payload["outcome"]) == ("settle_mail", "dismissed")
    assert not Notice.objects.filter(line=line).exists()
    anonymous = arrived(b"Subject: hola\r\n\r\nQuien soy")
    mail.dismiss(anonymous, by=world.sara, at=START + DAY, why="Publicidad")
    anonymous.refresh_from_db()
    assert (anonymous.state, anonymous.settled_by) == (MailState.IGNORED, world.sara)


@pytest.mark.parametrize("who", ["ana", "ada"])
def test_only_support_and_consultants_settle_mail(world: World, case: Case, who: str) -> None:
    raw = arrived(written("eve@evil.example", subject=f"[C-{case.pk}]"), START + DAY)
    by, at = world.people[who], START + DAY
    for settle in (
        lambda: mail.put_on_case(raw, case, by=by, at=at),
        lambda: mail.put_on_new_case(raw, by=by, at=at),
        lambda: mail.open_forwarded(raw, by=by, at=at, email="x@y.example"),
        lambda: mail.dismiss(raw, by=by, at=at, why="x"),
    ):
        with refused("not_your_role"):
            settle()
    raw.refresh_from_db()
    assert raw.state == MailState.HELD


def test_a_refusal_at_the_act_holds_the_mail_again(world: World, case: Case) -> None:
    raw = arrived(written("eve@evil.example", subject=f"[C-{case.pk}]"), START + DAY)
    mail.put_on_case(raw, case, by=world.sara, at=START + DAY)
    Membership.objects.filter(person=world.sara).update(until=START)
    held(settled(world, raw), "not_your_role", case)


# Large mail, and mail to the firm's own notices


def test_a_mail_kept_in_part_opens_a_case_that_says_so(world: World) -> None:
    head = written("ana@andina.example", subject="Adjunto la base").split(b"\r\n\r\n")[0]
    raw = kept(head + b"\r\n\r\n")
    RawMail.objects.update(complete=False, size=73_400_000)
    assert intake.take_in(raw.pk, START) == MailState.PROCESSED
    message = Message.objects.get(raw_mail=raw)
    assert message.case.subject == "Adjunto la base"
    assert "73" in message.text
    assert message.text == message.whole_text


def test_an_answer_kept_in_part_is_a_comment_that_says_so(world: World, case: Case) -> None:
    to = key_address(case, world.ana)
    raw = kept(written("ana@andina.example", to=to).split(b"\r\n\r\n")[0] + b"\r\n\r\n", START, to)
    RawMail.objects.update(complete=False, size=60_000_000, arrived_at=START + DAY)
    assert intake.take_in(raw.pk, START + DAY) == MailState.PROCESSED
    assert "60" in Message.objects.get(raw_mail=raw).text


def test_an_answer_to_a_notice_of_the_firms_own_stays_with_the_firm(world: World) -> None:
    case = world.taken()
    triage.assign(world.on(case, "sara"), person=world.carlos)
    notice = Notice.objects.get(line__kind="assign", person=world.carlos)
    to = key_address(case, world.carlos)
    content = proven(
        world,
        "carlos@firm.example",
        "Este cliente siempre igual.",
        to=to,
        In_Reply_To=f"<{replies.message_id(notice)}>",
    )
    raw = arrived(content, START + DAY, to)
    assert raw.state == MailState.PROCESSED
    assert last_line(case).kind == "internal_note"
    assert not Message.objects.visible_to(world.ana).filter(raw_mail=raw).exists()


def test_so_does_one_whose_letter_lost_its_message_id_on_the_way(world: World) -> None:
    """The address that the letter asks to answer to is the firm's own."""
    case = world.taken()
    triage.assign(world.on(case, "sara"), person=world.carlos)
    with postman() as post:
        send_all(START)
    to = str(post.to("carlos@firm.example")[-1]["Reply-To"])
    assert to != key_address(case, world.carlos)
    raw = arrived(proven(world, "carlos@firm.example", "Siempre igual.", to=to), START + DAY, to)
    assert (raw.state, raw.case) == (MailState.PROCESSED, case)
    assert last_line(case).kind == "internal_note"
    assert not Message.objects.visible_to(world.ana).filter(raw_mail=raw).exists()


def test_a_stranger_goes_on_talking_on_the_own_case(world: World) -> None:
    case = arrived(written("eve@evil.example", message_id="1@evil")).case
    assert case is not None
    eve = Person.objects.get(email="eve@evil.example")
    to = key_address(case, eve)
    assert arrived(written("eve@evil.example", "Más", to=to), START + HOUR, to).case == case
    assert last_line(case).kind == "comment"


def test_a_deactivated_person_opens_nothing(world: World) -> None:
    Person.objects.filter(pk=world.ana.pk).update(is_active=False)
    held(arrived(written("ana@andina.example")), "not_your_role")


def test_an_administrator_alone_opens_no_case_by_mail(world: World) -> None:
    held(arrived(proven(world, "ada@firm.example")), "not_your_role")


def test_nobody_of_the_firm_opens_a_case_without_proof(world: World) -> None:
    held(arrived(written("sara@firm.example")), "unproven")
    administration.give_role(
        administration.add_person("new@firm.example", "Nuevo"),
        world.firm,
        Role.SUPPORT,
        since=LONG_AGO,
    )
    held(arrived(proven(world, "new@firm.example", verdict="fail")), "spoofed")


def test_a_refused_opening_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refused("subject_required", "open")

    monkeypatch.setattr(life, "open", refuse)
    held(arrived(written("ana@andina.example")), "subject_required")


def test_a_refused_comment_is_not_lost(world: World, case: Case) -> None:
    to = key_address(case, world.ada)
    raw = arrived(proven(world, "ada@firm.example", "Hola", to=to), START + DAY, to)
    held(raw, "not_your_role", case)


def test_nobody_is_met_in_the_language_of_their_customer(world: World) -> None:
    """Where the words are too few to tell, the mailbox says who writes there."""
    world.brisa.language = "pt"
    world.brisa.save()
    administration.add_mailbox("brisa@example.com", "Brisa", organisation=world.brisa)
    arrived(written("zoe@brisa.example", "123"), to="brisa@example.com")
    assert Person.objects.get(email="zoe@brisa.example").language == "pt"
    arrived(written("yan@x.example", "123"))
    assert Person.objects.get(email="yan@x.example").language == "es"


def test_a_mail_is_settled_only_in_a_known_way(world: World, case: Case) -> None:
    raw = arrived(written("eve@evil.example", subject=f"[C-{case.pk}]"), START + DAY)
    with refused("reason_unknown", "outcome"):
        settle_mail(world.on(case, "sara"), raw_mail=raw, outcome="burnt", why="")


def test_a_stranger_opens_ten_cases_an_hour_and_the_rest_waits(world: World) -> None:
    def write(number: int, sender: str = "eve@evil.example") -> RawMail:
        at = START + number * timedelta(minutes=2)
        return arrived(written(sender, f"mensaje {number}", f"asunto {number}"), at)

    states = [write(number).state for number in range(13)]
    assert states == [MailState.PROCESSED] * 10 + [MailState.HELD] * 3
    assert RawMail.objects.filter(reason="loop").count() == 3
    assert write(14, "otra@evil.example").state == MailState.PROCESSED
    assert write(60).state == MailState.PROCESSED
    assert all(write(70 + n, "ana@andina.example").state == "processed" for n in range(12))
