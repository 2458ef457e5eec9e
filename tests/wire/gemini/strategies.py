"""Hypothesis strategies for what Gemini's format can express."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.gemini import WIRE
from strategies import counts, json_values, names, texts, unknown_values

some_text = texts.filter(bool)
signatures = st.text("ABCxyz+/-_=", min_size=1, max_size=8)
some_unknown_fields = st.dictionaries(st.sampled_from(["xOne", "xTwo"]), unknown_values, min_size=1, max_size=2)
unknown_fields = st.just({}) | some_unknown_fields


def with_inner(name: str) -> st.SearchStrategy[dict]:
    """Unknown fields of a part, and of the object that stands within it under `name`."""
    inner = some_unknown_fields.map(lambda fields: {name: fields})
    return st.builds(lambda outer, more: {**outer, **more}, unknown_fields, st.just({}) | inner)


def signed(extras: st.SearchStrategy[dict], *, always: bool = False) -> st.SearchStrategy[dict]:
    """The fields of a part that may have a signature of this provider."""
    own = signatures.map(lambda signature: {"thoughtSignature": {"gemini": signature}})
    return st.builds(lambda fields, more: {**fields, **more}, extras, own if always else st.just({}) | own)


arguments = st.dictionaries(texts, json_values, max_size=2).map(lambda args: to_json(from_json(to_json(args))).decode())
any_arguments = arguments | st.sampled_from(["{", '{"a":', "[1]", "3", "null", "NaN", '{"a":NaN}'])

text_parts = st.builds(Text, texts, unknown_fields)
data_urls = st.sampled_from(["image/png", "image/webp"]).map("data:{};base64,AAAA".format)
image_parts = st.builds(Image, data_urls, st.sampled_from([None, "low", "high"]), with_inner("inlineData")) | st.builds(
    Image, st.sampled_from(["https://x/y.png", "gs://b/z.jpg"]), st.none(), with_inner("fileData")
)
file_parts = st.builds(
    File, st.just("data:application/pdf;base64,AA=="), st.none(), st.none() | texts, with_inner("inlineData")
) | st.builds(File, st.sampled_from(["https://x/a.pdf", "https://x/files/a", "gs://b/c"]), name=st.none() | texts)
other_parts = st.builds(
    lambda kind, fields: Other({kind: {"a": 1}, **fields}),
    st.sampled_from(["executableCode", "toolCall", "newKind"]),
    signed(unknown_fields),
)
thoughts = st.builds(Reasoning, texts, extra=unknown_fields) | st.builds(
    Reasoning, texts, signatures, st.just("gemini"), unknown_fields
)


def _sign(part: Text, signature: str) -> tuple:
    place = {"signs": {"text": len(part.text)}}
    if not part.text:
        return (Reasoning("", signature, "gemini", {**part.extra, **place}),)
    return part, Reasoning("", signature, "gemini", place)


signed_texts = st.builds(_sign, text_parts, signatures)


@st.composite
def _turns(draw: st.DrawFn, *, always_signed: bool) -> list[Message]:
    """What the user said, what the model answered, and the results of the functions that it called."""
    said = draw(st.lists(text_parts | image_parts | file_parts | other_parts, min_size=1, max_size=2))
    messages = [Message("user", said, extra=draw(unknown_fields))]
    groups = draw(
        st.lists(
            (text_parts | thoughts | other_parts | image_parts).map(lambda part: (part,)) | signed_texts, max_size=3
        )
    )
    parts = [part for group in groups for part in group]
    ids = draw(st.lists(names, unique=True, max_size=2))
    fields = signed(with_inner("functionCall"), always=always_signed)
    calls = [ToolCall(identity, draw(names), draw(any_arguments), draw(fields)) for identity in ids]
    if parts or calls:
        messages.append(Message("assistant", parts + calls, extra=draw(unknown_fields)))
    if calls:
        messages.append(Message("tool", [draw(_results(call)) for call in calls], extra=draw(unknown_fields)))
    return messages


def _results(call: ToolCall) -> st.SearchStrategy[ToolResult]:
    images = st.lists(image_parts, min_size=1, max_size=2).map(tuple)
    content = texts | images | st.builds(lambda text, parts: (Text(text), *parts), some_text, images)
    extra = with_inner("functionResponse")
    plain = st.builds(ToolResult, st.just(call.id), content, name=st.just(call.name), extra=extra)
    failed = st.builds(ToolResult, st.just(call.id), texts, st.just(value=True), st.just(call.name), extra)
    other = arguments.filter(lambda text: not text.startswith(('{"output":"', '{"error":')))
    whole = st.builds(
        lambda text, fields: ToolResult(call.id, text, name=call.name, extra={**fields, "asObject": True}), other, extra
    )
    return plain | failed | whole


@st.composite
def messages(draw: st.DrawFn, *, always_signed: bool = False) -> tuple[Message, ...]:
    """A conversation, with or without an instruction before it."""
    instruction = st.builds(
        Message, st.just("system"), st.lists(text_parts, min_size=1, max_size=2), extra=unknown_fields
    )
    start = draw(st.lists(instruction, max_size=1))
    turns = draw(st.lists(_turns(always_signed=always_signed), min_size=1, max_size=2))
    return (*start, *(message for turn in turns for message in turn))


schemas = st.dictionaries(texts, json_values, max_size=2)
tools = st.builds(
    lambda functions, others: (*functions, *others),
    st.lists(st.builds(Tool, names, texts, schemas, extra=unknown_fields), max_size=2),
    st.lists(
        st.sampled_from(["googleSearch", "codeExecution"]).map(lambda kind: Tool(kind, extra={"type": kind, kind: {}})),
        max_size=2,
        unique_by=lambda tool: tool.name,
    ),
)
extras = st.sampled_from(
    [
        {},
        {"safetySettings": [{"category": "C", "threshold": "T"}], "cachedContent": "c"},
        {"generationConfig": {"topK": 4, "responseModalities": ["TEXT"]}},
        {"generationConfig": {"thinkingConfig": {"includeThoughts": False, "xOne": 1}}},
        {"toolConfig": {"retrievalConfig": {"languageCode": "en"}}, "labels": {"a_b": "c"}},
    ]
)

MODELS = {
    "gemini-3.8-flash": ("minimal", "low", "medium", "high"),
    "gemini-4-argon": ("minimal", "low", "medium", "high", "xhigh"),
    "models/gemini-2.5-flash": ("none", "minimal", "low", "medium", "high"),
}
"""Models, and the efforts that can be told from each other in their requests."""


@st.composite
def chat_calls(draw: st.DrawFn) -> Call:
    """Chat calls, for one of `MODELS`."""
    model = draw(st.sampled_from(sorted(MODELS)))
    some_tools = draw(tools)
    older = "2.5" in model
    said = draw(messages(always_signed=not older))
    reasoning = draw(st.none() | st.sampled_from(MODELS[model]))
    extra = draw(extras)
    if reasoning == "none":  # then no thoughts are asked for anyway, and a word about them is not read back
        extra = {}
    return Call(
        model=model,
        messages=tuple(map(_without_newer, said)) if older else said,
        tools=some_tools,
        tool_choice=draw(st.none() | st.sampled_from(["auto", "none", "required"]) | names) if some_tools else None,
        schema=draw(st.none() | st.builds(Schema, schemas)),
        temperature=draw(st.none() | st.floats(0, 2)),
        top_p=draw(st.none() | st.floats(0, 1)),
        max_tokens=draw(st.none() | counts),
        stop=tuple(draw(st.lists(texts, max_size=5))),
        seed=draw(st.none() | st.integers(-(2**31), 2**31 - 1)),
        n=draw(st.none() | st.integers(1, 8)),
        reasoning=reasoning,
        extra=extra,
        stream=draw(st.booleans()),
        wire=WIRE,
    )


def _without_newer(message: Message) -> Message:
    """Leave out what only newer models take."""

    def simple(part: object) -> object:
        if isinstance(part, Image):
            return replace(part, detail=None)
        if isinstance(part, ToolResult) and not isinstance(part.content, str):
            return replace(part, content="x")
        return part

    return Message(message.role, map(simple, message.parts), extra=message.extra)


embedding_calls = st.builds(
    Call,
    operation=st.just("embeddings"),
    model=names,
    inputs=st.lists(texts, min_size=1, max_size=3).map(tuple),
    dimensions=st.none() | st.integers(1, 4096),
    extra=unknown_fields | st.just({"taskType": "RETRIEVAL_QUERY", "title": "t"}),
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Token counts; reasoning is a part of the output."""
    reasoning = draw(st.none() | counts)
    return Usage(draw(counts), draw(counts) + (reasoning or 0), draw(st.none() | counts), None, reasoning)


