"""Whether the ledger is whole: every chain by itself, against its case, against every signed
checkpoint, and what it says of texts that still exist (Evidence)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from ..models import Case, Checkpoint, LedgerLine, Message
from ..policy import chain
from ..policy.chain import Fault, Head, Line
from ..policy.fields import InvalidField

Check = Callable[[bytes, str, str], bool]
"""(content, signature, public half of the key) -> whether that key signed it."""


def verify(is_signed: Check) -> list[Fault]:
    """Every fault of the ledger; empty if it is whole. A fault of a checkpoint names no case and
    has the day, as a number, for its position."""
    return [*_chains(), *_heads(), *_checkpoints(is_signed), *_texts()]


def _lines() -> Iterator[LedgerLine]:
    return LedgerLine.objects.order_by("case_id", "seq").iterator(chunk_size=2000)


def _plain(line: LedgerLine) -> Line:
    return Line(line.case_id, line.seq, line.previous, line.hash, line.hashed_fields())


def _chains() -> Iterator[Fault]:
    for _, lines in groupby(map(_plain, _lines()), key=lambda line: line.case):
        yield from chain.verify(lines)


def _heads() -> Iterator[Fault]:
    """The case remembers how many lines it has and the hash of the last."""
    last = LedgerLine.objects.order_by("case_id", "-seq").distinct("case_id")
    ends = {row[0]: row[1:] for row in last.values_list("case_id", "seq", "hash")}
    for case_id, lines, head in Case.objects.order_by("pk").values_list("pk", "lines", "head"):
        seq, found = ends.get(case_id, (0, ""))
        if seq < lines:
            yield Fault(lines, "cut_tail", f"line {lines} is missing, the last is {seq}", case_id)
        elif (seq, found) != (lines, head):
            yield Fault(lines, "rewritten", f"the case has {lines} lines, head {head}", case_id)


def _checkpoints(is_signed: Check) -> Iterator[Fault]:
    """Each is signed, names the one before it, and agrees with the lines of today."""
    previous = chain.GENESIS
    compared: set[Head] = set()
    for point in Checkpoint.objects.select_related("key").order_by("on"):
        place = point.on.toordinal()
        if point.previous != previous:
            yield Fault(place, "wrong_previous", f"checkpoint {point.on}: expected {previous}")
        previous = point.hash
        try:
            heads = [Head(*row) for row in point.heads]
            content = chain.checkpoint_bytes(point.on, heads, point.previous)
            root = chain.merkle_root(heads)
        except (InvalidField, TypeError) as odd:
            yield Fault(place, "edited", f"checkpoint {point.on}: its heads cannot be read: {odd}")
            continue
        if chain.checkpoint_hash(content) != point.hash or root != point.root:
            yield Fault(place, "edited", f"checkpoint {point.on}: its heads do not give its hash")
        if not is_signed(content, point.signature, point.key.public):
            yield Fault(place, "not_signed", f"checkpoint {point.on}: not signed by its key")
        # A case that rested since the checkpoint before has been compared there.
        moved = [head for head in heads if head not in compared]
        compared.update(moved)
        yield from chain.compare(moved, _lines_of(moved))


def _lines_of(heads: list[Head]) -> Iterator[Line]:
    """Number and hash of these cases' lines: all that a checkpoint is compared with."""
    found = LedgerLine.objects.filter(case__in=[head.case for head in heads])
    for case, seq, hash_ in found.values_list("case_id", "seq", "hash").iterator(chunk_size=5000):
        yield Line(case, seq, "", hash_, {})


def _texts() -> Iterator[Fault]:
    """Words that have not been erased are still those that the line was written about."""
    with_text = LedgerLine.objects.filter(payload__has_keys=["message", "text_hash"])
    for line in with_text.exclude(payload__message=None).iterator(chunk_size=1000):
        message = Message.objects.filter(pk=line.payload["message"]).first()
        if message is None:
            detail = f"message {line.payload['message']} is missing"
            yield Fault(line.seq, "text_missing", detail, line.case_id)
        elif message.erased_at is None and message.hash_of() != line.payload["text_hash"]:
            detail = f"message {message.pk} is not what was written"
            yield Fault(line.seq, "text_edited", detail, line.case_id)


def signing_keys() -> list[str]:
    """The ids of the keys that signed the checkpoints, to be compared with those kept elsewhere."""
    return sorted(set(Checkpoint.objects.values_list("key", flat=True)))
