"""How cases begin: strangers, calls, monitors, duplicates, questions to be answered first."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from acuse.actions import (
    administration,
    calls,
    checklists,
    conversation,
    correspondence,
    life,
    mail,
    monitoring,
    triage,
)
from acuse.models import (
    Addressee,
    Case,
    LinkKind,
    MailState,
    Organisation,
)
from acuse.policy.authors import MONITOR, Occasion
from acuse.policy.priority import Impact, Urgency
from acuse.policy.stages import CancelReason

from ..scene import Moments, Scene

CALL = timedelta(minutes=6)  # from the call until it is written down
THERE, ASKED = (1, 3), 2  # of the checklist of incidents: in the report, and what is asked for


def stranger(s: Scene) -> Moments:
    """A mail from somebody unknown opens a case of no customer; support binds it, or not yet."""
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


def by_phone(s: Scene) -> Moments:
    """Support opens the case after a call; a user confirms it, so that diagnosis may bill, or has
    still to confirm it."""
    yield s.begin()
    s.case = calls.open_from_call(
        Occasion(None, s.by("valentina"), s.at),
        medium="phone",
        called_at=s.at - CALL,
        subject=s.plot.subject,
        text=s.plot.text,
        reporter=s.cast.people[s.plot.who],
        organisation=s.cast.customers[s.customer],
        impact=Impact(s.plot.impact),
        urgency=Urgency(s.plot.urgency),
    ).case
    if s.plot.until == "analysis":
        yield from s.take()
        return
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


def asked(s: Scene) -> Moments:
    """Something is missing of what an incident has to tell: a question waits for the person whom
    the plot names as addressee."""
    yield from s.report()
    yield from s.take()
    yield from s.classify()
    yield s.later(2)
    checklists.check_information(s.on("valentina"), ticked=THERE)
    yield s.later()
    addressee = Addressee(s.plot.words["addressee"])
    conversation.ask(s.on("valentina"), addressee=addressee, text=s.plot.words["question"])
    if "answer" not in s.plot.words:
        return
    yield s.after(1)
    wait = s.case.waits.get()
    who = s.plot.words["answers"]
    conversation.answer(s.on(who), wait=wait, text=s.plot.words["answer"])
    yield s.later(5)
    checklists.check_information(s.on("valentina"), ticked=(*THERE, ASKED))
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
    yield from _somebody_elses_mail(s)
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


def _somebody_elses_mail(s: Scene) -> Moments:
    """A supplier of the customer's writes about the case: support puts the mail on it, and of
    those whom it was copied to one may take part. The next mail is an advertisement."""
    words = s.plot.words
    yield s.later()
    raw = s.hold_mail(words["supplier"], words["supplier_email"], words["supplier_text"])
    copied = [(words["copied"], ""), (words["copied_too"], "")]
    correspondence.note_copied(s.case, raw, copied, s.at)
    yield s.later()
    correspondence.place_mail(
        s.on("valentina"), raw_mail=raw, author=raw.person, text=words["supplier_text"]
    )
    raw.state, raw.reason = MailState.PROCESSED, ""
    raw.save()
    wanted, unwanted = s.case.copied.order_by("pk")
    yield s.later()
    correspondence.admit_copied(s.on(s.spoc), copied=wanted)
    correspondence.dismiss_copied(s.on(s.spoc), copied=unwanted)
    yield s.later()
    raw = s.hold_mail(words["supplier"], words["supplier_email"], words["advertisement"])
    yield s.later()
    mail.dismiss(raw, by=s.cast.people["valentina"], at=s.at, why=words["dismissal"])
