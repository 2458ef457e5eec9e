"""A transport without sockets: it answers as its script says, on the clock of the test."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from aigw.errors import TimedOut
from aigw.providers.service import Settings
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.runtime import BlockingRuntime, LoopRuntime
from aigw.testing import FakeClock, make_call

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from aigw.call import Call
    from aigw.ports import HttpRequest
    from aigw.providers.http import HttpProvider


def connect(name: str, model: str = "m", **settings: Any) -> HttpProvider:
    """Make the provider of a target: one of the table by its name, or any server by the name of its wire format."""
    service = SERVICES[name] if name in SERVICES else COMPATIBLE[name]
    return service.connect(Settings(**settings), model)


class FakeResponse:
    """An answer: pieces of a body, seconds that pass before the next piece, errors to raise.

    Args:
        steps: bytes, seconds, errors.
        status: the HTTP status.
        headers: headers, in lower case.
    """

    def __init__(self, *steps: bytes | float | Exception, status: int = 200, headers: Mapping[str, str] | None = None):
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self.timeouts: list[float | None] = []
        """The limits of its reads, in order."""
        self.closed = 0
        self.clock = FakeClock()
        self._steps = list(steps)

    async def read(self, timeout: float | None) -> bytes:
        self.timeouts.append(timeout)
        return await self._next(timeout)

    async def read_all(self, timeout: float | None) -> bytes:
        self.timeouts.append(timeout)
        body = b""
        while piece := await self._next(timeout):
            body += piece
        return body

    async def close(self) -> None:
        self.closed += 1

    @property
    def is_read(self) -> bool:
        """Whether nothing of it is left."""
        return not self._steps

    async def _next(self, timeout: float | None) -> bytes:
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, bytes):
                return step
            if isinstance(step, Exception):
                raise step
            pass_time(self.clock, step, timeout)
        return b""


def pass_time(clock: FakeClock, seconds: float, timeout: float | None) -> None:
    """Let time pass, up to a limit."""
    if timeout is not None and seconds > timeout:
        clock.advance(max(timeout, 0.0))
        raise TimedOut("the transport waited long enough")
    clock.advance(seconds)


class FakeTransport:
    """Gives scripted answers, and keeps what it was sent.

    Args:
        answers: a response, an error, or seconds and one of these, for each request.
    """

    def __init__(self, *answers: Any) -> None:
        self.requests: list[HttpRequest] = []
        self.bodies: list[Any] = []
        self.limits: list[tuple[float | None, float | None]] = []
        """``connect`` and ``timeout`` of each request."""
        self.clock = FakeClock()
        self._answers = list(answers)

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> FakeResponse:
        self.requests.append(request)
        self.bodies.append(json.loads(body))
        self.limits.append((connect, timeout))
        answer = self._answers.pop(0)
        if isinstance(answer, tuple):
            seconds, answer = answer
            pass_time(self.clock, seconds, timeout)
        if isinstance(answer, Exception):
            raise answer
        answer.clock = self.clock
        return answer

    async def close(self) -> None:
        pass

    def header(self, name: str, request: int = -1) -> list[str]:
        """Return the values of a header of a request."""
        return [value for known, value in self.requests[request].headers if known.lower() == name]

    def call(self, text: str = "hi", *, loop: asyncio.AbstractEventLoop | None = None, **fields: Any) -> Call:
        """Make a call that is sent through it."""
        rng = random.Random(0)
        runtime = (
            BlockingRuntime(self.clock, rng, lambda: self)
            if loop is None
            else LoopRuntime(loop, self.clock, rng, lambda: self)
        )
        return make_call(text, runtime=runtime, clock=self.clock, **fields)


def answer(text: str = "hello", **fields: Any) -> bytes:
    """Render a whole answer."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json.dumps({"id": "a-1", "model": "m-1", "choices": [choice], "usage": usage, **fields}).encode()


def event(text: str | None = None, **fields: Any) -> bytes:
    """Render an event of a stream."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": None, **fields}
    return b"data: " + json.dumps({"id": "a-1", "choices": [choice]}).encode() + b"\n\n"


STOP = event(finish_reason="stop")
DONE = b"data: [DONE]\n\n"


def events(texts: Iterable[str]) -> list[bytes]:
    """Render a stream, an event for each text, with its proper end."""
    return [*[event(text) for text in texts], STOP, DONE]


def error_body(message: str = "it failed", **fields: Any) -> bytes:
    """Render an error as OpenAI writes it."""
    return json.dumps({"error": {"message": message, **fields}}).encode()
