"""One small blocking interface to both faces of a gateway, so that a test is written once and runs on each."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, Self

from aigw import AsyncGateway, Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aigw.answer import Answer, Embeddings
    from aigw.chunk import Chunk
    from aigw.testing import FaultyUpstream
    from aigw.trace import CallTrace

ASYNC_NAMES = {"__next__": "__anext__", "__enter__": "__aenter__", "__exit__": "__aexit__"}


class Face:
    """The blocking face, and what both have in common.

    Args:
        routes: the gateway's routes.
        policies: its policies.
        options: its other arguments.
    """

    blocking = True

    def __init__(self, routes: Any = None, policies: Any = (), **options: Any) -> None:
        self.gateway: Any = self._make(routes, policies, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_down()

    def chat(self, prompt: Any = "hello", **options: Any) -> Answer:
        """Ask, and wait for the whole answer."""
        return self.call(self.gateway, "chat", prompt, **options)

    def embed(self, inputs: Any, **options: Any) -> Embeddings:
        """Turn texts into vectors."""
        return self.call(self.gateway, "embed", inputs, **options)

    def stream(self, prompt: Any = "hello", **options: Any) -> Reading:
        """Ask; what comes back reads the stream."""
        return Reading(self, self.gateway.stream(prompt, **options))

    def read(self, prompt: Any = "hello", **options: Any) -> str:
        """Ask, read the stream to its end, and return its text."""
        reading = self.stream(prompt, **options)
        reading.rest()
        return reading.text

    def explain(self, prompt: Any = "hello", **options: Any) -> Any:
        """Ask what would happen."""
        return self.gateway.explain(prompt, **options)

    def close(self) -> None:
        """Close the gateway, which may still be used."""
        self.call(self.gateway, "close")

    def shut_down(self) -> None:
        """Close the gateway for good."""
        self.close()

    def wait_until(self, upstream: FaultyUpstream, predicate: Callable[[], object]) -> None:
        """Wait for something that an upstream sees."""
        upstream.wait_until(predicate)

    def call(self, thing: Any, name: str, *args: Any, **options: Any) -> Any:
        """Call a method and wait for what it returns."""
        return getattr(thing, name)(*args, **options)

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function where this face lives: in its loop, if it has one."""
        return function()

    def _make(self, *args: Any, **options: Any) -> Any:
        return Gateway(*args, **options)


class LoopFace(Face):
    """The async face; all of it runs in one event loop, so connections live from call to call."""

    blocking = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        super().__init__(*args, **options)

    def shut_down(self) -> None:
        """Close the gateway and the loop."""
        super().shut_down()
        self._runner.close()

    def wait_until(self, upstream: FaultyUpstream, predicate: Callable[[], object]) -> None:
        """Wait while the loop goes on."""
        self.wait(asyncio.to_thread(upstream.wait_until, predicate))

    def call(self, thing: Any, name: str, *args: Any, **options: Any) -> Any:
        """Call a method and await what it returns."""

        async def awaited() -> Any:
            return await getattr(thing, ASYNC_NAMES.get(name, name))(*args, **options)

        return self.wait(awaited())

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function in the loop."""

        async def called() -> Any:
            return function()

        return self.wait(called())

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the loop of this face."""
        return self._runner.run(coroutine)

    def _make(self, *args: Any, **options: Any) -> Any:
        return AsyncGateway(*args, **options)


class Reading:
    """A stream that is read step by step.

    Args:
        face: the face that it belongs to.
        stream: its `Stream` or `AsyncStream`.
    """

    def __init__(self, face: Face, stream: Any) -> None:
        self._face = face
        self.stream: Any = stream
        self.chunks: list[Chunk] = []
        """What came so far."""

    def __enter__(self) -> Self:
        self._face.call(self.stream, "__enter__")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._face.call(self.stream, "__exit__", *exc_info)

    def next(self) -> Chunk | None:
        """Read a chunk; ``None`` at the end."""
        try:
            chunk: Chunk = self._face.call(self.stream, "__next__")
        except (StopIteration, StopAsyncIteration):
            return None
        self.chunks.append(chunk)
        return chunk

    def take(self, count: int) -> str:
        """Read until so many chunks with text have come; return their text."""
        texts: list[str] = []
        while len(texts) < count:
            chunk = self.next()
            assert chunk is not None
            if chunk.text:
                texts.append(chunk.text)
        return "".join(texts)

    def rest(self) -> list[Chunk]:
        """Read to the end; return all chunks, also those that were read before."""
        while self.next() is not None:
            pass
        return self.chunks

    def close(self) -> None:
        """Close the stream."""
        self._face.call(self.stream, "close")

    def drop(self, *, collect: bool = True) -> None:
        """Forget the stream without closing it.

        Args:
            collect: run the garbage collector.
        """

        def forget() -> None:
            self.stream = None
            if collect:
                gc.collect()

        self._face.run(forget)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join([chunk.text for chunk in self.chunks])

    @property
    def answer(self) -> Answer:
        """The answer so far, as the stream tells it."""
        answer: Answer = self.stream.answer
        return answer

    @property
    def trace(self) -> CallTrace:
        """The trace so far."""
        trace: CallTrace = self.stream.trace
        return trace


FACES: dict[str, type[Face]] = {"blocking": Face, "async": LoopFace}
"""Both, by the names that tests have for them."""
