"""Whether an act may be tried at all: asked before its details are complete."""

from __future__ import annotations

from ..journal import writer
from ..policy.authors import Occasion


def require_allowed(name: str, occasion: Occasion) -> None:
    """Ask the tables and nothing else, as the act itself will again. Raises Refused, noted as
    any refusal is."""
    writer.ask(name, occasion)
