"""Authors and occasions: who, through which door, when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acuse.policy.authors import (
    CLOCK,
    MONITOR,
    POSTMAN,
    Author,
    AuthorKind,
    Channel,
    Occasion,
    person,
)


def test_a_person_is_named_and_a_machine_is_not() -> None:
    ana = person(7, Channel.API, token_id=3)
    assert (ana.kind, ana.channel, ana.person_id, ana.token_id) == ("person", "api", 7, 3)
    for machine in (CLOCK, MONITOR, POSTMAN):
        assert machine.person_id is None
        assert machine.kind is not AuthorKind.PERSON


@pytest.mark.parametrize(
    ("kind", "who"), [(AuthorKind.PERSON, None), (AuthorKind.CLOCK, 7), (AuthorKind.SYSTEM, 7)]
)
def test_nobody_acts_as_another_kind_of_author(kind: AuthorKind, who: int | None) -> None:
    with pytest.raises(ValueError, match="person_id"):
        Author(kind, Channel.CLI, who)


def test_an_unknown_channel_is_no_channel() -> None:
    with pytest.raises(ValueError, match="telegram"):
        person(7, "telegram")  # type: ignore[arg-type]


def test_an_occasion_needs_its_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Occasion(1, CLOCK, datetime(2026, 11, 17, 9, 0))
    assert Occasion(1, CLOCK, datetime(2026, 11, 17, 9, 0, tzinfo=UTC)).key == ""
