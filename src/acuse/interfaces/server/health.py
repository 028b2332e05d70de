"""`GET /health`: 200 when database, worker, listener and poller are up, else 503 that names what
is down."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from acuse import __version__
from acuse.interfaces.web.heartbeat import is_fresh
from acuse.models import Heartbeat

BEATING = ("worker", "mail", "poll")


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """The state of each part as JSON: {"status", "version", "parts": {name: "up" | "down"}}."""
    parts = _parts()
    down = sorted(name for name, state in parts.items() if state == "down")
    return JsonResponse(
        {
            "status": "down" if down else "up",
            "version": __version__,
            "parts": parts,
            "down": down,
        },
        status=503 if down else 200,
    )


def _parts() -> dict[str, str]:
    try:
        beats = dict(Heartbeat.objects.filter(name__in=BEATING).values_list("name", "at"))
    except DatabaseError:
        return dict.fromkeys(("database", *BEATING), "down")
    now = timezone.now()
    states = {name: "up" if is_fresh(beats.get(name), now) else "down" for name in BEATING}
    return {"database": "up", **states}
