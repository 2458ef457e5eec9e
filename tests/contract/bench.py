"""Asks an endpoint through a real gateway, with a server behind it that answers as its format's oracle writes.

Every request that goes out on the way is judged by the oracle, whatever a test looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aigw import Answer, Target
from aigw.errors import AigwError
from aigw.testing import FakeClock
from contract.endpoints import Endpoint
from contract.said import Failure, Request, Said
from gateway.faces import FACES
from providers.fake_http import FakeResponse, FakeTransport

Reply = Said | Failure | FakeResponse | Exception | Sequence[bytes]
"""What a server does: gives an answer, says no, or something of the test's own; bytes are a body under status 200."""


@dataclass
class Asked:
    """A call that is over.

    Args:
        endpoint: who was asked.
        transport: what went out.
        answer: what came; of a call that failed, nothing.
        error: how it failed.
        chunks: what a stream gave.
    """

    endpoint: Endpoint
    transport: FakeTransport
    answer: Answer = field(default_factory=Answer)
    error: AigwError | None = None
    chunks: tuple[Any, ...] = ()

    @property
    def body(self) -> Any:
        """The body of the last request."""
        return self.transport.bodies[-1]

    @property
    def request(self) -> Request:
        """What the last request said."""
        return self.endpoint.oracle.read(self.body, self.endpoint.provider)

    @property
    def trace(self) -> Any:
        """What happened."""
        return self.answer.trace if self.error is None else self.error.trace

    @property
    def notes(self) -> list[tuple[str, str]]:
        """What the format noted: what was left out, emulated or changed, and of what."""
        return [(note.action, note.reason) for note in self.trace.decisions if note.by == self.endpoint.wire]


@cache
def written(wire_of: Endpoint, said: Said, streamed: bool) -> tuple[bytes, ...]:  # noqa: FBT001  (a key)
    """Have an answer written, once."""
    oracle, provider = wire_of.oracle, wire_of.provider
    return tuple(oracle.events(said, provider)) if streamed else (oracle.whole(said, provider),)


@cache
def usual(endpoint: Endpoint) -> Target:
    """Make the usual target of an endpoint, once."""
    return endpoint.target()


def response(endpoint: Endpoint, reply: Reply, *, streamed: bool) -> FakeResponse | Exception:
    """Make the response of a reply."""
    if isinstance(reply, (FakeResponse, Exception)):
        return reply
    if isinstance(reply, Failure):
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if streamed and reply.status == 200:
            headers["content-type"] = endpoint.oracle.STREAM_TYPE
            return FakeResponse(endpoint.oracle.as_event(reply.content), headers=headers)
        return FakeResponse(reply.content, status=reply.status, headers=headers)
    pieces = written(endpoint, reply, streamed) if isinstance(reply, Said) else reply
    kind = endpoint.oracle.STREAM_TYPE if streamed else "application/json"
    return FakeResponse(*pieces, headers={"content-type": kind})


def connected(face: str, target: Any, transport: FakeTransport) -> Any:
    """Make a gateway of a face whose requests go to a transport of the test's own."""
    made = FACES[face]({"r": target}, clock=FakeClock())
    runtimes = made.gateway._engine.runtimes
    runtimes.blocking._make_transport = lambda: transport
    runtimes._make_transport = lambda: transport
    return made


def ask(
    endpoint: Endpoint,
    *replies: Reply,
    prompt: Any = "hi",
    streamed: bool = False,
    face: str = "blocking",
    target: Target | None = None,
    judged: bool = True,
    **options: Any,
) -> Asked:
    """Ask, and read the answer to its end.

    Args:
        endpoint: whom.
        replies: what the server does, for each request.
        prompt: what is asked.
        streamed: read it as a stream.
        face: ``blocking`` or ``async``.
        target: replaces the endpoint's own target.
        judged: the requests must be good.
        options: of the call.
    """
    transport = FakeTransport(*[response(endpoint, reply, streamed=streamed) for reply in replies or (Said(),)])
    asked = Asked(endpoint, transport)
    with connected(face, target or usual(endpoint), transport) as gateway:
        try:
            if streamed:
                with gateway.stream(prompt, **options) as reading:
                    asked.chunks = tuple(reading.rest())
                    asked.answer = reading.answer
            else:
                asked.answer = gateway.chat(prompt, **options)
        except AigwError as error:
            asked.error = error
    for body in transport.bodies if judged else ():
        endpoint.oracle.check(body, endpoint.provider, streamed=streamed)
    return asked


def answered(endpoint: Endpoint, *replies: Reply, **options: Any) -> Asked:
    """Ask, and get an answer; see `ask`."""
    asked = ask(endpoint, *replies, **options)
    if asked.error is not None:
        raise asked.error
    return asked


def failed(endpoint: Endpoint, *replies: Reply, **options: Any) -> Any:
    """Ask, and get an error; see `ask`."""
    asked = ask(endpoint, *replies, **options)
    assert asked.error is not None, "it should have failed"
    return asked.error
