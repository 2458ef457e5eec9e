"""An event loop whose time jumps to its next timer: minutes pass in seconds, and every run is alike."""

from __future__ import annotations

import asyncio
import selectors


class Jumping(selectors.DefaultSelector):
    """Never waits: the time that it is asked to wait has passed at once."""

    passed = 0.0

    def select(self, timeout=None):
        """Look what is ready."""
        self.passed += max(timeout or 0.0, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self):
        self._jumping = Jumping()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self):
        """Return its seconds."""
        return self._jumping.passed


class VirtualClock:
    """The clock of calls in such a loop.

    Args:
        loop: the loop.
    """

    def __init__(self, loop):
        self.now = self.time = loop.time

    async def sleep(self, seconds):
        """Let others run until then."""
        await asyncio.sleep(seconds)


def run(main):
    """Run ``main(clock)`` to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop())))
