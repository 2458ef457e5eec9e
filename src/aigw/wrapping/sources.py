"""Where the reply of a wrapped generator gets its chunks from: the generator of the user, item by item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk
from aigw.errors import TimedOut
from aigw.providers.patience import Patience
from aigw.wrapping.events import EventReader
from aigw.wrapping.failures import Judged
from aigw.wrapping.results import estimated, told_by

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from aigw.call import Call
    from aigw.chunk import Usage
    from aigw.wrapping.use import About, Use

END: Final = object()


class ItemSource(ABC):
    """Reads a generator of the user. Each item goes out with the last of the chunks that it stands for.

    Args:
        call: the call; its limits in time count.
        about: what all uses of the function have in common.
        use: the function and its arguments.
    """

    def __init__(self, call: Call, about: About, use: Use) -> None:
        self.ready: deque[Chunk] = deque()
        self._call = call
        self._about = about
        self._use = use
        self._judged = Judged(use.raised, about.provider, about.model)
        self._patience = Patience(call)
        self._reader = EventReader()
        self._chunks: list[Chunk] = []
        self._usage: Usage | None = None
        self._number = 0
        self._ended = False

    @abstractmethod
    async def _pull(self) -> Any:
        """Return the next item, or `END`."""

    @abstractmethod
    async def close(self) -> None:
        """Close the generator."""

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the end of the generator."""
        while not self.ready:
            if self._ended:
                return None
            if self._number:
                self._patience.progress()  # the pauses of a slow reader are not the function's
            if self._patience.over():
                raise self._patience.judge(self._slow())
            item = await self._pull()
            if item is END:
                self._ended = True
                self._hold(self._last())
            else:
                self._hold(self._read(item))
        return self.ready.popleft()

    def _read(self, item: Any) -> list[Chunk]:
        chunks = self._reader.read(item) or [Chunk()]
        self._usage = told_by(self._about.usage, item) or self._usage
        chunks[-1] = self._use.carry(chunks[-1], item, self._number)
        self._number += 1
        return chunks

    def _last(self) -> list[Chunk]:
        chunks = self._reader.finish()
        known = any(chunk.usage is not None for chunk in (*self._chunks, *chunks))
        if self._usage is None and not known:
            self._usage = estimated(self._call, [*self._chunks, *chunks], self._about.name)
        return chunks if self._usage is None else [*chunks, Chunk(usage=self._usage)]

    def _hold(self, chunks: list[Chunk]) -> None:
        self._chunks += chunks
        self.ready += chunks

    def _slow(self) -> TimedOut:
        return TimedOut("the function is too slow", provider=self._about.provider, model=self._about.model)


class BlockingItems(ItemSource):
    """Reads a generator. What it waits for cannot be interrupted: limits in time are looked at between its items."""

    def __init__(self, call: Call, about: About, use: Use) -> None:
        super().__init__(call, about, use)
        self._items: Generator[Any, Any, Any] = use(call, about.name)

    async def _pull(self) -> Any:
        with self._judged:
            try:
                return next(self._items)
            except StopIteration as stop:
                self._use.returned = stop.value
        return END

    async def close(self) -> None:
        """Close the generator."""
        self._items.close()


class LoopItems(ItemSource):
    """Reads an async generator; an item that takes too long is cancelled."""

    def __init__(self, call: Call, about: About, use: Use) -> None:
        from aigw.transport.timer import Timer

        super().__init__(call, about, use)
        self._timer = Timer()
        self._items: AsyncGenerator[Any, Any] = use(call, about.name)

    async def _pull(self) -> Any:
        try:
            with self._timer(self._patience.left()), self._judged:
                item = await anext(self._items, END)
        except TimeoutError:
            item = None
        else:
            if item is END:
                self._timer.stop()
            return item
        raise self._patience.judge(self._slow())

    async def close(self) -> None:
        """Close the generator."""
        self._timer.stop()
        await self._items.aclose()
