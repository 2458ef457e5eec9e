"""Writing answers in the format of OpenAI chat completions; reading them is in `aigw.wire.openai_chat.answer`.

Unknown fields go back to where they came from. Those of another format are left out: a client of this format would not
know what to do with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, join_tool_calls
from aigw.wire.fields import merge, rest
from aigw.wire.openai_chat.answer import INNER
from aigw.wire.openai_chat.contents import Content
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.parts import write_image, write_tool_call
from aigw.wire.openai_chat.reasoning import DETAILS
from aigw.wire.usage import render_usage
from aigw.wire.whole import id_of, model_of, own_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NOTHING: Final[Mapping[str, Any]] = {}


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",
    created: int = 0,
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        created: when it was made, in seconds since 1970.
        dialect: names the field for readable reasoning.
    """
    indices = sorted({chunk.index for chunk in chunks if says_something(chunk)} or {0})
    rendered: dict[str, Any] = {
        "id": id_of(chunks, id),
        "object": "chat.completion",
        "created": created,
        "model": model_of(chunks, model),
        "choices": [
            _render_choice(index, [chunk for chunk in chunks if chunk.index == index], dialect) for index in indices
        ],
    }
    for chunk in chunks:
        if chunk.usage is not None:
            rendered["usage"] = render_usage(chunk.usage, known_extra(chunk).get("usage"))
        rendered.update(whole_rest(chunk))
    return rendered


def _render_choice(index: int, chunks: Sequence[Chunk], dialect: Dialect) -> dict[str, Any]:
    calls = join_tool_calls(chunks, index)
    refusal = "".join(chunk.refusal for chunk in chunks) or None
    content = _content_of(chunks)
    said = content.render()
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if not said and (calls or refusal) else said,
        "refusal": refusal,
    }
    if reasoning := "".join(chunk.reasoning for chunk in chunks):
        message[dialect.reasoning_fields[0]] = reasoning
    if calls:
        known = all(chunk.wire in ("", WIRE) for chunk in chunks)
        message["tool_calls"] = [
            write_tool_call(call.id, call.name, call.arguments, call.extra if known else None) for call in calls
        ]
    message.update(_beside(content))
    reasons = [chunk.finish_reason for chunk in chunks if chunk.finish_reason]
    choice = {
        "index": index,
        "message": merge(message, _join(known_extra(chunk).get("message") for chunk in chunks)),
        "finish_reason": reasons[-1] if reasons else "tool_calls" if calls else "stop",
        "logprobs": None,
    }
    return merge(choice, _join(known_extra(chunk).get("choice") for chunk in chunks))


def _content_of(chunks: Iterable[Chunk]) -> Content:
    content = Content()
    for chunk in chunks:
        content.add(chunk)
    return content


def _beside(content: Content) -> dict[str, Any]:
    """Render what stands beside a content: images, and blocks of reasoning."""
    fields: dict[str, Any] = {}
    if content.images:
        fields["images"] = [write_image(image, image.extra) for image in content.images]
    if content.details:
        fields[DETAILS] = content.details
    return fields


def _join(pieces: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Join the unknown fields of several chunks: lists grow (``logprobs``), of anything else the last counts."""
    joined: dict[str, Any] = {}
    for piece in pieces:
        for name, value in (piece or {}).items():
            there = joined.get(name)
            if isinstance(there, list) and isinstance(value, list):
                joined[name] = there + value
            elif isinstance(there, dict) and isinstance(value, dict):
                joined[name] = _join((there, value))
            else:
                joined[name] = value
    return joined


def known_extra(chunk: Chunk) -> Mapping[str, Any]:
    """Return the unknown fields of a chunk, unless they are another format's."""
    return own_extra(chunk, WIRE)


def says_something(chunk: Chunk) -> bool:
    """Whether a chunk belongs to a choice, rather than to the whole answer."""
    extra = known_extra(chunk)
    return chunk.has_output or chunk.finish_reason is not None or "choice" in extra or "message" in extra


def whole_rest(chunk: Chunk) -> dict[str, Any]:
    """Return the unknown fields that belong to the whole answer."""
    extra = known_extra(chunk)
    return rest(extra, INNER) if extra else {}


def render_delta(chunk: Chunk, dialect: Dialect = DEFAULT) -> dict[str, Any]:
    """Render what a chunk says as the ``delta`` of a streamed choice."""
    delta: dict[str, Any] = {}
    extra = known_extra(chunk)
    if chunk.parts or "part" in extra:
        content = _content_of((chunk,))
        if said := content.render():
            delta["content"] = said
        delta.update(_beside(content))
    elif chunk.text:
        delta["content"] = chunk.text
    if chunk.reasoning:
        delta[dialect.reasoning_fields[0]] = chunk.reasoning
    if chunk.refusal:
        delta["refusal"] = chunk.refusal
    if chunk.tool_calls:
        known = chunk.wire in ("", WIRE)
        delta["tool_calls"] = [
            {"index": call.index, **write_tool_call(call.id, call.name, call.arguments, call.extra if known else None)}
            for call in chunk.tool_calls
        ]
    if unknown := extra.get("message"):
        merge(delta, unknown)
    return delta
