"""Files that people attached, handed out so that no browser runs what is in them."""

from __future__ import annotations

from urllib.parse import quote

from django.http import FileResponse, Http404, HttpRequest

from acuse.connectors import storage
from acuse.interfaces.web.doors import Door, person_of, view_of
from acuse.models import Attachment
from acuse.queries.receipts import get_receipt

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


def file_page(request: HttpRequest, pk: int, door: Door) -> FileResponse:
    """One attachment, as a download, to whoever may see it (RFC 6266)."""
    found = Attachment.objects.visible_to(person_of(request)).filter(pk=pk)
    file = found.select_related("blob").first()
    if file is None:
        raise Http404
    return _download(file.blob_id, file.filename)


def pack_page(request: HttpRequest, number: str, seq: int, door: Door) -> FileResponse:
    """The evidence pack that a receipt names, byte for byte as it was built."""
    view = view_of(request, number)
    receipt = get_receipt(view, seq)
    if receipt is None or receipt.line.kind != "build_pack":
        raise Http404
    if receipt.line.payload["audience"] == "firm" and not view.person.is_firm:
        raise Http404
    return _download(receipt.line.payload["pack_hash"], f"{view.case.number}-{seq}.json")


def _download(sha256: str, filename: str) -> FileResponse:
    try:
        stream = storage.open(sha256)
    except FileNotFoundError as missing:
        raise Http404 from missing
    response = FileResponse(stream, content_type="application/octet-stream")
    plain = filename.encode("ascii", "replace").decode().replace('"', "'").replace("?", "_")
    plain = "".join(sign for sign in plain if sign.isprintable())
    response["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
    )
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
