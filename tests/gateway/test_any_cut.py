"""A real stream that breaks at any byte, left at any chunk, with policies that hold back and fail: nothing is made up.

What `test_fault_matrix` shows at chosen places, at all of them.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aigw import Target, errors
from aigw.testing import Cut, FaultyUpstream
from gateway.counting import Counting
from gateway.faces import FACES
from gateway.faults_table import EVENTS, MODEL, TEXT

LENGTH = sum(map(len, EVENTS))


@pytest.fixture(scope="module", params=[False, True], ids=["single", "burst"])
def server(request):
    """Serve a text, each event on its own or all at once."""
    with FaultyUpstream(TEXT, burst=request.param) as server:
        yield server


class Back:
    """Holds the last chunk back until the next one comes."""

    async def handle(self, call, inner):
        """Tap the reply."""
        reply = await inner(call)
        held = []

        def see(chunk):
            held.append(chunk)
            return held.pop(0) if len(held) > 1 else None

        reply.tap(see, flush=lambda: held.pop() if held else None)
        return reply


class Mistaken:
    """Fails at a chunk.

    Args:
        at: which.
    """

    def __init__(self, at):
        self.at = at

    async def handle(self, call, inner):
        """Tap the reply."""
        reply = await inner(call)
        seen = []

        def see(chunk):
            seen.append(chunk)
            if len(seen) > self.at:
                raise LookupError("a mistake in a program")
            return chunk

        reply.tap(see)
        return reply


policies = st.lists(
    st.sampled_from([Back, Counting]).map(lambda kind: kind()) | st.builds(Mistaken, st.integers(0, 9)), max_size=3
)


@pytest.mark.parametrize("kind", list(FACES))
@given(at=st.integers(0, LENGTH + 5), leave=st.none() | st.integers(0, 9), around=policies)
@example(at=LENGTH, leave=None, around=[])
def test_a_stream_is_whole_or_it_raises(kind, server, at, leave, around):
    """What is read is a beginning of the truth, and only the truth itself ends without an error."""
    server.always(Cut(at))
    counting = Counting()
    target = Target(server.url, model=MODEL, policies=[counting])
    with FACES[kind]({"r": target}, around) as gateway:
        reading, error = gateway.stream(), None
        try:
            read(reading, leave)
        except (errors.AigwError, LookupError) as raised:
            error = raised
        reading.close()
    server.wait_until(lambda: server.connections == 0)

    assert TEXT.startswith(reading.text)
    assert (target.in_flight, counting.counts) == (0, [1] * len(counting.replies))
    if error is None and leave is None:
        assert reading.text == TEXT
        assert reading.answer.finish_reason == "stop"
        assert at >= LENGTH - 2  # all but the line ends behind the last event
    if isinstance(error, errors.StreamInterrupted):
        assert error.partial == reading.text != ""
    if isinstance(error, errors.ProviderError):
        assert reading.text == ""


def read(reading, leave):
    """Read all of it, or so many chunks."""
    if leave is None:
        reading.rest()
        return
    for _ in range(leave):
        reading.next()
