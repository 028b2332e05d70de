"""One mailbox on an IMAP server (RFC 3501): listing, reading without marking, filing away, and
waiting for news. The connection is encrypted and the server's certificate checked, always."""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError

from .trouble import Obstacle, Trouble

TIMEOUT = SocketTimeout(connect=10.0, read=30.0)  # seconds
AT_ONCE = 200  # mails asked about or moved by one command
ASKED = 1.0  # seconds between two looks at whether to stop, while waiting
SEEN, DELETED = b"\\Seen", b"\\Deleted"


@dataclass(frozen=True)
class Place:
    """Where a mailbox's server is and who signs in; `security` is tls, starttls or plain."""

    host: str
    port: int
    security: str
    username: str


@dataclass(frozen=True)
class Credentials:
    """A password, or an OAuth access token (SASL XOAUTH2)."""

    secret: str
    oauth: bool = False


@dataclass(frozen=True)
class Entry:
    """A mail in a folder: its size in bytes and when it reached the server (INTERNALDATE)."""

    uid: int
    size: int
    arrived_at: datetime


class Connection:
    """A signed-in connection. Its methods raise Trouble."""

    def __init__(self, client: IMAPClient) -> None:
        self.client = client
        self.client.normalise_times = False  # moments with their zone
        self._names: dict[str, str] = {}

    def select(self, folder: str) -> int:
        """Look into a folder from now on; returns its UIDVALIDITY."""
        with _told(Obstacle.FOLDER):
            found = self.client.select_folder(folder)
        try:
            return int(found[b"UIDVALIDITY"])
        except (KeyError, TypeError, ValueError) as reason:
            raise Trouble(Obstacle.ODD_ANSWER, "the folder has no UIDVALIDITY") from reason

    def uids(self) -> list[int]:
        """All mails in the folder, in the order in which they came into it."""
        with _told(Obstacle.ODD_ANSWER):
            return sorted(map(int, self.client.search(["ALL"])))

    def entries(self, uids: Sequence[int]) -> Iterator[Entry]:
        """Size and arrival of each; one of which the server says nothing sensible is left out."""
        for some in _portions(uids):
            with _told(Obstacle.ODD_ANSWER):
                said = self.client.fetch(some, ["RFC822.SIZE", "INTERNALDATE"])
            for uid in some:
                size, at = (said.get(uid, {}).get(key) for key in (b"RFC822.SIZE", b"INTERNALDATE"))
                if isinstance(size, int) and isinstance(at, datetime) and at.tzinfo is not None:
                    yield Entry(uid, size, at.astimezone(UTC))

    def contents(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The whole mails, byte for byte, not marked as read."""
        return self._fetch(uids, "BODY.PEEK[]", b"BODY[]")

    def headers(self, uid: int) -> bytes | None:
        """The headers of a mail alone."""
        return self._fetch([uid], "BODY.PEEK[HEADER]", b"BODY[HEADER]").get(uid)

    def _fetch(self, uids: Sequence[int], what: str, key: bytes) -> dict[int, bytes]:
        with _told(Obstacle.ODD_ANSWER):
            said = self.client.fetch(uids, [what])
        found = {uid: said.get(uid, {}).get(key) for uid in uids}
        return {uid: content for uid, content in found.items() if isinstance(content, bytes)}

    def file_away(self, uids: Sequence[int], folder: str) -> None:
        """Mark as read and move into a folder, made where it is missing. Without MOVE (RFC 6851)
        copied and deleted; without UIDPLUS (RFC 4315) only marked as deleted, because a plain
        EXPUNGE would take what others have marked too."""
        if not uids:
            return
        with _told(Obstacle.MOVE):
            if not self.client.has_capability("MOVE"):
                uids = sorted(set(uids) - set(self.client.search(["DELETED"])))
            for some in _portions(uids):
                name = self._name(folder)
                self.client.add_flags(some, [SEEN], silent=True)
                self._move(some, name)

    def _move(self, uids: Sequence[int], name: str) -> None:
        if self.client.has_capability("MOVE"):
            self.client.move(uids, name)
            return
        self.client.copy(uids, name)
        self.client.add_flags(uids, [DELETED], silent=True)
        if self.client.has_capability("UIDPLUS"):
            self.client.uid_expunge(uids)

    def _name(self, folder: str) -> str:
        """The folder's full name, under the prefix that some servers want (RFC 2342)."""
        if folder not in self._names:
            prefix = self._prefix()
            full = folder if folder.startswith(prefix) else prefix + folder
            found = [name for name in (folder, full) if self.client.folder_exists(name)]
            if not found:
                self.client.create_folder(full)
            self._names[folder] = found[0] if found else full
        return self._names[folder]

    def _prefix(self) -> str:
        if not self.client.has_capability("NAMESPACE"):
            return ""
        personal = self.client.namespace().personal
        return str(personal[0][0]) if personal else ""

    def folders(self) -> tuple[str, ...]:
        """The names of all folders."""
        with _told(Obstacle.ODD_ANSWER):
            return tuple(sorted(str(name) for _, _, name in self.client.list_folders()))

    def wait(self, seconds: float, is_stopped: Callable[[float], bool]) -> None:
        """Return after `seconds`, or earlier when the server says that something has changed
        (IDLE, RFC 2177) or somebody wants us to stop. `is_stopped(s)` waits for s seconds."""
        with _told(Obstacle.NO_CONNECTION):
            if not self.client.has_capability("IDLE"):
                is_stopped(seconds)
                return
            self.client.idle()
            news = select.poll()
            news.register(self.client.socket(), select.POLLIN)
            for _ in range(max(1, round(seconds / ASKED))):
                if news.poll(ASKED * 1000) or is_stopped(0):
                    break
            self.client.idle_done()

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        with suppress(OSError, IMAPClientError):
            self.client.shutdown()


def connect(place: Place, credentials: Credentials) -> Connection:
    """Connect and sign in. The system's certificate authorities are trusted (OpenSSL's
    SSL_CERT_FILE names others). Raises Trouble."""
    if place.security == "plain" and not _is_here(place.host):
        raise Trouble(Obstacle.NOT_PRIVATE, place.host)
    context = ssl.create_default_context()
    with _told(Obstacle.NO_CONNECTION):
        client = IMAPClient(
            place.host,
            place.port,
            ssl=place.security == "tls",
            ssl_context=context,
            timeout=TIMEOUT,
        )
    connection = Connection(client)
    try:
        if place.security == "starttls":
            with _told(Obstacle.NO_TLS):
                client.starttls(context)
        _sign_in(client, place.username, credentials)
    except BaseException:
        connection.close()
        raise
    return connection


def _sign_in(client: IMAPClient, username: str, credentials: Credentials) -> None:
    try:
        with _told(Obstacle.SIGN_IN):
            if credentials.oauth:
                client.oauth2_login(username, credentials.secret)
            elif client.has_capability("AUTH=PLAIN"):  # which says how to write an "ñ"
                client.plain_login(username, credentials.secret)
            else:
                client.login(username, credentials.secret)
    except UnicodeEncodeError as reason:
        raise Trouble(Obstacle.SIGN_IN, "the server takes ASCII passwords only") from reason
    except Trouble as trouble:
        refusal = trouble.__cause__
        cut = refusal is not None and isinstance(refusal.__context__, IMAPClientAbortError)
        if cut or "[UNAVAILABLE]" in trouble.detail:  # RFC 5530: nobody could tell yet
            raise Trouble(Obstacle.NO_CONNECTION, trouble.detail, lost=True) from trouble
        raise


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _told(otherwise: Obstacle) -> Iterator[None]:
    """Whatever goes wrong inside as Trouble: the connection's own by its kind, what the server
    refuses as `otherwise`."""
    try:
        yield
    except socket.gaierror as reason:
        raise Trouble(Obstacle.UNKNOWN_HOST, reason, lost=True) from reason
    except ssl.SSLCertVerificationError as reason:
        raise Trouble(Obstacle.CERTIFICATE, reason.verify_message, lost=True) from reason
    except ssl.SSLError as reason:
        raise Trouble(Obstacle.NO_TLS, reason, lost=True) from reason
    except CapabilityError as reason:
        raise Trouble(otherwise, reason) from reason
    except (OSError, IMAPClientAbortError) as reason:
        raise Trouble(Obstacle.NO_CONNECTION, reason, lost=True) from reason
    except IMAPClientError as reason:
        raise Trouble(otherwise, reason) from reason
    except (AssertionError, LookupError, TypeError, ValueError) as reason:
        # How the libraries fail on an answer that follows no rule.
        if isinstance(reason, UnicodeEncodeError):
            raise
        raise Trouble(Obstacle.ODD_ANSWER, f"{type(reason).__name__}: {reason}") from reason


def _portions(uids: Iterable[int]) -> Iterator[list[int]]:
    listed = list(uids)
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]
