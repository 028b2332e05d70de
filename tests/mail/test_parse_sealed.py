"""Containers in real bytes: Outlook's, signed and encrypted mail, flowed text (mail rule 17)."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from acuse.interfaces.mail.decode import unflow
from acuse.interfaces.mail.markup import html_to_text
from acuse.interfaces.mail.parse import parse
from acuse.interfaces.mail.sealed import open_signed
from tests.mail.samples import mail, multipart


def tnef_attribute(level: int, name: int, data: bytes) -> bytes:
    """One attribute of [MS-OXTNEF]: level, id, length, data, sum of its bytes."""
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) % 65536)


def tnef_properties(**texts: bytes) -> bytes:
    """MAPI properties of one attachment; only its long file name (0x3707, an 8-bit string)."""
    rows = b"".join(
        struct.pack("<HHII", 0x001E, 0x3707, 1, len(text)) + text + b"\0" * (-len(text) % 4)
        for text in texts.values()
    )
    return struct.pack("<I", len(texts)) + rows


def winmail(body: bytes, files: list[tuple[str, bytes]]) -> bytes:
    """A winmail.dat with a plain body and files."""
    parts = [struct.pack("<IH", 0x223E9F78, 1)]
    parts.append(tnef_attribute(1, 0x00089006, struct.pack("<I", 0x00010000)))
    parts.append(tnef_attribute(1, 0x00069007, struct.pack("<II", 1252, 0)))
    parts.append(tnef_attribute(1, 0x0002800C, body))
    for name, data in files:
        short = name.encode("cp1252")[:8] + b"\0"
        parts.append(tnef_attribute(2, 0x00069002, b"\x01\0" + b"\xff" * 4 + b"\0" * 8))
        parts.append(tnef_attribute(2, 0x00018010, short))
        parts.append(tnef_attribute(2, 0x0006800F, data))
        long_name = tnef_properties(name=name.encode("cp1252") + b"\0")
        parts.append(tnef_attribute(2, 0x00069005, long_name))
    return b"".join(parts)


def test_outlook_container_is_unpacked() -> None:
    data = winmail(b"Hola:\r\n\r\nVa el pedido.\0", [("pedido de enero.pdf", b"%PDF-1.4 x")])
    encoded = base64.encodebytes(data).decode()
    part = (
        "Content-Type: application/ms-tnef; name=winmail.dat\n"
        f"Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n{encoded}"
    )
    found = parse(multipart("mixed", "Content-Type: text/plain\n\nHola del texto.", part))
    assert [(f["filename"], f["data"]) for f in found["attachments"]] == [
        ("pedido de enero.pdf", b"%PDF-1.4 x")
    ]
    assert found["text"].strip() == "Hola del texto."
    alone = parse(multipart("mixed", part))
    assert "Va el pedido." in alone["text"]


@pytest.fixture(scope="module")
def signer() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ana@cliente.example")])
    start = datetime(2026, 2, 2, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nS\xc3\xad, adelante.\r\n"


def signed(
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], *options: pkcs7.PKCS7Options
) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(ENTITY)
    return builder.add_signer(*signer, hashes.SHA256()).sign(
        serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary, *options]
    )


def sealed_mail(data: bytes, more: str = "") -> bytes:
    return mail(
        base64.encodebytes(data).decode(),
        content_type=f'application/pkcs7-mime; name="smime.p7m"{more}',
        content_transfer_encoding="base64",
    )


def test_text_under_an_opaque_signature_is_read(
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
) -> None:
    found = parse(sealed_mail(signed(signer)))
    assert found["text"].strip() == "Sí, adelante."
    assert (found["signed"], found["encrypted"]) == (True, False)
    assert [f["kind"] for f in found["attachments"]] == ["signed"]


def in_pieces(data: bytes) -> bytes:
    """The same signed-data as streaming signers write it: lengths unknown, octets in pieces."""
    oid = bytes.fromhex("06092a864886f70d010702")
    octets = b"".join(
        b"\x04" + bytes([len(data[at : at + 20])]) + data[at : at + 20]
        for at in range(0, len(data), 20)
    )
    inner = bytes.fromhex("06092a864886f70d010701") + b"\xa0\x80\x24\x80" + octets + b"\0" * 4
    body = b"\x02\x01\x01" + b"\x31\x00" + b"\x30\x80" + inner + b"\0\0"
    return b"\x30\x80" + oid + b"\xa0\x80\x30\x80" + body + b"\0" * 6


def test_signature_in_pieces_of_unknown_length_is_read() -> None:
    assert open_signed(in_pieces(ENTITY)) == ENTITY


def test_detached_signature_leaves_its_text(
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
) -> None:
    data = base64.encodebytes(signed(signer, pkcs7.PKCS7Options.DetachedSignature)).decode()
    found = parse(
        multipart(
            "signed",
            "Content-Type: text/plain\n\nAdelante.",
            "Content-Type: application/pkcs7-signature; name=smime.p7s\n"
            f"Content-Transfer-Encoding: base64\n\n{data}",
        )
    )
    assert (found["text"].strip(), found["signed"]) == ("Adelante.", True)
    assert found["encrypted"] is False


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"\x30\x80" * 3000, b"\x30\x84\xff"])
def test_damaged_containers_are_files_named_as_encrypted(data: bytes) -> None:
    found = parse(sealed_mail(data))
    assert open_signed(data) is None
    assert [f["kind"] for f in found["attachments"]] == ["encrypted"]
    assert found["encrypted"] is True


def test_pgp_is_named() -> None:
    armoured = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----"
    assert parse(mail(armoured))["encrypted"] is True
    clear = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSí.\n-----BEGIN PGP SIGNATURE-----"
    found = parse(mail(clear))
    assert (found["signed"], found["encrypted"]) == (True, False)
    assert "Sí." in found["reply_text"]
    mime = multipart(
        "encrypted",
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        "Content-Type: application/octet-stream; name=encrypted.asc\n\nx",
    )
    assert parse(mime)["encrypted"] is True
    assert parse(mail("Te paso la clave PGP."))["encrypted"] is False


def test_flowed_text_is_put_together() -> None:
    flowed = "Hola: \nsigue \nigual.\n\n> Buenos \n> días. \nNo.\n-- \nAna \nSosa"
    assert unflow(flowed, delete_space=False) == (
        "Hola: sigue igual.\n\n> Buenos días. \nNo.\n-- \nAna Sosa"
    )
    assert (
        unflow("自動 \n車\n From here\n>> a\n> b", delete_space=True)
        == "自動車\nFrom here\n>> a\n> b"
    )
    raw = mail("Una frase \nlarga.\n", content_type="text/plain; charset=utf-8; format=flowed")
    assert parse(raw)["text"].strip() == "Una frase larga."


def test_links_keep_where_they_lead() -> None:
    page = (
        '<p>Ver <a href="https://n.example/p/7?a=1&amp;b=2">el pedido</a> y '
        '<a href="https://www.n.example/">n.example</a>, '
        '<a href="mailto:ana@n.example">ana@n.example</a>, <a href="#x">arriba</a> '
        '<a href="javascript:alert(1)">aquí</a> <a href="https://n.example/i"><img src="i"></a></p>'
    )
    assert html_to_text(page) == (
        "Ver el pedido <https://n.example/p/7?a=1&b=2> y n.example, ana@n.example, arriba aquí"
    )
    many = '<a href="https://n.example/x">y</a> ' * 5_010
    assert html_to_text(many).count("https:") == 5_000
