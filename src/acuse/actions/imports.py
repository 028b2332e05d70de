"""Files of customers and people: looked at first, then applied whole or not at all (P10).

Looking is doing, and then undoing: the same function runs over the rows in a transaction that is
rolled back, so that what is shown is what will happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from ..models import Area, Import, Membership, Organisation, OrganisationKind, Person
from ..models.people import find_person
from ..policy import chain
from ..policy.fields import N_, InvalidField
from ..policy.imports import Grid, Kind, Problem, Row
from ..policy.stages import Role
from . import customers, records
from .administration import end_role, give_role
from .customers import CustomerFacts

IMPORT = "import"  # subject of a Change row
KEPT = timedelta(days=1)  # a file that nobody applied

UNKNOWN = N_("%(name)s is not known")
RETIRED = N_("%(name)s is retired: take it into use again first")
NOT_YET = N_("begins only later: end it first")
STALE = N_("What stands here has changed meanwhile. Look at the rows again.")
WRONG_ROWS = N_("%(count)s rows are wrong: nothing was saved. Correct the file and send it again.")
APPLIED = N_("This file has been applied already.")

NEW, CHANGED, UNCHANGED, WRONG = "new", "changed", "unchanged", "wrong"
STATES = (WRONG, NEW, CHANGED, UNCHANGED)

Values = Mapping[str, str]
Fields = dict[str, tuple[object, object]]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What becomes of one row: a state (one of STATES); each column that changes, before and
    after; what is wrong."""

    row: Row
    state: str
    fields: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def digest(outcomes: Iterable[Outcome]) -> str:
    """What was shown, as one hash (hex): whoever confirms confirms that and nothing else."""
    plain = [
        [
            outcome.row.number,
            outcome.state,
            {name: [str(value) for value in pair] for name, pair in outcome.fields.items()},
            [[problem.field, problem.rule] for problem in outcome.problems],
        ]
        for outcome in outcomes
    ]
    return hashlib.sha256(chain.canonical(plain)).hexdigest()


