"""Run the same test on both faces: driven without an event loop, and on one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aigw.runtime import drive

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aigw.chunk import Chunk
    from aigw.reply import Reply

both_faces = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "loop"])


def run(blocking: bool, coroutine: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: FBT001  (the parameter of the tests)
    """Run what `coroutine` makes on one of the faces."""
    return drive(coroutine()) if blocking else asyncio.run(coroutine())


async def read_all(reply: Reply) -> list[Chunk]:
    """Read a reply to its end."""
    chunks = []
    while (chunk := await reply.read()) is not None:
        chunks.append(chunk)
    return chunks
