"""`Race`: two attempts of one call side by side; the first with output wins, the other one is let go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Self

from aigw.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.ports import Branch, Runtime
    from aigw.reply import Reply

LETTING_GO: Final = 0.05
"""Seconds to wait until an attempt that was cancelled has closed its connection and is written down. Most need less
than a millisecond; one that still connects, or queues for a limit, has sent nothing, and ends by itself."""

GRACE: Final = 0.25
"""Seconds behind the deadline in which the attempts themselves may tell that it has come."""


class Entrant:
    """An attempt in a race.

    Args:
        call: the call.
        inner: serves it.
    """

    __slots__ = ("_call", "_inner", "asked", "branch")

    def __init__(self, call: Call, inner: Next) -> None:
        self.asked: list[str] = []
        self._call = call.evolve(asked=self.asked)
        self._inner = inner
        self.branch: Branch[Reply] = call.ports.spawn(self._run)

    async def _run(self) -> Reply:
        reply = await self._inner(self._call)
        await reply.prime()
        return reply


class Race:
    """A call and its attempts.

    Args:
        call: the call.
        inner: serves it.
    """

    def __init__(self, call: Call, inner: Next) -> None:
        self._call = call
        self._inner = inner
        self._running: list[Entrant] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Let go of whoever still runs; where this is thrown away itself, it may not wait for them."""
        left, self._running = self._running, []
        await self._let_go(left, wait=kind is None or not issubclass(kind, GeneratorExit))

    def start(self, call: Call) -> Sequence[str]:
        """Begin an attempt; return the names of the targets that it asks, which grow."""
        entrant = Entrant(call, self._inner)
        self._running.append(entrant)
        return entrant.asked

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until an attempt is over, at most `timeout` seconds; tell whether one is."""
        return await _first_over(self._call.ports, [entrant.branch for entrant in self._running], timeout)

    async def winner(self) -> Reply:
        """Return the reply of the first that has output, and let the others go.

        An attempt that fails leaves it to the others; the failure of the last one is raised.

        Raises:
            DeadlineExceeded: the deadline of the call came first.
        """
        while True:
            left = self._call.remaining()
            if not await self.wait(None if left == float("inf") else max(left, 0.0) + GRACE):
                raise DeadlineExceeded("the deadline of the call came before the answer", policy="Deadline")
            entrant = next(entrant for entrant in self._running if entrant.branch.is_over)
            self._running.remove(entrant)
            try:
                return entrant.branch.result()
            except Exception:  # the others decide, if there are any
                if not self._running:
                    raise
            finally:
                del entrant  # the traceback knows this frame

    async def _let_go(self, entrants: Sequence[Entrant], *, wait: bool) -> None:
        runtime = self._call.ports
        for entrant in entrants:
            entrant.branch.cancel()
            entrant.branch.when_over(partial(_drop, runtime, entrant.branch))
        if wait:
            for entrant in entrants:
                await _first_over(runtime, [entrant.branch], LETTING_GO)


async def _first_over(runtime: Runtime, branches: Sequence[Branch[Reply]], timeout: float | None) -> bool:
    flag = runtime.flag()
    for branch in branches:
        branch.when_over(flag.set)
    return await flag.wait(timeout)


def _drop(runtime: Runtime, branch: Branch[Reply]) -> None:
    """Close the reply of an attempt that came too late."""
    try:
        reply = branch.result()
    except BaseException:  # noqa: BLE001  (it was cancelled, and what else it says is of no use to anybody)
        return
    close = reply.abandon()
    if close is not None:
        runtime.discard(close)
