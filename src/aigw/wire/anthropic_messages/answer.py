"""Whole answers in the format of Anthropic Messages, to and from `Chunk`.

What aigw does not model is kept in ``Chunk.extra`` (``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level, among them ``stop_sequence`` and ``stop_details``; and
  ``stop_reason`` where the finish reason says less than it;
- of the usage under ``"usage"``: ``{"usage": {"service_tier": "standard"}}``;
- of the text that the chunk goes on with under ``"part"``: ``{"part": {"citations": [...]}}``;
- what a delta of a stream has beyond its text under ``"delta"``, with its type;
- ``{"new_part": True}`` where a text begins that follows another text: one block has ended, and a second one begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk
from aigw.errors import ConfigError
from aigw.wire.answers import wrong_answer
from aigw.wire.anthropic_messages.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.anthropic_messages.errors import classify
from aigw.wire.anthropic_messages.read_blocks import BlockReader
from aigw.wire.anthropic_messages.usage import parse_usage, render_usage, usage_rest
from aigw.wire.anthropic_messages.write_blocks import BlockWriter, whole_blocks
from aigw.wire.fields import checked, optional, rest
from aigw.wire.whole import id_of, model_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FINISH: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_STOP: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_INNER: Final = ("usage", "part", "delta", "new_part")
_TOP: Final = frozenset({"id", "type", "role", "model", "content", "stop_reason", "usage", "error"})


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each content block.

    Its id and model stand on the first one; finish reason, usage and the fields of the whole answer on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no message.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked(body, dict, "it")
        if body.get("type") == "error" or body.get("error"):
            raise classify(200, {}, to_json(body), provider=dialect.provider, model=model)
        content = body.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        reader = BlockReader(dialect.provider)
        blocks = (checked(block, dict, "a content block") for block in checked(content, list, "content"))
        chunks = [chunk for block in blocks for chunk in reader.whole(block)] or [Chunk(wire=WIRE)]
        chunks[0] = chunks[0].evolve(id=optional(body, "id", str) or None, model=optional(body, "model", str) or None)
        finish, extra = read_finish(body)
        usage = body.get("usage")
        if left := usage_rest(usage):
            extra["usage"] = left
        last = chunks[-1]
        extra = {**(last.extra or {}), **extra}
        chunks[-1] = last.evolve(finish_reason=finish, usage=parse_usage(usage), extra=extra or None)
    except ConfigError as error:
        raise wrong_answer("a message", error, dialect.provider, model) from None
    return chunks


def read_finish(data: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the finish reason, and the unknown fields of an answer or the end of one.

    Raises:
        ConfigError: the stop reason is no text.
    """
    stop = optional(data, "stop_reason", str) or None
    finish = None if stop is None else _FINISH.get(stop, stop)
    extra = rest(data, _TOP)
    if finish is not None and _STOP.get(finish, finish) != stop:
        extra["stop_reason"] = stop
    return finish, extra


def write_finish(chunk: Chunk, *, has_calls: bool) -> str:
    """Return the stop reason of an answer.

    Args:
        chunk: the one with the finish reason; or with none, if nobody told one.
        has_calls: there was a tool call.
    """
    own = whole_extra(chunk).get("stop_reason")
    if isinstance(own, str):
        return own
    if chunk.finish_reason is None:
        return "tool_use" if has_calls else "end_turn"
    return _STOP.get(chunk.finish_reason, chunk.finish_reason)


def whole_extra(chunk: Chunk) -> dict[str, Any]:
    """Return the unknown fields that belong to the whole answer, if they are of this format."""
    return rest(chunk.extra, _INNER) if chunk.extra and chunk.wire in ("", WIRE) else {}


def usage_of(chunk: Chunk) -> dict[str, Any]:
    """Render the usage of a chunk."""
    unknown = chunk.extra.get("usage") if chunk.extra and chunk.wire in ("", WIRE) else None
    return render_usage(chunk.usage, unknown)


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",
    created: int = 0,  # noqa: ARG001  (other formats tell when an answer was made)
    dialect: Dialect = DEFAULT,  # noqa: ARG001  (other formats differ here)
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    This format has one answer to a request: of several only the first is rendered. A refusal is a text here. Parts that
    only another format knows are left out, signatures of other formats too.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        created: not told by this format.
        dialect: not used by this format.
    """
    chunks = [chunk for chunk in chunks if chunk.index == 0]
    writer = BlockWriter()
    events = [event for chunk in chunks for event in writer.write(chunk)]
    rendered: dict[str, Any] = {
        "id": id_of(chunks, id),
        "type": "message",
        "role": "assistant",
        "model": model_of(chunks, model),
        "content": whole_blocks(events),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": render_usage(None),
    }
    finish = Chunk()
    refused = False
    for chunk in chunks:
        rendered.update(whole_extra(chunk))
        refused = refused or bool(chunk.refusal)
        if chunk.finish_reason is not None:
            finish = chunk
        if chunk.usage is not None:
            rendered["usage"] = usage_of(chunk)
    rendered["stop_reason"] = refusal_or(write_finish(finish, has_calls=writer.has_calls), refused=refused)
    return rendered


def refusal_or(stop: str, *, refused: bool) -> str:
    """Return the stop reason; an answer that is a refusal has not simply come to its end."""
    return "refusal" if refused and stop == "end_turn" else stop
