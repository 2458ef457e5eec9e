"""Fetching credentials with other people's libraries, which block, without stopping an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from aigw.aside import TooSlow, beside
from aigw.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call

T = TypeVar("T")


async def in_background(call: Call, work: Callable[[], T]) -> T:
    """Fetch a cloud's credentials, and wait for them as long as the call may.

    Raises:
        TimedOut: the call's deadline came first. The work goes on, and what it returns is dropped.
    """
    left = call.remaining()
    try:
        return await beside(call.ports, work, None if left == float("inf") else max(left, 0.0))
    except TooSlow:
        raise TimedOut("fetching credentials took too long") from None
