"""The outbox: who is told what because of a ledger line, queued in the same transaction.

A firm's line (an internal note, an alarm) is told to the firm's people only, whatever its kind
names: the audience never widens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from procrastinate.contrib.django import app

from ..models import Case, Dispatch, LedgerLine, Notice, NoticeState, Person, sql
from ..models.people import get_person
from ..models.roles import holders_of, is_customer_side, owners_of, who_left
from ..models.routing import standing_in
from ..policy.kinds import Kind
from ..policy.stages import Role

SEND = "send_notices"


def queue(
    case: Case,
    kind: Kind,
    line: LedgerLine,
    roles: frozenset[Role],
    told: Iterable[Person],
    dispatches: Iterable[Dispatch],
) -> list[Notice]:
    """Queue one notice for each person whom the line concerns, and the job that sends them."""
    carried = {dispatch.person_id: dispatch for dispatch in dispatches}
    people: dict[int, Person] = {person.pk: person for person in told}
    for group in kind.tells:
        for person in _GROUPS[group](case, line, roles):
            people.setdefault(person.pk, person)
    if case.assignee_id in people:  # nobody has a case that is being opened: nothing is read then
        for person in standing_in([case.assignee_id], line.at):
            people.setdefault(person.pk, person)
    if line.author_id is not None and not kind.legal and kind.name != "open":
        people.pop(line.author_id, None)  # nobody is told what they did, but for what binds them
    left = who_left(case, people.values(), line.at)
    notices = [
        Notice(
            case=case,
            line=line,
            person=person,
            dispatch=carried.get(person.pk),
            legal=kind.legal,
            state=NoticeState.QUEUED,
        )
        for person in people.values()
        if person.is_active
        and person.pk not in left
        and (kind.audience == "customer" or person.is_firm)
    ]
    if notices:
        sql.insert(*notices)
        app.configure_task(SEND, queue="mail").defer(line_id=line.pk)
    return notices


def _reporter(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    return [case.reporter] if case.reporter is not None else []


def _customer(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    if case.lines == 1:  # just opened: nobody follows it yet
        return _reporter(case, line, roles)
    watchers = Person.objects.filter(watching__case=case, watching__until__isnull=True)
    return [*_reporter(case, line, roles), *(p for p in watchers if not p.is_firm)]


def _conversation(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    """Everybody who takes part: the customer's people, and who answers at the firm."""
    return [*_customer(case, line, roles), *_answering(case, line, roles)]


def _answering(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    """At the firm: who has the case, else the SPOC, else everybody of support."""
    if not is_customer_side(roles) and line.author_kind == "person":
        return []
    return _assignee(case, line, roles) or _team(case, line, roles)


def _team(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    return _spoc(case, line, roles) or holders_of(Role.SUPPORT, line.at)


def _spoc(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    spoc_id = case.organisation.spoc_id if case.organisation is not None else None
    return [get_person(spoc_id)] if spoc_id is not None else []


def _assignee(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    return [case.assignee] if case.assignee is not None else []


def _owner(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    return owners_of(case, line.at)


def _manager(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    return holders_of(Role.MANAGER, line.at)


def _named(case: Case, line: LedgerLine, roles: frozenset[Role]) -> list[Person]:
    """Those whom the act itself names (`Writing.tell`)."""
    return []


_GROUPS: dict[str, Callable[[Case, LedgerLine, frozenset[Role]], list[Person]]] = {
    "reporter": _reporter,
    "customer": _customer,
    "conversation": _conversation,
    "team": _team,
    "spoc": _spoc,
    "assignee": _assignee,
    "owner": _owner,
    "manager": _manager,
    "addressee": _named,
    "delegate": _named,
    "dispatched": _named,
    "opened_window": _named,
    "reminded": _named,
    "routed": _named,
    "warned": _named,
    "paged": _named,
}
