"""`acuse case show C-17`: a case with its terms, deadlines and ledger, as the firm sees it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from acuse.interfaces.web import clock
from acuse.models import Case
from acuse.queries import sheet


class Command(BaseCommand):
    help = "Shows a case: facts, sentence, terms with their days, deadlines and ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="C-17")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = sheet.sheet(options["number"], clock.now())
        except Case.DoesNotExist as missing:
            raise CommandError(_("There is no case %(number)s.") % options) from missing
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(sheet.as_text(found)))
