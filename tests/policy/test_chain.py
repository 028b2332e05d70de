"""The chain: any edit, gap, disorder, cut or rewrite shows; and strangers can recompute it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from enum import StrEnum
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.chain import (
    GENESIS,
    Fault,
    Head,
    Line,
    canonical,
    checkpoint_bytes,
    checkpoint_hash,
    compare,
    line_hash,
    merkle_root,
    salted,
    verify,
)
from acuse.policy.fields import InvalidField

TEXTS = st.text(st.characters(codec="utf-8"))
SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
PAYLOADS = st.recursive(
    st.none() | st.booleans() | SAFE | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


def chain(length: int, case: int = 1, act: str = "comment") -> list[Line]:
    lines: list[Line] = []
    previous = GENESIS
    for seq in range(1, length + 1):
        fields = {"case": case, "seq": seq, "act": act, "payload": {"number": seq}}
        lines.append(Line(case, seq, previous, line_hash(previous, fields), fields))
        previous = lines[-1].hash
    return lines


def head(lines: list[Line]) -> Head:
    return Head(lines[-1].case, lines[-1].seq, lines[-1].hash)


def codes(faults: list[Fault]) -> list[tuple[int, str]]:
    return [(fault.position, fault.code) for fault in faults]


# Canonical JSON


@given(payload=PAYLOADS)
def test_canonical_json_is_json_and_reads_back(payload: object) -> None:
    assert json.loads(canonical(payload)) == payload
    assert canonical(json.loads(canonical(payload))) == canonical(payload)


@given(payload=st.dictionaries(TEXTS, SAFE))
def test_the_order_of_keys_changes_nothing(payload: dict[str, int]) -> None:
    assert canonical(dict(reversed(payload.items()))) == canonical(payload)


def test_canonical_json_is_that_of_rfc_8785() -> None:
    # Its sorting example (section 3.2.3): UTF-16 code units, not code points.
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(keys))) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]
    assert canonical({"b": [True, None, -1], "a": 'ñ\n\x0f"/\\'}) == (
        b'{"a":"\xc3\xb1\\n\\u000f\\"/\\\\","b":[true,null,-1]}'
    )


class Code(StrEnum):
    OPEN = "open"


def test_codes_are_written_as_their_text() -> None:
    assert canonical({Code.OPEN: Code.OPEN}) == b'{"open":"open"}'


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (1.0, "payload: float is not exact JSON"),
        ({"a": [0, float("nan")]}, r"payload.a\[1\]: float is not exact JSON"),
        ({"a": (1, 2)}, "payload.a: tuple is not exact JSON"),
        ({"at": date(2026, 1, 1)}, "payload.at: date is not exact JSON"),
        ({"a": b"x"}, "payload.a: bytes is not exact JSON"),
        ({1: "a"}, "payload: every key must be a text, not 1"),
        ({"a": 2**53}, "payload.a: must be an integer of at most"),
        ({"a": -(2**53)}, "payload.a: must be an integer of at most"),
        (["\ud800"], r"payload\[0\]: must be valid Unicode"),
        ({"\udfff": 1}, "payload: must be valid Unicode"),
    ],
)
def test_what_is_not_exact_json_is_refused_by_its_place(payload: object, told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        canonical(payload)


# Lines


def test_a_line_is_recomputed_with_public_tools() -> None:
    fields = {"case": 7, "seq": 1, "act": "open"}
    text = "acuse ledger line 1\n" + GENESIS + "\n" + '{"act":"open","case":7,"seq":1}'
    assert line_hash(GENESIS, fields) == sha256(text.encode()).hexdigest()


def test_a_line_must_say_which_it_is_and_follow_a_hash() -> None:
    with pytest.raises(InvalidField, match="fields.case: must be there"):
        line_hash(GENESIS, {"seq": 1})
    with pytest.raises(InvalidField, match="fields.seq: must be there"):
        line_hash(GENESIS, {"case": 1})
    for wrong in ("", "0" * 63, "g" * 64, "A" * 64, "0" * 64 + "\n"):
        with pytest.raises(InvalidField, match="previous: must be 64 hexadecimal digits"):
            line_hash(wrong, {"case": 1, "seq": 1})


def test_a_salted_hash_is_an_hmac_and_needs_its_salt() -> None:
    # RFC 4231, test case 1.
    assert salted("Hi There", b"\x0b" * 20) == (
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    assert salted("ñ", b"s" * 16) == salted("ñ".encode(), b"s" * 16)
    assert salted("ñ", b"s" * 16) != salted("ñ", b"t" * 16)
    with pytest.raises(InvalidField, match="salt: must have at least 16 bytes"):
        salted("x", b"s" * 15)


# Chains


@given(length=st.integers(0, 12))
def test_a_whole_chain_has_no_fault(length: int) -> None:
    assert verify(chain(length)) == []


def edit_fields(line: Line) -> Line:
    return replace(line, fields={**line.fields, "act": "accept"})


def edit_hash(line: Line) -> Line:
    return replace(line, hash="f" * 64)


def renumber_fields(line: Line) -> Line:
    return replace(line, fields={**line.fields, "seq": 99})


def break_payload(line: Line) -> Line:
    return replace(line, fields={**line.fields, "payload": 1.5})


@given(
    length=st.integers(1, 9),
    where=st.integers(0, 8),
    edit=st.sampled_from([edit_fields, renumber_fields, break_payload]),
)
def test_an_edited_line_shows_and_only_it(
    length: int, where: int, edit: Callable[[Line], Line]
) -> None:
    lines = chain(length)
    at = where % length
    lines[at] = edit(lines[at])
    assert codes(verify(lines)) == [(at + 1, "edited")]


def test_an_edited_hash_shows_on_its_line_and_the_next() -> None:
    lines = chain(4)
    lines[1] = edit_hash(lines[1])
    assert codes(verify(lines)) == [(2, "edited"), (3, "wrong_previous")]


def test_an_edit_with_its_hash_made_anew_shows_on_the_next() -> None:
    lines = chain(4)
    fields = {**lines[1].fields, "act": "accept"}
    forged = replace(lines[1], fields=fields, hash=line_hash(lines[1].previous, fields))
    lines[1] = forged
    (fault,) = verify(lines)
    assert (fault.position, fault.code, fault.case) == (3, "wrong_previous", 1)
    assert forged.hash in fault.detail


@given(length=st.integers(2, 9), where=st.integers(0, 7))
def test_a_missing_line_shows_as_a_gap(length: int, where: int) -> None:
    lines = chain(length)
    gone = where % (length - 1)
    del lines[gone]
    assert codes(verify(lines)) == [(gone + 1, "gap")]


def test_a_gap_says_what_is_missing() -> None:
    lines = chain(6)
    (fault,) = verify(lines[:1] + lines[4:])
    assert fault == Fault(2, "gap", "lines 2 to 4", 1)


def test_lines_out_of_order_or_twice_show() -> None:
    one, two, three, four = chain(4)
    assert codes(verify([one, three, two, four])) == [(2, "gap"), (2, "order")]
    assert codes(verify([one, two, two, three, four])) == [(2, "order")]
    assert codes(verify([replace(one, seq=0)])) == [(0, "edited"), (0, "order")]


def test_a_chain_must_begin_at_the_beginning() -> None:
    fields = {"case": 1, "seq": 1}
    grafted = Line(1, 1, "e" * 64, line_hash("e" * 64, fields), fields)
    assert codes(verify([grafted])) == [(1, "wrong_previous")]


def test_a_line_of_another_case_shows_wherever_it_is_put() -> None:
    lines = chain(3)
    stranger = chain(2, case=2)[1]
    faults = verify([lines[0], stranger, *lines[1:]])
    assert faults == [Fault(2, "other_case", "belongs to case 2", 1)]
    # Moved by its column only, its fields give it away.
    moved = replace(stranger, case=1)
    assert (2, "edited") in codes(verify([lines[0], moved, lines[2]]))


# Checkpoints


def leaf(case: int, seq: int, hash_: str) -> bytes:
    text = f'{{"case":{case},"hash":"{hash_}","seq":{seq}}}'
    return sha256(b"\x00" + text.encode()).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def test_the_root_is_the_tree_of_rfc_6962() -> None:
    heads = [Head(case, case + 1, f"{case:064x}") for case in range(1, 6)]
    a, b, c, d, e = (leaf(item.case, item.seq, item.hash) for item in heads)
    assert merkle_root([]) == sha256(b"").hexdigest()
    assert merkle_root(heads[:1]) == a.hex()
    assert merkle_root(heads[:2]) == node(a, b).hex()
    assert merkle_root(heads[:3]) == node(node(a, b), c).hex()
    assert merkle_root(heads) == node(node(node(a, b), node(c, d)), e).hex()


@given(
    heads=st.lists(
        st.builds(Head, st.integers(1, 999), st.integers(1, 9), st.just("a" * 64)),
        unique_by=lambda item: item.case,
        min_size=1,
    ),
    data=st.data(),
)
def test_the_root_depends_on_every_head_and_not_on_their_order(
    heads: list[Head], data: st.DataObject
) -> None:
    root = merkle_root(heads)
    assert merkle_root(reversed(heads)) == root
    at = data.draw(st.integers(0, len(heads) - 1))
    assert merkle_root(heads[:at] + heads[at + 1 :]) != root
    for changed in (replace(heads[at], hash="b" * 64), replace(heads[at], seq=10)):
        assert merkle_root([*heads[:at], changed, *heads[at + 1 :]]) != root


def test_a_case_has_one_head() -> None:
    with pytest.raises(InvalidField, match="heads: must name each case once"):
        merkle_root([Head(1, 1, "a" * 64), Head(1, 2, "b" * 64)])


def test_a_checkpoint_is_a_text_that_names_the_one_before() -> None:
    heads = [Head(2, 1, "b" * 64), Head(1, 3, "a" * 64)]
    first = checkpoint_bytes(date(2026, 11, 22), heads, GENESIS)
    assert first == (
        b"acuse checkpoint 1\n"
        + f'{{"heads":2,"on":"2026-11-22","previous":"{GENESIS}",'.encode()
        + f'"root":"{merkle_root(heads)}"}}'.encode()
    )
    second = checkpoint_bytes(date(2026, 11, 23), heads, checkpoint_hash(first))
    assert checkpoint_hash(first).encode() in second
    assert checkpoint_hash(first) == sha256(first).hexdigest()
    with pytest.raises(InvalidField, match="previous_checkpoint_hash: must be 64"):
        checkpoint_bytes(date(2026, 11, 23), heads, "")


@given(lengths=st.lists(st.integers(1, 5), max_size=5), more=st.integers(0, 3))
def test_chains_that_only_grew_agree_with_the_checkpoint(lengths: list[int], more: int) -> None:
    heads = [head(chain(length, case)) for case, length in enumerate(lengths)]
    today = [line for case, length in enumerate(lengths) for line in chain(length + more, case)]
    assert compare(heads, [*reversed(today), *chain(2, case=99)]) == []


def test_a_cut_tail_shows_although_the_chain_is_whole() -> None:
    lines = chain(5)
    assert verify(lines[:3]) == []
    assert compare([head(lines)], lines[:3]) == [
        Fault(5, "cut_tail", "line 5 is missing, the last is 3", 1)
    ]
    assert compare([head(lines)], []) == [
        Fault(5, "cut_tail", "line 5 is missing, the last is 0", 1)
    ]


def test_a_rewritten_chain_shows_although_it_is_whole() -> None:
    signed, rewritten = chain(5), chain(7, act="accept")
    assert verify(rewritten) == []
    (fault,) = compare([head(signed)], rewritten)
    assert (fault.position, fault.code, fault.case) == (5, "rewritten", 1)
    assert signed[-1].hash in fault.detail


def test_a_signed_line_lost_from_the_middle_is_a_gap() -> None:
    lines = chain(7)
    assert codes(compare([head(lines[:5])], lines[:4] + lines[5:])) == [(5, "gap")]
