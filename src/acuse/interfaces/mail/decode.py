"""Tolerant decoding of bytes, headers, addresses and parameters (mail rule 16).

Everything here takes what real mail contains, never raises on content, and runs in time linear in
its input. Header values arrive as the standard library keeps them: text whose non-ASCII bytes are
surrogate escapes. Sources: RFC 2047 (encoded words), RFC 2231 (parameters), RFC 5322 (addresses).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_HEADER_CHARS = 64_000
MAX_ADDRESSES = 500
MAX_NAME_CHARS = 200

# Names that senders use for codecs which Python knows under another one, and labels whose real
# content is a superset (as browsers read them).
_CODEC_OF_LABEL = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "646": "ascii",
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "windows1252": "cp1252",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "cp-850": "cp850",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "utf-8mb4": "utf-8",
    "x-cp1252": "cp1252",
    "x-cp1251": "cp1251",
    "unicode": "utf-16",
    "utf-16": "utf-16",
}
_SINGLE_BYTE = re.compile(r"^(?:ascii|cp12\d\d|cp8\d\d|iso8859|mac|latin|koi8)")
# Python codecs that are no charsets, by the first word of their name.
_NOT_TEXT_CODECS = re.compile(
    r"^(?:base64|bz2|hex|quopri|rot|uu|zlib|idna|punycode|undefined|unicode|raw|mbcs|oem)\b"
)


def find_codec(label: str | None) -> str | None:
    """The name of the Python codec for a charset label, or None when nobody knows it."""
    name = (label or "").strip().strip("\"'").lower()
    name = _CODEC_OF_LABEL.get(name, name)
    if not name or len(name) > 40 or not name.isascii():
        return None
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if _NOT_TEXT_CODECS.match(found.replace("_", "-")) else found


def decode_text(data: bytes, charset: str | None = None) -> str:
    """Text of `data`: by its declared charset, then utf-8, then by trial. NUL is removed.

    A declared single-byte charset accepts any bytes, so bytes that are also correct utf-8 with
    accents are read as utf-8: mislabelled utf-8 is common, the opposite coincidence is not.
    """
    codec = find_codec(charset)
    if data[:3] == b"\xef\xbb\xbf":
        data, codec = data[3:], "utf-8"
    if codec and _is_multi_byte(codec, data):
        try:
            return _clean(data.decode(codec, "strict"))
        except (UnicodeError, ValueError):
            pass
        # Truncated or slightly broken multi-byte text is still best read by its own codec.
        if codec.startswith(("iso2022", "gb18030", "cp9", "euc", "big5", "hz")):
            return _clean(data.decode(codec, "replace"))
    if _is_iso_2022_jp(data):
        return _clean(data.decode("iso2022_jp_ext", "replace"))
    try:
        return _clean(data.decode("utf-8"))
    except UnicodeError:
        pass
    if codec == "utf-8" and _mostly_utf8(data):
        return _clean(data.decode("utf-8", "replace"))
    if codec and _SINGLE_BYTE.match(codec) and codec != "ascii":
        return _clean(_decode_single(data, codec))
    return _clean(_decode_by_trial(data))


def unflow(text: str, delete_space: bool) -> str:
    """Text of format=flowed with its paragraphs put together again (RFC 3676, 4).

    A line that ends in a space goes on in the next one of the same quote depth; `delete_space`
    (DelSp) says that the space itself was only the sender's mark.
    """
    paragraphs: list[list[str]] = []
    flows_at = -1  # the quote depth of a paragraph that goes on
    for line in text.replace("\r\n", "\n").split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing
        signature = content == "-- "
        flows = content.endswith(" ") and not signature
        kept = content[:-1] if flows and delete_space else content
        if depth == flows_at and not signature:
            paragraphs[-1].append(kept)
        else:
            paragraphs.append([">" * depth + " " * bool(depth and content), kept])
        flows_at = depth if flows else -1
    return "\n".join("".join(pieces) for pieces in paragraphs)


def _is_multi_byte(codec: str, data: bytes) -> bool:
    if codec == "utf-8" or _SINGLE_BYTE.match(codec):
        return False
    # "utf-16" on text without a single NUL is a wrong label.
    return b"\0" in data or not codec.startswith("utf-16")


def _is_iso_2022_jp(data: bytes) -> bool:
    """Whether ASCII bytes switch to Japanese: they would pass for utf-8."""
    return (b"\x1b$B" in data or b"\x1b$@" in data) and data.isascii()


def _mostly_utf8(data: bytes) -> bool:
    """Whether bytes that are called utf-8 are so but for some damage."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = sum(1 for c in text if c > "\x7f") - broken
    return broken <= 4 * good


