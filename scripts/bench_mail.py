"""Measures what a mail costs: read, and brought from raw bytes to a committed case with its ledger
line, its deadlines and its confirmation queued.

Works on a database of its own in a folder that it removes. Half of the mails come from a known
user under a contract, half each from somebody new. CPU is that of our process and of PostgreSQL's
together, where one process reads the mails one after another; two at once slow one another down on
shared cores, and are measured by how many they bring a second.
Ends with 1 if a promise is broken.
"""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MAILS, PROCESSES, WARMING = 1_000, 2, 25
LONGEST_PARSE = 3.0  # ms, median
MOST_CPU = 12.0  # ms a mail, server and database
SLOWEST = 100.0  # mails a second, with two processes
ARRIVED = datetime(2026, 11, 20, 15, tzinfo=UTC)
LINE = "Al confirmar la factura {} sale un error de impuestos y no deja seguir con el pedido.\r\n"


def write_mail(number: int, sender: str) -> bytes:
    """A report in Spanish of some 2 kB, with text and HTML, as mail programs send it."""
    text = "Hola,\r\n\r\n" + LINE.format(number) * 8 + "\r\nGracias,\r\nAna\r\n"
    html = "<html><body>" + text.replace("\r\n", "<br>\r\n") + "</body></html>\r\n"
    return (
        f"Delivered-To: soporte@example.com\r\nReceived: from mx.example ([192.0.2.1])\r\n"
        f"From: Ana =?utf-8?q?Ru=C3=ADz?= <{sender}>\r\nTo: soporte@example.com\r\n"
        f"Subject: =?utf-8?q?Facturaci=C3=B3n?= {number}\r\n"
        f"Message-ID: <{number}@bench.example>\r\n"
        "Date: Fri, 20 Nov 2026 10:00:00 -0500\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=b="\r\n\r\n'
        "--=b=\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
        "--=b=\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{html}\r\n--=b=--\r\n"
    ).encode()


def cpu_of(names: Iterable[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used until now."""
    return sum(sum(process.cpu_times()[:2]) for process in names)


def database_processes() -> list[psutil.Process]:
    """Our PostgreSQL and all of its backends."""
    mine = psutil.Process().children(recursive=True)
    return [process for process in mine if process.name() == "postgres"]


def bench_parse(report: Callable[[str, float, str, float], None]) -> bool:
    """The median time of parsing one mail."""
    from acuse.interfaces.mail.parse import parse

    taken = []
    for number in range(500):
        raw = write_mail(number, "ana@example.org")
        before = time.process_time()
        parse(raw)
        taken.append((time.process_time() - before) * 1000)
    median = statistics.median(taken)
    report("parse one mail, median", median, "ms", LONGEST_PARSE)
    return median <= LONGEST_PARSE


def read_share(ids: list[int]) -> tuple[float, float]:
    """In a process of its own: read these mails; seconds of CPU used, and of its backend."""
    from django.db import connection

    from acuse.interfaces.mail import intake

    now = ARRIVED + timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        backend = psutil.Process(cursor.fetchone()[0])
    for raw_id in ids[:WARMING]:
        intake.take_in(raw_id, now)
    ours, theirs = time.process_time(), cpu_of([backend])
    for raw_id in ids[WARMING:]:
        intake.take_in(raw_id, now)
    used = time.process_time() - ours, cpu_of([backend]) - theirs
    connection.close()
    return used


def bench_intake(report: Callable[[str, float, str, float], None]) -> bool:
    """CPU of a mail from its bytes to its case, and how many two processes bring a second."""
    from django.db import connection
    from tests.world import World

    from acuse.actions import mail
    from acuse.models import Case, Deadline, LedgerLine, Notice

    world = World()
    box = world.mailbox
    senders = [world.ana.email if n % 2 else f"nuevo{n}@otra.example" for n in range(MAILS)]
    letters = [write_mail(number, sender) for number, sender in enumerate(senders)]
    for number in range(WARMING):
        mail.keep(write_mail(MAILS + number, world.ana.email), box, arrived_at=ARRIVED)
    backends = database_processes()
    ours, theirs = time.process_time(), cpu_of(backends)
    ids = [mail.keep(raw, box, arrived_at=ARRIVED).pk for raw in letters]
    keeping = (time.process_time() - ours + cpu_of(backends) - theirs) / MAILS
    connection.close()
    half = MAILS // 2
    gc.freeze()  # as the supervisor does before it forks its children
    with ProcessPoolExecutor(PROCESSES, get_context("fork")) as pool:
        used = pool.submit(read_share, ids[:half]).result()
        before = time.perf_counter()
        list(pool.map(read_share, [ids[half + n :: PROCESSES] for n in range(PROCESSES)]))
        passed = time.perf_counter() - before
    read = half - WARMING
    cpu = (keeping + sum(used) / read) * 1000
    found = [model.objects.count() for model in (Case, LedgerLine, Deadline, Notice)]
    assert found[0] == found[1] == MAILS, found
    report("raw mail to committed case, CPU", cpu, "ms", MOST_CPU)
    report("  of it keeping the raw mail", keeping * 1000, "ms", 0)
    report("  of it PostgreSQL while reading", used[1] / read * 1000, "ms", 0)
    rate = (MAILS - half) / passed
    report(f"mails a second, {PROCESSES} processes", rate, "/s", 0)
    print(f"{'':<36} {found[0]} cases, {found[2]} deadlines, {found[3]} notices")
    return cpu <= MOST_CPU and rate >= SLOWEST


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

            django.setup()
            call_command("migrate", verbosity=0)
            kept = [bench_parse(report), bench_intake(report)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
