"""Answers in Gemini's format, from `Chunk` to the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, join_deltas
from aigw.message import File, Image, Other, Part, Reasoning, Text, ToolCall
from aigw.wire.fields import rest
from aigw.wire.gemini.calls import render_call
from aigw.wire.gemini.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.gemini.media import render_media
from aigw.wire.gemini.names import merged
from aigw.wire.gemini.parts import Writer
from aigw.wire.gemini.reasons import STOP, render_reason
from aigw.wire.gemini.signatures import give
from aigw.wire.gemini.usage import render_usage
from aigw.wire.whole import id_of, model_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_INNER: Final = ("choice", "message", "usage", "part")
_NONE: Final[Mapping[str, Any]] = {}


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field in the other formats)
    model: str = "",
    created: int = 0,  # noqa: ARG001  (this format does not tell it; all formats are called alike)
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    A refusal is a text here. Thought signatures and unknown parts of other formats are left out: a client would send
    them back to a model that does not know them.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        created: when it was made; not told.
        dialect: names the provider whose thought signatures the client gets.
    """
    indices = sorted({chunk.index for chunk in chunks if says_something(chunk)} or {0})
    rendered: dict[str, Any] = {
        "candidates": [
            _render_whole(index, [chunk for chunk in chunks if chunk.index == index], dialect) for index in indices
        ],
    }
    if named := model_of(chunks, model):
        rendered["modelVersion"] = named
    if identity := id_of(chunks, id):
        rendered["responseId"] = identity
    for chunk in chunks:
        rendered |= render_whole_fields(chunk)
    return rendered


def _render_whole(index: int, chunks: Sequence[Chunk], dialect: Dialect) -> dict[str, Any]:
    calls = _join_calls(chunks)
    writer = Writer(dialect.provider)
    for chunk in chunks:
        due = [calls.pop(delta.index) for delta in chunk.tool_calls if delta.index in calls]
        write_chunk(chunk, due, writer, dialect)
    last = next((chunk for chunk in reversed(chunks) if chunk.finish_reason), Chunk(finish_reason="stop"))
    return render_candidate(index, writer.parts, last.finish_reason, chunks)


def _join_calls(chunks: Iterable[Chunk]) -> dict[int, tuple[ToolCall, bool]]:
    """Join the pieces of the tool calls; each with whether its fields are ours."""
    deltas: dict[int, list[Any]] = {}
    own: dict[int, bool] = {}
    for chunk in chunks:
        for delta in chunk.tool_calls:
            deltas.setdefault(delta.index, []).append(delta)
            own[delta.index] = is_own(chunk)
    return {index: (join_deltas(pieces), own[index]) for index, pieces in deltas.items()}


def is_own(chunk: Chunk) -> bool:
    """Whether the unknown fields and parts of a chunk are of this format, or were written by hand."""
    return chunk.wire in ("", WIRE)


def extra_of(chunk: Chunk) -> Mapping[str, Any]:
    """Return the unknown fields of a chunk that are of this format."""
    return (chunk.extra or _NONE) if is_own(chunk) else _NONE


def says_something(chunk: Chunk) -> bool:
    """Whether a chunk belongs to a candidate, rather than to the whole answer."""
    return chunk.has_output or chunk.finish_reason is not None or not extra_of(chunk).keys().isdisjoint(_INNER[:2])


def write_chunk(chunk: Chunk, calls: Iterable[tuple[ToolCall, bool]], writer: Writer, dialect: Dialect) -> None:
    """Write what a chunk says.

    Args:
        chunk: the chunk.
        calls: the tool calls that are complete with it, each with whether its fields are of this format.
        writer: writes the parts.
        dialect: how the server differs.
    """
    if chunk.reasoning:
        writer.grow(chunk.reasoning, thought=True)
    if said := chunk.text + chunk.refusal:
        writer.grow(said)
    for call, own in calls:
        writer.add(render_call(call, call.extra if own else _NONE, dialect))
    if (fields := extra_of(chunk).get("part")) is not None:
        writer.add_fields(fields)
    for part in chunk.parts:
        _write_part(part, writer, dialect, own=is_own(chunk))


def _write_part(part: Part, writer: Writer, dialect: Dialect, *, own: bool) -> None:
    if isinstance(part, Other):
        if own:
            writer.add(give(part.data, dialect.provider))
        return
    extra = part.extra if own else _NONE
    if isinstance(part, Text):
        writer.add_text(part.text, extra)
    elif isinstance(part, Reasoning):
        writer.add_reasoning(part, extra)
    elif isinstance(part, ToolCall):
        writer.add(render_call(part, extra, dialect))
    elif isinstance(part, (Image, File)) and (media := render_media(part, extra, dialect)) is not None:
        writer.add(media)


def render_candidate(
    index: int, parts: list[dict[str, Any]], finish_reason: str | None, chunks: Sequence[Chunk]
) -> dict[str, Any]:
    """Render a candidate, or what an event says of it.

    Args:
        index: its place among the candidates.
        parts: its parts.
        finish_reason: our word for why it ended; ``None`` while it has not.
        chunks: what was rendered, for its unknown fields.
    """
    candidate: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for chunk in chunks:
        unknown = merged(unknown, extra_of(chunk).get("message", _NONE))
    if parts or unknown:
        candidate["content"] = {"parts": parts, "role": "model", **unknown}
    if finish_reason is not None:
        candidate |= render_reason(finish_reason, own=all(map(is_own, chunks)))
    candidate["index"] = index
    for chunk in chunks:
        candidate = merged(candidate, extra_of(chunk).get("choice", _NONE))
    return candidate


def render_whole_fields(chunk: Chunk) -> dict[str, Any]:
    """Render what a chunk says of the whole answer: its usage, and unknown fields."""
    extra = extra_of(chunk)
    fields = rest(extra, _INNER)
    if chunk.usage is not None:
        fields["usageMetadata"] = render_usage(chunk.usage, extra.get("usage"))
    elif "usage" in extra:
        fields["usageMetadata"] = extra["usage"]
    return fields


def end_of(index: int) -> dict[str, Any]:
    """Return the end of a candidate that nobody ended: clients take one without a reason for one that was cut."""
    return {"finishReason": STOP, "index": index}
