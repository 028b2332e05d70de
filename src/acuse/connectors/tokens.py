"""Access tokens for mailboxes at Google and Microsoft 365 (RFC 6749), asked for with what an
administrator was given once. Tokens live an hour and are kept in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msal
import requests

from .trouble import Obstacle, Trouble

EARLY = timedelta(minutes=5)  # a token is replaced so long before its end
TIMEOUT = 15.0  # seconds for each request
GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT = "https://login.microsoftonline.com/"
APPLICATION_SCOPES = ["https://outlook.office365.com/.default"]
DELEGATED_SCOPES = ["https://outlook.office365.com/IMAP.AccessAsUser.All"]


@dataclass(frozen=True)
class Token:
    """`refresh_token`: the one to use from now on, "" where the old one stays."""

    value: str
    until: datetime
    refresh_token: str = ""

    def is_fresh(self, now: datetime) -> bool:
        """Whether it need not be replaced yet."""
        return now < self.until - EARLY


def ask_google(secrets: Mapping[str, str], endpoint: str, now: datetime) -> Token:
    """A token for the refresh token that a Google account gave (client_id, client_secret,
    refresh_token). Raises Trouble."""
    data = {name: secrets.get(name, "") for name in ("client_id", "client_secret", "refresh_token")}
    try:
        answer = requests.post(
            endpoint or GOOGLE, {"grant_type": "refresh_token", **data}, timeout=TIMEOUT
        )
        said = answer.json()
    except (requests.RequestException, ValueError) as reason:
        raise Trouble(Obstacle.TOKEN_UNREACHABLE, reason) from reason
    if answer.status_code >= 500:
        raise Trouble(Obstacle.TOKEN_UNREACHABLE, f"{answer.status_code} from {answer.url}")
    return _read(said, now)


def ask_microsoft(secrets: Mapping[str, str], authority: str, now: datetime) -> Token:
    """A token of Microsoft's identity platform: for the application itself (tenant, client_id,
    client_secret), or for a mailbox's user by a refresh token. Raises Trouble."""
    session = requests.Session()
    session.request = partial(session.request, timeout=TIMEOUT)  # type: ignore[method-assign]
    kind = (
        msal.ConfidentialClientApplication
        if secrets.get("client_secret")
        else msal.PublicClientApplication
    )
    try:
        application = kind(
            secrets.get("client_id", ""),
            client_credential=secrets.get("client_secret") or None,
            authority=authority or MICROSOFT + (secrets.get("tenant") or "organizations"),
            instance_discovery=False,  # the administrator says who gives tokens
            http_client=session,
        )
        if secrets.get("refresh_token"):
            said = application.acquire_token_by_refresh_token(
                secrets["refresh_token"], scopes=DELEGATED_SCOPES
            )
        elif secrets.get("client_secret"):
            said = application.acquire_token_for_client(scopes=APPLICATION_SCOPES)
        else:
            raise Trouble(Obstacle.TOKEN, "neither a client secret nor a refresh token is given")
    except requests.RequestException as reason:
        raise Trouble(Obstacle.TOKEN_UNREACHABLE, reason) from reason
    except ValueError as reason:  # so the library says that an authority or tenant is none
        raise Trouble(Obstacle.TOKEN, reason) from reason
    finally:
        session.close()
    return _read(said, now)


def _read(said: Any, now: datetime) -> Token:
    """The token in an answer (RFC 6749 section 5), or the reason why there is none."""
    if not isinstance(said, dict) or not said.get("access_token"):
        error = (
            said
            if not isinstance(said, dict)
            else (f"{said.get('error', '')} {said.get('error_description', '')}")
        )
        raise Trouble(Obstacle.TOKEN, str(error)[:1000].strip() or "no token in the answer")
    try:
        seconds = float(said.get("expires_in", 3600))
    except (TypeError, ValueError):
        seconds = 3600.0
    until = now + timedelta(seconds=seconds)
    return Token(str(said["access_token"]), until, str(said.get("refresh_token") or ""))
