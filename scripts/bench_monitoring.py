"""Measures a storm of alerts: ten thousand in five minutes from fifty flapping sources, each a post
of its own through the door, with the desk's pages read meanwhile.

Works on a database of its own in a folder that it removes. CPU is that of our process and of
PostgreSQL's together. Ends with 1 if a promise is broken: one case for each incident, no alert
lost, all taken in faster than they come, and no page of the desk above its share of CPU.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ALERTS, SOURCES, LASTING = 10_000, 50, timedelta(minutes=5)
PAGE_CPU = 100.0  # ms, server and database
READ_EVERY = 500  # alerts
PAGES = ("/desk/", "/desk/monitoring")
BEGIN = datetime(2026, 11, 20, 15, tzinfo=UTC)

Report = Callable[[str, float, str, float], None]


def payload(number: int, status: str) -> bytes:
    """One alert, as Alertmanager posts it."""
    labels = {"alertname": "Down", "instance": f"erp-{number}", "severity": "critical"}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": f"erp-{number} does not answer", "description": "For a while"},
        "startsAt": "2026-11-20T15:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
        "fingerprint": f"{number:016x}",
    }
    group = {"groupLabels": {"alertname": "Down"}, "commonLabels": labels, "commonAnnotations": {}}
    head = {"version": "4", "groupKey": f"{{}}:{number}", "truncatedAlerts": 0, "status": status}
    return json.dumps(head | group | {"receiver": "acuse", "alerts": [alert]}).encode()


def cpu() -> float:
    """Seconds of CPU that this process and its database have used until now."""
    mine = psutil.Process()
    family = [mine, *(p for p in mine.children(recursive=True) if p.name() == "postgres")]
    return sum(sum(process.cpu_times()[:2]) for process in family)


def bench(report: Report) -> bool:
    """The storm, through the door's own view."""
    from django.test import Client
    from tests.world import World

    from acuse.actions import watching
    from acuse.actions.administration import add_environment
    from acuse.interfaces.web import clock
    from acuse.models import AlertSource, Case, Incident, LedgerLine

    world = World()
    tokens = [
        watching.add_source(
            add_environment(world.andina, f"ERP {n}"), "Prometheus", "alert", by=world.ada, at=BEGIN
        )[1]
        for n in range(SOURCES)
    ]
    now = [BEGIN]
    clock.now = lambda: now[0]  # the storm lasts five minutes, however fast we are
    door, desk = Client(), Client()
    desk.force_login(world.sara)
    for page in PAGES:
        desk.get(page)
    slowest: dict[str, float] = dict.fromkeys(PAGES, 0.0)
    passed = 0.0
    for number in range(ALERTS):
        now[0] = BEGIN + LASTING * number / ALERTS
        which, turn = number % SOURCES, number // SOURCES
        body = payload(which, "resolved" if turn % 2 else "firing")
        began = time.perf_counter()
        answer: Any = door.post(
            "/monitoring/alerts",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {tokens[which]}"},
        )
        assert answer.status_code == 200, answer.content
        passed += time.perf_counter() - began
        if number % READ_EVERY == 0:
            for page in PAGES:
                slowest[page] = max(slowest[page], read(desk, page))
    cases, incidents = Case.objects.count(), Incident.objects.count()
    received = sum(AlertSource.objects.values_list("received", flat=True))
    counted = sum(Incident.objects.values_list("count", flat=True))
    lines = LedgerLine.objects.count()
    report("alerts taken in a second", ALERTS / passed, "/s", 0)
    report("all of them, seconds", passed, "s", LASTING.total_seconds())
    report("cases", cases, "", SOURCES)
    report("ledger lines a case", lines / cases, "", 0)
    report("alerts lost", 2 * ALERTS - received - counted, "", 0)
    for page, most in slowest.items():
        report(f"{page}, slowest, CPU", most, "ms", PAGE_CPU)
    whole = received == counted == ALERTS and cases == incidents == SOURCES
    fast = passed < LASTING.total_seconds() and max(slowest.values()) <= PAGE_CPU
    return whole and fast


def read(desk: Any, page: str, times: int = 5) -> float:
    """Milliseconds of CPU of one reading, the mean of a few: the system counts in hundredths of a
    second."""
    before = cpu()
    for _ in range(times):
        assert desk.get(page).status_code == 200
    return (cpu() - before) * 1000 / times


def main() -> int:
    """Prints the figures; 1 if a promise is broken."""
    folder = Path(tempfile.mkdtemp(prefix="acuse-bench-"))
    folder.chmod(0o711)
    os.environ.update(ACUSE_DATA=str(folder), DJANGO_SETTINGS_MODULE="acuse.settings")
    from acuse.connectors import postgres

    def report(what: str, value: float, unit: str, most: float) -> None:
        print(f"{what:<36} {value:8.2f} {unit}" + (f"   at most {most:g}" if most else ""))

    try:
        with postgres.running(folder):
            import django
            from django.core.management import call_command
            from django.test.utils import setup_test_environment

            django.setup()
            setup_test_environment()
            logging.disable(logging.WARNING)
            call_command("migrate", verbosity=0)
            kept = bench(report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
