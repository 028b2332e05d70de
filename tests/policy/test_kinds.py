"""The kinds of ledger line: typed payloads without anybody's words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from acuse.journal import outbox
from acuse.policy.kinds import KINDS, Kind, check_payload, plain
from acuse.policy.stages import ACTS, Stage

# Beside its own fields a sentence gets the author's name and what its version is called.
GIVEN = {"who", "number", "title"}


def test_every_act_has_its_kind() -> None:
    assert set(KINDS) == set(ACTS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_sentence_names_only_what_its_line_holds(kind: Kind) -> None:
    named = set(re.findall(r"%\((\w+)\)s", kind.sentence))
    assert named <= set(kind.fields) | GIVEN
    assert kind.sentence.endswith(".")
    if "number" in named:
        assert {"version", "estimate"} & set(kind.fields)
    if "title" in named:
        assert {"version", "deliverable"} & set(kind.fields)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_no_line_holds_anybodys_words(kind: Kind) -> None:
    """Only ids, codes, hashes, numbers and dates: words are in rows that can be erased."""
    for name, type_code in kind.fields.items():
        assert type_code.rstrip("?") in {
            "int", "code", "hash", "day", "moment", "bool", "ids", "hashes",
        }  # fmt: skip
        assert not re.search("text$|name|subject_|title|reason_", name) or type_code == "hash"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_whoever_is_told_is_a_group_that_the_outbox_knows(kind: Kind) -> None:
    assert set(kind.tells) <= set(outbox._GROUPS)
    assert kind.audience in ("customer", "firm")
    # What the firm keeps to itself reaches no customer and answers none.
    assert not (kind.audience == "firm" and kind.reaches)


def test_every_decision_of_the_customers_binds_and_is_told() -> None:
    for name in [
        "accept_proposal",
        "accept_proposal_tacitly",
        "reject_proposal",
        "authorize",
        "authorize_emergency",
        "decline",
        "accept",
        "accept_tacitly",
        "reject",
        "close",
        "approve_time",
        "dispute_time",
        "approve_statement",
        "dispute_statement",
    ]:
        assert KINDS[name].legal, name
        assert KINDS[name].tells, name


PAYLOAD = {"warranty": 3, "last_day": date(2026, 12, 2)}


def test_a_payload_is_kept_in_plain_types() -> None:
    assert check_payload(KINDS["end_warranty"], PAYLOAD) == {
        "warranty": 3,
        "last_day": "2026-12-02",
    }
    moment = datetime(2026, 11, 17, 14, tzinfo=UTC)
    assert plain([moment, Stage.CLOSED, (1, None), 2.5]) == [
        "2026-11-17T14:00:00+00:00",
        "closed",
        [1, None],
        2.5,
    ]
    assert type(plain(Stage.CLOSED)) is str


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"warranty": None}, "end_warranty.warranty: expected int"),
        ({"warranty": True}, "end_warranty.warranty: expected int"),
        ({"warranty": "3"}, "end_warranty.warranty: expected int"),
        ({"last_day": 5}, "end_warranty.last_day: expected day"),
        ({"more": 1}, "fields do not match the kind: more"),
    ],
)
def test_a_payload_of_another_shape_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_payload(KINDS["end_warranty"], {**PAYLOAD, **change})


def test_a_missing_field_is_refused_and_an_empty_one_may_be_null() -> None:
    with pytest.raises(ValueError, match="last_day"):
        check_payload(KINDS["end_warranty"], {"warranty": 3})
    assert check_payload(KINDS["authorize"], {"decision": 1, "estimate": None})["estimate"] is None
    with pytest.raises(ValueError, match="estimate"):
        check_payload(KINDS["authorize"], {"decision": 1, "estimate": False})
