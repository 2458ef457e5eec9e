"""What an SDK asks and gets, free of any HTTP library, and what an API is: endpoints, and a shape for errors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aigw.call import Call
from aigw.chunk import Chunk
from aigw.dropin.failure import Failure, Rejected

JSON_TYPE = ("content-type", "application/json")
EVENTS_TYPE = ("content-type", "text/event-stream; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of an SDK.

    Args:
        method: the HTTP method.
        path: path of the URL, decoded.
        query: query of the URL, as it came.
        headers: headers, their names in lower case.
        body: the body, as it came.
        read_timeout: seconds that the client waits for each piece of the answer; ``None`` for no limit.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    read_timeout: float | None = None

    def json(self) -> Any:
        """Decode the body.

        Raises:
            Rejected: it is not JSON.
        """
        from pydantic_core import from_json

        try:
            return from_json(self.body)
        except ValueError:
            raise Rejected(Failure(400, "invalid_request", "the body is not valid JSON")) from None


class Output(Protocol):
    """The body of an answer that comes piece by piece."""

    async def read(self) -> bytes:
        """Return the next piece, ``b""`` at the end."""
        ...

    def close(self) -> Coroutine[Any, Any, None]:
        """Stop here, and let go of everything. Closing twice is fine."""
        ...


@dataclass(slots=True)
class Answered:
    """The answer to an SDK.

    Args:
        status: the HTTP status.
        headers: names and values.
        body: all of it, or what comes piece by piece.
        extensions: what whoever looks at the HTTP response finds in its ``extensions``.
    """

    status: int
    headers: dict[str, str]
    body: bytes | Output
    extensions: dict[str, Any] = field(default_factory=dict)


class Renderer(Protocol):
    """Writes a streamed answer."""

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; may be empty."""
        ...

    def finish(self) -> bytes:
        """Render the proper end."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request to an operation that goes through the gateway, not yet read.

    Args:
        model: the model that it names.
        bind: makes what reads and answers it. It is told the provider of the route, if there is a single one, whose
            signatures of reasoning stand in the request and in the answer.
    """

    model: str
    bind: Callable[[str | None], Format]


@dataclass(frozen=True, slots=True)
class Format:
    """How one request is read, and how its answer is written.

    Args:
        parse: makes the call.
        whole: makes the JSON of a whole answer, of its chunks, the call and the time.
        renderer: makes a renderer of a streamed answer, of its first chunk, the call and the time; ``None`` where there
            are no streams.
        event: makes the event that tells of a failure after the first byte; it is told how many events came before.
    """

    parse: Callable[[], Call]
    whole: Callable[[Sequence[Chunk], Call, int], Any]
    renderer: Callable[[Chunk, Call, int], Renderer] | None = None
    event: Callable[[Failure, int], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A request that the gateway answers by itself.

    Args:
        tell: makes the JSON of the answer, of the names of the routes; ``None`` if there is no such thing.
        headers: headers to add.
    """

    tell: Callable[[Sequence[str]], Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Api:
    """The API that an SDK speaks.

    Args:
        name: ``openai``, ``anthropic`` or ``gemini``.
        find: finds what a request asks for; ``None`` if the gateway does not know it.
        error: makes the JSON of an error; it is told the id of the request.
        id_header: where its SDK looks for the id of a request.
        statuses: statuses that it has besides those of HTTP.
    """

    name: str
    find: Callable[[Asked], Endpoint | Known | None]
    error: Callable[[Failure, str], Mapping[str, Any]]
    id_header: str
    statuses: frozenset[int] = frozenset()


def model_in(body: Any) -> str:
    """Return the model that a request names; empty where it names none."""
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else ""


def own_id(prefix: str, call: Call) -> str:
    """Make an id of an answer that has none."""
    return prefix + call.id.removeprefix("call_")


def encoded(body: Any) -> bytes:
    """Write JSON; a number that JSON does not have becomes ``null``."""
    from pydantic_core import to_json

    return to_json(body)
