"""Incidents: grouping, flap damping, recovery, silence, by property over random signals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.incidents import (
    CALM,
    FLAPS_FROM,
    SETTLED,
    Condition,
    Step,
    Streak,
    Told,
    fingerprint,
    hear,
    next_step,
    proposes_closing,
    take,
)

START = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Watched:
    """One thing watched over time: its incidents and what was done about them."""

    now: Condition | None = None
    done: list[tuple[datetime, Step]] = field(default_factory=list)
    case_ended: bool = False

    def signal(self, failing: bool, at: datetime, silenced: bool = False) -> None:
        if self.now is None:
            if not failing:
                return
            self.now, self.case_ended = Condition(True, at), False
        self.now = hear(self.now, failing, at, silenced=silenced)
        self.tick(at, silenced)

    def tick(self, at: datetime, silenced: bool = False) -> None:
        if self.now is None:
            return
        step = next_step(self.now, at, silenced=silenced, case_ended=self.case_ended)
        if step is None:
            return
        self.done.append((at, step))
        self.now = None if step is Step.END else take(self.now, step)

    @property
    def steps(self) -> list[Step]:
        return [step for _, step in self.done]


def test_a_failure_opens_a_case_and_its_recovery_is_noted() -> None:
    thing = Watched()
    thing.signal(True, START)
    thing.signal(True, START + MINUTE)
    thing.signal(False, START + 2 * MINUTE)
    assert thing.steps == [Step.OPEN, Step.RECOVER]
    thing.signal(True, START + 60 * MINUTE)
    assert thing.steps[-1] is Step.AGAIN


def test_what_works_opens_nothing() -> None:
    thing = Watched()
    thing.signal(False, START)
    assert thing.now is None


def test_what_comes_and_goes_is_told_once_and_recovers_after_calm() -> None:
    thing = Watched()
    for number in range(100):
        thing.signal(number % 2 == 0, START + number * timedelta(seconds=20))
    assert thing.steps == [Step.OPEN, Step.RECOVER, Step.AGAIN, Step.RECOVER, Step.FLAPS]
    last = START + 99 * timedelta(seconds=20)
    thing.tick(last + CALM - timedelta(seconds=1))
    assert thing.steps[-1] is Step.FLAPS
    thing.tick(last + CALM)
    assert thing.steps[-1] is Step.RECOVER


def test_an_ended_case_is_not_followed_by_another_while_it_fails() -> None:
    thing = Watched()
    thing.signal(True, START)
    thing.case_ended = True
    for number in range(1, 9):
        thing.signal(True, START + number * MINUTE)
    assert thing.steps == [Step.OPEN]
    thing.signal(False, START + 10 * MINUTE)
    assert thing.steps == [Step.OPEN, Step.END]
    thing.signal(True, START + 11 * MINUTE)
    assert thing.steps == [Step.OPEN, Step.END, Step.OPEN]


def test_maintenance_silences_until_its_end() -> None:
    thing = Watched()
    thing.signal(True, START, silenced=True)
    thing.tick(START + MINUTE, silenced=True)
    assert thing.steps == []
    thing.tick(START + 2 * MINUTE)
    assert thing.steps == [Step.OPEN]
    quiet = Watched()
    quiet.signal(True, START, silenced=True)
    quiet.signal(False, START + MINUTE, silenced=True)
    assert quiet.steps == [Step.END]


signals = st.lists(
    st.tuples(
        st.integers(0, 20),  # minutes since the one before
        st.sampled_from(["fail", "work", "tick", "end"]),
        st.booleans(),
    ),
    max_size=60,
)


def play(told: list[tuple[int, str, bool]]) -> tuple[Watched, datetime]:
    thing, at = Watched(), START
    for minutes, what, silenced in told:
        at += minutes * MINUTE
        if what == "end":
            thing.case_ended = thing.now is not None and thing.now.told is not Told.NOTHING
        elif what == "tick":
            thing.tick(at, silenced)
        else:
            thing.signal(what == "fail", at, silenced)
    return thing, at


@given(signals)
def test_one_case_an_incident_and_the_notes_alternate(told: list[tuple[int, str, bool]]) -> None:
    thing, _ = play(told)
    before = Step.END
    after = {
        Step.END: {Step.OPEN, Step.END},
        Step.OPEN: {Step.RECOVER, Step.FLAPS, Step.END},
        Step.AGAIN: {Step.RECOVER, Step.FLAPS, Step.END},
        Step.FLAPS: {Step.RECOVER, Step.END},
        Step.RECOVER: {Step.AGAIN, Step.FLAPS, Step.END},
    }
    for step in thing.steps:
        assert step in after[before], (before, step)
        before = step


@given(signals)
def test_once_it_is_quiet_the_case_knows_how_things_stand(
    told: list[tuple[int, str, bool]],
) -> None:
    thing, at = play([row for row in told if row[1] != "end"])
    for number in range(90):
        thing.tick(at + number * MINUTE)
    if thing.now is not None:
        wanted = {Told.FAILING, Told.FLAPPING} if thing.now.failing else {Told.RECOVERED}
        assert thing.now.told in wanted


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=200))
def test_no_quarter_of_an_hour_brings_more_than_a_few_notes(
    told: list[tuple[int, bool]],
) -> None:
    thing, at = Watched(), START
    for seconds, failing in told:
        at += timedelta(seconds=seconds)
        thing.signal(failing, at)
    moments = [moment for moment, _ in thing.done]
    for first in moments:
        assert len([one for one in moments if first <= one < first + CALM]) <= FLAPS_FROM + 2


@given(signals)
def test_nothing_but_an_end_happens_in_maintenance(told: list[tuple[int, str, bool]]) -> None:
    thing, _ = play([(minutes, what, True) for minutes, what, _ in told])
    assert set(thing.steps) <= {Step.END}


def test_closing_is_proposed_an_hour_after_the_recovery() -> None:
    well = Condition(False, START, Told.RECOVERED)
    assert not proposes_closing(well, START + SETTLED - MINUTE)
    assert proposes_closing(well, START + SETTLED)
    assert not proposes_closing(Condition(True, START, Told.FAILING), START + SETTLED)


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_a_check_turns_only_after_so_many_in_a_row(
    results: list[bool], to_open: int, to_recover: int
) -> None:
    streak = Streak()
    for number, passes in enumerate(results):
        before = streak
        streak = streak.count(passes, to_open=to_open, to_recover=to_recover)
        needed = to_recover if before.failing else to_open
        last = results[max(0, number + 1 - needed) : number + 1]
        turned = len(last) == needed and set(last) == {before.failing}
        assert (streak.failing != before.failing) == turned


@pytest.mark.parametrize("parts", [("a", 1), ("a", 2), ("b", 1)])
def test_fingerprints_are_hashes_of_their_own(parts: tuple[object, ...]) -> None:
    others = {fingerprint(*other) for other in [("a", 1), ("a", 2), ("b", 1)] if other != parts}
    assert len(fingerprint(*parts)) == 64
    assert fingerprint(*parts) not in others
