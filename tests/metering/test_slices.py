"""Long texts are counted slice by slice: the count is the same, and no step is long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.metering.encodings import ENCODINGS, FACTS
from aigw.metering.slices import BREAKS, LONGEST, count_text, slices

NAMES = sorted(FACTS)
WORDS = st.text(
    st.sampled_from("abcXYZéß東京あ1239'\u2019 .,!?-\n\t\r(){}/\"<|>_=%&~ \u0301\u0e01\u0e31👍\u3001\u3002\uff0c"),
    max_size=30,
)
TEXTS = st.lists(WORDS, max_size=200).map("x ".join)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_slices_do_not_change_the_count(name, text):
    """Where words and punctuation alternate, the sum over the slices is the count of the whole text."""
    encoding = ENCODINGS.load(name)

    assert count_text(encoding, text) == len(encoding.encode_ordinary(text))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", ["a", "Z", "é", "東", "7", "'s", "don't", "x1", "²", "ก"])
@pytest.mark.parametrize("after", ["", "b", " ", "  ", "\n", "\r\n x", "/", "s", "'s"])
def test_a_text_may_be_cut_before_any_break(name, before, after):
    """A letter or digit never shares a token with the break that follows it."""
    encoding = ENCODINGS.load(name)
    apart = {mark: [before, mark + after] for mark in BREAKS}
    wrong = [
        mark
        for mark, pieces in apart.items()
        if encoding.encode_ordinary("".join(pieces))
        != [token for piece in pieces for token in encoding.encode_ordinary(piece)]
    ]

    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("run", [" ", "\n", "!", " !", "\r\n"])
def test_a_run_of_breaks_is_not_cut(name, run):
    """Spaces or punctuation in a row, which share tokens, are cut only before the first of them."""
    encoding = ENCODINGS.load(name)
    text = "hello " * 84 + "w" + run * 20 + "y"

    assert len(text) > LONGEST
    assert count_text(encoding, text) == len(encoding.encode_ordinary(text))


@given(st.text(max_size=3000))
def test_slices_are_short_and_complete(text):
    """No slice is longer than the bound, and together they are the text."""
    found = list(slices(text))

    assert "".join(found) == text
    assert all(len(piece) <= LONGEST for piece in found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("letter", ["a", " ", "0", "!", "é", "中", "\n", "ab", "1f", "A b"])
def test_a_long_run_is_counted_nearly(name, letter):
    """Even a run of the same letter, which must be cut anywhere, is counted to within one in a hundred."""
    encoding = ENCODINGS.load(name)
    text = letter * 20_000
    exact = len(encoding.encode_ordinary(text))

    assert exact <= count_text(encoding, text) <= exact * 1.01 + 2


@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_are_ordinary_text(name):
    """A prompt that quotes a special token is counted like any other, and raises nothing."""
    encoding = ENCODINGS.load(name)

    assert count_text(encoding, "<|endoftext|>") == len(encoding.encode_ordinary("<|endoftext|>")) > 1