def _decode_single(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeError:
        # cp1252 leaves five bytes undefined; latin-1 keeps them as controls instead of losing them.
        return data.decode("latin-1" if codec == "cp1252" else codec, "replace")


def _decode_by_trial(data: bytes) -> str:
    """Text of bytes that are not utf-8 and whose label is missing or unknown."""
    high = re.findall(rb"[\x80-\xff]+", data[:20_000])
    total = sum(map(len, high))
    if total and sum(len(run) for run in high if len(run) > 1) / total > 0.7:
        letters = sum(len(re.findall(rb"[\xc0-\xff\xa8\xb8]", run)) for run in high)
        if (
            letters / total > 0.95
            and sum(map(len, high)) / len(high) > 2.5
            and any(len(run) % 2 for run in high)
        ):
            return data.decode("cp1251", "replace")
        for codec in ("gb18030", "cp932", "big5hkscs"):
            try:
                return data.decode(codec)
            except UnicodeError:
                continue
    return _decode_single(data, "cp1252")


def _clean(text: str) -> str:
    """Without NUL, and without lone surrogates (PostgreSQL and JSON refuse both)."""
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def header_bytes(value: str) -> bytes:
    """The bytes of a header value as the parser keeps it (surrogate escapes are raw bytes)."""
    return value.encode("utf-8", "surrogateescape")


# The bounds keep the search linear; a stray "?" inside a word is tolerated twice.
_ENCODED_WORD = re.compile(
    r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])"
    r"\?([^?]{0,4000}(?:\?(?!=)[^?]{0,4000}){0,2})\?="
)


def decode_header(value: str) -> str:
    """A header value as text: unfolded, encoded words decoded, raw bytes guessed, one line.

    Neighbouring encoded words of one charset are joined as bytes first, because senders split
    multi-byte characters between them.
    """
    value = value[:MAX_HEADER_CHARS]
    if "=?" not in value:
        return _one_line(decode_text(header_bytes(value)))
    # A fold with an empty line in it is a mailer's damage, not a space of the subject.
    value = re.sub(r"[ \t]*(?:\r?\n[ \t]*){2,}", "", value)
    value = re.sub(r"\r?\n[ \t]*", " ", value)
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for word in _ENCODED_WORD.finditer(value):
        between = value[at : word.start()]
        data = _decode_word(word[2], word[3])
        if data is None:
            continue
        same = at > 0 and not between.strip()
        if not (same and word[1].lower() == charset):
            if pending:
                out.append(decode_text(pending, charset))
            pending = b""
        if between and not same:
            out.append(decode_text(header_bytes(between)))
        pending, charset, at = pending + data, word[1].lower(), word.end()
    if pending:
        out.append(decode_text(pending, charset))
    out.append(decode_text(header_bytes(value[at:])))
    return _one_line("".join(out))


def _decode_word(encoding: str, text: str) -> bytes | None:
    if encoding in "bB":
        return decode_base64(header_bytes(text))
    data = header_bytes(text).replace(b"_", b" ")
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), data)


