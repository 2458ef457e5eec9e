"""From the chunks of a call to what the application gets: answers, vectors, rankings, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.answer import Answer, Choice, Embeddings, Ranking, Verdicts
from aigw.chunk import Chunk, ToolCallDelta, Usage, join_deltas
from aigw.message import Part, Reasoning, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aigw.trace import CallTrace

_OF_PARTS: Final = frozenset({"part", "new_part", "delta"})
"""Names in ``Chunk.extra`` under which fields of a part stand, or of the delta that brought it."""


def assemble(chunks: Sequence[Chunk], trace: CallTrace, *, parsed: Any = None) -> Answer:
    """Put an answer together from its chunks."""
    if len(chunks) == 1:  # a complete answer is most often one chunk
        only = chunks[0]
        parts = _only_text(only) if _is_plain(only) else _join_parts(chunks)
        choice = Choice(parts, only.refusal, only.finish_reason, only.index, only.wire)
        return Answer((choice,), only.usage, trace.cost, only.model, only.id, parsed, trace, _whole_rest(only.extra))
    extra: dict[str, Any] = {}
    usage = model = answer_id = None
    for chunk in chunks:
        if chunk.extra:
            extra.update(_whole_rest(chunk.extra))
        usage = chunk.usage or usage
        model = model or chunk.model
        answer_id = answer_id or chunk.id
    indexes = sorted({chunk.index for chunk in chunks if chunk.has_output or chunk.finish_reason})
    choices = tuple(_choice([chunk for chunk in chunks if chunk.index == index], index) for index in indexes)
    return Answer(choices, usage, trace.cost, model, answer_id, parsed, trace, extra)


def _is_plain(chunk: Chunk) -> bool:
    """Whether a chunk has nothing but text in it, as the chunk of most answers that are complete."""
    return not (chunk.reasoning or chunk.tool_calls or chunk.parts or (chunk.extra and "part" in chunk.extra))


def _only_text(chunk: Chunk) -> tuple[Part, ...]:
    return (Text(chunk.text),) if chunk.text else ()


def _whole_rest(extra: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Leave out what belongs to a part, and stands there."""
    if not extra:
        return {}
    return extra if _OF_PARTS.isdisjoint(extra) else {name: extra[name] for name in extra if name not in _OF_PARTS}


def _choice(chunks: Sequence[Chunk], index: int) -> Choice:
    return Choice(
        parts=_join_parts(chunks),
        refusal="".join([chunk.refusal for chunk in chunks]),
        finish_reason=next((chunk.finish_reason for chunk in reversed(chunks) if chunk.finish_reason), None),
        index=index,
        wire=next((chunk.wire for chunk in chunks if chunk.wire), ""),
    )


def _join_parts(chunks: Iterable[Chunk]) -> tuple[Part, ...]:
    """Join the pieces of an answer to its parts, in the order in which they began."""
    growing = _Growing()
    for chunk in chunks:
        if chunk.extra and chunk.extra.get("new_part"):
            growing.begin()
        if chunk.reasoning:
            growing.add(Reasoning, chunk.reasoning)
        if chunk.text:
            growing.add(Text, chunk.text)
        for delta in chunk.tool_calls:
            growing.add_call(delta)
        if chunk.extra and (fields := chunk.extra.get("part")):
            growing.add_fields(fields)
        for part in chunk.parts:
            growing.add_part(part)
    return growing.done()


class _Piecewise:
    """A text or a reasoning while its pieces come."""

    __slots__ = ("extra", "kind", "pieces")

    def __init__(self, kind: type[Text | Reasoning]) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.extra: dict[str, Any] = {}

    def done(self) -> Text | Reasoning:
        return self.kind("".join(self.pieces), extra=self.extra)


