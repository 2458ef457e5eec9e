"""Whole answers from the wire in Cohere's chat format, as chunks; rendering is in `aigw.wire.cohere_chat.render`.

What aigw does not model is kept in ``Chunk.extra`` (``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level: ``{"logprobs": [...]}``;
- of the message under ``"message"``;
- of the usage under ``"usage"``: ``{"usage": {"billed_units": {...}}}``;
- of a text or of reasoning under ``"part"``, the citations of a text among them;
- events of a stream that aigw does not know under ``"events"``;
- Cohere's own finish reason under ``"finish_reason"``, where ours says less: ``STOP_SEQUENCE``.

Reasoning has two forms: blocks of ``thinking``, and the ``tool_plan``, which is marked with ``{"type": "tool_plan"}``
in its extra fields. Both are marked as the provider's, so that they go back to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, ToolCallDelta
from aigw.errors import ConfigError
from aigw.message import Other, Reasoning, Text
from aigw.wire.answers import wrong_answer
from aigw.wire.cohere_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN, PLAN_MARK, read_part
from aigw.wire.cohere_chat.reasons import FINISH, failure, read_reason
from aigw.wire.cohere_chat.usage import parse_usage, usage_rest
from aigw.wire.fields import checked, rest
from aigw.wire.openai_chat.parts import read_tool_call

if TYPE_CHECKING:
    from collections.abc import Mapping

INNER: Final = frozenset({"message", "usage", "part", "events", FINISH})
"""Names in ``Chunk.extra`` that are no fields of the whole answer."""

_TOP: Final = frozenset({"id", "error", *INNER})
MESSAGE: Final = frozenset({"role", "content", "tool_calls", PLAN, CITATIONS})
"""The fields of a message that are read."""


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: as few chunks as keep the order of its parts; what belongs to all of it is on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no answer of this format.
        ProviderError: it is an error, under status 200, or says that the generation failed.
    """
    try:
        failed = failure(checked(body, dict, "it"), dialect.provider, model)
        if failed is not None:
            raise failed
        message = checked(body.get("message"), dict, "message")
        return _finished(_parse_parts(message, dialect.provider), body, message)
    except ConfigError as error:
        raise wrong_answer("one of Cohere's", error, dialect.provider, model) from None


def _parse_parts(message: Mapping[str, Any], provider: str) -> list[Chunk]:
    content = message.get("content") or []
    blocks: list[Any] = [content] if isinstance(content, str) else checked(content, list, "content")
    chunks: list[Chunk] = []
    for at, block in enumerate(blocks):
        part = read_part(block, f"content[{at}]", provider)
        if isinstance(part, Text):
            if part.text or part.extra:
                chunks.append(Chunk(part.text, extra={"part": part.extra} if part.extra else None, wire=WIRE))
        elif isinstance(part, Reasoning):
            chunks.append(Chunk(reasoning=part.text, parts=(end_of_reasoning(provider, part.extra),), wire=WIRE))
        else:
            chunks.append(Chunk(parts=(part if isinstance(part, Other) else Other(block),), wire=WIRE))
    if citations := checked(message.get(CITATIONS) or [], list, CITATIONS):
        _cite(chunks, citations)
    if plan := checked(message.get(PLAN) or "", str, PLAN):
        chunks.append(Chunk(reasoning=plan, parts=(end_of_reasoning(provider),), extra={"part": PLAN_MARK}, wire=WIRE))
    return chunks


def _cite(chunks: list[Chunk], citations: list[Any]) -> None:
    """Put the citations to the last text; to a text of its own where there is none."""
    at = next((at for at in reversed(range(len(chunks))) if chunks[at].text), None)
    if at is None:
        chunks.append(Chunk(extra={"part": {CITATIONS: citations}}, wire=WIRE))
    else:
        fields = (chunks[at].extra or {}).get("part") or {}
        chunks[at] = chunks[at].evolve(extra={"part": {**fields, CITATIONS: citations}})


def end_of_reasoning(provider: str, extra: Mapping[str, Any] | None = None) -> Reasoning:
    """Return the part that ends reasoning: it tells whose it is."""
    return Reasoning("", None, provider, extra or {})


def _finished(chunks: list[Chunk], body: Mapping[str, Any], message: Mapping[str, Any]) -> list[Chunk]:
    """Put the tool calls and what belongs to the whole answer to the last chunk."""
    calls = parse_calls(message.get("tool_calls"))
    last = chunks.pop() if chunks and not (calls and chunks[-1].parts) else Chunk(wire=WIRE)
    extra = {**(last.extra or {}), **rest(body, _TOP)}
    if unknown := rest(message, MESSAGE):
        extra["message"] = unknown
    if counts := usage_rest(body.get("usage")):
        extra["usage"] = counts
    reason = read_reason(body.get(FINISH), extra)
    identity = body.get("id")
    return [
        *chunks,
        last.evolve(
            tool_calls=calls,
            finish_reason=reason,
            usage=parse_usage(body.get("usage")),
            id=checked(identity, str, "id") or None if identity is not None else None,
            extra=extra or None,
        ),
    ]


def parse_calls(calls: Any) -> tuple[ToolCallDelta, ...]:
    """Read the tool calls of a message.

    Raises:
        ConfigError: they are none; the message names the field.
    """
    return tuple([parse_call(at, call) for at, call in enumerate(checked(calls or [], list, "tool_calls"))])


def parse_call(index: int, call: Any) -> ToolCallDelta:
    """Read a tool call, or a piece of one.

    Raises:
        ConfigError: it is none; the message names the field.
    """
    identity, name, arguments, extra = read_tool_call(checked(call, dict, "a tool call"))
    return ToolCallDelta(index, identity, name, arguments, extra or None)
