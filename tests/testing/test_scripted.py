"""ScriptedProvider: every outcome, on both faces."""

from __future__ import annotations

import asyncio
import math
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_text
from aigw.errors import AigwError, BadResponse, Overloaded, RateLimited, ServerError, StreamInterrupted
from aigw.message import Message
from aigw.providers.base import Provider
from aigw.runtime import drive
from aigw.testing import FakeClock, HeldClock, ScriptedProvider, make_call
from testing.faces import both_faces, read_all, run


def ask(provider, blocking=True, *, model="m", **fields):  # noqa: FBT002  (the parameter of the tests)
    """Make one call and read its answer to the end."""

    async def main():
        return await read_all(await provider.send(make_call(blocking=blocking, **fields), model))

    return run(blocking, main)


def test_it_is_a_provider():
    """It fits the protocol, has a name and a place, and finds nothing wrong with itself."""
    provider = ScriptedProvider(name="p")
    provider.check()

    assert isinstance(provider, Provider)
    assert (provider.name, provider.where, ScriptedProvider().name) == ("p", "scripted", "scripted")
    assert repr(provider) == "ScriptedProvider(name='p')"


@both_faces
def test_a_text_is_a_complete_answer(blocking):
    """Not streamed it is one chunk, with finish reason, id, model and counted usage."""
    provider = ScriptedProvider("hello out there")
    chunks = ask(provider, blocking, text="who is there")

    expected = Chunk("hello out there", finish_reason="stop", usage=Usage(3, 3), id="scripted-1", model="m")
    assert chunks == [expected]
    assert provider.open == 0


@both_faces
def test_a_text_is_a_stream_too(blocking):
    """Streamed it is a chunk of text and one that tells the end and the usage."""
    chunks = ask(ScriptedProvider("hello there"), blocking, stream=True)

    assert chunks == [
        Chunk("hello there", id="scripted-1", model="m"),
        Chunk(finish_reason="stop", usage=Usage(1, 2), id="scripted-1", model="m"),
    ]


@both_faces
def test_a_list_is_a_stream_of_its_steps(blocking):
    """Texts are chunks, chunks go out as they are, numbers are slept on the clock of the call."""
    clock = FakeClock()
    given_chunk = Chunk(reasoning="hm")
    provider = ScriptedProvider(["a ", 2, given_chunk, "b"])
    chunks = ask(provider, blocking, stream=True, clock=clock)

    assert [chunk.text for chunk in chunks] == ["a ", "", "b", ""]
    assert chunks[1] is given_chunk
    assert chunks[-1].usage == Usage(1, 2)
    assert clock.sleeps == [2]


@both_faces
def test_a_list_is_one_chunk_where_nothing_is_streamed(blocking):
    """A call that is not streamed gets all the steps in one chunk, and sleeps as well."""
    clock = FakeClock()
    chunks = ask(ScriptedProvider(("a ", 0.5, Chunk("b", reasoning="hm"))), blocking, clock=clock)

    assert len(chunks) == 1
    assert (chunks[0].text, chunks[0].reasoning, chunks[0].finish_reason) == ("a b", "hm", "stop")
    assert (chunks[0].id, chunks[0].model) == ("scripted-1", "m")
    assert clock.sleeps == [0.5]


def test_several_answers_stay_apart():
    """With ``n`` answers scripted, a call that is not streamed gets one chunk for each of them."""
    steps = [Chunk("a"), Chunk("x", index=1), Chunk("b"), Chunk(index=1, finish_reason="stop")]
    chunks = ask(ScriptedProvider(steps))

    assert [(chunk.index, chunk.text) for chunk in chunks] == [(0, "ab"), (1, "x")]


