"""Server-sent events, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.wire.sse import Event, EventStream, render_event
from strategies import splits


def parse(*pieces: bytes) -> list[Event]:
    """Read a body that comes in these pieces."""
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)] + stream.finish()


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [Event(b"a"), Event(b"b")], id="plain"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [Event(b"a"), Event(b"b")], id="crlf"),
        pytest.param(b"data: a\r\rdata: b\r\r", [Event(b"a"), Event(b"b")], id="cr"),
        pytest.param(b"data: a\r\n\ndata: b\n\r\n", [Event(b"a"), Event(b"b")], id="mixed line ends"),
        pytest.param(b"data:a\n\n", [Event(b"a")], id="no space"),
        pytest.param(b"data:  a\n\n", [Event(b" a")], id="only one space goes"),
        pytest.param(b"data: a\ndata: b\ndata:\n\n", [Event(b"a\nb\n")], id="several lines"),
        pytest.param(b"data\n\n", [Event(b"")], id="field without colon"),
        pytest.param(b"event: ping\ndata: a\n\n", [Event(b"a", "ping")], id="named"),
        pytest.param(b"data: a\nevent:ping\n\n", [Event(b"a", "ping")], id="named after its data"),
        pytest.param(b"event:\ndata: a\n\n", [Event(b"a")], id="empty name"),
        pytest.param(b"event: ping\n\ndata: a\n\n", [Event(b"a")], id="no data, no event"),
        pytest.param(b"id: 7\nretry: 100\ndata: a\n\n", [Event(b"a")], id="id and retry"),
        pytest.param(b": comment\n\n:\n\ndata: a\n: more\n\n", [Event(b"a")], id="comments"),
        pytest.param(b"\n\n\n\ndata: a\n\n\n\n\n", [Event(b"a")], id="blank lines"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [Event(b"a")], id="byte order mark"),
        pytest.param(b"data: \xef\xbb\xbfa\n\n", [Event(b"\xef\xbb\xbfa")], id="mark inside data stays"),
        pytest.param(b"data: a\n\ndata: b", [Event(b"a"), Event(b"b")], id="no end of the last event"),
        pytest.param(b"data: a\n\ndata: b\n", [Event(b"a"), Event(b"b")], id="no blank line at the end"),
        pytest.param(b"data: a\n\nda", [Event(b"a")], id="cut within a field name"),
        pytest.param(b"\xef\xbb", [], id="half a mark"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_events_are_read_as_the_standard_says(body: bytes, events: list[Event]) -> None:
    """Line ends, fields, comments and a byte order mark are read as the standard says, whole or byte by byte."""
    assert parse(body) == events
    assert parse(*[body[at : at + 1] for at in range(len(body))]) == events


def test_events_are_handed_out_as_soon_as_they_are_complete() -> None:
    """An event comes out of the feed that brings its blank line, not later."""
    stream = EventStream()
    seen = [stream.feed(piece) for piece in (b"data: a\n", b"\nda", b"ta: b\r", b"\n\r", b"\n", b"")]

    assert seen == [[], [Event(b"a")], [], [Event(b"b")], [], []]


def test_finish_forgets_what_it_gave_out() -> None:
    """What `finish` returned is not returned again."""
    stream = EventStream()
    stream.feed(b"data: a")

    assert stream.finish() == [Event(b"a")]
    assert stream.finish() == []


lines = st.lists(
    st.sampled_from([b"data: x", b"data:y", b"event: e", b": c", b"", b"", b"id: 1", b"da", b"\xef\xbb\xbf"])
)
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.data())
def test_any_split_gives_the_same_events(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference."""
    body = b"".join(line + data.draw(line_ends) for line in data.draw(lines))

    assert parse(*data.draw(splits(body))) == parse(body)


@given(st.lists(st.tuples(st.binary(max_size=20), st.none() | st.text("abc_", min_size=1))))
def test_rendered_events_are_read_back(given_events: list[tuple[bytes, str | None]]) -> None:
    """What was rendered is read back; line ends within the data become LF."""
    body = b"".join(render_event(data, name) for data, name in given_events)
    expected = [Event(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), name) for data, name in given_events]

    assert parse(body) == expected


@pytest.mark.parametrize("name", ["a\nb", "a\rb"])
def test_a_name_cannot_smuggle_lines_in(name: str) -> None:
    """A line end in the name of an event is refused, because it would start another field."""
    with pytest.raises(ValueError, match="one line"):
        render_event(b"x", name)
