"""make_call: a call that can run without a gateway."""

from __future__ import annotations

import asyncio
import random

import pytest

from aigw.message import Message, Text
from aigw.testing import FakeClock, make_call
from aigw.trace import CallTrace


def test_a_call_has_all_that_a_policy_asks_for():
    """It says the text, has a clock, randomness that repeats, a trace and an id."""
    clock = FakeClock(start=5)
    call = make_call("hi", clock=clock)
    call.note("test", "decided")

    assert call.messages == (Message("user", (Text("hi"),)),)
    assert (call.id, call.started, call.clock) == ("call-1", 5, clock)
    assert call.ports.blocking
    assert call.ports.rng.random() == random.Random(0).random()
    assert call.trace is not None
    assert call.trace.call_id == "call-1"
    assert [decision.action for decision in call.trace.decisions] == ["decided"]


def test_fields_of_the_call_can_be_given():
    """Any field of Call may be given, also those that would be set."""
    trace = CallTrace("mine")
    rng = random.Random(1)
    call = make_call(model="smart", route="smart", stream=True, id="call-9", rng=rng)

    assert (call.model, call.stream, call.id, call.ports.rng) == ("smart", True, "call-9", rng)
    assert call.trace is not None
    assert (call.trace.call_id, call.trace.route) == ("call-9", "smart")
    assert make_call(trace=trace).trace is trace
    assert make_call(messages=()).messages == ()


def test_an_embeddings_call_has_the_text_as_its_input():
    """With the operation ``embeddings`` the text is an input, not a message."""
    call = make_call("hi", operation="embeddings")

    assert call.inputs == ("hi",)
    assert call.messages == ()


def test_a_call_for_the_running_loop():
    """With ``blocking=False`` its flags belong to the running loop; without one that is an error."""

    async def main():
        call = make_call(blocking=False)
        flag = call.ports.flag()
        asyncio.get_running_loop().call_soon(flag.set)
        return call.ports.blocking, await flag.wait()

    assert asyncio.run(main()) == (False, True)
    with pytest.raises(RuntimeError, match="no running event loop"):
        make_call(blocking=False)


def test_there_is_no_transport():
    """Using the transport says why there is none and what to do."""
    with pytest.raises(AssertionError, match="ScriptedProvider"):
        _ = make_call().ports.transport
