"""One look into a mailbox on another server (mail rules 1 to 3 and 20), from top to bottom: what
is new is kept and committed, what has been read since is moved out of the way.

A mail is never moved before the row that keeps it is committed *and* settled, because only then
it is known which folder it belongs to. What is killed in between is found in its place by the
next look.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from django.db import InterfaceError, OperationalError, connection

from acuse.actions import mail, polling
from acuse.connectors.imap import Connection, Entry
from acuse.connectors.trouble import Trouble
from acuse.interfaces.mail import post
from acuse.interfaces.web import clock
from acuse.models import ImapAccount, Mailbox, MailState, RawMail

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two looks, whatever the server tells in between
SOON = 5.0  # seconds, while a mail waits to be read and moved
# How far another server's clock may be behind ours: silence is concluded so much later.
SKEW = timedelta(minutes=2)
MOST_AT_ONCE, MOST_BYTES = 20, 4 * 1024 * 1024  # of one command that fetches
CONNECTIONS = BoundedSemaphore(4)  # to the database, however many mailboxes there are


@contextmanager
def rows() -> Iterator[None]:
    """A moment with the database; its connection is not held while another server is asked."""
    with CONNECTIONS:
        try:
            yield
        finally:
            if not connection.in_atomic_block:
                connection.close()


class Reader:
    """Reads one mailbox, look after look. It remembers which mails could not be had and how
    often that was tried, and which are second copies of a mail that is kept."""

    def __init__(self, account: ImapAccount, now: Callable[[], datetime] = clock.now) -> None:
        self.account, self.mailbox, self.now = account, account.mailbox, now
        self.uid_validity = 0
        self.tries: Counter[int] = Counter()
        self.copies: dict[int, int] = {}  # UID: the row that keeps the same mail

    def look(self, server: Connection, warning: str = "") -> int:
        """Keep what is new and file what is settled; returns how many mails are neither yet.
        Raises Trouble, and the database's errors; all that was kept before stays so."""
        with rows():
            started = self.now()
        self._begin(server)
        present = server.uids()
        with rows():
            known = polling.find_states(self.mailbox, self.uid_validity, present)
        new = [uid for uid in present if uid not in known and uid not in self.copies]
        self._keep_all(server, new)
        missing = [uid for uid in new if uid in self.tries]
        left = len(missing)
        try:
            left += self._file(server, present)
        except Trouble as trouble:
            if trouble.lost:
                raise
            warning = str(trouble)  # it is moved at the next look
        with rows():
            at = self.now()
            polling.note_success(
                self.account,
                at,
                next_at=at + timedelta(seconds=SOON if left else EVERY),
                read_until=None if missing else started - SKEW,
                warning=warning,
            )
        return left

    def _begin(self, server: Connection) -> None:
        account = self.account
        uid_validity = server.select(account.folder)
        if uid_validity != self.uid_validity:
            self.tries.clear()
            self.copies.clear()
            self.uid_validity = uid_validity
        place = f"{account.username}@{account.host}/{account.folder}"
        with rows():
            polling.begin(account, place, uid_validity)

    def _keep_all(self, server: Connection, uids: Sequence[int]) -> None:
        """Keep these mails in the order of their arrival. One that makes trouble is then asked
        for by itself, so that it is the only one to wait."""
        present = set(uids)
        for uid in [uid for uid in self.tries if uid not in present]:
            del self.tries[uid]  # kept meanwhile, or somebody has taken it away
        entries = list(self._entries(server, uids))
        doubtful = [entry for entry in entries if entry.uid in self.tries]
        for group in _groups(entry for entry in entries if entry.uid not in self.tries):
            bad = self._keep(server, group)
            if len(group) > 1:
                doubtful += [entry for entry, _error in bad]
                continue
            for entry, error in bad:
                self._blame(server, entry, error)
        for entry in doubtful:
            for _entry, error in self._keep(server, [entry]):
                self._blame(server, entry, error)

    def _entries(self, server: Connection, uids: Sequence[int]) -> Iterator[Entry]:
        try:
            found = {entry.uid: entry for entry in server.entries(uids)}
        except Trouble as trouble:
            if trouble.lost:
                raise
            found = {}
        for uid in uids:
            if uid in found:
                yield found[uid]
                continue
            error = "the server tells neither its size nor its arrival"
            try:
                alone = list(server.entries([uid]))
            except Trouble as trouble:
                if trouble.lost:
                    raise
                alone, error = [], str(trouble)
            if alone:
                yield alone[0]
            else:
                since = self._all_kept_until()
                self._blame(server, Entry(uid, 0, since), error, arrived_at=since)

    def _keep(self, server: Connection, group: Sequence[Entry]) -> list[tuple[Entry, str]]:
        """Keep these mails; returns those that could not be, and why."""
        try:
            contents = self._contents(server, group)
        except Trouble as trouble:
            if not trouble.lost:
                return [(entry, str(trouble)) for entry in group]
            for entry in group:
                self._blame(server, entry, str(trouble), lost=True)
            raise
        bad = []
        with rows():
            for entry in group:
                content = contents.get(entry.uid)
                if not content:
                    bad.append((entry, "the server gives no content"))
                    continue
                try:
                    self._keep_one(entry, content)
                except (OperationalError, InterfaceError):
                    raise  # no mail's fault
                except Exception:
                    log.exception("mail %s of %s could not be kept", entry.uid, self.mailbox)
                    bad.append((entry, traceback.format_exc()))
        return bad

    @staticmethod
    def _contents(server: Connection, group: Sequence[Entry]) -> dict[int, bytes]:
        """What is to be kept of these mails: of one that is too large, its headers."""
        if len(group) == 1 and group[0].size > post.LARGEST:
            head = server.headers(group[0].uid)
            return {group[0].uid: head} if head else {}
        return server.contents([entry.uid for entry in group])

    def _keep_one(self, entry: Entry, content: bytes) -> None:
        raw = mail.keep(
            content,
            self.mailbox,
            arrived_at=self._arrived(entry),
            uid=(self.uid_validity, entry.uid),
            whole_size=entry.size if entry.size > post.LARGEST else None,
        )
        self._know(entry, raw)

    def _know(self, entry: Entry, raw: RawMail) -> None:
        if not polling.adopt(raw, (self.uid_validity, entry.uid)):
            self.copies[entry.uid] = raw.pk
        self.tries.pop(entry.uid, None)

    def _arrived(self, entry: Entry) -> datetime:
        """When it counts as arrived: never later than now, whatever the other server's clock."""
        return min(clock.as_shown(entry.arrived_at), self.now())

    def _all_kept_until(self) -> datetime:
        """A mail of which nothing is known arrived after this moment, so no term that ended
        later may be taken for silent because of it."""
        with rows():
            row = Mailbox.objects.filter(pk=self.mailbox.pk)
            return row.values_list("read_until", flat=True).get() or self.now()

    def _blame(
        self,
        server: Connection,
        entry: Entry,
        error: str,
        *,
        lost: bool = False,
        arrived_at: datetime | None = None,
    ) -> None:
        """A mail could not be had. After three tries what is known of it is kept as failed."""
        self.tries[entry.uid] += 1
        tried = self.tries[entry.uid]
        log.warning("mail %s of %s, try %s: %s", entry.uid, self.mailbox, tried, error)
        if tried < mail.MOST_TRIES:
            return
        head = None
        if not lost:
            try:
                head = server.headers(entry.uid)
            except Trouble as trouble:
                error = f"{error}\n{trouble}"
        with rows():
            raw = polling.keep_unfetched(
                self.mailbox,
                (self.uid_validity, entry.uid),
                head=head,
                size=entry.size,
                arrived_at=arrived_at or self._arrived(entry),
                error=error,
            )
            self._know(entry, raw)

    def _file(self, server: Connection, present: Sequence[int]) -> int:
        """Move what is settled into its folder; returns how many wait to be read."""
        with rows():
            states = polling.find_states(self.mailbox, self.uid_validity, present)
            copied = dict(
                RawMail.objects.filter(pk__in=self.copies.values()).values_list("pk", "state")
            )
        states |= {uid: copied[pk] for uid, pk in self.copies.items()}
        failed = [uid for uid in present if states.get(uid) == MailState.FAILED]
        waiting = [uid for uid in present if states.get(uid) == MailState.RECEIVED]
        done = sorted(set(states).intersection(present).difference(failed, waiting))
        server.file_away(done, self.account.processed_folder)
        server.file_away(failed, self.account.failed_folder)
        return len(waiting)


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Few mails and few bytes at a time; one that is large comes alone."""
    group: list[Entry] = []
    for entry in entries:
        size = sum(one.size for one in group) + entry.size
        if group and (len(group) == MOST_AT_ONCE or size > MOST_BYTES):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group