@pytest.mark.parametrize("stream", [True, False])
def test_what_the_script_tells_is_not_told_again(stream):
    """A finish reason and a usage of the script stand; nothing is added to them."""
    last = Chunk(finish_reason="length", usage=Usage(7, 8), extra={"k": 1})
    chunks = ask(ScriptedProvider([Chunk("a", extra={"j": 2}), last]), stream=stream)

    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["length"]
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(7, 8)]
    if stream:
        assert chunks[-1] is last
    else:
        assert chunks[0].extra == {"j": 2, "k": 1}


@pytest.mark.parametrize("stream", [True, False])
def test_a_chunk_is_a_complete_answer(stream):
    """Tool calls and what else a chunk can hold are given as a chunk; tool calls have their finish reason."""
    call = ToolCallDelta(0, "c1", "lookup", "{}")
    chunks = ask(ScriptedProvider(Chunk(tool_calls=(call,))), stream=stream)

    assert [delta for chunk in chunks for delta in chunk.tool_calls] == [call]
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize("usage", [None, Usage(5, 6, cached=1)])
@pytest.mark.parametrize("stream", [True, False])
def test_usage_can_be_given_or_withheld(usage, stream):
    """``usage=`` replaces the counted one; ``None`` tells nothing at all."""
    chunks = ask(ScriptedProvider("hi", usage=usage), stream=stream)

    assert chunks[-1].usage == usage
    assert chunks[-1].finish_reason == "stop"


@both_faces
@pytest.mark.parametrize("failure", [ServerError("broke", status=500), ServerError])
def test_an_error_is_raised_in_place_of_an_answer(blocking, failure):
    """`send` raises an instance or a class, with the names of provider and model filled in."""
    provider = ScriptedProvider(failure, name="p")
    with pytest.raises(ServerError) as caught:
        ask(provider, blocking)

    assert (caught.value.provider, caught.value.model) == ("p", "m")
    assert provider.open == 0


def test_errors_keep_what_they_say():
    """Facts that the script gives an error are not overwritten, and other errors are raised as they are."""
    provider = ScriptedProvider(
        Overloaded("busy", provider="other", model="x", retry_after=7), RateLimited("no", policy="me"), KeyError("k")
    )
    with pytest.raises(Overloaded) as overloaded:
        ask(provider)
    with pytest.raises(RateLimited) as limited:
        ask(provider)
    with pytest.raises(KeyError, match="k"):
        ask(provider)

    assert (overloaded.value.provider, overloaded.value.model, overloaded.value.retry_after) == ("other", "x", 7)
    assert limited.value.policy == "me"


def test_an_error_of_the_script_is_copied():
    """Neither traceback nor names nor the trace of one call stay with the script, and each call gets its own error."""
    error = Overloaded("busy")
    provider = ScriptedProvider.repeat(error)
    raised: list[AigwError] = []
    for _ in range(2):
        with pytest.raises(Overloaded) as caught:
            ask(provider)
        raised.append(caught.value)
    depths = [len(traceback.extract_tb(one.__traceback__)) for one in raised]

    assert raised[0] is not raised[1]
    assert depths[0] == depths[1]
    assert (error.__traceback__, error.provider, error.model) == (None, "", "")


@both_faces
@pytest.mark.parametrize("failure", [BadResponse, BadResponse("ended too early")])
def test_a_stream_breaks_where_the_script_says(blocking, failure):
    """An error among the steps is raised there: here a stream that ends without its proper end."""
    provider = ScriptedProvider(["so ", "far", failure, "never"])

    async def main():
        reply = await provider.send(make_call(stream=True, blocking=blocking), "m")
        with pytest.raises(StreamInterrupted) as caught:
            await read_all(reply)
        return caught.value

    interrupted = run(blocking, main)

    assert interrupted.partial == "so far"
    assert interrupted.usage is None
    assert isinstance(interrupted.__cause__, BadResponse)
    assert interrupted.__cause__.provider == "scripted"
    assert provider.open == 0


