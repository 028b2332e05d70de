"""`acuse due`: let fall due what is due; `--until` moves the demo's clock there."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from acuse.interfaces.jobs import falling
from acuse.interfaces.mail import intake
from acuse.interfaces.web import clock
from acuse.models import Deadline


class Command(BaseCommand):
    help = "Fires what falls due up to a moment and moves the clock there (development only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--until", help="ISO 8601 with its zone: 2026-12-01T09:00-05:00")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            until = datetime.fromisoformat(options["until"]) if options["until"] else clock.now()
            for done in falling.let_time_pass(until, intake.take_in_all):
                if isinstance(done, Deadline):
                    self.stderr.write(f"{done.due_at.isoformat()} {done} failed: {done.error}")
                else:
                    self.stdout.write(f"{done.at.isoformat()} {done.receipt} {done.kind}")
        except ValueError as reason:
            raise CommandError(f"--until: {reason}") from reason
        except clock.NotInProduction as reason:
            raise CommandError(str(reason)) from reason
