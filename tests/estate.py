"""A world in which much has happened, so that every page has something to show; told in words
that nobody else uses, so that a page that shows them to others is found out."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from acuse.actions import (
    administration,
    billing,
    conversation,
    disruptions,
    imports,
    mail,
    warranty,
    watching,
)
from acuse.interfaces.mail import intake
from acuse.models import (
    Absence,
    Addressee,
    Alarm,
    Area,
    Attachment,
    Case,
    CaseType,
    CaughtMail,
    CopiedAddress,
    Entity,
    HandOver,
    Hook,
    MaintenanceWindow,
    Membership,
    Notice,
    NoticeState,
    Page,
    Paging,
    Person,
    Queue,
    RawMail,
    RoutingRule,
    RuleVersion,
    Turn,
    View,
)
from acuse.models.replies import ReplyTemplate, Sending
from acuse.models.timers import Timer
from acuse.models.work import Work
from acuse.policy.authors import Channel, Occasion
from acuse.policy.authors import person as author
from acuse.policy.billing import Activity
from acuse.policy.imports import Grid, Kind, Row
from acuse.policy.stages import ACTS, Role, Stage
from acuse.queries.health import AlarmName
from tests.web.entering import Browser
from tests.web.stages import case_in
from tests.world import HOUR, LONG_AGO, START, World

# When everything below has happened, and every term that was opened still runs.
NOW = START + timedelta(days=2)
# What Andina alone knows: a word in each of its texts, and the names of its people.
SECRET = "Zafiro"
CANARIES = (SECRET, "Andina", "andina.example", "Ana Ruiz", "Beto Díaz", "Lina Líder", "Omar Dueño")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def letter(sender: str, subject: str, cc: str = "", html: bool = True) -> bytes:
    """A mail in text and HTML, with a picture."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "soporte@example.com", subject
    message["Message-ID"] = f"<{hashlib.sha256(subject.encode()).hexdigest()[:12]}@mail.example>"
    if cc:
        message["Cc"] = cc
    message.set_content(f"{subject}: no imprime.")
    if html:
        message.add_alternative(f"<p>{subject}: <b>no imprime</b></p>", subtype="html")
        message.add_attachment(PNG, "image", "png", filename=f"{SECRET}.png")
    return message.as_bytes()


