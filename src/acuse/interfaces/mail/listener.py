"""The door for mail: SMTP (RFC 5321) and LMTP (RFC 2033) on one port of this machine.

A mail is answered with 250 only once it is committed. Whoever hands it over keeps it otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from acuse.config import config
from acuse.interfaces.mail import post
from acuse.interfaces.web import heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

LONGEST_LINE = 1024 * 1024  # RFC 5321 says 1,000; real mail does not keep to it
THREADS = 2  # each keeps one connection to the database


class Talk(Session):
    """One connection, and whether it speaks LMTP."""

    lmtp = False


class Handed(Envelope):
    """One mail being handed over, and whose it is."""

    def __init__(self) -> None:
        super().__init__()
        self.recipients: list[post.Recipient] = []


class Server(SMTP):
    """SMTP, and LMTP for whoever greets with LHLO: one answer to each recipient (RFC 2033)."""

    line_length_limit = LONGEST_LINE

    def _create_session(self) -> Talk:
        return Talk(self.loop)

    def _create_envelope(self) -> Handed:
        return Handed()

    async def smtp_LHLO(self, arg: str) -> None:
        """The greeting of LMTP."""
        assert isinstance(self.session, Talk)
        self.session.lmtp = True
        await self.smtp_EHLO(arg)


class Door:
    """What aiosmtpd asks at each step; the database is reached from threads of its own."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")

    async def ask(self, what: Callable[[], Any]) -> Any:
        """Ask the database; None when it cannot be asked now."""
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.threads, partial(_with_connection, what))
        except Exception:
            log.exception("mail could not be taken")
            return None

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Talk,
        envelope: Handed,
        address: str,
        options: list[str],
    ) -> str:
        """250 for our own mailboxes; 550 for anybody else, as nothing is passed on."""
        found = await self.ask(lambda: [post.find_recipient(address)])
        if found is None:
            return "451 4.3.0 Not now, try again later"
        if found[0] is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        envelope.recipients.append(found[0])
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Talk, envelope: Handed) -> str:
        """250 once the mail is committed, 451 when it cannot be now."""
        content, recipients = envelope.original_content, envelope.recipients
        assert isinstance(content, bytes)
        sender = (envelope.mail_from or "").strip("<>")
        kept = await self.ask(lambda: post.keep(content, sender, recipients))
        reply = "250 2.0.0 Kept" if kept is not None else "451 4.3.0 Not kept, try again later"
        answers = len(recipients) if session.lmtp else 1
        return "\r\n".join([reply] * answers)


def _with_connection(what: Callable[[], Any]) -> Any:
    close_old_connections()
    try:
        return what()
    finally:
        close_old_connections()


async def serve(host: str, port: int, stop: asyncio.Event) -> None:
    """Take mail until `stop` is set; then whoever is handing one over may finish."""
    door = Door()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(
            door,
            data_size_limit=post.LARGEST,
            enable_SMTPUTF8=True,
            hostname=config.mail_domain,
            ident="Acuse",
            loop=loop,
        ),
        host,
        port,
    )
    async with server:
        beating = asyncio.create_task(_beat(door))
        await stop.wait()
        beating.cancel()
    await loop.run_in_executor(None, partial(door.threads.shutdown, wait=True))


async def _beat(door: Door) -> None:
    while True:
        await door.ask(lambda: heartbeat.beat("mail"))
        await asyncio.sleep(heartbeat.EVERY)


def main() -> None:
    """Takes mail on 127.0.0.1 until SIGTERM; a mail server on this machine hands it over."""
    asyncio.run(_serve_until_told())


async def _serve_until_told() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve("127.0.0.1", config.smtp_port, stop)
