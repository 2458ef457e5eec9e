"""`Format`: one wire format as one provider uses it, for one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aigw.call import Call, Operation
from aigw.chunk import Chunk
from aigw.errors import ProviderError
from aigw.providers.auth import BEARER, Headers, KeyHeader


class StreamParser(Protocol):
    """Turns the bytes of a streamed answer into chunks."""

    @property
    def ended(self) -> bool:
        """Whether the format's own end has come."""
        ...

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes."""
        ...

    def finish(self) -> list[Chunk]:
        """Take the end of the body; raises BadResponse if the stream had not ended properly."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """How one operation is written on the wire at one provider.

    Args:
        wire: name of the wire format.
        path: makes what follows the base URL, of the model and whether it is streamed.
        render: makes the body of a request, of the call, the model, and ``strict`` of `Losses`.
        parse: reads the body of a complete answer.
        classify: makes an error of status, headers and body.
        parser: makes a parser for a streamed answer; ``None`` where the operation has no streams.
        headers: headers that every request of this format has.
        key_header: where this format has its key.
    """

    wire: str
    path: Callable[[str, bool], str]
    render: Callable[[Call, str, bool | None], dict[str, Any]]
    parse: Callable[[Any], list[Chunk]]
    classify: Callable[..., ProviderError]
    parser: Callable[[], StreamParser] | None = None
    headers: Headers = ()
    key_header: KeyHeader = BEARER


Formats = Callable[[Operation], Format | None]
"""Makes the format of an operation, ``None`` where the provider does not have it. Nothing is loaded before."""
