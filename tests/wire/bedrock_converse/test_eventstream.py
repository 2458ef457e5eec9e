"""The framing of event streams, against an encoder of the tests' own and botocore's decoder."""

from __future__ import annotations

from binascii import crc32
from uuid import UUID

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import BadResponse
from aigw.wire.bedrock_converse.eventstream import EventStream, Frame, Timestamp, render_frame
from strategies import splits
from wire.bedrock_converse.encoder import frame, header, text

values = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=9)
    | st.text(max_size=9)
    | st.uuids()
    | st.integers(-(2**63), 2**63 - 1).map(Timestamp)
)
frames = st.builds(Frame, st.dictionaries(st.text(max_size=5), values, max_size=4), st.binary(max_size=40))


def read(*pieces: bytes) -> list[Frame]:
    """Read all frames of a stream that comes in these pieces."""
    stream = EventStream()
    return [frame for piece in pieces for frame in stream.feed(piece)]


@given(st.data())
def test_frames_survive_any_split(data: st.DataObject) -> None:
    """What was rendered is read again, wherever the bytes are cut; values keep their types."""
    written = data.draw(st.lists(frames, max_size=3))
    body = b"".join(render_frame(*one) for one in written)
    again = read(*data.draw(splits(body)))

    assert again == written
    assert [[type(value) for value in one.headers.values()] for one in again] == [
        [type(value) for value in one.headers.values()] for one in written
    ]


@given(frames)
def test_botocore_reads_what_we_write(one: Frame) -> None:
    """Botocore's own decoder finds the same headers and payload."""
    buffer = EventStreamBuffer()
    buffer.add_data(render_frame(*one))
    (message,) = list(buffer)
    plain = {name: value.bytes if isinstance(value, UUID) else value for name, value in one.headers.items()}

    assert message.headers == plain
    assert message.payload == one.payload


def test_every_type_of_header_is_read() -> None:
    """All ten types of the specification, from an encoder that is not ours."""
    headers = b"".join(
        [
            header("yes", 0, b""),
            header("no", 1, b""),
            header("byte", 2, b"\xff"),
            header("short", 3, b"\xff\xfe"),
            header("int", 4, b"\x00\x00\x00\x07"),
            header("long", 5, b"\x00" * 7 + b"\x08"),
            header("bytes", 6, b"\x00\x02ab"),
            text("text", "ä"),
            header("time", 8, b"\x00" * 6 + b"\x03\xe8"),
            header("uuid", 9, bytes(range(16))),
        ]
    )

    assert read(frame(headers, b"{}")) == [
        Frame(
            {
                "yes": True,
                "no": False,
                "byte": -1,
                "short": -2,
                "int": 7,
                "long": 8,
                "bytes": b"ab",
                "text": "ä",
                "time": Timestamp(1000),
                "uuid": UUID(bytes=bytes(range(16))),
            },
            b"{}",
        )
    ]


GOOD = frame(text(":event-type", "a"), b"{}")


def broken(at: int) -> bytes:
    """The good frame with one byte changed."""
    return GOOD[:at] + bytes((GOOD[at] ^ 1,)) + GOOD[at + 1 :]


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_no_changed_byte_goes_unnoticed(at: int) -> None:
    """Every bit counts in one of the checksums. The frames before it are handed out first."""
    stream = EventStream()
    found = stream.feed(GOOD + broken(at) + GOOD)

    assert next(found).payload == b"{}"
    with pytest.raises(BadResponse, match="the event stream is damaged: the checksum"):
        next(found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"<html>this is no event stream</html>", "checksum", id="something else"),
        pytest.param(frame(header("n", 10, b""), b""), "headers", id="unknown type"),
        pytest.param(frame(b"\x09n", b""), "headers", id="cut within a name"),
        pytest.param(frame(header("n", 7, b"\x00\xffab"), b""), "headers", id="cut within a text"),
        pytest.param(frame(header("n", 7, b"\x00\x02\xff\xfe"), b""), "headers", id="no UTF-8"),
        pytest.param(frame(header("n", 4, b"\x00"), b""), "headers", id="cut within a number"),
        pytest.param(frame(header("n", 9, b"\x00"), b""), "headers", id="cut within a UUID"),
    ],
)
def test_what_is_no_frame_is_a_bad_response(body: bytes, message: str) -> None:
    """Wrong bytes are told from right ones, and not quoted."""
    with pytest.raises(BadResponse, match=f"^the event stream is damaged: .*{message}"):
        read(body)


@pytest.mark.parametrize(("length", "headers"), [(15, 0), (16, 1), (30 * 1024 * 1024, 0), (400_000, 200_000)])
def test_impossible_lengths_are_not_waited_for(length: int, headers: int) -> None:
    """A length that no frame has is noticed at once, with a right checksum too."""
    prelude = length.to_bytes(4, "big") + headers.to_bytes(4, "big")
    with pytest.raises(BadResponse, match="impossible length"):
        read(prelude + crc32(prelude).to_bytes(4, "big"))


def test_a_frame_that_is_not_whole_waits() -> None:
    """Nothing comes of a part of a frame, and the stream tells that something is pending."""
    stream = EventStream()

    assert not stream.pending
    assert list(stream.feed(GOOD[:-1])) == []
    assert stream.pending
    assert len(list(stream.feed(GOOD[-1:]))) == 1
    assert not stream.pending


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({"n" * 256: True}, b""),
        ({"n": "x" * 70_000}, b""),
        ({"n": 2**63}, b""),
        ({str(at): b"x" * 60_000 for at in range(3)}, b""),
        ({}, bytes(24 * 1024 * 1024 + 1)),
    ],
)
def test_what_does_not_fit_is_refused(headers: dict, payload: bytes) -> None:
    """A frame that nobody could read is not written."""
    with pytest.raises(ValueError, match=r"does not fit|too long"):
        render_frame(headers, payload)
