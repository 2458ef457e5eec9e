"""The faults that a `FaultyUpstream` can be told to have.

``after`` counts pieces of output: words of a text, or pieces of a tool call. The first event of a stream, which tells
only the role, is not counted; with ``after=0`` nothing at all comes behind the head of the answer.
An answer that is not streamed has one piece of output, the first half of its body.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True, slots=True)
class Slow:
    """The first byte comes late; then all is well.

    Args:
        seconds: how late. Infinity is never.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """The answer stands still in the middle.

    Args:
        after: how many pieces of output come first.
        seconds: how long it stands still before it goes on to a proper end; ``None`` until the connection is closed.
    """

    after: int = 2
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is closed in the middle of the body, perhaps in the middle of a character.

    Args:
        after_bytes: how many bytes of the body come first, the framing of chunked transfer encoding not counted. More
            than the body has is all of it; an answer that is not streamed is then complete.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The body ends properly, as far as HTTP can tell, but too early: no finish reason, no ``[DONE]``.

    Args:
        after: how many pieces of output come first.
    """

    after: int = 2


@dataclass(frozen=True, slots=True)
class Malformed:
    """One event of the stream is broken JSON in place of what it should say; the stream goes on behind it.

    Of an answer that is not streamed the JSON breaks off in the middle, with a ``content-length`` that fits.

    Args:
        after: how many pieces of output come first.
    """

    after: int = 1


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error, with a body as OpenAI writes it.

    Args:
        status: the HTTP status.
        retry_after: the header ``Retry-After``: seconds, or a text such as an HTTP date.
        retry_after_ms: the header ``retry-after-ms``, in milliseconds.
        code: ``error.code`` of the body, ``insufficient_quota`` say.
        type: ``error.type``; ``server_error`` or ``invalid_request_error``, after the status, unless given.
        message: ``error.message``.
        body: the whole body, in place of the JSON: what a proxy would write.
    """

    status: int = 500
    _: KW_ONLY
    retry_after: float | str | None = None
    retry_after_ms: float | None = None
    code: str | None = None
    type: str | None = None
    message: str = "told to fail"
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection is closed before any byte of an answer."""


Fault = Slow | Stall | Cut | Unfinished | Malformed | Status | Hangup
"""Any of them."""
