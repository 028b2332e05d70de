"""Outgoing webhooks: one signed POST of JSON, within a time limit, to another machine (P03).

Signed as Standard Webhooks 1.0 says: `webhook-id` is the same however often a message is sent,
`webhook-timestamp` is when it was sent, and `webhook-signature` is HMAC-SHA256 over both and the
body. Whom we connect to is decided as for probes (connectors/probes.py); redirects are not followed
and nothing of the answer but its status is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import queue
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from acuse.policy.fields import InvalidField
from acuse.policy.probing import CheckKind, Finding, read_target

from . import probes
from .probes import Address, Failed, TimeLimit, may_be_asked

AGENT = "Acuse-Webhook"
TIMEOUT = 10.0  # seconds for one message, from the name to the answer
GRACE = 2.0  # seconds more, for a resolver that hangs
PREFIX = "whsec_"


@dataclass(frozen=True)
class Answer:
    """What the other side answered (`status`, an HTTP status), or what went wrong before it
    did."""

    status: int | None
    finding: Finding
    detail: str = ""

    @property
    def taken(self) -> bool:
        """Whether the other side has the message now."""
        return self.status is not None and 200 <= self.status < 300


def new_secret() -> str:
    """A secret that signs: 32 bytes at random, in base64 after its prefix."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, key: str, at: datetime, body: bytes) -> str:
    """The signature of a message that is sent at a moment. Raises ValueError for a secret of
    another form."""
    try:
        raw = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as wrong:
        raise ValueError("the secret is not base64") from wrong
    content = b".".join([key.encode(), str(int(at.timestamp())).encode(), body])
    return "v1," + base64.b64encode(hmac.new(raw, content, hashlib.sha256).digest()).decode()


def headers(secret: str, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at a moment."""
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": sign(secret, key, at, body),
    }


def post(
    url: str,
    body: bytes,
    given: Mapping[str, str],
    *,
    timeout: float = TIMEOUT,
    permits: Callable[[Address], bool] = may_be_asked,
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """Send once; never raises. A thread that hangs in the resolver is left behind. `trust`: whose
    certificates count, by default the system's authorities."""
    found: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def work() -> None:
        found.put(_post(url, body, given, timeout, permits, trust))

    threading.Thread(target=work, daemon=True, name="webhook").start()
    with suppress(queue.Empty):
        return found.get(timeout=timeout + GRACE)
    return Answer(None, Finding.TIMED_OUT)


def _post(
    url: str,
    body: bytes,
    given: Mapping[str, str],
    timeout: float,
    permits: Callable[[Address], bool],
    trust: ssl.SSLContext | None,
) -> Answer:
    clock = TimeLimit(time.monotonic() + timeout)
    try:
        answer = Answer(_send(url, body, given, clock, permits, trust), Finding.FINE)
    except Failed as failed:
        answer = Answer(None, failed.result.finding, failed.result.detail)
    except TimeoutError:
        answer = Answer(None, Finding.TIMED_OUT)
    except ssl.SSLCertVerificationError as wrong:
        answer = Answer(None, Finding.CERTIFICATE, wrong.verify_message[:200])
    except (InvalidField, http.client.HTTPException, ValueError) as reason:
        answer = Answer(None, Finding.ODD_ANSWER, str(reason)[:200])
    except OSError as reason:
        answer = Answer(None, Finding.NO_CONNECTION, str(reason)[:200])
    finally:
        clock.stop()
    if clock.fired and not answer.taken:  # what it looked like was of our own doing
        return Answer(None, Finding.TIMED_OUT)
    return answer


def _send(
    url: str,
    body: bytes,
    given: Mapping[str, str],
    clock: TimeLimit,
    permits: Callable[[Address], bool],
    trust: ssl.SSLContext | None,
) -> int:
    target = read_target(CheckKind.HTTP, url)
    sock = probes.connect(target, clock, permits)
    try:
        if target.tls:
            sock = probes.secure(sock, target, trust, clock)
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
        own = {"Host": probes.host_header(target), "Connection": "close"}
        connection.request("POST", target.path, body=body, headers={**given, **own})
        return connection.getresponse().status
    finally:
        sock.close()
