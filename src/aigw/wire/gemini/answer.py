"""Answers in Gemini's format: whole ones and the events of a stream, from the wire to `Chunk`.

Each part gives a chunk of its own, so that their order is kept. What aigw does not model is kept in ``Chunk.extra``
(``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level, on its last chunk: ``{"modelStatus": {...}}``;
- of the candidate under ``"choice"``, on its last chunk: ``{"choice": {"safetyRatings": [...]}}``. A ``finishReason``
  stands there if our word for it does not tell which one it was;
- of its content under ``"message"``, of a text or thought under ``"part"``, of the token counts under ``"usage"``.

Function calls without an id get one: the id of the answer, if it has any, and their number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk, ToolCallDelta
from aigw.errors import BadResponse, ConfigError, ContentFiltered
from aigw.message import Reasoning, Text, ToolCall
from aigw.wire.answers import wrong_answer
from aigw.wire.arguments import read_arguments
from aigw.wire.fields import checked, optional, rest
from aigw.wire.gemini.calls import CALL, MADE_UP
from aigw.wire.gemini.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.gemini.errors import classify
from aigw.wire.gemini.names import message
from aigw.wire.gemini.partial import PartialCall
from aigw.wire.gemini.parts import parse_part
from aigw.wire.gemini.reasons import parse_reason, tells
from aigw.wire.gemini.signatures import SIGNS
from aigw.wire.gemini.usage import parse_usage, usage_rest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.chunk import Usage
    from aigw.message import Part

_INNER: Final = ("choice", "message", "usage", "part")
_TOP: Final = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "error", *_INNER})
_CANDIDATE: Final = frozenset({"index", "content", "finishReason"})
_LONGEST_ID: Final = 24
_NO_ID: Final = re.compile("[^A-Za-z0-9_-]")


def parse_response(body: Any, dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each part; usage, and fields of the whole answer, on the last one.

    Args:
        body: the decoded JSON; a list of them is a stream that was written as one JSON text.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no answer, or one without candidates.
        ContentFiltered: the prompt was blocked.
        ProviderError: it is an error, under status 200.
    """
    events = EventReader(dialect, model)
    chunks = [chunk for event in (body if isinstance(body, list) else [body]) for chunk in events.read(event)]
    if not events.seen:
        raise events.bad("the answer has no candidates")
    return chunks


