"""How hard to think, for models that are asked in different ways."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.message import Message, Tool
from aigw.wire.anthropic_messages import DEFAULT, WIRE, Dialect, parse_request, render_request
from wire.anthropic_messages.making import MIDDLE, NEW, OLD, rendered, traced

ADAPTIVE = {"type": "adaptive"}
SHOWN = {"type": "adaptive", "display": "summarized"}


def asked(reasoning: str, model: str, dialect: Dialect = DEFAULT, **fields: object) -> tuple:
    """The fields that ask for reasoning, and the notes."""
    body, notes = rendered(traced(reasoning=reasoning, **fields), model, dialect)
    return body.get("thinking"), body.get("output_config"), notes


def budget(tokens: int) -> dict:
    """Thinking with a budget."""
    return {"type": "enabled", "budget_tokens": tokens}


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort"),
    [
        ("m", "minimal", budget(1024), None),
        ("m", "high", budget(16384), None),
        (OLD, "low", budget(2048), None),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "max", budget(27648), None),
        ("claude-opus-4-20250514", "medium", budget(8192), None),
        ("anthropic/claude-opus-4.5", "medium", budget(8192), "medium"),
        (MIDDLE, "max", ADAPTIVE, "max"),
        ("claude-opus-4-8", "xhigh", SHOWN, "xhigh"),
        (NEW, "low", SHOWN, "low"),
        ("claude-opus-5-5", "high", SHOWN, "high"),
        ("claude-epos-7", "high", SHOWN, "high"),
        (NEW, "ultra", SHOWN, "ultra"),
        ("m", "none", {"type": "disabled"}, None),
        (OLD, "none", {"type": "disabled"}, None),
        (NEW, "none", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None),
        ("claude-3-5-haiku-latest", "none", None, None),
    ],
)
def test_each_model_is_asked_in_its_own_way(
    model: str, reasoning: str, thinking: dict | None, effort: str | None
) -> None:
    """By a budget, or by an effort and leave to think; what nobody knows is left to the server."""
    assert asked(reasoning, model) == (thinking, {"effort": effort} if effort else None, [])


@pytest.mark.parametrize(
    ("model", "reasoning", "effort", "note"),
    [
        (NEW, "minimal", "low", "reasoning 'minimal', as 'low'"),
        (MIDDLE, "xhigh", "high", "reasoning 'xhigh', as 'high'"),
        ("claude-opus-5-5", "none", "low", "reasoning 'none', as 'low'"),
    ],
)
def test_the_nearest_effort_is_asked_for(model: str, reasoning: str, effort: str, note: str) -> None:
    """Where a model lacks a word, the next one below is used, and the trace says so."""
    _, config, notes = asked(reasoning, model)

    assert config == {"effort": effort}
    assert notes == [("changed", note)]


@pytest.mark.parametrize(
    ("model", "reasoning", "fields"),
    [
        ("m", "ultra", {}),
        ("claude-3-5-haiku-latest", "high", {}),
        ("m", "low", {"max_tokens": 1300}),
    ],
)
def test_what_cannot_be_asked_for_is_left_out(model: str, reasoning: str, fields: dict) -> None:
    """A word without a budget, a model that does not think, a bound that leaves no room for the smallest budget."""
    assert asked(reasoning, model, **fields) == (None, None, [("left out", f"reasoning {reasoning!r}")])


def test_thinking_that_cannot_be_turned_off() -> None:
    """A server that always thinks, and knows no efforts, can only be left alone."""
    assert asked("none", "m", Dialect(thinking_off=None)) == (None, None, [("left out", "reasoning 'none'")])


def test_a_budget_leaves_room_for_the_answer() -> None:
    """A quarter of the caller's bound stays for the answer."""
    assert asked("high", "m", max_tokens=8000) == (
        budget(6000),
        None,
        [("changed", "reasoning 'high', as 6000 tokens")],
    )


def test_the_dialect_decides() -> None:
    """A provider's row says how its models are asked; without a table of models that holds for all."""
    dialect = Dialect(thinking="adaptive", efforts=("high", "max"), display="omitted", models=())

    assert asked("max", OLD, dialect) == (
        {"type": "adaptive", "display": "omitted"},
        {"effort": "max"},
        [],
    )
    assert asked("low", OLD, dialect)[1] == {"effort": "high"}


