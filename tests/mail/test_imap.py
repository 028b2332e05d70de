"""Mail fetched from a real IMAP server: kept first, filed afterwards, lost never."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as some
from imapclient import IMAPClient

from acuse.actions import administration as admin
from acuse.actions import mail as acts
from acuse.connectors import imap
from acuse.connectors.imap import Connection
from acuse.connectors.trouble import Obstacle, Trouble
from acuse.interfaces.mail import intake, poller, polling, post
from acuse.interfaces.mail.poller import Session
from acuse.interfaces.web import polled
from acuse.models import (
    Case,
    DemoClock,
    ImapAccount,
    LedgerLine,
    Mailbox,
    MailState,
    Message,
    RawMail,
)
from acuse.policy.stages import Stage
from tests.actions.test_terms import MICROSECOND, UNTIL, delivered
from tests.mail.dovecot import PASSWORD, Dovecot, dovecot
from tests.mail.post import key_address, written
from tests.world import HOUR, START, World

NOW = START + timedelta(days=365)  # of the tests' clock; whatever the server's, later than it
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """One Dovecot for all tests here; each has a user of its own."""
    with dovecot() as one:
        yield one


class Box:
    """A mailbox on the server and its reader."""

    def __init__(self, server: Dovecot, security: str = "tls", **more: Any) -> None:
        self.server, self.user = server, f"user{next(numbers)}"
        self.mailbox = admin.add_mailbox(
            f"{self.user}@firm.example", self.user, transport="imap", **more
        )
        self.account = ImapAccount.objects.create(
            mailbox=self.mailbox,
            host="127.0.0.1",
            port=server.imaps if security == "tls" else server.imap,
            security=security,
            username=self.user,
            sealed=polled.seal({"password": PASSWORD}),
        )
        self.now = NOW
        self.session = Session(self.account, lambda: self.now)

    def put(self, text: str = "Hola", number: int = 1, sender: str = "ana@andina.example") -> None:
        content = written(
            sender,
            text,
            f"No imprime {number}",
            to=self.mailbox.address,
            message_id=f"{self.user}.{number}@andina.example",
        )
        self.server.append(content, START, self.user)

    def look(self) -> int:
        return self.session.look()

    def read(self) -> None:
        intake.take_in_all(self.now)

    def again(self) -> None:
        """Another process takes over."""
        self.session.close()
        self.account = ImapAccount.objects.select_related("mailbox").get(pk=self.account.pk)
        self.session = Session(self.account, lambda: self.now)

    def fresh(self) -> ImapAccount:
        return ImapAccount.objects.select_related("mailbox").get(pk=self.account.pk)

    def raws(self) -> list[RawMail]:
        return list(RawMail.objects.filter(mailbox=self.mailbox).order_by("pk"))

    def counts(self) -> tuple[int, int, int]:
        """Mails in the inbox, in Processed and in Failed."""
        return tuple(  # type: ignore[return-value]
            self.server.count(self.user, folder) for folder in ("INBOX", "Processed", "Failed")
        )

    def uids(self) -> list[int]:
        with self.server.looking(self.user) as client:
            return list(client.search())


@pytest.fixture
def make(
    world: World, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Box]]:
    """Makes mailboxes; the system trusts the server's authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.here / "authority.pem"))
    boxes: list[Box] = []

    def make(**more: Any) -> Box:
        boxes.append(Box(server, **more))
        return boxes[-1]

    yield make
    for box in boxes:
        box.session.close()


@pytest.fixture
def box(make: Callable[..., Box]) -> Box:
    """One mailbox."""
    return make()


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_a_mail_becomes_a_case_and_is_filed(make: Callable[..., Box], security: str) -> None:
    box = make(security=security)
    content = written("ana@andina.example", to=box.mailbox.address, message_id="1@andina.example")
    box.server.deliver(content, box.user, "ana@andina.example")
    assert box.look() == 1
    (raw,) = box.raws()
    assert bytes(raw.content).endswith(content)
    assert (raw.state, raw.complete, raw.size) == ("received", True, len(raw.content))
    with box.server.looking(box.user) as client:
        (uid,) = client.search()
        assert raw.uid == uid
        assert raw.uid_validity == client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        seen = client.get_flags([uid])[uid]
        assert b"\\Seen" not in seen  # looked at, not yet dealt with
        client.normalise_times = False
        assert raw.arrived_at == client.fetch([uid], ["INTERNALDATE"])[uid][b"INTERNALDATE"]
    box.read()
    assert box.look() == 0
    assert box.counts() == (0, 1, 0)
    with box.server.looking(box.user, "Processed") as client:
        assert client.search("SEEN")
    (raw,) = box.raws()
    assert raw.state == MailState.PROCESSED
    assert Case.objects.get().mailbox == box.mailbox
    assert box.look() == 0
    assert len(box.raws()) == 1


