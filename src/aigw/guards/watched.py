"""`Watched`: an answer on its way out through a guard, chunk by chunk, each of its texts in a lane of its own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import AigwError, StreamInterrupted
from aigw.guards.places import visit_data, visit_part
from aigw.guards.scan import DetectorFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.guards.lanes import Lane
    from aigw.guards.places import Kind, Place
    from aigw.message import Part
    from aigw.reply import Reply

TEXT: Final = "text"
REASONING: Final = "reasoning"
REFUSAL: Final = "refusal"
_NAMES: Final = (REASONING, TEXT, REFUSAL)
"""In the order in which they stand in a chunk."""
_PLACES: Final[Mapping[str, Place]] = {TEXT: "answer", REFUSAL: "answer", REASONING: "reasoning"}
_TELLTALES: Final = frozenset({"logprobs", "top_logprobs", "logprobs_result", "logprobsResult", "tokens", "token_ids"})
"""Fields that repeat the text token by token: they would tell what was masked, or what is still held back."""


class Objection(Exception):
    """The answer must not go on. It holds no text.

    Args:
        reason: why.
    """


class Lanes(Protocol):
    """Makes the lanes of an answer, and decides what becomes of one that must not go on."""

    def lane(self, place: Place, tool: str = "", *, is_label: bool = False) -> Lane | None:
        """Make a lane for texts of a place; ``None`` where they pass as they are.

        Args:
            place: the place.
            tool: for ``tool_calls``, the tool that is called.
            is_label: they are no part of what is said: fields beside it.
        """
        ...

    def stopped(self, objection: Objection | DetectorFailed, usage: Usage | None) -> Chunk:
        """Return what ends the answer in its place.

        Raises:
            AnswerBlocked: nothing does.
        """
        ...


class Watched:
    """A source of chunks for a `Reply`: those of an inner reply, as far as a guard lets them pass.

    Args:
        reply: the inner reply.
        lanes: makes the lanes.
    """

    def __init__(self, reply: Reply, lanes: Lanes) -> None:
        self._reply = reply
        self._make = lanes
        self._lanes: dict[tuple[int, str], Lane | None] = {}
        self._open: dict[int, str] = {}
        self._tools: dict[tuple[int, int], Lane | None] = {}
        self._spoke: set[int] = set()
        self._ready: deque[Chunk] = deque()
        self._usage: Usage | None = None
        self._is_over = False

    async def read(self) -> Chunk | None:
        """Return the next chunk that may pass."""
        while not self._ready:
            if self._is_over:
                return None
            try:
                await self._read_on()
            except (Objection, DetectorFailed) as objection:
                self._is_over = True
                await self._reply.close()
                self._ready.append(self._make.stopped(objection, self._usage))
        return self._ready.popleft()

    async def close(self) -> None:
        """Close the inner reply."""
        await self._reply.close()

    async def _read_on(self) -> None:
        try:
            chunk = await self._reply.read()
        except StreamInterrupted as error:
            # What the inner reply gave out is not what the caller got: the outer one tells him how far he came.
            if isinstance(error.__cause__, AigwError):
                raise error.__cause__ from None
            raise
        if chunk is None:
            for index in sorted({*self._open, *(index for index, _ in self._tools)}):
                await self._flush(index)
            self._is_over = True
            return
        self._usage = chunk.usage or self._usage
        await self._pass(chunk)

    async def _pass(self, chunk: Chunk) -> None:
        """Let a chunk pass, without what is held back, and with what was."""
        fields: dict[str, Any] = {}
        ends_text = bool(chunk.tool_calls or chunk.parts or chunk.finish_reason is not None)
        await self._texts(chunk, fields, ends_text=ends_text)
        if ends_text:
            await self._end_text(chunk.index, fields, chunk)
        if chunk.tool_calls or chunk.parts or chunk.text or chunk.refusal:
            self._spoke.add(chunk.index)
        elif chunk.finish_reason is not None and chunk.index not in self._spoke:
            await self._whole("", "answer")
        if chunk.tool_calls:
            fields["tool_calls"] = tuple([await self._delta(chunk.index, delta) for delta in chunk.tool_calls])
        if chunk.finish_reason is not None and (rest := await self._held_arguments(chunk.index)):
            fields["tool_calls"] = fields.get("tool_calls", ()) + rest
        if chunk.parts:
            fields["parts"] = tuple([await self._part(part) for part in chunk.parts])
        if chunk.extra:
            fields["extra"] = await self._extra(chunk.extra)
        self._ready.append(chunk.evolve(**fields) if fields else chunk)

    async def _texts(self, chunk: Chunk, fields: dict[str, Any], *, ends_text: bool) -> None:
        index = chunk.index
        names = [name for name in _NAMES if getattr(chunk, name)]
        if chunk.extra and chunk.extra.get("new_part"):
            await self._end_text(index, fields)
        for name in names:
            if self._open.get(index, name) != name:
                await self._end_text(index, fields)
            self._open[index] = name
            lane = self._lane(index, name)
            if lane is None:
                continue
            text: str = getattr(chunk, name)
            if ends_text and name == names[-1]:
                del self._open[index]
                fields[name] = await lane.flush(text)
            else:
                fields[name] = await lane.feed(text)

    async def _end_text(self, index: int, fields: dict[str, Any], chunk: Chunk | None = None) -> None:
        """End the text that is open, and give out what was held back of it: in this chunk, if it belongs there."""
        name = self._open.pop(index, None)
        lane = self._lanes.get((index, name)) if name is not None else None
        if name is None or lane is None:
            return
        text = await lane.flush()
        if name in fields:
            fields[name] += text
        elif text and chunk is not None and not fields:
            fields[name] = text
        elif text:
            self._ready.append(_piece(name, text, index))

    async def _flush(self, index: int) -> None:
        """Give out what is held back of an answer that ended without saying so."""
        await self._end_text(index, {})
        if rest := await self._held_arguments(index):
            self._ready.append(Chunk(tool_calls=rest, index=index))

    async def _held_arguments(self, index: int) -> tuple[ToolCallDelta, ...]:
        """End the tool calls of an answer; return what was held back of their arguments."""
        rest = []
        for answer, call in [key for key in self._tools if key[0] == index]:
            lane = self._tools.pop((answer, call))
            if lane is not None and (arguments := await lane.flush()):
                rest.append(ToolCallDelta(call, arguments=arguments))
        return tuple(rest)

    async def _delta(self, index: int, delta: ToolCallDelta) -> ToolCallDelta:
        key = (index, delta.index)
        if key not in self._tools:
            self._tools[key] = self._make.lane("tool_calls", delta.name or "")
        lane = self._tools[key]
        if lane is None or not delta.arguments:
            return delta
        return ToolCallDelta(delta.index, delta.id, delta.name, await lane.feed(delta.arguments), delta.extra)

    def _lane(self, index: int, name: str) -> Lane | None:
        key = (index, name)
        if key not in self._lanes:
            self._lanes[key] = self._make.lane(_PLACES[name])
        return self._lanes[key]

    async def _part(self, part: Part) -> Part:
        """Let a part pass that came whole."""
        texts: dict[str, str] = {}

        def collect(_: Place, text: str, kind: Kind) -> str:
            texts[text] = kind
            return text

        visit_part(part, "answer", collect)
        place: Place = "reasoning" if part.type == "reasoning" else "answer"
        tool = getattr(part, "name", "") if part.type == "tool_call" else ""
        passed = {
            text: await self._whole(
                text, "tool_calls" if kind == "json" else place, tool, is_label=kind not in {"json", "text"}
            )
            for text, kind in texts.items()
        }
        return visit_part(part, "answer", lambda _, text, __: passed[text])

    async def _extra(self, extra: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let the other fields of a chunk pass, without those that repeat the text token by token."""
        if self._make.lane("answer") is None:
            return extra
        kept = without_telltales(extra)
        texts: set[str] = set()

        def collect(_: Place, text: str, __: Kind) -> str:
            texts.add(text)
            return text

        visit_data(kept, "answer", collect)
        passed = {text: await self._whole(text, "answer", is_label=True) for text in texts}
        return visit_data(kept, "answer", lambda _, text, __: passed[text])

    async def _whole(self, text: str, place: Place, tool: str = "", *, is_label: bool = False) -> str:
        lane = self._make.lane(place, tool, is_label=is_label)
        return text if lane is None else await lane.flush(text)


def _piece(name: str, text: str, index: int) -> Chunk:
    fields: dict[str, Any] = {name: text}
    return Chunk(index=index, **fields)


def without_telltales(value: Any) -> Any:
    """Leave out the fields that repeat a text token by token; the same object where there is none."""
    if isinstance(value, dict):
        kept = {name: without_telltales(item) for name, item in value.items() if name not in _TELLTALES}
        return kept if len(kept) < len(value) or any(kept[name] is not value[name] for name in kept) else value
    if isinstance(value, list):
        items = [without_telltales(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value
