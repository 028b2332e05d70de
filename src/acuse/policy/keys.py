"""Keys that a mail may carry: signed reply addresses and our own Message-IDs (RFC 5233, RFC 5322).

A key names a case and a recipient and is an HMAC over both, so nobody can make one for another
case or use one given to somebody else without it showing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

_SIGNATURE_LENGTH = 20  # base32 characters: 100 bits


@dataclass(frozen=True)
class ReplyKey:
    """The case and the person that a signed address or Message-ID was made for."""

    case_id: int
    person_id: int
    notice_id: int | None = None


def _sign(secret: bytes, purpose: str, *parts: int) -> str:
    message = "/".join([purpose, *map(str, parts)]).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return _base32(digest)[:_SIGNATURE_LENGTH]


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower().rstrip("=")


def reply_address(mailbox: str, case_id: int, person_id: int, secret: bytes) -> str:
    """`soporte@example.com` as the reply address of one person on one case (plus-addressing)."""
    local, _, domain = mailbox.partition("@")
    signature = _sign(secret, "reply", case_id, person_id)
    return f"{local}+c{case_id}.{person_id}.{signature}@{domain}"


_REPLY = re.compile(r"\+c(\d{1,12})\.(\d{1,12})\.([a-z2-7]{20})@", re.I)


def read_reply_address(address: str, secret: bytes) -> ReplyKey | None:
    """The key in an address, or None where there is none or its signature is not ours."""
    match = _REPLY.search(address)
    if match is None:
        return None
    case_id, person_id, signature = int(match[1]), int(match[2]), match[3].lower()
    if not hmac.compare_digest(signature, _sign(secret, "reply", case_id, person_id)):
        return None
    return ReplyKey(case_id, person_id)


def message_id(case_id: int, person_id: int, notice_id: int, domain: str, secret: bytes) -> str:
    """The Message-ID of one notice to one person, without angle brackets; always the same."""
    signature = _sign(secret, "message", case_id, person_id, notice_id)
    return f"c{case_id}.{person_id}.{notice_id}.{signature}@{domain}"


_MESSAGE_ID = re.compile(r"^<?c(\d{1,12})\.(\d{1,12})\.(\d{1,12})\.([a-z2-7]{20})@", re.I)


def read_message_id(value: str, secret: bytes) -> ReplyKey | None:
    """The key in one of our Message-IDs, or None where it is not ours."""
    match = _MESSAGE_ID.match(value.strip())
    if match is None:
        return None
    case_id, person_id, notice_id = int(match[1]), int(match[2]), int(match[3])
    expected = _sign(secret, "message", case_id, person_id, notice_id)
    if not hmac.compare_digest(match[4].lower(), expected):
        return None
    return ReplyKey(case_id, person_id, notice_id)


_TAG = re.compile(r"\[C-(\d{1,12})\]", re.I)


def subject_tag(case_id: int) -> str:
    """What stands in the subject of every mail about a case: [C-17]."""
    return f"[C-{case_id}]"


def read_subject_tag(subject: str) -> int | None:
    """The id of the case that a subject names, or None. Anybody can write it: it only proposes."""
    match = _TAG.search(subject)
    return int(match[1]) if match is not None else None