def test_it_counts_from_its_arrival_at_the_server(box: Box) -> None:
    box.put()
    box.look()
    (raw,) = box.raws()
    assert raw.arrived_at == START
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW


def test_a_clock_ahead_of_ours_does_not_date_a_mail_into_the_future(box: Box) -> None:
    box.now = START - HOUR
    box.put()
    box.look()
    assert box.raws()[0].arrived_at == START - HOUR


def test_the_state_of_reading(box: Box) -> None:
    box.put()
    box.look()
    account = box.fresh()
    assert (account.polled_at, account.failures, account.error) == (NOW, 0, "")
    assert account.next_poll_at == NOW + timedelta(seconds=polling.SOON)
    box.read()
    box.look()
    assert box.fresh().next_poll_at == NOW + timedelta(seconds=polling.EVERY)


def test_read_until_never_goes_back(box: Box) -> None:
    box.look()
    box.now -= HOUR
    box.look()
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW


def test_the_same_mail_twice_in_a_folder_is_one(box: Box) -> None:
    box.put()
    box.put()
    assert box.look() == 2
    assert len(box.raws()) == 1
    assert box.look() == 2  # known: not fetched again, not filed before it is read
    box.read()
    box.look()
    assert box.counts() == (0, 2, 0)
    box.put()  # somebody moves it back
    box.look()
    assert box.counts() == (0, 3, 0)
    assert len(box.raws()) == 1
    assert Case.objects.count() == 1


def test_many_mails_keep_their_order(box: Box) -> None:
    for number in range(polling.MOST_AT_ONCE + 5):
        box.put(number=number)
    assert box.look() == polling.MOST_AT_ONCE + 5
    assert [raw.uid for raw in box.raws()] == box.uids()


def test_other_numbers_for_the_same_mails(box: Box) -> None:
    for number in (1, 2, 3):
        box.put(number=number)
    box.look()
    before = [(raw.pk, raw.sha256) for raw in box.raws()]
    first = box.raws()[0].uid_validity
    box.session.close()
    box.server.stop()
    box.server.renumber(box.user)
    box.server.start()
    box.put(number=4)
    with box.server.looking(box.user) as client:
        client.delete_messages([2])
        client.expunge()
    assert box.look() == 3
    raws = box.raws()
    assert [(raw.pk, raw.sha256) for raw in raws[:3]] == before
    assert len(raws) == 4
    assert raws[0].uid_validity == raws[2].uid_validity == raws[3].uid_validity != first
    assert raws[1].uid_validity == first
    box.read()
    box.look()
    assert box.counts() == (0, 3, 0)
    assert Case.objects.count() == 4


def test_another_place_with_the_same_numbers_hides_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Connection.select
    monkeypatch.setattr(Connection, "select", lambda self, folder: real(self, folder) and 1)
    box.put("Uno")
    box.look()
    box.user = f"user{next(numbers)}"
    ImapAccount.objects.update(username=box.user)
    box.put("Dos")
    box.again()
    box.look()
    one, two = box.raws()
    assert (one.uid_validity, one.uid) == (None, None)
    assert (two.uid_validity, two.uid) == (1, 1)
    assert b"Dos" in bytes(two.content)


