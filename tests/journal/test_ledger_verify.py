"""The ledger cannot be changed by anybody who asks the database, and whoever forces it shows."""

from __future__ import annotations

import stat
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from acuse.actions import aftercare, conversation
from acuse.actions.checkpoint import write_checkpoint
from acuse.connectors import signing
from acuse.interfaces.jobs.tasks import sign_heads
from acuse.models import Case, Checkpoint, LedgerLine, Message, SigningKey
from acuse.policy import chain
from acuse.queries import ledger
from tests.world import START, World

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_keys(settings: LazySettings, tmp_path: Path) -> Path:
    settings.KEYS = tmp_path / "keys"
    return settings.KEYS


def codes() -> list[str]:
    return [fault.code for fault in ledger.verify(signing.is_signed)]


def force(statement: str, *params: Any) -> None:
    """What the database's owner could do: past the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(statement, params)
        cursor.execute("set local session_replication_role = origin")


@transaction.atomic
def ask(statement: str) -> None:
    """What anybody could do who speaks to the database."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def sign(on: date) -> Checkpoint | None:
    signer = signing.load_signer()
    return write_checkpoint(
        on,
        START,
        key_id=signer.key_id,
        algorithm=signing.ALGORITHM,
        public=signer.public,
        sign=signer.sign,
    )


def rechain(case: Case, start: int) -> None:
    """Rewrite the hashes from a line on, as a careful forger would."""
    previous = ""
    for line in LedgerLine.objects.filter(case=case).order_by("seq"):
        if line.seq >= start:
            previous = previous or chain.GENESIS
            new = chain.line_hash(previous, line.hashed_fields())
            force(
                "update acuse_ledgerline set previous = %s, hash = %s where id = %s",
                previous,
                new,
                line.pk,
            )
            previous = new
        else:
            previous = line.hash
    force("update acuse_case set head = %s where id = %s", previous, case.pk)


@pytest.mark.parametrize("table", ["acuse_ledgerline", "acuse_checkpoint"])
@pytest.mark.parametrize(
    "statement", ["update {} set at = now()", "delete from {}", "truncate {} cascade"]
)
def test_the_database_refuses_to_change_it(world: World, table: str, statement: str) -> None:
    world.report()
    sign(START.date())
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")  # or truncate has another reason
    with pytest.raises(IntegrityError, match="append-only"):
        ask(statement.format(table))
    assert codes() == []


def test_a_whole_ledger_has_no_fault(world: World) -> None:
    world.closed("development")
    sign(START.date())
    case = world.delivered("development")
    sign(START.date() + DAY)
    conversation.comment(world.on(case, "ana"), text="Hola")
    assert codes() == []
    assert Checkpoint.objects.get(on=START.date() + DAY).previous == (
        Checkpoint.objects.get(on=START.date()).hash
    )


def test_an_edit_shows(world: World) -> None:
    case = world.analysed()
    force("update acuse_ledgerline set kind = 'take' where case_id = %s and seq = 1", case.pk)
    assert "edited" in codes()


def test_a_gap_shows(world: World) -> None:
    case = world.analysed()
    force("delete from acuse_notice where case_id = %s", case.pk)
    force("delete from acuse_ledgerline where case_id = %s and seq = 2", case.pk)
    assert "gap" in codes()


def test_a_cut_tail_shows_by_the_case(world: World) -> None:
    case = world.analysed()
    force("delete from acuse_ledgerline where case_id = %s and seq = 3", case.pk)
    assert codes() == ["cut_tail"]


def test_a_chain_that_is_gone_altogether_shows(world: World) -> None:
    case = world.report()
    force("delete from acuse_notice where case_id = %s", case.pk)
    force("delete from acuse_ledgerline where case_id = %s", case.pk)
    assert codes() == ["cut_tail"]


def test_a_cut_tail_hidden_in_the_case_shows_by_the_checkpoint(world: World) -> None:
    case = world.analysed()
    sign(START.date())
    force("delete from acuse_ledgerline where case_id = %s and seq = 3", case.pk)
    head = LedgerLine.objects.get(case=case, seq=2).hash
    force("update acuse_case set lines = 2, head = %s where id = %s", head, case.pk)
    assert codes() == ["cut_tail"]


