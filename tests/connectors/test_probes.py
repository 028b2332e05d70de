"""Probes against servers of the test: what they find, how long they may take, whom they ask."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from acuse.connectors import probes
from acuse.policy.fields import InvalidField
from acuse.policy.probing import CheckKind, Finding, Probe, Result, Target, read_target
from tests.mail.certificate import make_authority, make_certificate

NOW = datetime.now(UTC)
ask = partial(probes.run, now=NOW, permits=lambda address: True)


@contextmanager
def serving(
    answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A server on this machine that gives every connection to `answer`; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    sock = context.wrap_socket(plain, server_side=True) if context else plain
                    with sock:
                        answer(sock)
                except OSError:
                    plain.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def saying(status: str, body: str = "", *headers: str) -> Callable[[socket.socket], None]:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body]

    def answer(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall("\r\n".join(lines).encode())

    return answer


def http(port: int, **more: object) -> Probe:
    return Probe(CheckKind.HTTP, f"http://127.0.0.1:{port}/a?b=c", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "more", "finding"),
    [
        (saying("200 OK", "all well"), {"expected_text": "well"}, Finding.FINE),
        (saying("200 OK", "all well"), {"expected_text": "bad"}, Finding.TEXT),
        (saying("503 No", "x"), {}, Finding.STATUS),
        (saying("401 No", "x"), {"expected_status": 401}, Finding.FINE),
        (saying("302 Found", "", "Location: http://10.0.0.1/"), {}, Finding.REDIRECT),
        (lambda sock: sock.sendall(b"SSH-2.0-OpenSSH\r\n"), {}, Finding.ODD_ANSWER),
        (lambda sock: None, {}, Finding.ODD_ANSWER),
    ],
)
def test_http(answer: Callable[[socket.socket], None], more: dict, finding: Finding) -> None:  # type: ignore[type-arg]
    with serving(answer) as port:
        assert ask(http(port, **more)).finding is finding


def test_the_request_names_its_host_path_and_query() -> None:
    seen: list[bytes] = []

    def answer(sock: socket.socket) -> None:
        seen.append(sock.recv(65536))
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as port:
        result = ask(http(port))
    assert result.passes
    assert result.latency is not None
    assert seen[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert b"127.0.0.1:%d" % port in seen[0]


@pytest.mark.parametrize(
    ("status", "body", "finding"),
    [
        ("200 OK", '{"status": "pass"}', Finding.FINE),
        ("200 OK", '{"status": "fail"}', Finding.UNHEALTHY),
        ("200 OK", "<html>", Finding.ODD_ANSWER),
        ("200 OK", "[]", Finding.UNHEALTHY),
        ("500 No", '{"status": "fail"}', Finding.STATUS),
    ],
)
def test_odoo(status: str, body: str, finding: Finding) -> None:
    with serving(saying(status, body)) as port:
        probe = Probe(CheckKind.ODOO, f"http://127.0.0.1:{port}")
        assert ask(probe).finding is finding


def test_tcp() -> None:
    with serving(lambda sock: None) as port:
        assert ask(Probe(CheckKind.TCP, f"127.0.0.1:{port}")).passes
    assert ask(Probe(CheckKind.TCP, f"127.0.0.1:{port}")).finding is Finding.NO_CONNECTION


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side with a certificate that ends tomorrow, and who trusts it."""
    folder: Path = tmp_path_factory.mktemp("tls")
    authority = make_authority(folder / "ca.pem")
    make_certificate(authority, folder / "cert.pem", folder / "key.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=str(folder / "ca.pem"))


Tls = tuple[ssl.SSLContext, ssl.SSLContext]


def test_a_certificate_that_ends_soon_is_found(tls: Tls) -> None:
    server, trust = tls
    with serving(lambda sock: None, server) as port:
        target = f"127.0.0.1:{port}"
        later = NOW + timedelta(hours=2)
        soon = ask(Probe(CheckKind.TLS, target, expiry_days=14), trust=trust, now=later)
        assert soon.finding is Finding.EXPIRES
        assert soon.detail.startswith("0 d")
        assert ask(Probe(CheckKind.TLS, target), trust=trust).passes
        earlier = partial(ask, now=NOW - timedelta(days=30), trust=trust)
        assert earlier(Probe(CheckKind.TLS, target, expiry_days=14)).passes


def test_a_certificate_that_nobody_vouches_for_is_found(tls: Tls) -> None:
    server, trust = tls
    with serving(lambda sock: None, server) as port:
        assert ask(Probe(CheckKind.TLS, f"127.0.0.1:{port}")).finding is Finding.CERTIFICATE
        other = ask(Probe(CheckKind.TLS, f"localhost:{port}"), trust=trust)
        assert other.finding is Finding.CERTIFICATE
    with serving(saying("200 OK")) as port:
        assert ask(Probe(CheckKind.TLS, f"127.0.0.1:{port}")).finding is Finding.CERTIFICATE


def test_https_is_read_through_its_certificate(tls: Tls) -> None:
    server, trust = tls
    with serving(saying("200 OK", "hello"), server) as port:
        probe = Probe(CheckKind.HTTP, f"https://127.0.0.1:{port}/", expected_text="hello")
        assert ask(probe, trust=trust).passes


def test_who_talks_without_end_is_cut_off() -> None:
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.wait(0.02):
            sock.sendall(b".")

    with serving(drip) as port:
        began = time.monotonic()
        result = ask(http(port, timeout=0.3))
        over.set()
    assert result.finding is Finding.TIMED_OUT
    assert time.monotonic() - began < 3


def test_who_says_nothing_is_not_waited_for(tls: Tls) -> None:
    over = threading.Event()
    with serving(lambda sock: over.wait(5) and None) as port:
        assert ask(http(port, timeout=0.2)).finding is Finding.TIMED_OUT
    over.set()
    over = threading.Event()
    with serving(lambda sock: over.wait(5) and None) as port:
        probe = Probe(CheckKind.TLS, f"127.0.0.1:{port}", timeout=0.2)
        assert ask(probe, trust=tls[1]).finding is Finding.TIMED_OUT
    over.set()


def test_slow_is_a_failure_where_there_is_a_limit() -> None:
    over = threading.Event()

    def late(sock: socket.socket) -> None:
        over.wait(0.05)
        saying("200 OK")(sock)

    with serving(late) as port:
        assert ask(http(port, latency_limit=1)).finding is Finding.SLOW
        assert ask(http(port, latency_limit=9000)).passes


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "100.100.100.200", "::1", "::", "fe80::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
        "fd00:ec2::254",
    ],
)  # fmt: skip
def test_addresses_that_are_never_asked(address: str) -> None:
    assert not probes.may_be_asked(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "10.1.2.3", "192.168.0.9", "172.16.1.1", "100.64.0.1",
                "2606:2800:220:1::1", "fd12::1", "64:ff9b::5db8:d822"],
)  # fmt: skip
def test_addresses_of_others_are_asked(address: str) -> None:
    assert probes.may_be_asked(ipaddress.ip_address(address))


