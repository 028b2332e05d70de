"""A file as the rulebook sees it: its name and its fingerprint, never its bytes."""

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
