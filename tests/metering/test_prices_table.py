"""The user's own table of prices: its keys, its numbers, its versions, and what is wrong with bad ones."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aigw.call import Cost
from aigw.chunk import Usage
from aigw.errors import ConfigError
from aigw.metering import Price, PriceTable

MILLION = Usage(1_000_000, 0)


def usd(table, provider, model):
    """Return the price of a million input tokens, as a text; None where it is not known."""
    cost = table.cost(provider, model, MILLION)
    return None if cost is None else f"{cost.usd.normalize():f}"


KEYS = PriceTable(
    {
        "gpt-*": {"input": 1},
        "gpt-5.5": {"input": 2},
        "gpt-5*": {"input": 3},
        "openai/*": {"input": 4},
        "openai/gpt-5*": {"input": 5},
        "openai/gpt-5.5-mini": {"input": 6},
        "*-mini": {"input": 7},
        "meta-llama/*": {"input": 8},
        "mine/special": {"input": 9},
        "groq/meta-llama/llama-3.3": {"input": 10},
    }
)


@pytest.mark.parametrize(
    ("provider", "model", "price"),
    [
        ("openai", "gpt-5.5-mini", "6"),
        ("openai", "gpt-5.5", "5"),
        ("openai", "o9", "4"),
        ("azure", "gpt-5.5", "2"),
        ("azure", "gpt-5.4", "3"),
        ("azure", "gpt-4", "1"),
        ("azure", "o9-mini", "7"),
        ("azure", "o9", None),
        ("together", "meta-llama/llama-3.3", "8"),
        ("groq", "meta-llama/llama-3.3", "10"),
        ("mine", "special", "9"),
        ("openrouter", "openai/gpt-5.5", None),
        ("openrouter", "mine/special", "9"),
        ("", "gpt-5.5", "2"),
        ("", "o9", None),
    ],
)
def test_the_most_specific_key_wins(provider, model, price):
    """Keys with the provider first, then exact ones, then the longer pattern; known providers speak for themselves."""
    assert usd(KEYS, provider, model) == price


def test_keys_that_fit_equally_well_must_agree():
    """Where only the model is known and two providers have it, the price is known if it is the same."""
    alike = PriceTable({"openai/m": {"input": 1}, "azure/m": {"input": "1.0"}})
    unlike = PriceTable({"openai/m": {"input": 1}, "azure/m": {"input": 2}})

    assert usd(alike, "", "m") == "1"
    assert usd(unlike, "", "m") is None
    assert usd(unlike, "azure", "m") == "2"


def test_numbers_are_taken_as_they_are_written(tmp_path):
    """A tenth is a tenth, in TOML and in Python, and never the binary number next to it."""
    path = tmp_path / "prices.toml"
    path.write_text('["m"]\ninput = 0.1\noutput = 0.3\n["long"]\ninput = 0.1234567890123456789\n')
    digits = Decimal("0.1234567890123456789")

    assert PriceTable(path).cost("p", "m", Usage(1_000_000, 1_000_000)).usd == Decimal("0.4")
    assert PriceTable(str(path)).cost("p", "long", MILLION).usd == digits
    for given in (0.1, "0.1", Decimal("0.1")):
        assert PriceTable({"m": {"input": given}}).cost("p", "m", MILLION).usd == Decimal("0.1")


def test_costs_carry_the_version_of_their_price():
    """That of the entry, else that of the table; the argument replaces the one in the table."""
    entries = {"a": {"input": 1}, "b": {"input": 1, "version": "contract 17"}}
    table = PriceTable({"version": "2026-11", **entries})

    assert table.cost("p", "a", MILLION) == Cost(Decimal(1), "2026-11")
    assert table.cost("p", "b", MILLION).prices == "contract 17"
    assert PriceTable({"version": "2026-11", **entries}, version="mine").version == "mine"
    assert PriceTable(entries).version == "own prices"


def test_every_field_of_an_entry_counts():
    """Tiers, batch prices and the price of a request are read from tables within the entry."""
    price = {"input": 1, "output": 2, "cached": 0.1, "cache_written": 1.25, "reasoning": 3, "request": 0.01}
    table = PriceTable({"m": {**price, "tiers": [{"above": 10, "input": 100}], "batch": {"input": 7, "output": 8}}})

    made = table.price("p", "m")

    assert (made.cached, made.cache_written, made.reasoning) == (Decimal("0.1"), Decimal("1.25"), 3)
    assert table.cost("p", "m", Usage(10, 0)).usd == Decimal("0.01001")
    assert table.cost("p", "m", Usage(11, 0)).usd == Decimal("0.0111")
    assert table.cost("p", "m", Usage(1_000_000, 1_000_000), batch=True).usd == 15
    assert PriceTable({"m": Price(input=Decimal(3))}).cost("p", "m", MILLION).usd == 3


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"m": 5}, r"prices\['m'\] must be a table of prices"),
        ({"m": {}}, r"prices\['m'\]\.input is missing"),
        ({"m": {"output": 5}}, r"prices\['m'\]\.input is missing"),
        ({"m": {"input": -1}}, r"prices\['m'\]\.input must be.*-1"),
        ({"m": {"input": True}}, r"prices\['m'\]\.input must be.*True"),
        ({"m": {"input": "much"}}, r"prices\['m'\]\.input must be a number.*'much'"),
        ({"m": {"input": float("nan")}}, r"prices\['m'\]\.input"),
        ({"m": {"input": 1, "ouput": 2}}, r"prices\['m'\]\.ouput: there is no such field; there are input, output"),
        ({"m": {"input": 1, "tiers": {"above": 1}}}, r"prices\['m'\]\.tiers must be a list"),
        ({"m": {"input": 1, "tiers": [{"input": 1}]}}, r"prices\['m'\]\.tiers\[0\]\.above is missing"),
        ({"m": {"input": 1, "tiers": [{"above": 1.5, "input": 1}]}}, r"prices\['m'\]\.tiers\[0\].*1\.5"),
        ({"m": {"input": 1, "tiers": [{"above": 1, "inptu": 1}]}}, r"prices\['m'\]\.tiers\[0\]\.inptu"),
        ({"m": {"input": 1, "tiers": [{"above": 1, "input": -1}]}}, r"prices\['m'\]\.tiers\[0\]\.input"),
        (
            {"m": {"input": 1, "tiers": [{"above": 2, "input": 1}, {"above": 1, "input": 1}]}},
            r"prices\['m'\]: .*must rise",
        ),
        ({"m": {"input": 1, "batch": "half"}}, r"prices\['m'\]\.batch.*'half'"),
        ({"m": {"input": 1, "batch": {"output": 1}}}, r"prices\['m'\]\.batch\.input is missing"),
        ({"m": {"input": 1, "batch": {"input": 1, "batch": 1}}}, r"prices\['m'\]\.batch\.batch: there is no such"),
        ({"m": {"input": 1, "version": 7}}, r"prices\['m'\]\.version.*7"),
        ({"version": 7}, r"prices\.version.*7"),
        ({"": {"input": 1}}, "is not a key"),
        ({5: {"input": 1}}, "is not a key"),
        ({"*/gpt-5": {"input": 1}}, "not for a provider"),
        ({"openai/": {"input": 1}}, "write provider/model"),
        ({"gpt-*-mini": {"input": 1}}, r"with one \* at its beginning or its end"),
        ({"*gpt*": {"input": 1}}, r"one \*"),
        (["m"], "must be a mapping or the path"),
    ],
)
def test_a_wrong_table_says_where(table, told):
    """The error names the path of the field, what stands there, and what belongs there."""
    with pytest.raises(ConfigError, match=told):
        PriceTable(table)


def test_a_wrong_file_says_which(tmp_path):
    """One that is not there, is not TOML, or has a wrong field."""
    missing, broken, wrong = (tmp_path / name for name in ("missing.toml", "broken.toml", "wrong.toml"))
    broken.write_text("version = ")
    wrong.write_text('["openai/gpt-5.5"]\ninput = 1\nouput = 2\n')

    with pytest.raises(ConfigError, match=r"missing\.toml"):
        PriceTable(missing)
    with pytest.raises(ConfigError, match=r"broken\.toml.*not TOML"):
        PriceTable(broken)
    with pytest.raises(ConfigError, match=r"wrong\.toml\['openai/gpt-5\.5'\]\.ouput"):
        PriceTable(wrong)
