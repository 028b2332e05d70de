"""Asking a system whether it works: HTTP, Odoo's health page, TLS certificates, TCP (P06).

Targets are named by the firm's administrators, and still nothing is asked that only this machine
or a cloud's metadata service would answer: the name is resolved once, every address is looked at,
and the connection goes to exactly those addresses. Private networks are asked, because that is
where customers' systems often are. Redirects are not followed. Nobody is shown what came back.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from acuse.policy.fields import InvalidField
from acuse.policy.probing import CheckKind, Finding, Probe, Result, Target, read_target

LARGEST = 1_000_000  # bytes of an answer that are read
AGENT = "Acuse-Monitor"
DAY = 86_400.0  # seconds
GRACE = 2.0  # seconds beyond its own limit that a probe may take to come back

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
# Metadata services that are not link-local.
_METADATA = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}


class Failed(Exception):
    """A probe that found something else than all well."""

    def __init__(self, finding: Finding, detail: object = "") -> None:
        super().__init__(finding, detail)
        self.result = Result(finding, str(detail)[:200])


def may_be_asked(address: Address) -> bool:
    """Whether an address is another machine's: not this one, not its link, no group, no
    metadata service. IPv4 inside IPv6 is looked at as IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return may_be_asked(inner)
    elif address in _THIS_NETWORK:
        return False
    forbidden = (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )
    return not forbidden and address not in _METADATA


def run(
    probe: Probe,
    *,
    now: datetime,
    permits: Callable[[Address], bool] = may_be_asked,
    trust: ssl.SSLContext | None = None,
) -> Result:
    """Ask once, within the probe's own time limit; never raises. `now`: for the
    certificate; `trust`: whose certificates count, by default the system's authorities."""
    began = time.monotonic()
    clock = TimeLimit(began + probe.timeout)
    try:
        found = _look(probe, clock, now, permits, trust)
    except Failed as failed:
        found = failed.result
    except TimeoutError:
        found = Result(Finding.TIMED_OUT)
    except ssl.SSLCertVerificationError as wrong:
        found = Result(Finding.CERTIFICATE, wrong.verify_message[:200])
    except InvalidField as wrong:
        found = Result(Finding.ODD_ANSWER, str(wrong)[:200])
    except (http.client.HTTPException, ValueError) as reason:
        found = Result(Finding.ODD_ANSWER, str(reason)[:200])
    except OSError as reason:
        found = Result(Finding.NO_CONNECTION, str(reason)[:200])
    finally:
        clock.stop()
    if clock.fired:  # what it looked like was of our own doing
        return Result(Finding.TIMED_OUT)
    latency = round((time.monotonic() - began) * 1000)
    if not found.passes:
        return Result(found.finding, found.detail, latency)
    if probe.latency_limit is not None and latency > probe.latency_limit:
        return Result(Finding.SLOW, f"{latency} ms", latency)
    return Result(Finding.FINE, "", latency)


def _look(
    probe: Probe,
    clock: TimeLimit,
    now: datetime,
    permits: Callable[[Address], bool],
    trust: ssl.SSLContext | None,
) -> Result:
    target = read_target(probe.kind, probe.target)
    sock = connect(target, clock, permits)
    try:
        if target.tls:
            sock = secured = secure(sock, target, trust, clock)
            _check_expiry(secured, probe, now.timestamp())
        if probe.kind in (CheckKind.HTTP, CheckKind.ODOO):
            _ask(sock, target, probe)
    finally:
        sock.close()
    return Result(Finding.FINE)


