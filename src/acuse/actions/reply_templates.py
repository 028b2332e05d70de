"""Keeping reply templates and macros, for oneself or for everybody of the firm."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ..models import Addressee, Language, Person, Queue, ReplyTemplate
from ..policy.fields import N_, InvalidField
from ..policy.replies import require_known
from . import records
from .keeping import TOO_LONG, get_own, require_name, retire

TEMPLATE = "reply_template"  # subject of a Change row
MOST_TEMPLATES, LONGEST_TEXT = 200, 10_000

NAME_TAKEN = N_("you already have a template called “%(name)s” in that language")
TOO_MANY = N_("you already have %(most)s templates: retire one first")
NOT_A_LANGUAGE = N_("“%(value)s” is not one of the languages")
NOT_AN_ADDRESSEE = N_("“%(value)s” is nobody to wait for")
NOT_OF_THE_FIRM = N_("must be somebody of the firm")
TWO_PEOPLE = N_("the case is assigned to you or to somebody else, not to both")


@transaction.atomic
def keep_template(*, by: Person, at: datetime, **facts: object) -> ReplyTemplate:
    """Keep a text under a name; `facts` as `change_template` takes them. Raises InvalidField."""
    Person.objects.select_for_update(no_key=True).get(pk=by.pk)
    if ReplyTemplate.objects.in_use().filter(owner=by).count() >= MOST_TEMPLATES:
        raise InvalidField("name", TOO_MANY, most=MOST_TEMPLATES)
    template = ReplyTemplate(owner=by, created_at=at)
    _describe(template, **facts)  # type: ignore[arg-type]
    template.save()
    fields = records.compare({}, _told(template))
    records.note_change(TEMPLATE, template.pk, "keep", by=by, at=at, fields=fields)
    return template


@transaction.atomic
def change_template(
    template: ReplyTemplate, *, by: Person, at: datetime, **facts: object
) -> ReplyTemplate:
    """Change a template as a whole: name, language, text, shared, take, assign_me, assignee,
    queue, wait_for. What changes nothing is not noted. Raises InvalidField."""
    kept = get_own(template, by)
    before = _told(kept)
    _describe(kept, **facts)  # type: ignore[arg-type]
    fields = records.compare(before, _told(kept))
    if fields:
        kept.save()
        records.note_change(TEMPLATE, kept.pk, "change", by=by, at=at, fields=fields)
    return kept


def retire_template(template: ReplyTemplate, *, by: Person, at: datetime) -> ReplyTemplate:
    """Take it out of use. Raises InvalidField."""
    return retire(template, TEMPLATE, by=by, at=at)


def _describe(
    template: ReplyTemplate,
    *,
    name: str,
    language: str,
    text: str,
    shared: bool = False,
    take: bool = False,
    assign_me: bool = False,
    assignee: Person | None = None,
    queue: Queue | None = None,
    wait_for: str = "",
) -> None:
    if language not in set(Language):
        raise InvalidField("language", NOT_A_LANGUAGE, value=language)
    template.language, template.shared = language, shared
    mine = ReplyTemplate.objects.in_use().filter(owner=template.owner_id, language=language)
    template.name = require_name(name, mine.exclude(pk=template.pk), NAME_TAKEN)
    template.text = require_known(text)
    if len(template.text) > LONGEST_TEXT:
        raise InvalidField("text", TOO_LONG, most=LONGEST_TEXT)
    if wait_for and wait_for not in set(Addressee):
        raise InvalidField("wait_for", NOT_AN_ADDRESSEE, value=wait_for)
    if assignee is not None and not assignee.is_firm:
        raise InvalidField("assignee", NOT_OF_THE_FIRM)
    if assignee is not None and assign_me:
        raise InvalidField("assignee", TWO_PEOPLE)
    template.take, template.assign_me, template.assignee = take, assign_me, assignee
    template.queue, template.wait_for = queue, wait_for


def _told(template: ReplyTemplate) -> dict[str, object]:
    return {
        "name": template.name,
        "language": template.language,
        "text": template.text,
        "shared": template.shared,
        "take": template.take,
        "assign_me": template.assign_me,
        "assignee": template.assignee_id,
        "queue": template.queue_id,
        "wait_for": template.wait_for,
    }
