"""Refusals: one shape for every door, and words for each."""

from __future__ import annotations

import re

import pytest

from acuse.policy.refusals import REASONS, Refused

# What each sentence names, beside the act's stage and who could.
PARAMS = {
    "already_decided": {"by": "Ana", "when": "today"},
    "window_ended": {"last_day": "2026-11-24"},
    "reason_unknown": {"value": "x"},
    "stale_version": {"number": 2},
    "emergency_cap": {"minutes": 480},
    "time_locked": {"state": "approved"},
    "statement_state": {"state": "issued"},
    "rate_missing": {"activity": "meeting"},
    "names_another": {"value": "C-7"},
    "mentions_customer": {"value": "Ana"},
    "mention_unclear": {"value": "ana"},
}


@pytest.mark.parametrize("code", REASONS)
def test_every_refusal_reads_as_a_sentence(code: str) -> None:
    named = set(re.findall(r"%\((\w+)\)s", REASONS[code]))
    assert named - {"stage", "who"} == set(PARAMS.get(code, {}))
    text = str(Refused(code, "accept", "delivered", ["user", "owner"], **PARAMS.get(code, {})))
    assert text.startswith("accept: ")
    assert "%(" not in text
    assert text.endswith((".", "?"))


def test_a_refusal_says_what_where_who_and_which_field() -> None:
    told = Refused("not_your_role", "accept", "delivered", ["user", "owner"], "version")
    assert (told.code, told.act, told.stage) == ("not_your_role", "accept", "delivered")
    assert told.who == ("owner", "user")
    assert told.field == "version"
    assert "owner, user" in str(told)


def test_a_refusal_without_words_cannot_be_given() -> None:
    with pytest.raises(KeyError, match="no_such_reason"):
        Refused("no_such_reason")
