"""`Chunk` and `Usage`: what an answer is made of on its way out. A complete answer is a short stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aigw.message import Part, ToolCall
from aigw.values import Evolving, Value


@dataclass(frozen=True, slots=True)
class Usage(Value):
    """Tokens of one call, counted the same way for every provider.

    Args:
        input: tokens of the prompt, those read from and written to the provider's cache included.
        output: tokens of the answer, reasoning included.
        cached: input tokens read from the provider's cache; ``None`` where it does not tell.
        cache_written: input tokens written to that cache; ``None`` where it does not tell.
        reasoning: output tokens spent on reasoning; ``None`` where it does not tell.
        estimated: we guessed, because the provider told nothing.
    """

    input: int = 0
    output: int = 0
    cached: int | None = None
    cache_written: int | None = None
    reasoning: int | None = None
    estimated: bool = False

    @property
    def total(self) -> int:
        """Input and output."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            _sum(self.cached, other.cached),
            _sum(self.cache_written, other.cache_written),
            _sum(self.reasoning, other.reasoning),
            self.estimated or other.estimated,
        )


def _sum(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


@dataclass(frozen=True, slots=True)
class ToolCallDelta(Value):
    """A piece of a tool call.

    Args:
        index: which of the answer's tool calls it belongs to, from 0.
        id: id of the call, in its first piece.
        name: name of the tool, in its first piece.
        arguments: next piece of the JSON text.
        extra: fields that aigw does not model.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ranked(Value):
    """A document of a rerank call.

    Args:
        index: its place among the documents that were given.
        score: how well it answers the query; the higher the better, on the scale of the model.
        document: its text, where the provider repeats it.
    """

    index: int
    score: float
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict(Value):
    """What a moderation call found in one input.

    Args:
        flagged: something was found.
        categories: what was looked for, and whether it was found.
        scores: how sure the model is of each, from 0 to 1.
        extra: fields that aigw does not model.
    """

    flagged: bool
    categories: Mapping[str, bool] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chunk(Evolving):
    """A piece of an answer. Most chunks carry one thing; the chunk of a complete answer carries all of it.

    Args:
        text: next piece of the text.
        reasoning: next piece of the readable reasoning.
        tool_calls: pieces of tool calls.
        refusal: next piece of a refusal that the model wrote in place of an answer.
        finish_reason: why this answer ended: ``stop``, ``length``, ``tool_calls``, ``content_filter``, or what the
            provider wrote where that is none of these.
        usage: tokens so far; the last one counts.
        index: which of `n` answers it belongs to, from 0.
        parts: parts that came whole. A `Reasoning` without text completes the reasoning that came before it: it brings
            its signature. The others stand for themselves.
        vectors: the vectors of an embeddings call.
        ranking: the documents of a rerank call, the best one first.
        verdicts: what a moderation call found, in the order of the inputs.
        id: the provider's id of the answer.
        model: the model that answers, as the provider names it.
        extra: fields that aigw does not model, as the wire format gave them. Those of the part that the chunk goes on
            with stand under ``"part"``; ``"new_part"`` says that it begins one, although the last is of the same kind.
        wire: the wire format that it was read from, whose fields `extra` and `parts` hold.

    Within one chunk reasoning comes first, then text, then tool calls, then `parts`. A format whose answers mix them in
    another order gives a chunk for each.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    refusal: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    index: int = 0
    parts: tuple[Part, ...] = ()
    vectors: tuple[tuple[float, ...], ...] = ()
    ranking: tuple[Ranked, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    id: str | None = None
    model: str | None = None
    extra: Mapping[str, Any] | None = None
    wire: str = field(default="", compare=False)

    @property
    def has_output(self) -> bool:
        """Whether it carries output of any kind: text, reasoning, a tool call, a refusal, vectors and the like.

        The first such chunk is the commit point: until it a call may be retried, after it never.
        """
        return bool(
            self.text
            or self.tool_calls
            or self.reasoning
            or self.refusal
            or self.parts
            or self.vectors
            or self.ranking
            or self.verdicts
        )


def join_text(chunks: Iterable[Chunk], index: int = 0) -> str:
    """Join the text of one of the answers."""
    return "".join([chunk.text for chunk in chunks if chunk.index == index])


def join_tool_calls(chunks: Iterable[Chunk], index: int = 0) -> tuple[ToolCall, ...]:
    """Put the pieces of the tool calls of one of the answers together, in their order."""
    pieces: dict[int, list[ToolCallDelta]] = {}
    for chunk in chunks:
        if chunk.tool_calls and chunk.index == index:
            for delta in chunk.tool_calls:
                pieces.setdefault(delta.index, []).append(delta)
    return tuple(join_deltas(pieces[position]) for position in sorted(pieces))


def join_deltas(deltas: Sequence[ToolCallDelta]) -> ToolCall:
    """Put the pieces of one tool call together."""
    extra: dict[str, Any] = {}
    for delta in deltas:
        extra.update(delta.extra or {})
    return ToolCall(
        id=next((delta.id for delta in deltas if delta.id), ""),
        name=next((delta.name for delta in deltas if delta.name), ""),
        arguments="".join([delta.arguments for delta in deltas]),
        extra=extra,
    )
