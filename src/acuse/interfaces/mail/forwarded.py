"""A mail that one of the firm passed on: whose it was, and what it said (mail rule 18)."""

from __future__ import annotations

from typing import Any

from acuse.actions import mail
from acuse.actions.mail import Reading
from acuse.interfaces.mail.language import guess_language
from acuse.interfaces.mail.letter import LANGUAGES, Letter
from acuse.interfaces.mail.parse import parse
from acuse.models import Case, MailState
from acuse.models.people import find_person


def hold_forward(letter: Letter, case: Case | None) -> Reading | None:
    """The proposal to open a case for whoever wrote the original. None: it is no forward, or one
    of our own mail. `case`: the case that it seems to belong to, if any."""
    told = letter.parsed["forwarded"]
    if told is None or _is_own(letter, told["from_email"]):
        return None
    text = told["body"].strip() or str((_attached(letter) or {"text": ""})["text"]).strip()
    language = guess_language(text)
    proposal = {
        "email": told["from_email"].lower(),
        "name": told["from_name"],
        "subject": " ".join(told["subject"].split()),
        "text": text,
        "words": told["before"].strip(),
        "language": language if language in LANGUAGES else "",
    }
    return letter.is_reading(MailState.HELD, mail.FORWARD, case=case, proposal=proposal)


def _is_own(letter: Letter, email: str) -> bool:
    """Whether an address is one of our mailboxes or belongs to one of the firm."""
    known = find_person(email)
    return (known is not None and known.is_firm) or letter.is_ours(email)


def original_files(letter: Letter) -> list[dict[str, Any]]:
    """The files of an original that was passed on as a whole. Of one passed on as text nobody can
    say which files are its own, so they stay with the firm."""
    told = letter.parsed["forwarded"]
    attached = _attached(letter) if told is not None and not told["body"].strip() else None
    return list(attached["attachments"]) if attached is not None else []


def _attached(letter: Letter) -> dict[str, Any] | None:
    """The first mail that came attached (RFC 2046), read."""
    for file in letter.parsed["attachments"]:
        if file["content_type"] == "message/rfc822":
            return parse(file["data"])
    return None
