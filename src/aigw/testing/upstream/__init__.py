"""`FaultyUpstream`: a real HTTP server on loopback that speaks OpenAI's API, and misbehaves when it is told to.

``python -m aigw.testing.upstream`` runs it as a process of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from aigw.testing.faults import Fault, Status
from aigw.testing.upstream import answers
from aigw.testing.upstream.connection import Connection, Request
from aigw.testing.upstream.plan import Body, Step, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["FaultyUpstream", "Request"]

DEFAULT_ANSWER = "The sky is blue because air scatters blue light the most."
_HOST = "127.0.0.1"


class FaultyUpstream:
    """A server that answers ``/v1/chat/completions``, ``/v1/embeddings`` and ``/v1/models`` on a port of 127.0.0.1.

    ::

        with FaultyUpstream() as upstream:
            upstream.next(Status(429, retry_after=7), Stall(after=2))
            target = Target(upstream.url, model="test-model")

    It runs on an event loop in a thread of its own, so blocking and asynchronous tests may use it alike. What it says
    and how it fails may be changed while it runs. Closed and started again it keeps its port.

    Args:
        answer: what the model says: a text, or a function of the request (called on the server's thread). Streams give
            it word by word. Where it is empty there is no text at all.
        tool_calls: tool calls behind the text, as OpenAI writes them in a message: ``{"id": …, "type": "function",
            "function": {"name": …, "arguments": …}}``.
        models: what ``/v1/models`` lists. Any model is answered for.
        burst: write a stream in one piece rather than chunk by chunk.
        port: where to listen; 0 takes a free port.
        record: keep the requests in `requests`.
    """

    def __init__(
        self,
        answer: str | Callable[[Request], str] = DEFAULT_ANSWER,
        *,
        tool_calls: Sequence[Mapping[str, Any]] = (),
        models: Sequence[str] = ("test-model",),
        burst: bool = False,
        port: int = 0,
        record: bool = True,
    ) -> None:
        self.answer = answer
        self.tool_calls = tool_calls
        self.models = models
        self.burst = burst
        self.record = record
        self.requests: list[Request] = []
        """The requests that came, in order."""
        self.accepted = 0
        """How many connections were opened to it."""
        self._port = port
        self._count = 0
        self._faults: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._open: set[Connection] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """The base URL, with ``/v1``.

        Raises:
            RuntimeError: it was never started, so it has no port.
        """
        if not self._port:
            raise RuntimeError("this FaultyUpstream has no port yet: use it in a with statement, or call start()")
        return f"http://{_HOST}:{self._port}/v1"

    @property
    def connections(self) -> int:
        """How many connections are open just now."""
        return len(self._open)

    def next(self, *faults: Fault | None) -> None:
        """Have the coming requests fail, each with one of the faults, in this order; ``None`` is no fault.

        Faults that still wait for their request stay before these.
        """
        for fault in faults:
            _check(fault)
        with self._changed:
            self._faults.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Have every request fail for which `next` says nothing, until told otherwise; ``None`` is no fault."""
        _check(fault)
        self._always = fault

    def wait_until(self, predicate: Callable[[], object], timeout: float = 5.0) -> None:
        """Block until `predicate` holds; it is asked at every change: a connection, a request.

        ``upstream.wait_until(lambda: upstream.connections == 0)``. In a coroutine, hand it to `asyncio.to_thread`.

        Raises:
            TimeoutError: it did not come true within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise TimeoutError(
                    f"not within {timeout:g} s; now {self.connections} connections are open, {self.accepted} were "
                    f"opened, {self._count} requests came"
                )

    def start(self) -> Self:
        """Listen.

        Raises:
            OSError: the port is taken.
            RuntimeError: it listens already.
        """
        if self._thread is not None:
            raise RuntimeError("this FaultyUpstream was started already")
        ready: Future[int] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="faulty-upstream", daemon=True)
        thread.start()
        try:
            self._port = ready.result()
        except OSError:
            thread.join()
            raise
        self._thread = thread
        return self

    def close(self) -> None:
        """Cut every connection and stop listening. Closing twice is fine."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def _serve(self, ready: Future[int]) -> None:
        self._loop, self._stop = loop, stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await loop.create_server(self._connection, _HOST, self._port, backlog=512)
        except OSError as error:
            ready.set_exception(error)
            return
        ready.set_result(server.sockets[0].getsockname()[1])
        await stop.wait()
        # A connection that was accepted just now is a task of the loop until it stands. It would be lost, and its
        # socket left open, if the server were closed before that.
        while accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*accepting, return_exceptions=True)
        server.close()
        for connection in self._open:
            connection.abort()
        await asyncio.sleep(0)  # a connection hears of its end in the next turn of the loop

    def _connection(self) -> Connection:
        return Connection(self._respond, self._opened, self._closed)

    def _opened(self, connection: Connection) -> None:
        with self._changed:
            self._open.add(connection)
            self.accepted += 1
            self._changed.notify_all()

    def _closed(self, connection: Connection) -> None:
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def _respond(self, request: Request) -> list[Step]:
        with self._changed:
            self._count += 1
            number = self._count
            if self.record:
                self.requests.append(request)
            fault = self._faults.popleft() if self._faults else self._always
            self._changed.notify_all()
        body = answers.error(fault) if isinstance(fault, Status) else self._body(request, number)
        body = replace(body, headers=(*body.headers, ("x-request-id", f"req-{number}")))
        return plan(body, fault, burst=self.burst)

    def _body(self, request: Request, number: int) -> Body:
        match request.method, request.path.partition("?")[0]:
            case "GET", "/v1/models":
                return answers.models(self.models)
            case "POST", "/v1/chat/completions" | "/v1/embeddings" if not isinstance(request.json, dict):
                return answers.error(Status(400, message="the body is not a JSON object"))
            case "POST", "/v1/embeddings":
                return answers.embeddings(request.json)
            case "POST", "/v1/chat/completions":
                text = self.answer if isinstance(self.answer, str) else self.answer(request)
                return answers.chat(request.json, answers.Content(text, self.tool_calls), number)
            case _:
                return answers.error(Status(404, code="not_found", message="there is nothing at this path"))


def _check(fault: object) -> None:
    if isinstance(fault, type) and issubclass(fault, Fault):
        raise TypeError(f"{fault.__name__} is a class; write {fault.__name__}(…)")
    if not isinstance(fault, Fault | None):
        raise TypeError(f"{fault!r} is no fault; aigw.testing.faults has them")
