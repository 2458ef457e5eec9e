"""Every fault of an upstream, streamed and not, on both faces, with and without another target to go to.

Each call has a marked key and a marked prompt, which the upstream's errors quote: nothing that aigw says may show them.
"""

from __future__ import annotations

import pytest

from aigw import AttemptTimeout, Fallback, Target, errors
from gateway.faults_table import MODEL, STREAMED, TEXT, TOOL_CALL, WHOLE_ANSWERS, Complete, Fails, Interrupted
from gateway.secrets_check import KEY, PROMPT, leaks, said_by
from testing.raw_http import exchange, request

streamed = pytest.mark.parametrize("row", STREAMED, ids=str)
whole = pytest.mark.parametrize("row", WHOLE_ANSWERS, ids=str)


class Cell:
    """A gateway whose first upstream has the fault of a row; it has served one good call before."""

    def __init__(self, face, row, first, second):
        hasty = [AttemptTimeout(**row.limits)] if row.limits else []
        self.upstreams = (first, second)
        self.target = Target(first.url, model=MODEL, name="first", api_key=KEY, policies=hasty)
        self.gateway = face(
            {
                "single": self.target,
                "fallback": Fallback(self.target, Target(second.url, model=MODEL, name="second", api_key=KEY)),
                "good": Target(first.url, model=MODEL, name="good", api_key=KEY),
            }
        )
        assert self.gateway.chat(PROMPT, model="good").text == TEXT
        if row.tool:
            first.answer, first.tool_calls = "", [TOOL_CALL]
        first.next(row.fault)

    def check(self, *said):
        """Make sure that nothing leaked, that nothing is open, and that the gateway is as good as new."""
        first = self.upstreams[0]
        first.answer, first.tool_calls = TEXT, ()
        # A connection that the server closes behind a whole answer must be closed before it is asked for again: an
        # answer to somebody else shows that the server is done with it.
        exchange(first, request("GET", "/v1/models"))
        again = self.gateway.chat(PROMPT, model="good").text, self.gateway.read(PROMPT, model="good")
        gateway = self.gateway.gateway
        said = [*map(str, said), repr(gateway), gateway.describe(), str(gateway.explain(PROMPT, model="fallback"))]
        self.gateway.close()
        for upstream in self.upstreams:
            self.gateway.wait_until(upstream, lambda upstream=upstream: upstream.connections == 0)

        assert again == (TEXT, TEXT)
        assert self.target.in_flight == 0
        assert leaks("\n".join(said)) == []


@pytest.fixture
def cell(face, upstream, second):
    """Make the cell of a row."""
    return lambda row: Cell(face, row, upstream, second)


def check_failure(error, outcome):
    """Compare an error before the first output with what the table says."""
    facts = {name: getattr(error, name) for name in outcome.facts}

    assert type(error) is outcome.kind
    assert facts == outcome.facts
    assert (error.provider, error.model, error.target) == ("openai-compatible", MODEL, "first")
    assert [attempt.outcome for attempt in error.trace.attempts] == [outcome.kind.__name__]
    assert error.trace.duration is not None


def check_interruption(error, outcome, reading):
    """Compare an error after the first output with what the table says, and with what the reader got."""
    assert type(error) is errors.StreamInterrupted
    assert type(error.__cause__) is outcome.cause
    assert error.partial == reading.text == reading.answer.text == outcome.partial
    assert [call.arguments for call in error.tool_calls] == ([] if outcome.arguments is None else [outcome.arguments])
    assert (error.usage is not None) is outcome.usage
    assert [attempt.outcome for attempt in error.trace.attempts] == ["StreamInterrupted"]
    assert reading.answer.tool_calls == error.tool_calls
    assert reading.answer.usage == error.usage
    assert reading.trace is error.trace


