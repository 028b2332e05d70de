"""A small firm with a customer under contract and one without, for tests: people by short names,
and a case driven to any stage by real acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from acuse.actions import administration as admin
from acuse.actions import clock, deliveries, life
from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.models import (
    Case,
    CaseType,
    ContractKind,
    Dispatch,
    Environment,
    LedgerLine,
    Module,
    Person,
    Queue,
)
from acuse.policy.authors import CLOCK, POSTMAN, Author, Channel, Occasion, person
from acuse.policy.billing import Activity
from acuse.policy.calendar import colombia
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.refusals import Refused
from acuse.policy.stages import CancelReason, Role, Stage
from acuse.policy.versions import PolicyParameters

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
# Monday 16 November 2026 is a holiday in Colombia; Tuesday 17 at 9:00 in Bogota.
START = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

PEOPLE: dict[str, tuple[str, str, tuple[Role, ...]]] = {
    # short name: organisation, name, roles
    "sara": ("firm", "Sara Soporte", (Role.SUPPORT,)),
    "carlos": ("firm", "Carlos Consultor", (Role.CONSULTANT,)),
    "paula": ("firm", "Paula Puente", (Role.SUPPORT,)),  # Andina's and Brisa's SPOC
    "mario": ("firm", "Mario Mando", (Role.MANAGER,)),
    "ada": ("firm", "Ada Administra", (Role.ADMINISTRATOR,)),
    "ana": ("andina", "Ana Ruiz", (Role.USER,)),
    "beto": ("andina", "Beto Díaz", (Role.USER,)),
    "lina": ("andina", "Lina Líder", (Role.LEAD,)),
    "omar": ("andina", "Omar Dueño", (Role.OWNER,)),
    "nora": ("brisa", "Nora Brisa", (Role.USER,)),
    "oscar": ("brisa", "Óscar Brisa", (Role.OWNER,)),
}


@contextmanager
def refused(code: str, field: str | None = None) -> Iterator[None]:
    """What is done inside is refused with this code (and, where given, for this field)."""
    with pytest.raises(Refused) as told:
        yield
    assert told.value.code == code, f"{told.value.code} instead of {code}"
    assert field is None or told.value.field == field


def last_line(case: Case) -> LedgerLine:
    """The newest line of a case's ledger."""
    return LedgerLine.objects.filter(case=case).latest("seq")


