"""`acuse demo`: fill an empty development installation with a firm and its history."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from acuse.config import config
from acuse.interfaces.demo.load import NoDemo, load
from acuse.interfaces.web import clock


class Command(BaseCommand):
    help = "Fills an empty development installation with a demo firm and its cases."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = load(config, clock.now())
        except NoDemo as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(
            _("Demo firm: %(people)s people, %(cases)s cases, %(lines)s ledger lines. Enter as:")
            % {"people": made.people, "cases": made.cases, "lines": made.lines}
        )
        for role, address in made.addresses.items():
            self.stdout.write(f"  {role:<16}{address}")