@streamed
def test_a_stream_with_one_target(cell, row):
    """It is whole, or it raises: an ordinary error before the first output, a StreamInterrupted after it."""
    one = cell(row)
    reading = one.gateway.stream(PROMPT, model="single")
    if isinstance(row.outcome, Complete):
        reading.rest()
        one.check(reading.trace, reading.trace.to_json())

        assert reading.text == TEXT
        assert reading.answer.finish_reason == "stop"
        return
    with pytest.raises(errors.AigwError) as caught:
        reading.rest()
    one.check(said_by(caught.value))

    if isinstance(row.outcome, Fails):
        check_failure(caught.value, row.outcome)
        assert reading.chunks == []
    else:
        check_interruption(caught.value, row.outcome, reading)


@streamed
def test_a_stream_with_a_fallback(cell, row):
    """The second target answers, unless the caller is to blame, or the first one has said something already."""
    one = cell(row)
    reading = one.gateway.stream(PROMPT, model="fallback")
    if isinstance(row.outcome, Interrupted) or (isinstance(row.outcome, Fails) and not row.outcome.moves):
        with pytest.raises(errors.AigwError) as caught:
            reading.rest()
        one.check(said_by(caught.value))

        assert one.upstreams[1].requests == []
        if isinstance(row.outcome, Fails):
            check_failure(caught.value, row.outcome)
        else:
            check_interruption(caught.value, row.outcome, reading)
        return
    reading.rest()
    one.check(reading.trace, reading.trace.to_json())

    check_answer(reading.answer, row.outcome)
    assert reading.text == reading.answer.text


@whole
def test_a_whole_answer_from_one_target(cell, row):
    """It is whole, or it raises."""
    one = cell(row)
    if isinstance(row.outcome, Complete):
        answer = one.gateway.chat(PROMPT, model="single")
        one.check(answer.trace, answer.trace.to_json())

        check_answer(answer, row.outcome)
        return
    with pytest.raises(errors.AigwError) as caught:
        one.gateway.chat(PROMPT, model="single")
    one.check(said_by(caught.value))

    check_failure(caught.value, row.outcome)


@whole
def test_a_whole_answer_with_a_fallback(cell, row):
    """The second target answers, unless the caller is to blame; the caller has seen nothing of the first."""
    one = cell(row)
    if isinstance(row.outcome, Fails) and not row.outcome.moves:
        with pytest.raises(errors.AigwError) as caught:
            one.gateway.chat(PROMPT, model="fallback")
        one.check(said_by(caught.value))

        assert one.upstreams[1].requests == []
        check_failure(caught.value, row.outcome)
        return
    answer = one.gateway.chat(PROMPT, model="fallback")
    one.check(answer.trace, answer.trace.to_json())

    check_answer(answer, row.outcome)


def check_answer(answer, outcome):
    """Compare a whole answer, and how it came, with what the table says."""
    tried = [(attempt.target, attempt.outcome) for attempt in answer.trace.attempts]
    if isinstance(outcome, Fails):
        assert answer.text == "from the second"
        assert tried == [("first", outcome.kind.__name__), ("second", "ok")]
        assert [decision.action for decision in answer.trace.decisions] == ["moved on"]
    else:
        assert answer.text == TEXT
        assert tried == [("first", "ok")]
    assert answer.finish_reason == "stop"
    assert answer.usage is not None


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_port_where_nobody_listens(face, upstream, second, stream):
    """No connection is Unreachable; a fallback answers."""
    upstream.close()
    dead = Target(upstream.url, model=MODEL, name="first", api_key=KEY)
    gateway = face({"single": dead, "fallback": Fallback(dead, Target(second.url, model=MODEL))})
    ask = gateway.read if stream else lambda *args, **options: gateway.chat(*args, **options).text
    with pytest.raises(errors.Unreachable) as caught:
        ask(PROMPT, model="single")

    check_failure(caught.value, Fails(errors.Unreachable))
    assert leaks(said_by(caught.value)) == []
    assert ask(PROMPT, model="fallback") == "from the second"
