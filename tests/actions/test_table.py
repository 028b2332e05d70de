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
    RefusalNote,
)
from acuse.models.roles import author_roles
from acuse.policy.authors import CLOCK, MONITOR, POSTMAN, Author
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Stage
from tests.world import PEOPLE, World

TABLES = (Case, LedgerLine, Deadline, Notice, Decision, Message, ClockInterval)


def counts() -> list[list[object]]:
    return [list(table.objects.order_by("pk").values()) for table in TABLES]


def test_every_act_is_a_function_of_its_own() -> None:
    assert set(FUNCTIONS) == set(ACTS)
    assert len(set(FUNCTIONS.values())) == len(ACTS)
    for name, function in FUNCTIONS.items():
        assert function.__name__ == name
        assert "(P" in function.__doc__ or "life.md" in function.__doc__ or name in (
            "remind", "breach", "build_pack", "split",
        )  # fmt: skip


@pytest.mark.parametrize("stage", Stage)
def test_outside_the_table_nothing_is_written_but_a_note(world: World, stage: Stage) -> None:
    case = world.at(stage)
    authors: list[str | Author] = [*PEOPLE, world.stranger(), CLOCK, MONITOR, POSTMAN]
    occasions = [world.on(case, author) for author in authors]
    before = counts()
    refused = noted = 0
    for occasion in occasions:
        person = next((p for p in world.people.values() if p.pk == occasion.by.person_id), None)
        roles = author_roles(occasion.by, person, case, occasion.at)
        for act in ACTS.values():
            if act.name == "open" or (stage in act.stages and roles & act.who):
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
    assert refused > 300
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
