"""What became of a delivery: accepted, rejected, corrected, held, withdrawn, bounced."""

from __future__ import annotations

from acuse.actions import (
    conversation,
    deliveries,
    life,
    triage,
)
from acuse.models import (
    Message,
    ObjectionOutcome,
)
from acuse.policy.authors import POSTMAN
from acuse.policy.billing import Activity

from ..scene import Moments, Scene


def silence(s: Scene) -> Moments:
    """Silence accepts the proposal, then the delivery; the work itself was authorised."""
    yield from s.to_proposal()
    yield s.after(7)
    yield from s.authorize()
    yield from s.work()
    yield from s.deliver()
    yield s.after(6)
    if s.plot.until == "accepted":
        return
    yield from s.settle()
    yield from s.close()


def corrected(s: Scene) -> Moments:
    """The first version is rejected with its grounds, the second answers each objection."""
    yield from s.to_delivered()
    yield from _reject(s)
    if s.plot.until == "correction":
        return
    yield s.after(1)
    objection = s.case.objections.get()
    deliveries.answer_objection(
        s.on(s.plot.consultant),
        objection=objection,
        outcome=ObjectionOutcome.CORRECTED,
        text=s.plot.words["answer"],
    )
    yield from s.log(Activity.CORRECTION, 70, "Corrección de lo objetado")
    yield from s.deliver()
    if s.plot.until == "delivered":
        return
    yield from s.accept()
    yield from s.settle()
    yield from s.close()
    yield from s.rate(4, "Quedó bien, aunque hubo que pedir un ajuste.")


def _reject(s: Scene) -> Moments:
    yield s.after(1)
    objections = [(s.plot.words["objection"], s.plot.words["grounds"])]
    life.reject(s.on(s.plot.who), version=s.version, objections=objections)


def out_of_scope(s: Scene) -> Moments:
    """An objection asks for more than was agreed and goes on as a change in a case of its own."""
    yield from s.to_delivered()
    yield from _reject(s)
    yield s.after(1)
    deliveries.answer_objection(
        s.on(s.spoc),
        objection=s.case.objections.get(),
        outcome=ObjectionOutcome.OUT_OF_SCOPE,
        text=s.plot.words["answer"],
    )
    yield from s.deliver()
    yield from s.accept()
    yield from s.submit_time()
    yield from s.approve_time()
    s.follow_change()
    yield from s.take()
    yield from s.classify()
    yield from s.diagnose()


def objection_by_comment(s: Scene) -> Moments:
    """A comment in the term holds it; support reads it as an objection, and correction starts."""
    yield from s.to_delivered()
    yield from _comment(s, s.plot.who, s.plot.words["comment"])
    yield s.after(1)
    deliveries.classify_comment(s.on("andres"), message=_last_message(s), objection=True)


def _comment(s: Scene, who: str, text: str) -> Moments:
    yield s.after(1)
    conversation.comment(s.on(who), text=text)


def _last_message(s: Scene) -> Message:
    return s.case.messages.latest("pk")


def held_and_resumed(s: Scene) -> Moments:
    """A comment holds the term; it objects to nothing, so the rest of the term runs on, and the
    SPOC grants two days more."""
    yield from s.to_delivered()
    yield from _comment(s, s.plot.who, s.plot.words["comment"])
    yield s.later(95)
    deliveries.classify_comment(s.on("valentina"), message=_last_message(s), objection=False)
    yield s.later()
    conversation.comment(s.on(s.plot.consultant), text=s.plot.words["answer"])
    yield s.after(1)
    deliveries.extend_window(s.on(s.spoc), version=s.version, days=2)


def held(s: Scene) -> Moments:
    """A comment waits to be classified; meanwhile the term stands still."""
    yield from s.to_delivered()
    yield from _comment(s, s.plot.who, s.plot.words["comment"])


def withdrawn(s: Scene) -> Moments:
    """The wrong file was delivered: it is withdrawn in time, its term annulled, the right one
    delivered."""
    yield from s.to_delivered()
    yield s.later(130)
    deliveries.withdraw_delivery(
        s.on(s.plot.consultant), version=s.version, text=s.plot.words["reason"]
    )
    yield from s.deliver()


def bounced(s: Scene) -> Moments:
    """No copy reaches the customer: no term runs, and the SPOC is alarmed."""
    yield from s.to_work()
    yield s.later()
    life.deliver(s.on(s.plot.consultant), deliverable=s.deliverable(), text=s.plot.result)
    yield s.later(3)
    copy = s.version.dispatches.get()
    deliveries.fail_delivery(s.on(POSTMAN), dispatch=copy)
    if s.plot.until == "opened":
        yield s.after(1)
        deliveries.prove_delivery(s.on(s.plot.who), version=s.version)


def annulled(s: Scene) -> Moments:
    """Silence had counted; a manager annuls it, because the customer had been told to wait, and
    the SPOC grants the term anew."""
    yield from s.to_delivered()
    yield s.after(6)
    deliveries.annul_tacit(s.on("gloria"), version=s.version, text=s.plot.words["reason"])
    yield s.later()
    deliveries.extend_window(s.on(s.spoc), version=s.version, days=5)


def three_deliverables(s: Scene) -> Moments:
    """Several things were agreed: one is accepted, one is waiting, one is being made."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.deliver(1)


def emergency(s: Scene) -> Moments:
    """Everything stands still: the customer authorises work at once, its estimate follows."""
    yield from s.report()
    yield from s.take()
    yield from s.classify()
    yield s.later(5)
    triage.escalate(
        s.on("valentina"),
        direction="hierarchical",
        text="Operación detenida: se informa a la gerencia.",
        person=s.cast.people["gloria"],
    )
    yield s.later(5)
    triage.assign(s.on("andres"), person=s.cast.people[s.plot.consultant], level="n3")
    yield s.later(5)
    life.authorize_emergency(s.on(s.plot.who), items=s.plot.planned())
    yield from s.log(Activity.EXECUTION, 150, "Restablecimiento del servicio")
    if s.plot.until == "in_progress":
        return
    for number in (1, 0):  # first the service, then its estimate
        yield from s.deliver(number)
        yield s.later(60)
        life.accept(s.on(s.plot.who), version=s.version)
    yield from s.settle()
    yield from s.close()
    yield from s.rate(5, "Atendieron la emergencia en minutos.")
