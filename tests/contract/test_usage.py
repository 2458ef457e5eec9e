"""Tokens: counted in the same way at every provider, whole or streamed; unknown is not zero."""

from __future__ import annotations

from aigw import Usage
from contract.bench import answered
from contract.endpoints import every_endpoint, whole_and_streamed
from contract.said import Counts, Said


@every_endpoint
@whole_and_streamed
def test_they_mean_the_same_everywhere(endpoint, streamed):
    """Input holds what was cached, output holds the reasoning; what a provider does not tell is ``None``."""
    asked = answered(endpoint, Said(), streamed=streamed)
    expected = Counts().usage(endpoint.oracle.tells(endpoint.provider))

    assert asked.answer.usage == expected
    assert asked.answer.estimated_usage is None
    assert asked.answer.trace.attempts[-1].usage == expected


@every_endpoint
@whole_and_streamed
def test_none_at_all(endpoint, streamed):
    """A server that tells nothing gives ``None``, and a guess that says that it is one."""
    asked = answered(endpoint, Said(counts=None), streamed=streamed)
    guess = asked.answer.estimated_usage

    assert asked.answer.usage is None
    assert guess is not None
    assert guess.estimated
    assert guess.input > 0
    assert guess.output > 0
    assert asked.answer.text == Said().text


@every_endpoint
@whole_and_streamed
def test_nothing_cached_is_zero(endpoint, streamed):
    """A count that is told as zero is zero, not unknown."""
    counts = Counts(input=9, output=5, cached=0, written=0, reasoning=0)
    usage = answered(endpoint, Said(counts=counts), streamed=streamed).answer.usage

    assert usage == counts.usage(endpoint.oracle.tells(endpoint.provider))
    assert usage == Usage(9, 5, usage.cached, usage.cache_written, usage.reasoning)
