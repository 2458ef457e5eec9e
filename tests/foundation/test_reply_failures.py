"""`Reply`: what its reader hears when something fails, and that everybody else hears of it too."""

from __future__ import annotations

import gc

import pytest

from aigw import errors
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import (
    AnswerBlocked,
    BadResponse,
    DeadlineExceeded,
    ProviderError,
    RateLimited,
    ServerError,
    StreamInterrupted,
    SuspendedError,
)
from aigw.message import Other, ToolCall
from aigw.reply import Reply
from aigw.runtime import drive
from foundation.sources import ScriptedSource, ThrownAwayError, Wait, run
from testing.faces import read_all

A, B = Chunk("a"), Chunk("b")
OUTPUTS = [
    Chunk("a"),
    Chunk(reasoning="a"),
    Chunk(tool_calls=(ToolCallDelta(0),)),
    Chunk(refusal="a"),
    Chunk(vectors=((1.0,),)),
    Chunk(parts=(Other({}),)),
]
FAILURES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, (ProviderError, DeadlineExceeded))
]


def reply_of(*script):
    """Make a reply and its source."""
    source = ScriptedSource(script)
    return Reply(source), source


def read_until_it_fails(reply):
    """Read on until something is raised; return that."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  (which one is judged by the test)
        drive(read_all(reply))
    return caught.value


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("how", ["read", "prime"])
def test_before_the_first_output_a_failure_is_itself(kind, how):
    """What fails before any output is raised as it is, so that it can be tried again; what was no output is no bar."""
    failure = kind("it broke")
    reply, source = reply_of(Chunk(id="x", usage=Usage(3)), failure)
    with pytest.raises(kind) as caught:
        drive(reply.prime() if how == "prime" else read_twice(reply))

    assert caught.value is failure
    assert failure.__cause__ is None
    assert (reply.end.error, reply.end.committed, reply.end.usage) == (failure, False, Usage(3))
    assert reply.end.outcome == kind.__name__
    assert source.closed == 1


async def read_twice(reply):
    """Read two chunks."""
    await reply.read()
    await reply.read()


@pytest.mark.parametrize("kind", FAILURES)
def test_after_the_first_output_a_failure_interrupts_the_stream(kind):
    """What fails after output was handed out is StreamInterrupted, caused by the failure."""
    failure = kind("it broke")
    reply, source = reply_of(A, failure)
    error = read_until_it_fails(reply)

    assert isinstance(error, StreamInterrupted)
    assert error.__cause__ is failure
    assert "it broke" in str(error)
    assert (reply.end.error, reply.end.committed) == (error, True)
    assert source.closed == 1


@pytest.mark.parametrize("output", OUTPUTS)
def test_output_of_any_kind_commits(output):
    """Text, reasoning, a tool call, a refusal, vectors, a signature: after any of them a failure interrupts."""
    reply, _ = reply_of(output, BadResponse("cut"))

    assert isinstance(read_until_it_fails(reply), StreamInterrupted)


def test_what_was_read_ahead_was_not_handed_out():
    """While the first output only waits to be read, a failure further on is still an ordinary one."""
    reply, _ = reply_of(A, B, ServerError("broke"))
    drive(reply.prime())
    with pytest.raises(ServerError):
        drive(reply.prime(whole=True))

    assert reply.delivered == []


def test_an_interrupted_stream_tells_what_there_was():
    """The text that was handed out, the tool calls so far and the best known usage come with the error."""
    reply, _ = reply_of(
        Chunk("one ", usage=Usage(5, 1)),
        Chunk("two", tool_calls=(ToolCallDelta(0, "c", "f", '{"a'),)),
        Chunk("other answer", index=1),
        Chunk(usage=Usage(5, 9)),
        BadResponse("cut"),
    )
    error = read_until_it_fails(reply)

    assert error.partial == "one two"
    assert error.tool_calls == (ToolCall("c", "f", '{"a'),)
    assert error.usage == Usage(5, 9)


def test_a_failure_while_chunks_are_ready():
    """A tap may refuse a chunk of several that came together: what stands behind it was never there."""

    def refuse(chunk):
        if chunk is B:
            raise AnswerBlocked("no")
        return chunk

    source = ScriptedSource([A, B, Chunk("c", usage=Usage(9)), BadResponse("cut")], together=3)
    reply = Reply(source)
    reply.tap(refuse)
    error = read_until_it_fails(reply)

    assert type(error) is AnswerBlocked
    assert (reply.delivered, reply.end.usage) == ([A], None)
    assert source.closed == 1


def test_the_partial_text_is_what_taps_let_out():
    """What a tap took away or held back is not in the partial text either: masking holds there too."""
    reply, _ = reply_of(Chunk("name: Bob"), B, BadResponse("cut"))
    reply.tap(lambda chunk: Chunk("name: X") if chunk is not B else None)

    assert read_until_it_fails(reply).partial == "name: X"


@pytest.mark.parametrize(
    "refusal", [AnswerBlocked("no"), RateLimited("no"), ValueError("a mistake in the tap"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("where", ["tap", "flush", "source"])
def test_what_is_no_failure_of_the_provider_passes_as_it_is(refusal, where):
    """A refusal by a tap, a programming mistake or Ctrl-C is raised as it is, also after output was handed out."""
    seen = []

    def raise_it(_=None):
        seen.append(1)
        if where == "flush" or len(seen) > 1:
            raise refusal
        return A

    reply, source = reply_of(A, *([refusal] if where == "source" else [B]))
    if where == "tap":
        reply.tap(raise_it)
    elif where == "flush":
        reply.tap(lambda chunk: chunk, flush=raise_it)
    error = read_until_it_fails(reply)

    assert error is refusal
    assert reply.end.error is refusal
    assert source.let_go


def test_reading_on_raises_the_same_again():
    """A failed reply stays failed: the same error each time, nobody is told twice, nothing more is read."""
    ends = []
    reply, source = reply_of(A, ServerError("broke"))
    reply.when_done(ends.append)
    first = read_until_it_fails(reply)
    second = read_until_it_fails(reply)
    drive(reply.prime())
    drive(reply.close())

    assert first is second
    assert len(ends) == 1
    assert reply.end.error is first
    assert source.closed >= 1


def test_the_end_comes_before_the_connection_is_closed():
    """Callbacks run first, so that nobody waits for a slow close to give back what was reserved."""
    order = []

    class Source(ScriptedSource):
        async def close(self):
            order.append("closed")

    reply = Reply(Source([ServerError("broke")]))
    reply.when_done(lambda _: order.append("settled"))
    read_until_it_fails(reply)

    assert order == ["settled", "closed"]


@pytest.mark.parametrize("ending", ["end", "failure", "close", "abandon"])
def test_a_callback_that_raises_does_not_keep_others_from_running(ending):
    """All callbacks run, in order; then the first of their errors is raised."""
    heard = []

    def fail(_):
        heard.append("bad")
        raise RuntimeError(f"callback {len(heard)}")

    reply, _ = reply_of(*([ServerError("broke")] if ending == "failure" else []))
    reply.when_done(fail)
    reply.when_done(lambda _: heard.append("good"))
    reply.when_done(fail)
    reply.when_done(lambda _: heard.append("good"))
    with pytest.raises(RuntimeError, match="callback 1"):
        end(reply, ending)
    drive(reply.close())

    assert heard == ["bad", "good", "bad", "good"]


def end(reply, ending):
    """End a reply in one of the ways that there are."""
    if ending == "close":
        drive(reply.close())
    elif ending == "abandon":
        reply.abandon()
    else:
        drive(reply.read())


@pytest.mark.parametrize("how", ["read", "prime", "close"])
def test_a_callback_that_raises_does_not_keep_the_source_open(how):
    """Whatever a callback does, the connection is let go of."""

    def fail(_):
        raise RuntimeError("callback")

    reply, source = reply_of(ServerError("broke"))
    reply.when_done(fail)
    with pytest.raises(RuntimeError, match="callback"):
        drive(getattr(reply, how)())

    assert source.closed == 1


def test_a_callback_for_the_first_output_that_raises_is_a_failure():
    """It ends the reply like any other mistake in a policy: raised as it is, settled, closed."""

    def fail():
        raise RuntimeError("callback")

    reply, source = reply_of(A)
    reply.when_committed(fail)
    with pytest.raises(RuntimeError, match="callback"):
        drive(reply.read())

    assert reply.end.outcome == "RuntimeError"
    assert source.closed == 1


@pytest.mark.parametrize("how", ["read", "prime"])
def test_a_reader_that_is_thrown_away_settles_without_waiting(how):
    """When the coroutine of a reader is closed (GeneratorExit) nothing may wait, but everybody is told."""
    ends = []
    reply, source = reply_of(Wait.THROWN_AWAY)
    reply.when_done(ends.append)
    with pytest.raises(ThrownAwayError):
        run(getattr(reply, how)(), source)

    assert [end.outcome for end in ends] == ["GeneratorExit"]
    assert source.closed == 0
    drive(reply.close())
    assert source.closed == 1


def test_a_reader_that_is_forgotten_settles():
    """A coroutine that the garbage collector finds while it waits settles like one that is closed."""
    ends = []
    reply, _ = reply_of(Wait.THROWN_AWAY)
    reply.when_done(ends.append)
    coroutine = reply.read()
    coroutine.send(None)
    del coroutine
    gc.collect()

    assert [end.outcome for end in ends] == ["GeneratorExit"]


def test_a_source_that_suspends_without_a_loop_is_an_error_and_settles():
    """On the blocking face a source that waits on a loop is named, and the reply is settled."""
    ends = []
    reply, _ = reply_of(Wait.GOES_ON)
    reply.when_done(ends.append)
    with pytest.raises(SuspendedError, match=r"Reply\.read"):
        drive(reply.read())

    assert [end.outcome for end in ends] == ["GeneratorExit"]
