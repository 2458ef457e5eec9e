"""Hypothesis strategies for what the Converse API can express."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import strategies as st
from pydantic_core import to_json

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.arguments import INVALID
from aigw.wire.bedrock_converse import DEFAULT, WIRE
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL
from aigw.wire.bedrock_converse.media import FORMATS
from strategies import counts, json_values, names, some_unknown_fields, unknown_fields

MODELS = (
    "us.anthropic.claude-opus-4-8",
    "eu.anthropic.claude-sonnet-4-6-v1:0",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-2-lite-v1:0",
    "openai.gpt-oss-120b-1:0",
    "us.openai.gpt-5.6-sol",
    "meta.llama3-3-70b-instruct-v1:0",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123",
)
EFFORTS = {
    "us.anthropic.claude-opus-4-8": ["none", "low", "medium", "high", "xhigh", "max"],
    "eu.anthropic.claude-sonnet-4-6-v1:0": ["none", "low", "medium", "high", "max"],
    "anthropic.claude-sonnet-4-5-20250929-v1:0": ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
}
NO_SAMPLING = ("us.anthropic.claude-opus-4-8",)
texts = st.text(max_size=12).filter(lambda text: bool(text.strip()))
blobs = st.binary(min_size=1, max_size=9).map(lambda data: b64encode(data).decode())
points = (
    st.just({})
    | st.just({"cachePoint": {"type": "default"}})
    | st.just({"cachePoint": {"type": "default", "ttl": "1h"}})
)
objects = st.dictionaries(st.text(max_size=5), json_values, max_size=2).filter(lambda value: INVALID not in value)
arguments = objects.map(lambda value: to_json(value).decode()) | st.sampled_from(['{"a": ', "free text", "[1]", "7"])


def extras(*inner: str) -> st.SearchStrategy[dict]:
    """A cache point, unknown members beside the known one, and unknown fields within it."""
    within = st.fixed_dictionaries({}, optional=dict.fromkeys(inner, some_unknown_fields))
    beside = unknown_fields.map(
        lambda fields: {name: value for name, value in fields.items() if name != "cache_control"}
    )
    return st.builds(
        lambda *parts: {key: value for part in parts for key, value in part.items()}, points, beside, within
    )


def urls(kind: str) -> st.SearchStrategy[str]:
    """Media of a kind, inline."""
    types = st.sampled_from([*FORMATS[kind].values(), f"{kind}/new"])
    return st.builds("data:{};base64,{}".format, types, blobs)


citations = st.lists(st.builds(lambda title: {"title": title}, texts), max_size=2).map(lambda made: {"citations": made})
guarded = st.sampled_from([{"guardContent": {}}, {"guardContent": {"qualifiers": ["query"]}}])
text_parts = st.builds(Text, texts, extras()) | st.builds(
    lambda text, extra, point: Text(text, {**extra, **point}), texts, citations | guarded, points
)
image_parts = st.builds(Image, urls("image"), extra=extras("image")) | st.just(
    Image("s3://bucket/a", extra={"image": {"format": "png"}})
)
document_names = st.from_regex(r"\A[A-Za-z0-9\-()\[\]]{1,5}( [a-z]{1,3})?\Z")
file_parts = st.builds(File, urls("document"), name=document_names, extra=extras("document")) | st.builds(
    File, urls("video") | urls("audio"), extra=extras("video")
).filter(lambda part: "video" not in part.extra or part.url.startswith("data:video"))
other_parts = st.sampled_from(
    [
        Other({"searchResult": {"source": "s", "title": "t", "content": [{"text": "c"}]}}),
        Other({"guardContent": {"image": {"format": "png", "source": {"bytes": "AA=="}}}}),
        Other({"document": {"name": "n", "source": {"text": "plain"}}}),
        Other({"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}}),
        Other({"newBlock": {"x": 1}}),
    ]
)
tool_calls = st.builds(ToolCall, names, names, arguments, extras("toolUse"))
result_texts = st.builds(Text, texts, unknown_fields) | objects.map(
    lambda value: Text(to_json(value).decode(), {"json": True})
)
_result_parts = st.lists(result_texts | st.builds(Image, urls("image")), min_size=2, max_size=3).map(tuple)
tool_results = st.builds(
    ToolResult,
    id=names,
    content=st.just("") | texts | _result_parts,
    is_error=st.just(False),
    extra=extras("toolResult"),
) | st.builds(
    lambda identity, content, extra: ToolResult(
        identity, content, is_error=True, extra={**extra, "content": [[1, {"searchResult": {"source": "s"}}]]}
    ),
    names,
    _result_parts,
    extras("toolResult"),
)
signatures = blobs
reasoning_parts = st.builds(
    Reasoning, st.text(max_size=5), signatures, st.just(DEFAULT.provider), extras("reasoningContent")
) | signatures.map(lambda data: Reasoning("", data, DEFAULT.provider, {"redactedContent": True}))


def _list(parts: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(parts, min_size=1, max_size=3).map(tuple)


user_messages = st.builds(
    Message,
    st.just("user"),
    _list(text_parts | image_parts | file_parts | other_parts),
    extra=unknown_fields,
    wire=st.just(WIRE),
) | st.builds(Message, st.just("tool"), _list(tool_results), extra=unknown_fields, wire=st.just(WIRE))


def assistant_messages(thinks: frozenset[str]) -> st.SearchStrategy[Message]:
    """Messages of an assistant whose reasoning may go back in these ways."""
    kinds = text_parts | tool_calls | other_parts
    if {"signed", "redacted"} <= thinks:
        kinds |= reasoning_parts
    return st.builds(Message, st.just("assistant"), _list(kinds), extra=unknown_fields, wire=st.just(WIRE))


inline_system_messages = st.builds(
    Message, st.just("system"), _list(st.builds(Text, texts, points)), wire=st.just(WIRE)
)
system_messages = st.builds(Message, st.just("system"), _list(text_parts), wire=st.just(WIRE))

schemas = st.builds(lambda more: {**more, "type": "object"}, objects)
tools = st.builds(
    Tool, names, st.just("") | texts, st.just({}) | schemas, st.none() | st.booleans(), extras("toolSpec")
)
system_tools = st.just(Tool("nova_grounding", extra={"type": "systemTool", "systemTool": {"name": "nova_grounding"}}))


@st.composite
def _conversations(draw: st.DrawFn, thinks: frozenset[str]) -> tuple[Message, ...]:
    messages = draw(st.lists(system_messages, max_size=1))
    for at in range(draw(st.integers(0, 4))):
        messages.append(draw(assistant_messages(thinks) if at % 2 else user_messages))
        if draw(st.integers(0, 4)) == 0:
            messages.append(draw(inline_system_messages))
    return tuple(messages)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Chat calls, within what the format can express of a model."""
    model = draw(st.sampled_from(MODELS))
    family = DEFAULT.family(model)
    efforts = EFFORTS.get(model) or sorted(family.efforts)
    reasoning = draw(st.none() | st.sampled_from(efforts)) if efforts else None
    numbers = st.none() | st.floats(0, 1)
    temperature = draw(numbers) if model not in NO_SAMPLING and reasoning is None else None
    top_p = draw(numbers) if "claude" not in model and reasoning is None else None
    messages = draw(_conversations(family.reasoning_back))
    called = any(message.tool_calls for message in messages)
    given = tuple(draw(st.lists(tools | system_tools, min_size=int(called), max_size=2)))
    forced = st.just("auto") | (st.sampled_from(["required"]) | names if reasoning is None else st.just("auto"))
    extra = st.sampled_from(
        [
            {},
            {"requestMetadata": {"a": "b"}, "performanceConfig": {"latency": "optimized"}},
            {"guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}},
            {"inferenceConfig": {"new": 1}, "additionalModelRequestFields": {"top_k": 5}},
            {"toolConfig": {"new": 1}, "outputConfig": {"effort": "low"}},
        ]
    )
    return Call(
        model=model,
        messages=messages,
        tools=given,
        tool_choice=draw(st.none() | forced) if given else None,
        schema=draw(st.none() | st.builds(Schema, objects, names)) if family.schema == "format" else None,
        temperature=temperature,
        top_p=top_p,
        max_tokens=draw(st.none() | counts.map(lambda count: count + 1)) if reasoning is None else None,
        stop=tuple(draw(st.lists(texts, max_size=2))),
        reasoning=reasoning,
        extra=draw(extra),
        stream=draw(st.booleans()),
        wire=WIRE,
    )


usages = st.builds(
    lambda fresh, output, cached, written: Usage(fresh + (cached or 0) + (written or 0), output, cached, written),
    counts,
    counts,
    st.none() | counts,
    st.none() | counts,
)
finish_reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "malformed_tool_use"])
originals = st.sampled_from([("stop", "stop_sequence"), ("content_filter", "guardrail_intervened")])
whole_fields = st.fixed_dictionaries(
    {},
    optional={
        "metrics": st.builds(lambda latency: {"latencyMs": latency}, st.integers(1, 9)),
        "trace": st.just({"guardrail": {"actionReason": "none"}}),
        "additionalModelResponseFields": objects,
        "x_new": st.just({"a": 1}),
    },
)


