"""The typed settings: read, refused, listed; and the command's table."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands

from acuse import cli
from acuse.config import BadSetting, Config, describe
from acuse.settings import database
from tests.ops.installation import SOURCE

PRODUCTION = {
    "ACUSE_ENV": "production",
    "ACUSE_SECRET_KEY": "s" * 32,
    "ACUSE_SMTP_URL": "smtp+tls://user:p%40ss@mail.example.org",
    "ACUSE_HOST": "https://support.example.org",
}


def test_defaults() -> None:
    config = Config.read({})
    assert (config.port, config.smtp_port, config.environment) == (8000, 2525, "development")
    assert config.data == Path.cwd() / "var"
    assert config.embedded
    assert not config.production
    assert config.host == "http://127.0.0.1:8000"
    assert config.smtp_url == "smtp://127.0.0.1:2525"
    assert config.main_mailbox == "soporte@example.com"


def test_an_empty_variable_counts_as_absent() -> None:
    assert Config.read({"ACUSE_PORT": " ", "DATABASE_URL": ""}) == Config.read({})


def test_defaults_follow_the_ports() -> None:
    config = Config.read({"ACUSE_PORT": "8100", "ACUSE_SMTP_PORT": "2600"})
    assert config.host == "http://127.0.0.1:8100"
    assert config.mail_server.port == 2600


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, "", "", "")),
        (
            "smtp+tls://u:p%40ss@mail.example.org",
            ("mail.example.org", 587, "u", "p@ss", "starttls"),
        ),
        ("smtps://mail.example.org:4650", ("mail.example.org", 4650, "", "", "implicit")),
    ],
)
def test_mail_server(url: str, expected: tuple[object, ...]) -> None:
    server = Config.read({"ACUSE_SMTP_URL": url}).mail_server
    assert (server.host, server.port, server.user, server.password, server.tls) == expected


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("ACUSE_ENV", "staging", "development or production"),
        ("ACUSE_PORT", "0", "from 1 to 65535"),
        ("ACUSE_PORT", "65536", "from 1 to 65535"),
        ("ACUSE_SMTP_PORT", "smtp", "from 1 to 65535"),
        ("ACUSE_SMTP_PORT", "٢٥", "from 1 to 65535"),
        ("DATABASE_URL", "mysql://localhost/acuse", "PostgreSQL only"),
        ("ACUSE_HOST", "support.example.org", "must look like"),
        ("ACUSE_HOST", "https://support.example.org/acuse", "must look like"),
        ("ACUSE_SMTP_URL", "https://mail.example.org", "must begin with"),
        ("ACUSE_SMTP_URL", "smtp://", "must begin with"),
        ("ACUSE_MAIL_DOMAIN", "soporte@example.org", "a domain such as"),
        ("ACUSE_SECRET_KEY", "short", "32 characters"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_rule(name: str, value: str, rule: str) -> None:
    with pytest.raises(BadSetting, match=rule) as refused:
        Config.read({name: value})
    assert name in str(refused.value)


def test_production_is_accepted_whole() -> None:
    assert Config.read(PRODUCTION).production


@pytest.mark.parametrize("name", ["ACUSE_SECRET_KEY", "ACUSE_SMTP_URL", "ACUSE_HOST"])
def test_production_demands(name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} is required"):
        Config.read({**PRODUCTION, name: ""})


def test_production_demands_tls() -> None:
    with pytest.raises(BadSetting, match="ACUSE_HOST must begin with https"):
        Config.read({**PRODUCTION, "ACUSE_HOST": "http://support.example.org"})


def test_development_key_is_made_once_and_private(tmp_path: Path) -> None:
    config = Config.read({"ACUSE_DATA": str(tmp_path / "var")})
    key = config.secret_key()
    assert len(key) >= 32
    assert Config.read({"ACUSE_DATA": str(tmp_path / "var")}).secret_key() == key
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o711
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["secret_key"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ana:p%40ss@db.example.org:6432/acuse?sslmode=require",
            ("acuse", "ana", "p@ss", "db.example.org", "6432", {"sslmode": "require"}),
        ),
        ("postgres://db/acuse", ("acuse", "", "", "db", "", {})),
        ("postgresql:///acuse?user=me&host=%2Frun%2Fx", ("acuse", "me", "", "/run/x", "", {})),
    ],
)
def test_database_address(url: str, expected: tuple[object, ...]) -> None:
    made = database(url)
    assert made["OPTIONS"].pop("server_side_binding")
    assert made["OPTIONS"].pop("prepare_threshold") == 3
    found = tuple(made[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS"))
    assert found == expected


# --- the listing and the command --------------------------------------------------------------


def acuse(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "acuse", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_listing_names_every_setting_and_hides_secrets(tmp_path: Path) -> None:
    secret = "postgresql://ana:terrible@db/acuse"
    done = acuse("settings", DATABASE_URL=secret, ACUSE_DATA=str(tmp_path), ACUSE_PORT="8123")
    assert done.returncode == 0, done.stderr
    for declared in fields(Config):
        assert f"{declared.metadata['name']}\n    {declared.metadata['meaning']}" in done.stdout
    assert "now:     8123" in done.stdout
    assert "default: 8000" in done.stdout
    assert "terrible" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_secret_is_hidden() -> None:
    config = Config.read(PRODUCTION)
    shown = {row.name: row.current for row in describe(config)}
    assert shown["ACUSE_SECRET_KEY"] == shown["ACUSE_SMTP_URL"] == "(set, not shown)"
    assert shown["DATABASE_URL"] == "(default)"
    assert shown["ACUSE_HOST"] == "https://support.example.org"


def test_a_bad_setting_ends_the_command_with_one_line() -> None:
    done = acuse("settings", ACUSE_PORT="none")
    assert done.returncode == 2
    assert done.stderr == "acuse: ACUSE_PORT must be a port from 1 to 65535, not 'none'\n"


def test_unknown_command_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mail", "lose"]) == 2
    told = capsys.readouterr().err
    assert "no command 'mail lose'" in told
    assert "acuse mail receive" in told


def test_words_that_a_command_does_not_take_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["serve", "faster"]) == 2
    assert "'faster'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert all(f"acuse {' '.join(name)} " in told for name in cli.COMMANDS)


def test_longest_name_wins_and_the_rest_is_handed_on() -> None:
    found = cli.find_command(["case", "show", "C-17", "--ledger"])
    assert found == (cli.COMMANDS["case", "show"], ["C-17", "--ledger"])
    assert cli.find_command(["case"]) is None


@pytest.mark.parametrize("name", cli.COMMANDS, ids=" ".join)
def test_every_command_exists(name: tuple[str, ...]) -> None:
    command = cli.COMMANDS[name]
    if command.is_function:
        module, _, function = command.target.partition(":")
        assert callable(getattr(import_module(module), function))
    else:
        assert command.target in get_commands()
