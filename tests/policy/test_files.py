"""What a file may do to whoever opens it, by its name and its first bytes (mail rule 17)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.files import DISGUISED, PROGRAM, RISK_HEAD, RISKS, find_risk

WINDOWS = b"MZ\x90\0\x03\0\0\0"
SHORTCUT = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0"
BYTES_OF_PROGRAMS = [
    WINDOWS,
    SHORTCUT,
    b"\x7fELF\x02\x01\x01",
    b"\xcf\xfa\xed\xfe\x07",
    b"\xfe\xed\xfa\xce",
    b"\xca\xfe\xba\xbe\0\0",
]


@pytest.mark.parametrize(
    ("name", "head", "risk"),
    [
        ("factura.pdf", b"%PDF-1.7", ""),
        ("factura", b"", ""),
        ("", b"", ""),
        ("notas.txt", b"MZ de la zona", ""),
        ("exe", b"", ""),
        ("exe.pdf", b"%PDF", ""),
        ("v1.2.3", b"x", ""),
        ("codigo.zip", b"PK\x03\x04", ""),
        ("instalador.exe", WINDOWS, PROGRAM),
        ("INSTALADOR.EXE", b"", PROGRAM),
        ("informe v2.1.exe", WINDOWS, PROGRAM),
        ("macro.vbs", b"Dim x", PROGRAM),
        ("enlace.lnk", b"", PROGRAM),
        ("disco.iso", b"\0" * 40, PROGRAM),
        ("arreglo.sh", b"#!/bin/sh\n", PROGRAM),
        ("arreglo.py", b"#! /usr/bin/env python3\n", PROGRAM),
        ("arreglo.txt", b"#!/bin/sh\n", PROGRAM),
        ("nota.txt", b"#! importante", ""),
        ("x.pdf.exe", WINDOWS, DISGUISED),
        ("x.pdf.exe. ", b"", DISGUISED),
        ("x.pdf                    .exe", b"", DISGUISED),
        ("foto.jpg.js", b"var a", DISGUISED),
        ("factura.pdf", WINDOWS, DISGUISED),
        ("factura", WINDOWS, PROGRAM),
        ("factura\u202efdp.exe", b"", DISGUISED),
        ("factura.pdf\u200f.scr", b"", DISGUISED),
        ("شهادة\u200f.pdf", b"%PDF", ""),
        ("x.e\0x\u200be", b"", PROGRAM),
    ],
)
def test_what_a_file_may_do(name: str, head: bytes, risk: str) -> None:
    assert find_risk(name, head) == risk


@given(name=st.text(), head=st.sampled_from(BYTES_OF_PROGRAMS), rest=st.binary(max_size=99))
def test_no_name_hides_a_program(name: str, head: bytes, rest: bytes) -> None:
    content = (head + rest)[:RISK_HEAD]
    assert find_risk(name, content) in RISKS
    assert find_risk(f"{name}.pdf", content) == DISGUISED


@given(stem=st.text("abc ._-", max_size=9), head=st.binary(max_size=RISK_HEAD))
def test_no_bytes_hide_a_name(stem: str, head: bytes) -> None:
    assert find_risk(f"{stem}.exe", head) in RISKS
    assert find_risk(f"{stem}.pdf.exe", head) == DISGUISED
