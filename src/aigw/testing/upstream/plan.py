"""Plans: what a `FaultyUpstream` writes to a connection, step by step, and how a fault changes that.

No sockets here.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from http.client import responses
from typing import TYPE_CHECKING

from aigw.testing.faults import Cut, Fault, Hangup, Malformed, Slow, Stall, Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Step = bytes | float | None
"""Bytes to write at once; seconds to wait, infinity until the connection is closed; ``None`` closes the connection."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LAST_FRAME = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Body:
    """An answer, before any fault.

    Args:
        opening: pieces of the body before the first output.
        outputs: pieces that carry output.
        closing: pieces behind the last output.
        chunked: sent in chunked transfer encoding, a chunk for each piece; otherwise with its length.
        status: the HTTP status.
        headers: more headers.
        media_type: the content type.
    """

    opening: tuple[bytes, ...] = ()
    outputs: tuple[bytes, ...] = ()
    closing: tuple[bytes, ...] = ()
    chunked: bool = False
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """All pieces."""
        return self.opening + self.outputs + self.closing

    def split(self, after: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """Cut the pieces behind so many outputs; behind none of them also the opening is in the second part."""
        pieces = self.pieces
        at = len(self.opening) + min(after, len(self.outputs)) if after > 0 else 0
        return pieces[:at], pieces[at:]

    def head(self) -> bytes:
        """Render the status line and the headers."""
        framing = (
            "transfer-encoding: chunked" if self.chunked else f"content-length: {sum(len(p) for p in self.pieces)}"
        )
        lines = [
            f"HTTP/1.1 {self.status} {responses.get(self.status, '')}",
            f"content-type: {self.media_type}",
            framing,
        ]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def frames(self, pieces: Iterable[bytes]) -> list[Step]:
        """Render pieces of the body."""
        return [_frame(piece) for piece in pieces] if self.chunked else list(pieces)

    def end(self) -> list[Step]:
        """Render the end of the body."""
        return [_LAST_FRAME] if self.chunked else []


def dumps(document: object) -> bytes:
    """Render JSON as services do: without spaces, in UTF-8."""
    return _ENCODER.encode(document).encode()


def complete(document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Body:
    """Make the body of an answer that is not streamed; its first half counts as output."""
    data = dumps(document)
    middle = len(data) // 2
    return Body(outputs=(data[:middle],), closing=(data[middle:],), status=status, headers=headers)


def plan(body: Body, fault: Fault | None = None, *, burst: bool = False) -> list[Step]:
    """Tell what to write for an answer with a fault.

    Args:
        body: the answer.
        fault: what goes wrong with it; a `Status` is an answer of its own and changes nothing here.
        burst: write all that can be written at once; otherwise each piece of a chunked body is a write of its own.
    """
    steps = _faulty(body, fault)
    return _joined(steps) if burst or not body.chunked else steps


def _faulty(body: Body, fault: Fault | None) -> list[Step]:
    match fault:
        case Hangup():
            steps: list[Step] = [None]
        case Slow(seconds):
            steps = [seconds, *_whole(body)]
        case Stall(after, seconds):
            before, rest = body.split(after)
            pause = math.inf if seconds is None else seconds
            steps = [body.head(), *body.frames(before), pause, *body.frames(rest), *body.end()]
        case Cut(after_bytes):
            steps = [body.head(), *_first_bytes(body, after_bytes), None]
        case Unfinished(after):
            first = tuple(body.split(after)[0])
            steps = _whole(replace(body, opening=(), outputs=first, closing=(), chunked=True))
        case Malformed(after):
            steps = _whole(_broken(body, after))
        case _:
            steps = _whole(body)
    return steps


def _whole(body: Body) -> list[Step]:
    return [body.head(), *body.frames(body.pieces), *body.end()]


def _first_bytes(body: Body, count: int) -> list[Step]:
    """Render the first bytes of the body; a chunk that is cut promises its full size."""
    steps: list[Step] = []
    for piece in body.pieces:
        framed = _frame(piece) if body.chunked else piece
        if count < len(piece):
            cut = len(framed) - (len(b"\r\n") if body.chunked else 0) - (len(piece) - count)
            return [*steps, framed[:cut]] if count > 0 else steps
        steps.append(framed)
        count -= len(piece)
    return steps


def _broken(body: Body, after: int) -> Body:
    if not body.chunked:
        return replace(body, closing=())
    before, rest = body.split(after)
    event = rest[0]
    return replace(body, opening=(*before, event[: len(event) // 2] + b"\n\n"), outputs=(), closing=tuple(rest[1:]))


def _frame(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _joined(steps: list[Step]) -> list[Step]:
    """Join what is written with no wait between."""
    joined: list[Step] = []
    run: list[bytes] = []
    for step in (*steps, None):
        if isinstance(step, bytes):
            run.append(step)
            continue
        if run:
            joined.append(b"".join(run))
            run = []
        joined.append(step)
    return joined[:-1]
