"""Signs the heads of all chains as of yesterday, where the nightly job has not yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from acuse.interfaces.jobs.tasks import sign_heads


class Command(BaseCommand):
    help = "Signs today's checkpoint of the ledger for the last day that has ended."

    def handle(self, *args: Any, **options: Any) -> None:
        point = sign_heads()
        said = f"checkpoint {point.on}: {point.hash}" if point else "that day is signed already"
        self.stdout.write(said)
