"""From raw bytes to headers, texts and files: the MIME tree, read within limits (mail rule 16)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from acuse.interfaces.mail import attachments as files
from acuse.interfaces.mail import sealed
from acuse.interfaces.mail.decode import (
    clean_file_name,
    decode_base64,
    decode_header,
    decode_text,
    header_bytes,
    read_params,
    unflow,
)

MAX_DEPTH = 20
MAX_PARTS = 200
MAX_HEADER_BYTES = 256_000
MAX_LINES = 1_000_000
MAX_BOUNDARIES = 500
MAX_TEXT_BYTES = 5_000_000
SEALED_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))

Headers = list[tuple[str, str]]


@dataclass
class Content:
    """What the parts of a message hold, in the order of the message."""

    plain: list[str] = field(default_factory=list)
    rich: list[str] = field(default_factory=list)
    # The same texts as a reader would see them: (subtype, text, stands in an alternative).
    flow: list[tuple[str, str, bool]] = field(default_factory=list)
    attachments: list[files.Attachment] = field(default_factory=list)
    # Bodies of the machine-readable report parts, by content type (RFC 3464, RFC 8098, RFC 5965).
    reports: dict[str, list[str]] = field(default_factory=dict)
    # Header blocks of embedded messages of the first level, as text.
    embedded: list[bytes] = field(default_factory=list)
    calendar: str = ""
    defects: list[str] = field(default_factory=list)
    parts: int = 0


def read_message(raw: bytes) -> tuple[Message, Headers, list[str]]:
    """The parsed tree, the top headers (lower-case name, value) and the defects met on the way.

    A message that is too deep, too long or too odd for the tree parser still yields its headers
    and its body as one text.
    """
    defects: list[str] = []
    raw, cut = _within_limits(raw, defects)
    try:
        message = BytesParser(policy=compat32).parsebytes(raw, headersonly=cut)
    except (RecursionError, ValueError, TypeError, LookupError, AttributeError, IndexError):
        defects.append("tree")
        message = BytesParser(policy=compat32).parsebytes(_headers_only(raw), headersonly=True)
    headers = [(name.lower(), value) for name, value in message.raw_items()]
    return message, headers, defects


def _headers_only(raw: bytes) -> bytes:
    head, gap, body = raw.partition(b"\n\n" if b"\r\n\r\n" not in raw else b"\r\n\r\n")
    kept = re.sub(
        rb"(?im)^(content-[a-z-]+|mime-version):.*(?:\r?\n[ \t].*)*\r?\n", b"", head + b"\n"
    )
    return kept + (b"\n" if gap else b"") + body


def _within_limits(raw: bytes, defects: list[str]) -> tuple[bytes, bool]:
    """Raw bytes that the tree parser can take in bounded time, and whether it must not descend."""
    # An mbox line above the headers, or blank lines, are the transport's, not the sender's.
    raw = re.sub(rb"\A(?:[ \t]*\r?\n)+", b"", raw)
    head_end = re.search(rb"\r?\n\r?\n", raw)
    head_size = head_end.start() if head_end else len(raw)
    if head_size > MAX_HEADER_BYTES:
        defects.append("headers_too_large")
        last = raw.rfind(b"\n", 0, MAX_HEADER_BYTES)
        raw = raw[: last if last > 0 else MAX_HEADER_BYTES] + raw[head_size:]
    raw = _mend_head(raw, min(head_size, MAX_HEADER_BYTES), defects)
    if raw.count(b"\n") > MAX_LINES:
        defects.append("too_many_lines")
        raw = b"\n".join(raw.split(b"\n", MAX_LINES)[:MAX_LINES])
    if len(re.findall(rb"(?i)boundary\s*=", raw)) > MAX_BOUNDARIES:
        defects.append("too_many_boundaries")
        return _headers_only(raw), True
    return raw, False


_FIELD = re.compile(rb"^[!-9;-~]+:")
_SPACED_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]+:")
_KNOWN_FIELD = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-type|received|reply-to)[ \t]*:",
    re.I,
)


def _mend_head(raw: bytes, size: int, defects: list[str]) -> bytes:
    """Raw bytes whose damaged header lines no longer end the header block.

    The tree parser takes the first line that is no header as the start of the body. A line in the
    middle of known headers is damage; it is kept under a name of its own.
    """
    lines = raw[:size].split(b"\n")
    if all(_FIELD.match(line) or line[:1] in (b" ", b"\t", b"\r", b"") for line in lines[1:]) and (
        _FIELD.match(lines[0]) or _is_mbox(lines[0])
    ):
        return raw
    last_known = max((i for i, line in enumerate(lines) if _KNOWN_FIELD.match(line)), default=-1)
    mended = list(lines)
    for at, line in enumerate(lines[: last_known + 1]):
        if _FIELD.match(line) or line[:1] in (b" ", b"\t", b"\r", b"") or _is_mbox(line):
            continue
        spaced = _SPACED_FIELD.match(line)
        if spaced and _KNOWN_FIELD.match(line):
            mended[at] = spaced[1] + b":" + line[spaced.end() :]
        else:
            mended[at] = b"X-Garbled: " + line
            defects.append("garbled_header")
    return b"\n".join(mended) + raw[size:]


def _is_mbox(line: bytes) -> bool:
    """Whether a line is the separator that mailbox files put above a message."""
    return line.startswith(b"From ") and not _KNOWN_FIELD.match(line)


def read_content(message: Message) -> Content:
    """Texts and files of a message tree, walked without recursion."""
    content = Content()
    boundaries: set[str] = set()
    waiting: list[tuple[Message, int, str]] = [(message, 0, "")]
    while waiting:
        part, depth, parent = waiting.pop()
        content.parts += 1
        if content.parts > MAX_PARTS:
            content.defects.append("too_many_parts")
            break
        main, params = read_params(_header(part, "content-type"))
        if "/" not in main:
            main = part.get_default_type()
        if params.get("boundary"):
            boundaries.add("--" + params["boundary"])
        children = _raw_payload(part)
        if main.startswith("multipart/") and isinstance(children, list):
            if depth >= MAX_DEPTH:
                content.defects.append("too_deep")
                continue
            waiting += [(c, depth + 1, main) for c in reversed(children) if isinstance(c, Message)]
        else:
            inner = _read_leaf(content, part, main, params, parent)
            if inner is not None and depth < MAX_DEPTH:
                waiting.append((inner, depth + 1, main))
    if any(b in text for b in boundaries for text in content.plain):
        _drop_boundaries(content, boundaries)
    return content


def _drop_boundaries(content: Content, boundaries: set[str]) -> None:
    """Take the message's own boundary lines out of its texts: structure gone astray, not words."""
    marks = boundaries | {b + "--" for b in boundaries}

    def cleaned(text: str) -> str:
        return "\n".join(line for line in text.split("\n") if line.rstrip() not in marks)

    content.plain = [cleaned(text) for text in content.plain]
    content.flow = [
        (kind, cleaned(text) if kind == "plain" else text, alternative)
        for kind, text, alternative in content.flow
    ]