class Estate:
    """The world, its cases by stage, and the ids that addresses are made of (`ids`)."""

    def __init__(self) -> None:
        self.world = World()
        self.now = NOW
        self.ids: dict[str, Any] = {"provider": "mailgun"}
        self.cases: dict[Stage, Case] = {}
        self._people()
        self._brisa()

    def fill(self) -> None:
        """What happens at Andina, beside what is Brisa's."""
        for stage in Stage:
            self.cases[stage] = case_in(self.world, stage)
            self._say_on(self.cases[stage])
        self._money()
        self._claim()
        self._mail()
        self._service()
        self._books()
        self._firm()
        self._writing()
        self._evidence()
        self.ids |= {
            "case": self.cases[Stage.DELIVERED].number,
            "seq": 1,
            "notice": Notice.objects.filter(person=self.world.ana).latest("pk").pk,
            "policy": self.world.policy.number,
            "noun": "comment",
            "year": 2028,
        }

    def _people(self) -> None:
        """Andina's people have names and places of their own; Brisa has all three roles."""
        lead = administration.add_person("lea@brisa.example", "Lea Brisa", verified_at=LONG_AGO)
        administration.give_role(lead, self.world.brisa, Role.LEAD, since=LONG_AGO)
        self.world.people["lea"] = lead

    def _brisa(self) -> None:
        """Brisa has cases of its own, to be found by its people only."""
        world = self.world
        administration.add_environment(world.brisa, "Principal")
        self.own = world.proposed(who="nora", subject="Reporte de ventas")
        world.report("nora", subject="Consulta de inventario")
        conversation.comment(world.on(self.own, "nora"), text="¿Incluye impuestos?")

    def _say_on(self, case: Case) -> None:
        world = self.world
        Case.objects.filter(pk=case.pk).update(subject=f"{SECRET}: no imprime facturas")
        picture = SimpleUploadedFile(f"{SECRET}.png", PNG, "image/png")
        Browser(world.ana).post(
            f"/cases/{case.number}/attachment", {"files": [picture], "key": f"file-{case.pk}"}
        )
        conversation.comment(world.on(case, "ana"), text=f"{SECRET}: ¿incluye el IVA?")
        conversation.internal_note(world.on(case, "sara"), text=f"{SECRET}: sospecho del driver")
        if case.stage in ACTS["ask"].stages:
            conversation.ask(
                world.on(case, "sara"), addressee=Addressee.USER, text=f"{SECRET}: ¿desde cuándo?"
            )

    def _log(self, case: Case, minutes: int, activity: Activity = Activity.EXECUTION) -> None:
        billing.log_time(
            self.world.on(case, "carlos"),
            work_date=START.date(),
            minutes=minutes,
            activity=activity,
            text=f"{SECRET}: se ajusta el reporte",
        )

    def _money(self) -> None:
        """Time to submit, to approve and disputed; a statement to decide, one approved."""
        world = self.world
        self._log(self.cases[Stage.IN_PROGRESS], 45)
        accepted = self.cases[Stage.ACCEPTED]
        for minutes in (60, 30):
            self._log(accepted, minutes)
        billing.submit_time(world.on(accepted, "carlos"))
        first = accepted.time.earliest("pk")
        billing.dispute_time(world.on(accepted, "ana"), entries=[first], text=f"{SECRET}: es mucho")
        for decided in (False, True):
            case = world.accepted(subject=f"{SECRET}: cobro")
            self._log(case, 60)
            billing.submit_time(world.on(case, "carlos"))
            billing.approve_time(world.on(case, "ana"), entries=list(case.time.all()))
            billing.issue_statement(world.on(case, "mario"))
            self.ids["billed" if decided else "stated"] = case.number
            if decided:
                statement = case.statements.latest("pk")
                billing.approve_statement(world.on(case, "ana"), statement=statement)

    def _claim(self) -> None:
        """A claim of warranty to be decided; one that is covered; a tacit outcome."""
        world = self.world
        for covered in (False, True):
            case = world.closed(subject=f"{SECRET}: garantía")
            version = case.versions.filter(deliverable__proposal=False).latest("pk")
            warranty.claim_warranty(
                world.on(case, "ana"), version=version, text=f"{SECRET}: el total", omitted="IVA"
            )
            self.ids["covered" if covered else "claimed"] = case.number
            if covered:
                warranty.decide_claim(
                    world.on(case, "paula"), claim=case.claims.get(), covered=True, text="Se cubre"
                )

    def _firm(self) -> None:
        """How the firm divides its work: routing, absences, who is on call and was paged."""
        world, until = self.world, NOW + timedelta(days=3)
        queue = Queue.objects.get(code="soporte")
        rule = RoutingRule.objects.create(name=f"{SECRET} primero", place=1)
        RuleVersion.objects.create(
            rule=rule, number=1, since=START, customer=world.andina, queue=queue
        )
        absence = Absence.objects.create(
            person=world.sara, since=NOW + timedelta(days=1), until=until, substitute=world.paula
        )
        turn = Turn.objects.create(line="first", person=world.sara, since=START, until=until)
        offer = HandOver.objects.create(
            line="first",
            giver=world.sara,
            taker=world.mario,
            since=NOW,
            until=until,
            offered_at=START,
        )
        urgent = self.cases[Stage.ANALYSIS]
        paging = Paging.objects.create(case=urgent, began_at=START, steps=1, rung="first")
        Page.objects.create(paging=paging, person=world.mario, rung="first", at=START)
        hook = Hook.objects.create(
            name="Oficina de guardia", url="https://hook.firm.example/", sealed="-", since=START
        )
        view = View.objects.create(owner=world.mario, name=SECRET, shared=True, created_at=START)
        self.ids |= {
            "view": view.pk,
            "rule": rule.pk,
            "absence": absence.pk,
            "turn": turn.pk,
            "offer": offer.pk,
            "answer": "acceptance",
            "page": paging.pk,
            "hook": hook.pk,
            "words": "queue",
            "word": queue.pk,
            "tables": "sla",
            "table": world.sla.pk,
            "policy_row": world.policy.pk,
        }

    def _writing(self) -> None:
        """What people at the desk have begun: a reply, a template, a timer, an export."""
        world, case = self.world, self.cases[Stage.DELIVERED]
        template = ReplyTemplate.objects.create(
            owner=world.mario, name=SECRET, text=f"{SECRET}: lo miramos.", created_at=START
        )
        sending = Sending.objects.create(
            case=case,
            person=world.mario,
            text=f"{SECRET}: va en camino",
            key="sending",
            pressed_at=NOW,
            due_at=NOW + timedelta(days=1),
        )
        timer = Timer.objects.create(
            case=case, person=world.mario, started_at=START, stopped_at=START + HOUR
        )
        work = Work.objects.create(kind="export", by=world.mario, asked_at=START)
        self.ids |= {
            "reply": template.pk,
            "sending": sending.pk,
            "timer": timer.pk,
            "work": work.pk,
            "received": self.cases[Stage.RECEIVED].number,
            "draft": "report",
        }

    def _evidence(self) -> None:
        """A pack that Ana has had built."""
        case = self.cases[Stage.CLOSED]
        built = Browser(self.world.ana).post(f"/cases/{case.number}/evidence", {"key": "pack"})
        self.ids |= {"packed": case.number, "pack_seq": int(built["Location"].rpartition("/")[2])}

    def _mail(self) -> None:
        world, domain = self.world, "andina.example"
        raw = mail.keep(
            letter(f"Ana <ana@{domain}>", f"{SECRET} por correo", cc="eva@otra.example"),
            world.mailbox,
            arrived_at=START,
        )
        intake.take_in(raw.pk, START)
        raw.refresh_from_db()
        assert raw.case is not None
        held = mail.keep(
            letter("Zoe <zoe@nadie.example>", f"{SECRET} retenido"), world.mailbox, arrived_at=START
        )
        RawMail.objects.filter(pk=held.pk).update(state="held", reason="not_in_stage")
        caught = CaughtMail.objects.create(
            sender="soporte@example.com",
            recipients=[f"ana@{domain}"],
            subject=f"[C-1] {SECRET}",
            content=letter("soporte@example.com", f"[C-1] {SECRET}"),
        )
        assert CopiedAddress.objects.filter(case=raw.case).exists()
        Notice.objects.filter(pk=Notice.objects.latest("pk").pk).update(
            state=NoticeState.FAILED, error="550 no such user"
        )
        self.ids |= {
            "mailed": raw.case.number,
            "message": raw.case.messages.earliest("pk").pk,
            "raw": held.pk,
            "part": 0,
            "caught": caught.pk,
            "file": Attachment.objects.earliest("pk").pk,
            "decision": "dismissal",
        }

    def _service(self) -> None:
        """Monitoring, with an alarm; an outage."""
        world = self.world
        facts = watching.CheckFacts(f"{SECRET} portal", "http", "https://portal.andina.example/")
        check = watching.add_check(world.production, facts, by=world.mario, at=START)
        source, _token = watching.add_source(
            world.production, f"{SECRET} Prometheus", "group", by=world.mario, at=START
        )
        watching.announce_maintenance(
            world.production,
            since=START + timedelta(days=5),
            until=START + timedelta(days=6),
            reason=f"{SECRET}: cambio de servidor",
            by=world.mario,
            at=START,
        )
        outage = disruptions.declare(
            Occasion(None, author(world.mario.pk, Channel.DESK), START),
            environments=[world.production],
            since=START,
            texts={"es": f"{SECRET}: sin servicio", "en": "Down", "pt": "Fora do ar"},
            system="ERP",
        )
        Alarm.objects.create(
            name=next(iter(AlarmName)), about="soporte@example.com", detail="2", raised_at=START
        )
        self.ids |= {
            "check": check.pk,
            "source": source.pk,
            "maintenance": MaintenanceWindow.objects.latest("pk").pk,
            "outage": outage.pk,
        }

    def _books(self) -> None:
        world = self.world
        row = Row(2, {"name": f"{SECRET} S.A.S.", "language": "es"}, ())
        file = imports.take_in(
            Kind.CUSTOMERS,
            "clientes.csv",
            hashlib.sha256(b"").hexdigest(),
            Grid(()),
            [row],
            by=world.mario,
            at=NOW,
        )
        area = Area.objects.create(organisation=world.andina, name=f"{SECRET} Ventas")
        entity = Entity.objects.create(organisation=world.andina, name=f"{SECRET} Norte")
        self.ids |= {
            "customer": world.andina.pk,
            "area": area.pk,
            "entity": entity.pk,
            "environment": world.production.pk,
            "contract": world.contract.contract_id,
            "person": world.carlos.pk,
            "role": Membership.objects.get(person=world.ana).pk,
            "calendar": world.calendar.pk,
            "mailbox": world.mailbox.pk,
            "import": file.pk,
            "kind": "customers",
            "type": CaseType.objects.get(code="incidente").pk,
            "address": world.ana.addresses.get().pk,
        }

    def named(self, name: str) -> Case:
        """A case by the name of its number among the ids."""
        return Case.objects.get(pk=int(self.ids[name].removeprefix("C-")))

    def tell_in(self, language: str) -> None:
        """Everybody reads this language from now on."""
        Person.objects.exclude(language=language).update(language=language)
