"""Questions to the DNS, answered within seconds or not at all (RFC 1035)."""

from __future__ import annotations

import time
from typing import Any, Protocol

import dns.exception
import dns.resolver

EACH = 2.0  # seconds for one question
ALL = 6.0  # seconds for all questions about one mail


class Trouble(Exception):
    """The name servers gave no answer in time: nothing is known, neither yes nor no."""


class Resolver(Protocol):
    """Whoever answers: TXT as bytes, A, AAAA and PTR as text, MX as (preference, host)."""

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records of this kind; none where there are none. Raises Trouble."""
        ...


class NameServers:
    """The system's name servers, or the one given as "host:port" (an address, not a name)."""

    def __init__(self, server: str = "") -> None:
        self._resolver = dns.resolver.Resolver(configure=not server)
        if server:
            host, _, port = server.rpartition(":")
            self._resolver.nameservers = [host.strip("[]")]
            self._resolver.port = int(port)

    def ask(self, name: str, kind: str) -> list[Any]:
        """One question; a name that does not exist has no records."""
        try:
            answer = self._resolver.resolve(name, kind, lifetime=EACH, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as trouble:
            raise Trouble(f"{name}: {type(trouble).__name__}") from trouble
        return [_plain(record, kind) for record in answer]


def _plain(record: Any, kind: str) -> Any:
    if kind == "TXT":
        return b"".join(record.strings)
    if kind == "MX":
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    if kind == "PTR":
        return record.target.to_text(omit_final_dot=True)
    return record.to_text()


class Patience:
    """A resolver for the questions about one mail: after the first trouble, or when the time for
    all of them is over, nobody is asked any more. It remembers whether there was trouble."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._until = time.monotonic() + ALL
        self.trouble = ""

    def ask(self, name: str, kind: str) -> list[Any]:
        """As the resolver's own."""
        if not self.trouble and time.monotonic() > self._until:
            self.trouble = "it took too long"
        if self.trouble:
            raise Trouble(self.trouble)
        try:
            return self._resolver.ask(name, kind)
        except Trouble as trouble:
            self.trouble = str(trouble)
            raise
