"""AWS's event streams: an incremental parser that takes bytes split anywhere, and the renderer.

The content type is ``application/vnd.amazon.eventstream``. A frame is a prelude (length of the frame, length of its
headers, checksum of these two), headers, a payload, and a checksum of all of it. All numbers are big-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID
from zlib import crc32

from aigw.errors import BadResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_HEADERS: Final = 128 * 1024
"""Bytes that the headers of a frame may have."""

LONGEST_PAYLOAD: Final = 24 * 1024 * 1024
"""Bytes that the payload of a frame may have."""

_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!H")
_INTEGERS: Final = {kind: struct.Struct(form) for kind, form in ((2, "!b"), (3, "!h"), (4, "!i"), (5, "!q"), (8, "!q"))}
_TRUE, _FALSE, _INTEGER, _LONG, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 4, 5, 6, 7, 8, 9
_LEAST: Final = _PRELUDE.size + _CRC.size
_INT32: Final = 2**31


class Timestamp(int):
    """A header that holds a time, in milliseconds since 1970."""

    __slots__ = ()


HeaderValue = bool | int | bytes | str | Timestamp | UUID


class Frame(NamedTuple):
    """One message of an event stream.

    Args:
        headers: its headers; ``:message-type`` and ``:event-type`` say what it is.
        payload: its content.
    """

    headers: Mapping[str, HeaderValue]
    payload: bytes


class EventStream:
    """Cuts a stream of bytes into frames, and checks them."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes; iterate over the frames that they complete.

        Raises:
            BadResponse: by the iterator, at the place where the bytes are no frame. What follows cannot be read.
        """
        self._buffer += data
        return self._frames()

    def finish(self) -> list[Frame]:
        """Tell that the body is over. Nothing is left: a frame tells where it ends.

        Raises:
            BadResponse: the body ended within a frame.
        """
        if self.pending:
            raise BadResponse("the event stream is damaged: it ends within a frame")
        return []

    def _frames(self) -> Iterator[Frame]:
        start = 0
        try:
            while len(self._buffer) - start >= _PRELUDE.size:
                length, headers_length = self._prelude(start)
                if len(self._buffer) - start < length:
                    return
                frame = bytes(self._buffer[start : start + length])
                start += length
                yield _frame(frame, headers_length)
        finally:
            del self._buffer[:start]

    def _prelude(self, start: int) -> tuple[int, int]:
        prelude = bytes(self._buffer[start : start + _PRELUDE.size])
        length, headers_length, checksum = _PRELUDE.unpack(prelude)
        if crc32(prelude[: -_CRC.size]) != checksum:
            raise BadResponse("the event stream is damaged: the checksum of a frame's beginning is wrong")
        payload_length = length - headers_length - _LEAST
        if headers_length > LONGEST_HEADERS or not 0 <= payload_length <= LONGEST_PAYLOAD:
            raise BadResponse("the event stream is damaged: a frame has an impossible length")
        return length, headers_length


def _frame(frame: bytes, headers_length: int) -> Frame:
    (checksum,) = _CRC.unpack_from(frame, len(frame) - _CRC.size)
    if crc32(frame[: -_CRC.size]) != checksum:
        raise BadResponse("the event stream is damaged: the checksum of a frame is wrong")
    end = _PRELUDE.size + headers_length
    try:
        headers = dict(_headers(frame, end))
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise BadResponse("the event stream is damaged: the headers of a frame make no sense") from error
    return Frame(headers, frame[end : -_CRC.size])


def _headers(frame: bytes, end: int) -> Iterator[tuple[str, HeaderValue]]:
    at = _PRELUDE.size
    while at < end:
        name_end = at + 1 + frame[at]
        name = frame[at + 1 : name_end].decode()
        value, at = _value(frame, frame[name_end], name_end + 1)
        if at > end:
            raise ValueError("a header goes on after the end of the headers")
        yield name, value


def _value(frame: bytes, kind: int, at: int) -> tuple[HeaderValue, int]:
    """Read the value of a header; return it and where it ends."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind in (_BYTES, _STRING):
        start = at + _LENGTH.size
        end = start + _LENGTH.unpack_from(frame, at)[0]
        return frame[start:end] if kind == _BYTES else frame[start:end].decode(), end
    if kind == _UUID:
        return UUID(bytes=frame[at : at + 16]), at + 16
    number: int = _INTEGERS[kind].unpack_from(frame, at)[0]
    return Timestamp(number) if kind == _TIMESTAMP else number, at + _INTEGERS[kind].size


def render_frame(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """Render one frame. An integer goes out in 32 bits where it fits, else in 64.

    Raises:
        ValueError: a header or the payload is too long.
    """
    rendered = b"".join([_render_header(name, value) for name, value in headers.items()])
    if len(rendered) > LONGEST_HEADERS or len(payload) > LONGEST_PAYLOAD:
        raise ValueError("the headers or the payload are too long for a frame")
    lengths = struct.pack("!II", _LEAST + len(rendered) + len(payload), len(rendered))
    frame = b"".join((lengths, _CRC.pack(crc32(lengths)), rendered, payload))
    return frame + _CRC.pack(crc32(frame))


def _render_header(name: str, value: HeaderValue) -> bytes:
    encoded = name.encode()
    try:
        return bytes((len(encoded),)) + encoded + _render_value(value)
    except (struct.error, ValueError) as error:
        raise ValueError(f"the header {name[:40]!r} does not fit into a frame") from error


def _render_value(value: HeaderValue) -> bytes:
    if isinstance(value, bool):
        return bytes((_TRUE if value else _FALSE,))
    if isinstance(value, int):
        fits = -_INT32 <= value < _INT32
        kind = _TIMESTAMP if isinstance(value, Timestamp) else _INTEGER if fits else _LONG
        return bytes((kind,)) + _INTEGERS[kind].pack(value)
    if isinstance(value, UUID):
        return bytes((_UUID,)) + value.bytes
    kind, raw = (_STRING, value.encode()) if isinstance(value, str) else (_BYTES, value)
    return bytes((kind,)) + _LENGTH.pack(len(raw)) + raw