class Candidate:
    """Makes the chunks of one candidate, as the parser makes them.

    Args:
        draw: draws values.
        index: its place.
        whole: it is one of a whole answer, in which pieces of one text stand in one part.
    """

    def __init__(self, draw: st.DrawFn, index: int, *, whole: bool) -> None:
        self.draw = draw
        self.index = index
        self.whole = whole
        self.calls = 0
        self.thought = 0
        self.last = ""

    def chunks(self) -> list[Chunk]:
        """Return its chunks; the last one has its end."""
        kinds = ["text", "signed text", "thought", "signed thought", "call", "part", "empty"]
        drawn = self.draw(st.lists(st.sampled_from(kinds), max_size=5))
        made = [chunk for kind in drawn if (chunk := self._chunk(kind)) is not None] or [Chunk()]
        made[-1] = self._end(made[-1])
        return [chunk.evolve(index=self.index, wire=WIRE) for chunk in made]

    def _chunk(self, kind: str) -> Chunk | None:
        if self.whole and kind == self.last and kind in ("text", "thought"):
            return None
        self.last = kind
        if "thought" in kind:
            return self._thought(kind)
        self.thought = 0
        if kind == "call":
            return self._call()
        if kind == "text":
            fields = self.draw(unknown_fields)
            return Chunk(self.draw(some_text), extra={"part": fields} if fields else None)
        if kind == "part":
            return Chunk(parts=(self.draw(image_parts | other_parts | file_parts),))
        text = "" if kind == "empty" else self.draw(some_text)
        place = {"signs": {"text": len(text)}}
        return Chunk(text, parts=(Reasoning("", self.draw(signatures), "gemini", place),))

    def _thought(self, kind: str) -> Chunk:
        text = self.draw(some_text)
        self.thought += len(text)
        if kind == "thought":
            return Chunk(reasoning=text)
        place = {} if self.thought == len(text) else {"signs": {"thought": len(text)}}
        self.thought = 0
        return Chunk(reasoning=text, parts=(Reasoning("", self.draw(signatures), "gemini", place),))

    def _call(self) -> Chunk:
        extra = self.draw(signed(with_inner("functionCall")))
        delta = ToolCallDelta(self.calls, self.draw(names), self.draw(names), self.draw(any_arguments), extra or None)
        self.calls += 1
        return Chunk(tool_calls=(delta,))

    def _end(self, chunk: Chunk) -> Chunk:
        reason, told = self.draw(
            st.sampled_from(
                [
                    ("tool_calls" if self.calls else "stop", {}),
                    ("length", {}),
                    ("content_filter", {}),
                    ("content_filter", {"finishReason": "RECITATION"}),
                    ("MALFORMED_FUNCTION_CALL", {}),
                    ("SOME_NEW_REASON", {}),
                ]
            )
        )
        choice = {**self.draw(unknown_fields), **told}
        content = self.draw(unknown_fields)
        extra = {**(chunk.extra or {}), **({"choice": choice} if choice else {})}
        extra |= {"message": content} if content else {}
        return chunk.evolve(finish_reason=reason, extra=extra or None)


