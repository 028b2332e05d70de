"""Reply addresses and Message-IDs: what we signed is read back, anything else is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.keys import (
    Inlet,
    ReplyKey,
    bounce_address,
    digest_message_id,
    looks_signed,
    message_id,
    read_bounce_address,
    read_digest_message_id,
    read_message_id,
    read_reply_address,
    read_subject_tag,
    reply_address,
    subject_tag,
)

SECRET, OTHER = b"one secret", b"another secret"
SUPPORT = Inlet("soporte@example.com")
INLETS = [SUPPORT, Inlet("soporte@example.com", plus=False, domain="reply.example.com")]
IDS = st.integers(1, 10**12 - 1)


@given(case=IDS, person=IDS)
def test_a_reply_address_names_its_case_and_person(case: int, person: int) -> None:
    address = reply_address(SUPPORT, case, person, SECRET)
    assert address.startswith("soporte+c")
    assert address.endswith("@example.com")
    assert read_reply_address(address, SECRET) == ReplyKey(case, person)
    assert read_reply_address(address.upper(), SECRET) == ReplyKey(case, person)
    assert read_reply_address(f"Soporte <{address}>", SECRET) == ReplyKey(case, person)
    assert read_reply_address(address, OTHER) is None


@given(case=IDS, person=IDS, other=IDS)
def test_a_reply_address_serves_no_other_case_or_person(case: int, person: int, other: int) -> None:
    address = reply_address(SUPPORT, case, person, SECRET)
    if other != case:
        forged = address.replace(f"+c{case}.", f"+c{other}.")
        assert read_reply_address(forged, SECRET) is None
    if other != person:
        forged = address.replace(f".{person}.", f".{other}.", 1)
        assert read_reply_address(forged, SECRET) is None


@given(case=IDS, person=IDS)
def test_a_key_says_whether_the_firm_alone_was_told_and_neither_serves_as_the_other(
    case: int, person: int
) -> None:
    inner = reply_address(SUPPORT, case, person, SECRET, internal=True)
    outer = reply_address(SUPPORT, case, person, SECRET)
    for address in (inner, inner.upper()):
        assert read_reply_address(address, SECRET) == ReplyKey(case, person, internal=True)
    assert looks_signed(inner)
    for forged in (inner.replace("+n", "+c"), outer.replace("+c", "+n")):
        assert read_reply_address(forged, SECRET) is None


@pytest.mark.parametrize("inlet", INLETS)
@pytest.mark.parametrize("written", ["{}", "{} ", " <{}>", '"{}"'])
@given(case=IDS, person=IDS, notice=IDS)
def test_keys_are_read_in_every_form_and_letter_case(
    inlet: Inlet, written: str, case: int, person: int, notice: int
) -> None:
    reply = reply_address(inlet, case, person, SECRET)
    back = bounce_address(inlet, notice, SECRET)
    for address in (reply, reply.upper(), reply.title()):
        assert read_reply_address(written.format(address), SECRET) == ReplyKey(case, person)
    for address in (back, back.upper(), back.title()):
        assert read_bounce_address(written.format(address), SECRET) == notice
    assert read_bounce_address(reply, SECRET) is read_reply_address(back, SECRET) is None
    assert read_bounce_address(back, OTHER) is None
    assert looks_signed(reply)
    assert looks_signed(back)
    assert not looks_signed("soporte@example.com")


@given(notice=IDS, other=IDS)
def test_a_bounce_address_serves_no_other_notice(notice: int, other: int) -> None:
    forged = bounce_address(SUPPORT, notice, SECRET).replace(f"+b{notice}.", f"+b{other}.")
    assert read_bounce_address(forged, SECRET) == (notice if other == notice else None)


@given(digest=IDS, other=IDS)
def test_the_keys_of_a_digest_are_its_own(digest: int, other: int) -> None:
    back = bounce_address(SUPPORT, digest, SECRET, digest=True)
    for address in (back, back.upper()):
        assert read_bounce_address(address, SECRET, digest=True) == digest
    assert looks_signed(back)
    assert read_bounce_address(back, SECRET) is None  # no notice's
    notice = bounce_address(SUPPORT, digest, SECRET)
    assert read_bounce_address(notice.replace("+b", "+d"), SECRET, digest=True) is None
    forged = back.replace(f"+d{digest}.", f"+d{other}.")
    expected = digest if other == digest else None
    assert read_bounce_address(forged, SECRET, digest=True) == expected
    own = digest_message_id(digest, "example.com", SECRET)
    assert read_digest_message_id(f"<{own.upper()}>", SECRET) == digest
    assert read_digest_message_id(own, OTHER) is None
    assert read_digest_message_id("anything@example.com", SECRET) is None
    assert read_digest_message_id(own.replace(f"d{digest}.", f"d{other}."), SECRET) == expected


def test_a_mailbox_that_takes_no_key_keeps_its_plain_address() -> None:
    plain = Inlet("soporte@example.com", plus=False)
    assert reply_address(plain, 1, 2, SECRET) == "soporte@example.com"
    assert bounce_address(plain, 1, SECRET) == "soporte@example.com"
    long = Inlet(f"{'a' * 40}@example.com")
    assert reply_address(long, 1, 2, SECRET) == long.address
    assert len(reply_address(SUPPORT, 10**12 - 1, 10**12 - 1, SECRET).partition("@")[0]) <= 64


def test_a_common_address_has_no_key() -> None:
    assert read_reply_address("soporte@example.com", SECRET) is None
    assert read_reply_address("soporte+c1.2.short@example.com", SECRET) is None
    assert read_message_id("<abc@example.com>", SECRET) is None


@given(case=IDS, person=IDS, notice=IDS)
def test_a_message_id_is_always_the_same_and_is_read_back(
    case: int, person: int, notice: int
) -> None:
    made = message_id(case, person, notice, "example.com", SECRET)
    assert made == message_id(case, person, notice, "example.com", SECRET)
    assert read_message_id(f" <{made}> ", SECRET) == ReplyKey(case, person, notice)
    assert read_message_id(made, OTHER) is None


def test_the_two_kinds_of_key_do_not_stand_for_each_other() -> None:
    made = message_id(1, 2, 3, "example.com", SECRET)
    signature = made.split(".")[3].partition("@")[0]
    assert read_reply_address(f"soporte+c1.2.{signature}@example.com", SECRET) is None


@given(case=IDS)
def test_a_subject_proposes_its_case(case: int) -> None:
    assert read_subject_tag(f"RV: {subject_tag(case)} No imprime") == case
    assert read_subject_tag(f"re: {subject_tag(case).lower()}") == case
    assert read_subject_tag("No imprime [C-]") is None
