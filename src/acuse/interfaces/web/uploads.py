"""Files that came with a form: kept by their fingerprint before the act names them."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.files.uploadedfile import UploadedFile

from acuse.connectors import storage
from acuse.policy.files import File

LARGEST = 25 * 1024 * 1024  # bytes


def keep(files: Iterable[UploadedFile]) -> list[File]:
    """Store the files' bytes; what an act attaches."""
    return [_keep(file) for file in files]


def _keep(file: UploadedFile) -> File:
    sha256, size = storage.put(file.chunks())
    name = (file.name or "").replace("\x00", "").strip() or "file"
    return File(sha256, size, name, file.content_type or "application/octet-stream")


def keep_bytes(content: bytes) -> str:
    """Store what we made ourselves; its sha256 (hex)."""
    sha256, _size = storage.put([content])
    return sha256
