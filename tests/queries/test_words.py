"""Sentences: who follows a case is named, and no sentence ends in two full stops."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from acuse.actions import conversation
from acuse.models import LedgerLine
from acuse.queries.words import fill, line_sentence, line_sentences
from tests.world import World, last_line


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It is for %(who)s.", "It is for Andina S.A.S."),
        ("%(who)s. And more.", "Andina S.A.S. And more."),
        ("%(who)s took it.", "Andina S.A.S. took it."),
        ("%(who)s: %(number)s.", "Andina S.A.S.: 7."),
        ("See %(who)s.pdf.", "See Andina S.A.S..pdf."),
        ("%(gone)s...", "Gone...."),
    ],
)
def test_a_name_that_ends_in_a_full_stop_brings_no_second_one(sentence: str, expected: str) -> None:
    words = {"who": "Andina S.A.S.", "number": 7, "gone": "Gone."}
    assert fill(sentence, words) == expected


@given(who=st.text(), text=st.text("abc .", max_size=20))
def test_nothing_but_one_full_stop_is_ever_left_out(who: str, text: str) -> None:
    plain = f"{text}{who}."
    assert fill(f"{text}%(who)s.", {"who": who}) == (plain[:-1] if who.endswith(".") else plain)


def test_a_change_of_who_follows_says_whom(world: World) -> None:
    case = world.report()
    conversation.watch(world.on(case, "ana"), person=world.beto)
    with translation.override("en"):
        assert line_sentence(last_line(case)) == (
            f"{world.ana} changed who follows the case: {world.beto} follows it."
        )
    conversation.watch(world.on(case, "sara"), person=world.beto, following=False)
    with translation.override("en"):
        assert line_sentence(last_line(case)) == (
            f"{world.sara} changed who follows the case: {world.beto} no longer follows it."
        )


def test_many_followers_are_named_at_the_cost_of_one(world: World) -> None:
    case, counts = world.report(), []
    for who in (world.ana, world.beto, world.carlos):
        conversation.watch(world.on(case, "sara"), person=who)
        lines = list(LedgerLine.objects.filter(case=case).select_related("author"))
        with CaptureQueriesContext(connection) as asked:
            line_sentences(lines)
        counts.append(len(asked))
    assert len(set(counts)) == 1
