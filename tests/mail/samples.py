"""Small builders of raw mails for the parser's tests."""

from __future__ import annotations

import re
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


def mail(body: str = "", *, subtype: str = "plain", **headers: str) -> bytes:
    """A raw mail with one text body; keyword names become headers (in_reply_to: In-Reply-To)."""
    fields = {
        "from": "Ana Sosa <ana@cliente.example>",
        "to": "soporte@firma.example",
        "subject": "Consulta",
        "message_id": "<1@cliente.example>",
        "date": "Mon, 02 Feb 2026 09:05:00 +0100",
        "mime_version": "1.0",
        "content_type": f"text/{subtype}; charset=utf-8",
        "content_transfer_encoding": "8bit",
    } | headers
    head = "".join(f"{name.replace('_', '-').title()}: {v}\r\n" for name, v in fields.items() if v)
    return (head + "\r\n" + body.replace("\n", "\r\n")).encode()


def multipart(subtype: str, *parts: str, **headers: str) -> bytes:
    """A raw multipart mail; each part is its own headers, an empty line and its body."""
    body = "".join(f"--=_b\n{part}\n" for part in parts) + "--=_b--\n"
    return mail(body, **{"content_type": f'multipart/{subtype}; boundary="=_b"'} | headers)


def blocks(name: str, separator: str = r"\n[ \t]*\n") -> list[str]:
    """The blocks of a fixture file, comment lines ("# ...") left out."""
    text = re.sub(r"(?m)^# .*\n", "", (FIXTURES / name).read_text(encoding="utf-8"))
    return [block.strip("\n") for block in re.split(separator, text) if block.strip()]