def _told(draw: st.DrawFn, chunk: Chunk) -> Chunk:
    """Add what belongs to the whole answer."""
    usage = draw(st.none() | usages())
    extra = {**(chunk.extra or {}), **draw(unknown_fields)}
    if usage is not None and draw(st.booleans()):
        extra["usage"] = {"toolUsePromptTokenCount": usage.input // 2, "promptTokensDetails": []}
    return chunk.evolve(usage=usage, extra=extra or None)


@st.composite
def whole_answers(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a whole answer; usage and fields of the whole answer on the last."""
    number = draw(st.integers(1, 2))
    chunks = [chunk for index in range(number) for chunk in Candidate(draw, index, whole=True).chunks()]
    chunks[-1] = _told(draw, chunks[-1])
    identity, model = draw(st.none() | names), draw(st.none() | names)
    return [chunk.evolve(id=identity, model=model) for chunk in chunks]


@st.composite
def streams(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of a stream; each may have usage, and candidates come mixed."""
    queues = [Candidate(draw, index, whole=False).chunks() for index in range(draw(st.integers(1, 2)))]
    chunks = []
    while queues:
        queue = draw(st.sampled_from(queues))
        chunks.append(_told(draw, queue.pop(0)))
        queues = [one for one in queues if one]
    identity, model = draw(st.none() | names), draw(st.none() | names)
    if draw(st.booleans()):
        chunks.append(Chunk(usage=draw(usages()), wire=WIRE))
    return [chunk.evolve(id=identity, model=model) for chunk in chunks]
