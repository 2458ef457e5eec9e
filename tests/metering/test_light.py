"""`LightEncoding`: the very tokens of tiktoken, without its pause."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.metering.encodings import ENCODINGS, FACTS, LIGHT
from aigw.metering.light import KEPT, LONGEST_PIECE, LightEncoding

TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from([*"aZ 9'\n\t.,é敏😀\u017f", "the", " don't", "'LL", "   ", "1234", "\r\n", "ing", "\u017fs"])
).map("".join)


@pytest.mark.parametrize("name", FACTS)
@settings(max_examples=400, deadline=None)
@given(text=TEXTS)
def test_it_encodes_as_tiktoken_does(name, text):
    """Any text gives the same tokens."""
    assert LIGHT.load(name).encode_ordinary(text) == list(ENCODINGS.load(name).encode_ordinary(text))


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize(
    "text", ["a\ud800b\ud83d\ude00", "", "x" * LONGEST_PIECE, "qxzj" * 31, "Donaudampfschifffahrtsgesellschaft " * 20]
)
def test_halves_of_characters_and_long_words(name, text):
    """So do texts that are no proper ones, and long words."""
    assert LIGHT.load(name).encode_ordinary(text) == list(ENCODINGS.load(name).encode_ordinary(text))


def test_a_piece_without_an_end_is_cut():
    """What is longer than any word is merged in parts, with one or two tokens more or fewer for each cut."""
    text = "qxzjv" * 200
    light = LIGHT.load("o200k_base").encode_ordinary(text)
    exact = ENCODINGS.load("o200k_base").encode_ordinary(text)

    assert ENCODINGS.load("o200k_base").decode(light) == text
    assert abs(len(light) - len(exact)) <= 2 * len(text) // LONGEST_PIECE


def test_not_everything_is_remembered():
    """The pieces that are remembered do not become more and more."""
    light = LightEncoding(r"\d+|\s", ((bytes([byte]), byte) for byte in range(256)))
    for number in range(KEPT + 100):
        light.encode_ordinary(str(number))

    assert len(light._known) <= KEPT
    assert light.encode_ordinary("12 3") == list(b"12 3")
