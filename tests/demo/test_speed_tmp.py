import cProfile, pstats, time, os
from datetime import datetime, UTC
from collections import Counter
import pytest
from procrastinate.app import App as _App

_App.perform_import_paths = lambda self: None
from acuse.config import config
from acuse.interfaces.demo.load import load
from acuse.models import *


@pytest.mark.django_db
def test_it():
    t = time.time()
    now = datetime.fromisoformat(os.environ.get("DEMO_NOW", "2026-11-22T16:00+00:00"))
    if os.environ.get("PROF"):
        pr = cProfile.Profile()
        pr.enable()
    from django.db import connection
    import sys

    sites = Counter()

    def wrap(execute, sql, params, many, context):
        if os.environ.get("SITES"):
            f = sys._getframe(1)
            while f and "/acuse/" not in f.f_code.co_filename:
                f = f.f_back
            sites[(f.f_code.co_filename.split("/acuse/")[1], f.f_code.co_name, f.f_lineno)] += 1
        return execute(sql, params, many, context)

    import gc

    if os.environ.get("NOGC"):
        gc.collect()
        gc.freeze()
        gc.disable()
    if os.environ.get("SSB"):
        from django.db.backends.postgresql.base import ServerBindingCursor

        connection.ensure_connection()
        connection.connection.cursor_factory = ServerBindingCursor
        connection.connection.prepare_threshold = 3
        connection.connection.prepared_max = 1000
    c0 = time.process_time()
    with connection.execute_wrapper(wrap):
        s = load(config, now)
    print("CPU", time.process_time() - c0)
    for k, v in sites.most_common(60):
        print(v, k)
    if os.environ.get("PROF"):
        pr.disable()
        pstats.Stats(pr).sort_stats(os.environ.get("SORT", "cumtime")).print_stats(45)
    print("SECONDS", time.time() - t)
    print(s)
    print(Counter(Case.objects.values_list("stage", flat=True)))
    from acuse.policy.kinds import KINDS

    print(set(KINDS) - set(LedgerLine.objects.values_list("kind", flat=True)))
    print(Counter(LedgerLine.objects.values_list("kind", flat=True)))
    print(Counter(Deadline.objects.filter(fired_at=None).values_list("kind", flat=True)))
    print(Counter(TimeEntry.objects.values_list("state", flat=True)))
    print(Counter(Case.objects.values_list("priority", flat=True)))
    for k in ("remind", "breach"):
        print(k, Counter(l.payload["deadline"] for l in LedgerLine.objects.filter(kind=k)))
    for c in Case.objects.order_by("pk"):
        print(c.pk, c.stage, c.ball, c.opened_at.date(), c.organisation, c.priority, c.subject)
