"""The files of a message: names, kinds, unpacked containers (mail rule 17).

An attachment is a dictionary: `filename` (as the sender called it, cleaned; '' if unnamed),
`shown_name` (never empty), `data` (bytes), `size` (of data, bytes), `content_type`, `cid`
(Content-ID without brackets, or ''), `inline` (bool), `kind` (one of policy.files.KINDS).
"""

from __future__ import annotations

import logging
from typing import Any

from acuse.policy.files import find_kind

_ENDING_OF_TYPE = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/plain": ".txt",
    "text/html": ".html",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "text/vcard": ".vcf",
    "application/pkcs7-signature": ".p7s",
    "text/csv": ".csv",
    "application/zip": ".zip",
}
TNEF_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
TNEF_MAGIC = b"\x78\x9f\x3e\x22"
MAX_TNEF_BYTES = 30_000_000
MAX_TNEF_FILES = 100

Attachment = dict[str, Any]


def build_attachment(
    filename: str,
    data: bytes,
    content_type: str,
    *,
    cid: str = "",
    inline: bool = False,
    smime_type: str = "",
) -> Attachment:
    """The dictionary of one attachment."""
    kind = find_kind(filename, content_type, smime_type)
    return {
        "filename": filename,
        "shown_name": filename or name_for(content_type, kind),
        "data": data,
        "size": len(data),
        "content_type": content_type,
        "cid": cid,
        "inline": inline,
        "kind": kind,
    }


def name_for(content_type: str, kind: str) -> str:
    """A name for an attachment that came without one."""
    return kind + _ENDING_OF_TYPE.get(content_type, ".bin" if kind == "file" else "")


def is_tnef(filename: str, content_type: str, data: bytes) -> bool:
    """Whether the data is Outlook's container (winmail.dat)."""
    named = filename.lower() in ("winmail.dat", "win.dat")
    return (named or content_type in TNEF_TYPES) and data[:4] == TNEF_MAGIC


def unpack_tnef(data: bytes) -> tuple[list[Attachment], str, str] | None:
    """Files, text body and HTML body of a TNEF container, or None if it cannot be read."""
    if len(data) > MAX_TNEF_BYTES:
        return None
    from tnefparse import TNEF

    logging.getLogger("tnef-decode").setLevel(logging.CRITICAL)
    try:
        container = TNEF(data, do_checksum=False)
        files = [
            build_attachment(_tnef_name(item), bytes(item.data or b""), "application/octet-stream")
            for item in container.attachments[:MAX_TNEF_FILES]
        ]
        return files, _as_text(container.body), _as_text(container.htmlbody)
    except Exception:
        return None


def _tnef_name(item: Any) -> str:
    from acuse.interfaces.mail.decode import clean_file_name

    name = item.long_filename() if hasattr(item, "long_filename") else item.name
    return clean_file_name(_as_text(name).rstrip("\0"))


def _as_text(value: Any) -> str:
    from acuse.interfaces.mail.decode import decode_text

    if isinstance(value, bytes):
        return decode_text(value)
    return value if isinstance(value, str) else ""
