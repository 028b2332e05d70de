"""The poller: one thread for each mailbox on another server, started and ended as the rows say.

A mailbox that cannot be read is tried again later and later; the others do not notice.
"""

from __future__ import annotations

import logging
import random
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import Error

from acuse.actions import polling as acts
from acuse.connectors.imap import Connection
from acuse.connectors.tokens import Token
from acuse.connectors.trouble import FOR_PEOPLE, Obstacle, Trouble
from acuse.interfaces.mail.polling import EVERY, SOON, Reader, rows
from acuse.interfaces.web import clock, heartbeat, polled
from acuse.models import ImapAccount
from acuse.models.mail import SignIn, Transport

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0  # seconds before another try, doubling
PATIENT_PAUSE = 60.0  # at least, where only a person can help: providers lock who insists
LOOK = 2.0  # seconds between two looks at which mailboxes there are
PARTING = 1.5  # seconds that readers have to end; what is cut off is found again


def pause(failures: int, roll: float, obstacle: Obstacle | None = None) -> float:
    """Seconds before the next try after so many failures in a row (1, 2, ...); `roll`, 0 to 1,
    spreads those that failed together over the upper half."""
    whole = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 20))
    if obstacle in FOR_PEOPLE:
        whole = max(whole, PATIENT_PAUSE)
    return whole * (0.5 + roll / 2)


class Session:
    """One mailbox with its connection and its token, both renewed when needed."""

    def __init__(self, account: ImapAccount, now: Callable[[], datetime] = clock.now) -> None:
        self.account, self.now = account, now
        self.reader = Reader(account, now)
        self.server: Connection | None = None
        self.token: Token | None = None

    def look(self) -> int:
        """One look, on the connection there is or on a new one. Raises Trouble and the
        database's errors."""
        warning = self._renew()
        if self.server is None:
            self.server = polled.connect(self.account, self.token)
        try:
            return self.reader.look(self.server, warning)
        except Exception:
            self.close()
            raise

    def _renew(self) -> str:
        """Replace a token that will soon end. While the old one still holds, or a connection
        that it opened, a refusal is only a warning."""
        if self.account.sign_in == SignIn.PASSWORD:
            return ""
        with rows():
            now = self.now()
        if self.token is not None and self.token.is_fresh(now):
            return ""
        try:
            self.token = polled.ask_token(self.account, now)
        except Trouble as trouble:
            if self.server is None and (self.token is None or self.token.until <= now):
                raise
            return str(trouble)
        with rows():
            acts.note_token(self.account, self.token.until)
            if self.token.refresh_token:
                secrets = polled.unseal(self.account.sealed)
                if secrets.get("refresh_token") not in ("", None, self.token.refresh_token):
                    changed = {**secrets, "refresh_token": self.token.refresh_token}
                    acts.replace_secrets(self.account, polled.seal(changed))
        return ""

    def close(self) -> None:
        """End the connection."""
        if self.server is not None:
            self.server.close()
        self.server = None


class Watcher(threading.Thread):
    """Reads one mailbox until it is told to stop."""

    def __init__(self, account: ImapAccount, roll: Callable[[], float] = random.random) -> None:
        super().__init__(name=f"poll {account.pk}", daemon=True)
        self.session, self.roll = Session(account), roll
        self.stopped, self.woken = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Tell it to end, also while it waits."""
        self.stopped.set()
        self.woken.set()

    @property
    def account(self) -> ImapAccount:
        """The row as it was when this began (its secrets as they are)."""
        return self.session.account

    def run(self) -> None:
        failures = 0
        while not self.stopped.is_set():
            try:
                left = self.session.look()
                failures = 0
                server = self.session.server
                assert server is not None
                if self._begins_to_wait():
                    break
                try:
                    server.wait(SOON if left else EVERY, self.woken.wait)
                except Trouble:
                    self.session.close()  # a connection that ends while idle is no failure
            except Exception as reason:
                if self.stopped.is_set():
                    break
                failures += 1
                self._rest(failures, reason)
        self.session.close()

    def _rest(self, failures: int, reason: Exception) -> None:
        if isinstance(reason, Trouble):
            trouble = reason
            log.warning("%s: %s", self.account, trouble)
        else:
            trouble = Trouble(Obstacle.OURS, f"{type(reason).__name__}: {reason}")
            log.error("%s", self.account, exc_info=reason)
        seconds = pause(failures, self.roll(), trouble.obstacle)
        try:
            with rows():
                until = clock.now() + timedelta(seconds=seconds)
                acts.note_failure(self.account, str(trouble), until)
        except Error:
            log.exception("%s: the failure could not be noted", self.account)
        if not self._begins_to_wait():
            self.woken.wait(seconds)

    def _begins_to_wait(self) -> bool:
        """Whether it has been told to stop; if not, whatever wakes it from now on counts."""
        self.woken.clear()
        return self.stopped.is_set()

    def is_of(self, row: ImapAccount) -> bool:
        """Whether this reads what the row says now."""
        return self.is_alive() and _settings(self.account) == _settings(row)


def _settings(account: ImapAccount) -> tuple[object, ...]:
    return (
        account.host,
        account.port,
        account.security,
        account.username,
        account.sign_in,
        account.authority,
        account.sealed,
        account.folder,
        account.processed_folder,
        account.failed_folder,
    )


def polled_accounts() -> list[ImapAccount]:
    """The mailboxes to be read."""
    active = ImapAccount.objects.filter(mailbox__active=True, mailbox__transport=Transport.IMAP)
    return list(active.select_related("mailbox").order_by("pk"))


class Poller:
    """All watchers, by their account."""

    def __init__(self) -> None:
        self.watchers: dict[int, Watcher] = {}

    def arrange(self) -> None:
        """Begin, end, begin again and wake, as the rows say now."""
        with rows():
            wanted = {account.pk: account for account in polled_accounts()}
            now = clock.now()
        for pk, watcher in list(self.watchers.items()):
            if pk not in wanted or not watcher.is_of(wanted[pk]):
                watcher.stop()
                del self.watchers[pk]
            elif (wanted[pk].next_poll_at or now) < now:
                watcher.woken.set()  # somebody wants it read now
        for pk, account in wanted.items():
            if pk not in self.watchers:
                self.watchers[pk] = Watcher(account)
                self.watchers[pk].start()

    def end(self) -> None:
        """Tell all watchers to stop, and wait a little for them."""
        for watcher in self.watchers.values():
            watcher.stop()
        for watcher in self.watchers.values():
            watcher.join(PARTING / len(self.watchers))


def main() -> None:
    """Polls until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    poller = Poller()
    looks = 0
    while not stop.is_set():
        try:
            poller.arrange()
            if looks % max(1, round(heartbeat.EVERY / LOOK)) == 0:
                with rows():
                    heartbeat.beat("poll", mailboxes=len(poller.watchers))
        except Error:
            log.exception("the mailboxes cannot be looked up now")
        looks += 1
        stop.wait(LOOK)
    poller.end()
