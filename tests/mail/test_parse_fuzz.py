"""Any bytes: the parser never raises, keeps its promises, and never loses words above a quote."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acuse.interfaces.mail.parse import parse
from tests.mail.samples import blocks, mail, multipart

EXAMPLES = 20_000 if settings().max_examples > 100 else 500

SAMPLES = [
    mail("Hola:\n\nNo imprime.\n"),
    mail("Sí.\n\nEl 2 feb 2026, a las 9:05, Mesa <m@n.example> escribió:\n\n> Hola\n> Adiós\n"),
    mail("<p>Sí</p><blockquote type=cite>Hola</blockquote><div id=appendonsend>x", subtype="html"),
    mail("Sí.\n\n" + blocks("blocks.txt", r"\n%%\n")[0], subject="=?utf-8?q?RV=3A_a=C3=B1o?="),
    multipart(
        "mixed",
        "Content-Type: text/plain; charset=iso-8859-1\n\nVa.",
        "Content-Type: application/pdf; name*=utf-8''a%C3%B1o.pdf\n"
        "Content-Transfer-Encoding: base64\n\nJVBERg==",
        "Content-Type: message/rfc822\n\nFrom: n@t.example\nSubject: x\n\nhola",
    ),
    multipart(
        "report",
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Final-Recipient: rfc822; n@t.example\nAction: failed\n",
        **{"from": "MAILER-DAEMON <>", "return_path": "<>"},
    ),
    mail("Va \nbien.\n> Sí \n> no", content_type="text/plain; format=flowed; delsp=yes"),
    mail("MIIBeg==", content_type="application/pkcs7-mime; smime-type=signed-data; name=a.p7m"),
    multipart(
        "alternative",
        "Content-Type: text/plain; charset=gb18030\n\nVa.",
        "Content-Type: text/html\n\n<p>Va <a href='https://n.example'>aquí</a></p>",
    ),
]
PIECES = [
    b"\r\n", b"\n\n", b"\0", b"\xff", b"=?utf-8?b?", b"?=", b"--=_b", b"--=_b--", b"<", b">", b'"',
    b"Content-Type: multipart/mixed; boundary=x\r\n", b"boundary=", b"; charset=utf-16", b"> ",
    b"Content-Transfer-Encoding: base64\r\n", b"\xe2\x82", b"<!--", b"<blockquote>", b"wrote:",
    b"format=flowed", b"\x30\x80", b"<a href=", b"-----BEGIN PGP MESSAGE-----",
    b"(", b"@", b",", b":", b"From: ", b" " * 80, b"\t", b"charset=iso-2022-jp", b"\x1b$B",
]  # fmt: skip


def mutated(seed: int) -> bytes:
    """A sample with a few pieces cut out, doubled, overwritten or put in."""
    rng = random.Random(seed)
    raw = bytearray(rng.choice(SAMPLES))
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(raw) + 1)
        end = min(len(raw), at + rng.randint(0, 30))
        act = rng.randrange(4)
        if act == 0:
            del raw[at:end]
        elif act == 1:
            raw[at:at] = raw[at:end]
        elif act == 2:
            raw[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
        else:
            raw[at:at] = rng.choice(PIECES)
    return bytes(raw)


def storable(value: object) -> bool:
    """Whether a value has no text that PostgreSQL or JSON would refuse."""
    if isinstance(value, str):
        return "\0" not in value and value == value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return all(storable(k) and storable(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(storable(item) for item in value)
    return True


def check_promises(raw: bytes) -> None:
    """What every result of parse() keeps."""
    found = parse(raw)
    assert storable(found)
    assert not set(found["defects"]) - {
        "tree", "headers_too_large", "too_many_lines", "too_many_boundaries", "garbled_header",
        "too_many_parts", "too_deep", "tnef",
    }, found["defects"]  # fmt: skip
    assert bool(found["reply_text"].strip()) == bool(found["text"].strip())
    assert len(found["references"]) <= 20
    assert found["date"] is None or found["date"].utcoffset().total_seconds() == 0
    assert all(f["size"] == len(f["data"]) and f["shown_name"] for f in found["attachments"])


@settings(max_examples=EXAMPLES)
@given(st.integers(min_value=0, max_value=2**64))
def test_mutated_mail(seed: int) -> None:
    check_promises(mutated(seed))


@settings(max_examples=EXAMPLES // 5)
@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    check_promises(raw)


WORD = st.text(string.ascii_letters + string.digits + "áéíóúñçã.,;!?()-/", min_size=1, max_size=12)
LINE = st.lists(WORD, max_size=12).map(" ".join)
QUOTES = [f"{a}\n\n> Buenos días.\n> Adiós." for a in blocks("attributions.txt")]
QUOTES += [f"{b}\n\nBuenos días.\nAdiós." for b in blocks("blocks.txt", r"\n%%\n")]


@settings(max_examples=EXAMPLES)
@given(st.lists(LINE, min_size=1, max_size=8), st.sampled_from(QUOTES))
def test_no_word_above_a_quote_is_lost(lines: list[str], quote: str) -> None:
    above = "\n".join(lines)
    found = parse(mail(f"{above}\n\n{quote}\n", subject="Re: Consulta"))
    kept = found["reply_text"].split()
    assert above.split() == kept[: len(above.split())]


@settings(max_examples=EXAMPLES)
@given(st.lists(LINE, min_size=1, max_size=8))
def test_no_word_of_a_mail_without_quote_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = parse(mail(text))
    assert found["reply_text"].split() == text.split()


# Runs that once took longer than their length explains, a megabyte of each.
RUNS = [
    "-", "---- ", "--\n--- x ", " \n ---- ", "<", "<br>", "&#1", "> ", ">\n>", "=?", "(",
    "escribió:\n", "El 2 feb 2026, Ana Sosa\n", "---------- Forwarded message ---------\n写道：",
    "De:\n", "\n", "a@b ",
]  # fmt: skip


@pytest.mark.parametrize("unit", RUNS)
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_long_runs_take_time_by_their_length(unit: str, subtype: str) -> None:
    robot = {"from": "MAILER-DAEMON <m@n.example>", "return_path": "<>", "subject": "Undelivered"}
    raws = [mail(unit * (1_000_000 // len(unit)), subtype=subtype, **more) for more in ({}, robot)]
    started = time.process_time()
    for raw in raws:
        check_promises(raw)
    assert time.process_time() - started < 5  # the hard bar; a tenth of it is usual
