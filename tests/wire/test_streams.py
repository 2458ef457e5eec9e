"""The frame of the stream parsers, with a format of its own: an event is a number, and 0 is the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aigw.chunk import Chunk
from aigw.errors import BadResponse, Overloaded, ProviderError
from aigw.wire.failures import Failures
from aigw.wire.fields import checked
from aigw.wire.sse import DONE, Event
from aigw.wire.streams import EventParser, JsonEventParser

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bytes:
    """Every byte is an event, but for the last one after a comma, which the end of the body completes."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[int]:
        """Cut the bytes into events."""
        before, _, self.rest = data.partition(b",")
        for byte in before:
            if byte == ord("!"):
                raise BadResponse("damaged")
            yield byte - ord("0")

    def finish(self) -> list[int]:
        """Complete the last event."""
        if self.rest == b"?":
            raise BadResponse("cut within an event")
        return [byte - ord("0") for byte in self.rest]


class Numbers(EventParser[int]):
    """Each event is a chunk; 7 is not what it should be, 9 is an error of the provider; the body may end after 5."""

    def __init__(self) -> None:
        super().__init__(Bytes(), "p", "m")
        self.last = 0

    def _read_event(self, event: int) -> list[Chunk]:
        self.last = event
        if event == 7:
            checked(event, str, "it")
        if event == 9:
            raise Overloaded("too much")
        self.ended = event == 0
        return [] if self.ended else [Chunk(str(event))]

    def _is_over(self) -> bool:
        return self.ended or self.last == 5


class Objects(JsonEventParser):
    """Each event is JSON."""

    def __init__(self) -> None:
        super().__init__(Failures(by_type={"busy": Overloaded}).classify, "p", "m")

    def _read_event(self, event: Event) -> list[Chunk]:
        self.ended = event.data == DONE
        return [] if self.ended else [Chunk(str(self._json(event)))]


def said(chunks: list[Chunk]) -> str:
    """Join the texts of chunks."""
    return "".join(chunk.text for chunk in chunks)


def test_what_follows_the_end_is_ignored() -> None:
    """Neither the rest of the same bytes nor later ones give chunks, and the end of the body is fine."""
    parser = Numbers()

    assert said(parser.feed(b"12034")) == "12"
    assert parser.ended
    assert parser.feed(b"9") == []
    assert parser.finish() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (b"9", "p/m: too much"),
        (b"7", "p/m: an event of the stream is not what it should be: it must be a string, not int"),
        (b"!", "p/m: damaged"),
    ],
)
def test_chunks_before_something_wrong_come_first(wrong: bytes, message: str) -> None:
    """The error is raised by every later call, or at once where nothing came before it; it names whose it is."""
    parser, at_once = Numbers(), Numbers()
    before = parser.feed(b"12" + wrong + b"3")
    errors = []
    for call in (lambda: parser.feed(b"4"), parser.finish, lambda: at_once.feed(wrong), at_once.finish):
        with pytest.raises(ProviderError) as caught:
            call()
        errors.append(caught.value)

    assert said(before) == "12"
    assert [str(error) for error in errors] == [message] * 4
    assert errors[0] is errors[1]
    assert errors[2] is errors[3]


@pytest.mark.parametrize(("body", "text"), [(b"120", ""), (b"125", ""), (b"12,5", "5"), (b"12,0", "")])
def test_a_body_may_end_where_the_format_says_so(body: bytes, text: str) -> None:
    """After the end itself, or where the format has none; the end of the body completes the last event."""
    parser = Numbers()
    parser.feed(body)

    assert said(parser.finish()) == text


@pytest.mark.parametrize("body", [b"", b"1", b"51", b"1,?", b"1,!"])
def test_a_body_that_ends_elsewhere_is_cut(body: bytes) -> None:
    """It is a BadResponse, however often it is asked, also where the last event is damaged by it."""
    parser = Numbers()
    parser.feed(body)
    for _ in range(2):
        with pytest.raises(BadResponse, match=r"^p/m: the stream ended before its end$"):
            parser.finish()

    assert not parser.ended


def test_json_that_is_none_is_a_bad_response() -> None:
    """An event whose data is no JSON is the provider's fault."""
    with pytest.raises(BadResponse, match=r"^p/m: an event of the stream is not valid JSON$"):
        Objects().feed(b"data: {\n\n")


def test_an_error_may_be_plain_text() -> None:
    """An event that is named an error is one of the provider, even where its data is no JSON."""
    with pytest.raises(ProviderError) as caught:
        Objects().feed(b"event: error\ndata: out of order\n\n")

    assert not isinstance(caught.value, BadResponse)
    assert caught.value.detail == "out of order"


def test_events_are_read_as_they_come() -> None:
    """Server-sent events in, chunks out, until the end."""
    parser = Objects()
    chunks = parser.feed(b"data: 1\n\ndata: 2\n") + parser.feed(b"\ndata: [DONE]\n\n")

    assert said(chunks) == "12"
    assert parser.ended
