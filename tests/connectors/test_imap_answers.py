"""What becomes of the answers that IMAP servers give: the odd ones, which no good server would
give to a test, from one that says what the test tells it to."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator

import pytest

from acuse.connectors import imap
from acuse.connectors.imap import Connection, Credentials, Place
from acuse.connectors.trouble import Obstacle, Trouble

SELECTED = "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK done\r\n"
DATE = '"17-Nov-2026 09:00:00 -0500"'
Answers = dict[str, str | None]
Make = Callable[..., Connection]


@pytest.fixture
def make() -> Iterator[Make]:
    """A signed-in connection to a server that answers a command, found by its first words, with
    this text ({tag} is the command's) or, for None, by closing the connection."""
    servers: list[tuple[socketserver.ThreadingTCPServer, threading.Thread]] = []
    connections: list[Connection] = []

    def make(capabilities: str = "", password: str = "hush", **answers: str | None) -> Connection:
        said: Answers = {
            "CAPABILITY": f"* CAPABILITY IMAP4rev1 {capabilities}\r\n{{tag}} OK done\r\n",
            "SELECT": SELECTED,
            **{name.replace("_", " "): text for name, text in answers.items()},
        }

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK hello\r\n")
                for line in self.rfile:
                    tag, _, command = line.decode().strip().partition(" ")
                    found = [text for name, text in said.items() if command.startswith(name)]
                    if found and found[0] is None:
                        return
                    text = found[0] if found else "{tag} OK done\r\n"
                    self.server.heard.append(command)  # type: ignore[attr-defined]
                    self.wfile.write(re.sub(r"\{tag\}", tag, str(text)).encode())

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        server.daemon_threads, server.heard = True, []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread))
        place = Place("localhost", server.server_address[1], "plain", "soporte")
        connections.append(imap.connect(place, Credentials(password)))
        connections[-1].heard = server.heard  # type: ignore[attr-defined]
        return connections[-1]

    yield make
    for connection in connections:
        connection.close()
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def trouble(what: Callable[[], object]) -> tuple[Obstacle, bool]:
    with pytest.raises(Trouble) as told:
        what()
    return told.value.obstacle, told.value.lost


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("{tag} NO [AUTHENTICATIONFAILED] no\r\n", (Obstacle.SIGN_IN, False)),
        ("{tag} NO [UNAVAILABLE] later\r\n", (Obstacle.NO_CONNECTION, True)),
        (None, (Obstacle.NO_CONNECTION, True)),
    ],
)
def test_who_is_not_let_in(make: Make, answer: str | None, expected: tuple[Obstacle, bool]) -> None:
    assert trouble(lambda: make(LOGIN=answer)) == expected


def test_a_password_that_the_server_cannot_be_told(make: Make) -> None:
    assert trouble(lambda: make(password="contraseña"))[0] == Obstacle.SIGN_IN


def test_a_folder_without_numbering(make: Make) -> None:
    connection = make(SELECT="* 2 EXISTS\r\n{tag} OK done\r\n")
    assert trouble(lambda: connection.select("INBOX")) == (Obstacle.ODD_ANSWER, False)


def test_a_folder_that_is_not_there(make: Make) -> None:
    connection = make(SELECT="{tag} NO [NONEXISTENT] no\r\n")
    assert trouble(lambda: connection.select("INBOX")) == (Obstacle.FOLDER, False)


def test_entries_that_make_no_sense_are_left_out(make: Make) -> None:
    connection = make(
        UID_FETCH=f"* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE {DATE})\r\n"
        "* 2 FETCH (UID 2 RFC822.SIZE 10)\r\n"
        f"* 3 FETCH (UID 3 RFC822.SIZE big INTERNALDATE {DATE})\r\n"
        '* 4 FETCH (UID 4 RFC822.SIZE 10 INTERNALDATE "yesterday")\r\n'
        f"* 9 FETCH (UID 9 RFC822.SIZE 10 INTERNALDATE {DATE})\r\n"
        "{tag} OK done\r\n"
    )
    connection.select("INBOX")
    (entry,) = connection.entries([1, 2, 3, 4])
    assert (entry.uid, entry.size) == (1, 10)
    assert entry.arrived_at.isoformat() == "2026-11-17T14:00:00+00:00"


def test_contents_that_are_not_there(make: Make) -> None:
    connection = make(
        UID_FETCH="* 1 FETCH (UID 1 BODY[] {{3}}\r\nabc)\r\n* 2 FETCH (UID 2 BODY[] NIL)\r\n"
        "{tag} OK done\r\n".replace("{{3}}", "{3}")
    )
    connection.select("INBOX")
    assert connection.contents([1, 2, 3]) == {1: b"abc"}


@pytest.mark.parametrize(
    "answer",
    [
        "* 1 FETCH (UID 1 BODY[] (((\r\n{tag} OK done\r\n",
        "* 1 FETCH (UID x BODY[] NIL)\r\n{tag} OK done\r\n",
        "* 1 FETCH UID\r\n{tag} OK done\r\n",
        "{tag} NO [SERVERBUG] sorry\r\n",
        "{tag} BAD what\r\n",
    ],
)
def test_garbage_leaves_the_connection_of_use(make: Make, answer: str) -> None:
    connection = make(UID_FETCH=answer)
    connection.select("INBOX")
    assert trouble(lambda: connection.contents([1])) == (Obstacle.ODD_ANSWER, False)
    assert connection.select("INBOX") == 7


def test_a_connection_that_ends(make: Make) -> None:
    connection = make(UID_FETCH=None)
    connection.select("INBOX")
    assert trouble(lambda: connection.contents([1])) == (Obstacle.NO_CONNECTION, True)


def test_folders_under_the_prefix_that_the_server_wants(make: Make) -> None:
    connection = make(
        "NAMESPACE MOVE UIDPLUS",
        NAMESPACE='* NAMESPACE (("INBOX." ".")) NIL NIL\r\n{tag} OK done\r\n',
    )
    connection.select("INBOX")
    connection.file_away([1, 2], "Processed")
    connection.file_away([3], "INBOX.Failed")
    heard = connection.heard  # type: ignore[attr-defined]
    assert 'CREATE "INBOX.Processed"' in heard
    assert 'UID MOVE 1,2 "INBOX.Processed"' in heard
    assert 'UID MOVE 3 "INBOX.Failed"' in heard


def test_nothing_to_file_asks_nothing(make: Make) -> None:
    connection = make()
    before = len(connection.heard)  # type: ignore[attr-defined]
    connection.file_away([], "Processed")
    assert len(connection.heard) == before  # type: ignore[attr-defined]


def test_waiting_without_news(make: Make) -> None:
    waited: list[float] = []
    make().wait(60, lambda seconds: bool(waited.append(seconds)))
    assert waited == [60]


def test_waiting_for_news_ends_when_told_to(make: Make) -> None:
    connection = make("IDLE", IDLE="+ idling\r\n")
    connection.client.idle_done = lambda: None
    asked: list[float] = []
    connection.wait(60, lambda seconds: bool(asked.append(seconds)) or len(asked) == 1)
    assert asked == [0]


def test_a_connection_may_be_closed_twice(make: Make) -> None:
    connection = make()
    connection.close()
    connection.close()
    assert trouble(connection.uids) == (Obstacle.NO_CONNECTION, True)
