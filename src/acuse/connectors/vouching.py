"""Whether a domain vouches for a mail that names it in its From: DKIM (RFC 6376), SPF (RFC 7208)
and DMARC (RFC 7489), verified by libraries, asked of one resolver."""

from __future__ import annotations

import importlib.resources
import logging
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, cast

import dkim
import spf
from authheaders.dmarc_lookup import DMARCException, answer_to_dict
from dkim.util import InvalidTagValueList, parse_tag_value
from publicsuffix2 import PublicSuffixList

from acuse.connectors.dns import Patience, Resolver, Trouble

MOST_SIGNATURES = 5  # of the domain itself; others are not looked at
_silent = logging.getLogger("acuse.dkim")
_silent.setLevel(logging.CRITICAL)  # what does not verify is a finding, no error of ours


@dataclass(frozen=True)
class Peer:
    """Who handed the mail to the firm's server: address, greeting, envelope sender ("" is null)."""

    ip: str
    helo: str
    mail_from: str


@dataclass(frozen=True)
class Vouch:
    """The verdict ("pass", "fail", "none", "unknown") and the grounds for it, in the terms of the
    protocols (RFC 8601), which no language translates; "" where nobody was asked."""

    verdict: str
    grounds: str


@dataclass
class _Findings:
    """Domains that were proven, and what was seen on the way."""

    signed: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


@cache
def _suffixes() -> PublicSuffixList:
    source = importlib.resources.files("authheaders") / "public_suffix_list.txt"
    with source.open(encoding="utf-8") as lines:
        return PublicSuffixList(lines)


@lru_cache(maxsize=1000)
def organisational_domain(domain: str) -> str:
    """The registered domain that a name lies in: mx.sales.example.co.uk is example.co.uk's."""
    name = domain.lower().rstrip(".")
    found = str(_suffixes().get_public_suffix(name) or name)
    # Of a top domain that is not on its list the library gives the top domain itself, by which
    # everybody under it would vouch for everybody.
    return found if "." in found else ".".join(name.split(".")[-2:])


def is_aligned(proven: str, author: str, *, strict: bool) -> bool:
    """Whether a proven domain may vouch for the author's (RFC 7489 3.1)."""
    proven, author = proven.lower().rstrip("."), author.lower().rstrip(".")
    if proven == author:
        return True
    return not strict and organisational_domain(proven) == organisational_domain(author)


def vouch(
    content: bytes,
    author_domain: str,
    resolver: Resolver,
    *,
    peer: Peer | None = None,
    complete: bool = True,
) -> Vouch:
    """Whether the author's domain vouches for a mail. `peer` None: nobody can say who handed it
    over, so SPF is left out; `complete` False: only its headers are known, so DKIM is."""
    patient = Patience(resolver)
    found = _Findings()
    policy = _find_policy(author_domain, patient, found)
    if complete:
        _verify_signatures(content, author_domain, patient, found)
    if peer is not None:
        _verify_peer(peer, patient, found)
    verdict = _judge(author_domain, policy, found, patient, peer, complete)
    return Vouch(verdict, "; ".join(found.seen))


def _judge(
    author: str,
    policy: dict[str, str] | None,
    found: _Findings,
    patient: Patience,
    peer: Peer | None,
    complete: bool,
) -> str:
    """What is proven counts whatever else failed. A domain that wants unproven mail turned away
    is taken at its word even where SPF could not be asked; another is not."""
    rules = policy or {}
    by_signature, by_envelope = (rules.get(tag, "r").startswith("s") for tag in ("adkim", "aspf"))
    if any(is_aligned(domain, author, strict=by_signature) for domain in found.signed):
        return "pass"
    if any(is_aligned(domain, author, strict=by_envelope) for domain in found.sent):
        return "pass"
    if patient.trouble or not complete:
        return "unknown"
    if policy is None:
        return "none"
    return "unknown" if peer is None and rules["p"].startswith("none") else "fail"