def _header(part: Message, name: str) -> str:
    for key, value in part.raw_items():
        if key.lower() == name:
            return str(value)
    return ""


def _read_leaf(
    content: Content, part: Message, main: str, params: dict[str, str], parent: str
) -> Message | None:
    """Take in a part that has no parts; what an opaque signature wraps is returned, to be read."""
    disposition, disposed = read_params(_header(part, "content-disposition"))
    filename = clean_file_name(disposed.get("filename") or params.get("name") or "")
    cid = decode_header(_header(part, "content-id")).strip("<> ")
    attached = disposition == "attachment"
    if main.startswith("multipart/"):
        # A multipart whose boundary never comes: what is there is text.
        main = "text/plain"
    if main in ("message/rfc822", "message/global", "message/news"):
        data = _embedded_bytes(part)
        content.embedded.append(data)
        content.attachments.append(
            files.build_attachment(filename, data, main, cid=cid, inline=not attached)
        )
        return None
    data = _payload(part)
    if main in (
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "text/rfc822-headers",
        "message/rfc822-headers",
    ):
        if main in ("text/rfc822-headers", "message/rfc822-headers"):
            content.embedded.append(data)
        content.reports.setdefault(main, []).append(decode_text(data[:MAX_TEXT_BYTES]))
        content.attachments.append(
            files.build_attachment(filename, data, main, cid=cid, inline=True)
        )
        return None
    if (
        main in ("text/plain", "text/html", "text/enriched", "text")
        and not attached
        and not filename
    ):
        _read_text(content, data, main, params, parent)
        return None
    if files.is_tnef(filename, main, data):
        unpacked = files.unpack_tnef(data)
        if unpacked is not None:
            found, text, rich = unpacked
            content.attachments += found
            if not any(t.strip() for t in content.plain + content.rich):
                content.plain += [text] if text.strip() else []
                content.rich += [rich] if rich.strip() else []
                content.flow += (
                    [("plain", text, False)]
                    if text.strip()
                    else [("html", rich, False)]
                    if rich.strip()
                    else []
                )
            return None
        content.defects.append("tnef")
    if main == "text/calendar" and not content.calendar:
        content.calendar = decode_text(data[:MAX_TEXT_BYTES], params.get("charset"))
    entity = sealed.open_signed(data) if main in SEALED_TYPES else None
    smime_type = params.get("smime-type", "").lower() if entity is None else "signed-data"
    content.attachments.append(
        files.build_attachment(
            filename, data, main, cid=cid, inline=not attached, smime_type=smime_type
        )
    )
    return None if entity is None else read_message(entity)[0]