class _Growing:
    """The parts of an answer while they come."""

    __slots__ = ("_calls", "_slots")

    def __init__(self) -> None:
        self._slots: list[Part | _Piecewise | list[ToolCallDelta]] = []
        self._calls: dict[int, list[ToolCallDelta]] = {}

    def begin(self) -> None:
        """Have the next piece begin a part, although the last one is of its kind."""
        if self._slots and isinstance(last := self._slots[-1], _Piecewise):
            self._slots[-1] = last.done()

    def add(self, kind: type[Text | Reasoning], piece: str) -> None:
        """Go on with the last part if it is of this kind, else begin one."""
        last = self._slots[-1] if self._slots else None
        if not isinstance(last, _Piecewise) or last.kind is not kind:
            last = _Piecewise(kind)
            self._slots.append(last)
        last.pieces.append(piece)

    def add_call(self, delta: ToolCallDelta) -> None:
        """Go on with the tool call of this index, or begin it."""
        known = self._calls.get(delta.index)
        if known is None:
            known = self._calls[delta.index] = []
            self._slots.append(known)
        known.append(delta)

    def add_fields(self, fields: Mapping[str, Any]) -> None:
        """Put unknown fields to the last text or reasoning; lists grow (citations), of others the last counts."""
        last = next((slot for slot in reversed(self._slots) if isinstance(slot, _Piecewise)), None)
        if last is None:
            last = _Piecewise(Text)
            self._slots.append(last)
        for name, value in fields.items():
            there = last.extra.get(name)
            last.extra[name] = [*there, *value] if isinstance(there, list) and isinstance(value, list) else value

    def add_part(self, part: Part) -> None:
        """Complete the reasoning that came just before, or stand as a part of its own."""
        last = self._slots[-1] if self._slots else None
        if isinstance(part, Reasoning) and not part.text and isinstance(last, _Piecewise) and last.kind is Reasoning:
            extra = {**last.extra, **part.extra}
            self._slots[-1] = Reasoning("".join(last.pieces), part.signature, part.provider, extra)
        else:
            self._slots.append(part)

    def done(self) -> tuple[Part, ...]:
        """Return the parts; tool calls stand in the order of their index, whichever began first."""
        calls = iter([join_deltas(self._calls[index]) for index in sorted(self._calls)])
        return tuple([self._part(slot, calls) for slot in self._slots])

    def _part(self, slot: Part | _Piecewise | list[ToolCallDelta], calls: Iterator[ToolCall]) -> Part:
        if isinstance(slot, _Piecewise):
            return slot.done()
        return next(calls) if isinstance(slot, list) else slot


def _last_usage(chunks: Sequence[Chunk]) -> Usage | None:
    return next((chunk.usage for chunk in reversed(chunks) if chunk.usage), None)


def _first_model(chunks: Sequence[Chunk]) -> str | None:
    return next((chunk.model for chunk in chunks if chunk.model), None)


def _joined_extra(chunks: Sequence[Chunk]) -> dict[str, Any]:
    return {name: value for chunk in chunks for name, value in (chunk.extra or {}).items()}


def assemble_embeddings(chunks: Sequence[Chunk], trace: CallTrace) -> Embeddings:
    """Put the answer of an embeddings call together."""
    vectors = tuple(vector for chunk in chunks for vector in chunk.vectors)
    return Embeddings(vectors, _last_usage(chunks), trace.cost, _first_model(chunks), trace)


def assemble_ranking(chunks: Sequence[Chunk], trace: CallTrace) -> Ranking:
    """Put the answer of a rerank call together."""
    results = tuple(ranked for chunk in chunks for ranked in chunk.ranking)
    return Ranking(results, _last_usage(chunks), trace.cost, _first_model(chunks), trace, _joined_extra(chunks))


def assemble_verdicts(chunks: Sequence[Chunk], trace: CallTrace) -> Verdicts:
    """Put the answer of a moderation call together."""
    verdicts = tuple(verdict for chunk in chunks for verdict in chunk.verdicts)
    return Verdicts(verdicts, _last_usage(chunks), trace.cost, _first_model(chunks), trace, _joined_extra(chunks))
