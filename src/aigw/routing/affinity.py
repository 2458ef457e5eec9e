"""`Affinity`: sends what belongs together to the member that has read the beginning already, while it is not busy."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final, Literal

from aigw.mechanics import prefix
from aigw.mechanics.prefix import BLOCK, CHARACTERS_A_TOKEN, Blocks, Prefixes
from aigw.message import Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.call import Call
    from aigw.message import Message
    from aigw.routing.node import Node

Kind = Literal["prefix", "session"]

SESSION: Final = "session"
"""The label in ``metadata`` that names the session of a call."""


class Affinity:
    """What the members of a `Balance` have read lately.

    Args:
        kind: ``prefix`` compares the beginnings of prompts, ``session`` the ``session`` in the metadata of calls.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self._prefixes = Prefixes()
        self._lock = threading.Lock()

    def blocks(self, call: Call) -> Blocks | None:
        """Return what the call can be recognised by; ``None`` for a prompt that is too short to be worth it."""
        if call.operation != "chat":
            return None
        if self.kind == "session":
            session = call.metadata.get(SESSION)
            return None if session is None else Blocks((hash(session),), (_session_tokens(call),))
        if _size(call.messages, BLOCK) < BLOCK:
            return None
        tools = tuple([(tool.name, tool.description) for tool in call.tools])
        blocks = prefix.cut((tools, call.schema is None), _pieces(call.messages))
        return blocks if blocks.keys else None

    def read(self, blocks: Blocks, now: float) -> dict[str, float]:
        """Tell how many tokens of the beginning each member has read, by their names; see `Prefixes`."""
        with self._lock:
            return self._prefixes.read(blocks, now)

    def learn(self, blocks: Blocks, member: Node, now: float) -> None:
        """Take note that a member has read it."""
        with self._lock:
            self._prefixes.learn(blocks, member.name, now)


def lighter(weights: Sequence[float], members: Sequence[Node], blocks: Blocks, read: dict[str, float]) -> list[float]:
    """Take weight from members that have to read more of a prompt than others."""
    total = blocks.tokens[-1]
    return [
        weight / prefix.work(total - read.get(member.name, 0.0))
        for weight, member in zip(weights, members, strict=True)
    ]


def _session_tokens(call: Call) -> float:
    return max(_size(call.messages, math.inf), BLOCK) / CHARACTERS_A_TOKEN


def _size(messages: Sequence[Message], enough: float) -> int:
    """Return the characters of the texts of messages; it stops counting when there are enough."""
    size = 0
    for message in messages:
        for part in message.parts:
            if isinstance(part, (Text, Reasoning)):
                size += len(part.text)
            elif isinstance(part, ToolResult) and isinstance(part.content, str):
                size += len(part.content)
            elif isinstance(part, ToolCall):
                size += len(part.arguments)
        if size >= enough:
            break
    return size


def _pieces(messages: Sequence[Message]) -> Iterator[str]:
    """Yield the texts of messages; ends at the first thing that cannot be compared cheaply, such as an image."""
    for message in messages:
        yield message.role
        for part in message.parts:
            if isinstance(part, (Text, Reasoning)):
                yield part.text
            elif isinstance(part, ToolCall):
                yield part.name
                yield part.arguments
            elif isinstance(part, ToolResult) and isinstance(part.content, str):
                yield part.content
            else:
                return
