"""Server-sent events: an incremental parser that takes bytes split anywhere, and the renderer.

Data stays bytes, so that JSON is parsed straight from them. The fields ``id`` and ``retry`` are read over: they serve
reconnecting, and an answer of a model cannot be taken up again in its middle.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DONE: Final = b"[DONE]"
"""The data of the last event of OpenAI's streams, and of many others."""

_BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event.

    Args:
        data: its data; the lines of several ``data`` fields are joined with LF.
        event: its name; ``None`` where the stream gives none.
    """

    data: bytes
    event: str | None = None


class EventStream:
    """Cuts a stream of bytes into events.

    Lines may end with LF, CR or CRLF. Comments, unknown fields, a byte order mark and events without data are dropped.
    """

    __slots__ = ("_after_cr", "_at_start", "_pending")

    def __init__(self) -> None:
        self._pending: list[bytes] = []  # the pieces of an event whose end has not come, with LF as the only line end
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, return the events that they complete."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._at_start:
            data = self._skip_bom(data)
        if self._pending:
            if b"\n\n" not in data and not (data.startswith(b"\n") and self._pending[-1].endswith(b"\n")):
                # Joining only when an event is complete keeps the work linear for an event that comes in many pieces.
                if data:
                    self._pending.append(data)
                return []
            data = b"".join((*self._pending, data))
        *blocks, rest = data.split(b"\n\n")
        self._pending = [rest] if rest else []
        return _events(blocks)

    def finish(self) -> list[Event]:
        """Tell that the body is over; return the event that lacks nothing but its blank line, if there is one.

        Whether that event was cut short cannot be seen here: its reader has to notice.
        """
        block = b"".join(self._pending)
        self._pending = []
        return _events([block])

    def _skip_bom(self, data: bytes) -> bytes:
        start = b"".join((*self._pending, data))
        self._pending = []
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._pending = [start]
            return b""
        self._at_start = False
        return start.removeprefix(_BOM)


def _events(blocks: list[bytes]) -> list[Event]:
    events = []
    for block in blocks:
        if block.startswith(b"data: ") and b"\n" not in block:
            events.append(Event(block[6:], None))
        elif (event := _read_block(block)) is not None:
            events.append(event)
    return events


def _read_block(block: bytes) -> Event | None:
    name: str | None = None
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ").decode(errors="replace") or None
    return Event(b"\n".join(data), name) if data else None


def render_event(data: bytes, event: str | None = None) -> bytes:
    """Render one event. Line ends within the data are read back as LF.

    Raises:
        ValueError: the name of the event holds a line end.
    """
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
    if not event:
        return b"data: %b\n\n" % data
    if "\n" in event or "\r" in event:
        raise ValueError("the name of an event must be one line")
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
