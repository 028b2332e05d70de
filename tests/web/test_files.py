"""Files and whole messages: what is in them never runs, and only who may see them gets them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.actions import conversation, mail
from acuse.interfaces.mail import intake
from acuse.interfaces.mail.attachments import name_for
from acuse.interfaces.web.cleaning import clean_html
from acuse.interfaces.web.files import LONGEST_NAME, UNKNOWN, clean_name, hand_out_bytes, sniff
from acuse.interfaces.web.invitations import read_invitation
from acuse.models import Attachment, Case, Message, RawMail
from acuse.policy.files import find_kind
from tests.mail.samples import mail as letter
from tests.mail.samples import multipart
from tests.web.entering import Browser, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def arrive(world: World, raw: bytes) -> Case:
    """A mail of Ana's, read; the case that it opened."""
    row = mail.keep(raw, world.mailbox, arrived_at=START)
    intake.take_in(row.pk, START)
    row.refresh_from_db()
    assert row.case is not None, (row.state, row.reason, row.detail)
    return row.case


def part(content_type: str, data: bytes, **headers: str) -> str:
    fields = {"Content-Type": content_type, "Content-Transfer-Encoding": "base64", **headers}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"{head}\n{base64.b64encode(data).decode()}"


FROM_ANA = {"from": "Ana <ana@andina.example>", "to": "soporte@example.com"}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\0", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", UNKNOWN),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", UNKNOWN),
        (b"<html><script>", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, expected: str) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize(
    ("content", "name", "how"),
    [
        (PNG, "pantalla.png", "inline"),
        (PNG, "pantalla.html", "inline"),
        (b"<html><script>alert(1)</script>", "pantalla.png", "attachment"),
        (b"<svg onload=alert(1)>", "logo.svg", "attachment"),
        (b"%PDF-1.7", "factura.pdf", "attachment"),
    ],
)
def test_only_pictures_are_shown_and_never_as_pages(content: bytes, name: str, how: str) -> None:
    response = hand_out_bytes(content, name)
    assert response["Content-Disposition"].startswith(f"{how}; ")
    assert response["Content-Type"] in ("image/png", "application/pdf", UNKNOWN)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "allow" not in response["Content-Security-Policy"]
    assert b"".join(response.streaming_content) == content  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\informe.xlsx", "informe.xlsx"),
        ("factura\u202efdp.exe", "facturafdp.exe"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        (" . ", "file"),
        ("", "file"),
        ("ñandú.pdf", "ñandú.pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_leads_nowhere(name: str, expected: str) -> None:
    assert clean_name(name) == expected


@given(st.text())
def test_any_name_makes_a_sound_header(name: str) -> None:
    header = hand_out_bytes(b"x", name)["Content-Disposition"]
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header
    assert "\\" not in header
    assert 0 < len(clean_name(name)) <= LONGEST_NAME


@pytest.mark.parametrize(
    "harm",
    [
        "<script>alert(1)</script>",
        "<p onclick='x()'>",
        "<img src='https://spy.example/pixel.png'>",
        "<img src='/desk/mail/1/raw'>",
        "<img src='cid:unknown@x'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='/accounts/logout/'>x</a>",
        "<a href='//spy.example'>x</a>",
        "<p style='position:fixed;background:url(https://spy.example/x)'>",
        "<style>p { background: url(https://spy.example/x) }</style>",
        "<form action='https://spy.example'><input name=password></form>",
        "<iframe src='https://spy.example'></iframe>",
        "<link rel=stylesheet href='https://spy.example/x.css'>",
        "<svg><image href='https://spy.example/x'/></svg>",
        "<base href='https://spy.example'>",
        "<meta http-equiv=refresh content='0;url=https://spy.example'>",
        "<object data='https://spy.example'></object>",
    ],
)
def test_the_html_of_a_mail_does_nothing_and_fetches_nothing(harm: str) -> None:
    cleaned = clean_html(f"<p>Antes</p>{harm}<p>Después</p>", {"logo@x": "/files/3"})
    assert "Antes" in cleaned
    assert "Después" in cleaned
    for sign in ("script", "spy.example", "/desk", "/accounts", "onclick", "cid:", "<input"):
        assert sign not in cleaned, cleaned
    assert "position" not in cleaned


def test_the_mails_own_images_and_its_look_stay() -> None:
    html = (
        "<table bgcolor='#eee'><tr><td style='color: red; text-align: right'>Total</td></tr>"
        "</table><img src='cid:Logo@X' alt='Logo'><a href='https://andina.example'>sitio</a>"
    )
    cleaned = clean_html(html, {"logo@x": "/files/3"})
    assert '<img src="/files/3" alt="Logo">' in cleaned
    assert "color:red" in cleaned
    assert 'href="https://andina.example"' in cleaned
    assert 'rel="noopener noreferrer"' in cleaned


HTML = (
    "Content-Type: text/html; charset=utf-8\n\n<p>Mire la <b>pantalla</b>:</p>"
    "<img src='cid:captura@andina'><img src='https://spy.example/p.png'>"
)
WITH_IMAGE = multipart(
    "related",
    HTML,
    part(
        'image/png; name="captura.png"',
        PNG,
        **{"Content-ID": "<captura@andina>", "Content-Disposition": "inline"},
    ),
    **FROM_ANA,
)


def test_a_mail_is_shown_whole_with_its_own_images(world: World, enter: Enter) -> None:
    case = arrive(world, WITH_IMAGE)
    message = case.messages.get()
    for short, door in (("ana", ""), ("sara", "/desk")):
        browser = enter(short)
        address = f"{door}/cases/{case.number}/messages/{message.pk}"
        assert address in browser.look(case).content.decode()
        page = browser.get(address)
        assert "Mire la pantalla" in words_of(page)
        assert f'src="{address}/html"' in page.content.decode()
        frame = browser.get(f"{address}/html")
        policy = frame["Content-Security-Policy"]
        assert "allow-scripts" not in policy
        assert "default-src 'none'" in policy
        assert frame["X-Frame-Options"] == "SAMEORIGIN"
        image = Attachment.objects.get()
        body = frame.content.decode()
        assert f'src="{door}/files/{image.pk}"' in body
        assert "spy.example" not in body
        got = browser.get(f"{door}/files/{image.pk}")
        assert got["Content-Type"] == "image/png"
    for end in ("", "/html"):
        strange = f"/cases/{case.number}/messages/{message.pk}{end}"
        assert enter("nora").get(strange).status_code == 404


def test_what_an_agent_quoted_is_not_shown_whole_to_a_customer(world: World, enter: Enter) -> None:
    case = world.report()
    conversation.comment(
        world.on(case, "sara"),
        text="Ya lo vemos.",
        whole_text="Ya lo vemos.\n\n> nota interna: el cliente no paga",
        html="<p>Ya lo vemos.</p><blockquote>nota interna: el cliente no paga</blockquote>",
    )
    message = Message.objects.get(text="Ya lo vemos.")
    address = f"cases/{case.number}/messages/{message.pk}"
    ana = enter("ana")
    assert "Ya lo vemos." in words_of(ana.look(case))
    assert address not in ana.look(case).content.decode()
    for path in (address, f"{address}/html"):
        assert ana.get(f"/{path}").status_code == 404
    assert "nota interna" in words_of(enter("sara").get(f"/desk/{address}"))


def test_a_note_is_not_found_among_the_messages_of_a_customer(world: World, enter: Enter) -> None:
    case = world.report()
    conversation.internal_note(world.on(case, "sara"), text="Ojo")
    note = Message.objects.get(text="Ojo")
    address = f"cases/{case.number}/messages/{note.pk}"
    assert enter("ana").get(f"/{address}").status_code == 404
    assert "Ojo" in words_of(enter("sara").get(f"/desk/{address}"))
    other = world.report()
    assert enter("sara").get(f"/desk/cases/{other.number}/messages/{note.pk}").status_code == 404


ICS = """BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:1@andina.example
SUMMARY:Revisión del cierre
DTSTART;TZID=America/Bogota:20261120T090000
DTEND;TZID=America/Bogota:20261120T100000
LOCATION:Sala 2
ORGANIZER;CN=Ana Ruiz:mailto:ana@andina.example
END:VEVENT
END:VCALENDAR
"""


def invitation_mail(method: str = "REQUEST") -> bytes:
    return multipart(
        "mixed",
        "Content-Type: text/plain; charset=utf-8\n\nLos invito",
        part(
            'text/calendar; charset=utf-8; name="cita.ics"',
            ICS.format(method=method).encode(),
            **{"Content-Disposition": 'attachment; filename="cita.ics"'},
        ),
        **FROM_ANA,
    )


def test_an_invitation_is_shown_as_a_card_in_the_readers_zone(world: World, enter: Enter) -> None:
    case = arrive(world, invitation_mail())
    world.sara.zone = "Europe/Madrid"
    world.sara.save()
    at_home = words_of(enter("ana").look(case))
    assert "Invitation: Revisión del cierre" in at_home
    assert "Sala 2" in at_home
    assert "Ana Ruiz &lt;ana@andina.example&gt;" in at_home
    assert "09:00" in at_home
    assert "15:00" in words_of(enter("sara").look(case))


def test_a_cancelled_meeting_says_so(world: World, enter: Enter) -> None:
    case = arrive(world, invitation_mail("CANCEL"))
    assert "Cancelled meeting: Revisión del cierre" in words_of(enter("ana").look(case))


def test_whole_days_and_odd_calendars() -> None:
    def ics(lines: str) -> bytes:
        return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR".encode()

    days = read_invitation(ics("DTSTART;VALUE=DATE:20261120\r\nDTEND;VALUE=DATE:20261122"))
    assert days is not None
    assert (days.first_day, days.last_day) == (date(2026, 11, 20), date(2026, 11, 21))
    floating = read_invitation(ics("DTSTART:20261120T090000\r\nRRULE:FREQ=DAILY"))
    assert floating is not None
    assert floating.starts_at is not None
    assert floating.starts_at.tzinfo is not None
    assert floating.repeats
    assert read_invitation(ics("SUMMARY:without a start")) is None
    assert read_invitation(b"\xff\xfe not a calendar") is None
    assert read_invitation(b"x" * 300_000) is None


SIGNED_DATA = bytes.fromhex("3080") + bytes.fromhex("06092a864886f70d010702") + b"\0" * 40
ENVELOPED = bytes.fromhex("3080") + bytes.fromhex("06092a864886f70d010703") + b"\0" * 40
SIGNED = "Signed by its sender. The signature has not been checked."
ENCRYPTED = "Encrypted: we cannot read it. Ask the sender for it in plain words."


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            multipart(
                "signed",
                "Content-Type: text/plain; charset=utf-8\n\nFirmado",
                part('application/pkcs7-signature; name="smime.p7s"', b"\x30\x80"),
                **FROM_ANA,
            ),
            SIGNED,
        ),
        (
            letter(
                base64.b64encode(ENVELOPED).decode(),
                content_type='application/pkcs7-mime; name="smime.p7m"; smime-type=enveloped-data',
                content_transfer_encoding="base64",
                **FROM_ANA,
            ),
            ENCRYPTED,
        ),
        (
            letter(
                base64.b64encode(SIGNED_DATA).decode(),
                content_type='application/pkcs7-mime; name="smime.p7m"; smime-type=signed-data',
                content_transfer_encoding="base64",
                **FROM_ANA,
            ),
            SIGNED,
        ),
        (letter("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END", **FROM_ANA), ENCRYPTED),
        (letter("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHola", **FROM_ANA), SIGNED),
        (letter("Hola", **FROM_ANA), ""),
    ],
)
def test_sealed_mail_is_named_as_such(world: World, enter: Enter, raw: bytes, words: str) -> None:
    said = words_of(enter("sara").look(arrive(world, raw)))
    for sentence in (SIGNED, ENCRYPTED):
        assert (sentence in said) == (sentence == words), sentence