def decode_base64(data: bytes) -> bytes:
    """Bytes of base64 text; foreign characters are skipped and a missing end is tolerated."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    try:
        return base64.b64decode(kept + b"=" * (-len(kept) % 4))
    except (binascii.Error, ValueError):
        return b""


def _one_line(text: str) -> str:
    text = re.sub(r"[\r\n\t]+ ?", " ", text)
    return "".join(c for c in text if c >= " " and c != "\x7f").strip()


@dataclass(frozen=True)
class Address:
    """One mailbox of an address header: display name ('' if none) and address ('' if none)."""

    name: str
    email: str


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|<[^<>]*>|[,;]|[^",;(<]+|.', re.S)
# The bound on the local part keeps the search linear (RFC 5321 allows 64).
_EMAIL = re.compile(r"[^\s<>()\[\]\",;:@\\]{1,200}@(?:[^\s<>()\[\]\",;:@\\]+|\[[0-9a-fA-F.:]+\])")


def read_addresses(value: str) -> list[Address]:
    """The mailboxes of an address header, in order; groups are flattened, empty ones dropped."""
    value = re.sub(r"\r?\n[ \t]*", " ", value[:MAX_HEADER_CHARS])
    found: list[Address] = []
    name: list[str] = []
    comment: list[str] = []
    angle: str | None = None

    def finish() -> None:
        nonlocal angle
        address = _build_address("".join(name), comment, angle)
        if address is not None and len(found) < MAX_ADDRESSES:
            found.append(address)
        name.clear()
        comment.clear()
        angle = None

    for match in _TOKEN.finditer(value):
        token = match[0]
        if token in (",", ";"):
            # "Doe, John <j@x>" without quotes: a piece with neither address belongs to the next.
            if token == "," and angle is None and len(name) < 20 and _is_bare_name("".join(name)):
                name.append(",")
                continue
            finish()
        elif len(token) > 1 and token[0] == '"':
            name.append(re.sub(r"\\(.)", r"\1", token[1:-1]).replace("@", "\ufe6b"))
        elif len(token) > 1 and token[0] == "(":
            comment.append(token[1:-1])
        elif len(token) > 1 and token[0] == "<":
            if angle is not None:
                finish()
            angle = token[1:-1]
        elif (
            ":" in token and angle is None and "@" not in token.split(":")[0] and "=?" not in token
        ):
            # A group's name ("Team: a@x, b@y;") is not anybody's.
            name.clear()
            name.append(token.split(":", 1)[1])
        else:
            name.append(token)
    finish()
    return found


def _is_bare_name(text: str) -> bool:
    return bool(text.strip()) and "@" not in text and "=?" not in text


def _build_address(name: str, comment: list[str], angle: str | None) -> Address | None:
    if angle is not None and angle.lower().startswith("mailto:"):
        angle = angle[7:]
    email = ""
    if angle is not None:
        email = _pick_email(angle.rsplit(":", 1)[-1] if angle.startswith("@") else angle)
        if not email and "=?" in angle:
            email = _pick_email(decode_header(angle))
    shown = decode_header(name)
    if not email:
        inside = _EMAIL.search(shown.replace(" @ ", "@"))
        if inside:
            email = inside[0]
            shown = shown.replace(email, "").strip(" <>\"'") if angle is None else shown
    shown = shown.replace("\ufe6b", "@").strip().strip(",").strip()
    if len(shown) > 1 and shown[0] == shown[-1] and shown[0] in "\"'":
        shown = shown[1:-1].strip()
    if not shown and comment:
        shown = decode_header(" ".join(comment)).strip()
    if not email and not shown:
        return None
    return Address(shown, email.strip(".") if email else "")


def _pick_email(text: str) -> str:
    text = text.strip()
    quoted = re.fullmatch(r'"[^"]+"@[^\s@]+', text)
    if quoted:
        return text
    text = re.sub(r"\s+", "", decode_text(header_bytes(text)))
    found = _EMAIL.search(text)
    return found[0] if found else ""


_PARAM = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.S)


def read_params(value: str) -> tuple[str, dict[str, str]]:
    """A Content-Type or Content-Disposition value: its lower-case main part and its parameters.

    RFC 2231 continuations and charsets are put together; encoded words and raw bytes, both wrong
    there and both common, are decoded.
    """
    value = value[:MAX_HEADER_CHARS]
    main = re.split(r"[;\s]", value.strip(), maxsplit=1)[0].lower()
    main = re.sub(r"[^!-~]", "", main)[:100]
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAM.finditer(value):
        key, text = match[1].lower(), match[2].strip()
        if text[:1] == '"':
            text = re.sub(
                r"\\(.)", r"\1", text[1:-1] if text[-1:] == '"' and len(text) > 1 else text[1:]
            )
        extended = re.fullmatch(r"([^*]+)(?:\*(\d{1,4}))?(\*?)", key)
        if extended and (extended[2] is not None or extended[3]):
            pieces.setdefault(extended[1], []).append(
                (int(extended[2] or 0), bool(extended[3]), text)
            )
        else:
            plain.setdefault(key, decode_header(text))
    for key, parts in pieces.items():
        plain[key] = _join_pieces(sorted(parts, key=lambda p: p[0]))
    return main, plain


def _join_pieces(parts: list[tuple[int, bool, str]]) -> str:
    charset: str | None = None
    data = b""
    for index, (_, encoded, text) in enumerate(parts):
        if encoded:
            if index == 0 and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data += unquote_to_bytes(header_bytes(text))
        else:
            data += header_bytes(text)
    text = decode_text(data, charset)
    return decode_header(text) if "=?" in text else _one_line(text)


def clean_file_name(name: str) -> str:
    """A file name without folders, controls and direction marks, at most 200 characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    name = re.sub(r"\s+", " ", name).strip()
    if len(name) <= MAX_NAME_CHARS:
        return name
    stem, dot, end = name.rpartition(".")
    if dot and len(end) <= 10:
        return stem[: MAX_NAME_CHARS - len(end) - 1] + dot + end
    return name[:MAX_NAME_CHARS]
