"""One raw mail in, one plain dictionary out: the only entry to Acuse's mail reading.

Pure (no clock, network or database), bounded (rule 16 of the mail rules), and it never raises: a
message that defeats a step keeps what the other steps found, and says so in `defects`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from acuse.interfaces.mail.automatic import Verdict, judge_automatic
from acuse.interfaces.mail.bounce import Report, judge_bounce
from acuse.interfaces.mail.decode import (
    Address,
    decode_header,
    decode_text,
    header_bytes,
    read_addresses,
)
from acuse.interfaces.mail.forward import find_forward, forward_of_attached
from acuse.interfaces.mail.language import guess_language
from acuse.interfaces.mail.markup import html_to_marked_text, strip_marks
from acuse.interfaces.mail.reply import Cut, cut_reply
from acuse.interfaces.mail.sealed import name_seals
from acuse.interfaces.mail.structure import Content, Headers, read_content, read_message

MAX_REFERENCES = 20
MAX_CUT_CHARS = 400_000
# Evidence whose reply stands above it, so that what follows the beginning need not be seen.
CUTS_BELOW = frozenset(("mark", "attribution", "headers", "original", "reply_above"))
DELIVERY_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "x-gm-original-to")

_T = TypeVar("_T")


def parse(raw: bytes) -> dict[str, Any]:
    """Everything that intake needs to know about a mail.

    Keys: from_email, from_name, subject, message_id (without brackets), in_reply_to, references
    (newest first, at most 20), to, cc, reply_to (lists of {name, email}), delivered_to (addresses),
    date (aware UTC datetime or None), text, html, reply_text, reply_cut (evidence or ''),
    language ('es', 'pt', 'en' or ''), attachments (see attachments.py), calendar (text of an
    invitation or ''), encrypted, signed (bool: S/MIME, PGP/MIME or armoured PGP, by its shape; the
    text of a signed mail is read, nothing is verified or decrypted), auto_submitted (bool),
    auto_reason, out_of_office, bounce (bool), bounce_action ('failed', 'delayed', 'delivered' or
    ''), bounce_recipients, bounced_message_id, forwarded (dictionary or None), headers (lower-case
    name -> decoded values), defects (list of words).
    """
    return _Reading(raw).result()


class _Reading:
    """One message while it is read; each step is guarded so that none costs the others' results."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.defects: list[str] = []

    def guarded(self, step: str, act: Callable[[], _T], otherwise: _T) -> _T:
        """The result of a step, or `otherwise` (noted as a defect) if it raises.

        The steps are written not to raise; this is the promise to intake that a message nobody
        thought of still becomes a case.
        """
        try:
            return act()
        except Exception:
            self.defects.append(step)
            return otherwise

    def result(self) -> dict[str, Any]:
        """The dictionary described at parse()."""
        read = self.guarded("message", lambda: read_message(bytes(self.raw)), None)
        if read is None:
            return self._unreadable()
        message, headers, defects = read
        self.defects += defects
        fields = collect_fields(headers)
        content = self.guarded("content", lambda: read_content(message), Content())
        self.defects += content.defects
        subject = self.guarded("subject", lambda: decode_header(_first(fields, "subject")), "")
        sender = self.guarded("from", lambda: find_sender(fields), Address("", ""))
        text, marked_html = self.guarded("text", lambda: join_texts(content), ("", ""))
        report = self.guarded(
            "bounce",
            lambda: judge_bounce(message, content, fields, subject, sender, text),
            Report(False),
        )
        verdict = self.guarded(
            "automatic", lambda: judge_automatic(fields, subject), Verdict(False)
        )
        cut = self.guarded("reply", lambda: cut_best(content, text, marked_html), Cut(text, False))
        forwarded = None
        if not report.bounce:
            forwarded = self.guarded(
                "forward", lambda: _forward(content, fields, subject, text, cut), None
            )
        encrypted, signed = name_seals(
            _first(fields, "content-type").lower().strip(),
            {file["kind"] for file in content.attachments},
            text,
        )
        automatic = verdict.automatic or report.bounce or _is_report(fields)
        return {
            "from_email": sender.email,
            "from_name": sender.name,
            "subject": subject,
            **self.guarded("identifiers", lambda: _identifiers(fields), dict(_NO_IDENTIFIERS)),
            **self.guarded("recipients", lambda: _recipients(fields), dict(_NO_RECIPIENTS)),
            "text": text,
            "html": "\n".join(content.rich),
            "reply_text": cut.text,
            "reply_cut": cut.evidence,
            "language": self.guarded("language", lambda: guess_language(cut.text), ""),
            "attachments": content.attachments,
            "calendar": content.calendar,
            "encrypted": encrypted,
            "signed": signed,
            "auto_submitted": automatic,
            "auto_reason": verdict.reason or ("report" if automatic else ""),
            "out_of_office": verdict.out_of_office and not report.bounce,
            "bounce": report.bounce,
            "bounce_action": report.action,
            "bounce_recipients": report.recipients,
            "bounced_message_id": self.guarded(
                "bounced", lambda: _bounced_id(content, text) if report.bounce else "", ""
            ),
            "forwarded": forwarded,
            "headers": self.guarded("headers", lambda: _decoded(fields), _NO_FIELDS),
            "defects": self.defects,
        }

    def _unreadable(self) -> dict[str, Any]:
        text = bytes(self.raw[:MAX_CUT_CHARS]).decode("utf-8", "replace").replace("\0", "")
        return {
            "from_email": "",
            "from_name": "",
            "subject": "",
            **_NO_IDENTIFIERS,
            **_NO_RECIPIENTS,
            "text": text,
            "html": "",
            "reply_text": text,
            "reply_cut": "",
            "language": "",
            "attachments": [],
            "calendar": "",
            "encrypted": False,
            "signed": False,
            "auto_submitted": False,
            "auto_reason": "",
            "out_of_office": False,
            "bounce": False,
            "bounce_action": "",
            "bounce_recipients": [],
            "bounced_message_id": "",
            "forwarded": None,
            "headers": {},
            "defects": self.defects,
        }


