"""HTML to plain text, in linear time and without losing words (mail rules 15 and 16).

A small scanner instead of a tree: mail HTML is often broken, deeply nested or cut short, and tree
builders drop what they cannot place. Quoted blocks become ">" lines, and the places where a known
client starts its quote become mark characters, so that the reply cutter works on text alone.
"""

from __future__ import annotations

import html
import re

from acuse.policy.letters import HTML_CLASS

# Private-use characters: "from here on everything is the quoted message" and "what follows in
# this line is an attribution".
QUOTE_MARK = "\ue0f0"
ATTRIBUTION_MARK = "\ue0f1"

MAX_HTML_CHARS = 2_000_000
MAX_TAGS = 200_000
MAX_LINKS = 5_000
MAX_ADDRESS_CHARS = 2_000
MAX_QUOTE_DEPTH = 20

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "tr",
        "table",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "hr",
        "section",
        "article",
        "header",
        "footer",
        "center",
        "form",
        "address",
        "dl",
        "dt",
        "dd",
        "figure",
        "fieldset",
        "main",
        "nav",
        "aside",
        "tbody",
        "thead",
        "tfoot",
        "caption",
        "title",
    ]
)
_SKIPPED = frozenset(["head", "style", "script", "title", "noscript", "template", "xml", "svg"])
_RAW = frozenset(["style", "script", "title"])
_ATTRIBUTE = re.compile(r"""([a-zA-Z_:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")
_TAG = re.compile(r"<[a-zA-Z/!?]")
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:]*)")

_QUOTE_IDS = frozenset(
    [
        "divrplyfwdmsg",
        "appendonsend",
        "mail-editor-reference-message-container",
        "ms-outlook-mobile-reply-separator",
        "replysplit",
        "zwchr",
        "olk_src_body_section",
        "isreplycontent",
        "isforwardcontent",
    ]
)
_QUOTE_CLASSES = frozenset(
    [
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "zimbra_quote",
        "front-blockquote",
        "outlookmessageheader",
        "missive_quote",
        "cm_quote",
        HTML_CLASS,
    ]
)
# Spark and GMX name the quote.
_QUOTE_NAMES = frozenset(["messagereplysection", "quote"])
_ATTRIBUTION_CLASSES = frozenset(["gmail_attr", "moz-cite-prefix"])
_ATTRIBUTION_IDS = frozenset(["reply-intro"])


class _Writer:
    """Collects lines; knows the quote depth, preformatted text and pending white space."""

    def __init__(self, links: bool = True) -> None:
        self.links_left = MAX_LINKS if links else 0
        self.link = ""
        self.linked: list[str] = []
        self.lines: list[str] = []
        self.line: list[str] = []
        self.depth = 0
        self.nesting: list[int] = []
        self.preformatted = 0
        self.space = False

    def nest(self, closing: bool, quotes: bool) -> None:
        """Enter or leave a blockquote; one that only indents keeps the depth."""
        if closing:
            self.depth = self.nesting.pop() if self.nesting else 0
        elif len(self.nesting) < 1_000:
            self.nesting.append(self.depth)
            self.depth = min(self.depth + quotes, MAX_QUOTE_DEPTH)

    def text(self, data: str) -> None:
        if self.preformatted:
            head, *rest = data.split("\n")
            self._append(head)
            for line in rest:
                self.end_line(keep_empty=True)
                self._append(line)
            return
        words = data.split()
        if not words:
            self.space = self.space or bool(data)
            return
        if data[0].isspace():
            self.space = True
        self._append(" ".join(words))
        self.space = data[-1].isspace()

    def _append(self, data: str) -> None:
        if data:
            if self.space and self.line:
                self.line.append(" ")
            self.space = False
            self.line.append(data)
            if self.link:
                self.linked.append(data)

    def open_link(self, address: str) -> None:
        """Remember where a link leads, up to its end."""
        self.close_link()
        if self.links_left and address.lower().startswith(("http:", "https:", "mailto:")):
            self.link, self.links_left = address[:MAX_ADDRESS_CHARS], self.links_left - 1

    def close_link(self) -> None:
        """Write where the link led, if its words do not say so: they alone would be lost words."""
        address, words = self.link, "".join(self.linked)
        self.link, self.linked = "", []
        shown = re.sub(
            r"^(?:https?://(?:www\.)?|mailto:)|[/?].*$|\s", "", address.lower(), flags=re.S
        )
        if words.strip() and shown and shown not in words.lower().replace(" ", ""):
            self.line.append(f" <{address.removeprefix('mailto:')}>")

    def end_line(self, keep_empty: bool = False) -> None:
        if self.line or keep_empty:
            prefix = ">" * self.depth + " " if self.depth else ""
            self.lines.append(prefix + "".join(self.line))
        self.line = []
        self.space = False

    def blank(self) -> None:
        self.end_line()
        empty = ">" * self.depth
        if self.lines and self.lines[-1].strip("> ") and self.lines[-1] != empty:
            self.lines.append(empty)


def html_to_marked_text(source: str, links: bool = True) -> str:
    """Plain text of an HTML body, quoted blocks as ">" lines, client marks left in.

    `links` writes where links lead behind their words, as clients do in their plain texts.
    """
    source = source[:MAX_HTML_CHARS]
    writer = _Writer(links)
    at, skipping = 0, ""
    last_comment_end = source.rfind("-->") - 1
    lowered = source.lower() if len(source.lower()) == len(source) else source
    tags = 0
    while at < len(source):
        next_tag = _TAG.search(source, at)
        start = next_tag.start() if next_tag else len(source)
        tags += 1
        if tags > MAX_TAGS:
            # Nobody lays out so much; from here on only the words count.
            writer.text(_unescape(re.sub(r"<[^<>]{0,5000}>", " ", source[at:])))
            break
        if start > at and not skipping:
            writer.text(_unescape(source[at:start]))
        if start == len(source):
            break
        if source.startswith("<!--", start):
            # An unclosed comment would swallow the rest of the mail; only its mark is dropped.
            at = source.find("-->", start + 2) + 3 if start < last_comment_end else start + 4
            continue
        name_match = _TAG_NAME.match(source, start + 1)
        if name_match is None:
            if source.startswith(("<!", "<?"), start):
                end = source.find(">", start)
                at = len(source) if end < 0 else end + 1
            else:
                if not skipping:
                    writer.text("<")
                at = start + 1
            continue
        end = _end_of_tag(source, name_match.end())
        name, closing = name_match[1].lower(), source[start + 1] == "/"
        attributes = source[name_match.end() : end]
        at = end + 1
        if skipping:
            if name == "body" and not closing or closing and name == skipping:
                skipping = ""
            if not (name == "body" and not closing):
                continue
        if name in _SKIPPED and not closing and not attributes.endswith("/"):
            skipping = name
            if name in _RAW:
                closer = lowered.find(f"</{name}", at, at + 500_000)
                at = closer if closer >= 0 else at
            continue
        _write_tag(writer, name, closing, attributes)
    writer.end_line()
    return "\n".join(line.rstrip() for line in writer.lines).strip("\n")


def html_to_text(source: str) -> str:
    """Plain text of an HTML body without marks."""
    return strip_marks(html_to_marked_text(source))


def strip_marks(text: str) -> str:
    """Text without the mark characters, and without the lines that held nothing else."""
    if QUOTE_MARK not in text and ATTRIBUTION_MARK not in text:
        return text
    text = re.sub(rf"(?m)^>* ?{QUOTE_MARK}\n?", "", text)
    return text.replace(QUOTE_MARK, "").replace(ATTRIBUTION_MARK, "")


def _unescape(data: str) -> str:
    if "&" in data:
        data = html.unescape(data)
    return data.replace("\u00a0", " ").replace("\0", "")


def _end_of_tag(source: str, at: int) -> int:
    """Index of the ">" that closes a tag; a quoted value may hold ">" if its quote ends soon."""
    end = source.find(">", at)
    if end < 0:
        return len(source)
    for _ in range(20):
        part = source[at:end]
        quote = (
            '"' if part.count('"') % 2 else "'" if part.count("'") % 2 and '"' not in part else ""
        )
        if not quote:
            return end
        closing = source.find(quote, end, end + 5_000)
        following = source.find(">", closing) if closing >= 0 else -1
        if following < 0:
            return end
        end = following
    return end


def _write_tag(writer: _Writer, name: str, closing: bool, attributes: str) -> None:
    if name == "br":
        writer.end_line(keep_empty=True)
    elif name == "blockquote":
        writer.end_line()
        writer.nest(closing, quotes=not _is_plain_indent(attributes))
    elif name in ("p", "h1", "h2", "h3", "h4", "h5", "h6"):
        writer.blank()
    elif name == "li" and not closing:
        writer.end_line()
        writer.text("- ")
    elif name in ("td", "th"):
        writer.space = True
    elif name == "pre":
        writer.end_line()
        writer.preformatted = max(0, writer.preformatted + (-1 if closing else 1))
    elif name in _BLOCKS:
        writer.end_line()
    elif name == "a" and closing:
        writer.close_link()
    elif name == "a":
        writer.open_link(_attribute(attributes, "href"))
    if not closing and name in ("div", "span", "hr", "blockquote", "td", "p"):
        mark = _mark_of(attributes)
        if mark == QUOTE_MARK:
            writer.end_line()
            if not (writer.depth and HTML_CLASS in attributes):  # else the quote began above it
                writer.lines.append(mark)
        elif mark:
            writer.end_line()
            writer.line.append(mark)


def _attribute(attributes: str, name: str) -> str:
    for match in _ATTRIBUTE.finditer(attributes[:4_000]):
        if match[1].lower() == name:
            return _unescape(match[2] or match[3] or match[4] or "").strip()
    return ""


def _is_plain_indent(attributes: str) -> bool:
    """Gmail's and Outlook's "increase indent" is a blockquote too, but quotes nobody."""
    return "margin:0 0 0 40px;border:none" in attributes.replace("; ", ";").replace(": ", ":")


def _mark_of(attributes: str) -> str:
    if "=" not in attributes:
        return ""
    for match in _ATTRIBUTE.finditer(attributes[:4_000]):
        key, value = match[1].lower(), (match[2] or match[3] or match[4] or "").lower()
        if key == "name" and value in _QUOTE_NAMES:
            return QUOTE_MARK
        if key == "id":
            name = value.removeprefix("x_")
            if name in _QUOTE_IDS:
                return QUOTE_MARK
            if name in _ATTRIBUTION_IDS:
                return ATTRIBUTION_MARK
        if key == "class":
            classes = {c.removeprefix("x_") for c in value.split()}
            if classes & _ATTRIBUTION_CLASSES:
                return ATTRIBUTION_MARK
            # Yahoo puts a number of its own before the name.
            if classes & _QUOTE_CLASSES or value.endswith("yahoo_quoted"):
                return QUOTE_MARK
    return ""
