"""Whether a mail's author is who the From says: asked before the mail is read, kept on its row
(mail rule 8; RFC 7489, RFC 8601)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import authres

from acuse.config import config
from acuse.connectors import vouching
from acuse.connectors.dns import NameServers, Resolver
from acuse.connectors.vouching import Peer, Vouch
from acuse.interfaces.mail.decode import Address, decode_text, header_bytes, read_addresses
from acuse.interfaces.mail.structure import Headers, read_message
from acuse.models import Authentication, RawMail

# Written by whoever wrote the mail: what stands below them is not our server's.
_AUTHORS_FIELDS = frozenset(
    {"from", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type"}
)
LONGEST_ADDRESS = 254  # characters (RFC 5321, 4.5.3.1.3)
_HEAD = re.compile(rb"\r?\n\r?\n")
_BY = re.compile(r"\bby\s+([^\s;()]+)", re.I)
_FROM = re.compile(r"^\s*from\s+(\S+)", re.I)
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{3,45})\]")
_ADDRESS_IN_NAME = re.compile(r"[^\s<>()\"',;:@]+@[^\s<>()\"',;:@]+\.[^\s<>()\"',;:@]+")


@dataclass(frozen=True)
class Head:
    """The top headers of a mail, in their order, names in lower case, values unfolded."""

    fields: Headers

    def values(self, name: str) -> list[str]:
        """The values of one header, from the top."""
        return [value for field, value in self.fields if field == name]

    def authors(self) -> list[Address]:
        """Every mailbox that a From names."""
        return [a for value in self.values("from") for a in read_addresses(value) if a.email]

    def is_clear(self) -> bool:
        """Whether exactly one From names exactly one mailbox that any other reader would find
        there too, and its name pretends no other."""
        authors = self.authors()
        if len(self.values("from")) != 1 or len(authors) != 1:
            return False
        email = authors[0].email.lower()
        if len(email) > LONGEST_ADDRESS or not _is_stated(email, self.values("from")[0]):
            return False
        # "＠" and the like look the same and are none.
        pretended = _ADDRESS_IN_NAME.findall(unicodedata.normalize("NFKC", authors[0].name))
        return all(one.lower() == email for one in pretended)


def _is_stated(email: str, value: str) -> bool:
    """Whether a From has an address as it is, by itself. One that we had to mend or to guess
    (a@b@c, a(x)@b, half quoted, encoded, with spaces or NUL in it) is another's to the server
    which vouches for it."""
    text = decode_text(header_bytes(value.replace("\0", "?"))).lower()
    return re.search(rf"(?:^|[\s<]){re.escape(email)}(?:$|[\s>])", text) is not None


def read_head(content: bytes) -> Head:
    """The headers of a raw mail; its body is not looked at."""
    head = _HEAD.split(content.lstrip(b" \t\r\n"), maxsplit=1)[0]
    fields = read_message(head + b"\r\n\r\n")[1]
    return Head([(name, re.sub(r"\r?\n(?=[ \t])", "", value)) for name, value in fields])


@cache
def resolver() -> Resolver | None:
    """Who is asked about domains: in development nobody, unless the installation names one."""
    if not config.name_server and not config.production:
        return None
    return NameServers(config.name_server)


def authenticate(raw: RawMail, head: Head) -> Vouch:
    """The verdict about a kept mail: our own server's, where the mailbox names it, else ours."""
    authors = head.authors()
    if not head.is_clear():
        return Vouch(Authentication.NONE, "")
    domain = authors[0].email.rpartition("@")[2].lower()
    server = raw.mailbox.authserv_id.lower() if raw.mailbox is not None else ""
    told = read_results(head, server, domain) if server else None
    if told is not None:
        return told
    asked = resolver()
    if asked is None:
        return Vouch(Authentication.UNKNOWN, "")
    peer = find_peer(head, server, raw.envelope_from) if server else None
    return vouching.vouch(bytes(raw.content), domain, asked, peer=peer, complete=raw.complete)


def read_results(head: Head, server: str, author: str) -> Vouch | None:
    """What our own server found (RFC 8601): only the topmost Authentication-Results counts, and
    only if it carries exactly our server's name; anybody can write one further down."""
    written_by_servers = []
    for name, value in head.fields:
        if name in _AUTHORS_FIELDS:
            break
        if name == "authentication-results":
            written_by_servers.append(value)
    if not written_by_servers:
        return None
    try:
        header = authres.all_features().parse_value(written_by_servers[0].strip())
    except Exception:  # the library raises many kinds on what is no such header
        return None
    if str(header.authserv_id).lower() != server:
        return None
    return _weigh(list(header.results), author, server)


def _weigh(results: list[authres.AuthenticationResult], author: str, server: str) -> Vouch | None:
    """DMARC's own result for this author, else what DKIM and SPF prove in line with it. None:
    the server did not ask the author's domain, so that we have to."""
    seen = f"{server}: " + "; ".join(f"{one.method}={one.result}" for one in results)
    for one in results:
        result = str(one.result).lower()
        if one.method == "dmarc" and _property(one, "header", "from") == author:
            if result in ("pass", "fail"):
                return Vouch(result, seen)
            if result == "temperror":
                return Vouch(Authentication.UNKNOWN, seen)
    proven = [
        _property(one, kind, name).rpartition("@")[2]
        for method, kind, name in (
            ("dkim", "header", "d"),
            ("dkim", "header", "i"),
            ("spf", "smtp", "mailfrom"),
        )
        for one in results
        if one.method == method and str(one.result).lower() == "pass"
    ]
    if any(domain and vouching.is_aligned(domain, author, strict=False) for domain in proven):
        return Vouch(Authentication.PASS, seen)
    asked = any(one.method == "dmarc" for one in results)
    return Vouch(Authentication.NONE, seen) if asked else None


def _property(result: authres.AuthenticationResult, kind: str, name: str) -> str:
    for found in result.properties:
        if (found.type, found.name) == (kind, name) and found.value:
            return str(found.value).lower()
    return ""


def find_peer(head: Head, server: str, envelope_from: str) -> Peer | None:
    """Who handed the mail over, if the topmost Received was written by our own server and names
    a public address; any other line may have been written by the sender."""
    received = head.values("received")
    by = _BY.search(received[0]) if received else None
    if by is None or by[1].lower().rstrip(".") != server:
        return None
    before = received[0][: by.start()]
    found = _BRACKETED.search(before)
    helo = _FROM.match(before)
    try:
        ip = ipaddress.ip_address(found[1]) if found else None
    except ValueError:
        return None
    if ip is None or not ip.is_global:
        return None
    return Peer(str(ip), helo[1].strip("[]") if helo else "", envelope_from)
