"""Statements whose SQL is made once write and read exactly what Django writes and reads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from acuse.actions import mail
from acuse.models import (
    Case,
    Deadline,
    LedgerLine,
    Mailbox,
    Membership,
    Organisation,
    Person,
    Rate,
    RateVersion,
    RawMail,
    sql,
)
from acuse.models.people import find_person, get_person
from tests.world import START, World


def columns(row: models.Model) -> dict[str, Any]:
    found = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    return {k: bytes(v) if isinstance(v, memoryview) else v for k, v in found.items()}


def stored(row: models.Model) -> dict[str, Any]:
    return columns(type(row)._base_manager.get(pk=row.pk))


def test_inserted_rows_are_what_django_reads(world: World) -> None:
    """Bytes, JSON, lists, money, moments, what the database fills in, and a key that is ours."""
    raw = RawMail(
        mailbox=world.mailbox,
        sha256="a" * 64,
        content=b"\x00\xff",
        size=2,
        arrived_at=START,
        envelope_to=["ana@example.org", "b'\"{}"],
        proposal={"ñ": [1, None, True]},
    )
    sql.insert(raw)
    assert raw.pk
    assert not raw._state.adding
    assert raw.stored_at == RawMail.objects.get(pk=raw.pk).stored_at
    assert columns(raw) == stored(raw)
    version = RateVersion.objects.create(name="x", number=1, currency="COP")
    rates = [
        Rate(version=version, activity=name, hourly=Decimal(n)) for n, name in enumerate("abc")
    ]
    sql.insert(*rates)
    assert [columns(rate) for rate in rates] == [stored(rate) for rate in rates]
    assert [rate.hourly for rate in Rate.objects.filter(version=version).order_by("pk")] == [
        0,
        1,
        2,
    ]


def test_inserting_nothing_asks_nothing(world: World) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        sql.insert()
    assert len(asked) == 0


def test_an_insert_keeps_the_databases_rules(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.insert(Deadline(case_id=None, kind="first_response", due_at=START))


def test_update_writes_the_named_columns_only(world: World) -> None:
    case = world.report()
    before = stored(case)
    case.subject, case.language = "Otro", "pt"
    sql.update(case, "subject")
    assert stored(case) == {**before, "subject": "Otro"}
    sql.update(case)
    assert stored(case) == {**before, "subject": "Otro", "language": "pt"}
    case.pk = 10**9
    with pytest.raises(Case.DoesNotExist):
        sql.update(case)


@pytest.mark.parametrize("model", [Case, LedgerLine, Person, RawMail, Membership, Deadline])
def test_records_read_are_those_of_django(world: World, model: type[models.Model]) -> None:
    world.report()
    mail.keep(b"From: a@b.example\r\n\r\nx", world.mailbox, arrived_at=START)
    read = sql.read(f'from "{model._meta.db_table}" r order by id', [], r=model)
    wanted = list(model._base_manager.order_by("pk"))
    assert wanted
    assert [columns(row) for (row,) in read] == [columns(row) for row in wanted]
    assert all(
        row == other and not row._state.adding for (row,), other in zip(read, wanted, strict=True)
    )


def test_an_outer_join_that_finds_nothing_reads_none(world: World) -> None:
    raw = mail.keep(b"From: a@b.example\r\n\r\nx", world.mailbox, arrived_at=START)
    join = "from acuse_rawmail r left join acuse_mailbox m on m.id = {} where r.id = %s"
    kept, box, one = sql.read(join.format("r.mailbox_id"), [raw.pk], "1", r=RawMail, m=Mailbox)[0]
    assert (kept, box, one) == (raw, world.mailbox, 1)
    assert sql.read(join.format("-1"), [raw.pk], r=RawMail, m=Mailbox) == [(raw, None)]


def test_a_person_is_read_with_what_they_are_at_once(world: World) -> None:
    with CaptureQueriesContext(connection) as asked:
        ana = find_person(" ANA@andina.example ")
        assert ana is not None
        held = ana.all_memberships()
        assert [m.organisation.name for m in held] == [world.andina.name]
        assert not ana.is_firm
    assert len(asked) == 1
    assert ana == world.ana
    assert find_person("nobody@andina.example") is None
    several = get_person(world.mario.pk)
    assert sorted(m.role for m in several.all_memberships()) == sorted(
        Membership.objects.filter(person=world.mario).values_list("role", flat=True)
    )
    with pytest.raises(Person.DoesNotExist):
        get_person(10**9)


def test_somebody_without_memberships_is_found(world: World) -> None:
    Membership.objects.filter(person=world.nora).delete()
    nora = get_person(world.nora.pk)
    assert nora.all_memberships() == []
    assert nora.active_memberships() == []


def test_a_membership_counts_by_the_databases_clock(world: World) -> None:
    held = Membership.objects.filter(person=world.ana)
    begun = held.get().since
    held.update(until=begun + timedelta(days=1))
    assert get_person(world.ana.pk).active_memberships() == []
    Organisation.objects.filter(pk=world.brisa.pk).update(active=False)
    assert get_person(world.nora.pk).active_memberships() == []


@pytest.mark.parametrize("model", [Case, LedgerLine, Person, RawMail, Membership, Deadline, Rate])
def test_together_reads_what_django_reads(world: World, model: type[models.Model]) -> None:
    """Bytes, moments with microseconds, JSON, money: each as Django has it, of every column."""
    world.delivered()
    mail.keep(b"\x00\xff", world.mailbox, arrived_at=START + timedelta(microseconds=7))
    every = model._base_manager.order_by("-pk")
    wanted = list(every)
    assert wanted
    with CaptureQueriesContext(connection) as asked:
        one, none, never, first = sql.together(
            every.all(), every.filter(pk=-1), every.filter(pk__in=[]), every.all()[:1]
        )
    assert len(asked) == 1
    assert [columns(row) for row in one] == [columns(row) for row in wanted]
    assert [{k: type(v) for k, v in columns(row).items()} for row in one] == [
        {k: type(v) for k, v in columns(row).items()} for row in wanted
    ]
    assert (none, never, first) == ([], [], wanted[:1])


def test_together_keeps_annotations_and_exact_numbers(world: World) -> None:
    version = RateVersion.objects.create(name="x", number=1, currency="COP")
    exact = Decimal("123456789012.10")
    Rate.objects.create(version=version, activity="a", hourly=exact)
    mine = Rate.objects.filter(version=version).annotate(double=models.F("hourly") * 2)
    [[rate]] = sql.together(mine)
    assert rate.hourly == exact
    assert str(rate.hourly) == "123456789012.10"
    assert rate.double == 2 * float(exact)
