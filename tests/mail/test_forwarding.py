"""One of the firm passes on a customer's mail: it is proposed, opened at somebody's click for
whoever wrote it, and the colleague's own words stay with the firm (mail rule 18)."""

from __future__ import annotations

from datetime import timedelta
from email import policy
from email.message import EmailMessage

import pytest

from acuse.actions import administration, mail
from acuse.interfaces.mail import intake
from acuse.models import (
    Attachment,
    Case,
    LedgerLine,
    Mailbox,
    MailState,
    Message,
    Notice,
    Organisation,
    Person,
    RawMail,
)
from acuse.policy.fields import InvalidField
from acuse.policy.stages import Role
from acuse.queries.correspondence import propose_customer
from tests.mail.post import arrived, body, postman, proven, send_all, written
from tests.world import HOUR, LONG_AGO, START, World, refused

CLICK = START + timedelta(hours=3)
OWN = "Ojo: este cliente no paga. Que lo vea Carlos."


def passed_on(author: str = "Ana Ruiz <ana@andina.example>", own: str = OWN) -> str:
    return (
        f"{own}\n\n---------- Forwarded message ---------\n"
        f"De: {author}\nDate: lun, 16 nov 2026 a las 9:05\n"
        "Subject: No cuadra el inventario\nTo: Sara Soporte <sara@firm.example>\n\n"
        "Buenos días, el inventario no cuadra desde ayer. ¿Lo pueden revisar, por favor?\n"
    )


def forward(world: World, *text: str, **headers: object) -> RawMail:
    """Sara's forward, proven, as it is held."""
    headers.setdefault("subject", "Fwd: No cuadra el inventario")
    content = proven(world, "sara@firm.example", *(text or (passed_on(),)), **headers)
    return arrived(content, START + HOUR)


def opened(world: World, raw: RawMail, **chosen: object) -> RawMail:
    """The forward after Mario's click, read by the worker."""
    chosen.setdefault("email", raw.proposal["email"])
    mail.open_forwarded(raw, by=world.mario, at=CLICK, name=raw.proposal["name"], **chosen)  # type: ignore[arg-type]
    intake.take_in(raw.pk, CLICK)
    return RawMail.objects.select_related("case", "person").get(pk=raw.pk)


def test_an_agents_forward_is_only_proposed(world: World) -> None:
    raw = forward(world)
    assert (raw.state, raw.reason, raw.person) == (MailState.HELD, "forward", world.sara)
    assert raw.proposal == {
        "email": "ana@andina.example",
        "name": "Ana Ruiz",
        "subject": "No cuadra el inventario",
        "text": "Buenos días, el inventario no cuadra desde ayer. ¿Lo pueden revisar, por favor?",
        "words": OWN,
        "language": "es",
    }
    assert not Case.objects.exists()
    assert not Notice.objects.exists()


def test_the_click_opens_the_authors_case_from_the_arrival_on(world: World) -> None:
    raw = opened(world, forward(world), organisation=world.andina, why="Es de Andina")
    case = raw.case
    assert raw.state == MailState.PROCESSED
    assert case is not None
    assert (case.reporter, case.organisation, case.opened_at) == (
        world.ana,
        world.andina,
        START + HOUR,
    )
    assert (case.subject, case.opened_by) == ("No cuadra el inventario", "support")
    report = Message.objects.get(case=case, kind="report")
    assert (report.author, report.channel) == (world.ana, "mail")
    assert report.text.startswith("Buenos días")
    lines = LedgerLine.objects.filter(case=case).order_by("seq")
    assert [(line.kind, line.author) for line in lines] == [
        ("open", world.mario),
        ("internal_note", world.sara),
        ("settle_mail", world.mario),
    ]
    assert (lines[2].at, lines[2].payload["outcome"]) == (CLICK, "forward")


def test_the_colleagues_words_and_files_never_reach_the_customer(world: World) -> None:
    raw = forward(world, attach=("costos internos.pdf", b"%PDF-1"))
    case = opened(world, raw, organisation=world.andina).case
    note = Message.objects.get(case=case, kind="internal_note")
    assert (note.text, note.author, note.raw_mail) == (OWN, world.sara, raw)
    assert Attachment.objects.get(case=case).audience == "firm"
    seen = Message.objects.visible_to(world.ana).filter(case=case)
    assert [message.kind for message in seen] == ["report"]
    for message in seen:
        said = message.text + message.whole_text + message.html
        assert "no paga" not in said
        assert message.raw_mail is None  # the mail itself holds the words too
    with postman() as post:
        send_all(CLICK)
    (letter,) = post.to("ana@andina.example")
    assert "no paga" not in letter.as_string() + body(letter) + body(letter, "html")


