"""The words of `acuse` that have to do with mail."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from acuse.models import Case, RawMail
from tests.mail.post import arrived, kept, written
from tests.world import World


def test_a_held_mail_is_read_again(world: World) -> None:
    raw = arrived(b"Subject: hola\r\n\r\nQuien soy")
    out = io.StringIO()
    call_command("replay_mail", str(raw.pk), stdout=out)
    assert out.getvalue().strip() == f"mail {raw.pk}: held no_sender"


def test_only_held_or_failed_mail_is_read_again(world: World) -> None:
    raw = kept(written("ana@andina.example"))
    for number, reason in ((raw.pk, "neither held nor failed"), (raw.pk + 1, "does not exist")):
        with pytest.raises(CommandError, match=reason):
            call_command("replay_mail", str(number))


def test_what_is_read_is_shown_and_nothing_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = written("Ana <ana@andina.example>", attach=("f.pdf", b"%PDF-1"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    out = io.StringIO()
    call_command("parse_mail", stdout=out)
    shown = json.loads(out.getvalue())
    assert (shown["from_email"], shown["subject"]) == ("ana@andina.example", "No imprime")
    assert shown["attachments"][0]["data"] == "(6 bytes)"
    assert not RawMail.objects.exists()
    assert not Case.objects.exists()


def test_the_pipe_takes_standard_input(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written("ana@andina.example")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    out = io.StringIO()
    call_command("receive_mail", stdout=out)
    assert out.getvalue().strip() == f"kept as mail {RawMail.objects.get().pk}"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    err = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("receive_mail", stderr=err)
    assert left.value.code == 65
    assert "no message" in err.getvalue()