TOOLS = (Tool("f"),)


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "noted"),
    [
        (OLD, "high", None, True),
        (MIDDLE, "high", None, True),
        (NEW, "high", {"type": "disabled"}, True),
        (NEW, None, {"type": "disabled"}, False),
        (MIDDLE, None, None, False),
        (NEW, "none", {"type": "disabled"}, False),
    ],
)
def test_a_forced_tool_comes_without_thinking(
    model: str, reasoning: str | None, thinking: dict | None, noted: object
) -> None:
    """The server refuses both together; models that think by themselves are told not to."""
    body, notes = rendered(traced(tools=TOOLS, tool_choice="required", reasoning=reasoning), model)

    assert body.get("thinking") == thinking
    assert "output_config" not in body
    assert notes == ([("left out", "reasoning beside a tool choice that forces a call")] if noted else [])


def test_models_that_cannot_be_forced() -> None:
    """The call is not sent to them; a target that is not strict leaves the choice to the model."""
    call = traced(tools=TOOLS, tool_choice="f", parallel_tool_calls=False)
    body, notes = rendered(call, "claude-opus-5-5", strict=False)

    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert notes == [("left out", "a tool choice that forces a call (at this model)")]


def read(model: str = "m", **fields: object) -> Call:
    """Read a request with these fields."""
    return parse_request({"model": model, "max_tokens": 32_000, "messages": [], **fields})


@pytest.mark.parametrize(
    ("model", "fields", "reasoning", "kept"),
    [
        ("m", {"thinking": budget(8192)}, "medium", False),
        ("m", {"thinking": budget(5000)}, "medium", True),
        ("m", {"thinking": budget(10**6)}, "max", True),
        ("m", {"thinking": {"type": "disabled"}}, "none", False),
        ("m", {"thinking": {"type": "between_tools"}}, "none", True),
        ("m", {"thinking": ADAPTIVE}, "high", True),
        (MIDDLE, {"thinking": ADAPTIVE, "output_config": {"effort": "low"}}, "low", False),
        (MIDDLE, {"output_config": {"effort": "low"}}, "low", True),
        (NEW, {"thinking": ADAPTIVE, "output_config": {"effort": "low"}}, "low", True),
        (NEW, {"thinking": SHOWN, "output_config": {"effort": "low"}}, "low", False),
        ("m", {"thinking": {"type": "new"}}, None, True),
        ("m", {"thinking": {"type": "enabled"}}, None, True),
        ("m", {"output_config": {"effort": 7}}, None, True),
    ],
)
def test_what_a_request_says_is_understood_and_not_changed(
    model: str, fields: dict, reasoning: str | None, kept: object
) -> None:
    """Another format gets the nearest word; this one gets what the client wrote, to the letter."""
    call = read(model, **fields)
    sent = render_request(call, model)

    assert call.reasoning == reasoning
    assert call.extra == (fields if kept else {})
    assert {name: sent[name] for name in ("thinking", "output_config") if name in sent} == fields


def test_a_policy_may_change_how_hard_to_think() -> None:
    """What the client wrote counts as long as the call says the same."""
    call = read(NEW, thinking=ADAPTIVE, output_config={"effort": "high", "task_budget": 1})
    sent = render_request(call.evolve(reasoning="low"), NEW)

    assert sent["thinking"] == SHOWN
    assert sent["output_config"] == {"effort": "low", "task_budget": 1}
    assert read(thinking=budget(5000)).evolve(reasoning="none").wire == WIRE
    assert render_request(read(thinking=budget(5000)).evolve(reasoning="none"), "m")["thinking"] == {"type": "disabled"}


def test_hand_written_thinking_counts_more_than_the_word() -> None:
    """Fields that a user wrote are sent untouched."""
    call = Call(messages=(Message("user", "hi"),), reasoning="high", extra={"thinking": budget(2000)})

    assert render_request(call, NEW)["thinking"] == budget(2000)
