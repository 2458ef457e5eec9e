"""Wrapped generators: the same items, lazily, and everything settled however it ends."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from aigw import AttemptTimeout, Gateway, Retry, StreamInterrupted, errors
from aigw.chunk import Chunk, Usage
from aigw.reply import Reply
from aigw.testing import FakeClock
from wrapping.watch import Watch, both_generators, gateway, streamed

if TYPE_CHECKING:
    from collections.abc import Iterator


class Busy(Exception):
    """What a client raises when the server is busy."""

    status_code = 503


class Stages:
    """A generator for each use: gives out texts, raises errors; remembers how often it was begun and closed."""

    def __init__(self, *uses):
        self._uses = list(uses)
        self.begun = 0
        self.closed = 0

    def __call__(self, question):
        steps = self._uses[self.begun]
        self.begun += 1
        try:
            for step in steps:
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            self.closed += 1


@both_generators
def test_the_same_items_in_order(waits):
    """Whatever the items are: texts, objects, nothing at all."""
    items = ["a", object(), None, 5, {"text": "b"}, "", b"c"]
    watch = Watch()
    ask = streamed(gateway(watch), lambda question: iter(items), waits=waits)
    given = ask("hello")

    assert list(map(id, given)) == list(map(id, items))
    assert watch.calls[0].stream
    assert watch.ends[0].complete
    assert watch.usage.estimated
    assert [decision.action for decision in watch.calls[0].trace.decisions] == ["estimated"]


@both_generators
def test_a_failure_before_the_first_item_is_tried_again(waits):
    """The function is called again; the caller sees one stream."""
    stages = Stages([Busy("1")], [Busy("2")], ["a", "b"])
    watch = Watch()
    ask = streamed(gateway(watch, Retry(budget=None)), stages, waits=waits)

    assert ask("hello") == ["a", "b"]
    assert (stages.begun, stages.closed) == (3, 3)
    assert watch.outcomes == ["Overloaded", "Overloaded", "ok"]


@both_generators
def test_a_failure_after_it_is_not(waits):
    """What the function raised is raised; `aigw_error` is the `StreamInterrupted` with what had come."""
    stages = Stages(["so ", "far", Busy("late")], ["never"])
    ask = streamed(gateway(Retry(budget=None)), stages, waits=waits)
    with pytest.raises(Busy) as caught:
        ask("hello")

    assert stages.begun == stages.closed == 1
    assert isinstance(caught.value.aigw_error, StreamInterrupted)
    assert caught.value.aigw_error.partial == "so far"
    assert caught.value.aigw_error.trace.attempts[0].outcome == "StreamInterrupted"


@both_generators
def test_what_says_nothing_yet_is_held_back(waits):
    """Events before the first output are no output: a failure right after them can still be tried again."""
    role = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    word = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}
    stages = Stages([role, Busy("between")], [role, word])
    ask = streamed(gateway(Retry(budget=None)), stages, waits=waits)

    assert ask("hello") == [role, word]
    assert stages.begun == 2


def test_it_is_lazy():
    """Calling it runs nothing; an item is asked for when the caller wants one."""
    steps = []

    @gateway().wrap(model="m")
    def ask(question):
        steps.append("begun")
        yield "a"
        steps.append("on")
        yield "b"

    items = ask("hello")
    seen = [list(steps)]
    next(items)
    seen.append(list(steps))
    next(items)
    seen.append(list(steps))

    assert seen == [[], ["begun"], ["begun", "on"]]
    items.close()


def test_it_is_a_generator():
    """``yield from`` gets what it returned; `close` and `throw` close it; nothing can be sent in."""
    stages = Stages(["a", "b"], ["a", "b"], ["a"], ["a"])

    @gateway().wrap(model="m")
    def ask(question):
        yield from stages(question)
        return "returned"

    def outer():
        result = yield from ask("hello")
        yield result

    assert list(outer()) == ["a", "b", "returned"]

    items = ask("hello")
    next(items)
    with pytest.raises(KeyError):
        items.throw(KeyError("mine"))
    assert stages.closed == 2
    assert list(items) == []

    with pytest.raises(TypeError, match="nothing can be sent"):
        ask("hello").send("x")
    items = ask("hello")
    assert items.send(None) == "a"
    items.close()
    items.close()
    assert stages.closed == 3


def test_an_async_one_is_an_async_generator():
    """The same with ``await``."""
    closed = []

    @gateway().wrap(model="m")
    async def ask(question):
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(question)

    async def main():
        items = ask("one")
        assert await items.asend(None) == "a"
        with pytest.raises(KeyError):
            await items.athrow(KeyError("mine"))
        with pytest.raises(TypeError, match="nothing can be sent"):
            await ask("two").asend("x")
        items = ask("three")
        await anext(items)
        await items.aclose()
        await items.aclose()
        return [item async for item in items]

    assert asyncio.run(main()) == []
    assert closed == ["one", "three"]


@pytest.mark.parametrize("dropped", [False, True], ids=["closed", "dropped"])
def test_leaving_early_settles_the_call(dropped):
    """The function's generator is closed, and every policy hears of the end, once."""
    watch, stages = Watch(), Stages(["a", "b"], ["a", "b"])

    @gateway(watch).wrap(model="m")
    def ask(question):
        yield from stages(question)

    items = ask("hello")
    next(items)
    if not dropped:
        items.close()
    del items
    gc.collect()

    assert stages.closed == 1
    assert [end.outcome for end in watch.ends] == ["abandoned"]
    assert watch.outcomes == ["abandoned"]


