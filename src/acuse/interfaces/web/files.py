"""Files that people sent, handed out so that no browser runs what is in them (mail rule 17).

What a file is is read from its first bytes, never believed from the name or type it came with.
Only pictures of four kinds are shown in the browser; everything else is a download.
"""

from __future__ import annotations

import unicodedata
from io import BytesIO
from typing import BinaryIO
from urllib.parse import quote

from django.http import FileResponse, Http404, HttpRequest

from acuse.connectors import storage
from acuse.interfaces.web.doors import Door, person_of, view_of
from acuse.models import Attachment
from acuse.queries.receipts import get_receipt

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
UNKNOWN = "application/octet-stream"
HEAD = 16  # bytes that are enough to know a file by
LONGEST_NAME = 150  # characters

# Where, what stands there, and what that makes of it: (offset, bytes) all of them.
_SIGNATURES: tuple[tuple[tuple[tuple[int, bytes], ...], str], ...] = (
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png"),
    (((0, b"\xff\xd8\xff"),), "image/jpeg"),
    (((0, b"GIF87a"),), "image/gif"),
    (((0, b"GIF89a"),), "image/gif"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp"),
    (((0, b"%PDF-"),), "application/pdf"),
)
# A PDF is not shown: its viewers run scripts, and none of them works in a sandbox.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def sniff(head: bytes) -> str:
    """What a file is by its first bytes: one of the kinds that we hand out by name, else mere
    bytes (application/octet-stream), whatever it was called."""
    for signs, media_type in _SIGNATURES:
        if all(head[at : at + len(sign)] == sign for at, sign in signs):
            return media_type
    return UNKNOWN


def clean_name(name: str) -> str:
    """A file name that leads nowhere and looks like what it is: no path, no control signs, none
    that turn the direction of writing round, and its ending kept where it has to be cut."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if len(shown) > LONGEST_NAME and dot and len(ending) <= 10:
        shown = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
    return shown[:LONGEST_NAME] or "file"


def file_page(request: HttpRequest, pk: int, door: Door) -> FileResponse:
    """One attachment to whoever may see it: a picture to be looked at, else a download."""
    found = Attachment.objects.visible_to(person_of(request)).filter(pk=pk)
    file = found.select_related("blob").first()
    if file is None:
        raise Http404
    return hand_out(_open(file.blob_id), file.filename)


def pack_page(request: HttpRequest, number: str, seq: int, door: Door) -> FileResponse:
    """The evidence pack that a receipt names, byte for byte as it was built."""
    view = view_of(request, number)
    receipt = get_receipt(view, seq)
    if receipt is None or receipt.line.kind != "build_pack":
        raise Http404
    if receipt.line.payload["audience"] == "firm" and not view.person.is_firm:
        raise Http404
    return hand_out(_open(receipt.line.payload["pack_hash"]), f"{view.case.number}-{seq}.json")


def _open(sha256: str) -> BinaryIO:
    try:
        return storage.open(sha256)
    except FileNotFoundError as missing:
        raise Http404 from missing


def hand_out_kept(sha256: str, filename: str) -> FileResponse:
    """What the storage keeps under a fingerprint, under this name. Raises Http404."""
    return hand_out(_open(sha256), filename)


def hand_out_bytes(content: bytes, filename: str) -> FileResponse:
    """The same for what is not in the storage: a part of a mail, a mail itself."""
    return hand_out(BytesIO(content), filename)


def hand_out(stream: BinaryIO, filename: str) -> FileResponse:
    """A response that no browser can make a page of (RFC 6266, CSP Level 3)."""
    media_type = sniff(stream.read(HEAD))
    stream.seek(0)
    response = FileResponse(stream, content_type=media_type)
    name = clean_name(filename)
    plain = name.encode("ascii", "replace").decode().replace('"', "'").replace("?", "_")
    how = "inline" if media_type in SHOWN else "attachment"
    response["Content-Disposition"] = (
        f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response
