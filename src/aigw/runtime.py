"""The runtimes: blocking and loop versions of the ports, and `drive`, which runs a coroutine without a loop."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aigw.errors import ConfigError, SuspendedError
from aigw.flags import BlockingFlag, LoopFlag
from aigw.ports import INTERRUPT, Branch, Interrupt

if TYPE_CHECKING:
    import asyncio
    import random
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine

    from aigw.ports import Clock, Flag, Transport

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose every wait finishes at once.

    Blocking ports do their waiting inside, so a coroutine that waits only through ports never suspends.

    Raises:
        SuspendedError: it waited on an event loop; the message names who did.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)  # in no variable: an error in it would hold this frame, and that the error
    except (RuntimeError, AttributeError) as error:
        if _lacks_loop(error):
            raise SuspendedError(_blame(_raised_in(error))) from error
        raise
    path = _awaiting(coroutine)
    coroutine.close()
    raise SuspendedError(_blame(path))


def _blame(path: list[str]) -> str:
    return (
        f"{' > '.join(path)} waited for an event loop, but a blocking gateway runs this call. "
        "Wait through call.clock, call.runtime.flag() or another port, or use gateway.aio"
    )


def _awaiting(coroutine: Any) -> list[str]:
    """Name the coroutines from the outermost to the one that suspended."""
    path = []
    while coroutine is not None and hasattr(coroutine, "cr_code"):
        path.append(coroutine.cr_code.co_qualname)
        coroutine = coroutine.cr_await
    return path


def _lacks_loop(error: BaseException) -> bool:
    """Tell whether asyncio failed because there is no loop: its functions say so, its locks stumble over a None."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    inside = traceback is not None and traceback.tb_frame.f_globals.get("__name__", "").startswith("asyncio.")
    return "no running event loop" in str(error) or (inside and isinstance(error, AttributeError))


def _raised_in(error: BaseException) -> list[str]:
    path = []
    traceback = error.__traceback__
    while traceback is not None:
        path.append(traceback.tb_frame.f_code.co_qualname)
        traceback = traceback.tb_next
    return path[1:]