def winmail(name: str, data: bytes) -> bytes:
    """Outlook's container with one file (MS-OXTNEF: signature, key, attributes)."""
    body = b"\x78\x9f\x3e\x22\x01\x00"
    title = name.encode() + b"\0"
    for code, value in ((0x00069002, b"\0" * 14), (0x00018010, title), (0x0006800F, data)):
        checksum = (sum(value) & 0xFFFF).to_bytes(2, "little")
        head = b"\x02" + code.to_bytes(4, "little") + len(value).to_bytes(4, "little")
        body += head + value + checksum
    return body


def test_the_files_in_a_winmail_are_listed(world: World, enter: Enter) -> None:
    raw = multipart(
        "mixed",
        "Content-Type: text/plain; charset=utf-8\n\nAdjunto",
        part('application/ms-tnef; name="winmail.dat"', winmail("cierre.txt", b"cuentas")),
        **FROM_ANA,
    )
    case = arrive(world, raw)
    browser = enter("ana")
    assert "cierre.txt" in words_of(browser.look(case))
    file = Attachment.objects.get(filename="cierre.txt")
    got = browser.get(f"/files/{file.pk}")
    assert b"".join(got.streaming_content) == b"cuentas"  # type: ignore[attr-defined]


def test_a_program_is_kept_and_warned_of_wherever_files_are_listed(
    world: World, enter: Enter
) -> None:
    """For the firm and the customer, on the case and on mail that waits; nothing is blocked."""
    named = {"factura.pdf.exe": b"MZ\x90\0", "nota.pdf": b"%PDF-1.7", "arreglo.sh": b"#!/bin/sh"}
    files = [
        part(UNKNOWN, data, **{"Content-Disposition": f'attachment; filename="{name}"'})
        for name, data in named.items()
    ]
    raw = multipart("mixed", part("text/plain", b"Adjunto"), *files, **FROM_ANA)
    case = arrive(world, raw)
    kept = RawMail.objects.get(case=case)
    RawMail.objects.filter(pk=kept.pk).update(state="held", reason="proposed")
    pages = {"sara": (f"/desk/cases/{case.number}", f"/desk/mail/{kept.pk}")}
    pages["ana"] = (f"/cases/{case.number}",)
    for who, addresses in pages.items():
        for address in addresses:
            words = words_of(enter(who).get(address))
            assert words.count("A program that looks like something else: do not open it.") == 1
            assert words.count("A program: run it only if you expected it from this sender.") == 1
    file = Attachment.objects.get(case=case, filename="factura.pdf.exe")
    got = enter("ana").get(f"/files/{file.pk}")
    assert got["Content-Disposition"].startswith("attachment")
    assert b"".join(got.streaming_content) == b"MZ\x90\0"


def test_kinds_have_names_of_their_own() -> None:
    assert find_kind("x.ics", UNKNOWN) == "invitation"
    assert find_kind("", "application/pkcs7-mime", "signed-data") == "signed"
    assert name_for("text/calendar", "invitation") == "invitation.ics"
