"""`acuse mail parse`: what is read from a message, changing nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from acuse.interfaces.mail.parse import parse


class Command(BaseCommand):
    help = "Shows as JSON what is read from a raw message on standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        parsed = parse(sys.stdin.buffer.read())
        for file in parsed["attachments"]:
            file["data"] = f"({file['size']} bytes)"
        self.stdout.write(json.dumps(parsed, ensure_ascii=False, indent=2, default=str))
