"""What a usage costs by the price of a model: exact sums, every kind of token, long prompts, batch jobs."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.chunk import Usage
from aigw.errors import ConfigError
from aigw.metering import Price, Tier

D = Decimal
LONG = 200_000

amounts = st.decimals(0, 500, places=4)
some_amounts = st.none() | amounts


@st.composite
def usages(draw, most=LONG):
    """Make usages that do not contradict themselves, with a prompt of at most so many tokens."""
    prompt, answer = draw(st.integers(0, most)), draw(st.integers(0, 100_000))
    cached = draw(st.none() | st.integers(0, prompt))
    written = draw(st.none() | st.integers(0, prompt - (cached or 0)))
    return Usage(prompt, answer, cached, written, draw(st.none() | st.integers(0, answer)))


@st.composite
def prices(draw, **more):
    """Make prices without tiers."""
    kinds = {name: draw(some_amounts) for name in ("cached", "cache_written", "reasoning")}
    return Price(input=draw(amounts), output=draw(amounts), **kinds, **more)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        pytest.param(Usage(1000, 100), "0.008", id="input-and-output"),
        pytest.param(Usage(1000, 100, cached=400), "0.0062", id="cached"),
        pytest.param(Usage(1000, 100, cache_written=400), "0.009", id="cache-written"),
        pytest.param(Usage(1000, 100, 400, 100), "0.00645", id="both"),
        pytest.param(Usage(1000, 100, reasoning=60), "0.0098", id="reasoning"),
        pytest.param(Usage(1000, 100, 0, 0, 0), "0.008", id="zeros"),
        pytest.param(Usage(0, 0), "0", id="nothing"),
    ],
)
def test_each_kind_of_token_has_its_price(usage, usd):
    """Cached and written tokens are part of the input, reasoning is part of the output; each is charged once."""
    price = Price(input=D(5), output=D(30), cached=D("0.5"), cache_written=D("7.5"), reasoning=D(60))

    assert price.usd(usage) == D(usd)


def test_kinds_without_a_price_cost_what_plain_tokens_cost():
    """A price for input and output is enough: the other kinds are charged like these."""
    assert Price(input=D(5), output=D(30)).usd(Usage(1000, 100, 300, 200, 50)) == D("0.008")


def test_each_request_may_cost_something_by_itself():
    """It is added once, whatever the tokens."""
    price = Price(input=D(1), output=D(1), request=D("0.005"))

    assert price.usd(Usage(0, 0)) == D("0.005")
    assert price.usd(Usage(1000, 0)) == D("0.006")


TIERED = Price(
    input=D(2),
    output=D(12),
    cached=D("0.2"),
    tiers=(Tier(above=LONG, input=D(4), output=D(18)), Tier(above=500_000, input=D(8), cached=D(1))),
)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        pytest.param(Usage(LONG, 1000), "0.412", id="at-the-bound"),
        pytest.param(Usage(LONG + 1, 1000), "0.818004", id="above"),
        pytest.param(Usage(LONG + 1, 0, cached=LONG + 1), "0.0400002", id="cached-ones-count-and-keep-their-price"),
        pytest.param(Usage(500_001, 1000), "4.018008", id="next-tier-keeps-the-output-of-the-last"),
        pytest.param(Usage(500_001, 0, cached=500_001), "0.500001", id="next-tier-cached"),
    ],
)
def test_a_long_prompt_is_charged_higher_as_a_whole(usage, usd):
    """Above the bound the higher prices hold for all tokens of the request; what a tier leaves out stays as it was."""
    assert TIERED.usd(usage) == D(usd)


def test_batch_jobs_have_their_factor_or_their_prices():
    """A factor holds for everything, prices of their own replace all others; without either the cost is unknown."""
    usage = Usage(1000, 100)
    price = Price(input=D(5), output=D(30))

    assert price.usd(usage, batch=True) is None
    assert Price(input=D(5), output=D(30), batch=D("0.5")).usd(usage, batch=True) == D("0.004")
    assert Price(input=D(5), output=D(30), batch=Price(input=D(1), output=D(2))).usd(usage, batch=True) == D("0.0012")
    assert Price(input=D(5), batch=D("0.5")).usd(usage, batch=True) is None


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(Usage(100, 0, cached=101), id="more-cached-than-input"),
        pytest.param(Usage(100, 0, cached=60, cache_written=60), id="more-cached-and-written-than-input"),
        pytest.param(Usage(0, 10, reasoning=11), id="more-reasoning-than-output"),
    ],
)
def test_a_usage_that_contradicts_itself_has_no_known_cost(usage):
    """It is not made up, and never negative."""
    price = Price(input=D(1), output=D(1), cached=D(0), cache_written=D(2), reasoning=D(3))

    assert price.usd(usage) is None


def test_output_without_a_price_has_no_known_cost():
    """A model of embeddings has none; if output comes all the same, it is not free."""
    price = Price(input=D(1))

    assert price.usd(Usage(1000, 0)) == D("0.001")
    assert price.usd(Usage(1000, 1)) is None


@given(price=prices(), bill=st.lists(usages(), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_sum_of_costs_is_the_cost_of_the_sum(price, bill):
    """An invoice comes out the same, added up by requests or by tokens: nothing is rounded."""
    total = Usage(cached=0, cache_written=0, reasoning=0)
    for usage in bill:
        total += usage

    assert sum((price.usd(usage) for usage in bill), D(0)) == price.usd(total)


@given(price=prices(), usage=usages())
@settings(max_examples=60, deadline=None)
def test_costs_are_the_sum_of_tokens_times_prices(price, usage):
    """The definition, computed the long way round, comes to the same digits."""
    rates = {
        "cached": price.input if price.cached is None else price.cached,
        "cache_written": price.input if price.cache_written is None else price.cache_written,
        "reasoning": price.output if price.reasoning is None else price.reasoning,
    }
    cached, written, thought = usage.cached or 0, usage.cache_written or 0, usage.reasoning or 0
    with localcontext(prec=100):
        expected = (
            (usage.input - cached - written) * price.input
            + cached * rates["cached"]
            + written * rates["cache_written"]
            + (usage.output - thought) * price.output
            + thought * rates["reasoning"]
        ) / 1_000_000

    assert price.usd(usage) == expected


@given(price=prices(batch=D("0.123456789")), usage=usages())
@settings(max_examples=30, deadline=None)
def test_the_decimal_context_of_the_application_changes_nothing(price, usage):
    """An application that rounds its own decimals coarsely still gets exact costs."""
    with localcontext(prec=2):
        coarse = price.usd(usage), price.usd(usage, batch=True)

    assert coarse == (price.usd(usage), price.usd(usage, batch=True))
    assert coarse[1] * 10**30 == coarse[0] * D("0.123456789") * 10**30


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda: Price(input=D(-1)), r"Price\(input\).*-1", id="negative"),
        pytest.param(lambda: Price(input=1.5), r"Price\(input\).*1\.5", id="float"),
        pytest.param(lambda: Price(input=D("NaN")), r"Price\(input\).*NaN", id="nan"),
        pytest.param(lambda: Price(input=D(1), cached=D("Infinity")), r"Price\(cached\)", id="infinite"),
        pytest.param(lambda: Price(input=D(1), request=D(-1)), r"Price\(request\)", id="request"),
        pytest.param(lambda: Price(input=D(1).scaleb(-31)), "digits behind the point", id="too-small"),
        pytest.param(lambda: Price(input=D(1), batch=D(-1)), r"Price\(batch\)", id="batch"),
        pytest.param(
            lambda: Price(input=D(1), batch=Price(input=D(1), batch=D(1))),
            r"batch price of its own",
            id="batch-of-batch",
        ),
        pytest.param(lambda: Tier(above=0, input=D(1)), r"Tier\(above\).*0", id="no-bound"),
        pytest.param(lambda: Tier(above=1), "names no price", id="empty-tier"),
        pytest.param(lambda: Tier(above=1, output=D(-1)), r"Tier\(output\)", id="negative-tier"),
        pytest.param(
            lambda: Price(input=D(1), tiers=(Tier(above=2, input=D(1)), Tier(above=2, input=D(2)))),
            "must rise",
            id="tiers-that-do-not-rise",
        ),
    ],
)
def test_prices_that_make_no_sense(make, told):
    """They are refused when they are made, by the name of what is wrong."""
    with pytest.raises(ConfigError, match=told):
        make()
