"""Access tokens from those who give them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acuse.connectors import tokens
from acuse.connectors.tokens import EARLY, Token
from acuse.connectors.trouble import Obstacle, Trouble
from tests.mail.certificate import make_authority, make_certificate
from tests.mail.granting import Granting, granting

NOW = datetime(2026, 11, 17, 14, tzinfo=UTC)
GOOGLE = {"client_id": "us", "client_secret": "hush", "refresh_token": "refresh-0"}
MICROSOFT = {"tenant": "firm", "client_id": "us", "client_secret": "hush"}


@pytest.fixture
def google() -> Iterator[Granting]:
    with granting() as one:
        yield one


@pytest.fixture
def microsoft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Granting]:
    make_certificate(
        make_authority(tmp_path / "authority.pem"), tmp_path / "cert.pem", tmp_path / "key.pem"
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with granting((tmp_path / "cert.pem", tmp_path / "key.pem")) as one:
        yield one


def told(obstacle: Obstacle, secrets: dict[str, str], place: str, kind: str = "google") -> str:
    ask = tokens.ask_google if kind == "google" else tokens.ask_microsoft
    with pytest.raises(Trouble) as raised:
        ask(secrets, place, NOW)
    assert raised.value.obstacle == obstacle
    return raised.value.detail


def test_google_gives_a_token_for_a_refresh_token(google: Granting) -> None:
    token = tokens.ask_google(GOOGLE, f"{google.base}/token", NOW)
    assert token == Token("token-1", NOW + timedelta(hours=1))
    assert google.asked == [{"grant_type": "refresh_token", **GOOGLE}]


def test_a_token_is_replaced_before_its_end() -> None:
    token = Token("x", NOW + EARLY)
    assert token.is_fresh(NOW - timedelta(microseconds=1))
    assert not token.is_fresh(NOW)


def test_a_refusal_is_told(google: Granting) -> None:
    google.refusal = (400, {"error": "invalid_grant", "error_description": "withdrawn"})
    assert told(Obstacle.TOKEN, GOOGLE, google.base) == "invalid_grant withdrawn"


@pytest.mark.parametrize("refusal", [(200, {}), (200, []), (200, '"no"')])
def test_an_answer_without_a_token_is_a_refusal(google: Granting, refusal: tuple) -> None:
    google.refusal = refusal
    assert told(Obstacle.TOKEN, GOOGLE, google.base)


@pytest.mark.parametrize("refusal", [(503, {}), (200, "<html>")])
def test_a_server_in_trouble_is_no_refusal(google: Granting, refusal: tuple) -> None:
    google.refusal = refusal
    assert told(Obstacle.TOKEN_UNREACHABLE, GOOGLE, google.base)


def test_nobody_there() -> None:
    assert told(Obstacle.TOKEN_UNREACHABLE, GOOGLE, "http://127.0.0.1:9/token")
    assert told(Obstacle.TOKEN_UNREACHABLE, MICROSOFT, "https://127.0.0.1:9/firm", "microsoft")


@pytest.mark.parametrize("seconds", [None, "soon"])
def test_an_unclear_end_is_an_hour(google: Granting, seconds: object) -> None:
    google.seconds = seconds
    token = tokens.ask_google(GOOGLE, google.base, NOW)
    assert token.until == NOW + timedelta(hours=1)


def test_microsoft_for_the_application(microsoft: Granting) -> None:
    microsoft.seconds = 600
    token = tokens.ask_microsoft(MICROSOFT, f"{microsoft.base}/firm", NOW)
    assert (token.value, token.until) == ("token-1", NOW + timedelta(minutes=10))
    (asked,) = microsoft.asked
    assert asked["grant_type"] == "client_credentials"
    assert asked["client_secret"] == "hush"
    assert "https://outlook.office365.com/.default" in asked["scope"].split()


@pytest.mark.parametrize("secret", ["hush", ""])
def test_microsoft_for_a_user(microsoft: Granting, secret: str) -> None:
    microsoft.rotates = True
    secrets = MICROSOFT | {"client_secret": secret, "refresh_token": "refresh-0"}
    token = tokens.ask_microsoft(secrets, f"{microsoft.base}/firm", NOW)
    assert token.refresh_token == "refresh-1"
    (asked,) = microsoft.asked
    assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", "refresh-0")
    assert "https://outlook.office365.com/IMAP.AccessAsUser.All" in asked["scope"].split()
    assert asked.get("client_secret", "") == secret


def test_microsoft_refuses(microsoft: Granting) -> None:
    microsoft.refusal = (400, {"error": "invalid_client", "error_description": "AADSTS7000215"})
    place = f"{microsoft.base}/firm"
    assert told(Obstacle.TOKEN, MICROSOFT, place, "microsoft") == "invalid_client AADSTS7000215"


def test_microsoft_needs_a_secret_or_a_refresh_token(microsoft: Granting) -> None:
    place = f"{microsoft.base}/firm"
    assert "neither" in told(Obstacle.TOKEN, {"client_id": "us"}, place, "microsoft")
    assert microsoft.asked == []


def test_an_authority_that_is_none() -> None:
    assert told(Obstacle.TOKEN, MICROSOFT, "http://127.0.0.1/firm", "microsoft")


def test_an_authority_whose_certificate_nobody_trusts(
    microsoft: Granting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    place = f"{microsoft.base}/firm"
    assert "CERTIFICATE" in told(Obstacle.TOKEN_UNREACHABLE, MICROSOFT, place, "microsoft")