class TimeLimit:
    """Ends a connection when its time is up, however slowly the other side talks."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.fired = False
        self._sock: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def watch(self, sock: socket.socket) -> None:
        """End this connection in time, instead of the one before."""
        self._sock = sock
        if self._timer is None:
            self._timer = threading.Timer(self.left(), self._end)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.fired = True
        if self._sock is not None:
            with suppress(OSError):
                # Not the method of an SSL socket, which would change it under its reader.
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


def _resolve(target: Target, permits: Callable[[Address], bool]) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as reason:
        raise Failed(Finding.UNKNOWN_HOST, reason) from reason
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    for address in addresses:
        if not permits(ipaddress.ip_address(address.partition("%")[0])):
            raise Failed(Finding.FORBIDDEN, address)
    return addresses


def connect(target: Target, clock: TimeLimit, permits: Callable[[Address], bool]) -> socket.socket:
    """A connection to the first address of a target that takes one, all of which are looked at
    first. Raises Failed, TimeoutError."""
    reason: OSError | None = None
    for address in _resolve(target, permits):
        try:
            sock = socket.create_connection((address, target.port), timeout=clock.left())
        except TimeoutError:
            raise
        except OSError as refused:
            reason = refused
        else:
            sock.settimeout(clock.left())
            clock.watch(sock)
            return sock
    raise Failed(Finding.NO_CONNECTION, reason or "")


def secure(
    plain: socket.socket, target: Target, trust: ssl.SSLContext | None, clock: TimeLimit
) -> ssl.SSLSocket:
    """The same connection in TLS, with whoever has the target's name. Raises Failed,
    ssl.SSLCertVerificationError, OSError."""
    context = trust or ssl.create_default_context()
    sock = context.wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)
    clock.watch(sock)
    try:
        sock.do_handshake()
    except ssl.SSLCertVerificationError:
        sock.close()
        raise
    except ssl.SSLError as reason:
        sock.close()
        raise Failed(Finding.CERTIFICATE, reason.reason or reason) from reason
    except OSError:
        sock.close()
        raise
    return sock


def _check_expiry(sock: ssl.SSLSocket, probe: Probe, now: float) -> None:
    if not probe.expiry_days:
        return
    certificate = sock.getpeercert() or {}
    until = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    left = (until - now) / DAY
    if left < probe.expiry_days:
        raise Failed(Finding.EXPIRES, f"{max(0, int(left))} d: {certificate['notAfter']}")


def host_header(target: Target) -> str:
    """How a request names its host (RFC 9110, 7.2)."""
    default = 443 if target.tls else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == default else f"{host}:{target.port}"


def _ask(sock: socket.socket, target: Target, probe: Probe) -> None:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = sock
    headers = {"User-Agent": AGENT, "Accept": "*/*", "Connection": "close"}
    connection.request("GET", target.path, headers=headers | {"Host": host_header(target)})
    answer = connection.getresponse()
    body = answer.read(LARGEST)
    wanted = 200 if probe.kind is CheckKind.ODOO else probe.expected_status
    if answer.status != wanted:
        redirect = 300 <= answer.status < 400 and answer.status != 304
        raise Failed(Finding.REDIRECT if redirect else Finding.STATUS, answer.status)
    if probe.kind is CheckKind.ODOO:
        _require_healthy(body)
    elif probe.expected_text and probe.expected_text not in body.decode("utf-8", "replace"):
        raise Failed(Finding.TEXT)


def _require_healthy(body: bytes) -> None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as reason:
        raise Failed(Finding.ODD_ANSWER, "no JSON") from reason
    if not isinstance(said, dict) or said.get("status") != "pass":
        raise Failed(Finding.UNHEALTHY)


Key = TypeVar("Key", bound=Hashable)


def run_all(
    probes: Mapping[Key, Probe], ask: Callable[[Probe], Result]
) -> Iterator[tuple[Key, Result]]:
    """Every result as it comes, each probe in a thread of its own. Whichever has not come back by
    the longest limit and a little more (a resolver may hang) has timed out; nobody waits for its
    thread."""
    results: queue.SimpleQueue[tuple[Key, Result]] = queue.SimpleQueue()

    def work(key: Key, probe: Probe) -> None:
        try:
            results.put((key, ask(probe)))
        except Exception as ours:  # an error of ours must not look like silence
            results.put((key, Result(Finding.ODD_ANSWER, f"{type(ours).__name__}: {ours}"[:200])))

    for key, probe in probes.items():
        threading.Thread(target=work, args=(key, probe), daemon=True, name="probe").start()
    longest = max((probe.timeout for probe in probes.values()), default=0.0)
    end = time.monotonic() + longest + GRACE
    waiting = set(probes)
    while waiting:
        try:
            key, result = results.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        waiting.discard(key)
        yield key, result
    for key in waiting:
        yield key, Result(Finding.TIMED_OUT)
