"""`acuse mail poll`: one look into every mailbox on another server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from acuse.connectors.trouble import Trouble
from acuse.interfaces.mail.poller import Session, polled_accounts


class Command(BaseCommand):
    help = "Looks once into every mailbox on another server: keeps new mail, files what was read."

    def handle(self, *args: Any, **options: Any) -> str | None:
        for account in polled_accounts():
            session = Session(account)
            try:
                left = session.look()
                self.stdout.write(f"{account.mailbox}: {left} to be read")
            except Trouble as trouble:
                self.stderr.write(f"{account.mailbox}: {trouble}")
            finally:
                session.close()
        return None
