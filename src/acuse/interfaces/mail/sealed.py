"""Signed and encrypted mail: named as what it is, and read where a signature only wraps it.

Nothing is verified or decrypted here. Sources: RFC 8551 (S/MIME), RFC 5652 (CMS, of which only the
outer shape is read), RFC 3156 (PGP/MIME), RFC 9580 (armoured PGP in plain text).
"""

from __future__ import annotations

from collections.abc import Iterator

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
MAX_NESTING = 12
MAX_PIECES = 100_000

_OCTETS, _WRAPPED_OCTETS = 0x04, 0x24
_PGP_ENCRYPTED = "-----BEGIN PGP MESSAGE-----"
_PGP_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"

Element = tuple[int, int, int, int]  # tag, start and end of the content, start of the next one


def name_seals(content_type: str, kinds: set[str], text: str) -> tuple[bool, bool]:
    """Whether a mail is encrypted and whether it is signed, as far as its shape says so.

    `content_type` is the mail's own; `kinds` are those of its attachments.
    """
    start = text.lstrip()[:100]
    encrypted = (
        "encrypted" in kinds
        or content_type.startswith("multipart/encrypted")
        or start.startswith(_PGP_ENCRYPTED)
    )
    signed = (
        "signed" in kinds
        or content_type.startswith("multipart/signed")
        or start.startswith(_PGP_SIGNED)
    )
    return encrypted, signed


def open_signed(data: bytes) -> bytes | None:
    """The MIME entity inside a CMS signed-data (an opaque S/MIME signature), or None."""
    try:
        content_info = list(_children(data, _element(data, 0)))
        if data[content_info[0][1] : content_info[0][2]] != SIGNED_DATA:
            return None
        signed = next(_children(data, content_info[1]))
        _version, _digests, inner, *_ = _children(data, signed)
        _kind, wrapped, *_ = _children(data, inner)
        octets = next(_children(data, wrapped))
        return b"".join(_octets(data, octets))
    except (IndexError, ValueError, StopIteration):
        return None


def _octets(data: bytes, element: Element) -> Iterator[bytes]:
    tag, start, end, _ = element
    if tag == _OCTETS:
        yield data[start:end]
    elif tag == _WRAPPED_OCTETS:
        for child in _children(data, element):
            if child[0] != _OCTETS:
                raise ValueError("not an octet string")
            yield data[child[1] : child[2]]
    else:
        raise ValueError("not an octet string")


def _children(data: bytes, parent: Element) -> Iterator[Element]:
    at, end = parent[1], parent[2]
    while at < end:
        child = _element(data, at)
        yield child
        at = child[3]


def _element(data: bytes, at: int, depth: int = 0) -> Element:
    """The BER element that starts at `at`. Raises IndexError or ValueError for anything else."""
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or depth > MAX_NESTING:
        raise ValueError("too odd an element")
    if length == 0x80:
        # Of unknown length: it ends where two zero bytes stand in the place of a child.
        child, pieces = start, 0
        while data[child : child + 2] != b"\0\0":
            child, pieces = _element(data, child, depth + 1)[3], pieces + 1
            if pieces > MAX_PIECES:
                raise ValueError("too many pieces")
        return tag, start, child, child + 2
    if length > 0x80:
        size = length & 0x7F
        if size > 4:
            raise ValueError("too long an element")
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > len(data):
        raise IndexError("cut short")
    return tag, start, start + length, start + length
