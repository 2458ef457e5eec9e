"""What models can do: the data is well formed and right where it matters, and a user's word goes over it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw import ConfigError
from aigw.providers.capabilities import (
    TUNING,
    UNKNOWN,
    Capabilities,
    capabilities_of,
    normalised,
    rows,
    well_known,
)
from aigw.providers.table import SERVICES

TEXT = files("aigw.providers").joinpath("models.toml").read_text(encoding="utf-8")
DATA = tomllib.loads(TEXT)
ROWS = [(maker, row) for maker in DATA["maker"] for row in maker["model"]]
FACTS = {field.name for field in fields(Capabilities)}
NAMES = [name for _, row in ROWS for name in row["names"]]
ANY_NAME = {"azure-content-safety", "bedrock-guardrails", "jina", "llamacpp", "voyage"}
"""Providers whose servers may call their models anything, and those without models that chat."""


def test_every_key_is_known():
    """The file holds nothing that would be overlooked: a misspelled field is no fact."""
    wrong = [key for maker in DATA["maker"] for key in maker.keys() - {"name", "at", "open", "model"}]
    wrong += [key for _, row in ROWS for key in row.keys() - FACTS - {"names", "old"}]

    assert not wrong
    assert DATA.keys() == {"resellers", "hosts", "maker"}


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=lambda row: row["names"][0])
def test_every_row_makes_sense(row):
    """Values have their types, an answer fits into the window, and a model without reasoning refuses nothing by it."""
    can = UNKNOWN.with_({name: value for name, value in row.items() if name in FACTS})

    assert can.max_output is None or can.context_window is None or can.max_output <= can.context_window
    assert not (can.rejects & can.rejects_reasoning)
    assert can.reasoning is not False or not (can.rejects_reasoning or can.reasons_by_default)


@pytest.mark.parametrize("name", NAMES)
def test_no_row_hides_another(name):
    """Each name, with a date behind it too, is found in its own row and in no earlier one."""
    example = normalised(name).replace("*", "something")
    found = [
        next(row for row in rows() if row.fits.fullmatch(spelling)).names
        for spelling in (example, f"{example}-20261122")
    ]

    assert [name in names for names in found] == [True, True]
    assert NAMES.count(name) == 1


def test_every_section_tells_its_source():
    """What stands in the file can be checked: before each maker stand the sources and the day."""
    before = TEXT.split("[[maker]]")[:-1]
    comments = [re.findall(r"^# .*", part.rpartition("\n\n\n")[2], re.MULTILINE) for part in before]

    assert [
        comment for comment in comments if not re.search(r"\[(litellm|sdk)\].*\d{4}-\d\d-\d\d", " ".join(comment))
    ] == []


def test_every_provider_is_known():
    """A provider of the table is in the data, or its servers may call their models anything."""
    placed = {*DATA["resellers"], *DATA["hosts"], *(name for maker in DATA["maker"] for name in maker["at"])}

    assert SERVICES.keys() - placed <= ANY_NAME
    assert not placed & ANY_NAME


SAMPLING = {"temperature", "top_p"}


@pytest.mark.parametrize(
    ("service", "model", "facts"),
    [
        ("openai", "gpt-6-astra", {"context_window": 1_050_000, "max_output": 128_000, "rejects": SAMPLING | {"stop"}}),
        (
            "openai",
            "gpt-5.5-2026-04-23",
            {"rejects": {"stop"}, "rejects_reasoning": SAMPLING, "reasons_by_default": True},
        ),
        ("openai", "gpt-5.4", {"rejects_reasoning": SAMPLING, "reasons_by_default": False, "vision": True}),
        ("openai", "gpt-5-mini", {"context_window": 400_000, "rejects": SAMPLING | {"stop"}, "reasoning": True}),
        ("openai", "o3-mini", {"vision": False, "tools": True, "context_window": 200_000}),
        ("openai", "gpt-4.1-nano-2025-04-14", {"context_window": 1_047_576, "reasoning": False, "rejects": set()}),
        ("openai", "gpt-4o", {"vision": True, "json_schema": True, "max_output": 16_384}),
        ("openai", "gpt-4", {"vision": False, "json_schema": False, "context_window": 8_192}),
        ("openai", "gpt-4-1106-preview", {"context_window": 128_000, "vision": False}),
        ("openai", "text-embedding-3-small", {"context_window": 8_192}),
        (
            "anthropic",
            "claude-opus-5-5",
            {"reasons_by_default": True, "rejects": SAMPLING, "context_window": 1_000_000},
        ),
        ("anthropic", "claude-haiku-5-5", {"vision": True, "rejects": SAMPLING}),
        ("anthropic", "claude-opus-4-7", {"rejects": SAMPLING, "max_output": 128_000}),
        ("anthropic", "claude-sonnet-4-6", {"rejects": set(), "rejects_reasoning": set(), "context_window": 1_000_000}),
        ("anthropic", "claude-haiku-4-5-20251001", {"context_window": 200_000, "max_output": 64_000}),
        ("gemini", "gemini-2.5-pro", {"context_window": 1_048_576, "files": True, "rejects": set()}),
        ("gemini", "gemini-3.8-flash", {"max_output": 65_536, "rejects": SAMPLING}),
        ("deepseek", "deepseek-v4-pro", {"vision": False, "context_window": 1_000_000}),
        ("mistral", "mistral-large-2512", {"vision": True, "reasoning": False, "context_window": 262_144}),
        ("xai", "grok-4.7", {"context_window": 500_000, "reasoning": True}),
        ("cohere", "command-a-03-2025", {"vision": False, "tools": True, "context_window": 256_000}),
        ("perplexity", "sonar-pro", {"tools": False, "context_window": 200_000}),
        ("bedrock", "amazon.nova-micro-v1:0", {"vision": False, "context_window": 128_000}),
        ("moonshot", "kimi-k3", {"context_window": 1_048_576, "rejects": {"temperature"}}),
        ("zai", "glm-5.3", {"vision": False, "context_window": 1_048_576}),
        ("groq", "openai/gpt-oss-120b", {"vision": False, "reasoning": True, "context_window": None}),
        ("ollama", "llama3.3:70b", {"vision": False, "reasoning": False, "tools": None}),
        ("vllm", "Qwen/Qwen3-VL-8B-Instruct", {"vision": True, "context_window": None}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_well_known_models(service, model, facts):
    """What the makers tell of their models."""
    can = capabilities_of(service, model)

    assert {name: getattr(can, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("service", "spelling", "model"),
    [
        ("bedrock", "eu.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
        ("bedrock", "anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5-5", "claude-opus-5-5"),
        ("vertex", "claude-opus-4-5@20251101", "claude-opus-4-5"),
        ("azure", "claude-opus-5-5", "claude-opus-5-5"),
        ("anthropic", "claude-opus-4-5-latest", "claude-opus-4-5"),
    ],
)
def test_one_model_has_many_spellings(service, spelling, model):
    """A row serves every provider of the model, whatever each calls it."""
    assert capabilities_of(service, spelling) == capabilities_of("anthropic", model) != UNKNOWN


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "meta-llama/Llama-3.3-70B-Instruct",
            "llama3.3:70b-instruct",
            "accounts/fireworks/models/llama-v3p3-70b-instruct",
        ),
        ("us.meta.llama3-3-70b-instruct-v1:0", "meta-llama/Meta-Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"),
        ("models/gemini-2.5-pro", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("ft:gpt-4.1-mini:acme::id", "gpt-4.1-mini", "openai/gpt-4.1-mini"),
        ("openai.gpt-oss-20b-1:0", "gpt-oss:20b", "openai/gpt-oss-20b"),
    ],
    ids=lambda spellings: spellings[-1],
)
def test_spellings_become_one(spellings):
    """Makers, regions, packaging and separators make no difference."""
    assert len({normalised(spelling) for spelling in spellings}) == 1


def test_another_maker_s_server_decides_for_itself():
    """Elsewhere only what the weights decide is known; the rest is up to who serves them."""
    there = capabilities_of("openrouter", "anthropic/claude-opus-4.6")

    assert there == Capabilities(vision=True, reasoning=True)


@pytest.mark.parametrize(
    ("service", "model"),
    [
        ("openai", "gpt-7"),
        ("openai", "gpt-5.45"),
        ("anthropic", "claude-opus-4-9"),
        ("openai-compatible", "gpt-4"),
        ("llamacpp", "gpt-4"),
        ("ollama", "gpt-4"),
        ("a provider of one's own", "gpt-4"),
        ("together", "nvidia/Llama-3.3-Nemotron-Super-49B"),
        ("", ""),
    ],
)
def test_what_is_not_known(service, model):
    """A newer version is another model, and a server that may call its models anything tells nothing by their names."""
    assert capabilities_of(service, model) is UNKNOWN


@given(st.sampled_from(["openai", "vllm", "bedrock", ""]), st.text(max_size=40) | st.sampled_from(NAMES))
def test_any_name_can_be_looked_up(service, model):
    """Whatever a model is called, the look-up gives an answer."""
    assert isinstance(capabilities_of(service, model), Capabilities)


def test_current_models_are_listed():
    """A maker's current models come by its own names; who only serves models lists none."""
    listed = dict(well_known("anthropic"))

    assert listed["claude-opus-5-5"] == capabilities_of("anthropic", "claude-opus-5-5")
    assert not listed.keys() & {"claude-3-opus", "claude-sonnet-4-0"}
    assert all("*" not in name for service in SERVICES for name, _ in well_known(service))
    assert well_known("openrouter") == well_known("azure") == ()


