"""Blocking work of other people's libraries, such as fetching a cloud's credentials, without stopping an event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from aigw.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call
    from aigw.ports import Flag

T = TypeVar("T")


async def in_background(call: Call, work: Callable[[], T]) -> T:
    """Do something that blocks, and wait for it through the ports of the call.

    A blocking call does it in its own thread; any other has a thread started for it.

    Raises:
        TimedOut: the call's deadline came first. The work goes on, and what it returns is dropped.
    """
    if call.ports.blocking:
        return work()
    job = _Job(work, call.ports.flag())
    threading.Thread(target=job.run, name="aigw-background", daemon=True).start()
    left = call.remaining()
    if not await job.done.wait(None if left == float("inf") else max(left, 0.0)):
        raise TimedOut("fetching credentials took too long")
    if job.error is not None:
        raise job.error
    return job.result[0]


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T], done: Flag) -> None:
        self.done = done
        self.result: list[T] = []
        self.error: Exception | None = None
        self._work = work

    def run(self) -> None:
        try:
            self.result.append(self._work())
        except Exception as error:  # noqa: BLE001  (it is raised where it is waited for)
            self.error = error
        finally:
            self.done.set()
