"""A case's folder: what one person may see of it and no more, and the same as asked one by one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import conversation, triage
from acuse.models import (
    Attachment,
    Case,
    CaseLink,
    LedgerLine,
    LinkKind,
    Message,
    Person,
    Statement,
    TimeEntry,
)
from acuse.policy.files import File
from acuse.queries.folder import open_folder
from acuse.queries.portal import links_of
from tests.world import World

pytestmark = pytest.mark.django_db

# Of each part of a case, the relations that pages walk from it.
WALKS: dict[str, tuple[str, ...]] = {
    "deliverables": ("versions",),
    "versions": ("files", "dispatches", "objections", "warranties", "claims"),
    "windows": ("holds",),
    "objections": (),
    "waits": (),
    "claims": ("files",),
    "warranties": (),
    "intervals": (),
    "deadlines": (),
    "estimates": ("lines", "items", "validations"),
    "delegations": (),
    "watchers": (),
    "satisfaction": (),
    "ticks": (),
    "attachments": (),
    "time": (),
}


def full(world: World) -> Case:
    """A case with something of nearly everything, internal words among them."""
    case = world.delivered()
    conversation.internal_note(world.on(case, "sara"), text="Secreto", files=[kept(world, "s.txt")])
    conversation.comment(world.on(case, "ana"), text="¿Cómo va?", files=[kept(world, "a.txt")])
    conversation.watch(world.on(case, "beto"))
    triage.relate(world.on(case, "sara"), other=world.report(), kind=LinkKind.RELATED)
    # No act ties cases of two customers so; if one ever did, each would see its own end only.
    CaseLink.objects.create(
        case=case, other=world.report("nora"), kind=LinkKind.RELATED, at=case.opened_at
    )
    return world.fresh(case)


def kept(world: World, name: str) -> File:
    from acuse.connectors import storage

    sha256 = storage.put([name.encode()])[0]
    return File(sha256, len(name), name, "text/plain", "")


def ids(rows: Any) -> list[int]:
    return [row.pk for row in rows]


@pytest.mark.parametrize("who", ["ana", "beto", "lina", "omar", "sara", "mario", "carlos"])
def test_a_folder_holds_what_the_person_may_see(world: World, who: str) -> None:
    case, person = full(world), Person.objects.get(pk=world.people[who].pk)
    found = open_folder(world.fresh(case), person)
    seen = {"case": case}
    assert ids(found.messages) == ids(
        Message.objects.visible_to(person).filter(**seen).order_by("at", "pk")
    )
    assert ids(found.lines) == ids(
        LedgerLine.objects.visible_to(person).filter(**seen).order_by("seq")
    )
    assert ids(found.time) == ids(TimeEntry.objects.visible_to(person).current().filter(**seen))
    assert ids(found.statements) == ids(Statement.objects.visible_to(person).filter(**seen))
    files = set(ids(Attachment.objects.visible_to(person).filter(**seen)))
    for message in found.messages:
        assert ids(message.attachments.all()) == [
            pk
            for pk in ids(Attachment.objects.filter(message=message).order_by("pk"))
            if pk in files
        ]
    secret = any("Secreto" in message.text for message in found.messages)
    assert secret == person.is_firm
    assert bool(found.checklists or found.copied or found.lost) <= person.is_firm
    ends = {end.organisation_id for _word, end in links_of(found)}
    assert ends == ({world.andina.pk, world.brisa.pk} if person.is_firm else {world.andina.pk})


def test_what_was_read_answers_from_memory_as_the_database_would(world: World) -> None:
    case = full(world)
    tied = world.fresh(case)
    open_folder(tied, Person.objects.get(pk=world.sara.pk))
    with CaptureQueriesContext(connection) as asked:
        remembered = {
            (part, walk): [ids(getattr(row, walk).all()) for row in getattr(tied, part).all()]
            for part, walks in WALKS.items()
            for walk in ("pk", *walks)
            if walk != "pk"
        } | {(part, ""): [ids(getattr(tied, part).all())] for part in WALKS}
        assert [version.window.pk for version in tied.versions.all() if version.delivered_at]
    assert len(asked) == 0
    for (part, walk), rows in remembered.items():
        if not walk:
            assert sorted(rows[0]) == sorted(ids(getattr(case, part).all())), part
            continue
        by_row = {
            row.pk: sorted(ids(getattr(row, walk).all())) for row in getattr(case, part).all()
        }
        order = ids(getattr(tied, part).all())
        assert [sorted(found) for found in rows] == [by_row[pk] for pk in order], (part, walk)


@pytest.mark.parametrize(("who", "most"), [("sara", 2), ("ana", 2)])
def test_a_folder_takes_two_statements(world: World, who: str, most: int) -> None:
    case, person = full(world), Person.objects.get(pk=world.people[who].pk)
    assert person.is_firm == (who == "sara")
    tied = world.fresh(case)
    assert tied.organisation is not None
    with CaptureQueriesContext(connection) as asked:
        open_folder(tied, person)
    assert len(asked) == most


def test_what_is_narrowed_further_stays_with_its_record(world: World) -> None:
    """A filter asks the database anew, and then about this case alone: never about everybody's."""
    ours, theirs = full(world), world.delivered(who="nora")
    conversation.watch(world.on(theirs, "oscar"))
    tied = world.fresh(ours)
    open_folder(tied, Person.objects.get(pk=world.sara.pk))
    for part in (*WALKS, "windows"):
        alone = set(ids(getattr(ours, part).all()))
        assert set(ids(getattr(tied, part).filter(pk__gt=0))) == alone, part
        assert set(ids(getattr(tied, part).exclude(pk=-1).order_by("-pk"))) == alone, part
        assert getattr(tied, part).filter(pk__gt=0).count() == len(alone), part
    for version in tied.versions.all():
        assert all(copy.version_id == version.pk for copy in version.dispatches.filter(pk__gt=0))
