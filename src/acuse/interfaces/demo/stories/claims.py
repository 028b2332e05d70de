"""Warranty claims and changes."""

from __future__ import annotations

from acuse.actions import (
    changes,
    life,
    warranty,
)
from acuse.models import (
    Exclusion,
)
from acuse.policy.billing import Activity
from acuse.policy.stages import CancelReason

from ..scene import Moments, Scene


def claim_covered(s: Scene) -> Moments:
    """A claim in time is covered, fixed and never billed."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.settle()
    yield from s.close()
    yield from _claim(s, 1)
    yield s.later(60)
    claim = s.case.claims.get()
    warranty.decide_claim(s.on(s.spoc), claim=claim, covered=True, text=s.plot.words["decision"])
    if s.plot.until == "claim":
        return
    yield s.after(1)
    yield from s.log(Activity.WARRANTY, 90, "Corrección en garantía")
    yield s.later()
    warranty.deliver_fix(s.on(s.plot.consultant), claim=claim, text=s.plot.words["fix"])
    yield from s.rate(5, "Respondieron por la garantía sin discutir.")


def _claim(s: Scene, days: int) -> Moments:
    yield s.after(days)
    warranty.claim_warranty(
        s.on(s.plot.who),
        version=s.version,
        text=s.plot.words["specified"],
        omitted=s.plot.words["omitted"],
    )


def claim_excluded(s: Scene) -> Moments:
    """A claim in time that the policy excludes goes on as a change."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from _claim(s, 2)
    yield s.after(1)
    warranty.decide_claim(
        s.on(s.spoc),
        claim=s.case.claims.get(),
        covered=False,
        exclusion=Exclusion.DATA_QUALITY,
        text=s.plot.words["decision"],
    )
    yield from s.settle()
    yield from s.close()
    s.follow_change()
    yield from s.take()
    yield s.later()
    life.cancel(s.on(s.plot.who), reason=CancelReason.WITHDRAWN, text=s.plot.words["text"])


def claim_late(s: Scene) -> Moments:
    """A claim after the warranty becomes a change at once."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.settle()
    yield from s.close()
    yield from _claim(s, 17)
    yield from _whole_change(s)


def claim_waiting(s: Scene) -> Moments:
    """A claim made in time waits for the firm's decision."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from _claim(s, 1)


def change_requested(s: Scene) -> Moments:
    """The customer asks for more than was agreed, in a case of its own."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.settle()
    yield s.later()
    changes.request_change(
        s.on(s.plot.who), subject=s.plot.words["change"], text=s.plot.words["change_text"]
    )
    yield from s.close()
    yield from _whole_change(s)


def _whole_change(s: Scene) -> Moments:
    """The change is a new requirement: it goes the whole way, with its own estimate."""
    s.follow_change()
    yield from s.take()
    yield from s.classify()
    yield from s.diagnose()
    yield from s.estimate()
    yield from s.validate()
    yield from s.accept_proposal()
    yield from s.authorize()
    yield from s.work()
    yield from s.deliver()
    yield from s.accept()
    yield from s.settle()
    yield from s.close()
