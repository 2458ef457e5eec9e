"""Servers that differ from OpenAI's in much, and what they can say."""

from __future__ import annotations

from hypothesis import strategies as st

from aigw.chunk import Chunk
from aigw.message import Message, Reasoning, Text
from aigw.wire.openai_chat import Dialect
from strategies import finish_reasons, names, texts, tool_calls, unknown_fields

DEEPSEEK = Dialect(
    provider="deepseek",
    max_tokens="max_tokens",
    reasoning_back="reasoning_content",
    reasoning_always=True,
    developer=False,
    schema="json_object",
    stop_limit=16,
    drops=frozenset({"seed", "n", "parallel_tool_calls"}),
)
MISTRAL = Dialect(
    provider="mistral",
    max_tokens="max_tokens",
    stream_usage=False,
    reasoning_back="content",
    seed="random_seed",
    developer=False,
    names=False,
    tool_ids="alnum9",
    tool_images=True,
    files="document_url",
    stop_limit=None,
)
OPENROUTER = Dialect(
    provider="openrouter",
    reasoning_fields=("reasoning", "reasoning_content"),
    reasoning_back="reasoning_details",
    tool_images=True,
    files="url",
)
OLLAMA = Dialect(
    provider="ollama",
    max_tokens="max_tokens",
    reasoning_fields=("reasoning",),
    reasoning_back="reasoning",
    drops=frozenset({"tool_choice", "parallel_tool_calls", "n"}),
    image_urls=False,
    files="none",
    stop_limit=None,
)
LLAMACPP = Dialect(provider="llamacpp", max_tokens="max_tokens", named_tool=False, schema="text", stop_limit=None)

details = st.lists(st.builds(lambda kind, text: {"type": kind, "data": text}, names, texts), min_size=1, max_size=2)
"""Blocks of reasoning as OpenRouter gives them; of types that come whole."""


def _thoughts(dialect: Dialect) -> st.SearchStrategy[Reasoning]:
    """Reasoning that goes back to this server as it came."""
    owner = st.just(dialect.provider)
    if dialect.reasoning_back == "content":
        return st.builds(Reasoning, texts, st.none() | names, owner, unknown_fields)
    if dialect.reasoning_back == "reasoning_details":
        return st.builds(
            Reasoning, st.just(""), st.none(), owner, details.map(lambda them: {"reasoning_details": them})
        )
    return st.builds(Reasoning, texts.filter(bool), st.none(), owner)


def assistant_messages(dialect: Dialect) -> st.SearchStrategy[Message]:
    """Messages of the model that begin with reasoning."""
    said = st.just(()) | texts.filter(bool).map(lambda text: (Text(text),))
    calls = st.lists(tool_calls.filter(lambda call: "type" not in call.extra), max_size=2).map(tuple)
    return st.builds(
        lambda thought, text, more: Message("assistant", (thought, *text, *more), wire="openai_chat"),
        _thoughts(dialect),
        said,
        calls,
    )


@st.composite
def thinking_streams(draw: st.DrawFn, dialect: Dialect) -> list[Chunk]:
    """Streams of one choice in which the model thinks before it speaks, once or twice."""
    whole = {"id": draw(st.none() | names), "model": draw(st.none() | names)}
    chunks = []
    for _ in range(draw(st.integers(1, 2))):
        chunks += [
            Chunk(reasoning=piece, **whole) for piece in draw(st.lists(texts.filter(bool), min_size=1, max_size=3))
        ]
        chunks.append(Chunk(parts=(_end(draw, dialect),), **whole))
        chunks += [Chunk(text=piece, **whole) for piece in draw(st.lists(texts.filter(bool), min_size=1, max_size=2))]
    return [*chunks, Chunk(finish_reason=draw(finish_reasons), **whole)]


def _end(draw: st.DrawFn, dialect: Dialect) -> Reasoning:
    """What completes a block of reasoning."""
    if dialect.reasoning_back == "content":
        return Reasoning("", draw(st.none() | names), dialect.provider)
    if dialect.reasoning_back == "reasoning_details":
        return Reasoning("", None, dialect.provider, {"reasoning_details": draw(details)})
    return Reasoning("", None, dialect.provider)
