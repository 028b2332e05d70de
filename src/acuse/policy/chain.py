"""The hash chain of a case's ledger, and the daily checkpoint of all (clauses.md, "Evidence").

Everything is sha256 over canonical JSON (RFC 8785, numbers limited to exact integers), so that a
stranger checks it with public tools. Every kind of hash has its own prefix, with a version, so
that none can stand for another. A chain shows edits and gaps by itself; a cut tail or a whole
rewrite shows only against a checkpoint that was kept elsewhere.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from .fields import InvalidField

GENESIS = "0" * 64
"""What the first line of every chain names as the line before it."""

LINE_PREFIX = b"acuse ledger line 1\n"
CHECKPOINT_PREFIX = b"acuse checkpoint 1\n"
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"

LARGEST_INT = 2**53 - 1
SHORTEST_SALT = 16


@dataclass(frozen=True)
class Line:
    """A stored ledger line: its case and number (from 1), the hash it names as the line before,
    its own hash, and the hashed fields, among them "case" and "seq"."""

    case: int
    seq: int
    previous: str
    hash: str
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Head:
    """The last line of a case's chain."""

    case: int
    seq: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """Something wrong at a position (the line's number) of a case's chain.

    code: edited, gap, wrong_previous, order, other_case, cut_tail or rewritten.
    """

    position: int
    code: str
    detail: str
    case: int | None = None


def canonical(payload: object) -> bytes:
    """The one way to write a payload as bytes (RFC 8785). Raises InvalidField, naming the place,
    for floats, integers beyond 2**53 - 1, lone surrogates and whatever JSON does not know."""
    text = json.dumps(
        _plain(payload, "payload"), ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def line_hash(previous: str, fields: Mapping[str, object]) -> str:
    """The hash (hex) of a line: over the hash of the line before it and its own fields.

    The fields must name the line's "case" and "seq", so that no line passes for another.
    """
    _require_hash("previous", previous)
    for name in ("case", "seq"):
        if name not in fields:
            raise InvalidField(f"fields.{name}", "must be there")
    body = LINE_PREFIX + previous.encode() + b"\n" + canonical(dict(fields))
    return sha256(body).hexdigest()


def salted(text: str | bytes, salt: bytes) -> str:
    """The HMAC-SHA256 (hex) of a personal text under its salt of at least 16 bytes.

    Forgetting the salt with the text leaves a hash in the ledger that proves nothing about it.
    """
    if len(salt) < SHORTEST_SALT:
        raise InvalidField("salt", "must have at least %(low)s bytes", low=SHORTEST_SALT)
    return hmac.new(salt, text.encode() if isinstance(text, str) else text, sha256).hexdigest()


def verify(lines: Iterable[Line]) -> list[Fault]:
    """The faults of one case's chain, its lines given as stored, in order; empty if it is whole.

    Each fault is told once: after it the walk goes on from the highest line as it stands.
    """
    faults: list[Fault] = []
    case: int | None = None
    seq, previous = 0, GENESIS
    for line in lines:
        case = line.case if case is None else case
        if line.case != case:
            faults.append(Fault(line.seq, "other_case", f"belongs to case {line.case}", case))
            continue
        if not _is_whole(line):
            faults.append(Fault(line.seq, "edited", f"its fields do not give {line.hash}", case))
        if line.seq <= seq:
            faults.append(Fault(line.seq, "order", f"comes after line {seq}", case))
            continue
        if line.seq > seq + 1:
            faults.append(Fault(seq + 1, "gap", f"lines {seq + 1} to {line.seq - 1}", case))
        elif line.previous != previous:
            faults.append(Fault(line.seq, "wrong_previous", f"expected {previous}", case))
        seq, previous = line.seq, line.hash
    return faults


def merkle_root(heads: Iterable[Head]) -> str:
    """The root (hex) of a Merkle tree over all heads (the tree of RFC 6962, section 2.1), each
    leaf the canonical JSON of {case, hash, seq}, in the order of the cases."""
    return _root([_leaf(head) for head in _in_order(heads)]).hex()


def checkpoint_bytes(on: date, heads: Iterable[Head], previous_checkpoint_hash: str) -> bytes:
    """The bytes to sign for a day's checkpoint: the root over all heads, how many, and the hash
    (`checkpoint_hash`) of the checkpoint before it, GENESIS for the first."""
    _require_hash("previous_checkpoint_hash", previous_checkpoint_hash)
    ordered = _in_order(heads)
    return CHECKPOINT_PREFIX + canonical(
        {
            "heads": len(ordered),
            "on": on.isoformat(),
            "previous": previous_checkpoint_hash,
            "root": merkle_root(ordered),
        }
    )


def checkpoint_hash(checkpoint: bytes) -> str:
    """The hash (hex) by which the next checkpoint names this one."""
    return sha256(checkpoint).hexdigest()


def compare(heads: Iterable[Head], lines: Iterable[Line]) -> list[Fault]:
    """What a checkpoint's heads show against the lines of today (of all cases, in any order):
    a chain that ends before its head was cut, one with another hash there was rewritten."""
    expected = {(head.case, head.seq): head for head in _in_order(heads)}
    found: dict[tuple[int, int], str] = {}
    last: dict[int, int] = {}
    for line in lines:
        last[line.case] = max(line.seq, last.get(line.case, 0))
        if (line.case, line.seq) in expected:
            found[line.case, line.seq] = line.hash
    faults = []
    for (case, seq), head in expected.items():
        if (case, seq) not in found:
            ends = last.get(case, 0)
            # A chain that goes on past a head it no longer has lost a line in the middle.
            code = "cut_tail" if ends < seq else "gap"
            faults.append(Fault(seq, code, f"line {seq} is missing, the last is {ends}", case))
        elif found[case, seq] != head.hash:
            faults.append(Fault(seq, "rewritten", f"the checkpoint has {head.hash}", case))
    return faults


def _plain(value: object, place: str) -> object:
    """The value with its keys in RFC 8785's order (UTF-16 code units), checked."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST_INT:
            raise InvalidField(place, "must be an integer of at most 2**53 - 1")
        return value
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, list):
        return [_plain(item, f"{place}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, dict):
        keys = sorted((_text(key, place) for key in value), key=lambda key: key.encode("utf-16-be"))
        return {key: _plain(value[key], f"{place}.{key}") for key in keys}
    raise InvalidField(place, "%(kind)s is not exact JSON", kind=type(value).__name__)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidField(place, "every key must be a text, not %(value)r", value=value)
    try:
        value.encode()
    except UnicodeEncodeError as lone:
        raise InvalidField(place, "must be valid Unicode") from lone
    return value


def _is_whole(line: Line) -> bool:
    if (line.fields.get("case"), line.fields.get("seq")) != (line.case, line.seq):
        return False
    try:
        return line_hash(line.previous, line.fields) == line.hash
    except InvalidField:
        return False


def _require_hash(field: str, value: str) -> None:
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise InvalidField(field, "must be 64 hexadecimal digits")


def _in_order(heads: Iterable[Head]) -> list[Head]:
    ordered = sorted(heads, key=lambda head: head.case)
    if len({head.case for head in ordered}) < len(ordered):
        raise InvalidField("heads", "must name each case once")
    return ordered


def _leaf(head: Head) -> bytes:
    content = canonical({"case": head.case, "hash": head.hash, "seq": head.seq})
    return sha256(LEAF_PREFIX + content).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    # The left subtree takes the largest power of two smaller than the number of leaves.
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(NODE_PREFIX + _root(leaves[:split]) + _root(leaves[split:])).digest()
