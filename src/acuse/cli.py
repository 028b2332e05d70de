"""The command `acuse`: a table of words and what they start. The work is done elsewhere."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

USAGE_ERROR = 2


@dataclass(frozen=True)
class Command:
    """What one command starts: `target` is a management command, or module:function."""

    meaning: str
    target: str
    database: bool = True  # start the embedded one for its time if nobody did

    @property
    def is_function(self) -> bool:
        """True for module:function."""
        return ":" in self.target


COMMANDS: dict[tuple[str, ...], Command] = {
    ("serve",): Command(
        "start everything: database, web, worker, mail listener, poller",
        "acuse.interfaces.server.serve:main",
        database=False,
    ),
    ("worker",): Command("run the jobs only", "acuse.interfaces.jobs.worker:main"),
    ("migrate",): Command("bring the database to this version", "migrate"),
    ("init",): Command("make the first administrator of a real installation", "init"),
    ("demo",): Command("fill an empty development installation", "demo"),
    ("due",): Command("let fall due what is due; --until moves the clock (demo)", "due"),
    ("mail", "poll"): Command("look once into every mailbox on another server", "poll_mail"),
    ("mail", "receive"): Command("take one raw message from standard input", "receive_mail"),
    ("mail", "parse"): Command("show what is read from a message, changing nothing", "parse_mail"),
    ("mail", "replay"): Command("read kept raw mail again", "replay_mail"),
    ("case", "show"): Command("one case with its ledger", "show_case"),
    ("ledger", "sign"): Command("write and sign the checkpoint of today", "sign_checkpoint"),
    ("ledger", "verify"): Command("check every chain against its checkpoints", "verify_ledger"),
    ("settings",): Command(
        "what the environment decides: name, meaning, default, value",
        "acuse.interfaces.server.listing:main",
        database=False,
    ),
}


def find_command(words: Sequence[str]) -> tuple[Command, list[str]] | None:
    """The command that `words` begin with and the words left for it; the longest name wins."""
    for length in (2, 1):
        found = COMMANDS.get(tuple(words[:length]))
        if found:
            return found, list(words[length:])
    return None


def usage() -> str:
    """The listing of commands."""
    rows = [f"  acuse {' '.join(name):<16}{found.meaning}" for name, found in COMMANDS.items()]
    return "\n".join(["Acuse, service support with receipts.", "", *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 2 for a wrong command or setting."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    found = find_command(words)
    if found is None:
        print(f"acuse: there is no command {' '.join(words[:2])!r}\n\n{usage()}", file=sys.stderr)
        return USAGE_ERROR
    command, rest = found
    if command.is_function and rest:
        print(f"acuse: {words[0]} takes no further words, not {rest[0]!r}", file=sys.stderr)
        return USAGE_ERROR
    try:
        from acuse.connectors.postgres import PostgresError
    except ImportError as reason:
        raise SystemExit(f"acuse: {reason.name} is not installed; run `make run` once") from reason
    try:
        with _database() if command.database else nullcontext():
            return _function(command)() if command.is_function else _manage(command, rest)
    except PostgresError as reason:
        print(f"acuse: {reason}", file=sys.stderr)
        return 1
    except ValueError as reason:
        if type(reason).__name__ != "BadSetting":
            raise
        print(f"acuse: {reason}", file=sys.stderr)
        return USAGE_ERROR


def _database() -> AbstractContextManager[object]:
    from acuse.config import config, make_folder
    from acuse.connectors import postgres

    if not config.embedded:
        return nullcontext()
    make_folder(config.data)
    return postgres.running(config.data, config.postgres_binaries)


def _function(command: Command) -> Callable[[], int]:
    module, _, name = command.target.partition(":")
    if command.database:
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acuse.settings")
        django.setup()
    function = getattr(importlib.import_module(module), name)
    return lambda: int(function() or 0)


def _manage(command: Command, rest: list[str]) -> int:
    from django.core.management import ManagementUtility

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acuse.settings")
    ManagementUtility(["acuse", command.target, *rest]).execute()
    return 0
