"""An event loop whose time is virtual: it jumps to the next timer, so that an hour passes in a second."""

from __future__ import annotations

import asyncio
import selectors


class Selector(selectors.DefaultSelector):
    """Does not wait: what it is asked to wait is how far the time goes on."""

    now = 0.0

    def select(self, timeout=None):
        """Move on."""
        self.now += max(timeout or 0.0, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self):
        self._virtual = Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9

    def time(self):
        """Return the virtual time."""
        return self._virtual.now


class LoopTime:
    """The clock of the calls in the running loop."""

    def __init__(self):
        self.now = self.time = asyncio.get_running_loop().time

    async def sleep(self, seconds):
        """Suspend the task."""
        await asyncio.sleep(seconds)


def run(coroutine):
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
