"""From the events of a stream to chunks.

The parts of `Chunk.extra` are those of whole answers. An event that is not known stands under ``"events"``, whole. The
field ``p`` of all events is dropped: it is padding, which hides how long the text is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aigw.chunk import Chunk, ToolCallDelta
from aigw.message import Reasoning
from aigw.wire.bedrock_converse.answer import part_chunk, whole_rest
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL, WIRE, Dialect
from aigw.wire.bedrock_converse.folding import Pieces, grow
from aigw.wire.bedrock_converse.parts import parse_block
from aigw.wire.bedrock_converse.usage import parse_usage, read_reason
from aigw.wire.fields import checked, required, rest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class _Block:
    """A block of content while its pieces come."""

    call: int | None = None
    answers: bool = False
    said: bool = False
    thinks: bool = False
    signature: str = ""
    redacted: str = ""
    others: Pieces | None = None
    where: str = field(default="contentBlockDelta.delta", init=False)


class Reader:
    """Reads the events of one stream.

    Args:
        dialect: names the provider whose signatures they hold.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._provider = dialect.provider
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._answers = False
        self.stopped = False
        """The message is whole; only its metadata may follow."""
        self.ended = False
        """The metadata has come."""

    def read(self, name: str, payload: dict[str, Any]) -> list[Chunk]:
        """Read one event.

        Raises:
            ConfigError: a field has the wrong type; the message names it.
        """
        if name == "contentBlockDelta":  # by far the most
            return self._delta(payload)
        known = {
            "messageStart": self._begin,
            "contentBlockStart": self._start,
            "contentBlockStop": self._end,
            "messageStop": self._stop,
            "metadata": self._metadata,
        }.get(name)
        return [Chunk(extra={"events": [{name: payload}]}, wire=WIRE)] if known is None else known(payload)

    def _begin(self, payload: Mapping[str, Any]) -> list[Chunk]:
        unknown = rest(payload, ("role", "p"))
        return [Chunk(extra={"message": unknown}, wire=WIRE)] if unknown else []

    def _block(self, payload: Mapping[str, Any]) -> _Block:
        index = payload.get("contentBlockIndex")
        if type(index) is not int:
            index = required(payload, "contentBlockIndex", int)
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Block()
        return block

    def _start(self, payload: Mapping[str, Any]) -> list[Chunk]:
        block = self._block(payload)
        start = required(payload, "start", dict)
        call = start.get("toolUse")
        if not isinstance(call, dict) or call.get("type") is not None:
            if start:
                block.others = Pieces()
                block.others.add(start)
            return []
        identity, name = required(call, "toolUseId", str, "start.toolUse"), required(call, "name", str, "start.toolUse")
        if name == ANSWER_TOOL:
            block.answers = self._answers = True
            return []
        block.call = self._calls
        self._calls += 1
        extra = rest(start, ("toolUse",))
        if unknown := rest(call, ("toolUseId", "name")):
            extra["toolUse"] = unknown
        return [Chunk(tool_calls=(ToolCallDelta(block.call, identity, name, "", extra or None),), wire=WIRE)]

    def _delta(self, payload: Mapping[str, Any]) -> list[Chunk]:
        block = self._block(payload)
        delta = required(payload, "delta", dict)
        if "text" in delta:
            text = checked(delta["text"], str, f"{block.where}.text")
            extra = {"part": rest(delta, ("text",))} if len(delta) > 1 else None
            return [Chunk(text=text, extra=extra, wire=WIRE)] if text or extra else []
        if "citation" in delta:
            return [Chunk(extra={"part": {"citations": [delta["citation"]]}}, wire=WIRE)]
        if "toolUse" in delta and (block.call is not None or block.answers):
            return self._input(block, checked(delta["toolUse"], dict, f"{block.where}.toolUse"))
        if "reasoningContent" in delta:
            return self._think(block, checked(delta["reasoningContent"], dict, f"{block.where}.reasoningContent"))
        block.others = block.others or Pieces()
        block.others.add(delta)
        return []

    def _input(self, block: _Block, delta: Mapping[str, Any]) -> list[Chunk]:
        piece = required(delta, "input", str, f"{block.where}.toolUse")
        if not piece:
            return []
        if block.call is not None:
            return [Chunk(tool_calls=(ToolCallDelta(block.call, None, None, piece),), wire=WIRE)]
        block.said = True
        return [Chunk(text=piece, wire=WIRE)]

    def _think(self, block: _Block, delta: Mapping[str, Any]) -> list[Chunk]:
        where = f"{block.where}.reasoningContent"
        if "redactedContent" in delta:
            block.redacted = grow(block.redacted, required(delta, "redactedContent", str, where), "redactedContent")
            return []
        block.thinks = True
        if "signature" in delta:
            block.signature += required(delta, "signature", str, where)
        text = checked(delta.get("text") or "", str, f"{where}.text")
        return [Chunk(reasoning=text, wire=WIRE)] if text else []

    def _end(self, payload: Mapping[str, Any]) -> list[Chunk]:
        return self._close(self._blocks.pop(required(payload, "contentBlockIndex", int), None))

    def _close(self, block: _Block | None) -> list[Chunk]:
        """Return what can only be said when a block is over."""
        if block is None:
            return []
        chunks = []
        if block.answers and not block.said:
            chunks.append(Chunk(text="{}", wire=WIRE))
        if block.redacted:
            redacted = Reasoning("", block.redacted, self._provider, {"redactedContent": True})
            chunks.append(Chunk(parts=(redacted,), wire=WIRE))
        elif block.thinks:
            # Also where there is no signature: it tells where this block of reasoning ends.
            end = Reasoning("", block.signature, self._provider) if block.signature else Reasoning("")
            chunks.append(Chunk(parts=(end,), wire=WIRE))
        if block.others is not None:
            part = parse_block(block.others.join(), self._provider, "the block", "assistant")
            chunks.append(part_chunk(part, self._calls))
        return chunks

    def _stop(self, payload: Mapping[str, Any]) -> list[Chunk]:
        chunks = [chunk for index in sorted(self._blocks) for chunk in self._close(self._blocks[index])]
        self._blocks.clear()
        self.stopped = True
        given = required(payload, "stopReason", str)
        answered = given == "tool_use" and self._answers and not self._calls
        reason, kept = read_reason("end_turn" if answered else given)
        extra = {**rest(payload, ("stopReason", "p")), **kept}
        return [*chunks, Chunk(finish_reason=reason, extra=extra or None, wire=WIRE)]

    def _metadata(self, payload: Mapping[str, Any]) -> list[Chunk]:
        self.ended = self.stopped
        usage, counts = parse_usage(payload.get("usage"))
        extra = rest(whole_rest(payload), ("p",))
        if counts:
            extra["usage"] = counts
        return [Chunk(usage=usage, extra=extra or None, wire=WIRE)] if usage or extra else []