class World:
    """The firm, its customers Andina (support contract with committed times) and Brisa (no
    contract), and everybody in PEOPLE as an attribute."""

    def __init__(self, rules: PolicyParameters | None = None) -> None:
        self.firm = admin.found_firm("Consultora")
        self.people: dict[str, Person] = {}
        for short, (_, name, _) in PEOPLE.items():
            domain = f"{PEOPLE[short][0]}.example"
            self.people[short] = admin.add_person(f"{short}@{domain}", name, verified_at=LONG_AGO)
        for short, (organisation, _, roles) in PEOPLE.items():
            if organisation == "firm":
                for role in roles:
                    admin.give_role(self.people[short], self.firm, role, since=LONG_AGO)
        paula = Person.objects.get(pk=self.people["paula"].pk)
        self.andina = admin.add_customer("Andina", spoc=paula)
        self.brisa = admin.add_customer("Brisa", spoc=paula)
        for short, (organisation, _, roles) in PEOPLE.items():
            if organisation != "firm":
                for role in roles:
                    customer = getattr(self, organisation)
                    admin.give_role(self.people[short], customer, role, since=LONG_AGO)
        years = (2025, 2026, 2027)
        self.calendar = admin.publish_calendar(colombia(years, reviewed=years))
        self.policy = admin.publish_policy("Políticas", rules or PolicyParameters(), LONG_AGO)
        rate = {activity: Decimal("120000") for activity in Activity}
        self.rates = admin.publish_rates("COP", rate)
        self.sla = admin.publish_sla(
            "oro",
            {
                Priority.URGENT: (60, 480, True),
                Priority.HIGH: (120, 960, False),
                Priority.MEDIUM: (240, 2400, False),
                Priority.LOW: (480, 4800, False),
            },
        )
        contract = admin.add_contract(self.andina, "Soporte Andina", ContractKind.SUPPORT)
        self.contract = admin.publish_contract(
            contract,
            valid_from=LONG_AGO.date(),
            valid_until=None,
            rates=self.rates,
            calendar=self.calendar,
            policy=self.policy,
            sla=self.sla,
        )
        admin.add_words(Queue, [("soporte", "Soporte")])
        admin.add_words(Module, [("ventas", "Ventas")])
        admin.add_words(CaseType, [("incidente", "Incidente")])
        self.mailbox = admin.add_mailbox(
            "soporte@example.com", "Soporte", queue=Queue.objects.get(code="soporte")
        )
        self.production = Environment.objects.create(organisation=self.andina, name="Producción")

    def __getattr__(self, short: str) -> Person:
        try:
            return self.__dict__["people"][short]
        except KeyError:
            raise AttributeError(short) from None

    def by(self, who: str | Author) -> Author:
        if isinstance(who, Author):
            return who
        channel = Channel.DESK if PEOPLE[who][0] == "firm" else Channel.PORTAL
        return person(self.people[who].pk, channel)

    def on(
        self, case: Case | None, who: str | Author, at: datetime | None = None, key: str = ""
    ) -> Occasion:
        """An occasion: this case, by this person (short name) or machine, by default an hour
        after the case's last line."""
        if at is None:
            at = START
            if case is not None:
                last = LedgerLine.objects.filter(case=case).order_by("-seq").first()
                at = last.at + HOUR if last is not None else START
        return Occasion(case.pk if case is not None else None, self.by(who), at, key)

    def report(self, who: str = "ana", at: datetime = START, **details: Any) -> Case:
        details.setdefault("subject", "No imprime facturas")
        details.setdefault("text", "Desde hoy no imprime.")
        return life.open(self.on(None, who, at), **details).case

    def fresh(self, case: Case) -> Case:
        return Case.objects.get(pk=case.pk)

    def analysed(self, **details: Any) -> Case:
        case = self.report(**details)
        life.take(self.on(case, "sara"))
        life.classify(
            self.on(case, "sara"),
            impact=Impact.CRITICAL_PROCESS,
            urgency=Urgency.WORK_BLOCKED,
            type=CaseType.objects.get(code="incidente"),
        )
        return case

    def diagnosed(self, **details: Any) -> Case:
        case = self.analysed(**details)
        life.diagnose(self.on(case, "sara"))
        return case

    def estimating(self, **details: Any) -> Case:
        case = self.diagnosed(**details)
        life.estimate(self.on(case, "carlos"))
        return case

    def draft(self, *kinds: str) -> EstimateDraft:
        items = tuple(Planned(kind, f"Entrega {kind}") for kind in kinds or ("development",))
        lines = (LineDraft("Desarrollar", 240), LineDraft("Reunión", 60, Activity.MEETING))
        return EstimateDraft(scope="Corregir la impresión", items=items, lines=lines)

    def submitted(self, *kinds: str, **details: Any) -> Case:
        case = self.estimating(**details)
        life.submit_scope(self.on(case, "carlos"), draft=self.draft(*kinds))
        return case

    def proposed(self, *kinds: str, prove: bool = True, **details: Any) -> Case:
        case = self.submitted(*kinds, **details)
        estimate = case.estimates.latest("number")
        owner = "omar" if case.organisation_id == self.andina.pk else "oscar"
        life.validate_scope(self.on(case, owner), estimate=estimate)
        life.validate_scope(self.on(case, "paula"), estimate=estimate)
        if prove:
            self.prove(case)
        return case

    def prove(self, case: Case, at: datetime | None = None) -> None:
        """The customer's mail server takes the first copy of the newest version."""
        version = case.versions.latest("pk")
        copy = Dispatch.objects.filter(version=version).order_by("pk").first()
        deliveries.prove_delivery(self.on(case, POSTMAN, at), version=version, dispatch=copy)

    def to_authorize(self, *kinds: str, **details: Any) -> Case:
        case = self.proposed(*kinds, **details)
        who = "ana" if case.organisation_id == self.andina.pk else "nora"
        life.accept_proposal(self.on(case, who), version=case.versions.latest("pk"))
        return case

    def working(self, *kinds: str, **details: Any) -> Case:
        case = self.to_authorize(*kinds, **details)
        who = "ana" if case.organisation_id == self.andina.pk else "nora"
        life.authorize(self.on(case, who))
        return case

    def delivered(
        self, *kinds: str, at: datetime | None = None, prove: bool = True, **details: Any
    ) -> Case:
        case = self.working(*kinds, **details)
        deliverable = case.deliverables.get(proposal=False)
        life.deliver(self.on(case, "carlos", at), deliverable=deliverable, text="Listo")
        if prove:
            self.prove(case, at)
        return case

    def accepted(self, *kinds: str, **details: Any) -> Case:
        case = self.delivered(*kinds, **details)
        who = "ana" if case.organisation_id == self.andina.pk else "nora"
        life.accept(self.on(case, who), version=case.versions.latest("pk"))
        return case

    def closed(self, *kinds: str, **details: Any) -> Case:
        case = self.accepted(*kinds, **details)
        who = "ana" if case.organisation_id == self.andina.pk else "nora"
        life.close(self.on(case, who))
        return case

    def silence(self) -> Author:
        return CLOCK

    def cancelled(self, **details: Any) -> Case:
        case = self.analysed(**details)
        life.cancel(self.on(case, "ana"), reason=CancelReason.WITHDRAWN)
        return case

    def rejected(self, *kinds: str, **details: Any) -> Case:
        case = self.delivered(*kinds, **details)
        version = case.versions.latest("pk")
        life.reject(self.on(case, "ana"), version=version, objections=[("Falta", "Lo pactado")])
        return case

    def taken(self, **details: Any) -> Case:
        case = self.report(**details)
        life.take(self.on(case, "sara"))
        return case

    def at(self, stage: Stage) -> Case:
        """A case of Andina's in this stage."""
        drive = {
            Stage.RECEIVED: self.report,
            Stage.ANALYSIS: self.analysed,
            Stage.DIAGNOSIS: self.diagnosed,
            Stage.ESTIMATION: self.estimating,
            Stage.SCOPE_VALIDATION: self.submitted,
            Stage.PROPOSAL: self.proposed,
            Stage.AUTHORIZATION: self.to_authorize,
            Stage.IN_PROGRESS: self.working,
            Stage.DELIVERED: self.delivered,
            Stage.CORRECTION: self.rejected,
            Stage.ACCEPTED: self.accepted,
            Stage.CLOSED: self.closed,
            Stage.CANCELLED: self.cancelled,
        }
        case = self.fresh(drive[stage]())
        assert case.stage == stage
        return case

    def stranger(self, email: str = "quien@otra.example") -> Author:
        """Somebody known by an address alone, who belongs to nobody."""
        return person(admin.add_person(email).pk, Channel.MAIL)

    def fire(self, until: datetime) -> list[LedgerLine]:
        """Everything that falls due up to a moment, as the worker does it; the receipts."""
        receipts = [clock.fire(pk, until) for pk in clock.due(until)]
        return [receipt for receipt in receipts if receipt is not None]
