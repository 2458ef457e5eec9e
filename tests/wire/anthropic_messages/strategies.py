"""Hypothesis strategies for calls and chunks, within what the Anthropic format can express."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from pydantic_core import to_json

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.anthropic_messages import WIRE
from strategies import json_values, names, some_unknown_fields, unknown_fields, unknown_values, with_inner

PROVIDER = "anthropic"

said = st.text(max_size=10).map("a{}".format)
"""Text that the server takes: not empty, and not of white space alone."""

texts = st.builds(Text, said, unknown_fields)
base64 = st.binary(max_size=6).map(lambda data: Image.from_bytes(data, "image/png").url)
images = st.builds(Image, base64 | said.map("https://x/{}".format), extra=with_inner("source"))
_file_extra = with_inner("source")
documents = (
    st.builds(File, said.map("https://x/{}".format), st.none(), st.none() | names, _file_extra)
    | st.builds(File, st.none(), names, st.none() | names, _file_extra)
    | st.builds(lambda name: File.from_bytes(b"%PDF", "application/pdf", name), names)
    | st.builds(lambda name, text: File.from_bytes(text.encode(), "text/plain", name), names, st.text(max_size=5))
)
others = st.builds(
    lambda kind, fields: Other({"type": kind, **fields}),
    st.sampled_from(["search_result", "container_upload", "web_search_tool_result", "some_new_block"]),
    unknown_fields,
)
objects = st.dictionaries(st.text(max_size=4), json_values, max_size=2)
arguments = objects.map(lambda value: to_json(value).decode()) | st.sampled_from(["{broken", "[1]", "7", '{"a": '])
"""Arguments as a model writes them: JSON without spaces, or no object at all."""
tool_calls = st.builds(ToolCall, names, names, arguments, unknown_fields)
thoughts = st.builds(Reasoning, said, st.none() | names, st.just(PROVIDER), unknown_fields)
redacted = st.builds(
    lambda data, extra: Reasoning("", data, PROVIDER, {"type": "redacted_thinking", **extra}), names, unknown_fields
)
tool_results = st.builds(
    ToolResult,
    id=names,
    content=st.just("") | said | st.lists(texts | images, min_size=1, max_size=2).map(tuple),
    is_error=st.booleans(),
    extra=unknown_fields,
)


def _message(role: str, parts: st.SearchStrategy, *, extra: bool = True) -> st.SearchStrategy[Message]:
    fields = unknown_fields if extra else st.just({})
    return st.builds(
        lambda some, more: Message(role, tuple(some), extra=more, wire=WIRE),
        st.lists(parts, min_size=1, max_size=3),
        fields,
    )


user_messages = _message("user", texts | images | documents | others)
assistant_messages = _message("assistant", texts | others | thoughts | redacted | tool_calls)
tool_messages = _message("tool", tool_results)
inline_messages = _message("system", texts)
system_messages = _message("system", texts, extra=False)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """Turns that need no change: perhaps a system message, then user and assistant in turns."""
    messages = [draw(system_messages)] if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 4))):
        if turn % 2:
            messages.append(draw(assistant_messages))
            continue
        kind = draw(st.sampled_from(["user", "tool", "both"]))
        if kind != "user":
            result = draw(tool_messages)
            messages.append(result if kind == "tool" else replace(result, extra={}))
        if kind != "tool":
            message = draw(user_messages)
            messages.append(message if kind == "user" else Message("user", message.parts, wire=WIRE))
        if draw(st.integers(0, 3)) == 0:
            messages.append(draw(inline_messages))
    return tuple(messages)


tool_schemas = objects.map(lambda fields: {"type": "object", "x": 1, **fields}) | st.just({})
tools = st.builds(
    Tool,
    names,
    st.text(max_size=5),
    tool_schemas,
    st.none() | st.booleans(),
    unknown_fields | st.just({"type": "custom"}),
) | st.builds(
    lambda name, fields: Tool(name, extra={"type": "web_search_20260318", "name": name, **fields}),
    names,
    unknown_fields,
)

_extras = unknown_fields | st.just(
    {
        "metadata": {"user_id": "u"},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"task_budget": {"type": "tokens", "total": 5}},
        "service_tier": "auto",
        "top_k": 3,
    }
)


@st.composite
def chat_calls(draw: st.DrawFn) -> Call:
    """Calls as they are read from a request."""
    some_tools = tuple(draw(st.lists(tools, max_size=2)))
    choice = draw(st.none() | st.sampled_from(["auto", "none", "required"]) | names) if some_tools else None
    parallel = draw(st.none() | st.booleans()) if choice not in (None, "none") else None
    extra = draw(_extras)
    forces = choice not in (None, "auto", "none")
    words = ["none"] if forces else ["none", "low", "medium", "high"]
    reasoning = draw(st.none() | st.sampled_from(words)) if "thinking" not in extra else "high"
    return Call(
        model=draw(st.sampled_from(["some-model", "deepseek-chat"])),  # the rules of Claude models have their own tests
        messages=draw(conversations()),
        tools=some_tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        schema=draw(st.none() | st.builds(Schema, objects)),
        temperature=draw(st.none() | st.floats(0, 1)),
        top_p=draw(st.none() | st.floats(0, 1)),
        max_tokens=draw(st.integers(32_000, 10**6)),
        stop=tuple(draw(st.lists(said, max_size=2))),
        reasoning=reasoning,
        extra=extra,
        wire=WIRE,
        stream=draw(st.booleans()),
    )


counts = st.integers(0, 10**6)
usages = st.builds(
    lambda fresh, output, cached, written, reasoning: Usage(
        fresh + (cached or 0) + (written or 0), output, cached, written, reasoning
    ),
    st.integers(1, 10**6),
    counts,
    st.none() | counts,
    st.none() | counts,
    st.none() | counts,
)

finishes = st.sampled_from(
    [
        ("stop", {}),
        ("stop", {"stop_reason": "stop_sequence", "stop_sequence": "END"}),
        ("length", {}),
        ("length", {"stop_reason": "model_context_window_exceeded"}),
        ("tool_calls", {}),
        ("content_filter", {"stop_details": {"type": "refusal", "category": "bio"}}),
        ("pause_turn", {}),
        ("some_new_reason", {}),
    ]
)


def _pieces(draw: st.DrawFn, *, whole: bool) -> int:
    return 1 if whole else draw(st.integers(1, 3))


def _text_block(draw: st.DrawFn, *, whole: bool, after_text: bool) -> list[Chunk]:
    extra = {"new_part": True} if after_text else {}
    if fields := draw(unknown_fields | st.just({"citations": [{"type": "char_location"}, {"type": "x"}]})):
        extra["part"] = fields
    chunks = [Chunk(draw(said), extra=extra or None)]
    for _ in range(_pieces(draw, whole=whole) - 1):
        later = [{"part": draw(some_unknown_fields.filter(lambda fields: "citations" not in fields))}]
        later += [{"part": {"citations": [{"type": "y"}]}}, {"delta": {"type": "text_delta", "new": 1}}]
        piece = st.builds(Chunk, said) | st.builds(Chunk, extra=st.sampled_from(later))
        chunks.append(draw(piece))
    return chunks


def _thinking_block(draw: st.DrawFn, *, whole: bool) -> list[Chunk]:
    end = Reasoning("", draw(st.none() | names), PROVIDER, draw(unknown_fields))
    if whole:
        return [Chunk(reasoning=draw(said), parts=(end,))]
    if end.signature and draw(st.booleans()):
        return [Chunk(parts=(end,))]  # thinking whose text is not shown
    chunks = [Chunk(reasoning=draw(said)) for _ in range(_pieces(draw, whole=False))]
    if draw(st.booleans()):
        chunks.append(Chunk(extra={"delta": {"type": "thinking_delta", "estimated_tokens": 50}}))
    return [*chunks, Chunk(parts=(end,))]


def _call_block(draw: st.DrawFn, index: int, *, whole: bool) -> list[Chunk]:
    extra = draw(unknown_fields) or None
    if whole:
        return [Chunk(tool_calls=(ToolCallDelta(index, draw(names), draw(names), draw(arguments), extra),))]
    text = draw(arguments)
    cut = draw(st.integers(0, len(text)))
    pieces = [piece for piece in (text[:cut], text[cut:]) if piece]
    start = Chunk(tool_calls=(ToolCallDelta(index, draw(names), draw(names), "", extra),))
    return [start, *(Chunk(tool_calls=(ToolCallDelta(index, arguments=piece),)) for piece in pieces)]


def _blocks(draw: st.DrawFn, *, whole: bool) -> list[Chunk]:
    chunks: list[Chunk] = []
    calls = 0
    before = ""
    for kind in draw(st.lists(st.sampled_from(["text", "thinking", "call", "redacted", "other"]), max_size=4)):
        if kind == "text":
            chunks += _text_block(draw, whole=whole, after_text=before == "text")
        elif kind == "thinking":
            chunks += _thinking_block(draw, whole=whole)
        elif kind == "call":
            chunks += _call_block(draw, calls, whole=whole)
            calls += 1
        else:
            chunks.append(Chunk(parts=(draw(redacted if kind == "redacted" else others),)))
        before = kind
    return chunks


def _unknown_end(draw: st.DrawFn, usage: Usage | None) -> dict:
    extra = dict(draw(unknown_fields))
    if draw(st.booleans()):
        extra["context_management"] = {"applied_edits": [draw(unknown_values)]}
    if usage is not None and draw(st.booleans()):
        extra["usage"] = {
            "service_tier": "standard",
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 0},
        }
    return extra


@st.composite
def whole_answers(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a whole answer: one for each block; what belongs to the answer stands on the first and the last."""
    chunks = _blocks(draw, whole=True) or [Chunk()]
    chunks[0] = chunks[0].evolve(id=draw(st.none() | names), model=draw(st.none() | names))
    finish, told = draw(finishes)
    usage = draw(st.none() | usages)
    extra = {**(chunks[-1].extra or {}), **told, **_unknown_end(draw, usage)}
    chunks[-1] = chunks[-1].evolve(finish_reason=finish, usage=usage, extra=extra or None)
    return chunks


@st.composite
def streams(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a stream: the start, pieces of blocks, and the end with the counts of all of it."""
    usage = draw(st.none() | usages)
    first = Chunk(
        id=draw(st.none() | names),
        model=draw(st.none() | names),
        usage=usage,
        extra=draw(unknown_fields) or None,
    )
    total = draw(st.none() | usages) if usage is None else replace(usage, output=usage.output + draw(counts))
    finish, told = draw(finishes)
    end = Chunk(finish_reason=finish, usage=total, extra={**told, **_unknown_end(draw, total)} or None)
    return [first, *_blocks(draw, whole=False), end]
