"""What the caller of a wrapped generator reads: the items of the function, as the policies let them out."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, NoReturn

from aigw.errors import ConfigError
from aigw.wrapping.failures import original
from aigw.wrapping.use import Carrier, not_texts, said

if TYPE_CHECKING:
    from types import TracebackType

    from aigw.chunk import Chunk
    from aigw.stream import AsyncStream, Stream
    from aigw.wrapping.use import Use


class Outlet:
    """Decides which items may go out after each chunk that comes from the policies.

    An item goes out when its chunk does. One whose chunk a policy kept follows with the next, or at the end. Texts do
    not: what a policy makes of them comes as text.

    Args:
        use: the function and its arguments.
        name: name of the function.
        texts: the function says that it gives out texts.
    """

    __slots__ = ("_name", "_texts", "_use")

    def __init__(self, use: Use, name: str, *, texts: bool) -> None:
        self._use = use
        self._name = name
        self._texts = texts

    def after(self, chunk: Chunk) -> list[Any]:
        """Return what may go out now.

        Raises:
            ConfigError: a policy answered in place of the function, or changed what it gave out, which is no text.
        """
        if isinstance(chunk, Carrier):
            before = self._take(chunk.number)
            self._texts = isinstance(chunk.item, str)
            if not isinstance(chunk.item, str):
                if said([chunk]) != chunk.said:
                    raise ConfigError(not_texts(self._name))
                return [*before, chunk.item]
            text = chunk.item if chunk.text == chunk.item else chunk.text
            return [*before, text] if text or not chunk.item else before
        if chunk.text and self._texts:
            return [chunk.text]
        if chunk.has_output and not self._use.called:
            raise ConfigError(not_ours(self._name))
        return []

    def rest(self) -> list[Any]:
        """Return what is left at the end."""
        return self._take(None)

    def _take(self, number: int | None) -> list[Any]:
        """Take the items before this one, and this one away."""
        items, taken = self._use.items, []
        while items and (number is None or items[0][0] <= number):
            place, item = items.popleft()
            if place != number and not isinstance(item, str):
                taken.append(item)
        return taken


def not_ours(name: str) -> str:
    """Say that there is no result."""
    return (
        f"a policy answered in place of {name}(), whose results only the function can make: "
        "let it return texts and say so (-> str), or take the policy away"
    )


class _Reading:
    """What both kinds of generators have in common."""

    def __init__(self, use: Use, outlet: Outlet) -> None:
        self._use = use
        self._outlet = outlet
        self._ready: deque[Any] = deque()

    def _raised(self, error: Exception) -> Exception | None:
        """Return what the function raised, if that is why it failed."""
        found = original(error, self._use.raised)
        self._use.raised.clear()  # they know the frames that know this
        return found


class Items(_Reading, Generator[Any, None, Any]):
    """The items of a wrapped generator.

    Args:
        stream: the reply.
        use: the function and its arguments.
        outlet: decides what goes out.
    """

    def __init__(self, stream: Stream, use: Use, outlet: Outlet) -> None:
        super().__init__(use, outlet)
        self._stream = stream

    def __next__(self) -> Any:
        while not self._ready:
            more, found = self._fill()
            try:
                if found is not None:
                    raise found
            finally:
                del found  # its traceback knows this frame
            if not more and not self._ready:
                raise StopIteration(self._use.returned)
        return self._ready.popleft()

    def _fill(self) -> tuple[bool, Exception | None]:
        """Read on; tell whether there may be more, and what the function raised."""
        found: Exception | None = None
        try:
            chunk = next(self._stream, None)
            self._ready += self._outlet.rest() if chunk is None else self._outlet.after(chunk)
        except Exception as error:  # whatever the function raised is raised, by the caller of this
            found = self._raised(error)
            if found is None:
                raise
            return False, found
        else:
            return chunk is not None, None
        finally:
            del found

    def send(self, value: None, /) -> Any:
        """Return the next item.

        Raises:
            TypeError: there is a value: what the function gives out is not always what it is just doing.
        """
        if value is not None:
            raise TypeError("nothing can be sent into a wrapped generator")
        return next(self)

    def throw(self, *error: Any) -> NoReturn:
        """Close the function's generator, and raise."""
        self.close()
        raise _instance(*error)

    def close(self) -> None:
        """Stop here: the function's generator is closed. Closing twice is fine."""
        self._ready.clear()
        self._stream.close()


class AsyncItems(_Reading, AsyncGenerator[Any, None]):
    """The items of a wrapped async generator; see `Items`."""

    def __init__(self, stream: AsyncStream, use: Use, outlet: Outlet) -> None:
        super().__init__(use, outlet)
        self._stream = stream

    async def __anext__(self) -> Any:
        while not self._ready:
            more, found = await self._fill()
            try:
                if found is not None:
                    raise found
            finally:
                del found  # its traceback knows this frame
            if not more and not self._ready:
                raise StopAsyncIteration
        return self._ready.popleft()

    async def _fill(self) -> tuple[bool, Exception | None]:
        """Read on; tell whether there may be more, and what the function raised."""
        found: Exception | None = None
        try:
            chunk = await anext(self._stream, None)
            self._ready += self._outlet.rest() if chunk is None else self._outlet.after(chunk)
        except Exception as error:  # whatever the function raised is raised, by the caller of this
            found = self._raised(error)
            if found is None:
                raise
            return False, found
        else:
            return chunk is not None, None
        finally:
            del found

    async def asend(self, value: None, /) -> Any:
        """Return the next item; see `Items.send`."""
        if value is not None:
            raise TypeError("nothing can be sent into a wrapped generator")
        return await anext(self)

    async def athrow(self, *error: Any) -> NoReturn:
        """Close the function's generator, and raise."""
        await self.aclose()
        raise _instance(*error)

    async def aclose(self) -> None:
        """Stop here: the function's generator is closed. Closing twice is fine."""
        self._ready.clear()
        await self._stream.close()


def _instance(kind: Any, value: Any = None, traceback: TracebackType | None = None) -> BaseException:
    error: BaseException = kind if isinstance(kind, BaseException) else value or kind()
    return error if traceback is None else error.with_traceback(traceback)