_NO_IDENTIFIERS: dict[str, Any] = {
    "message_id": "",
    "in_reply_to": "",
    "references": [],
    "date": None,
}
_NO_RECIPIENTS: dict[str, Any] = {"to": [], "cc": [], "reply_to": [], "delivered_to": []}
_NO_FIELDS: dict[str, list[str]] = {}
_ID = re.compile(r"<\s*([^<>\s]+)\s*>")


def collect_fields(headers: Headers) -> dict[str, list[str]]:
    """The raw values of each header, by lower-case name, in order."""
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.strip(), []).append(value)
    return fields


def find_sender(fields: dict[str, list[str]]) -> Address:
    """The author: the first address of From, and never Reply-To (mail rule 8)."""
    nameless = Address("", "")
    for value in fields.get("from", []):
        for address in read_addresses(value):
            if address.email:
                return address
            if address.name and not nameless.name:
                nameless = address
    return nameless


def join_texts(content: Content) -> tuple[str, str]:
    """The whole text as a reader sees it, and the marked text of the HTML if there is any.

    Plain parts are joined in order. HTML is converted where no plain part stands for it: in a
    message without plain text, and in an HTML part that is not one of several alternatives.
    """
    has_plain = any(text.strip() for text in content.plain)
    marked = html_to_marked_text("\n".join(content.rich)) if content.rich else ""
    if not has_plain:
        return strip_marks(marked), marked
    pieces = [text for kind, text, _ in content.flow if kind == "plain"]
    return "\n".join(pieces), marked


def cut_best(content: Content, text: str, marked: str) -> Cut:
    """The reply, cut from the plain text, or from the HTML where only that shows the quote."""
    if not any(t.strip() for t in content.plain):
        return _cut(marked) if marked else Cut("", False)
    cut = _cut(text)
    if cut.cut or not marked:
        return cut
    told = re.sub(r"\W+", "", text)
    for links in (True, False):  # a plain text may name where links lead, or not
        richer = _cut(marked if links else html_to_marked_text("\n".join(content.rich), False))
        kept = re.sub(r"\W+", "", richer.text)
        if richer.evidence not in ("mark", "attribution"):
            break
        # The HTML's cut is used only if it is a beginning of the very same words.
        if kept and told.startswith(kept):
            return richer
    return cut


def _cut(text: str) -> Cut:
    """The reply; its quote is looked for in the beginning, and without one no word is left out."""
    cut = cut_reply(text[:MAX_CUT_CHARS])
    if cut.evidence not in CUTS_BELOW and len(text) > MAX_CUT_CHARS:
        return Cut(strip_marks(text), False)
    return cut


def _first(fields: dict[str, list[str]], name: str) -> str:
    values = fields.get(name)
    return values[0] if values else ""


def _identifiers(fields: dict[str, list[str]]) -> dict[str, Any]:
    own = _ids(_first(fields, "message-id"))
    answered = _ids(_first(fields, "in-reply-to"))
    older = _ids(" ".join(fields.get("references", [])))
    newest_first = list(dict.fromkeys(reversed(older)))
    return {
        "message_id": own[0] if own else decode_header(_first(fields, "message-id")).strip("<> "),
        "in_reply_to": answered[0] if answered else "",
        "references": newest_first[:MAX_REFERENCES],
        "date": read_date(_first(fields, "date")),
    }


def _ids(value: str) -> list[str]:
    return _ID.findall(decode_text(header_bytes(value[:64_000])))


def read_date(value: str) -> datetime | None:
    """The moment of a Date header in UTC, or None; it never decides when a mail counts."""
    try:
        moment = parsedate_to_datetime(decode_header(value))
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _recipients(fields: dict[str, list[str]]) -> dict[str, Any]:
    def listed(name: str) -> list[dict[str, str]]:
        return [
            {"name": a.name, "email": a.email}
            for value in fields.get(name, [])
            for a in read_addresses(value)
            if a.email
        ]

    delivered = [
        a.email
        for name in DELIVERY_HEADERS
        for value in fields.get(name, [])
        for a in read_addresses(value)
        if a.email
    ]
    return {
        "to": listed("to"),
        "cc": listed("cc"),
        "reply_to": listed("reply-to"),
        "delivered_to": list(dict.fromkeys(delivered)),
    }


def _forward(
    content: Content, fields: dict[str, list[str]], subject: str, text: str, cut: Cut
) -> dict[str, object] | None:
    answers = bool(_first(fields, "in-reply-to").strip())
    found = find_forward(text, subject, answers)
    if found is None and content.embedded:
        found = forward_of_attached(content.embedded[0], subject, cut.text)
    return found.as_dict() if found else None


def _is_report(fields: dict[str, list[str]]) -> bool:
    return "multipart/report" in _first(fields, "content-type").lower()


def _bounced_id(content: Content, text: str) -> str:
    """The Message-ID of the mail that came back, from its returned headers."""
    sources = [decode_text(data[:60_000]) for data in content.embedded]
    for source in [*sources, text[:200_000]]:
        found = re.search(
            r"(?im)^[ \t]*message-id:[ \t]*\r?\n?[ \t]*<[ \t]*([^<>\s]+)[ \t]*>", source
        )
        if found:
            return found[1]
    return ""


def _decoded(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: [decode_header(v) for v in values[:50]] for name, values in fields.items()}
