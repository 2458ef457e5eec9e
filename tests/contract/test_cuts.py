"""Streams that are cut or arrive in odd pieces: never a short answer, always the same answer."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import StreamInterrupted
from aigw.errors import BadResponse
from contract.bench import answered, ask, failed, written
from contract.endpoints import ENDPOINTS, ONE_OF_EACH, every_endpoint, every_format
from contract.said import Said
from contract.scenarios import CALLS, TOOLS
from strategies import splits

RICH = Said(thought="Both cities, then.", calls=CALLS)
"""An answer with everything in it."""


def essence(answer):
    """Return what must be the same, whatever way the answer came."""
    return answer.first.parts, answer.finish_reason, answer.usage, answer.id, answer.model, answer.extra


def content(answer):
    """Return what the application reads of an answer."""
    calls = [(call.id, call.name, call.arguments) for call in answer.tool_calls]
    return answer.text, answer.reasoning, calls, answer.finish_reason


def judge(asked, whole):
    """A stream that ended early is an error that another try may better, or it was complete already."""
    error = asked.error
    if error is None:
        assert content(asked.answer) == content(whole)
    elif isinstance(error, StreamInterrupted):
        assert isinstance(error.__cause__, BadResponse)
        assert whole.text.startswith(error.partial)
    else:
        assert isinstance(error, BadResponse)
        assert error.retryable


@every_endpoint
def test_cut_between_two_events(endpoint):
    """At every boundary: the body just ends, or the connection breaks."""
    events = written(endpoint, RICH, True)
    whole = answered(endpoint, events, streamed=True, tools=TOOLS).answer
    outcomes = []
    for at in range(len(events)):
        for end in ((), (BadResponse("the connection broke"),)):
            asked = ask(endpoint, [*events[:at], *end], streamed=True, tools=TOOLS)
            judge(asked, whole)
            outcomes.append(type(asked.error))

    assert outcomes[:2] == [BadResponse, BadResponse]
    assert StreamInterrupted in outcomes
    assert outcomes.count(type(None)) <= 6


@every_endpoint
def test_cut_anywhere(endpoint):
    """Within an event too, some of the places."""
    body = b"".join(written(endpoint, RICH, True))
    whole = answered(endpoint, [body], streamed=True, tools=TOOLS).answer
    for at in random.Random(str(endpoint)).sample(range(len(body)), 12):
        judge(ask(endpoint, [body[:at]], streamed=True, tools=TOOLS), whole)


@every_endpoint
def test_a_whole_answer_that_is_cut(endpoint):
    """Half of a JSON text is none, and the call may be tried again."""
    (body,) = written(endpoint, RICH, False)
    for at in random.Random(str(endpoint)).sample(range(len(body)), 4):
        error = failed(endpoint, [body[:at]], tools=TOOLS)

        assert type(error) is BadResponse
        assert error.retryable


@every_endpoint
def test_one_byte_at_a_time(endpoint):
    """However slowly it drips, it is the same answer."""
    events = written(endpoint, RICH, True)
    body = b"".join(events)
    whole = answered(endpoint, events, streamed=True, tools=TOOLS).answer
    dripping = answered(endpoint, [body[at : at + 1] for at in range(len(body))], streamed=True, tools=TOOLS).answer
    at_once = answered(endpoint, [body], streamed=True, tools=TOOLS).answer

    assert essence(dripping) == essence(whole) == essence(at_once)


@every_format
@settings(max_examples=15)
@given(data=st.data())
def test_any_pieces(endpoint, data):
    """However the bytes are split, it is the same answer."""
    body = b"".join(written(endpoint, RICH, True))
    whole = answered(endpoint, [body], streamed=True, tools=TOOLS).answer
    pieces = data.draw(splits(body))
    split = answered(endpoint, [piece for piece in pieces if piece], streamed=True, tools=TOOLS).answer

    assert essence(split) == essence(whole)


@every_endpoint
def test_whole_and_streamed_are_the_same_answer(endpoint):
    """An answer says the same, in the same order, whichever way it is asked for."""
    one, other = (answered(endpoint, RICH, streamed=streamed, tools=TOOLS).answer for streamed in (False, True))

    assert content(one)[:2] == content(other)[:2]
    assert [(call.name, call.parse()) for call in one.tool_calls] == [
        (call.name, call.parse()) for call in other.tool_calls
    ]
    assert [type(part) for part in one.first.parts] == [type(part) for part in other.first.parts]
    assert (one.finish_reason, one.usage) == (other.finish_reason, other.usage)


def test_every_format_is_here():
    """The formats that are tested by examples of their own are all formats."""
    assert {endpoint.wire for endpoint in ONE_OF_EACH} == {endpoint.wire for endpoint in ENDPOINTS}
