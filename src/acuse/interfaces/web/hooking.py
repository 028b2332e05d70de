"""Messages to webhooks: written, signed and posted. Shared by the worker and the desk's trial."""

from __future__ import annotations

import json
from datetime import datetime

from django.conf import settings

from acuse.actions import hooks as acts
from acuse.config import config
from acuse.connectors import hooks, sealing
from acuse.connectors.hooks import Answer
from acuse.interfaces.web import paging
from acuse.models import HookDelivery
from acuse.policy.probing import Finding


def new_secret() -> tuple[str, str]:
    """A secret to show once, and the same sealed."""
    secret = hooks.new_secret()
    return secret, sealing.seal({"secret": secret}, settings.SECRET_KEY)


def body_of(delivery: HookDelivery) -> bytes:
    """The message as JSON: always the same bytes, ids and codes only (docs/service.md)."""
    facts = dict(delivery.facts)
    said: dict[str, object] = {
        "id": str(delivery.key),
        "type": delivery.kind,
        "timestamp": delivery.at.isoformat(),
        "data": facts,
    }
    if "paging" in facts:
        facts["link"] = paging.link(facts["paging"])
        facts["case_link"] = f"{config.host}/desk/cases/{facts['number']}"
    return json.dumps(said, sort_keys=True).encode()


def send(delivery: HookDelivery, sent_at: datetime) -> Answer:
    """Post one message, dated by the real clock, which the other side compares with its own; never
    raises."""
    body = body_of(delivery)
    try:
        secret = sealing.unseal(delivery.hook.sealed, settings.SECRET_KEY)["secret"]
        headers = hooks.headers(secret, str(delivery.key), sent_at, body)
    except (sealing.Unsealable, KeyError, ValueError) as reason:
        return Answer(None, Finding.ODD_ANSWER, f"secret: {reason}")
    return hooks.post(delivery.hook.url, body, headers)


def settle(delivery: HookDelivery, answer: Answer, at: datetime) -> None:
    """Keep how it went."""
    if answer.taken and answer.status is not None:
        acts.mark_taken(delivery, answer.status, at)
    else:
        finding = Finding.STATUS if answer.status is not None else answer.finding
        said = f"{finding}: {answer.detail}" if answer.detail else str(finding)
        acts.mark_not_taken(delivery, answer.status, said, at)