def test_the_confirmation_goes_out_after_the_click_and_once(world: World) -> None:
    raw = forward(world)
    case = opened(world, raw, organisation=world.andina).case
    notices = Notice.objects.filter(case=case, person=world.ana)
    assert [notice.line.kind for notice in notices.select_related("line")] == ["open"]
    with pytest.raises(ValueError, match="neither held nor failed|no forward"):
        mail.open_forwarded(raw, by=world.mario, at=CLICK, email="ana@andina.example")


def test_somebody_unknown_is_met_and_bound_to_whom_the_agent_chose(world: World) -> None:
    raw = forward(world, passed_on("Eve Contadora <eve@contadores.example>"))
    unbound = opened(world, raw).case
    assert unbound is not None
    eve = Person.objects.get(email="eve@contadores.example")
    assert (unbound.reporter, unbound.organisation, eve.name) == (eve, None, "Eve Contadora")
    again = forward(world, passed_on("Rita <rita@contadores.example>"), message_id="2@firm")
    bound = opened(world, again, organisation=world.brisa).case
    assert bound is not None
    assert bound.organisation == world.brisa


def test_the_agent_may_correct_the_address(world: World) -> None:
    raw = forward(world, passed_on("Ana Ruiz"))
    assert raw.proposal["email"] == ""
    case = opened(world, raw, email="Ana@Andina.example", organisation=world.andina).case
    assert case is not None
    assert case.reporter == world.ana


@pytest.mark.parametrize("email", ["nobody", "carlos@firm.example", ""])
def test_an_address_that_cannot_be_the_authors_is_refused(world: World, email: str) -> None:
    raw = forward(world)
    with pytest.raises(InvalidField) as told:
        mail.open_forwarded(raw, by=world.mario, at=CLICK, email=email)
    assert told.value.field == "email"
    raw.refresh_from_db()
    assert raw.state == MailState.HELD


def test_nobodys_case_goes_to_a_customer_they_do_not_belong_to(world: World) -> None:
    raw = forward(world)
    with refused("other_customer", "organisation"):
        mail.open_forwarded(
            raw, by=world.mario, at=CLICK, email="ana@andina.example", organisation=world.brisa
        )


def test_a_customer_lost_in_between_holds_the_mail_again(world: World) -> None:
    raw = forward(world)
    mail.open_forwarded(
        raw, by=world.mario, at=CLICK, email="eve@x.example", organisation=world.brisa
    )
    eve = administration.add_person("eve@x.example")
    administration.give_role(eve, world.andina, Role.USER, since=LONG_AGO)
    assert intake.take_in(raw.pk, CLICK) == MailState.HELD
    raw.refresh_from_db()
    assert raw.reason == "other_customer"
    assert not Case.objects.exists()


def test_only_a_forward_is_opened_as_one(world: World) -> None:
    raw = arrived(b"Subject: hola\r\n\r\nQuien soy")
    with pytest.raises(ValueError, match="no forward"):
        mail.open_forwarded(raw, by=world.mario, at=CLICK, email="ana@andina.example")


def test_a_forward_may_be_put_on_a_case_or_on_one_of_the_agents_own(world: World) -> None:
    case = world.report()
    placed = forward(world, subject=f"Fwd: [C-{case.pk}] No cuadra")
    assert placed.case == case
    mail.put_on_new_case(placed, by=world.mario, at=CLICK)
    assert intake.take_in(placed.pk, CLICK) == MailState.PROCESSED
    own = RawMail.objects.select_related("case").get(pk=placed.pk).case
    assert own is not None
    assert (own.opened_by, own.reporter) == ("support", None)


def test_what_a_customer_passes_on_is_their_own_report(world: World) -> None:
    text = passed_on("Proveedor <ventas@proveedor.example>", own="Me llegó esto:")
    raw = arrived(written("beto@andina.example", text, subject="Fwd: No cuadra el inventario"))
    assert raw.state == MailState.PROCESSED
    assert raw.case is not None
    assert raw.case.reporter == world.beto
    assert "Me llegó esto" in Message.objects.get(case=raw.case).text


def test_an_unproven_forward_proposes_nothing(world: World) -> None:
    raw = arrived(written("sara@firm.example", passed_on(), subject="Fwd: No cuadra"))
    assert (raw.reason, raw.proposal) == ("unproven", {})


