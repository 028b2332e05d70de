"""Handing one mail over to a mail server (RFC 5321), and what its answer means."""

from __future__ import annotations

import smtplib
import ssl
from typing import Protocol

TIMEOUT = 20.0  # seconds for each step


class Server(Protocol):
    """Where outgoing mail is handed over; `tls` is "" (plain), "starttls" or "implicit"."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def tls(self) -> str: ...


class NotTaken(Exception):
    """The server did not take the mail. `permanent`: it never will (a reply of the 500s to this
    mail or its recipient); otherwise it may later."""

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


def send(server: Server, sender: str, recipient: str, content: bytes) -> None:
    """Hand the mail over; returns once the server has taken it. `sender` is the envelope's,
    "" the null sender. Raises NotTaken."""
    try:
        client = _connect(server)
        try:
            client.sendmail(sender, [recipient], content, _options(client, sender, recipient))
        finally:
            _part(client)
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = refused.recipients[recipient]
        raise _judge(code, said) from refused
    except smtplib.SMTPDataError as refused:
        raise _judge(refused.smtp_code, refused.smtp_error) from refused
    except (OSError, smtplib.SMTPException) as failure:
        # Of the connection or of our own set-up (a password, a sender that the server does not
        # want), not of this mail: what is queued must not be lost for it.
        raise NotTaken(f"{type(failure).__name__}: {failure}") from failure


def _options(client: smtplib.SMTP, *addresses: str) -> list[str]:
    """SMTPUTF8 (RFC 6531) where an address needs it; for good not taken if the server has none."""
    if all(address.isascii() for address in addresses):
        return []
    client.ehlo_or_helo_if_needed()
    if not client.has_extn("smtputf8"):
        raise NotTaken("the server takes no address with such letters (SMTPUTF8)", permanent=True)
    return ["SMTPUTF8"]


def _part(client: smtplib.SMTP) -> None:
    """Say goodbye. What the server answers no longer matters: a mail that it took is taken."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()


def _connect(server: Server) -> smtplib.SMTP:
    if server.tls == "implicit":
        context = ssl.create_default_context()
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT, context=context
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.tls == "starttls":
            client.starttls(context=ssl.create_default_context())
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _judge(code: int, said: bytes | str) -> NotTaken:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return NotTaken(f"{code} {text}", permanent=500 <= code < 600)
