"""One parent case: what many reports have in common, and an answer to all of them at once
(P04, P15). A child keeps its own stage, clocks and conversation."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from ..journal.writer import Writing, act
from ..models import (
    Audience,
    Case,
    CaseLink,
    LedgerLine,
    LinkKind,
    Membership,
    Message,
    MessageKind,
    OrganisationKind,
)
from ..policy import family
from ..policy.authors import Occasion
from ..policy.kinds import Payload
from ..policy.stages import ENDED
from . import conversation
from .writing import require_text, write_message


@act("attach_to_parent", also="parent")
def attach_to_parent(w: Writing, *, parent: Case) -> Payload:
    """Support hangs a case on the parent case of what it reports, also across customers; only
    the firm knows of it (P15)."""
    running = CaseLink.objects.filter(kind=LinkKind.PARENT, undone_at__isnull=True)
    code = family.refusal_of(
        itself=parent.pk == w.case.pk,
        has_parent=running.filter(case=w.case).exists(),
        has_children=running.filter(other=w.case).exists(),
        under=running.filter(case=parent).exists(),
    )
    if code:
        w.refuse(code, "parent")
    if Case.objects.get(pk=parent.pk).stage in ENDED:
        w.refuse("parent_ended", "parent")
    CaseLink.objects.create(case=w.case, other=parent, kind=LinkKind.PARENT, at=w.at)
    return {"case": parent.pk}


@act("detach_from_parent")
def detach_from_parent(w: Writing) -> Payload:
    """Support takes a case off its parent: it was something else (P15)."""
    link = w.case.links.filter(kind=LinkKind.PARENT, undone_at__isnull=True).first()
    if link is None:
        w.refuse("no_parent")
    link.undone_at = w.at
    link.save(update_fields=["undone_at"])
    return {"case": link.other_id}


@act("tell_children", also="children")
def tell_children(w: Writing, *, text: str, children: Sequence[Case]) -> Payload:
    """Support writes the same to the customers of several cases that hang on this one: each gets
    it as a comment on their own case, with its own line and its own notice. Whatever belongs to
    one customer is not said to another (P04, P15)."""
    words = require_text(w, text)
    if not children:
        w.refuse("child_required", "children")
    mine = {child.pk: child for child in children_of(w.case)}
    told = [mine[child.pk] for child in children if child.pk in mine]
    if len(told) != len(children):
        w.refuse("not_a_child", "children")
    leak = family.find_leak(
        words, members([w.case, *mine.values()]), {child.organisation_id for child in told}
    )
    if leak:
        w.refuse("names_another", "text", value=leak)
    note = write_message(w, MessageKind.INTERNAL_NOTE, words, audience=Audience.FIRM)
    for child in sorted(told, key=lambda case: case.pk):
        at = max(w.at, child.opened_at)
        conversation.comment(Occasion(child.pk, w.occasion.by, at), text=words)
    return {
        "message": note.pk,
        "cases": sorted(child.pk for child in told),
        "text_hash": note.hash_of(),
    }


def children_of(parent: Case) -> list[Case]:
    """The cases that hang on this one, each with its customer."""
    links = parent.linked_from.filter(kind=LinkKind.PARENT, undone_at__isnull=True)
    return [link.case for link in links.select_related("case__organisation")]


def members(cases: Sequence[Case]) -> list[family.Member]:
    """Every case of the family with what is its customer's own there, or the firm's: what its
    people wrote, and internal notes. What the firm wrote to a customer may be said again."""
    firm = Membership.objects.filter(organisation__kind=OrganisationKind.FIRM)
    theirs = Message.objects.filter(case__in=cases, audience=Audience.CUSTOMER)
    kept = _by_case(theirs.exclude(author__memberships__in=firm))
    # What was said to the children is kept on the parent as a note, and may be said again.
    told = LedgerLine.objects.filter(case__in=cases, kind="tell_children")
    said = [payload["message"] for payload in told.values_list("payload", flat=True)]
    notes = Message.objects.filter(case__in=cases, audience=Audience.FIRM)
    noted = _by_case(notes.exclude(pk__in=said))
    return [
        family.Member(
            case.pk,
            case.organisation_id,
            case.organisation.name if case.organisation is not None else "",
            kept.get(case.pk, ()),
            noted.get(case.pk, ()),
        )
        for case in cases
    ]


def _by_case(messages: QuerySet[Message]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for case_id, text in messages.exclude(text="").values_list("case", "text"):
        found[case_id] = (*found.get(case_id, ()), text)
    return found
