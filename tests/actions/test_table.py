"""The stage table holds at the writer: outside it every act is refused, whoever tries, and leaves
nothing but a note."""

from __future__ import annotations

import pytest

from acuse.actions.registry import FUNCTIONS
from acuse.models import (
    Case,
    ClockInterval,
    Deadline,
    Decision,
    LedgerLine,
    Message,
    Notice,
    Person,
    RefusalNote,
)
from acuse.models.roles import author_roles
from acuse.policy.authors import CLOCK, MONITOR, POSTMAN, Author, Occasion
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Stage
from tests.world import PEOPLE, World

TABLES = (Case, LedgerLine, Deadline, Notice, Decision, Message, ClockInterval)


def counts() -> list[list[object]]:
    return [list(table.objects.order_by("pk").values()) for table in TABLES]


def person_of(occasion: Occasion) -> Person | None:
    return Person.objects.filter(pk=occasion.by.person_id).first()


def test_every_act_is_a_function_of_its_own() -> None:
    assert set(FUNCTIONS) == set(ACTS)
    assert len(set(FUNCTIONS.values())) == len(ACTS)
    for name, function in FUNCTIONS.items():
        assert function.__name__ == name
        assert function.__doc__


@pytest.mark.parametrize("stage", Stage)
def test_outside_the_table_nothing_is_written_but_a_note(world: World, stage: Stage) -> None:
    case = world.at(stage)
    authors: list[str | Author] = [*PEOPLE, world.stranger(), CLOCK, MONITOR, POSTMAN]
    occasions = [world.on(case, author) for author in authors]
    roles = [author_roles(o.by, person_of(o), case, o.at) for o in occasions]
    turn = list(Stage).index(stage)
    before = counts()
    refused = noted = 0
    for number, act in enumerate(row for row in ACTS.values() if row.name != "open"):
        # Two authors each, others in another stage: through all stages everybody tries.
        for k in (number + 2 * turn, number + 2 * turn + 1):
            occasion, held = occasions[k % len(occasions)], roles[k % len(occasions)]
            if stage in act.stages and held & act.who:
                continue
            with pytest.raises(Refused) as told:
                FUNCTIONS[act.name](occasion)
            assert told.value.act == act.name
            assert told.value.stage == stage
            assert set(told.value.who) == act.who
            # Where another came first, one who could have is told by whom instead.
            assert told.value.code in ("not_in_stage", "not_your_role", "already_decided")
            refused += 1
            noted += occasion.by.person_id is not None
    assert refused > 60
    assert RefusalNote.objects.count() == noted
    assert counts() == before


def test_a_note_of_a_refusal_says_what_was_tried(world: World) -> None:
    case = world.delivered()
    with pytest.raises(Refused):
        FUNCTIONS["accept"](world.on(case, "sara"), version=case.versions.latest("pk"))
    note = RefusalNote.objects.get()
    assert (note.case, note.person, note.act, note.code) == (
        case, world.sara, "accept", "not_your_role",
    )  # fmt: skip
    assert (note.stage, note.channel) == ("delivered", "desk")
