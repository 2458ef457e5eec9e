"""What prompt functions return that stream: the pieces of the text, as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Self

from aigw.prompts.asking import refused

if TYPE_CHECKING:
    from types import TracebackType

    from aigw.answer import Answer
    from aigw.chunk import Chunk
    from aigw.stream import AsyncStream, Stream


class Texts(Iterator[str]):
    """The pieces of a text. Leaving its ``with`` block, or `close`, stops the model; so does dropping it.

    Args:
        stream: the stream; its request is sent when the first piece is read.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def answer(self) -> Answer:
        """The answer so far."""
        return self._stream.answer

    def __next__(self) -> str:
        for chunk in self._stream:
            if _is_text(chunk):
                return chunk.text
        _check(self.answer)
        raise StopIteration

    def close(self) -> None:
        """Stop here. Closing twice is fine."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncTexts(AsyncIterator[str]):
    """The pieces of a text, for ``async for``; see `Texts`."""

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream

    @property
    def answer(self) -> Answer:
        """The answer so far."""
        return self._stream.answer

    async def __anext__(self) -> str:
        async for chunk in self._stream:
            if _is_text(chunk):
                return chunk.text
        _check(self.answer)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop here. Closing twice is fine."""
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _is_text(chunk: Chunk) -> bool:
    return bool(chunk.text) and chunk.index == 0


def _check(answer: Answer) -> None:
    if answer.refusal and not answer.text:
        raise refused(answer)
