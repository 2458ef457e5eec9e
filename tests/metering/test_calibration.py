"""Calibration: what models count, learned from what providers report; and how long answers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.metering import calibration, outputs
from aigw.metering.calibration import LEAST, MOST, PRIOR, Calibration
from aigw.metering.outputs import REMEMBERED, Outputs


@given(st.floats(0.3, 3.5), st.lists(st.integers(200, 100_000), min_size=200, max_size=200))
def test_it_converges(ratio, prompts):
    """After two hundred prompts the factor is within two in a hundred of what the provider counts."""
    learned = Calibration()
    for measured in prompts:
        learned.learn("llama", measured, round(measured * ratio))

    assert learned.factor("llama") == pytest.approx(ratio, rel=0.02)


@given(st.lists(st.tuples(st.integers(-5, 10**9), st.integers(-5, 10**9)), max_size=50))
def test_absurd_counts_are_bounded(counts):
    """Whatever is reported, the factor stays within its bounds, and other models do not change."""
    learned = Calibration()
    for measured, counted in counts:
        learned.learn("llama", measured, counted)

    assert LEAST <= learned.factor("llama") <= MOST
    assert learned.factor("claude") == PRIOR


def test_a_change_is_learned():
    """Prompts in another language are followed after some forty calls."""
    learned = Calibration()
    for _ in range(1000):
        learned.learn("llama", 1000, 800)
    for _ in range(60):
        learned.learn("llama", 1000, 1600)

    assert learned.factor("llama") > 1.5


def test_short_prompts_weigh_little():
    """A prompt of a few tokens, of which most are overhead, moves the factor hardly."""
    learned = Calibration()
    learned.learn("llama", 5, 50)

    assert learned.factor("llama") == pytest.approx(PRIOR, abs=0.1)


def test_models_are_forgotten(monkeypatch):
    """However many models are named, only so many are remembered."""
    monkeypatch.setattr(calibration, "MOST_MODELS", 2)
    monkeypatch.setattr(outputs, "MOST_KEYS", 2)
    learned, lengths = Calibration(), Outputs()
    for model in ("a", "b", "c"):
        learned.learn(model, 1000, 2000)
        lengths.learn("route", model, 10)

    assert learned.factor("a") == PRIOR < learned.factor("c")
    assert [lengths.guess("route", model) for model in "abc"] == [None, 10, 10]


def test_the_guess_is_the_ninth_decile():
    """Nine of ten answers are not longer than the guess, of each route and model apart."""
    lengths = Outputs()
    for tokens in range(1, 101):
        lengths.learn("smart", "m", tokens)
    lengths.learn("other", "m", 7)

    assert lengths.guess("smart", "m") == 90
    assert lengths.guess("other", "m") == 7
    assert lengths.guess("smart", "n") is None


def test_old_answers_are_forgotten():
    """The last two hundred answers count."""
    lengths = Outputs()
    for tokens in [10_000] * 500 + [10] * REMEMBERED:
        lengths.learn("smart", "m", tokens)

    assert lengths.guess("smart", "m") == 10


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_the_guess_is_never_far_behind(tokens):
    """Asked after each answer, the guess is one of the last answers, and at the start it is exact."""
    lengths = Outputs()
    for number, one in enumerate(tokens):
        lengths.learn("smart", "m", one)
        known = sorted(tokens[: number + 1][-REMEMBERED:])
        guess = lengths.guess("smart", "m")
        if number < 19:
            assert guess == known[-(-len(known) * 9 // 10) - 1]

    assert guess in tokens
