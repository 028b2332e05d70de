"""`acuse init`: the firm and first administrator of a real installation."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from acuse.config import config
from acuse.interfaces.demo.setup import set_up
from acuse.interfaces.web import clock
from acuse.policy.fields import InvalidField


class Command(BaseCommand):
    help = "Founds a real installation: firm, first administrator, calendar, policy and mailbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--firm", required=True, help="the firm's name")
        parser.add_argument("--admin-email", required=True, help="where the codes to enter go")
        parser.add_argument("--admin-name", required=True, help="the administrator's name")
        parser.add_argument("--mailbox", default=config.main_mailbox, help="the main mailbox")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("firm", "admin_email", "admin_name", "mailbox")
        firm, admin_email, admin_name, mailbox = (options[name] for name in names)
        try:
            made = set_up(firm, admin_email, admin_name, mailbox, clock.now())
        except InvalidField as wrong:
            raise CommandError(f"--{wrong.field}: {_(wrong.rule) % wrong.params}") from wrong
        self.stdout.write("\n".join(made))
