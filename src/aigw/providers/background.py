"""Work that blocks (other people's libraries, files, databases), done without stopping an event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from aigw.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call
    from aigw.ports import Flag, Runtime

T = TypeVar("T")


async def in_background(call: Call, work: Callable[[], T]) -> T:
    """Do something that blocks, such as fetching a cloud's credentials, and wait for it as long as the call may.

    Raises:
        TimedOut: the call's deadline came first. The work goes on, and what it returns is dropped.
    """
    left = call.remaining()
    try:
        return await beside(call.ports, work, None if left == float("inf") else max(left, 0.0))
    except _NotDoneError:
        raise TimedOut("fetching credentials took too long") from None


async def beside(runtime: Runtime, work: Callable[[], T], timeout: float | None = None) -> T:
    """Do something that blocks, and wait for it through the ports of a face.

    The blocking face does it in the caller's thread, and as long as it takes; for the other one a thread is started.

    Args:
        runtime: the ports.
        work: what to do; what it raises is raised here.
        timeout: seconds to wait at most.
    """
    if runtime.blocking:
        return work()
    job = _Job(work, runtime.flag())
    threading.Thread(target=job.run, name="aigw-background", daemon=True).start()
    if not await job.done.wait(timeout):
        raise _NotDoneError
    if job.error is not None:
        raise job.error
    return job.result[0]


class _NotDoneError(Exception):
    """The time was over before the work was done."""


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