class EventReader:
    """Reads the events of one answer; a whole answer is one event.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_candidates", "_dialect", "_model", "finished")

    def __init__(self, dialect: Dialect, model: str) -> None:
        self._dialect = dialect
        self._model = model
        self._candidates: dict[int, _Candidate] = {}
        self.finished: set[int] = set()
        """Candidates that have their finish reason."""

    @property
    def seen(self) -> set[int]:
        """Candidates that have begun."""
        return set(self._candidates)

    def read(self, data: Any) -> list[Chunk]:
        """Read one event.

        Raises:
            BadResponse: it is none.
            ContentFiltered: the prompt was blocked.
            ProviderError: it is an error.
        """
        try:
            if isinstance(data, list) and len(data) == 1:
                data = data[0]
            return self._read(checked(data, dict, "it"))
        except ConfigError as error:
            raise wrong_answer("one of generateContent", error, self._dialect.provider, self._model) from None

    def bad(self, text: str) -> BadResponse:
        """Make the error for a wrong answer."""
        return BadResponse(text, provider=self._dialect.provider, model=self._model)

    def _read(self, data: dict[str, Any]) -> list[Chunk]:
        if data.get("error"):
            raise classify(200, {}, to_json(data), provider=self._dialect.provider, model=self._model)
        candidates = optional(data, "candidates", list)
        if not candidates:
            self._check_blocked(data)
        identity, model = optional(data, "responseId", str) or None, optional(data, "modelVersion", str) or None
        usage, extra = _parse_whole(data)
        chunks = [chunk for one in candidates or () for chunk in self._read_candidate(one, identity)]
        if not chunks:
            chunks = [Chunk()]
        read = [chunk.evolve(id=identity, model=model, wire=WIRE) for chunk in chunks]
        if usage is not None or extra:
            read[-1] = read[-1].evolve(usage=usage, extra={**(read[-1].extra or {}), **extra} or None)
        return read

    def _check_blocked(self, data: Mapping[str, Any]) -> None:
        feedback = data.get("promptFeedback")
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if not isinstance(reason, str):
            return
        said = feedback.get("blockReasonMessage") if isinstance(feedback, dict) else None
        raise ContentFiltered(
            "the provider blocked the prompt",
            provider=self._dialect.provider,
            model=self._model,
            status=200,
            code=reason if reason.isidentifier() else None,
            detail=said if isinstance(said, str) else "",
        )

    def _read_candidate(self, data: Any, identity: str | None) -> list[Chunk]:
        data = checked(data, dict, "a candidate")
        index = optional(data, "index", int, "a candidate") or 0
        known = self._candidates.get(index)
        if known is None:
            known = self._candidates[index] = _Candidate(self._dialect.provider)
        chunks = known.read(data, identity)
        last = chunks[-1]
        if last.finish_reason is not None:
            self.finished.add(index)
        return chunks if index == 0 else [chunk.evolve(index=index) for chunk in chunks]


def _parse_whole(data: Mapping[str, Any]) -> tuple[Usage | None, dict[str, Any]]:
    extra = {} if _TOP.issuperset(data) else rest(data, _TOP)
    counts = data.get("usageMetadata")
    usage = parse_usage(counts)
    if left := usage_rest(counts, usage):
        extra["usage"] = left
    return usage, extra


class _Candidate:
    """One answer of several, while its events come."""

    __slots__ = ("_calls", "_partial", "_provider", "_thought")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._calls = 0
        self._thought = 0  # characters of the thought that is being written
        self._partial: PartialCall | None = None

    def read(self, data: Mapping[str, Any], identity: str | None) -> list[Chunk]:
        """Read what an event says of this candidate; at least one chunk."""
        content = optional(data, "content", dict, "a candidate") or {}
        parts = optional(content, "parts", list, "content") or ()
        chunks = [chunk for at, part in enumerate(parts) for chunk in self._read_part(part, f"parts[{at}]", identity)]
        given = optional(data, "finishReason", str, "a candidate") or None
        if given is not None and self._partial is not None:
            chunks.append(self._end_partial(self._partial))
        reason = None if given is None else parse_reason(given, called=bool(self._calls))
        extra: dict[str, Any] = {}
        if not _CANDIDATE.issuperset(data) and (unknown := rest(data, _CANDIDATE)):
            extra["choice"] = unknown
        if given is not None and not tells(reason, given):
            extra["choice"] = {**extra.get("choice", {}), "finishReason": given}
        if unknown := rest(content, ("parts", "role")):
            extra["message"] = unknown
        if not chunks:
            chunks = [Chunk()]
        if reason is not None or extra:
            last = chunks[-1]
            chunks[-1] = last.evolve(finish_reason=reason, extra={**(last.extra or {}), **extra} or None)
        return chunks

    def _read_part(self, data: Any, where: str, identity: str | None) -> list[Chunk]:
        part = checked(data, dict, where)
        if isinstance(inner := part.get(CALL), dict) and (
            self._partial is not None or "partialArgs" in inner or "willContinue" in inner
        ):
            return self._read_piece(part, inner, where, identity)
        parsed = parse_part(part, self._provider, where)
        if not parsed:
            return []
        first = parsed[0]
        if isinstance(first, Reasoning) and SIGNS not in first.extra:
            return self._thought_chunk(first)
        self._thought = 0
        if isinstance(first, ToolCall):
            return [Chunk(tool_calls=(self._delta(first, first.arguments, identity),))]
        return _chunk_of(first, parsed[1:])

    def _thought_chunk(self, part: Reasoning) -> list[Chunk]:
        self._thought += len(part.text)
        if part.signature is None:
            if not part.text and not part.extra:
                return []
            return [Chunk(reasoning=part.text, extra={"part": part.extra} if part.extra else None)]
        signs = {} if self._thought == len(part.text) else {SIGNS: {"thought": len(part.text)}}
        self._thought = 0
        signed = Reasoning("", part.signature, part.provider, {**part.extra, **signs})
        return [Chunk(reasoning=part.text, parts=(signed,))]

    def _delta(self, call: ToolCall, arguments: str, identity: str | None) -> ToolCallDelta:
        index = self._calls
        self._calls += 1
        if call.id:
            return ToolCallDelta(index, call.id, call.name, arguments, call.extra or None)
        unique = f"{_NO_ID.sub('', identity)[:_LONGEST_ID]}_" if identity else ""
        return ToolCallDelta(index, f"call_{unique}{index}", call.name, arguments, {**call.extra, MADE_UP: True})

    def _read_piece(
        self, part: Mapping[str, Any], inner: dict[str, Any], where: str, identity: str | None
    ) -> list[Chunk]:
        """Read a piece of a function call: its beginning gives a chunk, and its end gives all of its arguments."""
        chunks: list[Chunk] = []
        fields = message(inner, f"{where}.{CALL}")
        if self._partial is None or fields.get("name"):
            if self._partial is not None:
                chunks.append(self._end_partial(self._partial))
            start = {**part, CALL: rest(fields, ("args", "partialArgs", "willContinue"))}
            (call,) = parse_part(start, self._provider, where)
            assert isinstance(call, ToolCall)
            self._thought = 0
            self._partial = PartialCall(self._calls)
            chunks.append(Chunk(tool_calls=(self._delta(call, "", identity),)))
        if not self._partial.add(fields, f"{where}.{CALL}"):
            chunks.append(self._end_partial(self._partial))
        return chunks

    def _end_partial(self, partial: PartialCall) -> Chunk:
        self._partial = None
        return Chunk(tool_calls=(ToolCallDelta(partial.index, arguments=read_arguments(partial.args)),))


def _chunk_of(part: Part, others: tuple[Part, ...]) -> list[Chunk]:
    """Make the chunk of a part: a text goes on, anything else comes whole."""
    if not isinstance(part, Text):
        return [Chunk(parts=(part, *others))]
    if not part.text and not part.extra and not others:
        return []
    return [Chunk(part.text, parts=others, extra={"part": part.extra} if part.extra else None)]