@pytest.mark.parametrize("target", ["http://127.0.0.1:{}/", "http://localhost:{}/"])
def test_this_machine_is_not_asked(target: str) -> None:
    asked: list[socket.socket] = []
    with serving(asked.append) as port:
        result = probes.run(Probe(CheckKind.HTTP, target.format(port)), now=NOW)
    assert result.finding is Finding.FORBIDDEN
    assert not asked


def test_an_unknown_host_is_told() -> None:
    result = ask(Probe(CheckKind.TCP, "nobody.invalid:80"))
    assert result.finding is Finding.UNKNOWN_HOST


@pytest.mark.parametrize(
    ("kind", "target", "found"),
    [
        (CheckKind.HTTP, "https://erp.example.com", ("erp.example.com", 443, True, "/")),
        (CheckKind.HTTP, "http://a.example:81/x?y=1#z", ("a.example", 81, False, "/x?y=1")),
        (
            CheckKind.ODOO,
            "https://erp.example.com/",
            ("erp.example.com", 443, True, "/web/health?db_server_status=1"),
        ),
        (CheckKind.TLS, "ñandú.example:443", ("xn--and-6ma2c.example", 443, True, "")),
        (CheckKind.TCP, "[2001:db8::1]:25", ("2001:db8::1", 25, False, "")),
    ],
)
def test_targets(kind: CheckKind, target: str, found: tuple[str, int, bool, str]) -> None:
    assert read_target(kind, target) == Target(*found)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (CheckKind.HTTP, "erp.example.com"),
        (CheckKind.HTTP, "ftp://erp.example.com"),
        (CheckKind.HTTP, "http://me:secret@erp.example.com"),
        (CheckKind.HTTP, "http://erp.example.com:99999"),
        (CheckKind.HTTP, "http:///path"),
        (CheckKind.HTTP, "http://[::1"),
        (CheckKind.HTTP, "http://erp.example.com/ñ"),
        (CheckKind.HTTP, "http://erp.example.com/a b"),
        (CheckKind.TCP, "erp.example.com"),
        (CheckKind.TCP, "erp.example.com:0"),
        (CheckKind.TCP, ":25"),
        (CheckKind.TCP, "a b:25"),
        (CheckKind.TLS, f"{'a' * 64}.example:443"),
    ],
)
def test_what_is_no_target(kind: CheckKind, target: str) -> None:
    with pytest.raises(InvalidField) as wrong:
        read_target(kind, target)
    assert wrong.value.field == "target"


def test_one_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "GRACE", 0.2)
    over = threading.Event()

    def answer(probe: Probe) -> Result:
        if probe.target == "hangs":
            over.wait(30)
        if probe.target == "breaks":
            raise KeyError("ours")
        return Result(Finding.FINE)

    named = {n: Probe(CheckKind.TCP, n, timeout=0.1) for n in ("hangs", "a", "breaks", "b")}
    began = time.monotonic()
    found = list(probes.run_all(named, answer))
    over.set()
    assert time.monotonic() - began < 5
    assert found[-1] == ("hangs", Result(Finding.TIMED_OUT))
    assert {key: result.finding for key, result in found[:-1]} == {
        "a": Finding.FINE,
        "b": Finding.FINE,
        "breaks": Finding.ODD_ANSWER,
    }
    assert list(probes.run_all({}, answer)) == []
