"""A poller killed between any two of its steps: no mail is lost, none becomes a case twice, and
nobody is told twice (mail rules 1 to 3). The steps of reading are in test_kill.py."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acuse.actions import administration as admin
from acuse.interfaces.web import polled
from acuse.models import Case, CaughtMail, ImapAccount, MailState, Message, Notice, RawMail
from tests.mail.dovecot import PASSWORD, Dovecot, dovecot
from tests.mail.post import written
from tests.mail.working import Listening, Process, eventually
from tests.world import World

POINTS = [
    "mail fetched, not kept",
    "mail being kept, not committed",
    "mail kept, not known as this one",
    "poll not noted",
    "mail filed, not marked",
    "mail marked, not moved",
    "mail moved, not noted",
]


numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """One Dovecot for all tests here."""
    with dovecot() as one:
        yield one


@pytest.fixture
def account(firm: World, server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> ImapAccount:
    """A mailbox on the server that no other test uses."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.here / "authority.pem"))
    user = f"user{next(numbers)}"
    return ImapAccount.objects.create(
        mailbox=admin.add_mailbox("buzon@firm.example", "Buzón", transport="imap"),
        host="127.0.0.1",
        port=server.imaps,
        username=user,
        sealed=polled.seal({"password": PASSWORD}),
    )


def deliver(server: Dovecot, account: ImapAccount, number: int) -> None:
    content = written(
        "ana@andina.example", f"Hola {number}", f"Asunto {number}", to="buzon@firm.example",
        message_id=f"{number}@andina.example",
    )  # fmt: skip
    server.deliver(content, account.username, "ana@andina.example")


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_two_steps(
    account: ImapAccount,
    server: Dovecot,
    listener: Listening,
    processes: list[Process],
    tmp_path: Path,
    point: str,
) -> None:
    for number in (1, 2):
        deliver(server, account, number)
    worker = Process("worker", ACUSE_SMTP_PORT=str(listener.port))
    processes.append(worker)
    mark = tmp_path / "mark"
    first = Process("poller", POINT=point, MARK=str(mark))
    processes.append(first)
    eventually(first.has(mark.exists))
    first.kill()
    second = Process("poller")
    processes.append(second)

    def settled() -> bool:
        told = Notice.objects.filter(state="sent", person__addresses__email="ana@andina.example")
        return server.count(account.username, "Processed") == 2 and told.count() == 2

    eventually(second.has(worker.has(settled)))
    assert server.count(account.username) == 0
    raws = RawMail.objects.filter(state=MailState.PROCESSED)
    assert raws.count() == RawMail.objects.count() == 2
    assert raws.filter(uid_validity__isnull=False).count() == 2
    assert Case.objects.count() == Message.objects.filter(raw_mail__in=raws).count() == 2
    told = CaughtMail.objects.filter(recipients=["ana@andina.example"])
    assert sorted(mail.subject for mail in told) == sorted(
        f"[{case}] {case.subject}" for case in Case.objects.all()
    )


def test_news_wakes_it_and_a_server_that_comes_back_is_read_again(
    account: ImapAccount, server: Dovecot, processes: list[Process]
) -> None:
    poller = Process("poller")
    processes.append(poller)
    fresh = ImapAccount.objects.filter(pk=account.pk)
    eventually(poller.has(fresh.filter(polled_at__isnull=False).exists))
    time_to_tell = 20.0  # a good deal less than the regular look
    deliver(server, account, 1)
    eventually(poller.has(RawMail.objects.exists), time_to_tell)
    server.stop()
    eventually(poller.has(fresh.filter(failures__gt=0).exists))
    assert fresh.get().error.startswith("no_connection")
    assert fresh.get().next_poll_at is not None
    server.start()
    deliver(server, account, 2)
    eventually(poller.has(lambda: RawMail.objects.count() == 2))
    eventually(poller.has(fresh.filter(failures=0, error="").exists))
    begun = time.monotonic()
    assert poller.stop() == 0
    assert time.monotonic() - begun < 4


def test_rows_are_followed(account: ImapAccount, server: Dovecot, processes: list[Process]) -> None:
    fresh = ImapAccount.objects.filter(pk=account.pk)
    fresh.update(sealed=polled.seal({"password": "mala"}))
    other = ImapAccount.objects.create(
        mailbox=admin.add_mailbox("otro@firm.example", "Otro", transport="imap"),
        host="127.0.0.1",
        port=server.imap,
        security="starttls",
        username=f"otro{account.username}",
        sealed=polled.seal({"password": PASSWORD}),
    )
    poller = Process("poller")
    processes.append(poller)
    eventually(poller.has(fresh.filter(failures__gt=0, error__startswith="sign_in").exists))
    deliver(server, other, 1)  # which the bad one does not hinder
    eventually(poller.has(RawMail.objects.filter(mailbox=other.mailbox).exists))
    deliver(server, account, 2)
    fresh.update(sealed=polled.seal({"password": PASSWORD}))
    eventually(poller.has(RawMail.objects.filter(mailbox=account.mailbox).exists), 20)
    poller.process.send_signal(signal.SIGTERM)
    assert poller.process.wait(4) == 0