def test_a_user_knows_better():
    """Fields that are said go over the data, one by one, and the rest stays."""
    known = Capabilities(vision=False, tools=True, context_window=8_000, rejects=frozenset({"seed"}))

    assert known.with_({"vision": True, "context_window": 32_000}) == Capabilities(
        vision=True, tools=True, context_window=32_000, rejects=frozenset({"seed"})
    )
    assert known.with_(Capabilities(vision=True)).with_(Capabilities()) == known.with_({"vision": True})
    assert known.with_({"tools": None, "rejects": []}) == Capabilities(vision=False, context_window=8_000)
    assert known.with_({"rejects": ["stop", "top_p"]}).rejects == {"stop", "top_p"}
    assert UNKNOWN.with_({}) is UNKNOWN


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"visoin": True}, "there is no 'visoin'; did you mean 'vision'?"),
        ({"colour": True}, "there is no 'colour'; there are vision, files, tools"),
        ({3: True}, "there is no 3"),
        ({"vision": 1}, "vision must be True, False or None, not 1"),
        ({"context_window": "32k"}, "context_window must be a number of tokens, or None, not '32k'"),
        ({"max_output": True}, "max_output must be a number"),
        ({"max_output": 0}, "max_output must be a number"),
        ({"rejects": ["top_k"]}, f"rejects may hold {', '.join(TUNING)}, not ['top_k']"),
        ({"rejects": [[]]}, "rejects may hold"),
        ({"rejects_reasoning": None}, "rejects_reasoning may hold"),
        (Capabilities(vision="yes"), "vision must be True, False or None, not 'yes'"),
        (["vision"], "must be a mapping or Capabilities, not list"),
    ],
)
def test_wrong_overrides(overrides, words):
    """What makes no sense is told at once, by its name."""
    with pytest.raises(ConfigError) as raised:
        UNKNOWN.with_(overrides)

    assert words in str(raised.value)


def test_capabilities_travel_as_json():
    """They are values like all others."""
    for row in rows():
        assert Capabilities.from_json(row.capabilities.to_json()) == row.capabilities