def test_a_forward_of_our_own_mail_is_no_customers_report(world: World) -> None:
    for author in ("soporte+c1@example.com", "Carlos <carlos@firm.example>"):
        raw = forward(world, passed_on(author), message_id=f"{len(author)}@firm.example")
        assert raw.state == MailState.PROCESSED
        assert raw.case is not None
        assert raw.case.reporter is None


def test_a_mail_passed_on_whole_brings_its_own_words_and_files(world: World) -> None:
    original = EmailMessage(policy=policy.SMTP)
    original["From"], original["To"] = "Ana Ruiz <ana@andina.example>", "sara@firm.example"
    original["Subject"] = "No cuadra el inventario"
    original.set_content("Buenos días, el inventario no cuadra desde ayer, por favor revisen.")
    original.add_attachment(b"%PDF-2", maintype="application", subtype="pdf", filename="kardex.pdf")
    outer = EmailMessage(policy=policy.SMTP)
    outer["From"], outer["To"] = "sara@firm.example", "soporte@example.com"
    outer["Subject"] = "Fwd: No cuadra el inventario"
    outer.set_content(OWN)
    outer.add_attachment(original)
    world.mailbox.authserv_id = "mx.example.com"
    world.mailbox.save()
    line = b"Authentication-Results: mx.example.com; dmarc=pass header.from=firm.example\r\n"
    raw = arrived(line + outer.as_bytes(), START + HOUR)
    assert (raw.reason, raw.proposal["email"]) == ("forward", "ana@andina.example")
    case = opened(world, raw, organisation=world.andina).case
    report = Message.objects.get(case=case, kind="report")
    assert "no cuadra desde ayer" in report.text
    assert [file.filename for file in report.attachments.all()] == ["kardex.pdf"]
    note = Message.objects.get(case=case, kind="internal_note")
    assert (note.text, note.attachments.count()) == (OWN, 1)


def test_a_forward_without_a_word_is_noted_as_such(world: World) -> None:
    raw = forward(world, passed_on(own=""))
    case = opened(world, raw, organisation=world.andina).case
    assert Message.objects.get(case=case, kind="internal_note").text


def test_a_forwarder_who_may_not_note_leaves_it_to_who_opens_it(world: World) -> None:
    content = proven(world, "ada@firm.example", passed_on(), subject="Fwd: No cuadra")
    raw = arrived(content, START + HOUR)
    case = opened(world, raw, organisation=world.andina).case
    assert Message.objects.get(case=case, kind="internal_note").author == world.mario


# Whose customer it is


def proposal(email: str, mailbox: Mailbox | None = None) -> Organisation | None:
    return propose_customer(RawMail(proposal={"email": email}, mailbox=mailbox))


def test_the_customer_is_proposed_where_it_is_clear(world: World) -> None:
    assert proposal("ana@andina.example") == world.andina
    assert proposal("nueva@andina.example") == world.andina  # by the domain of its people
    assert proposal("eve@contadores.example") is None
    assert proposal("") is None
    box = administration.add_mailbox("brisa@example.com", "Brisa", organisation=world.brisa)
    assert proposal("eve@contadores.example", box) == world.brisa
    assert proposal("ana@andina.example", box) == world.andina


def test_a_customer_is_not_guessed_where_two_would_do(world: World) -> None:
    administration.give_role(world.nora, world.andina, Role.USER, since=LONG_AGO)
    assert proposal("nora@brisa.example") is None
    assert proposal("nueva@brisa.example") is None
    rita = administration.add_person("rita@gmail.com")
    administration.give_role(rita, world.andina, Role.USER, since=LONG_AGO)
    assert proposal("rita@gmail.com") == world.andina
    assert proposal("otro@gmail.com") is None  # everybody has an address there


def test_the_original_is_found_among_other_files(world: World) -> None:
    """A signature's picture may come before the mail that is passed on."""
    outer = EmailMessage(policy=policy.SMTP)
    outer["From"], outer["To"] = "sara@firm.example", "soporte@example.com"
    outer["Subject"] = "Fwd: Factura"
    outer.set_content(OWN)
    outer.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    original = EmailMessage(policy=policy.SMTP)
    original["From"], original["Subject"] = "ana@andina.example", "Factura"
    original.set_content("La factura no sale.")
    outer.add_attachment(original)
    world.mailbox.authserv_id = "mx.example.com"
    world.mailbox.save()
    line = b"Authentication-Results: mx.example.com; dmarc=pass header.from=firm.example\r\n"
    raw = arrived(line + outer.as_bytes(), START + HOUR)
    assert raw.proposal["text"] == "La factura no sale."
    bare = forward(world, "---------- Forwarded message ---------\nDe: Ana <ana@andina.example>\n")
    assert bare.proposal.get("text", "") == ""
