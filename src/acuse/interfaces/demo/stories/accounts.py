"""Plain lives, and what happened to their time and billing."""

from __future__ import annotations

import hashlib

from acuse.actions import (
    aftercare,
    billing,
    life,
)
from acuse.policy.billing import Activity

from ..scene import Moments, Scene


def plain(s: Scene) -> Moments:
    """The main line, up to the stage that the plot names."""
    for stage, stretch in _main_line(s):
        for moments in stretch:
            yield from moments
        if stage == s.plot.until:
            return


def _main_line(s: Scene) -> list[tuple[str, list[Moments]]]:
    rating = int(s.plot.words.get("rating", "5"))
    return [
        ("received", [s.report()]),
        ("analysis", [s.take(), s.classify()]),
        (
            "diagnosis",
            [s.diagnose(), s.log(Activity.DIAGNOSIS, 45, "Revisión y reproducción del problema")],
        ),
        ("scope_validation", [s.estimate()]),
        ("proposal", [s.validate()]),
        ("authorization", [s.accept_proposal()]),
        ("in_progress", [s.authorize(), s.work()]),
        ("delivered", [s.deliver()]),
        ("accepted", [s.accept()]),
        ("time", [s.submit_time()]),
        ("billing", [s.approve_time(), s.issue()]),
        ("closed", [s.approve_statement(), s.close()]),
        ("rated", [s.rate(rating, s.plot.words.get("opinion", ""))]),
    ]


def answered(s: Scene) -> Moments:
    """A question answered without any work to authorise."""
    yield from s.report()
    yield from s.take()
    yield from s.classify()
    yield from s.diagnose()
    yield from s.deliver_answer()
    if s.plot.until == "delivered":
        return
    yield from s.accept()
    yield from s.close()
    if "rating" in s.plot.words:
        yield from s.rate(int(s.plot.words["rating"]), s.plot.words.get("opinion", ""))


def evidence_and_erasure(s: Scene) -> Moments:
    """A closed case whose evidence the customer took away and whose personal text was erased."""
    yield from plain(s)
    yield s.after(1)
    pack = hashlib.sha256(f"{s.case} {s.at}".encode()).hexdigest()
    aftercare.build_pack(s.on(s.plot.who), sha256=pack)
    yield s.after(1)
    aftercare.anonymise(s.on("gloria"))


def time_disputed(s: Scene) -> Moments:
    """The customer disputes a line of time; the manager settles it by waiving it."""
    yield from s.to_work()
    yield from s.log(Activity.MEETING, 60, "Reunión de seguimiento")
    wrong = s.case.time.latest("pk")
    yield s.later()
    billing.correct_time(
        s.on(s.plot.consultant),
        entry=wrong,
        work_date=wrong.work_date,
        minutes=45,
        activity=Activity.MEETING,
        text="Reunión de seguimiento (duración corregida)",
    )
    yield from s.deliver()
    yield from s.accept()
    yield from s.submit_time()
    yield s.later(75)
    meeting = s.case.time.filter(state="submitted", activity=Activity.MEETING)
    billing.dispute_time(s.on(s.plot.who), entries=list(meeting), text=s.plot.words["dispute"])
    if s.plot.until == "disputed":
        return
    yield s.after(1)
    billing.settle_time(
        s.on("gloria"),
        entries=list(s.case.time.filter(state="disputed")),
        waive=True,
        text="La reunión fue para aclarar una duda nuestra; no se cobra.",
    )
    yield from s.approve_time()
    yield from s.issue()
    yield from s.approve_statement()
    yield from s.close()


def billing_disputed(s: Scene) -> Moments:
    """The customer disputes the billing; it is credited, issued anew, approved and exported."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.submit_time()
    yield from s.approve_time()
    yield from s.issue()
    yield s.after(1)
    statement = s.case.statements.get()
    billing.dispute_statement(s.on(s.plot.who), statement=statement, text=s.plot.words["dispute"])
    yield s.after(1)
    billing.credit_statement(s.on("gloria"), statement=statement, text=s.plot.words["credit"])
    yield from s.issue()
    yield from s.approve_statement(s.owner)
    yield s.later()
    billing.export_statement(s.on("gloria"), statement=s.case.statements.latest("number"))
    yield from s.close()
    yield from s.rate(3, "El trabajo bien; la facturación tomó dos intentos.")


def unapproved(s: Scene) -> Moments:
    """Nobody approves the time in spite of the reminders; the manager closes without billing it."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.submit_time()
    yield s.after(9)
    life.close(s.on("gloria"), unapproved=True)