def count(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many rows are in each state."""
    found = dict.fromkeys(STATES, 0)
    for outcome in outcomes:
        found[outcome.state] += 1
    return found


@transaction.atomic
def take_in(
    kind: Kind,
    filename: str,
    sha256: str,
    grid: Grid,
    rows: Sequence[Row],
    *,
    by: Person,
    at: datetime,
) -> Import:
    """Keep the rows of a file until somebody applies it. What was left lying is thrown away."""
    Import.objects.filter(applied_at=None, at__lt=at - KEPT).delete()
    return Import.objects.create(
        kind=kind,
        filename=filename[:200],
        sha256=sha256,
        rows=[
            [
                row.number,
                dict(row.values),
                [[p.field, p.rule, dict(p.params)] for p in row.problems],
            ]
            for row in rows
        ],
        notes=[[rule, dict(params)] for rule, params in grid.notes],
        by=by,
        at=at,
    )


def rows_of(file: Import) -> list[Row]:
    """The rows that are kept of a file."""
    return [
        Row(number, values, tuple(Problem(*problem) for problem in problems))
        for number, values, problems in file.rows
    ]


def preview(file: Import, *, by: Person, at: datetime) -> list[Outcome]:
    """What would become of each row now. Nothing is left of it."""
    with transaction.atomic():
        outcomes = _run(file, by, at)
        transaction.set_rollback(True)
    return outcomes


def apply(
    file: Import, seen: str, *, by: Person, at: datetime, told: Told | None = None
) -> dict[str, int]:
    """All rows, in one transaction, where none is wrong and what becomes of them is what was
    `seen` (a digest). `told` is called with how many rows of how many have been done. Returns how
    many were in each state. Raises InvalidField("seen")."""
    try:
        with transaction.atomic():
            return _apply(file.pk, seen, by, at, told)
    except IntegrityError as crossed:  # somebody else's change was committed between two of ours
        raise InvalidField("seen", STALE) from crossed


def _apply(pk: int, seen: str, by: Person, at: datetime, told: Told | None) -> dict[str, int]:
    file = Import.objects.select_for_update().get(pk=pk)
    if file.applied_at is not None:
        raise InvalidField("seen", APPLIED)
    outcomes = _run(file, by, at, told)
    found = count(outcomes)
    if found[WRONG]:
        raise InvalidField("seen", WRONG_ROWS, count=found[WRONG])
    if digest(outcomes) != seen:
        raise InvalidField("seen", STALE)
    file.applied_at, file.by, file.counts, file.rows = at, by, found, []
    file.save()
    noted: Fields = {state: (None, number) for state, number in found.items() if number}
    noted["file"] = (None, file.filename)
    noted["sha256"] = (None, file.sha256)
    records.note_change(IMPORT, file.pk, "apply", by=by, at=at, fields=noted)
    return found


def leave(file: Import) -> None:
    """Throw away a file that was not applied."""
    Import.objects.filter(pk=file.pk, applied_at=None).delete()


def _run(file: Import, by: Person, at: datetime, told: Told | None = None) -> list[Outcome]:
    """Do what each row says, in the order of the file; one that is wrong does nothing."""
    step = _STEPS[Kind(file.kind)]
    outcomes: list[Outcome] = []
    rows = rows_of(file)
    for row in rows:
        if told is not None:
            told(len(outcomes), len(rows))
        if row.problems:
            outcomes.append(Outcome(row, WRONG, problems=row.problems))
            continue
        try:
            with transaction.atomic():
                new, fields = step(row.values, by, at)
        except InvalidField as wrong:
            column = _COLUMN_OF.get((file.kind, wrong.field), wrong.field)
            problem = Problem(column if column in row.values else "", wrong.rule, wrong.params)
            outcomes.append(Outcome(row, WRONG, problems=(problem,)))
        else:
            state = NEW if new else CHANGED if fields else UNCHANGED
            outcomes.append(Outcome(row, state, fields))
    return outcomes


# The actions call some columns otherwise than the file does.
_COLUMN_OF: Mapping[tuple[str, str], str] = {
    (Kind.ENTITIES, "detail"): "tax_id",
    (Kind.ENVIRONMENTS, "detail"): "url",
}


def _organisation(column: str, name: str, *kinds: OrganisationKind) -> Organisation:
    row = Organisation.objects.filter(name__iexact=name, kind__in=kinds).first()
    if row is None:
        raise InvalidField(column, UNKNOWN, name=name)
    if not row.active:
        raise InvalidField(column, RETIRED, name=row.name)
    return row


def _customer_row(values: Values, by: Person, at: datetime) -> tuple[bool, Fields]:
    spoc = None
    if "spoc" in values:
        spoc = find_person(values["spoc"])
        if spoc is None:
            raise InvalidField("spoc", UNKNOWN, name=values["spoc"])
    known = Organisation.objects.filter(
        name__iexact=values["name"], kind=OrganisationKind.CUSTOMER
    ).first()
    if known is None:
        facts = CustomerFacts(values["name"], values.get("language", "es"), spoc)
        customers.set_up_customer(facts, by=by, at=at)
        return True, {column: (None, value) for column, value in values.items()}
    if not known.active:
        raise InvalidField("name", RETIRED, name=known.name)
    facts = CustomerFacts(
        known.name, values.get("language", known.language), spoc if spoc else known.spoc
    )
    before: Fields = {
        "language": (known.language, facts.language),
        "spoc": (known.spoc and known.spoc.email, facts.spoc and facts.spoc.email),
    }
    customers.change_customer(known, facts, by=by, at=at)
    return False, _differing(before)


def _part_row(kind: str) -> Callable[[Values, Person, datetime], tuple[bool, Fields]]:
    """The step of a file of areas, entities or environments (a code of customers.PARTS)."""
    column = customers.DETAILS[kind]

    def step(values: Values, by: Person, at: datetime) -> tuple[bool, Fields]:
        customer = _organisation("customer", values["customer"], OrganisationKind.CUSTOMER)
        rows = customers.PARTS[kind].objects.filter(
            organisation=customer, name__iexact=values["name"]
        )
        known: customers.Part | None = rows.first()
        detail = values.get(column, "")
        if known is None:
            customers.add_part(customer, kind, values["name"], detail, by=by, at=at)
            return True, {name: (None, value) for name, value in values.items()}
        if known.retired_at is not None:
            raise InvalidField("name", RETIRED, name=known.name)
        if not detail:  # an empty cell says nothing
            return False, {}
        before = getattr(known, column)
        customers.change_part(known, known.name, detail, by=by, at=at)
        return False, _differing({column: (before, detail)})

    return step


def _person_row(values: Values, by: Person, at: datetime) -> tuple[bool, Fields]:
    organisation = _organisation("organisation", values["organisation"], *OrganisationKind)
    person = find_person(values["email"])
    new = person is None
    fields: Fields = {}
    if person is None:
        language = values.get("language", organisation.language)
        person = customers.register_person(
            values["email"], values.get("name", ""), language, by=by, at=at
        )
        fields = {"email": (None, person.email), "name": (None, person.name)}
    elif not person.is_active:
        raise InvalidField("email", RETIRED, name=str(person))
    else:
        name = values.get("name", person.name)
        language = values.get("language", person.language)
        fields = {"name": (person.name, name), "language": (person.language, language)}
        if _differing(fields):
            customers.change_person(person, name, language, by=by, at=at)
    fields |= _hold_role(person, organisation, values, by, at)
    return new, _differing(fields)


def _hold_role(
    person: Person, organisation: Organisation, values: Values, by: Person, at: datetime
) -> Fields:
    """The role that the row says, given anew where its area, level or kind is another now."""
    role = Role(values["role"])
    area = _find_area(organisation, values.get("area", ""))
    held: Membership | None = person.memberships.filter(
        organisation=organisation, role=role, until=None
    ).first()
    before = (held.area, held.level, held.substitute) if held is not None else (None, "", False)
    after = (
        area or before[0],
        values.get("level", before[1]),
        values["substitute"] == "yes" if "substitute" in values else before[2],
    )
    fields: Fields = {
        "role": (None if held is None else role, role),
        "organisation": (None if held is None else organisation.name, organisation.name),
        "area": (before[0] and before[0].name, after[0] and after[0].name),
        "level": (before[1], after[1]),
        "substitute": (before[2], after[2]),
    }
    if held is not None and before != after:
        if held.since >= at:
            raise InvalidField("role", NOT_YET)
        end_role(held, at, by)
    if held is None or before != after:
        give_role(
            person,
            organisation,
            role,
            since=at,
            area=after[0],
            level=after[1],
            substitute=after[2],
            by=by,
        )
    return fields


def _find_area(organisation: Organisation, name: str) -> Area | None:
    if not name:
        return None
    area = Area.objects.filter(organisation=organisation, name__iexact=name).first()
    if area is None:
        raise InvalidField("area", UNKNOWN, name=name)
    if area.retired_at is not None:
        raise InvalidField("area", RETIRED, name=area.name)
    return area


def _differing(fields: Fields) -> Fields:
    return {name: pair for name, pair in fields.items() if pair[0] != pair[1]}


_STEPS: dict[Kind, Callable[[Values, Person, datetime], tuple[bool, Fields]]] = {
    Kind.CUSTOMERS: _customer_row,
    Kind.ENTITIES: _part_row("entity"),
    Kind.AREAS: _part_row("area"),
    Kind.ENVIRONMENTS: _part_row("environment"),
    Kind.PEOPLE: _person_row,
}
