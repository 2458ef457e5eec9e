"""Hypothesis strategies for what Cohere's chat format can express, in the form in which it is read."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.cohere_chat import WIRE
from strategies import (
    counts,
    image_parts,
    names,
    schemas,
    some_unknown_fields,
    text_parts,
    texts,
    unknown_fields,
    with_inner,
)

said = st.text(min_size=1, max_size=12)
PLAN = {"type": "tool_plan"}

citations = st.lists(
    st.fixed_dictionaries(
        {"start": counts, "end": counts, "text": texts, "sources": st.just([{"type": "document", "id": "d"}])},
        optional={"type": st.sampled_from(["TEXT_CONTENT", "PLAN"])},
    ),
    min_size=1,
    max_size=2,
)
other_parts = st.builds(lambda fields: Other({"type": "video", **fields}), unknown_fields)
thoughts = st.builds(Reasoning, texts, st.none(), st.just("cohere"), unknown_fields)
plans = said.map(lambda text: Reasoning(text, None, "cohere", PLAN))


def _document(text: str, fields: dict, *, is_text: bool) -> Text:
    return Text(text, {"type": "document", "document": fields, **({"data": "text"} if is_text else {})})


documents = st.builds(_document, texts, unknown_fields, is_text=st.just(True)) | st.builds(
    lambda data, fields: _document(json.dumps(data, ensure_ascii=False, separators=(",", ":")), fields, is_text=False),
    st.dictionaries(texts, texts, max_size=2),
    unknown_fields,
)
"""Documents, which are texts: of a text, or of an object."""


def _says_something(parts: tuple) -> bool:
    return parts != (Text(""),)  # renders as empty content, which is read back as no parts


def _parts(kinds: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(kinds, max_size=3).map(tuple).filter(_says_something)


tool_calls = st.builds(ToolCall, names, names, said, with_inner("function"))


@st.composite
def assistant_messages(draw: st.DrawFn) -> Message:
    """What the model said: blocks, then its plan, then its calls. Citations stand with the last text."""
    parts = list(draw(_parts(text_parts | thoughts | other_parts)))
    last = next((at for at in reversed(range(len(parts))) if isinstance(parts[at], Text)), None)
    if last is not None and parts[last].text and draw(st.booleans()):
        parts[last] = Text(parts[last].text, {**parts[last].extra, "citations": draw(citations)})
    parts += draw(st.lists(plans, max_size=1))
    parts += draw(st.lists(tool_calls, max_size=2))
    return Message("assistant", parts, extra=draw(unknown_fields), wire=WIRE)


def _result(identity: str, content: object, more: list[dict]) -> ToolResult:
    return ToolResult(identity, content, extra={"content": more} if more and not isinstance(content, str) else {})


tool_results = st.builds(
    _result,
    names,
    texts | st.lists(text_parts | image_parts | documents, max_size=2).map(tuple),
    st.lists(st.builds(lambda fields: {"type": "video", **fields}, unknown_fields), max_size=1),
)
messages = (
    st.builds(
        Message,
        st.sampled_from(["system", "user"]),
        _parts(text_parts | image_parts | other_parts),
        extra=unknown_fields,
        wire=st.just(WIRE),
    )
    | assistant_messages()
    | st.builds(Message, st.just("tool"), tool_results, extra=unknown_fields, wire=st.just(WIRE))
)


@st.composite
def chat_calls(draw: st.DrawFn) -> Call:
    """Calls; the server is strict about all tools or none."""
    strict = draw(st.none() | st.booleans())
    tool = st.builds(Tool, names, texts, schemas, st.just(strict), with_inner("function"))
    tools = tuple(draw(st.lists(tool, max_size=2)))
    return Call(
        model=draw(names),
        messages=tuple(draw(st.lists(messages, max_size=3))),
        tools=tools,
        tool_choice=draw(st.none() | st.sampled_from(["required", "none"])) if tools else None,
        schema=draw(st.none() | st.builds(Schema, schemas)),
        temperature=draw(st.none() | st.floats(0, 1)),
        top_p=draw(st.none() | st.floats(0, 1)),
        max_tokens=draw(st.none() | counts),
        stop=tuple(draw(st.lists(texts, max_size=6))),
        seed=draw(st.none() | counts),
        reasoning=draw(st.none() | st.sampled_from(["none", "minimal", "low", "medium", "high"])),
        extra=draw(unknown_fields | st.just({"documents": ["d"], "k": 5, "safety_mode": "OFF"})),
        stream=draw(st.booleans()),
        wire=WIRE,
    )


usages = st.builds(Usage, counts, counts, st.none() | counts)
usage_fields = st.just({"billed_units": {"input_tokens": 1, "search_units": 2}}) | some_unknown_fields
reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "SOME_NEW_REASON"])
logprobs = st.lists(
    st.fixed_dictionaries(
        {"token_ids": st.lists(counts, max_size=2), "logprobs": st.lists(st.floats(-9, 0), max_size=2)}
    ),
    min_size=1,
    max_size=2,
)


def _end(*thoughts: dict) -> tuple[Reasoning, ...]:
    return tuple(Reasoning("", None, "cohere", extra) for extra in thoughts)


@st.composite
def endings(draw: st.DrawFn) -> dict:
    """Fields of the last chunk of an answer, except its id."""
    usage = draw(st.none() | usages)
    extra = dict(draw(unknown_fields))
    if draw(st.booleans()):
        extra["message"] = draw(some_unknown_fields)
    if usage is not None and draw(st.booleans()):
        extra["usage"] = draw(usage_fields)
    reason = draw(reasons | st.just("STOP_SEQUENCE"))
    if reason == "STOP_SEQUENCE":
        reason, extra["finish_reason"] = "stop", reason
    return {"finish_reason": reason, "usage": usage, "extra": extra}


@st.composite
def whole_answers(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a whole answer: a chunk for each block; what belongs to all of it is on the last one."""
    chunks: list[Chunk] = []
    for kind in draw(st.lists(st.sampled_from(["text", "thinking", "other"]), max_size=3)):
        if kind == "text" and not (chunks and chunks[-1].text):
            fields = draw(unknown_fields)
            chunks.append(Chunk(draw(said), extra={"part": fields} if fields else None, wire=WIRE))
        elif kind == "thinking":
            chunks.append(Chunk(reasoning=draw(texts), parts=_end(draw(unknown_fields)), wire=WIRE))
        elif kind == "other":
            chunks.append(Chunk(parts=(draw(other_parts),), wire=WIRE))
    last = next((at for at in reversed(range(len(chunks))) if chunks[at].text), None)
    if last is not None and draw(st.booleans()):
        fields = (chunks[last].extra or {}).get("part", {})
        chunks[last] = chunks[last].evolve(extra={"part": {**fields, "citations": draw(citations)}})
    if draw(st.booleans()):
        chunks.append(Chunk(reasoning=draw(said), parts=_end({}), extra={"part": PLAN}, wire=WIRE))
    count = draw(st.integers(0, 2))
    calls = tuple(
        ToolCallDelta(at, draw(names), draw(names), draw(texts), draw(with_inner("function")) or None)
        for at in range(count)
    )
    frame = chunks.pop() if chunks and not (calls and chunks[-1].parts) else Chunk(wire=WIRE)
    ending = draw(endings())
    if draw(st.booleans()):
        ending["extra"]["logprobs"] = draw(logprobs)
    extra = {**(frame.extra or {}), **ending.pop("extra")}
    identity = draw(st.none() | names)
    return [*chunks, frame.evolve(tool_calls=calls, id=identity, extra=extra or None, **ending)]


