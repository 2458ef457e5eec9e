"""Token counts in the OpenAI format."""

from __future__ import annotations

import pytest
from hypothesis import given

from aigw.chunk import Usage
from aigw.wire.usage import parse_usage, render_usage, usage_rest
from strategies import usages


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        (None, None),
        ({}, None),
        ("12", None),
        ({"total_tokens": 3}, None),
        ({"prompt_tokens": 3}, None),
        ({"prompt_tokens": None, "completion_tokens": 1}, None),
        ({"prompt_tokens": -1, "completion_tokens": 1}, None),
        ({"prompt_tokens": "3", "completion_tokens": True}, None),
        ({"prompt_tokens": 3, "completion_tokens": 1}, Usage(3, 1)),
        ({"prompt_tokens": 3, "completion_tokens": 0, "prompt_tokens_details": None}, Usage(3, 0)),
        (
            {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}},
            Usage(3, 1, cached=0),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 7, 2, 3, 5),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 7, "prompt_cache_hit_tokens": 4}, Usage(9, 7, cached=4)),
        ({"prompt_tokens": 9, "completion_tokens": 7, "reasoning_tokens": 4}, Usage(9, 7, reasoning=4)),
    ],
)
def test_what_is_not_told_is_none_and_never_zero(data: object, usage: Usage | None) -> None:
    """Missing, null or senseless counts are unknown; zero is zero only where the provider wrote it."""
    assert parse_usage(data) == usage


def test_embeddings_have_no_output_to_count() -> None:
    """Without output tokens to count, the prompt alone is a usage."""
    assert parse_usage({"prompt_tokens": 3, "total_tokens": 3}, has_output=False) == Usage(3, 0)


def test_counts_that_are_not_modelled_are_kept_as_they_lay() -> None:
    """Costs and further details are what is left over, in their places; what is modelled or null is not."""
    data = {
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "total_tokens": 4,
        "cost": 0.25,
        "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1, "text_tokens": None},
    }

    assert usage_rest(data) == {"cost": 0.25, "prompt_tokens_details": {"audio_tokens": 2}}
    assert usage_rest(None) == {}


@given(usages)
def test_usage_survives_the_wire(usage: Usage) -> None:
    """What was rendered is read back, and nothing is left over."""
    rendered = render_usage(usage)

    assert parse_usage(rendered) == usage
    assert usage_rest(rendered) == {}
