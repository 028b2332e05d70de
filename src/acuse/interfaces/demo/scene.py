"""One case being told: who acts at which moment, and the stretches that many stories share.

Each stretch is an iterator of moments: it yields when the next thing happens and, once the other
stories have come as far, does it by the same act that the portal, the desk or the mail would call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from random import Random
from typing import Any

from acuse.actions import administration, aftercare, billing, deliveries, life, triage
from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.connectors import storage
from acuse.models import (
    Authentication,
    Case,
    CaseType,
    Deliverable,
    Environment,
    Mailbox,
    MailState,
    Module,
    Person,
    PolicyAcceptance,
    RawMail,
    RootCause,
    Specialty,
    Version,
)
from acuse.policy.authors import POSTMAN, Author, Channel, Occasion, person
from acuse.policy.billing import Activity
from acuse.policy.files import File
from acuse.policy.keys import subject_tag
from acuse.policy.priority import Impact, Urgency

from .days import Days
from .firm import CHARACTERS, CUSTOMERS, Cast

Moments = Iterator[datetime]

OWNERS = {"andina": "omar", "textiles": "irene", "clinica": "samuel", "cafe": "tomas"}
IRENE_LEFT = -25  # the business day from which her substitute decides


@dataclass(frozen=True)
class Plot:
    """What a case of the demo is about, as cases.toml tells it (all texts in Spanish, or in the
    reporter's language). `story` names a function of stories.py; `day` is the business day on
    which it begins, `minute` when on that day (after midnight; 0: some time in the morning);
    `items` are "kind: title"."""

    story: str
    day: int
    who: str
    subject: str
    text: str
    type: str
    module: str
    impact: str
    urgency: str
    minute: int = 0
    specialty: str = "funcional"
    cause: str = ""
    by_mail: bool = False
    consultant: str = "julian"
    scope: str = ""
    items: tuple[str, ...] = ()
    minutes: int = 240
    result: str = ""
    until: str = "closed"
    words: dict[str, str] = field(default_factory=dict)
    """What else the story says, by its own names."""

    def planned(self) -> tuple[Planned, ...]:
        """What is to be delivered."""
        pairs = (item.partition(": ") for item in self.items)
        return tuple(Planned(kind, title) for kind, _, title in pairs)


class Scene:
    """A case with the moment at which it stands. `at` is set by every moment that is yielded,
    `case` once it has been opened."""

    at: datetime
    case: Case

    def __init__(self, plot: Plot, cast: Cast, days: Days, seed: str) -> None:
        self.plot, self.cast = plot, cast
        self._days, self._random = days, Random(seed)
        self._day, self._minute = plot.day, 0
        self._new_morning()
        self._minute = plot.minute or self._minute

    @property
    def customer(self) -> str:
        """The short name of the reporter's organisation; empty for a stranger."""
        character = CHARACTERS.get(self.plot.who)
        return character.place if character is not None else ""

    @property
    def owner(self) -> str:
        """Who decides as the customer's service owner on this day."""
        if self.customer == "textiles" and self._day >= IRENE_LEFT:
            return "hugo"
        return OWNERS[self.customer]

    @property
    def spoc(self) -> str:
        return CUSTOMERS[self.customer][1]

    def begin(self) -> datetime:
        """The moment at which the story begins."""
        return self._move()

    def later(self, minutes: int = 0) -> datetime:
        """The moment a little later on the same day, or that many minutes later."""
        self._minute += minutes or self._random.randint(4, 27)
        return self._move()

    def after(self, days: int) -> datetime:
        """A moment in the morning, that many business days later."""
        self._day += days
        self._new_morning()
        return self._move()

    def _new_morning(self) -> None:
        self._minute = self._random.randint(485, 610)

    def _move(self) -> datetime:
        self.at = self._days.at(self._day, self._minute)
        return self.at

    def on(self, who: str | Author, case: Case | None = None) -> Occasion:
        """This person (short name) or machine acts on the case now."""
        return Occasion((case or self.case).pk, self.by(who), self.at)

    def by(self, who: str | Author) -> Author:
        if isinstance(who, Author):
            return who
        if CHARACTERS[who].place == "firm":
            return person(self.cast.people[who].pk, Channel.DESK)
        return person(self.cast.people[who].pk, Channel.PORTAL)

    @property
    def version(self) -> Version:
        """The newest version delivered on the case."""
        return Version.objects.filter(case=self.case).latest("pk")

    def deliverable(self, number: int = 0) -> Deliverable:
        """What was planned to be delivered, in the order in which it was planned."""
        return self.case.deliverables.filter(proposal=False).order_by("pk")[number]

    # What follows are the stretches, in the order in which a case meets them.

    def report(self) -> Moments:
        """The reporter opens the case, in the portal or by a mail that is kept."""
        yield self.begin()
        plot = self.plot
        if plot.by_mail:
            self.open_by_mail(self.cast.people[plot.who])
            return
        self.case = life.open(
            Occasion(None, self.by(plot.who), self.at),
            subject=plot.subject,
            text=plot.text,
            impact=Impact(plot.impact),
            urgency=Urgency(plot.urgency),
            module=Module.objects.get(code=plot.module),
            environment=self.environment(),
        ).case
        asked = PolicyAcceptance.objects.filter(policy=self.case.policy_id)
        if not asked.filter(person=self.cast.people[plot.who]).exists():  # the portal asks once
            aftercare.accept_policy(self.on(plot.who), policy=self.case.policy)

    def environment(self) -> Environment:
        customer = self.cast.customers[self.customer]
        return customer.environments.order_by("pk")[0]

    def open_by_mail(self, sender: Person, **details: Any) -> None:
        """The sender's mail arrives at the customer's mailbox, is kept whole and opens the case."""
        mailboxes = Mailbox.objects.order_by("pk")
        customer = self.cast.customers.get(self.customer)
        mailbox = mailboxes.filter(organisation=customer)[0]
        raw = self._raw_mail(sender, mailbox)
        self.case = life.open(
            Occasion(None, person(sender.pk, Channel.MAIL), self.at),
            subject=self.plot.subject,
            text=self.plot.text,
            mailbox=mailbox,
            raw_mail=raw,
            whole_text=self.plot.text,
            **details,
        ).case
        RawMail.objects.filter(pk=raw.pk).update(case=self.case)

    def hold_mail(self, name: str, email: str, text: str) -> RawMail:
        """A mail about the case by somebody unknown, held for somebody at the firm to judge."""
        customer = self.cast.customers[self.customer]
        mailbox = Mailbox.objects.get(organisation=customer)
        sender = administration.add_person(email, name)
        raw = self._raw_mail(sender, mailbox, f"{subject_tag(self.case.pk)} {name}", text)
        raw.case, raw.state, raw.reason = self.case, MailState.HELD, "proposed"
        raw.save()
        return raw

    def _raw_mail(
        self, sender: Person, mailbox: Mailbox, subject: str = "", text: str = ""
    ) -> RawMail:
        subject, text = subject or self.plot.subject, text or self.plot.text
        letter, domain = EmailMessage(), sender.email.partition("@")[2]
        found = f"dmarc=pass header.from={domain}"
        letter["Authentication-Results"] = f"{mailbox.authserv_id}; {found}"
        letter["From"] = f"{sender.name} <{sender.email}>"
        letter["To"] = mailbox.address
        letter["Subject"] = subject
        letter["Date"] = format_datetime(self.at)
        digest = hashlib.sha256(f"{subject}{self.at}".encode()).hexdigest()[:20]
        letter["Message-ID"] = f"<{digest}@{domain}>"
        letter.set_content(text)
        content = letter.as_bytes()
        return RawMail.objects.create(
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            envelope_from=sender.email,
            envelope_to=[mailbox.address],
            mailbox=mailbox,
            arrived_at=self.at,
            stored_at=self.at,
            state=MailState.PROCESSED,
            message_id=letter["Message-ID"],
            subject=subject,
            sender=sender.email,
            authentication=Authentication.PASS,
            authentication_detail=f"{mailbox.authserv_id}: dmarc=pass",
            person=sender,
        )

    def take(self, who: str = "valentina") -> Moments:
        yield self.later()
        life.take(self.on(who))

    def classify(self, who: str = "valentina") -> Moments:
        yield self.later()
        plot = self.plot
        life.classify(
            self.on(who),
            impact=Impact(plot.impact),
            urgency=Urgency(plot.urgency),
            type=CaseType.objects.get(code=plot.type),
            specialty=Specialty.objects.get(code=plot.specialty),
            module=Module.objects.get(code=plot.module),
            environment=self.environment(),
            root_cause=RootCause.objects.get(code=plot.cause) if plot.cause else None,
        )

    def diagnose(self) -> Moments:
        """The case goes to its consultant, who diagnoses it."""
        yield self.later()
        consultant = self.cast.people[self.plot.consultant]
        triage.assign(self.on("valentina"), person=consultant, level="n2")
        yield self.later()
        life.diagnose(self.on(self.plot.consultant))

    def log(self, activity: Activity, minutes: int, text: str) -> Moments:
        yield self.later()
        billing.log_time(
            self.on(self.plot.consultant),
            work_date=self._days.on(self._day),
            minutes=minutes,
            activity=activity,
            text=text,
        )

    def to_diagnosis(self) -> Moments:
        yield from self.report()
        yield from self.take()
        yield from self.classify()
        yield from self.diagnose()
        yield from self.log(Activity.DIAGNOSIS, 50, "Revisión del caso y reproducción del problema")

    def estimate(self, **changes: Any) -> Moments:
        yield self.after(1)
        life.estimate(self.on(self.plot.consultant))
        yield self.later(60)
        life.submit_scope(self.on(self.plot.consultant), draft=self.draft(**changes))

    def draft(self, **changes: Any) -> EstimateDraft:
        """The estimate of this plot: its items, and its minutes in two lines."""
        plot = self.plot
        items = plot.planned()
        work = plot.minutes * 3 // 4
        details: dict[str, Any] = {
            "scope": plot.scope,
            "exclusions": "Cambios en otros módulos y carga de datos históricos.",
            "assumptions": "El cliente dispone del ambiente de pruebas y de un usuario que valide.",
            "items": items,
            "lines": (
                LineDraft("Construcción", work),
                LineDraft("Pruebas y puesta en producción", plot.minutes - work),
            ),
        } | changes
        return EstimateDraft(**details)

    def validate(self) -> Moments:
        """Both named people validate the newest scope; the proposal reaches the customer."""
        yield self.later(45)
        estimate = self.case.estimates.latest("number")
        life.validate_scope(self.on(self.spoc), estimate=estimate)
        yield self.after(1)
        life.validate_scope(self.on(self.owner), estimate=estimate)
        yield from self.prove()

    def prove(self) -> Moments:
        """The customer's mail server takes every copy of what was sent last, a minute later."""
        yield self.later(1)
        for copy in self.version.dispatches.order_by("pk"):
            deliveries.prove_delivery(self.on(POSTMAN), version=self.version, dispatch=copy)

    def to_proposal(self) -> Moments:
        yield from self.to_diagnosis()
        yield from self.estimate()
        yield from self.validate()

    def accept_proposal(self, who: str = "") -> Moments:
        yield self.after(1)
        life.accept_proposal(self.on(who or self.plot.who), version=self.version)

    def authorize(self) -> Moments:
        yield self.later()
        life.authorize(self.on(self.plot.who))

    def work(self) -> Moments:
        yield self.after(2)
        yield from self.log(Activity.EXECUTION, self.plot.minutes, self.plot.planned()[0].title)

    def deliver(self, number: int = 0) -> Moments:
        """Deliver what was planned at that place and have it proven."""
        yield self.later()
        text = (
            self.plot.result or f"Entregamos «{self.deliverable(number).title}» para su revisión."
        )
        life.deliver(
            self.on(self.plot.consultant),
            deliverable=self.deliverable(number),
            text=text,
            files=self.files(),
        )
        yield from self.prove()

    def files(self) -> list[File]:
        """The file that the plot names, kept as every other file is."""
        if "file" not in self.plot.words:
            return []
        sha256, size = storage.put([self.plot.words["file_text"].encode()])
        return [File(sha256, size, self.plot.words["file"], "text/csv")]

    def deliver_answer(self) -> Moments:
        """Answer a question straight from the diagnosis."""
        yield self.later(40)
        planned = Planned("answer", self.plot.subject)
        life.deliver(self.on(self.plot.consultant), new=planned, text=self.plot.result)
        yield from self.prove()

    def to_work(self) -> Moments:
        yield from self.to_proposal()
        yield from self.accept_proposal()
        yield from self.authorize()
        yield from self.work()

    def to_delivered(self) -> Moments:
        yield from self.to_work()
        yield from self.deliver()

    def accept(self, who: str = "") -> Moments:
        yield self.after(1)
        life.accept(self.on(who or self.plot.who), version=self.version)

    def submit_time(self) -> Moments:
        yield self.after(1)
        billing.submit_time(self.on(self.spoc))

    def approve_time(self) -> Moments:
        yield self.later(90)
        submitted = self.case.time.filter(state="submitted")
        billing.approve_time(self.on(self.plot.who), entries=list(submitted))

    def issue(self) -> Moments:
        yield self.after(1)
        billing.issue_statement(self.on(self.spoc))

    def approve_statement(self, who: str = "") -> Moments:
        yield self.later(120)
        statement = self.case.statements.latest("number")
        billing.approve_statement(self.on(who or self.plot.who), statement=statement)

    def settle(self) -> Moments:
        """Time and billing, each put to the customer and approved."""
        yield from self.submit_time()
        yield from self.approve_time()
        yield from self.issue()
        yield from self.approve_statement()

    def close(self) -> Moments:
        yield self.later()
        life.close(self.on(self.plot.who))

    def rate(self, rating: int, text: str = "") -> Moments:
        yield self.after(1)
        aftercare.answer_satisfaction(self.on(self.plot.who), rating=rating, text=text)

    def follow_change(self) -> None:
        """Go on with the change that was opened from this case; its scope is the plot's own."""
        words = self.plot.words
        self.case = Case.objects.get(origin=self.case)
        self.plot = replace(
            self.plot,
            subject=self.case.subject,
            scope=words.get("change_scope", ""),
            items=(words["change_item"],) if "change_item" in words else (),
            result="",
        )
