"""A case's folder: its parts, read by one statement and tied to one another.

Who may see what is said where it is everywhere: in the querysets. The folder asks them together,
and what they found answers from memory: `case.waits.all()`, `version.files.all()`,
`message.author`. A relation answers from memory only where all of it was read; what is read for
one reader's eyes stands in the folder's own lists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..models import (
    Attachment,
    Case,
    CaseLink,
    ChecklistVersion,
    CopiedAddress,
    Dispatch,
    Draft,
    DraftFile,
    EstimateLine,
    Hold,
    LedgerLine,
    Membership,
    Message,
    Notice,
    Organisation,
    OrganisationKind,
    Paging,
    Person,
    PolicyAcceptance,
    Queue,
    ReplyTemplate,
    ScopeItem,
    ScopeValidation,
    Sending,
    Statement,
    StatementLine,
    TimeEntry,
    Timer,
    sql,
)
from ..models.base import VersionKey
from ..models.checklists import checklists_of
from ..models.people import get_people
from .answering import crowds_of, unsaid
from .correspondence import waiting_copies
from .outgoing import lost_of

Record = models.Model

# Whether the author of a message stands, or stood, at the firm's side.
OF_FIRM = Exists(
    Membership.objects.filter(person=OuterRef("author"), organisation__kind=OrganisationKind.FIRM)
)


@dataclass(frozen=True)
class Folder:
    """What depends on the reader, in order; everything else hangs on the case."""

    messages: list[Message]
    lines: list[LedgerLine]
    time: list[TimeEntry]
    statements: list[Statement]
    copied: list[CopiedAddress]
    lost: list[Notice]
    pagings: list[Paging]
    checklists: list[ChecklistVersion]
    accepted: list[PolicyAcceptance]  # the case's policies, by the reader
    links: list[CaseLink]
    templates: list[ReplyTemplate]
    queues: list[Queue]
    sendings: list[Sending]  # replies of the reader that wait, were taken back or refused
    crowds: list[Organisation]  # with `.people` counted
    drafts: list[Draft]  # what the reader is writing on the case
    draft_files: list[DraftFile]
    timers: list[Timer]  # the reader's, on this case and running
    far: dict[int, Case]  # the other ends of the links, where the reader may see them
    known: list[Record]  # everything that was read


def open_folder(case: Case, reader: Person) -> Folder:
    """Read all that a page shows of a case to a person: two statements."""
    whole, seen = _whole(case), _seen(case, reader)
    found = sql.together(*whole, *seen.values())
    parts = dict(zip((rows.model for rows in whole), found, strict=False))
    own = dict(zip(seen, found[len(whole) :], strict=True))
    far = [end for end in own.pop("far") if end.pk != case.pk]
    visible = {file.pk for file in own.pop("files")}
    in_force = {entry.pk for entry in own.pop("time")}
    known = _tie(case, reader, parts, [row for rows in own.values() for row in rows], far)
    for message in own["messages"]:
        files = [file for file in parts[Attachment] if file.message_id == message.pk]
        _answer(message, "attachments", [file for file in files if file.pk in visible])
    return Folder(
        time=[entry for entry in parts[TimeEntry] if entry.pk in in_force],
        far={end.pk: end for end in far},
        known=known,
        **own,
    )


def _whole(case: Case) -> tuple[QuerySet[Any], ...]:
    """The parts of which every row is read, whoever reads."""
    return (
        case.deliverables.order_by("pk"),
        case.versions.order_by("number"),
        case.windows.order_by("pk"),
        Dispatch.objects.filter(version__case=case).order_by("pk"),
        case.objections.order_by("pk"),
        Hold.objects.filter(window__case=case).order_by("pk"),
        case.waits.order_by("pk"),
        case.claims.order_by("pk"),
        case.warranties.order_by("until", "pk"),
        case.intervals.order_by("since", "pk"),
        case.deadlines.order_by("due_at", "pk"),
        case.estimates.order_by("-number"),
        EstimateLine.objects.filter(estimate__case=case),
        ScopeItem.objects.filter(estimate__case=case),
        ScopeValidation.objects.filter(estimate__case=case).order_by("pk"),
        case.delegations.order_by("pk"),
        case.watchers.order_by("pk"),
        case.satisfaction.order_by("pk"),
        case.ticks.order_by("pk"),
        case.attachments.order_by("pk"),
        StatementLine.objects.filter(statement__case=case).order_by("pk"),
        case.time.all(),
    )


def _seen(case: Case, reader: Person) -> dict[str, QuerySet[Any]]:
    """The parts of which only what this person may see is read, by their name in the folder."""
    links = CaseLink.objects.filter(Q(case=case) | Q(other=case), undone_at__isnull=True)
    ends = Case.objects.filter(Q(links__in=links) | Q(linked_from__in=links)).values("pk")
    messages = Message.objects.visible_to(reader).filter(case=case).annotate(of_firm=OF_FIRM)
    writing = {"person": reader, "what__endswith": f":{case.pk}"}
    firm = reader.is_firm
    templates = ReplyTemplate.objects.visible_to(reader).in_use()
    return {
        "messages": messages.order_by("at", "pk"),
        "files": Attachment.objects.visible_to(reader).filter(case=case),
        "lines": LedgerLine.objects.visible_to(reader).filter(case=case).order_by("seq"),
        "time": TimeEntry.objects.visible_to(reader).current().filter(case=case),
        "statements": Statement.objects.visible_to(reader).filter(case=case).order_by("number"),
        "copied": waiting_copies(case) if firm else CopiedAddress.objects.none(),
        "lost": lost_of(case) if firm else Notice.objects.none(),
        "pagings": Paging.objects.open().filter(case=case),
        "checklists": checklists_of(case) if firm else ChecklistVersion.objects.none(),
        "accepted": reader.policyacceptance_set.filter(policy=case.policy_id),
        "links": links.order_by("at", "pk"),
        "templates": templates.defer("text").order_by("name", "pk"),
        "queues": Queue.objects.all() if firm else Queue.objects.none(),
        "sendings": unsaid(case, reader) if firm else Sending.objects.none(),
        "crowds": crowds_of(case) if firm else Organisation.objects.none(),
        "drafts": Draft.objects.filter(**writing),
        "draft_files": DraftFile.objects.filter(draft__in=Draft.objects.filter(**writing)),
        "timers": Timer.objects.of(reader).filter(case=case, stopped_at__isnull=True),
        "far": Case.objects.visible_to(reader).filter(pk__in=ends),
    }


def _tie(
    case: Case,
    reader: Person,
    parts: dict[type[Record], list[Any]],
    seen: list[Record],
    far: list[Record],
) -> list[Record]:
    """Let every record know those that it names, and those of this case the ones that name them:
    all of a part was read, so that where nothing names a record, nothing does."""
    own: list[Record] = [case, *(row for rows in parts.values() for row in rows), *seen]
    known: dict[tuple[type[Record], int], Record] = {(type(r), r.pk): r for r in (*far, *own)}
    known[Person, reader.pk] = reader
    people = {
        getattr(row, key.attname)
        for row in (*own, *far)
        for key in _keys(type(row))
        if key.related_model is Person
    }
    for person in get_people(people - {None, reader.pk}):
        known[Person, person.pk] = person
    for row in (*own, *far):
        for key in _keys(type(row)):
            named = known.get((key.related_model, getattr(row, key.attname)))
            if named is not None:
                row._state.fields_cache[key.name] = named
    by_model = defaultdict(list)
    for row in own:
        by_model[type(row)].append(row)
    for model, rows in parts.items():
        for key in _keys(model):
            if key.related_model is Case and key.name != "case":
                continue  # of another case's name only this case's rows were read
            _answer_all(key, rows, by_model[key.related_model])
    return list(known.values())


def _answer_all(
    key: models.ForeignKey[Any, Any], rows: Iterable[Any], named: Iterable[Record]
) -> None:
    """Let those that are named by a key answer from memory who names them."""
    naming = defaultdict(list)
    for row in rows:
        naming[getattr(row, key.attname)].append(row)
    relation = key.remote_field
    if relation.hidden:  # nobody can ask
        return
    for record in named:
        if isinstance(key, models.OneToOneField):
            one = naming[record.pk]
            record._state.fields_cache[relation.cache_name] = one[0] if one else None
        else:
            _answer(record, relation.cache_name, naming[record.pk])


def _answer(record: Record, relation: str, rows: list[Any]) -> None:
    """`record.<relation>.all()` answers with these rows, as after Django's own prefetching: what
    is narrowed further asks the database anew, about this record alone."""
    remembered = getattr(record, relation).get_queryset()
    remembered._result_cache, remembered._prefetch_done = rows, True
    record.__dict__.setdefault("_prefetched_objects_cache", {})[relation] = remembered


@cache
def _keys(model: type[Record]) -> tuple[models.ForeignKey[Any, Any], ...]:
    """The foreign keys that are tied; those to versions remember for themselves."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not isinstance(field, VersionKey)
    )
