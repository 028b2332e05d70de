"""The evidence pack: what one person may see of a case, so that a stranger can check it."""

from __future__ import annotations

import json
from typing import Any

from ..models import Attachment, Case, LedgerLine, Message, Person, Version


def build(case: Case, person: Person) -> bytes:
    """Canonical JSON (sorted keys, UTF-8): the ledger lines with their hashes as chained, the
    messages with their words, files by their sha256, each version with the days of its term, and
    the policy text by its hash."""
    lines = LedgerLine.objects.visible_to(person).filter(case=case).order_by("seq")
    pack = {
        "case": case.number,
        "policy": {"number": case.policy.number, "sha256": case.policy.sha256},
        "head": case.head,
        "ledger": [
            line.hashed_fields() | {"previous": line.previous, "hash": line.hash} for line in lines
        ],
        "messages": [_message(row) for row in _messages(case, person)],
        "files": [_file(row) for row in Attachment.objects.visible_to(person).filter(case=case)],
        "versions": [_version(row) for row in _versions(case)],
    }
    return json.dumps(
        pack, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    ).encode()


def _messages(case: Case, person: Person) -> Any:
    found = Message.objects.visible_to(person).filter(case=case)
    return found.select_related("author").order_by("at", "pk")


def _versions(case: Case) -> Any:
    found = case.versions.select_related("deliverable", "window").order_by("pk")
    return found.prefetch_related("dispatches")


def _message(row: Message) -> dict[str, object]:
    return {
        "id": row.pk,
        "at": row.at.isoformat(),
        "author": str(row.author) if row.author is not None else None,
        "channel": row.channel,
        "text": row.text,
        "salt": bytes(row.salt).hex(),
    }


def _file(row: Attachment) -> dict[str, object]:
    return {
        "name": row.filename,
        "sha256": row.blob_id,
        "message": row.message_id,
        "version": row.version_id,
        "claim": row.claim_id,
    }


def _version(row: Version) -> dict[str, object]:
    window = getattr(row, "window", None)
    return {
        "id": row.pk,
        "title": row.deliverable.title,
        "number": row.number,
        "delivered_at": row.delivered_at.isoformat() if row.delivered_at else None,
        "outcome": row.outcome,
        "text": row.text,
        "salt": bytes(row.salt).hex(),
        "term": window.computation if window is not None else None,
        "copies": [
            {
                "sent_at": copy.sent_at.isoformat(),
                "accepted_at": copy.accepted_at and copy.accepted_at.isoformat(),
                "opened_at": copy.opened_at and copy.opened_at.isoformat(),
                "bounced_at": copy.bounced_at and copy.bounced_at.isoformat(),
            }
            for copy in row.dispatches.all()
        ],
    }
