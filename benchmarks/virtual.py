"""An event loop in virtual time: it jumps to the next timer, so that hours pass in seconds and every run is alike."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  (which class it is depends on the system)
    """Does not wait: what it is asked to wait is how far the time goes on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._virtual.now


class LoopTime:
    """The clock of the calls in such a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time
        self.time = loop.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Any) -> Any:
    """Run ``main(loop)`` in a virtual loop to its end."""
    loop = VirtualLoop()
    try:
        coroutine: Coroutine[Any, Any, Any] = main(loop)
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()
