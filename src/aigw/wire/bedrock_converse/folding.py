"""Blocks of content in pieces: cut up for a stream, and put together again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aigw.wire.arguments import read_arguments, write_arguments
from aigw.wire.fields import rest

Event = tuple[str, dict[str, Any]]
"""The name of an event and its payload."""

NO_METRICS: Final[Mapping[str, Any]] = {"latencyMs": 0}
"""What stands for metrics where nothing is known: the format wants some."""

_LATER: Final = {"toolUse": "input", "toolResult": "content", "image": "source"}
"""The fields of blocks that come in deltas; what else they have comes when they start."""

_ENCODED: Final = frozenset({"bytes", "redactedContent"})
"""Fields that hold base64."""


class Pieces:
    """A block while its pieces come."""

    __slots__ = ("_block", "_citations")

    def __init__(self) -> None:
        self._block: dict[str, Any] = {}
        self._citations: list[Any] = []

    def add(self, piece: Mapping[str, Any]) -> None:
        """Take what stands in the ``start`` or a ``delta`` of the block."""
        for member, value in piece.items():
            if member == "citation":
                self._citations.append(value)
            elif member == "toolResult" and isinstance(value, list):
                self._block[member] = grow(self._block.get(member), {"content": value})
            else:
                self._block[member] = grow(self._block.get(member), value, member)

    def join(self) -> dict[str, Any]:
        """Return the whole block."""
        block = self._block
        if isinstance(call := block.get("toolUse"), dict) and isinstance(call.get("input", ""), str):
            return {**block, "toolUse": {**call, "input": write_arguments(call.get("input", ""))}}
        if isinstance(thought := block.get("reasoningContent"), dict) and "redactedContent" not in thought:
            return {**block, "reasoningContent": {"reasoningText": {"text": "", **thought}}}
        if self._citations:
            content = [{"text": block.get("text", "")}]
            return {"citationsContent": {"content": content, "citations": self._citations}, **rest(block, ("text",))}
        return block


def split(block: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cut a block into what comes when it starts, empty for nothing, and what comes as a delta."""
    kind = next(iter(block), "")
    inner = block.get(kind)
    if len(block) != 1 or kind not in _LATER or not isinstance(inner, Mapping):
        return {}, dict(block)
    later = inner.get(_LATER[kind])
    if kind == "toolUse":
        delta: Any = {"input": read_arguments(later)}
    else:
        delta = {"source": later} if kind == "image" else later
    return {kind: rest(inner, (_LATER[kind],))}, {kind: delta}


def fold(events: Iterable[Event]) -> dict[str, Any]:
    """Put the events of a stream together to a whole answer."""
    blocks: dict[Any, Pieces] = {}
    message: dict[str, Any] = {}
    body: dict[str, Any] = {"output": {"message": message}, "metrics": NO_METRICS}
    for name, payload in events:
        if name == "messageStart":
            message.update(payload)
        elif name in ("contentBlockStart", "contentBlockDelta"):
            piece = payload["start" if name == "contentBlockStart" else "delta"]
            blocks.setdefault(payload["contentBlockIndex"], Pieces()).add(piece)
        elif name in ("messageStop", "metadata"):
            body.update(payload)
    message["content"] = [pieces.join() for pieces in blocks.values()]
    return body


def grow(there: Any, piece: Any, name: str = "") -> Any:
    """Join a piece of a streamed value to what has come before: texts and lists grow, objects field by field."""
    if isinstance(there, str) and isinstance(piece, str):
        return _join_encoded(there, piece) if name in _ENCODED else there + piece
    if isinstance(there, list) and isinstance(piece, list):
        return there + piece
    if isinstance(there, Mapping) and isinstance(piece, Mapping):
        return {**there, **{key: grow(there.get(key), value, key) for key, value in piece.items()}}
    return piece


def _join_encoded(there: str, piece: str) -> str:
    """Join two texts in base64, of which the first may be padded."""
    try:
        return b64encode(b64decode(there, validate=True) + b64decode(piece, validate=True)).decode()
    except ValueError:
        return there + piece
