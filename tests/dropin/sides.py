"""The SDKs' blocking and async clients behind one small interface, so that a test is written once and runs on each."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import anthropic
import openai
from google import genai
from google.genai import types

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aigw import Gateway


class Side:
    """The blocking clients."""

    name = "blocking"

    def openai(self, gateway: Gateway, **options: Any) -> Any:
        """Make a client of OpenAI's SDK."""
        return openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"), **options)

    def anthropic(self, gateway: Gateway, **options: Any) -> Any:
        """Make a client of Anthropic's SDK."""
        return anthropic.Anthropic(api_key="none", http_client=gateway.http_client("anthropic"), **options)

    def gemini(self, gateway: Gateway, **options: Any) -> Any:
        """Make a client of Google's SDK."""
        return genai_client(gateway, **options)

    def wait(self, value: Any) -> Any:
        """Return what a method of a client returned."""
        return value

    def items(self, stream: Any) -> list[Any]:
        """Read a stream to its end."""
        return list(stream)

    def next(self, stream: Any) -> Any:
        """Read one item of a stream."""
        return next(iter(stream))

    def read_into(self, seen: list[Any], stream: Any) -> None:
        """Read a stream until it fails, and keep what came."""
        while True:
            seen.append(self.next(stream))

    def within(self, manager: Any, read: Callable[[Any], Any]) -> Any:
        """Enter a context manager and read what it gives; `read` uses `wait` and `items`."""
        with manager as entered:
            return read(entered)

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function where these clients live."""
        return function()

    def shut_down(self) -> None:
        """Clean up."""


class LoopSide(Side):
    """The async clients; all of them run in one event loop."""

    name = "async"

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def openai(self, gateway: Gateway, **options: Any) -> Any:
        return openai.AsyncOpenAI(api_key="none", http_client=gateway.aio.http_client("openai"), **options)

    def anthropic(self, gateway: Gateway, **options: Any) -> Any:
        return anthropic.AsyncAnthropic(api_key="none", http_client=gateway.aio.http_client("anthropic"), **options)

    def gemini(self, gateway: Gateway, **options: Any) -> Any:
        return genai_client(gateway, **options).aio

    def wait(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return self._run(awaited())

    def items(self, stream: Any) -> list[Any]:
        async def read() -> list[Any]:
            return [item async for item in (await stream if hasattr(stream, "__await__") else stream)]

        return self._run(read())

    def next(self, stream: Any) -> Any:
        async def read() -> Any:
            return await anext(aiter(stream))

        return self._run(read())

    def within(self, manager: Any, read: Callable[[Any], Any]) -> Any:
        entered = self.wait(manager.__aenter__())
        try:
            return read(entered)
        finally:
            self.wait(manager.__aexit__(None, None, None))

    def run(self, function: Callable[[], Any]) -> Any:
        async def called() -> Any:
            return function()

        return self._run(called())

    def shut_down(self) -> None:
        self._runner.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(coroutine, context=copy_context())  # by default all runs have that of the first one


def genai_client(gateway: Gateway, **options: Any) -> genai.Client:
    """Make a client of Google's SDK."""
    clients = {
        "httpx_client": gateway.http_client("gemini"),
        "httpx_async_client": gateway.aio.http_client("gemini"),
    }
    return genai.Client(api_key="none", http_options=types.HttpOptions(**clients, **options))


SIDES: dict[str, type[Side]] = {"blocking": Side, "async": LoopSide}
"""Both, by the names that tests have for them."""