def _find_policy(author: str, patient: Patience, found: _Findings) -> dict[str, str] | None:
    """The DMARC record of the domain, else of its organisational domain (RFC 7489 6.6.3)."""
    for domain in dict.fromkeys([author, organisational_domain(author)]):
        try:
            texts = patient.ask(f"_dmarc.{domain}", "TXT")
        except Trouble as trouble:
            found.seen.append(f"dmarc=temperror ({trouble})")
            return None
        records = [text.decode("utf-8", "replace") for text in texts if _is_dmarc(text)]
        if len(records) != 1:
            continue
        try:
            tags = cast("dict[str, str]", answer_to_dict(records[0]))
        except DMARCException:
            continue
        if tags.get("p"):
            found.seen.append(f"dmarc p={tags['p']} ({domain})")
            return tags
    found.seen.append("dmarc=none")
    return None


def _is_dmarc(text: bytes) -> bool:
    return text.replace(b" ", b"").startswith(b"v=DMARC1")


def _verify_signatures(content: bytes, author: str, patient: Patience, found: _Findings) -> None:
    """Verify the signatures that could vouch for the author. One that covers only the beginning
    of the body (l=) proves nothing: anything may have been added below."""

    def ask(name: bytes, timeout: int = 5) -> bytes | None:
        try:
            texts = patient.ask(name.decode("ascii", "replace").rstrip("."), "TXT")
        except Trouble as trouble:
            raise dkim.DnsTimeoutError(str(trouble)) from trouble
        return texts[0] if texts else None

    try:
        verifier = dkim.DKIM(content, logger=_silent)
    except dkim.DKIMException:
        found.seen.append("dkim=permerror")
        return
    tried = 0
    headers = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(headers):
        domain, partly = _domain_of(value)
        if not domain or not is_aligned(domain, author, strict=False):
            continue
        tried += 1
        if tried > MOST_SIGNATURES:
            break
        valid = not partly and _verifies(verifier, index, ask)
        found.seen.append(f"dkim={_word(valid, patient)} ({domain})")
        if valid:
            found.signed.append(domain)
    if not tried:
        found.seen.append("dkim=none")


def _word(valid: bool, patient: Patience) -> str:
    return "pass" if valid else "temperror" if patient.trouble else "fail"


def _domain_of(value: bytes) -> tuple[str, bool]:
    """The signing domain of a signature and whether it covers only a part of the body."""
    try:
        tags = parse_tag_value(value)
    except InvalidTagValueList:
        return "", False
    return tags.get(b"d", b"").decode("ascii", "replace").lower(), b"l" in tags


def _verifies(verifier: dkim.DKIM, index: int, ask: Any) -> bool:
    try:
        return bool(verifier.verify(index, dnsfunc=ask))
    except Exception:  # the library raises many kinds on what a stranger may have written
        return False


class _Query(spf.query):
    """One SPF question, answered by our resolver (RFC 7208)."""

    def __init__(self, peer: Peer, patient: Patience) -> None:
        super().__init__(i=peer.ip, s=peer.mail_from, h=peer.helo)
        self.patient = patient

    def dns(
        self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False
    ) -> list[Any]:
        """The records in the library's own shape; at most two names without any (4.6.4)."""
        try:
            records = self.patient.ask(str(name).rstrip("."), qtype)
        except Trouble as trouble:
            raise spf.TempError(str(trouble)) from trouble
        if not records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many names without records")
        return [(text,) for text in records] if qtype == "TXT" else records


def _verify_peer(peer: Peer, patient: Patience, found: _Findings) -> None:
    try:
        result = _Query(peer, patient).check()[0]
    except Exception:  # as above
        result = "permerror"
    domain = (peer.mail_from.rpartition("@")[2] or peer.helo).lower()
    found.seen.append(f"spf={result} ({domain}, {peer.ip})")
    if result == "pass":
        found.sent.append(domain)
