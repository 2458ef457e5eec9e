"""What the Converse API cannot say itself: reasoning, schemas, and tools that are forbidden."""

from __future__ import annotations

import pytest

from aigw.call import Call, Schema
from aigw.errors import NoCapableTarget
from aigw.message import Message, Reasoning, Text, Tool
from aigw.wire.bedrock_converse import WIRE, parse_request, render_request
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL
from aigw.wire.bedrock_converse.tools import FORBIDDEN
from wire.bedrock_converse.making import (
    GPT,
    GPT_OSS,
    HAIKU_4_5,
    HELLO,
    HISTORY,
    LLAMA,
    NOVA,
    NOVA_2,
    OPUS_4_8,
    SCHEMA,
    SENT,
    SONNET_4_6,
    SONNET_5,
    notes,
)


@pytest.mark.parametrize(
    ("model", "reasoning", "fields"),
    [
        (SONNET_4_6, "low", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (
            OPUS_4_8,
            "xhigh",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}},
        ),
        (HAIKU_4_5, "high", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        (HAIKU_4_5, "none", {"thinking": {"type": "disabled"}}),
        (NOVA_2, "low", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA_2, "minimal", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA_2, "high", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (NOVA_2, "none", {"reasoningConfig": {"type": "disabled"}}),
        (GPT_OSS, "medium", {"reasoning_effort": "medium"}),
        (GPT_OSS, "max", {"reasoning_effort": "high"}),
        (GPT, "none", {"reasoning": {"effort": "none"}}),
        (GPT, "minimal", {"reasoning": {"effort": "low"}}),
        (NOVA, "low", None),
    ],
)
def test_each_family_is_asked_to_think_in_its_own_way(model: str, reasoning: str, fields: dict | None) -> None:
    """The API has no field for it: it goes to the model's own."""
    body = render_request(Call(messages=HELLO, reasoning=reasoning), model)

    assert body.get("additionalModelRequestFields") == fields


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (SONNET_5, {"thinking": {"type": "disabled"}}),  # it would think unasked, and that excludes a forced call
        (OPUS_4_8, None),
        (HAIKU_4_5, None),
    ],
)
def test_a_claude_that_must_call_a_tool_does_not_think(model: str, sent: dict | None) -> None:
    """The server refuses both at once."""
    call = Call(messages=HELLO, tools=(Tool("f"),), tool_choice="required")

    assert render_request(call, model).get("additionalModelRequestFields") == sent


def test_a_claude_that_cannot_be_forced() -> None:
    """Where forcing is content that would be lost, the call is refused; else the choice is left to the model."""
    call = Call(messages=HELLO, tools=(Tool("f"),), tool_choice="f")
    with pytest.raises(NoCapableTarget, match="a tool choice that forces a call"):
        render_request(call, "global.anthropic.claude-opus-5-5")
    body, said = notes(call, "global.anthropic.claude-opus-5-5", strict=False)

    assert body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert said == [("left out", "a tool choice that forces a call (at this model)")]


def test_nova_thinks_its_hardest_only_without_bounds() -> None:
    """A bound on tokens is kept, the effort gives way."""
    body, said = notes(Call(messages=HELLO, reasoning="high", max_tokens=100), NOVA_2)

    assert body["additionalModelRequestFields"]["reasoningConfig"]["maxReasoningEffort"] == "medium"
    assert said == [("changed", "reasoning 'high', as 'medium'")]


def test_fields_of_the_model_are_joined_with_ours() -> None:
    """What the caller gives in ``extra`` stands beside the effort, and counts more."""
    extra = {"additionalModelRequestFields": {"top_k": 5, "reasoning_effort": "low"}}
    body = render_request(Call(messages=HELLO, reasoning="high", extra=extra), GPT_OSS)

    assert body["additionalModelRequestFields"] == {"top_k": 5, "reasoning_effort": "low"}


def test_an_effort_that_a_policy_changed_is_the_one_that_is_sent() -> None:
    """A request that asks Claude in words of its own goes out as it came, unless somebody changes the effort."""
    fields = {"thinking": {"type": "enabled", "budget_tokens": 5000}, "top_k": 5}
    call = parse_request({"messages": SENT, "additionalModelRequestFields": fields}, model=HAIKU_4_5)
    changed = render_request(call.evolve(reasoning="none"), HAIKU_4_5)

    assert call.reasoning == "medium"
    assert render_request(call, HAIKU_4_5)["additionalModelRequestFields"] == fields
    assert changed["additionalModelRequestFields"] == {"thinking": {"type": "disabled"}, "top_k": 5}


