"""A fake of those who give access tokens (Google's token endpoint, Microsoft's identity platform)
and of the check that a mail server makes of a token (RFC 6749, RFC 7662)."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl


class Granting:
    """Gives tokens for `user`; `asked` are the requests for tokens that came."""

    def __init__(self, user: str = "soporte") -> None:
        self.user = user
        self.refusal: tuple[int, Any] | None = None  # status and body instead of a token
        self.seconds: Any = 3600  # that a token holds
        self.rotates = False  # whether each answer brings a new refresh token
        self.tokens: dict[str, str] = {}  # token: user
        self.asked: list[dict[str, str]] = []
        self.base = ""

    def grant(self, form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(form)
        if self.refusal is not None:
            return self.refusal
        token = f"token-{len(self.asked)}"
        self.tokens[token] = self.user
        said = {"access_token": token, "expires_in": self.seconds, "token_type": "Bearer"}
        if self.rotates:
            said["refresh_token"] = f"refresh-{len(self.asked)}"
        return 200, said

    def introspect(self, form: dict[str, str]) -> tuple[int, Any]:
        user = self.tokens.get(form.get("token", ""))
        return 200, {"active": user is not None, "username": user or ""}

    def discover(self, tenant: str) -> tuple[int, Any]:
        place = f"{self.base}/{tenant}"
        return 200, {
            "issuer": f"{place}/v2.0",
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{place}/oauth2/v2.0/token",
        }

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if path.startswith("/introspect"):
            return self.introspect(form)
        if path.endswith("/openid-configuration"):
            return self.discover(path.split("/")[1])
        return self.grant(form)


@contextmanager
def granting(tls: tuple[Path, Path] | None = None, user: str = "soporte") -> Iterator[Granting]:
    """The server on a port of this machine; `tls`: its certificate and key."""
    state = Granting(user)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._answer(dict(parse_qsl(self.rfile.read(length).decode())))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, form: dict[str, str]) -> None:
            status, said = state.answer(self.path.partition("?")[0], form)
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.base = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