class BlockingClock:
    """The monotonic clock; sleeping blocks the thread."""

    def now(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds of `time.time`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        interrupt = INTERRUPT.get()
        if interrupt is not None:
            interrupt.sleep(max(seconds, 0))
        elif seconds > 0:
            time.sleep(seconds)  # noqa: ASYNC251  (blocking is what this clock is for)


class LoopClock:
    """The monotonic clock; sleeping suspends the task."""

    def now(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds of `time.time`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Suspend the task."""
        import asyncio

        await asyncio.sleep(max(seconds, 0))


class BlockingRuntime:
    """Ports of the blocking face. One serves all threads."""

    blocking = True

    def __init__(self, clock: Clock | None, rng: random.Random, transport: Callable[[], Transport]) -> None:
        self.clock: Clock = clock or BlockingClock()
        self.rng = rng
        self._make_transport = transport
        self._transport: Transport | None = None
        self._lock = threading.Lock()

    @property
    def transport(self) -> Transport:
        """The transport, made when it is first needed."""
        transport = self._transport
        if transport is None:
            with self._lock:
                if self._transport is None:
                    self._transport = self._make_transport()
                transport = self._transport
        return transport

    def flag(self) -> Flag:
        """Make a flag."""
        return BlockingFlag()

    async def resolve(self, function: Callable[[], T | Awaitable[T]]) -> T:
        """Call a plain function."""
        value: Any = function()
        if hasattr(value, "__await__"):
            if hasattr(value, "close"):
                value.close()
            name = getattr(function, "__qualname__", type(function).__name__)  # a partial may hold a key
            raise ConfigError(f"{name} is a coroutine function: use it with gateway.aio, or give a plain function")
        result: T = value
        return result

    def discard(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Close it at once."""
        drive(close())

    def spawn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Branch[T]:
        """Begin it in a thread, which ends with the process at the latest."""
        interrupt = Interrupt()
        branch: Branch[T] = Branch(interrupt.set)

        def run() -> None:
            INTERRUPT.set(interrupt)
            try:
                branch.finish(drive(work()))
            except BaseException as error:  # noqa: BLE001  (it is raised where the result is asked for)
                branch.fail(error)

        threading.Thread(target=copy_context().run, args=(run,), name="aigw-branch", daemon=True).start()
        return branch

    def forget(self) -> None:
        """Drop the connections without a word to their servers: after a fork they belong to the parent process."""
        self._transport = None

    async def close(self) -> None:
        """Close every connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()


class LoopRuntime:
    """Ports of the async face in one event loop."""

    blocking = False

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock | None,
        rng: random.Random,
        transport: Callable[[], Transport],
    ) -> None:
        self.clock: Clock = clock or LoopClock()
        self.rng = rng
        self.loop = weakref.ref(loop)
        self._make_transport = transport
        self._transport: Transport | None = None
        self._janitor: AsyncGenerator[None, None] | None = None
        self._discarded: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()
        self._closing: asyncio.Task[None] | None = None

    @property
    def transport(self) -> Transport:
        """The transport of this loop, made when it is first needed."""
        if self._transport is None:
            self._transport = self._make_transport()
        return self._transport

    def flag(self) -> Flag:
        """Make a flag for tasks of this loop."""
        loop = self.loop()
        if loop is None:
            raise ConfigError("the event loop of this runtime is gone")
        return LoopFlag(loop)

    async def resolve(self, function: Callable[[], T | Awaitable[T]]) -> T:
        """Call a plain or a coroutine function."""
        value: Any = function()
        if hasattr(value, "__await__"):
            value = await value
        result: T = value
        return result

    def discard(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let the loop close it, when it runs next."""
        loop = self.loop()
        if loop is None:
            return
        self._discarded.append(close)
        with suppress(RuntimeError):  # the loop is closed, and its sockets with it
            loop.call_soon_threadsafe(self._start_closing, loop)

    def spawn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Branch[T]:
        """Begin it in a task."""
        import asyncio

        def over(task: asyncio.Task[T]) -> None:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            branch.finish(task.result()) if error is None else branch.fail(error)

        task = asyncio.get_running_loop().create_task(work())
        branch: Branch[T] = Branch(task.cancel)
        task.add_done_callback(over)
        return branch

    def _start_closing(self, loop: asyncio.AbstractEventLoop) -> None:
        self._closing = loop.create_task(self._close_discarded())

    async def _close_discarded(self) -> None:
        while self._discarded:
            close = self._discarded[0]
            await close()
            if self._discarded and self._discarded[0] is close:
                self._discarded.popleft()

    async def watch(self) -> None:
        """Have the connections closed when `asyncio.run` shuts its loop down, even if nobody calls `close`.

        A loop closes its open async generators before it stops: one of them is ours.
        """
        self._janitor = self._close_at_shutdown()
        await anext(self._janitor)

    async def _close_at_shutdown(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Close every connection of this loop. A call that still runs opens new ones; they are closed with the loop."""
        await self._close_discarded()  # a loop that ends cancels the task that would have done it
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()


class Runtimes:
    """The runtimes of one gateway: one for all threads, one for each event loop, made when first needed.

    Args:
        clock: replaces the clock of every runtime, in tests.
        rng: source of chance.
        blocking: makes the blocking transport.
        loop: makes the transport of an event loop.
    """

    def __init__(
        self,
        *,
        clock: Clock | None,
        rng: random.Random,
        blocking: Callable[[], Transport],
        loop: Callable[[], Transport],
    ) -> None:
        self.blocking = BlockingRuntime(clock, rng, blocking)
        self._clock = clock
        self._rng = rng
        self._make_transport = loop
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopRuntime] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    async def current(self) -> LoopRuntime:
        """Return the runtime of the running loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        runtime = self._loops.get(loop)
        if runtime is None:
            runtime = LoopRuntime(loop, self._clock, self._rng, self._make_transport)
            with self._lock:
                # Idle connections hold their loop, so a weak key alone would keep a loop that was closed the hard way.
                for dead in [other for other in self._loops if other.is_closed()]:
                    del self._loops[dead]
                self._loops[loop] = runtime
            await runtime.watch()
        return runtime

    async def close_current(self) -> None:
        """Close the connections of the running loop."""
        import asyncio

        runtime = self._loops.get(asyncio.get_running_loop())
        if runtime is not None:
            await runtime.close()
