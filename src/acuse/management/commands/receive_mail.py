"""`acuse mail receive`: one raw message from standard input, kept as mail."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from acuse.interfaces.mail import pipe


class Command(BaseCommand):
    help = "Takes one raw message from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", default="", help="the address it came to")

    def handle(self, *args: Any, **options: Any) -> None:
        code, said = pipe.receive(sys.stdin.buffer, options["mailbox"])
        (self.stderr if code else self.stdout).write(said)
        if code:
            sys.exit(code)
