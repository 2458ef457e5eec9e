"""The prices of genai-prices: the same costs as it computes itself, without its network, and quickly."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices import data_snapshot

from aigw.chunk import Usage
from aigw.metering import GenaiPrices
from aigw.metering.genai import PROVIDERS
from aigw.providers.table import SERVICES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHERS = {"github", "ollama", "vllm", "sglang", "lmstudio", "llamacpp", "jina"}
OTHERS |= {"azure-content-safety", "bedrock-guardrails"}  # by units of text, not by tokens
PRICED_BY_TOKENS = {"input_mtok"}


def book_at(moment=NOON):
    """Make a book for which it is always that moment."""
    return GenaiPrices(now=lambda: moment)


def models():
    """Yield our provider, the name of a model there, and theirs of both."""
    behind = "huggingface_"
    for provider in data_snapshot.get_snapshot().providers:
        for ours, theirs in PROVIDERS.items():
            if provider.id == theirs:
                yield from ((ours, model.id, provider.id, model.id) for model in provider.models)
        if provider.id.startswith(behind):
            router = provider.id.removeprefix(behind)
            for model in provider.models:
                yield "huggingface", f"{model.id}:{router}", provider.id, model.id


def theirs(provider, model, usage, moment, context=None):
    """Ask genai-prices itself; None where it knows no such model."""
    kinds = {"cache_read_tokens": usage.cached, "cache_write_tokens": usage.cache_written}
    told = genai_prices.Usage(
        input_tokens=usage.input, output_tokens=usage.output, output_reasoning_tokens=usage.reasoning, **kinds
    )
    try:
        found = genai_prices.calc_price(
            told, model, provider_id=provider, genai_request_timestamp=moment, price_context=context
        )
    except LookupError:
        return None
    by = {name for name, price in found.model_price.__dict__.items() if price is not None}
    return found.total_price if not by or by & PRICED_BY_TOKENS else None


@pytest.mark.parametrize("hour", [3, 12])
def test_costs_are_those_of_genai_prices(hour):
    """Of all models of our providers, for short and long prompts, at any hour: equal to the last digit."""
    moment, rng = NOON.replace(hour=hour), random.Random(hour)
    book, compared = book_at(moment), 0
    for ours, model, provider, name in models():
        for most in (1_000, 190_000, 400_000, 900_000):
            size = rng.randrange(most // 2, most)
            cached, written = rng.randrange(size // 2), rng.randrange(size // 2)
            priced = theirs(provider, name, Usage(1000, 1), moment) if most == 1_000 else None
            usage = Usage(size, rng.randrange(5_000), cached, written)
            expected = theirs(provider, name, usage, moment)
            cost = book.cost(ours, model, usage)
            if cost is None and expected is not None:  # it has no price for output, and takes it as free
                usage = Usage(size, 0, cached, written)
                expected, cost = theirs(provider, name, usage, moment), book.cost(ours, model, usage)
            assert (cost and cost.usd) == expected, (ours, model, usage, priced)
            compared += expected is not None

    assert compared > 4_000


def test_batch_prices_are_those_of_genai_prices():
    """Where it has prices of batch jobs they are used; where it has none the cost is unknown, and not the full one."""
    book, usage, known = book_at(), Usage(250_000, 1_000, 10_000), 0
    batch = {"processing": "batch"}
    for ours, model, provider, name in models():
        cost = book.cost(ours, model, usage, batch=True)
        if cost is not None:
            assert cost.usd == theirs(provider, name, usage, NOON, batch), (ours, model)
            known += 1

    assert known > 50
    assert book.cost("openrouter", "openai/gpt-5.5", usage, batch=True) is None


def test_every_provider_has_a_name_there_or_none():
    """The table of names covers all providers, and each name is one that genai-prices has."""
    known = {provider.id for provider in data_snapshot.get_snapshot().providers}

    assert PROVIDERS.keys() | OTHERS == SERVICES.keys()
    assert not PROVIDERS.keys() & OTHERS
    assert {name for name in PROVIDERS.values() if "{}" not in name} <= known


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        pytest.param("openai", "no-such-model", id="unknown-model"),
        pytest.param("nobody", "gpt-5.5", id="unknown-provider"),
        pytest.param("ollama", "llama3.3", id="own-server"),
        pytest.param("local", "gpt-5.5", id="local"),
        pytest.param("", "no-such-model", id="only-an-unknown-model"),
        pytest.param("huggingface", "meta-llama/Llama-3.3-70B-Instruct", id="router-that-chooses"),
        pytest.param("openai", "whisper-1", id="charged-by-the-hour"),
    ],
)
def test_unknown_is_none(provider, model):
    """What has no price is not free."""
    assert book_at().cost(provider, model, Usage(1000, 10)) is None


def test_a_model_alone_may_tell_its_provider():
    """Of a wrapped function often only the model is known."""
    usage = Usage(1000, 10)

    assert book_at().cost("", "gpt-5.5", usage) == book_at().cost("openai", "gpt-5.5", usage) is not None


def test_prices_that_change_are_those_of_the_moment():
    """A book does not keep a price that holds for a time only."""
    moments = iter([datetime(2020, 1, 1, tzinfo=UTC), NOON])
    changing = next(
        (ours, model)
        for ours, model, provider, name in models()
        if theirs(provider, name, Usage(10**6), datetime(2020, 1, 1, tzinfo=UTC))
        not in {None, theirs(provider, name, Usage(10**6), NOON)}
    )
    book = GenaiPrices(now=lambda: next(moments))

    first, second = (book.cost(*changing, Usage(10**6)).usd for _ in range(2))

    assert first != second


def test_newer_prices_of_the_application_are_used():
    """If it updates genai-prices, the cost is computed anew, and its version says so."""
    bundled = data_snapshot.get_snapshot()
    book = book_at()
    before = book.cost("openai", "gpt-5.5", Usage(1000, 10))
    only_anthropic = [provider for provider in bundled.providers if provider.id == "anthropic"]
    newer = data_snapshot.DataSnapshot(only_anthropic, from_auto_update=True, timestamp=NOON)
    data_snapshot.set_custom_snapshot(newer)
    try:
        updated = book.cost("openai", "gpt-5.5", Usage(1000, 10)), book.cost("anthropic", "claude-sonnet-4-5", Usage(9))
    finally:
        data_snapshot.set_custom_snapshot(None)

    assert before.prices == f"genai-prices {genai_prices.__version__}"
    assert updated[0] is None
    assert updated[1].prices == f"genai-prices {genai_prices.__version__} of 2026-11-22"
    assert book.cost("openai", "gpt-5.5", Usage(1000, 10)) == before


def test_it_is_loaded_when_it_is_needed_and_stays_off_the_network():
    """A book that was made has loaded nothing; one that was asked has started no thread and opened no socket."""
    program = """
import socket, sys, threading
def refused(*_): raise AssertionError("a socket")
from aigw.metering import GenaiPrices
from aigw.chunk import Usage
book = GenaiPrices()
assert "genai_prices" not in sys.modules
socket.socket.connect = refused
book.load()
assert "genai_prices" in sys.modules
assert book.cost("openai", "gpt-5.5", Usage(1000, 10)).usd > 0
print(threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "1"


def test_costs_are_exact_decimals():
    """No float comes in between."""
    cost = book_at().cost("openai", "gpt-5.5", Usage(3, 1))

    assert type(cost.usd) is Decimal
    assert cost.usd == theirs("openai", "gpt-5.5", Usage(3, 1), NOON)