def test_a_rewritten_chain_shows_by_the_checkpoint(world: World) -> None:
    case = world.analysed()
    sign(START.date())
    force("update acuse_ledgerline set channel = 'mail' where case_id = %s and seq = 2", case.pk)
    rechain(case, 2)
    assert codes() == ["rewritten"]


def test_a_head_of_the_case_that_differs_shows(world: World) -> None:
    case = world.report()
    force("update acuse_case set head = %s where id = %s", "0" * 64, case.pk)
    assert codes() == ["rewritten"]


def test_a_forged_checkpoint_shows(world: World) -> None:
    case = world.analysed()
    point = sign(START.date())
    assert point is not None
    before = [list(row) for row in point.heads]
    head = LedgerLine.objects.get(case=case, seq=2)
    heads = [[case.pk, 2, head.hash]]
    force("update acuse_checkpoint set heads = %s::jsonb", str(heads).replace("'", '"'))
    assert codes() == ["edited", "not_signed"]
    # ... also by somebody who computes all but the signature again
    content = chain.checkpoint_bytes(point.on, [chain.Head(case.pk, 2, head.hash)], point.previous)
    force(
        "update acuse_checkpoint set hash = %s, root = %s",
        chain.checkpoint_hash(content),
        chain.merkle_root([chain.Head(case.pk, 2, head.hash)]),
    )
    assert codes() == ["not_signed"]
    force("update acuse_checkpoint set heads = '[[1, 2]]'::jsonb")
    assert codes() == ["edited"]
    assert before == [[case.pk, 3, LedgerLine.objects.get(case=case, seq=3).hash]]


def test_a_checkpoint_taken_out_shows(world: World) -> None:
    world.report()
    for days in range(3):
        sign(START.date() + days * DAY)
    force('delete from acuse_checkpoint where "on" = %s', START.date() + DAY)
    assert codes() == ["wrong_previous"]


def test_a_text_that_is_not_what_was_written_shows(world: World) -> None:
    case = world.report()
    Message.objects.filter(case=case).update(text="Otra cosa")
    assert codes() == ["text_edited"]
    Message.objects.filter(case=case).update(text="Desde hoy no imprime.")
    assert codes() == []
    force("delete from acuse_message where case_id = %s", case.pk)
    assert codes() == ["text_missing"]


def test_an_erased_text_is_no_fault(world: World) -> None:
    case = world.closed("development")
    aftercare.anonymise(world.on(case, "mario"))
    assert codes() == []


def test_one_checkpoint_a_day_and_none_before_the_last(world: World) -> None:
    world.report()
    assert sign(START.date()) is not None
    assert sign(START.date()) is None
    assert sign(START.date() - DAY) is None
    assert sign(START.date() + DAY) is not None


def test_the_nightly_job_signs_the_day_that_has_ended(world: World) -> None:
    world.report()
    point = sign_heads()
    assert point is not None
    assert point.on == (point.at - DAY).date()
    assert sign_heads() is None
    assert SigningKey.objects.count() == 1
    assert codes() == []


def test_the_key_is_its_owners_and_stays(own_keys: Path) -> None:
    first, again = signing.load_signer(), signing.load_signer()
    assert first.key_id == again.key_id
    assert stat.S_IMODE((own_keys / "checkpoint.pem").stat().st_mode) == 0o600
    signature = first.sign(b"content")
    assert signing.is_signed(b"content", signature, again.public)
    assert not signing.is_signed(b"other", signature, again.public)
    assert not signing.is_signed(b"content", "no base64", again.public)
    assert not signing.is_signed(b"content", signature, "no key")
    assert not signing.is_signed(b"content", signature, signing.load_signer("another").public)


def test_the_command_tells_faults_and_fails(world: World) -> None:
    case = world.analysed()
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "whole" in out.getvalue()
    force("update acuse_ledgerline set kind = 'take' where case_id = %s and seq = 1", case.pk)
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("verify_ledger", stdout=out)
    assert left.value.code == 1
    assert f"C-{case.pk}/1: edited" in out.getvalue()


def test_the_keys_that_signed_are_named(world: World) -> None:
    """So that whoever kept the key's id elsewhere sees a ledger signed anew by another."""
    assert ledger.signing_keys() == []
    point = sign(START.date())
    assert point is not None
    assert ledger.signing_keys() == [point.key_id]
