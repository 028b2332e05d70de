"""What a monitor notes on a case that it opened (P06)."""

from __future__ import annotations

from ..journal.writer import Writing, act
from ..models import Audience, Environment, MessageKind
from ..policy.kinds import Payload
from .writing import require_text, write_message


@act("open_environment_alert")
def open_environment_alert(
    w: Writing, *, environment: Environment, fingerprint: str, text: str
) -> Payload:
    """A monitor notes one more alert of the same incident; one failure is one case (P06)."""
    _require_same(w, environment)
    message = write_message(
        w, MessageKind.INTERNAL_NOTE, require_text(w, text), audience=Audience.FIRM
    )
    return {
        "message": message.pk,
        "environment": environment.pk,
        "fingerprint": fingerprint,
        "text_hash": message.hash_of(),
    }


@act("recover")
def recover(w: Writing, *, environment: Environment, fingerprint: str) -> Payload:
    """A monitor notes that the system works again; a person decides what follows (P06)."""
    _require_same(w, environment)
    return {"environment": environment.pk, "fingerprint": fingerprint}


def _require_same(w: Writing, environment: Environment) -> None:
    if environment.organisation_id != w.case.organisation_id:
        w.refuse("other_customer", "environment")
