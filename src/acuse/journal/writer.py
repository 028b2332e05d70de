"""The one writer. Every act, from any door, passes the same steps in one transaction.

An act is a function that writes its own rows and says what its ledger line holds; `act` wraps it
in everything that all acts have in common, so that no door can leave a step out.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Concatenate, NoReturn, ParamSpec

from django.db import connection, transaction

from ..models import Case, Dispatch, IdempotencyKey, LedgerLine, Person, RefusalNote, sql
from ..models.roles import author_roles, find_author
from ..policy.authors import Author, Occasion
from ..policy.kinds import KINDS, Payload
from ..policy.refusals import Refused
from ..policy.stages import ACTS, ENDED, RIVALS, Act, Role, Stage, check
from . import ball, deadlines, ledger, oncall, outbox

P = ParamSpec("P")


@dataclass
class Writing:
    """One act being written: what its function reads, and what it sets for the later steps."""

    row: Act
    occasion: Occasion
    case: Case
    person: Person | None
    roles: frozenset[Role]
    stage_from: Stage | None
    stage: Stage | None = None  # where the act leads; None stays
    told: list[Person] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    silent: bool = False  # a case opened by a robot's mail is not confirmed (P12)
    priority_from: str = ""

    @property
    def at(self) -> datetime:
        return self.occasion.at

    @property
    def by(self) -> Person:
        """The person who acts; for acts that the table gives to people only."""
        assert self.person is not None
        return self.person

    def refuse(self, code: str, field: str = "", **params: object) -> NoReturn:
        raise Refused(code, self.row.name, self.stage_from, self.row.who, field, **params)


def act(
    name: str, also: str = ""
) -> Callable[
    [Callable[Concatenate[Writing, P], Payload]], Callable[Concatenate[Occasion, P], LedgerLine]
]:
    """Make a function the act of this name. `also` names an argument that is another case to lock,
    or a list of them.

    The wrapped act takes an Occasion and returns the ledger line, which is the receipt. Raises
    Refused, after which nothing is left but a note of the refusal.
    """
    row = ACTS[name]

    def wrap(
        body: Callable[Concatenate[Writing, P], Payload],
    ) -> Callable[Concatenate[Occasion, P], LedgerLine]:
        @functools.wraps(body)
        def perform(occasion: Occasion, /, *args: P.args, **details: P.kwargs) -> LedgerLine:
            try:
                with transaction.atomic():
                    recorded_at = _lock(occasion, details.get(also))
                    fingerprint = _fingerprint(occasion, name, details) if occasion.key else ""
                    if repeated := _repeated(occasion, fingerprint):
                        return repeated
                    writing = _enter(row, occasion)
                    payload = body(writing, *args, **details)
                    _settle(writing)
                    line = _record(writing, payload, recorded_at)
                    if occasion.key:
                        _remember(occasion, name, fingerprint, line)
                    return line
            except Refused as refusal:
                _note(refusal, occasion)
                raise

        return perform

    return wrap


def _lock(occasion: Occasion, other: object) -> datetime:
    """Lock the cases in the order of their ids; the database's time is when it was written."""
    cases = [occasion.case_id] if occasion.case_id is not None else []
    others = other if isinstance(other, list | tuple) else [other]
    cases += [row.pk for row in others if isinstance(row, Case)]
    if cases:
        sql.ask("select from acuse_case where id = any(%s) order by id for update", [cases])
    with connection.cursor() as cursor:
        if occasion.key:  # two copies of one request wait for each other, also to open a case
            key = f"{_author_code(occasion.by)}/{occasion.key}"
            cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        cursor.execute("select clock_timestamp()")
        recorded_at: datetime = cursor.fetchone()[0]
    return recorded_at


def _enter(row: Act, occasion: Occasion) -> Writing:
    """Load the locked case and ask the tables: this act, in this stage, by these roles."""
    person = find_author(occasion.by)
    if occasion.case_id is None:
        roles = frozenset(author_roles(occasion.by, person, None, occasion.at))
        check(row, None, roles)
        return Writing(row, occasion, Case(), person, roles, None)
    case = load(occasion.case_id)
    roles = frozenset(author_roles(occasion.by, person, case, occasion.at, row.name))
    stage = Stage(case.stage)
    _refuse_if_decided(row, case, stage, roles)
    check(row, stage, roles)
    writing = Writing(row, occasion, case, person, roles, stage, priority_from=case.priority)
    if occasion.at < case.opened_at:
        writing.refuse("in_the_past")
    return writing


