"""Nothing typed is lost: a form is kept as it is written, until it is sent. A draft is no record:
it has no ledger line, and nobody but its author reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from ..models import Blob, Case, Draft, DraftFile, Environment, Module, Organisation, Person
from ..models.drafts import WHAT
from ..policy.fields import N_, InvalidField
from ..policy.files import File
from ..policy.priority import Impact, Urgency
from . import binding

MOST_DRAFTS = 50  # of one person; the oldest make room
MOST_FILES = 20  # of one draft
LONGEST = 200_000  # characters of all that was typed

UNKNOWN_FORM = N_("“%(value)s” is not a form that can be kept")
TOO_LONG = N_("is too long to be kept")
TOO_MANY_FILES = N_("has %(most)s files already: send them first")


@transaction.atomic
def keep_draft(
    person: Person, what: str, content: Mapping[str, list[str]], *, at: datetime
) -> Draft:
    """Keep a form as it is typed now. Raises InvalidField where it is not one, or too long."""
    if sum(len(value) for values in content.values() for value in values) > LONGEST:
        raise InvalidField("content", TOO_LONG)
    plain = {
        name.replace("\0", ""): [value.replace("\0", "") for value in values]
        for name, values in content.items()
    }
    draft = _draft(person, what, at)
    draft.content, draft.updated_at = plain, at
    draft.save(update_fields=["content", "updated_at"])
    return draft


@transaction.atomic
def keep_file(person: Person, what: str, file: File, *, at: datetime) -> DraftFile:
    """Keep a file that was uploaded before its form is sent. Raises InvalidField."""
    draft = _draft(person, what, at)
    if draft.files.count() >= MOST_FILES:
        raise InvalidField("files", TOO_MANY_FILES, most=MOST_FILES)
    blob, _ = Blob.objects.get_or_create(sha256=file.sha256, defaults={"size": file.size})
    return draft.files.create(
        blob=blob, filename=file.filename[:255], content_type=file.content_type[:100], at=at
    )


def forget_draft(person: Person, what: str) -> None:
    """Forget a form and its files: it was sent, or thrown away. What is no form is passed over, as
    what was sent with that name stands already."""
    if WHAT.fullmatch(what) is None:
        return
    Draft.objects.filter(person=person, what=what).delete()


def files_of(rows: Iterable[DraftFile]) -> list[File]:
    """What an act attaches of the files kept."""
    return [File(row.blob_id, row.blob.size, row.filename, row.content_type) for row in rows]


def foresee(
    organisation: Organisation | None,
    *,
    environment: Environment | None = None,
    module: Module | None = None,
    impact: Impact | None = None,
    urgency: Urgency | None = None,
    at: datetime,
) -> Case:
    """The case that a report would open at this moment, bound and pinned as `open` would, and
    opened by nobody: what its reporter is told before sending it (P09, P18, P21, P22)."""
    case = Case(opened_at=at, environment=environment, module=module)
    case.impact, case.urgency = impact or "", urgency or ""
    binding.pin_defaults(case, at)
    if organisation is not None:
        binding.bind(case, organisation)
    return case


def _draft(person: Person, what: str, at: datetime) -> Draft:
    """The draft of a form, made where there is none; two windows of one person take turns."""
    if WHAT.fullmatch(what) is None:
        raise InvalidField("what", UNKNOWN_FORM, value=what[:40])
    made, new = Draft.objects.get_or_create(
        person=person, what=what, defaults={"updated_at": at, "content": {}}
    )
    if new:
        others = Draft.objects.filter(person=person).exclude(pk=made.pk)
        ids = others.order_by("-updated_at", "-pk").values_list("pk", flat=True)
        Draft.objects.filter(pk__in=list(ids[MOST_DRAFTS - 1 :])).delete()
    return Draft.objects.select_for_update().get(pk=made.pk)