def test_too_large_keeps_the_headers_alone(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "LARGEST", 3000)
    monkeypatch.setattr(polling, "MOST_BYTES", 2000)
    asked: list[int] = []
    real = Connection.contents

    def contents(self: Connection, uids: list[int]) -> dict[int, bytes]:
        asked.extend(uids)
        return real(self, uids)

    monkeypatch.setattr(Connection, "contents", contents)
    box.put("x" * 60 + "\n" + "y" * 4000, number=1)
    box.put(number=2)
    box.look()
    large, small = sorted(box.raws(), key=lambda raw: raw.uid or 0)
    assert asked == [small.uid]
    assert (large.complete, small.complete) == (False, True)
    assert large.size > 4000
    assert b"Message-ID" in bytes(large.content)
    assert b"yyyy" not in bytes(large.content)
    box.again()
    assert box.look() == 2
    assert len(box.raws()) == 2


class Awkward:
    """A server that will not give one mail, in one way or another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, uid: int, trouble: Trouble | None) -> None:
        self.asked: list[list[int]] = []
        real = Connection.contents

        def contents(connection: Connection, uids: list[int]) -> dict[int, bytes]:
            self.asked.append(list(uids))
            if uid in uids and trouble is not None:
                raise trouble
            return {one: raw for one, raw in real(connection, uids).items() if one != uid}

        monkeypatch.setattr(Connection, "contents", contents)


@pytest.mark.parametrize("trouble", [Trouble(Obstacle.ODD_ANSWER, "garbage"), None])
def test_one_bad_mail_stops_no_other(
    box: Box, monkeypatch: pytest.MonkeyPatch, trouble: Trouble | None
) -> None:
    for number in (1, 2, 3):
        box.put(number=number)
    awkward = Awkward(monkeypatch, 2, trouble)
    box.look()
    assert [raw.uid for raw in box.raws()] == [1, 3]
    assert box.fresh().mailbox.read_until is None  # not all that arrived is kept
    for _ in range(acts.MOST_TRIES - 1):
        assert len(box.raws()) == 2
        box.look()
    bad = box.raws()[2]
    # together with the others once, then by itself
    assert [uids for uids in awkward.asked if 2 in uids] == [[1, 2, 3], *[[2]] * acts.MOST_TRIES]
    assert (bad.uid, bad.state, bad.reason) == (2, "failed", "unfetched")
    assert not bad.complete
    assert b"Message-ID" in bytes(bad.content)
    assert bad.arrived_at == START
    assert ("garbage" if trouble else "no content") in bad.detail
    box.read()
    assert box.look() == 0
    assert box.counts() == (0, 2, 1)
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW


def test_two_copies_of_a_bad_mail_are_set_aside_as_one(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "contents", lambda *_: {})
    box.put()
    box.put()
    for _ in range(acts.MOST_TRIES):
        box.look()
    assert [raw.state for raw in box.raws()] == ["failed"]
    assert box.counts() == (0, 0, 2)
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW


def test_a_mail_that_ends_the_connection_each_time_is_set_aside(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        box.put(number=number)
    Awkward(monkeypatch, 2, Trouble(Obstacle.NO_CONNECTION, "EOF", lost=True))
    for _ in range(acts.MOST_TRIES):
        with pytest.raises(Trouble, match="EOF"):
            box.look()
    box.look()
    assert sorted((raw.uid, raw.state) for raw in box.raws()) == [
        (1, "received"), (2, "failed"), (3, "received"),
    ]  # fmt: skip
    assert b"Comments: UID 2" in bytes(RawMail.objects.get(uid=2).content)


def test_a_mail_of_which_the_server_tells_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Connection.entries

    def entries(self: Connection, uids: list[int]) -> Iterator[imap.Entry]:
        if 2 in uids:
            raise Trouble(Obstacle.ODD_ANSWER, "no date")
        return real(self, uids)

    box.put(number=1)
    box.look()
    kept_until = box.fresh().mailbox.read_until
    box.now += HOUR
    box.put(number=2)
    monkeypatch.setattr(Connection, "entries", entries)
    for _ in range(acts.MOST_TRIES):
        assert box.fresh().mailbox.read_until == kept_until
        box.look()
    one, two = box.raws()
    assert (one.uid, one.state) == (1, "received")
    # it arrived since: no term that ended since is silent
    assert (two.uid, two.state, two.arrived_at) == (2, "failed", kept_until)


def test_a_mail_that_cannot_be_kept_is_set_aside(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("Mala", number=1)
    box.put("Buena", number=2)
    real = acts.keep

    def keep(content: bytes, *args: Any, **more: Any) -> RawMail:
        if b"Mala" in content:
            raise ValueError("cannot be")
        return real(content, *args, **more)

    monkeypatch.setattr(acts, "keep", keep)
    for _ in range(acts.MOST_TRIES):
        box.look()
    good, bad = box.raws()
    assert (good.state, bad.state) == ("received", "failed")
    assert "cannot be" in bad.detail


def test_a_database_that_is_away_is_no_mails_fault(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put()

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(acts, "keep", away)
        for _ in range(acts.MOST_TRIES + 1):
            with pytest.raises(OperationalError):
                box.look()
    box.look()
    assert [raw.state for raw in box.raws()] == ["received"]


def test_a_bad_mail_taken_away_is_forgotten(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put()
    with monkeypatch.context() as patched:
        Awkward(patched, 1, None)
        box.look()
    assert box.session.reader.tries == {1: 1}
    with box.server.looking(box.user) as client:
        client.delete_messages([1])
        client.expunge()
    box.look()
    assert not box.session.reader.tries
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW


def test_what_could_not_be_moved_is_moved_later(box: Box) -> None:
    box.put()
    box.look()
    box.read()
    box.account.processed_folder = "no/../folder"
    box.look()
    assert box.fresh().error.startswith("move: ")
    assert box.fresh().failures == 0
    assert box.fresh().mailbox.read_until == NOW - polling.SKEW
    assert box.counts() == (1, 0, 0)
    box.account.processed_folder = "Processed"
    box.look()
    assert box.fresh().error == ""
    assert box.counts() == (0, 1, 0)


@pytest.mark.parametrize(
    ("lacking", "left"), [({"MOVE"}, 0), ({"MOVE", "UIDPLUS"}, 1), ({"NAMESPACE"}, 0)]
)
def test_with_a_server_that_can_do_less(
    box: Box, monkeypatch: pytest.MonkeyPatch, lacking: set[str], left: int
) -> None:
    real = IMAPClient.has_capability
    monkeypatch.setattr(
        IMAPClient,
        "has_capability",
        lambda self, name: name not in lacking and real(self, name),
    )
    box.put()
    box.look()
    box.read()
    for _ in range(3):
        assert box.look() == 0
    assert box.counts() == (left, 1, 0)


def test_a_mail_that_fails_goes_to_failed(box: Box) -> None:
    box.put()
    box.look()
    RawMail.objects.update(state=MailState.FAILED)
    assert box.look() == 0
    assert box.counts() == (0, 0, 1)


def test_mailboxes_of_two_customers(make: Callable[..., Box], world: World) -> None:
    andina, brisa = make(organisation=world.andina), make(organisation=world.brisa)
    content = written(
        "nadie@otra.example", to=f"{andina.user}, {brisa.user}", message_id="1@otra.example"
    )
    for box in (andina, brisa):
        box.server.append(content, START, box.user)
        box.put(number=2, sender=f"nuevo@{box.user}.example")
        assert box.look() == 2
    andina.read()
    for box in (andina, brisa):
        assert box.look() == 0
        assert box.counts() == (0, 2, 0)
    assert Case.objects.filter(mailbox=andina.mailbox).count() == 2
    assert Case.objects.filter(mailbox=brisa.mailbox).count() == 1  # one mail to both: one case


def test_silence_accepts_nothing_while_the_mailbox_cannot_be_read(
    world: World, make: Callable[..., Box]
) -> None:
    case, _, _ = delivered(world)
    box = make()
    box.now = UNTIL + HOUR
    box.account.port = 9
    with pytest.raises(Trouble, match="no_connection"):
        box.look()
    assert [line for line in world.fire(UNTIL + HOUR) if line.kind != "remind"] == []
    box.account.port = box.server.imaps
    reply = written("ana@andina.example", "Tengo una duda", to=key_address(case, world.ana))
    in_time = UNTIL - timedelta(seconds=1)
    DemoClock.objects.create(ahead=in_time - START)  # other servers know real time only
    box.server.append(reply, START, box.user)
    box.look()
    assert world.fire(UNTIL + 2 * HOUR) == []  # kept, not read yet
    box.read()
    world.fire(UNTIL + 3 * HOUR)
    assert Message.objects.get(case=case, raw_mail__isnull=False).at == in_time
    assert world.fresh(case).stage == Stage.DELIVERED
    assert not LedgerLine.objects.filter(case=case, kind="accept_tacitly").exists()


def test_silence_waits_a_little_for_clocks_that_differ(
    world: World, make: Callable[..., Box]
) -> None:
    delivered(world)
    box = make()
    box.now = UNTIL + polling.SKEW - MICROSECOND
    box.look()
    assert [line for line in world.fire(box.now) if line.kind != "remind"] == []
    box.now = UNTIL + polling.SKEW
    box.look()
    (line,) = world.fire(box.now + HOUR)
    assert (line.kind, line.at) == ("accept_tacitly", UNTIL)


def test_a_retired_mailbox_is_not_read(box: Box) -> None:
    assert poller.polled_accounts() == [box.account]
    Mailbox.objects.filter(pk=box.mailbox.pk).update(active=False)
    assert poller.polled_accounts() == []


def test_the_command_looks_once_into_each(make: Callable[..., Box], capsys: Any) -> None:
    bad, good = make(), make()
    ImapAccount.objects.filter(pk=bad.account.pk).update(port=9)
    good.put()
    call_command("poll_mail")
    said = capsys.readouterr()
    assert f"{bad.mailbox}: no_connection" in said.err
    assert said.out == f"{good.mailbox}: 1 to be read\n"
    assert len(good.raws()) == 1


# --- what goes wrong, in words ---------------------------------------------------------------


@pytest.fixture
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.usefixtures("in_english")
def test_a_trial_that_works_changes_nothing(box: Box) -> None:
    box.put()
    trial = polled.try_account(box.account)
    assert trial.works
    assert trial.waiting == 1
    assert "INBOX" in trial.folders
    assert "1 mail waits in INBOX" in trial.words
    assert box.raws() == []
    assert box.fresh().polled_at is None


@pytest.mark.usefixtures("in_english")
@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"host": "nowhere.invalid"}, "unknown_host"),
        ({"port": 9}, "no_connection"),
        ({"host": "localhost"}, "certificate"),
        ({"security": "plain", "host": "192.0.2.1"}, "not_private"),
        ({"sealed": "gAAAA"}, "sealed"),
        ({"sealed": ""}, "sign_in"),
        ({"folder": "Nada"}, "folder"),
    ],
)
def test_a_trial_says_what_is_wrong(box: Box, change: dict[str, Any], obstacle: str) -> None:
    for name, value in change.items():
        setattr(box.account, name, value)
    trial = polled.try_account(box.account)
    assert not trial.works
    words = polled.WORDS[Obstacle(obstacle)]
    assert trial.words.startswith(words)
    with pytest.raises(Trouble, match=obstacle):
        box.look()


def test_an_authority_that_nobody_trusts(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Trouble, match="certificate"):
        box.look()


def test_no_encryption_where_it_was_asked_for(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.account.port, box.account.security = box.server.imap, "tls"
    with pytest.raises(Trouble, match="no_tls"):
        box.look()
    box.account.security = "starttls"
    real = IMAPClient.has_capability
    monkeypatch.setattr(
        IMAPClient, "has_capability", lambda self, name: name != "STARTTLS" and real(self, name)
    )
    with pytest.raises(Trouble, match="no_tls"):
        box.look()


@pytest.mark.usefixtures("in_english")
def test_words_for_any_error() -> None:
    assert polled.tell("") == ""
    assert set(polled.WORDS) == set(Obstacle)
    for obstacle, words in polled.WORDS.items():
        assert polled.tell(f"{obstacle}: said") == f"{words} (said)"
    assert polled.tell("something else") == "something else"


@given(some.integers(1, 10_000), some.floats(0, 1), some.sampled_from([None, *Obstacle]))
def test_pauses_grow_to_a_bound(failures: int, roll: float, obstacle: Obstacle | None) -> None:
    seconds = poller.pause(failures, roll, obstacle)
    assert 1 <= seconds <= poller.LONGEST_PAUSE
    assert seconds <= poller.pause(failures + 1, roll, obstacle)
    assert poller.pause(failures, 0, obstacle) * 2 == poller.pause(failures, 1, obstacle)
    if obstacle == Obstacle.SIGN_IN:
        assert seconds >= poller.PATIENT_PAUSE / 2
