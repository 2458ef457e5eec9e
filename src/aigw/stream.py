"""`Stream` and `AsyncStream`: an answer that is read while it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from aigw.assembly import assemble
from aigw.engine import close_trace, completed
from aigw.runtime import drive
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from aigw.answer import Answer
    from aigw.call import Call
    from aigw.chunk import Chunk
    from aigw.reply import Reply

    Open = Callable[[], Awaitable[tuple[Call, Reply]]]


class _Reader:
    """What both faces of a stream share; all of it waits only through ports."""

    def __init__(self, opener: Open) -> None:
        self._opener = opener
        self._call: Call | None = None
        self._reply: Reply | None = None
        self._trace = CallTrace()
        self._over = False

    @property
    def trace(self) -> CallTrace:
        """What happened so far; the attempt that is being read is in it once it is over."""
        return self._trace

    @property
    def answer(self) -> Answer:
        """The answer so far; after the last chunk the whole answer, with `parsed` if the call asked for a schema.

        Raises:
            BadResponse: the whole answer does not fit the schema.
        """
        answer = assemble(() if self._reply is None else self._reply.delivered, self.trace)
        whole = self._reply is not None and self._reply.end is not None and self._reply.end.complete
        return completed(self._call, answer) if self._call is not None and whole else answer

    async def _open(self) -> Reply:
        if self._reply is None:
            if self._over:
                raise RuntimeError("the stream is closed")
            try:
                self._call, self._reply = await self._opener()
            except BaseException as error:  # whatever it is: what could not be opened is over, and keeps its trace
                self._over = True
                self._trace = getattr(error, "trace", None) or self._trace
                raise
            self._trace = self._call.trace or self._trace
        return self._reply

    async def _next(self) -> Chunk | None:
        if self._over:
            return None
        reply = self._reply or await self._open()
        try:
            chunk = await reply.read()
        except BaseException as error:  # whatever it is, the trace must be complete
            self._finish(error)
            raise
        if chunk is None:
            self._finish()
        return chunk

    async def _close(self) -> None:
        self._over = True
        if self._reply is not None:
            try:
                await self._reply.close()
            finally:
                self._finish()

    def _finish(self, error: BaseException | None = None) -> None:
        self._over = True
        if self._call is not None:
            close_trace(self._call, error)

    def __del__(self) -> None:
        """Settle a stream that was dropped without being closed; its connection is closed as soon as possible."""
        if self._reply is not None and self._call is not None and not self._over:
            close = self._reply.abandon()
            self._finish()
            if close is not None:
                self._call.ports.discard(close)


class Stream(_Reader):
    """A stream of the blocking face: ``with gateway.stream(…) as stream: for chunk in stream: …``.

    The request is sent when the ``with`` block or the loop begins; what fails before the first output is raised there.
    Leaving the block closes the connection if the answer was not read to its end.
    """

    def __enter__(self) -> Self:
        drive(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Chunk:
        chunk = drive(self._next())
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Stop here. Closing twice is fine."""
        drive(self._close())


class AsyncStream(_Reader):
    """A stream of the async face, for ``async with`` and ``async for``; see `Stream`."""

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        chunk = await self._next()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def close(self) -> None:
        """Stop here. Closing twice is fine."""
        await self._close()