def test_a_broken_answer_gives_out_nothing_where_nothing_is_streamed():
    """A call that is not streamed fails as a whole, with the error itself and no part of the answer."""
    provider = ScriptedProvider(["so ", "far", ServerError])
    with pytest.raises(ServerError):
        ask(provider)

    assert provider.open == 0


@both_faces
def test_a_function_answers_the_call(blocking):
    """A function sees the call and returns any other outcome, also another function."""
    provider = ScriptedProvider(
        lambda call: call.messages[0].text.upper(), lambda _: [ServerError], lambda _: lambda call: call.id
    )
    first = ask(provider, blocking, text="loud")
    with pytest.raises(ServerError):
        ask(provider, blocking)
    third = ask(provider, blocking, id="c3")

    assert first[0].text == "LOUD"
    assert third[0].text == "c3"


def test_each_call_takes_the_next_outcome():
    """The outcomes come in order, and a script that is over says how many calls came."""
    provider = ScriptedProvider("one", ServerError, "two")
    first = ask(provider)
    with pytest.raises(ServerError):
        ask(provider)
    third = ask(provider)
    with pytest.raises(AssertionError, match="it has 3 outcomes, and this is call 4"):
        ask(provider)

    assert (first[0].text, third[0].text) == ("one", "two")
    assert (first[0].id, third[0].id) == ("scripted-1", "scripted-3")
    assert len(provider.calls) == 4


def test_a_repeated_outcome_never_ends():
    """`repeat` gives the same outcome to every call, and takes the same options."""
    clock = FakeClock()
    provider = ScriptedProvider.repeat("again", name="p", latency=2, usage=Usage(1, 1))
    chunks = [ask(provider, clock=clock)[0] for _ in range(5)]

    assert {(chunk.text, chunk.usage) for chunk in chunks} == {("again", Usage(1, 1))}
    assert clock.sleeps == [2] * 5
    assert chunks[-1].id == "p-5"


def test_calls_and_models_are_recorded():
    """Tests can look at each call as it came in, and at the model that it was for."""
    provider = ScriptedProvider("a", "b")
    ask(provider, text="first", model="x")
    ask(provider, text="second", model="y")

    assert [call.messages for call in provider.calls] == [(Message("user", "first"),), (Message("user", "second"),)]
    assert provider.models == ["x", "y"]


@both_faces
@pytest.mark.parametrize("outcome", ["hi", ServerError])
def test_latency_passes_on_the_clock_of_the_call(blocking, outcome):
    """Before an answer, and before an error, it sleeps."""
    clock = FakeClock()
    provider = ScriptedProvider(outcome, latency=1.5)
    if outcome == "hi":
        ask(provider, blocking, clock=clock)
    else:
        with pytest.raises(ServerError):
            ask(provider, blocking, clock=clock)

    assert clock.sleeps == [1.5]


@both_faces
@pytest.mark.parametrize("stream", [True, False])
def test_embeddings_get_vectors(blocking, stream):
    """An embeddings call gets a vector for each input, the same for the same text, as long as was asked for."""
    provider = ScriptedProvider.repeat("")
    fields = {"operation": "embeddings", "inputs": ("a b", "c", "a b"), "stream": stream}
    chunks = ask(provider, blocking, **fields)
    longer = ask(provider, blocking, dimensions=8, **fields)

    assert len(chunks) == 1
    first, second, third = chunks[0].vectors
    assert first == third != second
    assert [len(vector) for vector in longer[0].vectors] == [8, 8, 8]
    assert math.isclose(math.hypot(*first), 1)
    assert (chunks[0].usage, chunks[0].finish_reason, chunks[0].model) == (Usage(5, 0), None, "m")


def test_embeddings_can_be_scripted():
    """Vectors and errors of the script are given to embeddings calls as they are."""
    provider = ScriptedProvider(Chunk(vectors=((1.0, 0.0),)), ServerError)
    chunks = ask(provider, operation="embeddings")
    with pytest.raises(ServerError):
        ask(provider, operation="embeddings")

    assert chunks[0].vectors == ((1.0, 0.0),)