def ask(name: str, occasion: Occasion) -> None:
    """Ask the tables whether this act may be done, without doing it; a refusal is noted."""
    try:
        _enter(ACTS[name], occasion)
    except Refused as refusal:
        _note(refusal, occasion)
        raise


def load(case_id: int) -> Case:
    """The case with what every act reads of it. The people are read when an act asks for them: a
    join of nine tables took the database longer to plan than all that an act writes."""
    return Case.objects.select_related("organisation").get(pk=case_id)


def _refuse_if_decided(row: Act, case: Case, stage: Stage, roles: frozenset[Role]) -> None:
    """Two people deciding at once: the first wins, the second is told by whom and when."""
    if stage in row.stages or row.name not in RIVALS or not roles & row.who:
        return
    first = case.ledger.filter(kind__in=RIVALS[row.name]).order_by("-seq").first()
    if first is not None:
        who = str(first.author) if first.author is not None else first.author_kind
        raise Refused("already_decided", row.name, stage, row.who, by=who, when=first.at)


def _settle(writing: Writing) -> None:
    """Set the stage, which must be one that the table allows, and who holds the ball."""
    case, row = writing.case, writing.row
    if writing.stage is not None and writing.stage != writing.stage_from:
        if writing.stage not in row.to:
            raise RuntimeError(f"{row.name} cannot lead to {writing.stage}")
        case.stage = writing.stage
        case.ended_at = writing.at if writing.stage in ENDED else None
    answers = KINDS[row.name].reaches and not writing.roles & {Role.USER, Role.STRANGER}
    if answers and writing.person is not None and case.first_response_at is None:
        case.first_response_at = writing.at
    case.ball = ball.holder(case, writing.roles, row.name)
    ball.move_interval(case, writing.at)
    if not writing.occasion.imported:
        oncall.begin(case, writing.priority_from, writing.at)


def _record(writing: Writing, payload: Mapping[str, object], recorded_at: datetime) -> LedgerLine:
    """Append the line, plan the deadlines anew, queue the notices."""
    case, kind = writing.case, KINDS[writing.row.name]
    line = ledger.append(case, kind, payload, writing.occasion, recorded_at, writing.stage_from)
    sql.update(case)
    deadlines.replan(case, writing.at, opening=writing.stage_from is None)
    if not writing.silent and not writing.occasion.imported:
        outbox.queue(case, kind, line, writing.roles, writing.told, writing.dispatches)
    return line


def _fingerprint(occasion: Occasion, name: str, details: Mapping[str, object]) -> str:
    plain = json.dumps(
        [name, occasion.case_id, details],
        default=lambda v: getattr(v, "pk", repr(v)),
        sort_keys=True,
    )
    return hashlib.sha256(plain.encode()).hexdigest()


def _author_code(author: Author) -> str:
    return f"{author.kind}:{author.person_id or ''}"


def _repeated(occasion: Occasion, fingerprint: str) -> LedgerLine | None:
    """The receipt that this key got before; the same key for something else is refused."""
    if not occasion.key:
        return None
    used = IdempotencyKey.objects.filter(author=_author_code(occasion.by), key=occasion.key)
    before = used.select_related("line").first()
    if before is None:
        return None
    if before.fingerprint != fingerprint:
        raise Refused("key_reused", before.act)
    return before.line


def _remember(occasion: Occasion, name: str, fingerprint: str, line: LedgerLine) -> None:
    IdempotencyKey.objects.create(
        author=_author_code(occasion.by),
        key=occasion.key,
        act=name,
        fingerprint=fingerprint,
        line=line,
    )


def _note(refusal: Refused, occasion: Occasion) -> None:
    """Note after the rollback what a known person tried and was refused."""
    if occasion.case_id is None or occasion.by.person_id is None:
        return
    RefusalNote.objects.create(
        case_id=occasion.case_id,
        person_id=occasion.by.person_id,
        act=refusal.act,
        code=refusal.code,
        stage=refusal.stage or "",
        channel=occasion.by.channel,
        at=occasion.at,
    )
