"""Mailboxes on other servers: their secrets, how to sign in, trying it, and words for what is
wrong. Shared by the poller and the desk's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from acuse.connectors import imap, sealing, tokens
from acuse.connectors.imap import Connection, Credentials, Place
from acuse.connectors.tokens import Token
from acuse.connectors.trouble import Obstacle, Trouble
from acuse.interfaces.web import clock
from acuse.models import ImapAccount
from acuse.models.mail import SignIn
from acuse.policy.fields import N_

# What is sealed for each way of signing in.
SECRETS: dict[SignIn, tuple[str, ...]] = {
    SignIn.PASSWORD: ("password",),
    SignIn.GOOGLE: ("client_id", "client_secret", "refresh_token"),
    SignIn.MICROSOFT: ("tenant", "client_id", "client_secret", "refresh_token"),
}

WORDS: dict[Obstacle, str] = {
    Obstacle.UNKNOWN_HOST: N_("There is no server of this name."),
    Obstacle.NO_CONNECTION: N_("The server cannot be reached, or ends the connection."),
    Obstacle.CERTIFICATE: N_("The server's certificate is not trusted."),
    Obstacle.NO_TLS: N_("The server offers no encrypted connection here."),
    Obstacle.NOT_PRIVATE: N_("Without encryption only a server on this machine is read."),
    Obstacle.SIGN_IN: N_("The server refuses this user name with this password or permission."),
    Obstacle.TOKEN: N_("The permission was refused: it has ended or was withdrawn."),
    Obstacle.TOKEN_UNREACHABLE: N_("Whoever gives the permission cannot be reached."),
    Obstacle.SEALED: N_("The stored password cannot be opened: enter it again."),
    Obstacle.FOLDER: N_("The folder is not there, or may not be read."),
    Obstacle.MOVE: N_("Mails are read, but cannot be moved to their folder."),
    Obstacle.ODD_ANSWER: N_("The server gives answers that cannot be understood."),
    Obstacle.OURS: N_("An error of this system; its log says more."),
}


@dataclass(frozen=True)
class Trial:
    """How a trial went, in words; the folders that are there; how many mails would be read."""

    works: bool
    words: str
    folders: tuple[str, ...] = ()
    waiting: int = 0


def seal(secrets: Mapping[str, str]) -> str:
    """Secrets as they may stand in a row."""
    return sealing.seal(secrets, settings.SECRET_KEY)


def unseal(sealed: str) -> dict[str, str]:
    """The secrets of a row; none of an empty one. Raises Trouble."""
    try:
        return sealing.unseal(sealed, settings.SECRET_KEY) if sealed else {}
    except sealing.Unsealable as reason:
        raise Trouble(Obstacle.SEALED, reason) from reason


def ask_token(account: ImapAccount, now: datetime) -> Token:
    """A new access token for an account that signs in with one. Raises Trouble."""
    ask = tokens.ask_google if account.sign_in == SignIn.GOOGLE else tokens.ask_microsoft
    return ask(unseal(account.sealed), account.authority, now)


def connect(account: ImapAccount, token: Token | None) -> Connection:
    """Sign in with a token, or with the account's password. Raises Trouble."""
    if token is not None:
        credentials = Credentials(token.value, oauth=True)
    else:
        credentials = Credentials(unseal(account.sealed).get("password", ""))
    place = Place(account.host, account.port, account.security, account.username)
    return imap.connect(place, credentials)


def try_account(account: ImapAccount) -> Trial:
    """Sign in, look into the folder and list the others; nothing is changed anywhere. The row
    need not be saved."""
    try:
        token = None
        if account.sign_in != SignIn.PASSWORD:
            token = ask_token(account, clock.now())
        connection = connect(account, token)
        try:
            connection.select(account.folder)
            waiting, folders = len(connection.uids()), connection.folders()
        finally:
            connection.close()
    except Trouble as trouble:
        return Trial(False, tell(str(trouble)))
    words = ngettext(
        "It works: %(count)d mail waits in %(folder)s and will be read.",
        "It works: %(count)d mails wait in %(folder)s and will be read.",
        waiting,
    )
    return Trial(True, words % {"count": waiting, "folder": account.folder}, folders, waiting)


def tell(error: str) -> str:
    """Words for what an account's row says is wrong ("" for nothing), with what the other side
    said."""
    if not error:
        return ""
    code, _colon, detail = error.partition(":")
    try:
        words = _(WORDS[Obstacle(code)])
    except ValueError:
        return error
    return f"{words} ({detail.strip()})" if detail.strip() else words
