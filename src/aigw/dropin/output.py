"""A streamed answer on its way to an SDK: chunks in, the bytes of its format out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aigw.chunk import Chunk
from aigw.dropin.failure import broken, failure_of
from aigw.dropin.family import TimeIsOverError
from aigw.engine import close_trace
from aigw.errors import AigwError, AllTargetsFailed, DeadlineExceeded, StreamInterrupted, TimedOut

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.dropin.failure import Failure
    from aigw.dropin.protocol import Format, Renderer
    from aigw.ports import Clock
    from aigw.reply import Reply

ROUNDING: Final = 0.005
"""Seconds that a timer may go off before the moment that it was set for."""

_LOG: Final = logging.getLogger("aigw.dropin")


class Limit:
    """The time for which a client waits.

    Args:
        seconds: how long; ``None`` for ever.
        clock: the clock of the call.
    """

    __slots__ = ("_clock", "_seconds", "_since")

    def __init__(self, seconds: float | None, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since = clock.now()

    def restart(self) -> None:
        """The client waits from now on."""
        self._since = self._clock.now()

    def judge(self, error: AigwError) -> None:
        """Look whether a call took too long for its client, rather than for the gateway.

        Raises:
            TimeIsOverError: it did.
        """
        late = self._seconds is not None and self._clock.now() - self._since >= self._seconds - ROUNDING
        if late and _is_about_time(error):
            raise TimeIsOverError(f"no answer within the client's own limit of {self._seconds:g} s") from error


class Events:
    """The body of a streamed answer.

    Args:
        call: the call as it was started.
        reply: the answer; its first output is there.
        form: how it is written.
        limit: how long the client waits for each piece.
        created: when it was made, in seconds since 1970.
    """

    def __init__(self, call: Call, reply: Reply, form: Format, limit: Limit, created: int) -> None:
        self._call = call
        self._reply = reply
        self._form = form
        self._limit = limit
        self._created = created
        self._renderer: Renderer | None = None
        self._sent = 0
        self._over = False

    async def read(self) -> bytes:
        """Return the next event, and those that came together with it; ``b""`` at the end.

        Raises:
            TimeIsOverError: the client waited too long.
        """
        self._limit.restart()
        burst: list[bytes] = []  # sent in one piece, because each costs the client's library more than it costs us
        try:
            while not self._over and (not burst or self._reply.ready):
                chunk = await self._reply.read()
                if data := self._render(chunk):
                    burst.append(data)
        except AigwError as error:
            self._finish(error)
            self._limit.judge(error)
            burst.append(self._tell(failure_of(error)))
        except Exception as error:  # noqa: BLE001  (as before the first byte)
            _LOG.exception("a stream failed in a way that nobody foresaw")
            await self.close()
            burst.append(self._tell(broken(error)))
        except BaseException as error:  # cancelled, say: the trace must be complete
            self._finish(error)
            raise
        return burst[0] if len(burst) == 1 else b"".join(burst)

    def _render(self, chunk: Chunk | None) -> bytes:
        """Render a chunk, or the end; empty for what says nothing in this format."""
        renderer = self._renderer or self._begin(chunk)
        if chunk is None:
            self._finish()
            return renderer.finish()
        data = renderer.render(chunk)
        self._sent += data.count(b"\n\n")  # at the end of each event, and nowhere else: JSON has none
        return data

    async def close(self) -> None:
        """Stop here; the connection is closed if the answer was not read to its end."""
        if not self._over:
            try:
                await self._reply.close()
            finally:
                self._finish()

    def _begin(self, first: Chunk | None) -> Renderer:
        assert self._form.renderer is not None
        self._renderer = self._form.renderer(first or Chunk(), self._call, self._created)
        return self._renderer

    def _tell(self, failure: Failure) -> bytes:
        assert self._form.event is not None
        return self._form.event(failure, self._sent)

    def _finish(self, error: BaseException | None = None) -> None:
        self._over = True
        close_trace(self._call, error)

    def __del__(self) -> None:
        """Settle a stream that was dropped without being closed; its connection is closed as soon as possible."""
        if not getattr(self, "_over", True):
            close = self._reply.abandon()
            self._finish()
            if close is not None:
                self._call.ports.discard(close)


def _is_about_time(error: BaseException | None) -> bool:
    if isinstance(error, StreamInterrupted):
        return _is_about_time(error.__cause__)
    if isinstance(error, AllTargetsFailed):
        return any(map(_is_about_time, error.exceptions))
    return isinstance(error, (TimedOut, DeadlineExceeded))
