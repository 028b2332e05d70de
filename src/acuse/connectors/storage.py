"""Where files lie: each under its own fingerprint, so that the same bytes are kept once.

A file is written beside its place, forced to the disk and renamed: either it is there whole or
it is not there.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

_NAME = re.compile(r"[0-9a-f]{64}")


def put(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Keep the bytes; returns their sha256 (hex) and their size in bytes."""
    folder = _folder()
    digest, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(prefix=".new-", dir=folder)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        _settle(fresh, _place(digest.hexdigest()))
    finally:
        fresh.unlink(missing_ok=True)
    return digest.hexdigest(), size


def open(sha256: str) -> BinaryIO:
    """The bytes kept under this fingerprint. Raises FileNotFoundError where there are none."""
    return _place(sha256).open("rb")


def _folder() -> Path:
    folder = Path(settings.BLOBS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _place(sha256: str) -> Path:
    if not _NAME.fullmatch(sha256):
        raise FileNotFoundError(sha256)
    return Path(settings.BLOBS) / sha256[:2] / sha256


def _settle(fresh: Path, place: Path) -> None:
    """Rename into place and force the folders too: a new name is not on the disk before."""
    place.parent.mkdir(mode=0o700, exist_ok=True)
    os.replace(fresh, place)
    for folder in (place.parent, place.parent.parent):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
