"""Keys that a mail may carry: signed addresses and our own Message-IDs (RFC 5233, RFC 5322).

A key names a case and a recipient (or one notice) and is an HMAC over both, so nobody can make
one for another case or use one given to somebody else without it showing. Servers may fold the
case of an address: every key is read in any letter case.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

_SIGNATURE_LENGTH = 20  # base32 characters: 100 bits
_LONGEST_LOCAL = 64  # characters before the @


@dataclass(frozen=True)
class ReplyKey:
    """The case and the person that a signed address or Message-ID was made for; `internal`: it
    stood on what the firm alone was told."""

    case_id: int
    person_id: int
    notice_id: int | None = None
    internal: bool = False


def _sign(secret: bytes, purpose: str, *parts: int) -> str:
    message = "/".join([purpose, *map(str, parts)]).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return _base32(digest)[:_SIGNATURE_LENGTH]


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower().rstrip("=")


@dataclass(frozen=True)
class Inlet:
    """How a mailbox takes mail under signed addresses: `plus` if name+key@ is delivered to it
    (RFC 5233), `domain` if all mail of a domain is. With neither, only the plain address is."""

    address: str
    plus: bool = True
    domain: str = ""

    def signed(self, key: str) -> str:
        """The mailbox under this key, or plainly where it takes none or the name grows too long
        (RFC 5321, 4.5.3.1.1)."""
        if self.domain:
            return f"{key}@{self.domain}"
        local, _, domain = self.address.rpartition("@")
        if not self.plus or len(f"{local}+{key}") > _LONGEST_LOCAL:
            return self.address
        return f"{local}+{key}@{domain}"


_PURPOSES = {"c": "reply", "n": "internal reply"}  # by the letter that the key begins with


def reply_address(
    inlet: Inlet, case_id: int, person_id: int, secret: bytes, *, internal: bool = False
) -> str:
    """Where the answers of one person on one case go. `internal`: to what the firm alone was told,
    so that the answer is known for the firm's even where it names no letter of ours."""
    mark = "n" if internal else "c"
    signature = _sign(secret, _PURPOSES[mark], case_id, person_id)
    return inlet.signed(f"{mark}{case_id}.{person_id}.{signature}")


_KEY_START = r"(?:^|[+<\s\"'])"
_REPLY = re.compile(_KEY_START + r"([cn])(\d{1,12})\.(\d{1,12})\.([a-z2-7]{20})@", re.I)


def read_reply_address(address: str, secret: bytes) -> ReplyKey | None:
    """The key in an address, or None where there is none or its signature is not ours."""
    match = _REPLY.search(address)
    if match is None:
        return None
    mark, signature = match[1].lower(), match[4].lower()
    case_id, person_id = int(match[2]), int(match[3])
    if not hmac.compare_digest(signature, _sign(secret, _PURPOSES[mark], case_id, person_id)):
        return None
    return ReplyKey(case_id, person_id, internal=mark == "n")


_BOUNCES = {"b": "bounce", "d": "digest bounce"}  # by the letter that the key begins with


def bounce_address(inlet: Inlet, number: int, secret: bytes, *, digest: bool = False) -> str:
    """The envelope sender of one notice or digest: what comes back to it names it (VERP)."""
    mark = "d" if digest else "b"
    return inlet.signed(f"{mark}{number}.{_sign(secret, _BOUNCES[mark], number)}")


_BOUNCE = re.compile(_KEY_START + r"([bd])(\d{1,12})\.([a-z2-7]{20})@", re.I)


def read_bounce_address(address: str, secret: bytes, *, digest: bool = False) -> int | None:
    """The id of the notice (or digest) that an address was made for, or None where it is not
    ours."""
    match = _BOUNCE.search(address)
    mark = "d" if digest else "b"
    if match is None or match[1].lower() != mark:
        return None
    number, signature = int(match[2]), match[3].lower()
    expected = _sign(secret, _BOUNCES[mark], number)
    return number if hmac.compare_digest(signature, expected) else None


def looks_signed(address: str) -> bool:
    """Whether an address has the form of one of ours; its signature is not looked at."""
    return bool(_REPLY.search(address) or _BOUNCE.search(address))


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


def digest_message_id(digest_id: int, domain: str, secret: bytes) -> str:
    """The Message-ID of one digest, without angle brackets; always the same."""
    return f"d{digest_id}.{_sign(secret, 'digest', digest_id)}@{domain}"


_DIGEST_ID = re.compile(r"^<?d(\d{1,12})\.([a-z2-7]{20})@", re.I)


def read_digest_message_id(value: str, secret: bytes) -> int | None:
    """The id of the digest that a Message-ID is of, or None where it is not ours."""
    match = _DIGEST_ID.match(value.strip())
    if match is None:
        return None
    digest_id, signature = int(match[1]), match[2].lower()
    expected = _sign(secret, "digest", digest_id)
    return digest_id if hmac.compare_digest(signature, expected) else None


_TAG = re.compile(r"\[C-(\d{1,12})\]", re.I)


def subject_tag(case_id: int) -> str:
    """What stands in the subject of every mail about a case: [C-17]."""
    return f"[C-{case_id}]"


def read_subject_tag(subject: str) -> int | None:
    """The id of the case that a subject names, or None. Anybody can write it: it only proposes."""
    match = _TAG.search(subject)
    return int(match[1]) if match is not None else None
