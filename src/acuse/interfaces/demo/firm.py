"""The demo's firm and its four customers: who they are and what was agreed with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from acuse.actions import administration as admin
from acuse.models import (
    Area,
    CaseType,
    ContractKind,
    Level,
    Module,
    Organisation,
    Person,
    Queue,
    RootCause,
    Specialty,
)
from acuse.policy.priority import Priority
from acuse.policy.stages import Role

from .setup import Ground, lay_ground

FIRM = "Nube Cumbre Consultores"
FIRM_DOMAIN = "nubecumbre.example"

CUSTOMERS: dict[str, tuple[str, str]] = {
    # short name: name, SPOC
    "andina": ("Frescos de la Andina S.A.S.", "natalia"),
    "textiles": ("Textiles Río Claro S.A.", "natalia"),
    "clinica": ("Clínica Santa Elena", "ricardo"),
    "cafe": ("Café Altura Exportadores", "ricardo"),
}


@dataclass(frozen=True)
class Character:
    """Somebody of the demo: what they are, where, and the language in which they are written to."""

    name: str
    place: str
    roles: tuple[Role, ...]
    level: Level | None = None
    area: str = ""
    language: str = "es"


CHARACTERS: dict[str, Character] = {
    "valentina": Character("Valentina Rojas", "firm", (Role.SUPPORT,), Level.N1),
    "andres": Character("Andrés Quintero", "firm", (Role.SUPPORT,), Level.N2),
    "ricardo": Character("Ricardo Pineda", "firm", (Role.SUPPORT,), Level.N3),
    "camila": Character("Camila Torres", "firm", (Role.CONSULTANT,)),
    "julian": Character("Julián Ospina", "firm", (Role.CONSULTANT,)),
    "natalia": Character("Natalia Bernal", "firm", (Role.CONSULTANT,)),
    "gloria": Character("Gloria Estrada", "firm", (Role.MANAGER,)),
    "felipe": Character("Felipe Duarte", "firm", (Role.ADMINISTRATOR,)),
    "ana": Character("Ana Lucía Prado", "andina", (Role.USER,)),
    "bernardo": Character("Bernardo Niño", "andina", (Role.USER,)),
    "lina": Character("Lina Cárdenas", "andina", (Role.LEAD,), area="Contabilidad"),
    "omar": Character("Omar Villegas", "andina", (Role.OWNER,)),
    "marta": Character("Marta Giraldo", "textiles", (Role.USER,)),
    "hugo": Character("Hugo Peña", "textiles", (Role.LEAD,), area="Producción"),
    "irene": Character("Irene Salcedo", "textiles", (Role.OWNER,)),
    "patricia": Character("Patricia Lozano", "clinica", (Role.USER,)),
    "grace": Character("Grace Miller", "clinica", (Role.USER,), language="en"),
    "samuel": Character("Samuel Arango", "clinica", (Role.OWNER,)),
    "joana": Character("Joana Ferreira", "cafe", (Role.USER,), language="pt"),
    "tomas": Character("Tomás Uribe", "cafe", (Role.OWNER,)),
}
SUBSTITUTE = "hugo"  # stands in for Textiles' service owner

ENVIRONMENTS = {
    "andina": ("Producción", "Pruebas"),
    "textiles": ("Producción",),
    "clinica": ("Producción", "Pruebas"),
    "cafe": ("Producción",),
}
MODULES = (
    ("ventas", "Ventas"),
    ("compras", "Compras"),
    ("inventario", "Inventario"),
    ("contabilidad", "Contabilidad"),
    ("facturacion", "Facturación electrónica"),
    ("nomina", "Nómina"),
    ("produccion", "Producción"),
    ("pos", "Punto de venta"),
    ("sitio", "Sitio web"),
    ("plataforma", "Plataforma"),
)
SPECIALTIES = (
    ("funcional", "Consultoría funcional"),
    ("contable", "Contabilidad e impuestos"),
    ("desarrollo", "Desarrollo"),
    ("infraestructura", "Infraestructura"),
)
TYPES = (
    ("incidente", "Incidente"),
    ("consulta", "Consulta"),
    ("requerimiento", "Requerimiento"),
    ("mejora", "Mejora"),
)
ROOT_CAUSES = (
    ("parametrizacion", "Parametrización"),
    ("datos", "Calidad de los datos"),
    ("error_desarrollo", "Error en un desarrollo"),
    ("capacitacion", "Falta de capacitación"),
    ("infraestructura", "Infraestructura"),
    ("tercero", "Un tercero"),
)
QUEUES = (("soporte", "Soporte"), ("desarrollo", "Desarrollo"), ("contable", "Contable"))

# Minutes to a first response and to delivery, and whether they run round the clock (P21).
STANDARD_SLA = {
    Priority.URGENT: (60, 480, False),
    Priority.HIGH: (120, 960, False),
    Priority.MEDIUM: (240, 4800, False),
    Priority.LOW: (480, 9600, False),
}
CLINIC_SLA = STANDARD_SLA | {Priority.URGENT: (30, 480, True), Priority.HIGH: (60, 960, False)}


@dataclass(frozen=True)
class Cast:
    """Everybody and everything that the stories name."""

    people: dict[str, Person]
    customers: dict[str, Organisation]
    ground: Ground


def found(domain: str, years: range, since: datetime) -> Cast:
    """The firm, its people, its customers with their contracts, and its vocabulary."""
    firm = admin.found_firm(FIRM)
    server = f"mx.{domain}"  # in the demo nobody asks the DNS: its word on a sender counts
    ground = lay_ground(FIRM, f"soporte@{domain}", years, years, since, server)
    people = {short: _add(short, character, since) for short, character in CHARACTERS.items()}
    _give_roles(people, {"firm": firm}, since)
    customers = {
        # Read anew: who belongs to the firm is remembered by a person once loaded.
        short: admin.add_customer(name, spoc=Person.objects.get(pk=people[spoc].pk))
        for short, (name, spoc) in CUSTOMERS.items()
    }
    _give_roles(people, customers, since)
    admin.give_role(
        people[SUBSTITUTE], customers["textiles"], Role.OWNER, since=since, substitute=True
    )
    for model, words in (
        (Module, MODULES),
        (Specialty, SPECIALTIES),
        (CaseType, TYPES),
        (RootCause, ROOT_CAUSES),
        (Queue, QUEUES),
    ):
        admin.add_words(model, words)
    for short, customer in customers.items():
        admin.add_mailbox(
            f"{short}@{domain}", customer.name, organisation=customer, authserv_id=server
        )
        for name in ENVIRONMENTS[short]:
            admin.add_environment(customer, name, url=f"https://{_host(name)}.{short}.example")
    _sign_contracts(customers, ground, since.date())
    return Cast({p: Person.objects.get(pk=row.pk) for p, row in people.items()}, customers, ground)


def _host(environment: str) -> str:
    return "erp" if environment == "Producción" else "pruebas"


def _add(short: str, character: Character, since: datetime) -> Person:
    domain = FIRM_DOMAIN if character.place == "firm" else f"{character.place}.example"
    return admin.add_person(
        f"{short}@{domain}", character.name, language=character.language, verified_at=since
    )


def _give_roles(
    people: dict[str, Person], organisations: dict[str, Organisation], since: datetime
) -> None:
    for short, character in CHARACTERS.items():
        organisation = organisations.get(character.place)
        if organisation is None:
            continue
        area: Area | None = None
        if character.area:
            area = admin.add_area(organisation, character.area)
        for role in character.roles:
            admin.give_role(
                people[short],
                organisation,
                role,
                since=since,
                area=area,
                level=character.level or "",
            )


def _sign_contracts(customers: dict[str, Organisation], ground: Ground, on: date) -> None:
    """A support contract with committed times, an implementation contract, a support contract
    with an hour bank, and for the fourth customer none (P09, P22)."""
    standard = admin.publish_sla("Estándar", STANDARD_SLA)
    clinical = admin.publish_sla("Asistencial", CLINIC_SLA)
    agreed = (
        ("andina", "Soporte Odoo", ContractKind.SUPPORT, standard, None),
        ("textiles", "Implementación de Producción", ContractKind.IMPLEMENTATION, None, None),
        ("clinica", "Soporte con bolsa de horas", ContractKind.SUPPORT, clinical, 120 * 60),
    )
    for short, name, kind, sla, bank in agreed:
        admin.publish_contract(
            admin.add_contract(customers[short], name, kind),
            valid_from=on,
            valid_until=None,
            rates=ground.rates,
            calendar=ground.calendar,
            policy=ground.policy,
            sla=sla,
            hour_bank_minutes=bank,
        )


def begin_of(year: int) -> datetime:
    """The first moment of a year, before anything of the demo happened."""
    return datetime(year, 1, 1, tzinfo=UTC)
