"""The ledger's book: the next line of a case's chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..models import Case, LedgerLine, sql
from ..policy import chain
from ..policy.authors import Occasion
from ..policy.kinds import Kind, check_payload
from ..policy.stages import Stage


def append(
    case: Case,
    kind: Kind,
    payload: Mapping[str, object],
    occasion: Occasion,
    recorded_at: datetime,
    stage_from: Stage | None,
) -> LedgerLine:
    """Write the line and move the head of the chain. The case must be locked."""
    line = LedgerLine(
        case=case,
        seq=case.lines + 1,
        kind=kind.name,
        kind_version=kind.version,
        payload=check_payload(kind, payload),
        audience=kind.audience,
        at=occasion.at,
        recorded_at=recorded_at,
        author_id=occasion.by.person_id,
        author_kind=occasion.by.kind,
        channel=occasion.by.channel,
        token_id=occasion.by.token_id,
        imported=occasion.imported,
        stage_from=stage_from or "",
        stage_to=case.stage,
        ball=case.ball,
        previous=case.head or chain.GENESIS,
    )
    line.hash = chain.line_hash(line.previous, line.hashed_fields())
    sql.insert(line)
    case.lines, case.head = line.seq, line.hash
    return line
