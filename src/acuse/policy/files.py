"""A file as the rulebook sees it: its name, kind and fingerprint, never its bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A stored file: sha256 (hex) of its bytes, size in bytes, the name and type it came with."""

    sha256: str
    size: int
    filename: str
    content_type: str = "application/octet-stream"
    content_id: str = ""


KINDS = (
    "file",
    "image",
    "message",
    "invitation",
    "signed",
    "encrypted",
    "key",
    "contact",
    "report",
)

_KIND_OF_TYPE = {
    "message/rfc822": "message",
    "message/global": "message",
    "text/calendar": "invitation",
    "application/ics": "invitation",
    "application/pkcs7-signature": "signed",
    "application/x-pkcs7-signature": "signed",
    "application/pgp-signature": "signed",
    "application/pkcs7-mime": "encrypted",
    "application/x-pkcs7-mime": "encrypted",
    "application/pgp-encrypted": "encrypted",
    "application/pgp-keys": "key",
    "text/vcard": "contact",
    "text/x-vcard": "contact",
    "text/directory": "contact",
    "message/delivery-status": "report",
    "message/disposition-notification": "report",
    "message/feedback-report": "report",
    "text/rfc822-headers": "report",
}
_KIND_OF_ENDING = {
    "eml": "message",
    "ics": "invitation",
    "p7s": "signed",
    "p7m": "encrypted",
    "vcf": "contact",
    "pgp": "encrypted",
    "gpg": "encrypted",
}


def find_kind(filename: str, content_type: str, smime_type: str = "") -> str:
    """What an attachment is for the reader, one of KINDS."""
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = _KIND_OF_TYPE.get(content_type) or _KIND_OF_ENDING.get(ending)
    if kind == "encrypted" and smime_type == "signed-data":
        return "signed"
    return kind or ("image" if content_type.startswith("image/") else "file")
