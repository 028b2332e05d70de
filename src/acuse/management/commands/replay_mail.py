"""`acuse mail replay`: read held or failed mail again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from acuse.actions import mail
from acuse.interfaces.mail import intake
from acuse.interfaces.web import clock
from acuse.models import RawMail


class Command(BaseCommand):
    help = "Reads kept mail again that was held or has failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, nargs="+", help="number of the kept mail")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in options["id"]:
            try:
                mail.replay(RawMail.objects.get(pk=number))
            except (RawMail.DoesNotExist, ValueError) as reason:
                raise CommandError(f"mail {number}: {reason}") from reason
            state = intake.take_in(number, clock.now())
            raw = RawMail.objects.get(pk=number)
            self.stdout.write(f"mail {number}: {' '.join(filter(None, [state, raw.reason]))}")
