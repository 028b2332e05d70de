"""A mail server for tests, on a port of its own, that answers as it is told; also over TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from acuse.config import MailServer
from tests.mail.certificate import make_authority, make_certificate


@dataclass
class Sink:
    """What the server answers to each command ("" drops the connection), and what it took, as
    (envelope sender, recipient, content). `answers` lasts; "MAIL", "RCPT", "DATA", "." (the end of
    the content) and "QUIT" may be set."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def server(self, tls: str = "", user: str = "", password: str = "") -> MailServer:
        return MailServer("127.0.0.1", self.port, user, password, tls)

    def talk(self, connection: socket.socket) -> None:
        """One connection, from the greeting to its end."""
        stream = connection.makefile("rwb")
        sender = recipient = ""

        def say(text: str) -> None:
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        def answer(command: str, usual: str) -> bool:
            """Answer as told; whether the conversation goes on."""
            told = self.answers.get(command, usual)
            if not told:
                connection.shutdown(socket.SHUT_RDWR)
                raise ConnectionResetError
            say(told)
            return told[0] in "23"

        answer("CONNECT", "220 sink")
        while line := stream.readline().decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb in ("EHLO", "HELO"):
                extensions = [*self.extensions, *(["STARTTLS"] if self.tls else [])]
                lines = ["sink", *extensions]
                for name in lines[:-1]:
                    say(f"250-{name}")
                say(f"250 {lines[-1]}")
            elif verb == "STARTTLS" and self.tls is not None:
                say("220 go on")
                connection = self.tls.wrap_socket(connection, server_side=True)
                stream = connection.makefile("rwb")
            elif verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
                answer("MAIL", "250 ok")
            elif verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                answer("RCPT", "250 ok")
            elif verb == "DATA":
                if not answer("DATA", "354 go on"):
                    continue
                lines_read = []
                while (part := stream.readline()) not in (b".\r\n", b""):
                    lines_read.append(part.removeprefix(b".") if part[:2] == b".." else part)
                    if self.answers.get("MIDWAY") == "":
                        connection.shutdown(socket.SHUT_RDWR)
                        raise ConnectionResetError
                self.taken.append((sender, recipient, b"".join(lines_read)))
                if not answer(".", "250 taken"):
                    self.taken.pop()
            elif verb == "QUIT":
                answer("QUIT", "221 bye")
                return
            else:
                answer(verb, "250 ok")


@contextmanager
def sink(*, implicit: ssl.SSLContext | None = None, **more: object) -> Iterator[Sink]:
    """A server that listens until the end of the block."""
    one = Sink(**more)  # type: ignore[arg-type]
    door = socket.create_server(("127.0.0.1", 0))
    one.port = door.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            with connection:
                try:
                    if implicit is not None:
                        connection = implicit.wrap_socket(connection, server_side=True)
                    one.talk(connection)
                except (OSError, IndexError):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join(5)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for this machine, and the file of who vouches for it."""
    authority, public, private = (folder / f"{name}.pem" for name in ("ca", "public", "private"))
    make_certificate(make_authority(authority), public, private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, authority
