"""`acuse ledger verify`: check every chain against its checkpoints."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from acuse.connectors import signing
from acuse.queries import ledger


class Command(BaseCommand):
    help = "Checks every chain, every checkpoint and what they say of each other."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = ledger.verify(signing.is_signed)
        for fault in faults:
            place = f"C-{fault.case}/{fault.position}" if fault.case else "checkpoint"
            self.stdout.write(f"{place}: {fault.code}: {fault.detail}")
        if faults:
            sys.exit(1)
        self.stdout.write("The ledger is whole.")
        for key_id in ledger.signing_keys():
            self.stdout.write(f"Its checkpoints are signed with the key {key_id}.")
