"""`Answer` and its like: what the application gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from aigw.chunk import Ranked, Usage, Verdict
from aigw.message import Message, Part, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.values import Value


@dataclass(frozen=True, slots=True)
class Choice(Value):
    """One of the answers of a call; there are several only if it asked for `n`.

    Args:
        parts: what it is made of, in the order in which the model made it: text, reasoning, tool calls, and whatever
            else the provider has.
        refusal: what the model wrote in place of an answer.
        finish_reason: why it ended: ``stop``, ``length``, ``tool_calls``, ``content_filter``, or the provider's own
            word; ``None`` while it has not ended.
        index: its place among the answers.
        wire: the wire format that it was read from; see `Message`.
    """

    parts: tuple[Part, ...] = ()
    refusal: str = ""
    finish_reason: str | None = None
    index: int = 0
    wire: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The text, joined."""
        return "".join([part.text for part in self.parts if type(part) is Text])

    @property
    def reasoning(self) -> str:
        """The readable part of what the model thought, joined."""
        return "".join([part.text for part in self.parts if type(part) is Reasoning])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Tools that the model wants to be called."""
        return tuple([part for part in self.parts if type(part) is ToolCall])

    @property
    def message(self) -> Message:
        """The answer as a message, to go on with the conversation."""
        return Message("assistant", self.parts, wire=self.wire)


_NOTHING = Choice()


@dataclass(frozen=True, slots=True)
class Answer(Value):
    """A complete answer. Its text and the like are those of the first choice.

    Args:
        choices: the answers, one unless the call asked for several.
        usage: tokens; ``None`` where the provider told nothing, which is not the same as zero.
        estimated_usage: a guess at the tokens where `usage` is ``None``, marked as ``estimated``.
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
    estimated_usage: Usage | None = None

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


@dataclass(frozen=True, slots=True)
class Ranking(Value):
    """Documents in the order in which they answer a query.

    Args:
        results: the documents, the best one first; each tells its place among those that were given.
        usage: tokens; ``None`` where the provider told nothing.
        cost: in US dollars; ``None`` where it is not known.
        model: the model, as the provider names it.
        trace: what happened on the way.
        extra: fields of the answer that aigw does not model.
    """

    results: tuple[Ranked, ...] = ()
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None
    trace: CallTrace = field(default_factory=CallTrace, compare=False, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdicts(Value):
    """What a provider's moderation found, in the order of the inputs.

    Args:
        verdicts: one for each input.
        usage: tokens; ``None`` where the provider told nothing.
        cost: in US dollars; ``None`` where it is not known.
        model: the model, as the provider names it.
        trace: what happened on the way.
        extra: fields of the answer that aigw does not model.
    """

    verdicts: tuple[Verdict, ...] = ()
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None
    trace: CallTrace = field(default_factory=CallTrace, compare=False, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def flagged(self) -> bool:
        """Something was found in one of the inputs."""
        return any(verdict.flagged for verdict in self.verdicts)