def test_tools_that_are_forbidden_are_left_out() -> None:
    """The format cannot say it otherwise."""
    body, said = notes(Call(messages=HELLO, tools=(Tool("f"),), tool_choice="none"))

    assert body == {"messages": SENT}
    assert said == [("emulated", "that no tool may be called")]


@pytest.mark.parametrize("tools", [(Tool("f", "does f"), Tool("g")), ()])
def test_tools_that_were_called_must_stand_there(tools: tuple[Tool, ...]) -> None:
    """The server refuses calls of tools that the request does not have; the model is told not to call them."""
    body, said = notes(Call(messages=HISTORY, tools=tools, tool_choice="none" if tools else None))

    assert [block["toolSpec"]["name"] for block in body["toolConfig"]["tools"]] == (["f", "g"] if tools else ["f"])
    assert "toolChoice" not in body["toolConfig"]
    assert body["system"] == [{"text": FORBIDDEN}]
    assert said == [("emulated", "that no tool may be called")]


@pytest.mark.parametrize(
    ("tools", "tool_choice", "names", "choice"),
    [
        ((), None, [ANSWER_TOOL], {"tool": {"name": ANSWER_TOOL}}),
        ((Tool("f"),), None, ["f", ANSWER_TOOL], {"any": {}}),
        ((Tool("f"),), "auto", ["f", ANSWER_TOOL], {"any": {}}),
        ((Tool("f"),), "none", [ANSWER_TOOL], {"tool": {"name": ANSWER_TOOL}}),
    ],
)
@pytest.mark.parametrize("model", [NOVA, OPUS_4_8, HAIKU_4_5, "mistral.mistral-large-2402-v1:0", "arn:aws:x"])
def test_a_schema_as_a_tool(model: str, tools: tuple, tool_choice: str | None, names: list, choice: dict) -> None:
    """Models that do not know a schema have to call a tool of ours with the answer, or one of the caller's."""
    body, said = notes(Call(messages=HELLO, tools=tools, tool_choice=tool_choice, schema=Schema(SCHEMA)), model)
    specs = [block["toolSpec"] for block in body["toolConfig"]["tools"]]

    assert [spec["name"] for spec in specs] == names
    assert specs[-1]["inputSchema"] == {"json": SCHEMA}
    assert body["toolConfig"]["toolChoice"] == choice
    assert ("emulated", "a JSON schema") in said
    assert "system" not in body


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (LLAMA, {}),
        (SONNET_5, {}),  # it thinks unless it is told not to
        (OPUS_4_8, {"reasoning": "low"}),
        (HAIKU_4_5, {"schema": Schema({"type": "array"})}),
    ],
)
def test_a_schema_as_an_instruction(model: str, fields: dict) -> None:
    """Where no tool can take the answer: the model is told."""
    body, said = notes(Call(messages=HELLO, **{"schema": Schema(SCHEMA), **fields}), model)

    assert "toolConfig" not in body
    assert body["system"][0]["text"].startswith("Answer with nothing but one JSON value that fits this JSON schema")
    assert ("emulated", "a JSON schema") in said


def test_a_schema_beside_a_forced_tool_does_not_matter() -> None:
    """The model must call the tool; there is no answer to bind."""
    body, said = notes(Call(messages=HELLO, tools=(Tool("f"),), tool_choice="f", schema=Schema(SCHEMA)), NOVA)

    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "f"}}
    assert said == [("left out", "a JSON schema beside a tool that must be called")]


REASONED = (Reasoning("hm", "c2ln", "bedrock"), Reasoning("", "AA==", "bedrock", {"redactedContent": True}), Text("a"))


@pytest.mark.parametrize(
    ("model", "parts", "sent"),
    [
        (SONNET_4_6, REASONED, ["reasoningText", "redactedContent"]),
        (GPT, REASONED, ["redactedContent"]),
        (GPT_OSS, REASONED, []),
        (GPT_OSS, (Reasoning("hm"), Text("a")), ["reasoningText"]),
        (SONNET_4_6, (Reasoning("hm"), Text("a")), []),
        (SONNET_4_6, (Reasoning("hm", "c2ln", "anthropic"), Text("a")), []),
    ],
)
def test_reasoning_goes_back_only_where_it_came_from(model: str, parts: tuple, sent: list[str]) -> None:
    """Signatures to their provider, and only to models that take them; the rest is noted once."""
    body, said = notes(Call(messages=(*HELLO, Message("assistant", parts, wire=WIRE), *HELLO)), model)
    content = body["messages"][1]["content"]

    assert [next(iter(block["reasoningContent"])) for block in content if "reasoningContent" in block] == sent
    assert content[-1] == {"text": "a"}
    assert len(said) == (0 if len(sent) == len(parts) - 1 else 1)
