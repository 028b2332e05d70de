"""Outgoing webhooks: what is sent and signed, to whom, how long we wait."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from acuse.connectors import hooks
from acuse.policy.probing import Finding
from tests.connectors.test_probes import serving
from tests.mail.certificate import make_authority, make_certificate

NOW = datetime(2026, 11, 18, 7, 0, 0, 900_000, tzinfo=UTC)
BODY = b'{"kind":"page"}'
SECRET = hooks.new_secret()
send = partial(hooks.post, permits=lambda address: True, timeout=3)


def url(port: int, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{port}/in?team=a"


def heard(sock: socket.socket) -> bytes:
    """A whole request, up to its last byte."""
    data = b""
    while b"\r\n\r\n" not in data or not data.endswith(BODY):
        data += sock.recv(65536)
    return data


def saying(status: str, body: str = "", *headers: str) -> Callable[[socket.socket], None]:
    """Answers once the whole request has come: who closes with bytes unread resets the line."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body]

    def answer(sock: socket.socket) -> None:
        heard(sock)
        sock.sendall("\r\n".join(lines).encode())

    return answer


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its own documentation."""
    signature = hooks.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_random_and_of_32_bytes() -> None:
    assert hooks.new_secret() != SECRET
    assert len(base64.b64decode(SECRET.removeprefix("whsec_"))) == 32
    with pytest.raises(ValueError, match="not base64"):
        hooks.sign("whsec_%%%", "key", NOW, BODY)


def test_what_is_sent() -> None:
    seen: list[bytes] = []

    def answer(sock: socket.socket) -> None:
        seen.append(heard(sock))
        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with serving(answer) as port:
        found = send(url(port), BODY, hooks.headers(SECRET, "k-1", NOW, BODY))
    assert (found.status, found.taken, found.finding) == (204, True, Finding.FINE)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /in?team=a HTTP/1.1"
    sent = dict(line.split(": ", 1) for line in lines)
    assert sent["Host"] == f"127.0.0.1:{port}"
    assert sent["Content-Type"] == "application/json"
    assert sent["webhook-id"] == "k-1"
    assert sent["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert sent["webhook-signature"] == hooks.sign(SECRET, "k-1", NOW, BODY)
    assert body == BODY


@pytest.mark.parametrize("status", [300, 301, 302, 404, 410, 429, 500, 503])
def test_only_a_success_is_a_success(status: int) -> None:
    answer = saying(f"{status} No", "", "Location: http://127.0.0.1:1/")
    with serving(answer) as port:
        found = send(url(port), BODY, {})
    assert (found.status, found.taken) == (status, False)


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (lambda sock: sock.sendall(b"SSH-2.0-OpenSSH\r\n"), Finding.ODD_ANSWER),
        (lambda sock: None, Finding.ODD_ANSWER),
    ],
)
def test_what_is_no_answer(answer: Callable[[socket.socket], None], finding: Finding) -> None:
    with serving(answer) as port:
        found = send(url(port), BODY, {})
    assert not found.taken
    assert found.status is None
    assert found.finding in (finding, Finding.NO_CONNECTION)  # it may end before all was sent


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert send(url(port), BODY, {}).finding is Finding.NO_CONNECTION
    assert send("ftp://x.example/", BODY, {}).finding is Finding.ODD_ANSWER


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_this_machine_and_metadata_are_never_told(address: str) -> None:
    assert hooks.post(address, BODY, {}).finding is Finding.FORBIDDEN


def test_who_says_nothing_or_never_ends_is_not_waited_for() -> None:
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        heard(sock)
        while not over.wait(0.02):
            sock.sendall(b"H")

    for answer in (lambda sock: over.wait(5) and None, drip):
        over.clear()
        with serving(answer) as port:
            began = time.monotonic()
            found = send(url(port), BODY, {}, timeout=0.3)
            over.set()
        assert (found.finding, found.taken) == (Finding.TIMED_OUT, False)
        assert time.monotonic() - began < 3


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(hooks, "GRACE", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: over.wait(5) and [])
    assert send("http://slow.example/", BODY, {}, timeout=0.1).finding is Finding.TIMED_OUT
    over.set()


def test_https_asks_for_a_certificate(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "ca.pem")
    make_certificate(authority, tmp_path / "cert.pem", tmp_path / "key.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with serving(saying("200 OK"), server) as port:
        assert send(url(port, "https"), BODY, {}, trust=trust).taken
        assert send(url(port, "https"), BODY, {}).finding is Finding.CERTIFICATE
