"""The poller's threads: woken where somebody asks, ended at once, whatever they wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from acuse.actions import administration as admin
from acuse.actions.polling import ask_for_look
from acuse.connectors.trouble import Obstacle, Trouble
from acuse.interfaces.mail import poller
from acuse.interfaces.mail.poller import Poller, Watcher
from acuse.interfaces.web import clock
from acuse.models import ImapAccount
from tests.ops.installation import PATIENCE, eventually
from tests.world import START, World


class Idle:
    """A mailbox in which nothing happens: each look is counted, and after it there is waiting."""

    def __init__(self, account: ImapAccount, fails: bool) -> None:
        self.account, self.fails, self.looks, self.closed = account, fails, 0, False
        self.server = self

    def look(self) -> int:
        self.looks += 1
        if self.fails:
            raise Trouble(Obstacle.NO_CONNECTION, "away")
        return 0

    def wait(self, seconds: float, is_stopped: Callable[[float], bool]) -> None:
        is_stopped(PATIENCE)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("fails", [False, True])
def test_a_watcher_is_woken_and_ended_while_it_waits(
    world: World, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller.acts, "note_failure", lambda *_: None)
    monkeypatch.setattr(poller.clock, "now", lambda: START)
    monkeypatch.setattr(poller, "pause", lambda *_: PATIENCE)
    watcher = Watcher(ImapAccount(mailbox=world.mailbox, username="u", host="h"))
    idle = Idle(watcher.account, fails)
    watcher.session = idle  # type: ignore[assignment]
    watcher.start()

    def woken() -> bool:
        watcher.woken.set()
        return idle.looks > 3

    eventually(woken)
    watcher.stop()
    watcher.join(PATIENCE / 2)
    assert not watcher.is_alive()
    assert idle.closed


def test_only_the_mailbox_that_is_asked_for_is_woken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = []
    for name in ("a", "b"):
        box = admin.add_mailbox(f"{name}@example.com", name, transport="imap")
        accounts.append(ImapAccount.objects.create(mailbox=box, host="h", username="u"))
    now = clock.now()
    ImapAccount.objects.update(next_poll_at=now + timedelta(minutes=1))
    monkeypatch.setattr(Watcher, "start", lambda self: None)
    monkeypatch.setattr(Watcher, "is_alive", lambda self: True)
    all_of_them = Poller()
    all_of_them.arrange()
    all_of_them.arrange()
    woken = [all_of_them.watchers[account.pk].woken for account in accounts]
    assert not any(event.is_set() for event in woken)
    ask_for_look(accounts[0], now - timedelta(seconds=1))
    all_of_them.arrange()
    assert [event.is_set() for event in woken] == [True, False]
    assert isinstance(woken[0], threading.Event)
