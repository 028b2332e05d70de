"""What somebody was writing, as its form shows it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import Draft, DraftFile, Person
from ..models.drafts import WHAT
from .folder import Folder


@dataclass(frozen=True)
class Kept:
    """A form as it was last typed, and the files uploaded for it. `content`: the values of each
    field by its name; `at`: when it was kept."""

    what: str
    content: dict[str, list[str]]
    files: list[DraftFile]
    at: datetime

    def first(self, name: str) -> str:
        """The one value of a field, empty where nothing was typed."""
        return next(iter(self.content.get(name, ())), "")

    @property
    def text(self) -> str:
        return self.first("text")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed that would be missed."""
        return not self.files and not any(any(values) for values in self.content.values())


def find_draft(person: Person, what: str) -> Kept | None:
    """The draft of a form, for a page that is not a case's own: two statements at most.
    None for what is no form."""
    if WHAT.fullmatch(what) is None:
        return None
    draft = Draft.objects.filter(person=person, what=what).first()
    return _kept(draft, list(draft.files.order_by("pk"))) if draft is not None else None


def draft_in(folder: Folder, what: str) -> Kept | None:
    """The reader's draft of a form on the case: no statement at all."""
    draft = next((draft for draft in folder.drafts if draft.what == what), None)
    if draft is None:
        return None
    files = [file for file in folder.draft_files if file.draft_id == draft.pk]
    return _kept(draft, sorted(files, key=lambda file: file.pk))


def _kept(draft: Draft, files: list[DraftFile]) -> Kept | None:
    kept = Kept(draft.what, draft.content, files, draft.updated_at)
    return None if kept.is_empty else kept
