"""What a raw mail says, for a page: read by the parser that intake uses.

The parser belongs to the way in by mail, and the ways in know nothing of one another; so the
installation's settings name it, as they name the modules of the jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def read_mail(content: bytes) -> dict[str, Any]:
    """Everything that is to be known about a mail; the keys are told at interfaces/mail/parse.py.
    It reads whatever it is given, so that a mail which intake could not settle has a page too."""
    parse: Callable[[bytes], dict[str, Any]] = import_string(settings.MAIL_READER)
    return parse(content)
