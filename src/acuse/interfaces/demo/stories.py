"""The stories of the demo: what happened on each case beside, or instead of, the plain way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from acuse.actions import (
    administration,
    aftercare,
    billing,
    changes,
    conversation,
    deliveries,
    life,
    monitoring,
    triage,
    warranty,
)
from acuse.actions.drafts import Planned
from acuse.models import (
    Addressee,
    Case,
    Exclusion,
    LinkKind,
    Message,
    ObjectionOutcome,
    Organisation,
)
from acuse.policy.authors import MONITOR, POSTMAN, Occasion
from acuse.policy.billing import Activity
from acuse.policy.priority import Impact, Urgency
from acuse.policy.stages import CancelReason

from .scene import Moments, Scene

Teller = Callable[[Scene], Moments]


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


def duplicate(s: Scene) -> Moments:
    """Support finds that the case had been reported before and cancels it as a duplicate."""
    yield from s.report()
    yield from s.take()
    yield s.later()
    triage.merge_duplicate(s.on("valentina"), original=_earlier(s))
    if s.plot.until == "cancelled":
        return
    yield s.after(1)
    conversation.comment(s.on(s.plot.who), text=s.plot.words["comment"])
    yield s.later()
    life.restore(s.on("andres"))
    yield s.later()
    triage.relate(s.on("andres"), other=_earlier(s), kind=LinkKind.RELATED)
    yield from s.classify()


def _earlier(s: Scene) -> Case:
    """The case that the plot names by its subject."""
    return Case.objects.get(subject=s.plot.words["original"])


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
    planned = [Planned(*item.split(": ", 1)) for item in s.plot.items]
    life.authorize_emergency(s.on(s.plot.who), items=planned)
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


def stranger(s: Scene) -> Moments:
    """A mail from somebody unknown opens a case without a customer; support binds it, or not yet."""
    yield s.begin()
    sender = administration.add_person(s.plot.words["email"], s.plot.words["name"])
    s.open_by_mail(sender)
    if s.plot.until == "received":
        return
    yield s.after(1)
    customer = Organisation.objects.get(name=s.plot.words["customer"])
    triage.bind_customer(s.on("valentina"), organisation=customer)
    yield from s.take()
    yield s.later()
    conversation.ask(s.on("valentina"), addressee=Addressee.USER, text=s.plot.words["question"])


def delegated(s: Scene) -> Moments:
    """The service owner passes the validation of the scope on to the lead, who gives it."""
    yield from s.to_diagnosis()
    yield from s.estimate()
    yield s.later()
    triage.delegate_decision(s.on(s.owner), person=s.cast.people["lina"], decision="scope")
    yield s.after(1)
    estimate = s.case.estimates.latest("number")
    life.validate_scope(s.on("lina"), estimate=estimate)
    yield s.later(35)
    life.validate_scope(s.on(s.spoc), estimate=estimate)
    yield from s.prove()


def returned(s: Scene) -> Moments:
    """The service owner returns the scope; a new version clears both validations."""
    yield from s.to_diagnosis()
    yield from s.estimate()
    yield s.later(30)
    first = s.case.estimates.latest("number")
    life.validate_scope(s.on(s.spoc), estimate=first)
    yield s.later(200)
    life.return_scope(s.on(s.owner), estimate=first, text=s.plot.words["reason"])
    yield s.after(1)
    draft = s.draft(scope=f"{s.plot.scope} {s.plot.words['added']}")
    life.submit_scope(s.on(s.plot.consultant), draft=draft)
    if s.plot.until == "scope_validation":
        return
    yield from s.validate()


def proposal_rejected(s: Scene) -> Moments:
    """The proposal is rejected: with a new version wanted, or for good."""
    yield from s.to_proposal()
    yield s.after(2)
    life.reject_proposal(
        s.on(s.plot.who),
        version=s.version,
        objections=[(s.plot.words["objection"], s.plot.words["grounds"])],
        revise=s.plot.until != "cancelled",
    )
    if s.plot.until == "cancelled":
        yield from s.settle()
    if s.plot.until != "proposal":
        return
    yield s.after(2)
    deliveries.answer_objection(
        s.on(s.plot.consultant),
        objection=s.case.objections.get(),
        outcome=ObjectionOutcome.CORRECTED,
        text=s.plot.words["answer"],
    )
    yield s.later()
    life.submit_scope(s.on(s.plot.consultant), draft=s.draft(scope=s.plot.words["scope"]))
    yield from s.validate()


def declined(s: Scene) -> Moments:
    """The proposal was accepted, the work never authorised; what it took to diagnose is billed."""
    yield from s.to_proposal()
    yield from s.accept_proposal()
    yield s.after(5)
    life.decline(s.on(s.plot.who))
    yield from s.settle()


def asked(s: Scene) -> Moments:
    """A question waits for the person whom the plot names as addressee."""
    yield from s.report()
    yield from s.take()
    yield from s.classify()
    yield s.later()
    addressee = Addressee(s.plot.words["addressee"])
    conversation.ask(s.on("valentina"), addressee=addressee, text=s.plot.words["question"])
    if "answer" not in s.plot.words:
        return
    yield s.after(1)
    wait = s.case.waits.get()
    who = s.plot.words["answers"]
    conversation.answer(s.on(who), wait=wait, text=s.plot.words["answer"])
    yield from s.diagnose()


def given_up(s: Scene) -> Moments:
    """The customer never answers the question, or says that it is no longer needed."""
    yield from s.report()
    yield from s.take()
    yield from s.classify()
    yield s.later()
    conversation.ask(
        s.on("valentina"), addressee=Addressee.USER, text="¿Puede enviarnos un ejemplo?"
    )
    if s.plot.words["reason"] == CancelReason.WITHDRAWN:
        yield s.after(1)
        life.cancel(s.on(s.plot.who), reason=CancelReason.WITHDRAWN, text=s.plot.words["text"])
        return
    yield s.after(8)
    life.cancel(s.on("andres"), reason=CancelReason.NO_ANSWER, text=s.plot.words["text"])


def escalated(s: Scene) -> Moments:
    """First level cannot solve it: it goes up with its history, and the conversation goes on."""
    yield from s.to_diagnosis()
    yield s.later()
    conversation.attach(s.on(s.plot.who), files=s.files())
    yield s.later()
    conversation.internal_note(s.on("valentina"), text=s.plot.words["note"])
    yield s.later()
    triage.escalate(
        s.on("valentina"),
        direction="functional",
        text=s.plot.words["reason"],
        level="n3",
        person=s.cast.people["ricardo"],
    )
    yield s.later()
    conversation.watch(s.on(s.plot.who), person=s.cast.people[s.owner])
    yield s.later(80)
    conversation.log_non_binding_contact(s.on("ricardo"), medium="phone", text=s.plot.words["call"])


def split_in_two(s: Scene) -> Moments:
    """One message held two problems: the second gets a case of its own."""
    yield from s.report()
    yield from s.take()
    yield s.later()
    triage.split(
        s.on("valentina"),
        message=s.case.messages.earliest("pk"),
        subject=s.plot.words["second"],
        text=s.plot.words["second_text"],
    )
    yield from s.classify()
    yield from s.diagnose()


def by_phone(s: Scene) -> Moments:
    """Support opens the case after a call; a user confirms it, so that diagnosis may bill."""
    yield s.begin()
    s.case = life.open(
        Occasion(None, s.by("valentina"), s.at),
        subject=s.plot.subject,
        text=s.plot.text,
        reporter=s.cast.people[s.plot.who],
        organisation=s.cast.customers[s.customer],
        impact=Impact(s.plot.impact),
        urgency=Urgency(s.plot.urgency),
    ).case
    yield s.later(40)
    triage.confirm_report(s.on(s.plot.who))
    yield from s.take()
    yield from s.classify()
    yield from s.diagnose()


def monitored(s: Scene) -> Moments:
    """A monitor opens one case for a failure, notes the next alerts on it and the recovery."""
    yield s.begin()
    environment = s.environment()
    s.case = life.open(
        Occasion(None, MONITOR, s.at),
        subject=s.plot.subject,
        text=s.plot.text,
        organisation=s.cast.customers[s.customer],
        environment=environment,
    ).case
    fingerprint = hashlib.sha256(s.plot.subject.encode()).hexdigest()
    yield s.later(4)
    monitoring.open_environment_alert(
        s.on(MONITOR), environment=environment, fingerprint=fingerprint, text=s.plot.words["alert"]
    )
    yield from s.take()
    yield from s.classify()
    yield s.later()
    monitoring.recover(s.on(MONITOR), environment=environment, fingerprint=fingerprint)
    yield from s.diagnose()


def evidence_and_erasure(s: Scene) -> Moments:
    """A closed case whose evidence the customer took away and whose personal text was erased."""
    yield from plain(s)
    yield s.after(1)
    pack = hashlib.sha256(f"{s.case} {s.at}".encode()).hexdigest()
    aftercare.build_pack(s.on(s.plot.who), sha256=pack)
    yield s.after(1)
    aftercare.anonymise(s.on("gloria"))


def three_deliverables(s: Scene) -> Moments:
    """Several things were agreed: one is accepted, one is waiting, one is being made."""
    yield from s.to_delivered()
    yield from s.accept()
    yield from s.deliver(1)


TELLERS: dict[str, Teller] = {
    teller.__name__: teller
    for teller in (
        plain,
        answered,
        silence,
        corrected,
        out_of_scope,
        objection_by_comment,
        held_and_resumed,
        held,
        withdrawn,
        bounced,
        annulled,
        claim_covered,
        claim_excluded,
        claim_late,
        claim_waiting,
        change_requested,
        duplicate,
        emergency,
        time_disputed,
        billing_disputed,
        unapproved,
        stranger,
        delegated,
        returned,
        proposal_rejected,
        declined,
        asked,
        given_up,
        escalated,
        split_in_two,
        by_phone,
        monitored,
        evidence_and_erasure,
        three_deliverables,
    )
}