def _read_text(
    content: Content, data: bytes, main: str, params: dict[str, str], parent: str
) -> None:
    text = decode_text(data[:MAX_TEXT_BYTES], params.get("charset"))
    subtype = "html" if main == "text/html" else "plain"
    if subtype == "plain" and params.get("format", "").lower() == "flowed":
        text = unflow(text, params.get("delsp", "").lower() == "yes")
    (content.rich if subtype == "html" else content.plain).append(text)
    content.flow.append((subtype, text, parent == "multipart/alternative"))


def _raw_payload(part: Message) -> object:
    """The payload as the tree holds it; a charset that the library chokes on is passed over."""
    try:
        return part.get_payload()
    except (ValueError, TypeError, LookupError, AttributeError):
        decoded = part.get_payload(decode=True)
        return decoded.decode("utf-8", "surrogateescape") if isinstance(decoded, bytes) else ""


def _payload(part: Message) -> bytes:
    """The decoded bytes of a leaf; what cannot be decoded is returned as it stands."""
    payload = _raw_payload(part)
    if isinstance(payload, list):
        # message/delivery-status: the parser splits it into blocks of headers.
        return b"\n\n".join(_block_bytes(block) for block in payload)
    encoding = _header(part, "content-transfer-encoding").strip().lower()
    if encoding == "base64":
        return decode_base64(header_bytes(str(payload)))
    try:
        decoded = part.get_payload(decode=True)
    except (ValueError, TypeError, LookupError, AttributeError):
        decoded = None
    return decoded if isinstance(decoded, bytes) else header_bytes(str(payload))


def _block_bytes(block: object) -> bytes:
    if not isinstance(block, Message):
        return header_bytes(str(block))
    head = b"".join(header_bytes(f"{name}: {value}") + b"\n" for name, value in block.raw_items())
    body = _raw_payload(block)
    return head + (header_bytes(body) if isinstance(body, str) else b"")


def _embedded_bytes(part: Message) -> bytes:
    """The bytes of an attached message, rebuilt from the tree; base64 ones are decoded."""
    payload = _raw_payload(part)
    inner = payload[0] if isinstance(payload, list) and payload else payload
    if not isinstance(inner, Message):
        return _payload(part)
    if _header(part, "content-transfer-encoding").strip().lower() == "base64":
        body = _raw_payload(inner)
        return decode_base64(header_bytes(body)) if isinstance(body, str) else _rebuild(inner)
    return _rebuild(inner)


def _rebuild(message: Message) -> bytes:
    try:
        return message.as_bytes(policy=compat32)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return _block_bytes(message)
