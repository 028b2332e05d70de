"""Systems that stand still: for several customers at once, and at night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from acuse.actions import conversation, disruptions, family, life, oncall, triage
from acuse.models import Case, Disruption, Environment
from acuse.policy.authors import Occasion
from acuse.policy.billing import Activity
from acuse.policy.disruptions import LANGUAGES
from acuse.policy.stages import CancelReason

from ..scene import Moments, Scene

BEFORE = timedelta(minutes=35)  # so long it had lasted when it was declared


def outage(s: Scene) -> Moments:
    """What two customers share does not work: it is declared, told and ended. The reports hang on
    one parent case; what one of them reports goes on afterwards and is taken off."""
    words = s.plot.words
    reports = [Case.objects.filter(subject=words[name]) for name in ("same", "other")]
    yield s.begin()
    found = disruptions.declare(
        Occasion(None, s.by("valentina"), s.at),
        environments=[Environment.objects.get(case=report.get()) for report in reports],
        since=s.at - BEFORE,
        texts=_texts(words, "declared"),
        system=s.plot.subject,
    )
    s.case, same, other = found.parent, *(report.get() for report in reports)
    yield s.later(6)
    for case in (s.case, same, other):
        life.take(s.on("valentina", case))
    disruptions.attach_reports(found, [same, other], s.on("valentina"))
    yield from _until_over(s, found)
    yield s.later(4)
    family.tell_children(s.on("valentina"), text=words["to_all"], children=[same, other])
    yield s.later(12)
    life.cancel(s.on("marta", same), reason=CancelReason.SOLVED_ITSELF, text=words["works_again"])
    yield s.later(9)
    conversation.comment(s.on("joana", other), text=words["goes_on"])
    yield s.later(7)
    family.detach_from_parent(s.on("valentina", other))
    yield s.later(2)
    life.cancel(s.on("valentina"), reason=CancelReason.SOLVED_ITSELF)


def _until_over(s: Scene, declared: Disruption) -> Moments:
    by = s.cast.people["valentina"]
    yield s.later(20)
    disruptions.update(declared, _texts(s.plot.words, "update"), by=by, at=s.at)
    yield s.later(25)
    disruptions.end(declared, _texts(s.plot.words, "ended"), by=by, at=s.at)


def _texts(words: Mapping[str, str], said: str) -> dict[str, str]:
    """What is said in each language in which the plot says it."""
    keys = {language: f"{said}_{language}" for language in LANGUAGES}
    return {language: words[key] for language, key in keys.items() if key in words}


def at_night(s: Scene) -> Moments:
    """Everything stands still while the firm is closed: the first on call does not hear the page,
    the second acknowledges it, and the two restore the service on the customer's word."""
    yield from s.report()
    yield s.later(1)  # the first page has gone out
    yield s.later(16)  # and, without an acknowledgement, the second
    yield s.later(3)
    oncall.acknowledge(s.on(s.plot.consultant))
    yield from s.take("andres")
    yield from s.classify("andres")
    yield s.later(3)
    triage.assign(s.on("andres"), person=s.cast.people[s.plot.consultant], level="n3")
    yield s.later(4)
    life.authorize_emergency(s.on(s.plot.who), items=s.plot.planned())
    yield s.later(s.plot.minutes)
    yield from s.log(Activity.EXECUTION, s.plot.minutes, s.plot.planned()[0].title)
    for number in (1, 0):  # first the service, then its estimate
        yield from s.deliver(number)
        yield s.later(8)
        life.accept(s.on(s.plot.who), version=s.version)
        s.plot = replace(s.plot, result="")  # said of the service, not of its estimate
