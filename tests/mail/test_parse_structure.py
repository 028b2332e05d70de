"""Headers, addresses, charsets, parts and files of real-shaped mail (rules 3, 5, 16, 17)."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from acuse.interfaces.mail.attachments import TNEF_MAGIC
from acuse.interfaces.mail.decode import (
    Address,
    clean_file_name,
    decode_base64,
    decode_header,
    decode_text,
    find_codec,
    read_addresses,
    read_params,
)
from acuse.interfaces.mail.language import guess_language
from acuse.interfaces.mail.markup import html_to_text
from acuse.interfaces.mail.parse import parse, read_date
from acuse.interfaces.mail.structure import MAX_DEPTH, MAX_PARTS
from tests.mail.samples import mail, multipart

ENYE = "Año y señal: ¿qué?"


def test_parser_needs_no_django() -> None:
    code = "import sys, acuse.interfaces.mail.parse; print('django' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_plain_mail() -> None:
    found = parse(mail("Hola:\n\nNo imprime.\n", references="<1@x> <2@x>", in_reply_to="<2@x>"))
    assert (found["from_email"], found["from_name"]) == ("ana@cliente.example", "Ana Sosa")
    assert (found["subject"], found["message_id"]) == ("Consulta", "1@cliente.example")
    assert (found["in_reply_to"], found["references"]) == ("2@x", ["2@x", "1@x"])
    assert found["to"] == [{"name": "", "email": "soporte@firma.example"}]
    assert found["date"] == datetime(2026, 2, 2, 8, 5, tzinfo=UTC)
    assert found["text"].split() == ["Hola:", "No", "imprime."]
    assert (found["bounce"], found["auto_submitted"], found["forwarded"]) == (False, False, None)
    assert found["defects"] == []


def test_references_are_newest_first_and_at_most_twenty() -> None:
    found = parse(mail("x", references=" ".join(f"<{n}@x>" for n in range(50))))
    assert found["references"] == [f"{n}@x" for n in range(49, 29, -1)]


def test_all_delivery_headers_are_read_once_each() -> None:
    raw = (
        b"Delivered-To: a@x.example\r\nDelivered-To: b@x.example\r\nX-Original-To: c@x.example\r\n"
        b"Envelope-To: <d@x.example>\r\nX-Gm-Original-To: a@x.example\r\n\r\nx"
    )
    assert parse(raw)["delivered_to"] == [f"{n}@x.example" for n in "abcd"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ana <a@x.example>", [Address("Ana", "a@x.example")]),
        ('"Sosa, Ana" <a@x.example>', [Address("Sosa, Ana", "a@x.example")]),
        ("Sosa, Ana <a@x.example>", [Address("Sosa, Ana", "a@x.example")]),
        ("a@x.example (Ana Sosa)", [Address("Ana Sosa", "a@x.example")]),
        ('"ana@otra.example" <a@x.example>', [Address("ana@otra.example", "a@x.example")]),
        ("ana@otra.example <a@x.example>", [Address("ana@otra.example", "a@x.example")]),
        ("=?utf-8?q?Mar=C3=ADa?= <m@x.example>", [Address("María", "m@x.example")]),
        ("Equipo: a@x.example, b@x.example;", [Address("", "a@x.example"),
                                               Address("", "b@x.example")]),
        ("undisclosed-recipients:;", []),
        ("MAILER-DAEMON <>", [Address("MAILER-DAEMON", "")]),
        ("<mailto:a@x.example>", [Address("", "a@x.example")]),
        ('"Ana \\"la jefa\\" Sosa" <a@x.example>', [Address('Ana "la jefa" Sosa', "a@x.example")]),
        ("a@x.example, b@y.example", [Address("", "a@x.example"), Address("", "b@y.example")]),
        ("Ana <a@[192.0.2.1]>", [Address("Ana", "a@[192.0.2.1]")]),
        ("", []),
    ],
)  # fmt: skip
def test_addresses(value: str, expected: list[Address]) -> None:
    assert read_addresses(value) == expected


def test_sender_is_from_and_never_reply_to() -> None:
    found = parse(mail("x", reply_to="otra@mala.example"))
    assert found["from_email"] == "ana@cliente.example"
    assert found["reply_to"] == [{"name": "", "email": "otra@mala.example"}]
    assert parse(mail("x", **{"from": "", "reply_to": "otra@mala.example"}))["from_email"] == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?B?QcOxbw==?=", "Año"),
        ("=?ISO-8859-1?Q?A=F1o_nuevo?=", "Año nuevo"),
        ("=?utf-8?q?se=C3?= =?utf-8?q?=B1al?=", "señal"),
        ("=?utf-8?q?uno?= y =?utf-8?q?dos?=", "uno y dos"),
        ("=?utf-8?q?Re: con espacios?=", "Re: con espacios"),
        ("=?nadie-lo-conoce?q?A=C3=B1o?=", "Año"),
        ("=?utf-8?B?QcOxbw?=", "Año"),
        ("=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"),
        ("dos\r\n líneas", "dos líneas"),
        ("A\udcf1o", "Año"),
        ("A\udcc3\udcb1o", "Año"),
        ("50 =? 3", "50 =? 3"),
        ("nul\0o", "nulo"),
    ],
)
def test_headers_are_decoded(value: str, expected: str) -> None:
    assert decode_header(value) == expected


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("utf-8", "utf-8"), ("utf-8", "us-ascii"), ("utf-8", "iso-8859-1"), ("utf-8", None),
        ("cp1252", "iso-8859-1"), ("cp1252", "windows-1252"), ("cp1252", None),
        ("cp1252", "utf-8"), ("cp1252", "no-such"), ("utf-16", "utf-16"), ("cp850", "cp850"),
    ],
)  # fmt: skip
def test_texts_in_any_charset(codec: str, label: str | None) -> None:
    assert decode_text(ENYE.encode(codec), label) == ENYE


@pytest.mark.parametrize(
    ("codec", "label", "text"),
    [
        ("gb18030", "gb2312", "您好，系统无法登录，请尽快处理"),
        ("gb18030", None, "您好，系统无法登录，请尽快处理"),
        ("iso2022_jp", None, "こんにちは"),
        ("cp1251", None, "Здравствуйте, система не работает"),
        ("koi8-r", "koi8-r", "Здравствуйте"),
        ("cp1252", "iso-8859-1", "“comillas” y €"),
    ],
)
def test_other_scripts(codec: str, label: str | None, text: str) -> None:
    assert decode_text(text.encode(codec), label) == text


def test_codecs_that_are_not_charsets_are_refused() -> None:
    for label in ("base64", "zlib", "rot13", "unicode_escape", "", None, "x" * 99, "utf-8\udcff"):
        assert find_codec(label) is None
    assert find_codec("UTF-8") == "utf-8"


def test_nul_and_surrogates_never_leave_the_parser() -> None:
    assert decode_text(b"a\0b") == "ab"
    lone = "Año a\ud800b".encode("utf-8", "surrogatepass")
    assert decode_text(lone, "utf-8").encode().startswith("Año a".encode())


def test_broken_base64_gives_what_it_can() -> None:
    assert decode_base64(b"SG9s!YQ") == b"Hola"
    assert decode_base64(b"SG9sY") == b"Hol"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="informe.pdf"', "informe.pdf"),
        ("attachment; filename=informe.pdf; size=3", "informe.pdf"),
        ("attachment; filename*=utf-8''a%C3%B1o.pdf", "año.pdf"),
        ("attachment; filename*0*=utf-8''a%C3; filename*1*=%B1o; filename*2=\".pdf\"", "año.pdf"),
        ('attachment; filename="=?utf-8?q?a=C3=B1o.pdf?="', "año.pdf"),
        ('attachment; filename="a; b.pdf"', "a; b.pdf"),
        ('attachment; filename="sin fin.pdf', "sin fin.pdf"),
        ('attachment; filename="a\udcc3\udcb1o.pdf"', "año.pdf"),
    ],
)
def test_parameters(value: str, name: str) -> None:
    main, params = read_params(value)
    assert (main, params["filename"]) == ("attachment", name)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\datos\\hoja.xls", "hoja.xls"),
        ("foto\u202egpj.exe", "fotogpj.exe"),
        ("a\r\nb.txt", "ab.txt"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("x" * 300, "x" * 200),
    ],
)
def test_file_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_file_name(name) == clean


def test_files_of_a_message() -> None:
    raw = multipart(
        "mixed",
        "Content-Type: text/plain; charset=utf-8\n\nVa el informe.",
        "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
        'Content-Disposition: attachment; filename="informe.pdf"\n\n'
        + base64.b64encode(b"%PDF").decode(),
        "Content-Type: image/png; name=logo.png\nContent-ID: <logo@x>\n"
        "Content-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBO",
        "Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\nBEGIN:VCALENDAR",
        "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx",
        "Content-Type: message/rfc822\n\nSubject: dentro\n\nhola",
    )
    found = parse(raw)
    files = found["attachments"]
    assert [f["filename"] for f in files] == ["informe.pdf", "logo.png", "", "smime.p7s", ""]
    assert [f["kind"] for f in files] == ["file", "image", "invitation", "signed", "message"]
    assert [f["shown_name"] for f in files][2:] == ["invitation.ics", "smime.p7s", "message.eml"]
    assert (files[0]["data"], files[0]["size"], files[0]["inline"]) == (b"%PDF", 4, False)
    assert (files[1]["cid"], files[1]["inline"]) == ("logo@x", True)
    assert files[4]["data"].endswith(b"hola")
    assert found["text"].strip() == "Va el informe."
    assert found["calendar"].startswith("BEGIN:VCALENDAR")
    assert (found["signed"], found["encrypted"]) == (True, False)


def test_encrypted_mail_is_named_as_such() -> None:
    raw = mail("x", content_type='application/pkcs7-mime; smime-type=enveloped-data; name="a.p7m"')
    assert parse(raw)["encrypted"] is True
    raw = mail("x", content_type='application/pkcs7-mime; smime-type=signed-data; name="a.p7m"')
    assert (parse(raw)["encrypted"], parse(raw)["signed"]) == (False, True)
    raw = multipart("encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1")
    assert parse(raw)["encrypted"] is True


def test_damaged_outlook_container_stays_a_file() -> None:
    data = base64.b64encode(TNEF_MAGIC + b"rubbish").decode()
    raw = multipart(
        "mixed",
        "Content-Type: text/plain\n\nHola",
        "Content-Type: application/ms-tnef; name=winmail.dat\n"
        "Content-Transfer-Encoding: base64\n\n" + data,
    )
    found = parse(raw)
    assert found["text"].strip() == "Hola"
    assert found["attachments"] == [] or found["attachments"][0]["filename"] == "winmail.dat"


def test_attached_message_in_base64_is_decoded() -> None:
    inner = base64.b64encode(b"Subject: dentro\n\nhola").decode()
    raw = multipart(
        "mixed",
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename=x.eml\n\n" + inner,
    )
    assert parse(raw)["attachments"][0]["data"] == b"Subject: dentro\n\nhola"


def test_plain_text_stands_before_html_and_html_before_nothing() -> None:
    plain = "Content-Type: text/plain; charset=utf-8\n\nllano"
    html = "Content-Type: text/html; charset=utf-8\n\n<p>rico</p>"
    both = parse(multipart("alternative", plain, html))
    assert (both["text"].strip(), both["html"].strip()) == ("llano", "<p>rico</p>")
    assert parse(multipart("alternative", html))["text"] == "rico"
    empty = "Content-Type: text/plain\n\n \n"
    assert parse(multipart("alternative", empty, html))["text"] == "rico"


def test_html_text_keeps_words_and_shape() -> None:
    source = (
        "<title>no</title><style>no</style><!-- no --><ul><li>uno<li>dos</ul><table><tr><td>a</td>"
        "<td>b</td></tr></table><pre>x\n  y</pre>fin &lt;b&gt; 3 < 4<br>ya&nbsp;está"
    )
    assert html_to_text(source) == "- uno\n- dos\na b\nx\n  y\nfin <b> 3 < 4\nya está"


def test_unclosed_html_loses_no_words() -> None:
    assert html_to_text("antes <!-- después") == "antes después"
    assert html_to_text("antes <style>p{} </body> después").startswith("antes")
    assert "dos" in html_to_text("<blockquote>uno<blockquote>dos")


def test_damaged_header_line_does_not_end_the_headers() -> None:
    raw = b"Frm\xff x: y\nFrom : Ana <a@x.example>\nSubject: Hola\n\ntexto"
    found = parse(raw)
    assert (found["from_email"], found["subject"]) == ("a@x.example", "Hola")
    assert found["text"] == "texto"
    assert "garbled_header" in found["defects"]


def test_limits_hold_and_are_told() -> None:
    wide = parse(multipart("mixed", *["Content-Type: text/plain\n\nx"] * (MAX_PARTS + 5)))
    assert "too_many_parts" in wide["defects"]
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
        for n in range(MAX_DEPTH + 5)
    )
    assert "too_deep" in parse(head + b"\nx")["defects"]
    deep = head * 40 + b"\nhola"
    assert "too_many_boundaries" in parse(deep)["defects"]
    nested = b"Content-Type: message/rfc822\n\n" * 3000 + b"hola"
    assert parse(b"From: a@x.example\n" + nested)["from_email"] == "a@x.example"
    large = b"From: a@x.example\n" + b"X-A: b\n" * 100_000 + b"\nhola"
    found = parse(large)
    assert ("headers_too_large" in found["defects"], found["text"]) == (True, "hola")


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\0", b"\xff\xfe", b"From:", b":", b"hola", b"\n\n\n"]
)
def test_hardly_a_mail_at_all(raw: bytes) -> None:
    found = parse(raw)
    assert found["from_email"] == ""
    assert found["reply_text"].strip() == found["text"].strip()


def test_dates_are_moments_in_utc_or_nothing() -> None:
    assert read_date("Mon, 2 Feb 2026 09:05:00 -0300") == datetime(2026, 2, 2, 12, 5, tzinfo=UTC)
    for value in ("", "mañana", "Mon, 99 Feb 2026 09:05:00 +0000", "1 Jan 99999 00:00:00 +0000"):
        assert read_date(value) is None


def test_language_of_the_reply() -> None:
    assert guess_language("Hola, no puedo entrar en el portal desde ayer. Gracias.") == "es"
    assert guess_language("Olá, não consigo entrar no portal desde ontem. Obrigado.") == "pt"
    assert guess_language("Hello, I cannot log in to the portal since Monday.") == "en"
    assert guess_language("4512") == ""