def test_an_async_one_that_is_dropped():
    """Its generator is closed by the loop, when it runs next."""
    watch = Watch()

    async def main():
        closed = asyncio.Event()

        @gateway(watch).wrap(model="m")
        async def ask(question):
            try:
                yield "a"
                yield "b"
            finally:
                closed.set()

        items = ask("hello")
        await anext(items)
        del items
        gc.collect()
        await closed.wait()

    asyncio.run(main())

    assert [end.outcome for end in watch.ends] == ["abandoned"]


def test_an_item_that_takes_too_long():
    """Limits between chunks hold for async generators, which are cancelled."""
    cancelled = []

    @gateway(AttemptTimeout(between_chunks=0.001)).wrap(model="m")
    async def ask(question):
        yield "so far"
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(question)

    async def main():
        return [item async for item in ask("hello")]

    with pytest.raises(StreamInterrupted, match="the function is too slow") as caught:
        asyncio.run(main())

    assert caught.value.partial == "so far"
    assert cancelled == ["hello"]


def test_a_generator_whose_time_is_over():
    """What a plain generator waits for cannot be interrupted; its limit is looked at before its next item."""
    clock = FakeClock()

    @Gateway({}, [AttemptTimeout(10)], clock=clock).wrap(model="m")
    def ask(question):
        yield "a"
        clock.advance(11)
        yield "b"
        yield "c"

    items = ask("hello")
    given = [next(items), next(items)]
    with pytest.raises(StreamInterrupted):
        next(items)

    assert given == ["a", "b"]


class Shouting:
    """Makes texts loud; or keeps them all until the end."""

    def __init__(self, *, keep=False):
        self.keep = keep

    async def handle(self, call, inner):
        """Tap the reply."""
        reply = await inner(call)
        kept = []
        if self.keep:
            reply.tap(lambda chunk: kept.append(chunk.text), flush=lambda: Chunk("".join(kept)) if kept else None)
        else:
            reply.tap(lambda chunk: chunk.evolve(text=chunk.text.upper()))
        return reply


@both_generators
def test_policies_change_texts(waits):
    """Texts come out as the policies let them out."""
    ask = streamed(gateway(Shouting()), lambda question: iter(["a", "b"]), waits=waits)

    assert ask("hello") == ["A", "B"]


def test_what_a_policy_keeps_comes_later():
    """Objects whose chunks a policy kept come at the end, in order, and each once; texts as the policy made them."""
    items = [object(), object()]
    made = gateway(Shouting(keep=True))

    @made.wrap(model="m")
    def objects(question):
        yield from items

    @made.wrap(model="m")
    def texts(question) -> Iterator[str]:
        yield from ["a", "b"]

    assert list(objects("hello")) == items
    kept = list(texts("hello"))
    assert "".join(kept) == "ab"


@both_generators
def test_usage_of_items(waits):
    """``usage=`` is asked for each item; the last one that knows counts."""
    watch = Watch()
    ask = streamed(
        gateway(watch),
        lambda question: iter([("a", None), ("b", 1), ("c", 2)]),
        waits=waits,
        usage=lambda item: None if item[1] is None else Usage(10, item[1]),
    )
    ask("hello")

    assert watch.usage == Usage(10, 2)


@both_generators
def test_it_ends_where_the_function_ends(waits):
    """A function may stop reading when it has enough; that is no failure."""
    word = {"choices": [{"index": 0, "delta": {"content": "hi"}}]}
    watch = Watch()
    ask = streamed(gateway(watch), lambda question: iter([word]), waits=waits)

    assert ask("hello") == [word]
    assert watch.ends[0].complete
    assert watch.text == "hi"
    assert watch.usage.estimated


@both_generators
def test_a_bad_event_is_not_the_callers_problem(waits):
    """What looks like an event of an SDK and is none is handed out all the same."""
    odd = [{"choices": ["no"]}, {"type": "message_start"}, {"type": "message_delta", "delta": 5}, {"candidates": [5]}]
    ask = streamed(gateway(), lambda question: iter(odd), waits=waits)

    assert ask("hello") == odd


def test_errors_of_ours_go_through():
    """A generator that uses another gateway: its errors are judged as they are."""
    stages = Stages([errors.Overloaded("busy")], ["fine"])

    @gateway(Retry(budget=None)).wrap(model="m")
    def ask(question):
        yield from stages(question)

    assert list(ask("hello")) == ["fine"]


def test_streams_of_other_clients():
    """Events of boto3 (Converse) and Cohere, chunks of aigw, and whole answers among the items."""
    bedrock = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "hello"}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, "metrics": {"latencyMs": 1}}},
    ]
    tokens = {"tokens": {"input_tokens": 3, "output_tokens": 4}}
    cohere = [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "hello"}}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": tokens}},
    ]
    message = {"role": "assistant", "content": "hello"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    whole = [{"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}]
    for items in (bedrock, cohere, [Chunk("hello", usage=Usage(3, 4))], whole):
        watch = Watch()
        ask = streamed(gateway(watch), lambda question, items=items: iter(items), waits=False)

        assert ask("hi") == items
        assert watch.text == "hello"
        assert (watch.usage.input, watch.usage.output, watch.usage.estimated) == (3, 4, False)


def test_a_policy_may_answer_for_a_generator_of_texts():
    """As for functions: one that says that it gives out texts; others cannot be answered for."""

    class Cached:
        async def handle(self, call, inner):
            return Reply.replay([Chunk("from "), Chunk("elsewhere")])

    made = gateway(Cached())

    @made.wrap(model="m")
    def texts(question) -> Iterator[str]:
        yield "never"

    @made.wrap(model="m")
    def objects(question) -> Iterator[dict]:
        yield {}

    assert list(texts("hi")) == ["from ", "elsewhere"]
    with pytest.raises(errors.ConfigError, match=r"a policy answered in place of .*objects"):
        list(objects("hi"))
