"""`acuse init`: a real installation gets its firm once, with everything a first case needs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from acuse.actions import life
from acuse.interfaces.demo.setup import set_up
from acuse.models import (
    CalendarVersion,
    Mailbox,
    Organisation,
    Person,
    PolicyVersion,
    Rate,
    RateVersion,
)
from acuse.policy.authors import Channel, Occasion, person
from acuse.policy.fields import InvalidField
from acuse.policy.stages import Role

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
GIVEN = ("Cumbre Real", "ada@cumbre.example", "Ada Admin", "soporte@cumbre.example")


def test_founds_firm_administrator_and_standard_versions() -> None:
    set_up(*GIVEN, now=NOW)
    ada = Person.objects.get(email="ada@cumbre.example")
    held = ada.memberships.in_force(NOW).filter(organisation__kind="firm")
    assert set(held.values_list("role", flat=True)) == {Role.ADMINISTRATOR, Role.MANAGER}
    assert not ada.has_usable_password()
    policy = PolicyVersion.objects.get()
    assert "Políticas de servicio de Cumbre Real" in policy.text
    assert "dispone de 5 días hábiles" in policy.text
    assert "garantía de 15 días calendario" in policy.text
    assert "{" not in policy.text
    rates = RateVersion.objects.get()
    assert rates.currency == "COP"
    free = Rate.objects.filter(version=rates, hourly=0).values_list("activity", flat=True)
    assert set(free) == {"correction", "warranty", "internal"}
    assert Mailbox.objects.get().address == "soporte@cumbre.example"


def test_the_calendar_is_not_reviewed_and_the_message_says_so() -> None:
    with override("en"):
        said = set_up(*GIVEN, now=NOW)
    calendar = CalendarVersion.objects.get().calendar
    assert calendar.reviewed_years == frozenset()
    assert {day.year for day in calendar.holidays} == {2025, 2026, 2027}
    assert any("2025 to 2027" in sentence and "not been reviewed" in sentence for sentence in said)


def test_the_administrator_can_open_a_case_at_once() -> None:
    set_up(*GIVEN, now=NOW)
    ada = Person.objects.get(email="ada@cumbre.example")
    line = life.open(
        Occasion(None, person(ada.pk, Channel.DESK), NOW), subject="Prueba", text="Primera."
    )
    assert line.case.policy == PolicyVersion.objects.get()


def test_a_second_firm_is_refused_in_plain_words() -> None:
    arguments = ["--firm", "Una", "--admin-email", "a@b.example", "--admin-name", "A"]
    call_command("init", *arguments)
    with pytest.raises(CommandError, match="--firm.*Una"):
        call_command("init", "--firm", "Otra", *arguments[2:])
    assert Organisation.objects.get().name == "Una"
    assert Mailbox.objects.get().address == "soporte@example.com"


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (0, "  ", "firm"),
        (1, "nobody", "admin-email"),
        (2, "", "admin-name"),
        (3, "@cumbre.example", "mailbox"),
    ],
)
def test_bad_input_names_its_field_and_leaves_nothing(place: int, value: str, field: str) -> None:
    given = list(GIVEN)
    given[place] = value
    with pytest.raises(InvalidField) as refused:
        set_up(*given, now=NOW)
    assert refused.value.field == field
    assert not Organisation.objects.exists()
    assert not Person.objects.get_queryset().exists()