def ends(reason: str) -> Reasoning:
    """The end of a block of reasoning."""
    return Reasoning("", reason, DEFAULT.provider) if reason else Reasoning("")


answer_others = st.sampled_from(
    [
        Other({"toolUse": {"toolUseId": "s", "name": "web", "type": "server_tool_use", "input": {"q": 1}}}),
        Other({"toolResult": {"toolUseId": "s", "type": "web_result", "content": [{"text": "r"}, {"json": {}}]}}),
        Other({"newBlock": {"x": [1], "y": "z"}}),
        Image("data:image/png;base64,AAAA"),
        Reasoning("", "AAAA", DEFAULT.provider, {"redactedContent": True}),
    ]
)


@st.composite
def whole_answers(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a whole answer: one for each block, no two texts in a row; the end on the last."""
    chunks: list[Chunk] = []
    number = 0
    for _ in range(draw(st.integers(1, 4))):
        kinds = ["thought", "call", "other"] + ([] if chunks and chunks[-1].text else ["text", "cited"])
        kind = draw(st.sampled_from(kinds))
        if kind == "thought":
            chunks.append(Chunk(reasoning=draw(texts), parts=(ends(draw(st.just("") | signatures)),)))
        elif kind == "call":
            extra = draw(st.none() | some_unknown_fields.map(lambda fields: {"toolUse": fields}))
            name = draw(names.filter(lambda name: name != ANSWER_TOOL))
            chunks.append(Chunk(tool_calls=(ToolCallDelta(number, draw(names), name, draw(arguments), extra),)))
            number += 1
        elif kind == "other":
            chunks.append(Chunk(parts=(draw(answer_others),)))
        else:
            part = draw(citations.filter(lambda extra: bool(extra["citations"]))) if kind == "cited" else None
            chunks.append(Chunk(text=draw(texts), extra={"part": part} if part else None))
    usage = draw(st.none() | usages)
    reason, original = draw(finish_reasons.map(lambda reason: (reason, "")) | originals)
    extra = {**(chunks[-1].extra or {}), **draw(whole_fields)}
    extra |= {"stopReason": original} if original else {}
    extra |= {"usage": {"cacheDetails": [{"ttl": "5m", "inputTokens": 1}]}} if usage and draw(st.booleans()) else {}
    chunks[-1] = chunks[-1].evolve(finish_reason=reason, usage=usage, extra=extra or None)
    if draw(st.booleans()):
        chunks[0] = chunks[0].evolve(extra={**(chunks[0].extra or {}), "message": {"x_one": 1}})
    return chunks


@st.composite
def streams(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a stream: pieces of blocks, the finish reason, usage and the like."""
    chunks: list[Chunk] = []
    number = 0
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["text", "cited", "thought", "call", "other"]))
        if kind in ("text", "cited"):
            chunks += [Chunk(text=text) for text in draw(st.lists(texts, min_size=1, max_size=2))]
            if kind == "cited":
                chunks.append(Chunk(extra={"part": {"citations": [{"title": draw(texts)}]}}))
        elif kind == "thought":
            chunks += [Chunk(reasoning=text) for text in draw(st.lists(texts, min_size=1, max_size=2))]
            chunks.append(Chunk(parts=(ends(draw(st.just("") | signatures)),)))
        elif kind == "call":
            extra = draw(st.none() | some_unknown_fields.map(lambda fields: {"toolUse": fields}))
            chunks.append(Chunk(tool_calls=(ToolCallDelta(number, draw(names), draw(names), "", extra),)))
            pieces = draw(st.lists(texts, max_size=2))
            chunks += [Chunk(tool_calls=(ToolCallDelta(number, None, None, piece),)) for piece in pieces]
            number += 1
        else:
            chunks.append(Chunk(parts=(draw(answer_others),)))
    if draw(st.booleans()):
        chunks.append(Chunk(extra={"events": [{"newEvent": {"x": 1}}]}))
    reason, original = draw(finish_reasons.map(lambda reason: (reason, "")) | originals)
    extra = {"stopReason": original} if original else {}
    extra |= draw(st.sampled_from([{}, {"additionalModelResponseFields": {"a": 1}}]))
    chunks.append(Chunk(finish_reason=reason, extra=extra or None))
    usage = draw(st.none() | usages)
    more = draw(st.sampled_from([{}, {"metrics": {"latencyMs": 3}, "trace": {}}]))
    more |= {"usage": {"cacheDetails": [{"ttl": "5m", "inputTokens": 1}]}} if usage and draw(st.booleans()) else {}
    if usage or more:
        chunks.append(Chunk(usage=usage, extra=more or None))
    return chunks
