"""Keeps the tool calls of a stream apart, also those of servers that number all of them the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aigw.chunk import Chunk, ToolCallDelta


class Indexes:
    """Gives every tool call of a stream an index of its own.

    Ollama and others number parallel calls all 0, or not at all; each has an id of its own then, and its name begins
    it. A call without an id gets one: ``call_0``.
    """

    __slots__ = ("_ids", "_last")

    def __init__(self) -> None:
        self._ids: dict[tuple[int, int], str | None] = {}  # by choice and our own index
        self._last: dict[tuple[int, int], int] = {}  # choice and the server's index: our index of the last call there

    def read(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the indexes of its tool calls set right."""
        calls = tuple([self._placed(chunk.index, call) for call in chunk.tool_calls])
        return chunk if calls == chunk.tool_calls else chunk.evolve(tool_calls=calls)

    def _placed(self, choice: int, call: ToolCallDelta) -> ToolCallDelta:
        there = (choice, call.index)
        at = self._last.get(there)
        if at is None or self._begins_another(choice, at, call):
            at = call.index
            while (choice, at) in self._ids:
                at += 1
            self._last[there] = at
            identity = call.id or (f"call_{at}" if call.name is not None else None)
            self._ids[choice, at] = identity
            return call if (at, identity) == (call.index, call.id) else replace(call, index=at, id=identity)
        if self._ids[choice, at] is None:
            self._ids[choice, at] = call.id
        return call if at == call.index else replace(call, index=at)

    def _begins_another(self, choice: int, at: int, call: ToolCallDelta) -> bool:
        known = self._ids[choice, at]
        return call.id is not None and call.name is not None and known is not None and call.id != known
