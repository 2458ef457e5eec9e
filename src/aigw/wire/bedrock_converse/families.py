"""What families of models behind Bedrock differ in, as data. The API is one; what it takes depends on the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Efforts = Mapping[str, Mapping[str, Any]]
"""For each effort the fields that ask for it, within ``additionalModelRequestFields``."""


@dataclass(frozen=True, slots=True)
class Family:
    """How the models of one family want to be asked.

    Args:
        pattern: a regular expression that is found in the ids of its models.
        efforts: how much they can be asked to think; empty where they cannot be asked, and for Claude, of which
            `aigw.wire.bedrock_converse.thinking` knows more.
        instead: efforts that they do not know, and the nearest that they do.
        unbounded: efforts that they take only without ``max_tokens``, ``temperature`` and ``top_p``, and the effort to
            ask for where one of these is given.
        schema: how an answer is bound to a JSON schema: ``format`` is the API's own ``outputConfig.textFormat``;
            ``tool`` makes the model call a tool that takes the answer; ``prompt`` only tells it.
        tool_status: whether a tool result may say that the tool failed.
        reasoning_back: which reasoning may go back to them: ``signed`` and ``redacted`` blocks, ``unsigned`` text.
    """

    pattern: str
    efforts: Efforts = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    unbounded: Mapping[str, str] = field(default_factory=dict)
    schema: Literal["format", "tool", "prompt"] = "tool"
    tool_status: bool = True
    reasoning_back: frozenset[str] = frozenset({"signed", "redacted"})


_OFF: Final[Mapping[str, Any]] = {"reasoningConfig": {"type": "disabled"}}


def _nova(effort: str) -> Mapping[str, Any]:
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


_LOW_TO_HIGH: Final = ("low", "medium", "high")
_DOWN_TO_HIGH: Final = {"minimal": "low", "xhigh": "high", "max": "high"}

FAMILIES: Final[tuple[Family, ...]] = (
    Family(r"claude-(opus|sonnet)-4-[56]", schema="format"),
    Family(r"claude"),
    Family(
        r"amazon\.nova-2",
        efforts={"none": _OFF, **{effort: _nova(effort) for effort in _LOW_TO_HIGH}},
        instead=_DOWN_TO_HIGH,
        unbounded={"high": "medium"},
    ),
    Family(r"amazon\.nova"),
    Family(
        r"openai\.gpt-oss|moonshot(ai)?\.kimi",
        efforts={effort: {"reasoning_effort": effort} for effort in _LOW_TO_HIGH},
        instead=_DOWN_TO_HIGH,
        schema="format",
        tool_status=False,
        reasoning_back=frozenset({"unsigned"}),
    ),
    Family(
        r"openai\.",
        efforts={effort: {"reasoning": {"effort": effort}} for effort in ("none", *_LOW_TO_HIGH, "xhigh", "max")},
        instead={"minimal": "low"},
        schema="format",
        tool_status=False,
        reasoning_back=frozenset({"redacted"}),
    ),
    Family(
        r"(qwen|google|minimax|nvidia|zai)\.|deepseek\.v|mistral\.(magistral|ministral|mistral-large-3|voxtral)",
        schema="format",
        tool_status=False,
    ),
    Family(r"mistral\.", tool_status=False),
    Family(r"(meta|cohere|ai21|deepseek|writer|amazon)\.", schema="prompt", tool_status=False),
)
"""Checked in their order; the first that fits counts. Known as of autumn 2026; see ``Dialect.families``."""

UNKNOWN: Final = Family("")
"""What is taken of a model whose id says nothing, such as an application inference profile: most are Claude or Nova."""
