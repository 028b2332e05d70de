"""Reminders before a window ends: to the user, then to the service owner, as the policy says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.models import LedgerLine, Membership, Notice, Window
from acuse.policy.fields import InvalidField
from acuse.policy.versions import PolicyParameters, WindowReminder
from tests.world import World

ANA, OMAR = "ana@andina.example", "omar@andina.example"


def reminded(rules: PolicyParameters) -> list[tuple[int, set[str]]]:
    """How many business days before the end of a window of Andina's who of it is reminded."""
    world = World(rules)
    case = world.delivered("development")
    window = Window.objects.filter(case=case, closed_at__isnull=True).get()
    assert window.until is not None
    world.fire(window.until - timedelta(seconds=1))
    return told(case, window)


def told(case: object, window: Window) -> list[tuple[int, set[str]]]:
    days = [day.on for day in window.term.days if day.counted]
    calendar = window.calendar.calendar
    found = []
    for line in LedgerLine.objects.filter(case=case, kind="remind").order_by("seq"):
        if (
            line.payload["deadline"] == "acceptance_reminder"
            and line.payload["subject"] == window.pk
        ):
            due = datetime.fromisoformat(line.payload["due"])
            left = len(days) - 1 - days.index(calendar.local_day(due))
            people = Notice.objects.filter(line=line).values_list("person__email", flat=True)
            found.append((left, set(people)))
    return found


@pytest.mark.parametrize(
    ("given_days", "expected"),
    [
        ({}, [(2, {ANA}), (1, {ANA, OMAR})]),
        (
            {"reminder_days_before": (3,), "owner_reminder_days_before": (1,)},
            [(3, {ANA}), (1, {OMAR})],
        ),
        (
            {"reminder_days_before": (3, 1), "owner_reminder_days_before": (4, 1)},
            [(4, {OMAR}), (3, {ANA}), (1, {ANA, OMAR})],
        ),
        (
            {"reminder_days_before": (2, 1), "owner_reminder_days_before": ()},
            [(2, {ANA}), (1, {ANA})],
        ),
        ({"reminder_days_before": (), "owner_reminder_days_before": ()}, []),
    ],
)
def test_each_is_told_on_the_days_of_the_policy_version(
    db: None, given_days: dict[str, tuple[int, ...]], expected: list[tuple[int, set[str]]]
) -> None:
    assert reminded(PolicyParameters(**given_days)) == expected  # type: ignore[arg-type]


def test_without_an_owner_the_user_is_told(db: None) -> None:
    rules = PolicyParameters(reminder_days_before=(), owner_reminder_days_before=(1,))
    world = World(rules)
    case = world.delivered("development")
    window = Window.objects.filter(case=case, closed_at__isnull=True).get()
    assert window.until is not None
    Membership.objects.filter(person=world.omar).update(until=window.starts_at)
    world.fire(window.until - timedelta(seconds=1))
    assert told(case, window) == [(1, {ANA})]


DAYS = st.sets(st.integers(1, 4)).map(lambda days: tuple(sorted(days, reverse=True)))


@given(DAYS, st.none() | DAYS)
def test_every_day_is_one_reminder_and_older_versions_keep_theirs(
    user: tuple[int, ...], owner: tuple[int, ...] | None
) -> None:
    rules = PolicyParameters(reminder_days_before=user, owner_reminder_days_before=owner)
    found = rules.window_reminders
    assert [one.days for one in found if one.user] == list(user)
    assert [one.days for one in found if one.owner] == list(user[1:] if owner is None else owner)
    assert [one.days for one in found] == sorted({one.days for one in found}, reverse=True)
    assert all(one.user or one.owner for one in found)
    assert PolicyParameters.from_json(rules.to_json()) == rules
    older = {k: v for k, v in rules.to_json().items() if k != "owner_reminder_days_before"}
    assert PolicyParameters.from_json(older).window_reminders == tuple(
        WindowReminder(day, True, step > 0) for step, day in enumerate(user)
    )


@pytest.mark.parametrize(
    ("given_days", "rule"),
    [
        ((1, 2), "must fall"),
        ((5,), "fewer days"),
        ((0,), "whole number"),
        (2, "list of days"),
    ],
)
def test_wrong_days_are_told_by_name(given_days: object, rule: str) -> None:
    with pytest.raises(InvalidField, match=f"owner_reminder_days_before: .*{rule}"):
        PolicyParameters(owner_reminder_days_before=given_days)  # type: ignore[arg-type]
