"""`Answer` and `Embeddings`: what the application gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from aigw.chunk import Chunk, Usage, join_text, join_tool_calls
from aigw.message import Message, Part, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.values import Value


@dataclass(frozen=True, slots=True)
class Choice(Value):
    """One of the answers of a call; there are several only if it asked for `n`.

    Args:
        text: the text.
        reasoning: the readable part of what the model thought.
        refusal: what the model wrote in place of an answer.
        tool_calls: tools that the model wants to be called.
        finish_reason: why it ended: ``stop``, ``length``, ``tool_calls``, ``content_filter``, or the provider's own
            word; ``None`` while it has not ended.
        signature: opaque data that belongs to the reasoning.
        index: its place among the answers.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    signature: str | None = None
    index: int = 0

    @property
    def message(self) -> Message:
        """The answer as a message, to go on with the conversation."""
        parts: list[Part] = []
        if self.reasoning or self.signature:
            parts.append(Reasoning(self.reasoning, self.signature))
        if self.text:
            parts.append(Text(self.text))
        return Message("assistant", (*parts, *self.tool_calls))


_NOTHING = Choice()


@dataclass(frozen=True, slots=True)
class Answer(Value):
    """A complete answer. Its text and the like are those of the first choice.

    Args:
        choices: the answers, one unless the call asked for several.
        usage: tokens; ``None`` where the provider told nothing, which is not the same as zero.
        cost: in US dollars; ``None`` where it is not known.
        model: the model that answered, as the provider names it.
        id: the provider's id of the answer.
        parsed: the answer in the form that ``schema=`` asked for.
        trace: what happened on the way.
        extra: fields of the answer that aigw does not model.
    """

    _local: ClassVar[Mapping[str, Any]] = {"parsed": True}

    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None
    id: str | None = None
    parsed: Any = field(default=None, compare=False)
    trace: CallTrace = field(default_factory=CallTrace, compare=False, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> Choice:
        """The first choice; an empty one where there is none."""
        return self.choices[0] if self.choices else _NOTHING

    @property
    def text(self) -> str:
        """The text."""
        return self.first.text

    @property
    def reasoning(self) -> str:
        """The readable part of what the model thought."""
        return self.first.reasoning

    @property
    def refusal(self) -> str:
        """What the model wrote in place of an answer."""
        return self.first.refusal

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Tools that the model wants to be called."""
        return self.first.tool_calls

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended."""
        return self.first.finish_reason

    @property
    def message(self) -> Message:
        """The answer as a message, to go on with the conversation."""
        return self.first.message


@dataclass(frozen=True, slots=True)
class Embeddings(Value):
    """Vectors, in the order of the inputs.

    Args:
        vectors: one for each input.
        usage: tokens; ``None`` where the provider told nothing.
        cost: in US dollars; ``None`` where it is not known.
        model: the model, as the provider names it.
        trace: what happened on the way.
    """

    vectors: tuple[tuple[float, ...], ...] = ()
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None
    trace: CallTrace = field(default_factory=CallTrace, compare=False, repr=False)


def assemble(chunks: Sequence[Chunk], trace: CallTrace, *, parsed: Any = None) -> Answer:
    """Put an answer together from its chunks."""
    if len(chunks) == 1:  # a complete answer is most often one chunk
        only = chunks[0]
        return Answer((_whole(only),), only.usage, None, only.model, only.id, parsed, trace, only.extra or {})
    extra: dict[str, Any] = {}
    usage = model = answer_id = None
    for chunk in chunks:
        if chunk.extra:
            extra.update(chunk.extra)
        usage = chunk.usage or usage
        model = model or chunk.model
        answer_id = answer_id or chunk.id
    indexes = sorted({chunk.index for chunk in chunks if chunk.has_output or chunk.finish_reason})
    choices = tuple(_choice([chunk for chunk in chunks if chunk.index == index], index) for index in indexes)
    return Answer(choices, usage, None, model, answer_id, parsed, trace, extra)


def _whole(chunk: Chunk) -> Choice:
    calls = join_tool_calls((chunk,), chunk.index) if chunk.tool_calls else ()
    return Choice(chunk.text, chunk.reasoning, chunk.refusal, calls, chunk.finish_reason, chunk.signature, chunk.index)


def _choice(chunks: Sequence[Chunk], index: int) -> Choice:
    return Choice(
        text=join_text(chunks, index),
        reasoning="".join([chunk.reasoning for chunk in chunks]),
        refusal="".join([chunk.refusal for chunk in chunks]),
        tool_calls=join_tool_calls(chunks, index),
        finish_reason=next((chunk.finish_reason for chunk in reversed(chunks) if chunk.finish_reason), None),
        signature="".join([chunk.signature for chunk in chunks if chunk.signature]) or None,
        index=index,
    )


def assemble_embeddings(chunks: Sequence[Chunk], trace: CallTrace) -> Embeddings:
    """Put the answer of an embeddings call together."""
    vectors = tuple(vector for chunk in chunks for vector in chunk.vectors)
    usage = next((chunk.usage for chunk in reversed(chunks) if chunk.usage), None)
    model = next((chunk.model for chunk in chunks if chunk.model), None)
    return Embeddings(vectors, usage, None, model, trace)
