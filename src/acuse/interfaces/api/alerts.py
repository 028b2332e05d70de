"""The door for alerts: POST /monitoring/alerts, as Alertmanager's webhook calls it (P06).

Each source has a token of its own (Authorization: Bearer). Answers 200 once all that the post says
is committed; 400 with the reason for what is no such post, which senders do not repeat; 503 while
it cannot be kept, which they do.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from acuse.actions import incidents, watching
from acuse.interfaces.web import clock
from acuse.policy.alerts import Grouping, read_alerts
from acuse.policy.fields import InvalidField

log = logging.getLogger(__name__)

LARGEST = 2_000_000  # bytes; MOST_ALERTS alerts of a thousand bytes each


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take in one post of alerts."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    source = watching.find_source(token.strip()) if scheme.lower() == "bearer" else None
    if source is None:
        return _refuse(401, "unknown token", {"WWW-Authenticate": "Bearer"})
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return _refuse(413, f"body: must have at most {LARGEST} bytes")
    try:
        signals, total = read_alerts(
            _read(body), str(source.environment_id), Grouping(source.grouping)
        )
    except InvalidField as wrong:
        log.warning("source %s posted no alerts: %s", source.pk, wrong)
        return _refuse(400, str(wrong))
    try:
        incidents.keep_alerts(source, signals, total, clock.now())
    except Error as reason:
        log.error("alerts of source %s could not be kept: %s", source.pk, reason)
        return _refuse(503, "try again", {"Retry-After": "30"})
    return JsonResponse({"alerts": total})


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as reason:
        raise InvalidField("body", "must be JSON: %(reason)s", reason=str(reason)[:100]) from reason


def _refuse(status: int, why: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"error": why}, status=status, headers=headers)
