"""Signing in at a mail server with a token (SASL XOAUTH2), and keeping the token fresh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from acuse.actions import administration as admin
from acuse.connectors.trouble import Trouble
from acuse.interfaces.mail.poller import Session
from acuse.interfaces.web import polled
from acuse.models import ImapAccount, RawMail
from acuse.models.mail import SignIn
from tests.mail.dovecot import Dovecot, dovecot
from tests.mail.granting import Granting, granting
from tests.mail.post import written
from tests.world import START, World

pytestmark = pytest.mark.django_db
SECRETS = {"client_id": "us", "client_secret": "hush", "refresh_token": "refresh-0"}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def granted() -> Iterator[Granting]:
    with granting() as one:
        yield one


@pytest.fixture(scope="module")
def server(granted: Granting) -> Iterator[Dovecot]:
    with dovecot(f"{granted.base}/introspect") as one:
        yield one


class Polled:
    """A mailbox whose user gave a refresh token."""

    def __init__(self, server: Dovecot, granted: Granting) -> None:
        self.account = ImapAccount.objects.create(
            mailbox=admin.add_mailbox("buzon@firm.example", "Buzón", transport="imap"),
            host="127.0.0.1",
            port=server.imaps,
            username="soporte",
            sign_in=SignIn.GOOGLE,
            authority=f"{granted.base}/token",
            sealed=polled.seal(SECRETS),
        )
        self.now = START
        self.session = Session(self.account, lambda: self.now)

    def fresh(self) -> ImapAccount:
        return ImapAccount.objects.get(pk=self.account.pk)


@pytest.fixture
def box(
    world: World, server: Dovecot, granted: Granting, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Polled]:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.here / "authority.pem"))
    granted.refusal, granted.rotates, granted.asked = None, False, []
    granted.tokens.clear()
    one = Polled(server, granted)
    yield one
    one.session.close()


def test_mail_is_fetched_with_a_token(box: Polled, server: Dovecot) -> None:
    server.deliver(written("ana@andina.example", message_id="1@andina.example"))
    assert box.session.look() == 1
    assert RawMail.objects.filter(mailbox=box.account.mailbox).count() == 1
    assert box.fresh().token_until == START + HOUR


def test_the_token_is_asked_for_once_and_renewed_early(box: Polled, granted: Granting) -> None:
    box.session.look()
    box.now = START + HOUR - timedelta(minutes=6)
    box.session.look()
    assert len(granted.asked) == 1
    box.now = START + HOUR - timedelta(minutes=5)
    box.session.look()
    assert len(granted.asked) == 2
    assert box.fresh().token_until == box.now + HOUR


def test_the_token_is_nowhere_in_the_database(box: Polled) -> None:
    box.session.look()
    row = ImapAccount.objects.filter(pk=box.account.pk).values().get()
    shown = repr(row)
    assert "token-1" not in shown
    assert "refresh-0" not in shown
    assert "hush" not in shown


def test_a_refresh_token_that_changes_is_kept(box: Polled, granted: Granting) -> None:
    granted.rotates = True
    box.session.look()
    assert polled.unseal(box.fresh().sealed) == SECRETS | {"refresh_token": "refresh-1"}
    box.now += HOUR
    box.session.look()
    assert granted.asked[1]["refresh_token"] == "refresh-1"
    assert box.session.account.sealed == box.fresh().sealed


def test_secrets_entered_meanwhile_are_not_overwritten(box: Polled, granted: Granting) -> None:
    entered = polled.seal(SECRETS | {"refresh_token": "entered"})
    granted.rotates = True
    ImapAccount.objects.filter(pk=box.account.pk).update(sealed=entered)
    box.session.look()
    assert box.fresh().sealed == entered


def test_a_withdrawn_permission(box: Polled, granted: Granting) -> None:
    granted.refusal = (400, {"error": "invalid_grant", "error_description": "withdrawn"})
    with pytest.raises(Trouble, match="token: invalid_grant withdrawn"):
        box.session.look()
    trial = polled.try_account(box.account)
    assert not trial.works
    assert "withdrawn" in trial.words


def test_while_the_old_token_holds_a_refusal_is_a_warning(box: Polled, granted: Granting) -> None:
    box.session.look()
    granted.refusal = (503, {})
    box.now = START + HOUR - timedelta(minutes=1)
    box.session.look()
    assert box.fresh().error.startswith("token_unreachable")
    assert (box.fresh().failures, box.fresh().polled_at) == (0, box.now)
    box.session.close()
    box.session.look()  # a new connection with the old token
    box.session.close()
    box.now = START + HOUR
    with pytest.raises(Trouble, match="token_unreachable"):
        box.session.look()


def test_a_token_that_the_mail_server_refuses(box: Polled, granted: Granting) -> None:
    granted.user = "somebody else"
    try:
        with pytest.raises(Trouble, match="sign_in"):
            box.session.look()
    finally:
        granted.user = "soporte"


def test_a_trial_with_a_token(box: Polled) -> None:
    assert polled.try_account(box.account).works
