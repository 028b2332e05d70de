"""The signed daily checkpoint of all chains' heads (Evidence): shows cut tails and rewrites."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from django.db import connection, transaction

from ..models import Checkpoint, LedgerLine, SigningKey
from ..policy import chain
from ..policy.chain import Head


@transaction.atomic
def write_checkpoint(
    on: date,
    at: datetime,
    *,
    key_id: str,
    algorithm: str,
    public: str,
    sign: Callable[[bytes], str],
) -> Checkpoint | None:
    """Sign the heads of all chains as of a day, once a day: None where that day has its
    checkpoint, or a later one has."""
    with connection.cursor() as cursor:  # one at a time, so that each names the one before it
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('checkpoint', 0))")
    before = Checkpoint.objects.order_by("-on").first()
    if before is not None and before.on >= on:
        return None
    heads = current_heads()
    previous = before.hash if before is not None else chain.GENESIS
    content = chain.checkpoint_bytes(on, heads, previous)
    key, _ = SigningKey.objects.get_or_create(
        key_id=key_id, defaults={"algorithm": algorithm, "public": public, "since": at}
    )
    return Checkpoint.objects.create(
        on=on,
        heads=[[head.case, head.seq, head.hash] for head in heads],
        root=chain.merkle_root(heads),
        previous=previous,
        hash=chain.checkpoint_hash(content),
        key=key,
        signature=sign(content),
        at=at,
    )


def current_heads() -> list[Head]:
    """The last line of every case's chain, read from the lines themselves."""
    last = LedgerLine.objects.order_by("case_id", "-seq").distinct("case_id")
    return [Head(*row) for row in last.values_list("case_id", "seq", "hash")]
