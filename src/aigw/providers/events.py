"""A streamed answer as it comes: from the bytes of an HTTP response to chunks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from aigw.errors import ProviderError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.chunk import Chunk
    from aigw.ports import HttpResponse
    from aigw.providers.format import StreamParser
    from aigw.providers.patience import Patience

LONGEST_TAIL_WAIT = 0.1
"""Seconds to wait for the end of the body after the stream's own end, so that the connection can be used again."""


class Events:
    """The source of a streamed answer.

    Args:
        response: what comes.
        parser: what it means.
        patience: how long to wait for it.
        sign: puts names into an error.
    """

    __slots__ = ("_begun", "_parser", "_patience", "_response", "_sign", "ready")

    def __init__(
        self,
        response: HttpResponse,
        parser: StreamParser,
        patience: Patience,
        sign: Callable[[ProviderError], Exception],
    ) -> None:
        self._response = response
        self._parser = parser
        self._patience = patience
        self._sign = sign
        self.ready: deque[Chunk] = deque()
        """Chunks that came together with the last one that was read."""
        self._begun = False

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the format's own end."""
        try:
            if self._begun and not self.ready:
                self._patience.progress()  # from here on, not from the last chunk: a slow reader is not a slow target
            while not self.ready:
                if self._parser.ended:
                    await self._read_tail()
                    return None
                if self._patience.over():
                    raise TimedOut("no chunk came in time")
                data = await self._response.read(self._patience.left())
                chunks = self._parser.feed(data) if data else self._parser.finish()
                if chunks:
                    self.ready.extend(chunks)
                    self._begun = True
                elif not data:
                    return None
            return self.ready.popleft()
        except ProviderError as error:
            failure = self._sign(error)
        try:
            raise failure
        finally:
            del failure  # as in send()

    async def close(self) -> None:
        """Let go of the connection."""
        self.ready.clear()
        await self._response.close()

    async def _read_tail(self) -> None:
        """Read what is left of the body, so that the connection can be used again; nobody waits for it long."""
        try:
            await self._response.read_all(LONGEST_TAIL_WAIT)
        except ProviderError:
            pass  # the answer is complete, only the connection is lost
        finally:
            await self._response.close()
