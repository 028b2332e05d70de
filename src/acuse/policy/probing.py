"""What a check asks of a system, and what it may find (P06)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from .fields import N_, InvalidField


class CheckKind(StrEnum):
    HTTP = "http"
    ODOO = "odoo"
    TLS = "tls"
    TCP = "tcp"


class Finding(StrEnum):
    """What a probe found."""

    FINE = "fine"
    UNKNOWN_HOST = "unknown_host"
    FORBIDDEN = "forbidden"  # an address that is never asked
    NO_CONNECTION = "no_connection"
    TIMED_OUT = "timed_out"
    CERTIFICATE = "certificate"
    EXPIRES = "expires"
    STATUS = "status"
    REDIRECT = "redirect"
    TEXT = "text"
    SLOW = "slow"
    UNHEALTHY = "unhealthy"
    ODD_ANSWER = "odd_answer"


@dataclass(frozen=True)
class Probe:
    """`timeout`: seconds for all of it; `latency_limit`: milliseconds, None for any; `expiry_days`:
    fewer left of the certificate are a failure (0: not looked at)."""

    kind: CheckKind
    target: str
    timeout: float = 10.0
    latency_limit: int | None = None
    expected_status: int = 200
    expected_text: str = ""
    expiry_days: int = 0


@dataclass(frozen=True)
class Result:
    """`latency`: milliseconds until everything was read, None where nothing came."""

    finding: Finding
    detail: str = ""
    latency: int | None = None

    @property
    def passes(self) -> bool:
        return self.finding is Finding.FINE


@dataclass(frozen=True)
class Target:
    """Where a probe goes. `path`: with its query, for HTTP."""

    host: str
    port: int
    tls: bool
    path: str = ""


ODOO_HEALTH = "/web/health?db_server_status=1"  # answers {"status": "pass"}
NOT_A_URL = N_("must be an address such as https://erp.example.com/web/login, not “%(value)s”")
NOT_A_PLACE = N_("must be a server and a port such as erp.example.com:443, not “%(value)s”")
WITH_USER = N_("must not carry a user name or a password")
_HOST = re.compile(r"(?=.{1,253}\Z)[^\s/@?#\\:\[\]\x00-\x20]+")


def read_target(kind: CheckKind, target: str) -> Target:
    """The parts of a target: a URL for HTTP and Odoo, host:port otherwise. Raises InvalidField."""
    if kind in (CheckKind.HTTP, CheckKind.ODOO):
        return _read_url(kind, target)
    host, _, port = target.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not _is_host(host) or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) < 65536:
        raise InvalidField("target", NOT_A_PLACE, value=target)
    return Target(_plain(host, target, NOT_A_PLACE), int(port), kind is CheckKind.TLS)


def _read_url(kind: CheckKind, target: str) -> Target:
    try:
        parts = urlsplit(target.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as wrong:
        raise InvalidField("target", NOT_A_URL, value=target) from wrong
    if parts.scheme not in ("http", "https") or not _is_host(host) or port == 0:
        raise InvalidField("target", NOT_A_URL, value=target)
    if parts.username is not None or parts.password is not None:
        raise InvalidField("target", WITH_USER)
    path = parts.path.rstrip("/") + ODOO_HEALTH if kind is CheckKind.ODOO else parts.path or "/"
    if kind is CheckKind.HTTP and parts.query:
        path += f"?{parts.query}"
    if re.search(r"[^\x21-\x7e]", path):
        raise InvalidField("target", NOT_A_URL, value=target)
    tls = parts.scheme == "https"
    return Target(_plain(host, target, NOT_A_URL), port or (443 if tls else 80), tls, path)


def _is_host(host: str) -> bool:
    return ":" in host or _HOST.fullmatch(host) is not None


def _plain(host: str, target: str, rule: str) -> str:
    """The host in ASCII (RFC 5891)."""
    try:
        return host if ":" in host else host.encode("idna").decode("ascii").lower()
    except UnicodeError as wrong:
        raise InvalidField("target", rule, value=target) from wrong
