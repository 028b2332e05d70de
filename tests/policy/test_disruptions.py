"""Declared outages: texts by language, and which reports they explain (P04, P06)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.disruptions import LANGUAGES, LONGEST, check_texts, concerns, text_for
from acuse.policy.fields import InvalidField


@given(texts=st.dictionaries(st.sampled_from(LANGUAGES), st.text(max_size=5)))
def test_everybody_reads_their_language_or_another(texts: dict[str, str]) -> None:
    given_ = {code: text.strip() for code, text in texts.items() if text.strip()}
    if not given_:
        with pytest.raises(InvalidField, match="text_es"):
            check_texts(texts)
        return
    kept = check_texts(texts)
    assert kept == given_
    for code in LANGUAGES:
        assert text_for(kept, code) == kept.get(code, text_for(kept, code))
        assert text_for(kept, code) in kept.values()


def test_a_text_that_is_too_long_is_named_by_its_language() -> None:
    assert check_texts({"pt": "x" * LONGEST}) == {"pt": "x" * LONGEST}
    with pytest.raises(InvalidField) as wrong:
        check_texts({"es": "Bien", "en": "x" * (LONGEST + 1)})
    assert wrong.value.field == "text_en"
    assert text_for({}, "es") == ""


REACH = [(11, 1), (12, 1), (21, 2)]


@pytest.mark.parametrize(
    ("environment", "organisation", "expected"),
    [
        (11, 1, True),
        (13, 1, False),  # another system of the same customer works
        (None, 1, True),  # a mail names none
        (None, 3, False),
        (None, None, False),
        (21, None, True),
    ],
)
def test_a_report_is_explained_by_its_environment_or_its_customer(
    environment: int | None, organisation: int | None, expected: bool
) -> None:
    assert concerns(environment, organisation, REACH) is expected
    assert not concerns(environment, organisation, [])
