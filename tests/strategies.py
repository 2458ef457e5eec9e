"""Hypothesis strategies for the values that travel, within what the OpenAI format can express."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Other, Text, Tool, ToolCall, ToolResult

WIRE = "openai_chat"
"""Where the messages and calls come from: one made by hand says less, and is rendered with more care."""

texts = st.text(max_size=12)
names = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1, max_size=8).map("n{}".format)
counts = st.integers(0, 10**9)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
"""Anything that JSON can hold."""

unknown_values = json_values.filter(lambda value: value is not None)
"""Values of fields that aigw does not model; null would mean that the field is not there."""

some_unknown_fields = st.dictionaries(
    st.sampled_from(["x_one", "x_two", "cache_control"]), unknown_values, min_size=1, max_size=2
)
"""Fields that aigw does not model, at least one."""

unknown_fields = st.just({}) | some_unknown_fields
"""Fields that aigw does not model."""


def with_inner(name: str) -> st.SearchStrategy[dict]:
    """Unknown fields of a part, and of the object that stands within it under `name`."""
    inner = some_unknown_fields.map(lambda fields: {name: fields})
    return st.builds(lambda outer, more: {**outer, **more}, unknown_fields, st.just({}) | inner)


text_parts = st.builds(Text, texts, unknown_fields)
image_parts = st.builds(Image, texts, st.none() | st.sampled_from(["low", "high", "auto"]), with_inner("image_url"))
file_parts = st.builds(File, st.none() | texts, st.none() | texts, st.none() | texts, with_inner("file"))
other_parts = st.builds(
    lambda kind, fields: Other({"type": kind, **fields}), st.sampled_from(["input_audio", "refusal"]), unknown_fields
)
tool_calls = st.builds(ToolCall, names, names, st.just("{}") | texts.filter(bool), with_inner("function")) | st.builds(
    ToolCall, names, names, texts, st.just({"type": "custom"})
)
tool_results = st.builds(
    ToolResult,
    id=names,
    content=texts | st.lists(text_parts | image_parts, max_size=2).map(tuple),
    name=st.none() | names,
)


def _says_nothing(parts: tuple) -> bool:
    return parts == (Text(""),)  # renders as empty content, which is read back as no parts


def _parts(kinds: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(kinds, max_size=3).map(tuple).map(lambda parts: () if _says_nothing(parts) else parts)


user_messages = st.builds(
    Message,
    st.sampled_from(["system", "developer", "user"]),
    _parts(text_parts | image_parts | file_parts | other_parts),
    st.none() | names,
    unknown_fields,
    st.just(WIRE),
)
assistant_messages = st.builds(
    lambda said, calls, name, extra: Message("assistant", said + calls, name, extra, WIRE),
    _parts(text_parts | other_parts),
    st.lists(tool_calls, max_size=2).map(tuple),
    st.none() | names,
    unknown_fields,
)
tool_messages = st.builds(Message, st.just("tool"), tool_results, extra=unknown_fields, wire=st.just(WIRE))
messages = user_messages | assistant_messages | tool_messages
"""Messages of every role; results of tools one to a message."""

schemas = st.dictionaries(texts, json_values, max_size=2)
tools = st.builds(Tool, names, texts, schemas, st.none() | st.booleans(), with_inner("function"))

_chat_calls = st.builds(
    Call,
    model=names,
    messages=st.lists(messages, max_size=3).map(tuple),
    tools=st.lists(tools, max_size=2).map(tuple),
    tool_choice=st.none() | st.sampled_from(["auto", "none", "required"]) | names,
    parallel_tool_calls=st.none() | st.booleans(),
    schema=st.none() | st.builds(Schema, schemas, names, st.none() | st.booleans()),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | counts,
    stop=st.lists(texts, max_size=2).map(tuple),
    seed=st.none() | st.integers(-(2**63), 2**63),
    n=st.none() | st.integers(1, 8),
    reasoning=st.none() | st.sampled_from(["none", "low", "high", "xhigh"]),
    extra=unknown_fields | st.just({"logit_bias": {"50256": -100}, "stream_options": {"include_obfuscation": False}}),
    wire=st.just(WIRE),
    stream=st.booleans(),
)
chat_calls = _chat_calls.map(
    lambda call: call if call.tools else replace(call, tool_choice=None, parallel_tool_calls=None)
)
"""Chat calls; without tools there is no choice of tools either."""

embedding_calls = st.builds(
    Call,
    operation=st.just("embeddings"),
    model=names,
    inputs=st.lists(texts, max_size=3).map(tuple),
    dimensions=st.none() | st.integers(1, 4096),
    extra=unknown_fields | st.just({"encoding_format": "base64"}),
)

usages = st.builds(Usage, counts, counts, st.none() | counts, st.none() | counts, st.none() | counts)

finish_reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "some_new_reason"])


def _extra(*layers: str) -> st.SearchStrategy[dict | None]:
    """Unknown fields of an answer: at the top level, and of the objects within it."""
    inner = st.fixed_dictionaries({}, optional=dict.fromkeys(layers, some_unknown_fields))
    return st.builds(lambda top, rest: {**top, **rest} or None, unknown_fields, inner)


_delta_extras = with_inner("function").map(lambda fields: fields or None)


def _whole_call(index: int) -> st.SearchStrategy[ToolCallDelta]:
    return st.builds(ToolCallDelta, st.just(index), names, names, texts, _delta_extras)


_blocks = st.lists(other_parts, max_size=2).map(tuple)
_images = st.lists(image_parts, max_size=1).map(tuple)


def _said(
    draw: st.DrawFn, calls: tuple[ToolCallDelta, ...], layers: tuple[str, ...], *, plain: bool
) -> dict[str, object]:
    """What a chunk says. Parts that stand in the content come after the text, and never after tool calls."""
    text = draw(texts)
    extra = draw(_extra(*layers, *(["part"] if text and not plain else [])))
    parts = (*(() if calls or plain else draw(_blocks)), *draw(_images))
    said = {"text": text, "reasoning": draw(texts), "refusal": draw(texts)}
    return {**said, "tool_calls": calls, "parts": parts, "extra": extra}


@st.composite
def whole_answers(draw: st.DrawFn, *, plain: bool = False) -> list[Chunk]:
    """Chunks of a whole answer: one for each choice; usage and fields of the whole answer on the last.

    The content of a plain one is a text, as OpenAI's always is.
    """
    number = draw(st.integers(1, 3))
    identity, model = draw(st.none() | names), draw(st.none() | names)
    chunks = []
    for index in range(number):
        last = index == number - 1
        usage = draw(st.none() | usages) if last else None
        calls = tuple(draw(_whole_call(at)) for at in range(draw(st.integers(0, 2))))
        said = _said(draw, calls, ("choice", "message", *(["usage"] if usage else [])), plain=plain)
        if said["extra"] and not last:
            inner = ("choice", "message", "part")
            said["extra"] = {name: fields for name, fields in said["extra"].items() if name in inner} or None
        reason = draw(finish_reasons)
        chunks.append(Chunk(**said, finish_reason=reason, usage=usage, index=index, id=identity, model=model))
    return chunks


@st.composite
def streams(draw: st.DrawFn, *, plain: bool = False) -> list[Chunk]:
    """Chunks of a stream: pieces of one or more choices, mixed; each choice ends; usage, if any, comes last.

    The contents of a plain one are texts, as OpenAI's always are.
    """
    whole = {"id": draw(st.none() | names), "model": draw(st.none() | names)}
    begun: set[tuple[int, int]] = set()
    pieces = []
    for _ in range(draw(st.integers(0, 6))):
        index = draw(st.integers(0, 2))
        calls = tuple(_piece(draw, index, begun) for _ in range(draw(st.integers(0, 2))))
        chunk = Chunk(**_said(draw, calls, ("choice", "message"), plain=plain), index=index, **whole)
        if chunk.has_output:
            pieces.append(chunk)
    indices = sorted({chunk.index for chunk in pieces} or {0})
    ends = [Chunk(finish_reason=draw(finish_reasons), index=index, **whole) for index in indices]
    usage = draw(st.none() | usages)
    return [*pieces, *ends, *([Chunk(usage=usage, **whole)] if usage else [])]


def _piece(draw: st.DrawFn, choice: int, begun: set[tuple[int, int]]) -> ToolCallDelta:
    """A piece of a tool call; the first one has its id and name."""
    index = draw(st.integers(0, 2))
    first = (choice, index) not in begun
    begun.add((choice, index))
    identity, name = (draw(names), draw(names)) if first else (None, None)
    return ToolCallDelta(index, identity, name, draw(texts), draw(_delta_extras))


@st.composite
def splits(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut bytes into pieces at any places, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