def _extras(*, part: bool = False) -> st.SearchStrategy[dict | None]:
    """Unknown fields of an event, of what stands in it, and log-probabilities."""
    inner = {"logprobs": logprobs.map(lambda items: items[:1])}
    if part:
        inner["part"] = some_unknown_fields
    return st.builds(
        lambda top, rest: {**top, **rest} or None, unknown_fields, st.fixed_dictionaries({}, optional=inner)
    )


@st.composite
def _text_block(draw: st.DrawFn) -> list[Chunk]:
    pieces = [Chunk(draw(said), extra=draw(_extras(part=True))) for _ in range(draw(st.integers(1, 3)))]
    cited = [Chunk(extra={"part": {"citations": [one]}}) for one in draw(st.just([]) | citations)]
    return pieces + cited


@st.composite
def _thinking_block(draw: st.DrawFn) -> list[Chunk]:
    pieces = [Chunk(reasoning=draw(said), extra=draw(_extras(part=True))) for _ in range(draw(st.integers(0, 2)))]
    return [*pieces, Chunk(parts=_end(draw(unknown_fields)))]


@st.composite
def _plan(draw: st.DrawFn) -> list[Chunk]:
    pieces = [
        Chunk(reasoning=draw(said), extra={**(draw(_extras()) or {}), "part": PLAN})
        for _ in range(draw(st.integers(1, 2)))
    ]
    return [*pieces, Chunk(parts=_end({}))]


@st.composite
def _calls(draw: st.DrawFn) -> list[Chunk]:
    chunks = []
    for at in range(draw(st.integers(0, 2))):
        start = ToolCallDelta(at, draw(names), draw(names), draw(texts), draw(with_inner("function")) or None)
        pieces = [ToolCallDelta(at, arguments=draw(texts)) for _ in range(draw(st.integers(0, 2)))]
        chunks += [Chunk(tool_calls=(delta,), extra=draw(_extras())) for delta in (start, *pieces)]
    return chunks


@st.composite
def streams(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a stream: the id, blocks, the plan, calls, the end."""
    identity = draw(st.none() | names)
    chunks = [] if identity is None else [Chunk(id=identity, extra=draw(_extras()))]
    last = ""
    for kind in draw(st.lists(st.sampled_from(["text", "thinking", "other"]), max_size=3)):
        if kind == "text" != last:
            chunks += draw(_text_block())
        elif kind == "thinking":
            chunks += draw(_thinking_block())
        elif kind == "other":
            chunks.append(Chunk(parts=(draw(other_parts),)))
        last = kind
    if draw(st.booleans()):
        chunks += draw(_plan())
    chunks += draw(_calls())
    ending = draw(endings())
    if not chunks and "message" in ending["extra"]:  # it would come with the beginning
        del ending["extra"]["message"]
    return [chunk.evolve(wire=WIRE) for chunk in [*chunks, Chunk(**{**ending, "extra": ending["extra"] or None})]]
