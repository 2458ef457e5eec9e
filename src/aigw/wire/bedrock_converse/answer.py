"""Whole answers of the Converse API, to and from `Chunk`.

What aigw does not model is kept in ``Chunk.extra``:

- unknown fields of the whole answer at its top level, on the last chunk: ``metrics``, ``trace``, ``serviceTier``;
- of the message under ``"message"``, on the first chunk; of the usage under ``"usage"``;
- ``"stopReason"``, where ours does not lead back to the original;
- of a text under ``"part"``, laid out as in `aigw.wire.bedrock_converse.parts`: ``{"part": {"citations": [...]}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, ToolCallDelta
from aigw.errors import ConfigError
from aigw.message import Part, Reasoning, Text, ToolCall
from aigw.wire.answers import wrong_answer
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL, DEFAULT, WIRE, Dialect
from aigw.wire.bedrock_converse.events import Events
from aigw.wire.bedrock_converse.folding import NO_METRICS, fold
from aigw.wire.bedrock_converse.parts import parse_block, read_cited
from aigw.wire.bedrock_converse.usage import parse_usage, read_reason
from aigw.wire.fields import checked, required, rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TOP: Final = frozenset({"output", "stopReason", "usage", "message", "part"})


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each block of its content, what belongs to all of it on the last.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no answer of the Converse API.
    """
    try:
        body = checked(body, dict, "it")
        message = required(required(body, "output", dict), "message", dict, "output")
        content = required(message, "content", list, "output.message")
        chunks = list(_chunks(content, dialect))
        given = required(body, "stopReason", str)
    except ConfigError as error:
        raise wrong_answer("one of the Converse API", error, dialect.provider, model) from None
    last = chunks.pop() if chunks else Chunk(wire=WIRE)
    called = any(chunk.tool_calls for chunk in (*chunks, last))
    reason, kept = read_reason("end_turn" if given == "tool_use" and not called and _answers(content) else given)
    usage, counts = parse_usage(body.get("usage"))
    extra = {**(last.extra or {}), **whole_rest(body), **kept}
    if counts:
        extra["usage"] = counts
    chunks.append(last.evolve(finish_reason=reason, usage=usage, extra=extra or None))
    if unknown := rest(message, ("role", "content")):
        chunks[0] = chunks[0].evolve(extra={**(chunks[0].extra or {}), "message": unknown})
    return chunks


def _answers(content: Sequence[Any]) -> bool:
    """Whether the answer came through the tool that we have given for it: then that was no tool call."""
    return any((block.get("toolUse") or {}).get("name") == ANSWER_TOOL for block in content)


def whole_rest(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the unknown fields of an answer or of the event with its metadata."""
    unknown = rest(data, _TOP)
    if unknown.get("metrics") == NO_METRICS:  # what we write where nothing is known
        del unknown["metrics"]
    return unknown


def _chunks(content: Sequence[Any], dialect: Dialect) -> Iterator[Chunk]:
    calls = 0
    for at, given in enumerate(content):
        where = f"output.message.content[{at}]"
        block = checked(given, dict, where)
        if (texts := _cited(block)) is not None:
            yield Chunk(
                text="".join(texts), extra={"part": {"citations": block["citationsContent"]["citations"]}}, wire=WIRE
            )
            continue
        part = parse_block(block, dialect.provider, where, "assistant")
        yield part_chunk(part, calls)
        calls += isinstance(part, ToolCall) and part.name != ANSWER_TOOL


def _cited(block: Mapping[str, Any]) -> list[str] | None:
    inner = block.get("citationsContent")
    return read_cited(inner) if isinstance(inner, dict) and len(block) == 1 else None


def part_chunk(part: Part, calls: int) -> Chunk:
    """Return the chunk of a part that came whole.

    Args:
        part: the part.
        calls: how many tool calls came before it.
    """
    if isinstance(part, Text):
        return Chunk(text=part.text, extra={"part": dict(part.extra)} if part.extra else None, wire=WIRE)
    if isinstance(part, ToolCall):
        if part.name == ANSWER_TOOL:
            return Chunk(text=part.arguments, wire=WIRE)
        delta = ToolCallDelta(calls, part.id, part.name, part.arguments, part.extra or None)
        return Chunk(tool_calls=(delta,), wire=WIRE)
    if isinstance(part, Reasoning) and "redactedContent" not in part.extra:
        # Also where there is no signature: it tells where this block of reasoning ends.
        end = Reasoning("", part.signature, part.provider if part.signature else None, part.extra)
        return Chunk(reasoning=part.text, parts=(end,), wire=WIRE)
    return Chunk(parts=(part,), wire=WIRE)


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002, ARG001  (the other formats have it)
    model: str = "",  # noqa: ARG001  (the same)
    created: int = 0,  # noqa: ARG001  (the same)
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    Args:
        chunks: all its chunks; the format has room for one answer, so those of others are left out.
        id: not used: the format has no place for it.
        model: not used either.
        created: not used either.
        dialect: names the provider whose signatures the client gets.
    """
    events = Events(dialect)
    written = [event for chunk in chunks for event in events.write(chunk)] + events.finish()
    return fold(written)
