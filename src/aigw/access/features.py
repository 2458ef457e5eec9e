"""What a call makes use of, beyond plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aigw.message import File, Image, Other, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.call import Call

Feature = Literal[
    "vision",
    "files",
    "tools",
    "schema",
    "reasoning",
    "stream",
    "several_answers",
    "embeddings",
    "rerank",
    "moderation",
    "extra",
]
"""``vision``: images; ``files``: documents; ``tools``: definitions, calls or results of tools; ``schema``: an answer of
a given form; ``reasoning``: asked for explicitly; ``stream``; ``several_answers``: `n` above 1; ``embeddings``,
``rerank`` and ``moderation``: these operations; ``extra``: fields and parts that aigw does not model, behind which
anything may stand, such as a provider's own tools."""


def features(call: Call) -> frozenset[Feature]:
    """Tell what a call makes use of."""
    return frozenset(_features(call))


def _features(call: Call) -> Iterator[Feature]:
    if call.operation != "chat":
        yield call.operation
    if call.stream:
        yield "stream"
    if call.tools or call.tool_choice not in {None, "none"}:
        yield "tools"
    if call.schema is not None:
        yield "schema"
    if call.reasoning not in {None, "none"}:
        yield "reasoning"
    if call.n is not None and call.n > 1:
        yield "several_answers"
    if call.extra or call.headers or any(tool.extra for tool in call.tools):
        yield "extra"
    for message in call.messages:
        for part in message.parts:
            yield from _of_part(part)


def _of_part(part: object) -> Iterator[Feature]:
    match part:
        case Image():
            yield "vision"
        case File():
            yield "files"
        case Other():
            yield "extra"
        case ToolResult():
            yield "tools"
            if not isinstance(part.content, str):
                for one in part.content:
                    yield from _of_part(one)
