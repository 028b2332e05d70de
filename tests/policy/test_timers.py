"""What a timer has counted: whole minutes, at least one, and none that was forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.billing import Activity
from acuse.policy.fields import InvalidField
from acuse.policy.stages import Stage
from acuse.policy.timers import FORGOTTEN, measure, usual_activity

AT = datetime(2026, 11, 17, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, 1), (29, 1), (89, 1), (90, 2), (2819, 47), (2850, 48)]
)
def test_a_minute_counts_from_its_half_on(seconds: int, minutes: int) -> None:
    assert measure(AT, AT + timedelta(seconds=seconds)).proposed == minutes


@given(st.timedeltas(timedelta(0), timedelta(days=40)))
def test_what_is_counted_is_near_and_what_was_forgotten_is_not_proposed(ran: timedelta) -> None:
    found = measure(AT, AT + ran)
    assert found.minutes >= 1
    assert abs(timedelta(minutes=found.minutes) - ran) <= timedelta(minutes=1)
    assert (found.proposed is None) == (ran > FORGOTTEN)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidField):
        measure(AT, AT - timedelta(seconds=1))
    with pytest.raises(InvalidField):
        measure(AT.replace(tzinfo=None), AT)


def test_every_stage_has_its_usual_activity() -> None:
    assert {usual_activity(stage) for stage in Stage} <= set(Activity)
    assert usual_activity(Stage.IN_PROGRESS) is Activity.EXECUTION
    assert usual_activity(Stage.RECEIVED) is Activity.DIAGNOSIS
