"""Time limits for the waits of one line in an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Timer:
    """What `asyncio.timeout` does, for one wait after the other: ``with timer(5): await …``.

    `asyncio.timeout` puts a new entry into the loop's heap for every wait, and leaves the old one there until its time
    has come. With many calls at once the heap is long, and its entries are compared in Python. This one keeps its entry
    while the limit moves on, and looks at the newest limit when the time has come.
    """

    __slots__ = ("_cancelling", "_due", "_entry", "_fired", "_loop", "_seconds", "_task")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._entry: asyncio.TimerHandle | None = None
        self._seconds: float | None = None
        self._due: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._fired = False

    def __call__(self, seconds: float | None) -> Self:
        """Set the limit of the next wait; ``None`` is no limit."""
        self._seconds = seconds
        return self

    def __enter__(self) -> Self:
        if self._seconds is None:
            return self
        self._task = task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a task to cancel")
        self._cancelling = task.cancelling()
        self._due = due = self._loop.time() + self._seconds
        entry = self._entry
        if entry is None or due < entry.when():
            if entry is not None:
                entry.cancel()
            self._entry = self._loop.call_at(due, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        self._due = None
        if self._fired and task is not None:
            self._fired = False
            # Somebody else may have cancelled the task as well; then that counts, as it does for asyncio.timeout.
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def stop(self) -> None:
        """Take the entry out of the loop: the line is closed."""
        entry, self._entry = self._entry, None
        if entry is not None:
            entry.cancel()

    def _look(self) -> None:
        self._entry = None
        due, task = self._due, self._task
        if due is None or task is None:
            return
        if due > self._loop.time():
            self._entry = self._loop.call_at(due, self._look)
            return
        self._due = None
        self._fired = True
        task.cancel()