@pytest.mark.parametrize("outcome", [None, 3, b"bytes", Chunk, object(), ["a", None], [object]])
def test_what_is_no_outcome_is_refused_at_once(outcome):
    """A mistake in a script is a TypeError that names the provider and the place."""
    with pytest.raises(TypeError, match="outcome 1 of ScriptedProvider 'p'"):
        ScriptedProvider("fine", outcome, name="p")
    with pytest.raises(TypeError, match="call 1 of ScriptedProvider 'p' returned"):
        ask(ScriptedProvider(lambda _: outcome, name="p"))


def test_open_counts_the_answers_that_nobody_has_ended():
    """An answer is open until it was read to its end or closed, also after it failed."""
    provider = ScriptedProvider("a", "b", [ServerError])
    counts = []

    async def main():
        first, second, third = [await provider.send(make_call(stream=True), "m") for _ in range(3)]
        counts.append(provider.open)
        await read_all(first)
        counts.append(provider.open)
        await second.read()
        await second.close()
        await second.close()
        counts.append(provider.open)
        with pytest.raises(ServerError):
            await third._source.read()
        counts.append(provider.open)
        await third.close()

    drive(main())

    assert counts == [3, 2, 1, 1]
    assert provider.open == 0


def test_a_source_is_not_read_after_it_was_closed():
    """Reading on after the end or a close is a mistake of the reader, never an empty answer."""

    async def main():
        reply = await ScriptedProvider("a").send(make_call(), "m")
        await reply.close()
        await reply._source.read()

    with pytest.raises(RuntimeError, match="was read after"):
        drive(main())


@pytest.mark.parametrize("latency", [0, 5])
def test_a_call_that_is_cancelled_while_it_waits_leaves_nothing_open(latency):
    """A task that is cancelled during the latency, or in the middle of a stream, leaks no source."""
    provider = ScriptedProvider(["a", 5, "b"], latency=latency)

    async def main():
        clock = HeldClock()

        async def call():
            await read_all(await provider.send(make_call(stream=True, clock=clock, blocking=False), "m"))

        task = asyncio.create_task(call())
        await clock.waiting()
        before = provider.open
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return before, task.cancelled()

    assert asyncio.run(main()) == (0 if latency else 1, True)
    assert provider.open == 0


def test_threads_share_a_script():
    """Every outcome is given out exactly once, to whichever thread comes first, and every call is recorded."""
    provider = ScriptedProvider(*map(str, range(400)))

    def calls(_):
        return [ask(provider)[0].text for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        texts = [text for part in pool.map(calls, range(8)) for text in part]

    assert sorted(texts, key=int) == [str(number) for number in range(400)]
    assert (len(provider.calls), provider.open) == (400, 0)


STEPS = st.lists(
    st.sampled_from(["word ", 0.1, Chunk(usage=Usage(1, 1)), BadResponse, ServerError("broke"), ValueError("bug")])
)


@given(st.one_of(st.text(), STEPS), st.booleans(), st.integers(0, 6))
def test_nothing_stays_open_however_a_reader_stops(outcome, stream, reads):
    """For any script and any point to stop at, the end is told once and no source stays open."""
    provider = ScriptedProvider(outcome)
    ends = []
    chunks = []

    async def main():
        reply = await provider.send(make_call(stream=stream), "m")
        reply.when_done(ends.append)
        try:
            for _ in range(reads):
                chunk = await reply.read()
                if chunk is None:
                    break
                chunks.append(chunk)
        except (AigwError, ValueError):
            pass
        finally:
            await reply.close()

    drive(main())

    assert provider.open == 0
    assert len(ends) == 1
    assert (ends[0].outcome == "ok") == (ends[0].complete and ends[0].error is None)
    if ends[0].complete and isinstance(outcome, str):
        assert join_text(chunks) == outcome
