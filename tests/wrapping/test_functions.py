"""Wrapped functions and coroutine functions: called as before, with the policies around them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import threading
import weakref

import pytest

from aigw import AttemptTimeout, Deadline, Gateway, Message, Retry, errors
from aigw.chunk import Chunk
from aigw.reply import Reply
from aigw.testing import FakeClock
from wrapping.watch import Watch, both_kinds, gateway, wrapped


class Busy(Exception):
    """What a client raises when the server is busy."""

    status_code = 503


class Outcomes:
    """Does one thing after the other: raises errors, returns everything else."""

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)
        self.questions = []

    def __call__(self, question):
        self.questions.append(question)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Answering:
    """A policy that answers itself, or rewrites what comes."""

    def __init__(self, answer=None, rewrite=None, ask=None):
        self.answer, self.rewrite, self.ask = answer, rewrite, ask

    async def handle(self, call, inner):
        """Answer, or change."""
        if self.answer is not None:
            return Reply.replay([Chunk(self.answer)])
        reply = await inner(call if self.ask is None else self.ask(call))
        if self.rewrite is not None:
            reply.tap(lambda chunk: chunk.evolve(text=self.rewrite(chunk.text)) if chunk.text else chunk)
        return reply


@both_kinds
def test_the_very_result_comes_back(waits):
    """The caller gets the object that the function returned; policies stand around it."""
    watch, result = Watch(), object()
    ask = wrapped(gateway(watch), lambda question: result, waits=waits)

    assert ask("hello") is result
    assert watch.prompt == [("user", "hello")]
    assert watch.calls[0].model == "test/large"
    assert watch.outcomes == ["ok"]
    assert watch.ends[0].complete


@both_kinds
def test_a_failure_is_tried_again(waits):
    """The function is called once more, with the same arguments, after the wait of `Retry`."""
    outcomes = Outcomes(Busy("no"), ConnectionError("no"), "yes")
    watch = Watch()
    ask = wrapped(gateway(watch, Retry(budget=None)), outcomes, waits=waits)

    assert ask("hello") == "yes"
    assert outcomes.questions == ["hello"] * 3
    assert watch.outcomes == ["Overloaded", "Unreachable", "ok"]
    assert [decision.action for decision in watch.calls[0].trace.decisions if decision.by == "Retry"] == ["retry"] * 2


@both_kinds
def test_the_last_failure_is_raised_as_it_was(waits):
    """It is the very exception, with its own traceback; what policies saw of it is at hand."""
    error = Busy("no")
    ask = wrapped(gateway(Retry(2, budget=None)), Outcomes(Busy("first"), error), waits=waits)
    with pytest.raises(Busy) as caught:
        ask("hello")

    assert caught.value is error
    assert error.__cause__ is None
    assert isinstance(error.aigw_error, errors.Overloaded)
    assert len(error.aigw_error.trace.attempts) == 2
    assert error.__notes__ == [
        "aigw: Overloaded after 2 attempts (test/large: the provider has no capacity just now (status 503))"
    ]


@both_kinds
@pytest.mark.parametrize("error", [ValueError("mine"), RuntimeError("no running event loop"), KeyError("k")], ids=repr)
def test_other_exceptions_are_nobodys_business(waits, error):
    """What no client raises is not tried again, and comes out as it went in."""
    outcomes = Outcomes(error)
    ask = wrapped(gateway(Retry(budget=None)), outcomes, waits=waits)
    with pytest.raises(type(error)) as caught:
        ask("hello")

    assert caught.value is error
    assert len(outcomes.questions) == 1


@both_kinds
def test_a_refusal_of_a_policy_is_ours(waits):
    """A policy that refuses raises its own error, and the function is not called."""
    outcomes = Outcomes()
    ask = wrapped(gateway(Late(), Deadline(30)), outcomes, waits=waits, timeout=1)
    with pytest.raises(errors.DeadlineExceeded) as caught:
        ask("hello")

    assert caught.value.trace is not None
    assert outcomes.questions == []


class Late:
    """Uses up the time of the call."""

    async def handle(self, call, inner):
        """Wait."""
        await call.clock.sleep(100)
        return await inner(call)


@both_kinds
def test_a_policy_may_answer_for_a_function_that_returns_texts(waits):
    """A cache, say. A function that returns something else cannot be answered for, and that is told."""
    made = gateway(Answering("from elsewhere"))

    if waits:

        @made.wrap(model="m")
        async def ask(question) -> str: ...

        @made.wrap(model="m")
        async def ask_object(question) -> dict: ...

        answer = asyncio.run(ask("hello"))
        other = ask_object("hello")
    else:

        @made.wrap(model="m")
        def ask(question) -> str: ...

        @made.wrap(model="m")
        def ask_object(question) -> dict: ...

        answer = ask("hello")
        other = None
    with pytest.raises(errors.ConfigError, match=r"a policy answered in place of .*ask_object"):
        asyncio.run(other) if waits else ask_object("hello")

    assert answer == "from elsewhere"


@both_kinds
def test_policies_change_texts_and_nothing_else(waits):
    """A text comes as the policies let it out; an object as it is, or not at all: a mask must not be lost."""
    result = {"text": "hello"}
    made = gateway(Answering(rewrite=str.upper))

    assert wrapped(made, lambda question: "hello", waits=waits)("hi") == "HELLO"
    assert wrapped(gateway(Answering(rewrite=str)), lambda question: result, waits=waits)("hi") is result
    with pytest.raises(errors.ConfigError, match="which is no text"):
        wrapped(made, lambda question: result, waits=waits)("hi")


@both_kinds
def test_a_changed_prompt_reaches_the_function(waits):
    """A policy that masks a text: the function is called with what it made of it, wherever the argument stands."""
    made = gateway(Answering(ask=lambda call: call.evolve(messages=(Message("user", "[masked]"),))))

    @made.wrap(model="m")
    def named(number, question):
        return question

    assert named(1, "secret") == named(question="secret", number=1) == "[masked]"
    assert wrapped(made, lambda *given: given[1], waits=waits)(5, "secret", 6) == "[masked]"
    assert wrapped(made, lambda **given: given["input"], waits=waits)(input="secret", n=1) == "[masked]"


@both_kinds
def test_a_changed_conversation_does_not_get_lost(waits):
    """What cannot be handed to the function raises: nothing is sent that a policy wanted out."""
    outcomes = Outcomes("never")
    made = gateway(Answering(ask=lambda call: call.evolve(messages=(Message("user", "[masked]"),))))
    ask = wrapped(made, outcomes, waits=waits)
    with pytest.raises(errors.ConfigError, match="a policy changed the prompt of ask"):
        ask(messages=[{"role": "user", "content": "secret"}])

    assert outcomes.questions == []


@both_kinds
def test_changed_settings_are_told_in_the_trace(waits):
    """The function has its arguments; what a policy sets beside the prompt is written down as left out."""
    watch = Watch()
    made = gateway(watch, Answering(ask=lambda call: call.evolve(max_tokens=5)))
    wrapped(made, lambda question: "fine", waits=waits)("hi")

    first = watch.calls[0].trace.decisions[0]

    assert (first.by, first.action, first.reason) == ("ask", "left out", "max_tokens, which the function decides")


def test_a_coroutine_is_cancelled_when_its_time_is_over():
    """The limits of an attempt hold for coroutine functions, and `Retry` sees a timeout."""
    watch, cancelled = Watch(), []

    @gateway(watch, Retry(2, budget=None), AttemptTimeout(0.001)).wrap(model="m")
    async def ask(question):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(question)

    with pytest.raises(errors.TimedOut, match="the function took too long"):
        asyncio.run(ask("hello"))

    assert cancelled == ["hello", "hello"]
    assert watch.outcomes == ["TimedOut", "TimedOut"]


def test_a_cancelled_task_cancels_the_function():
    """Cancelling goes through, and the attempt is written down."""
    watch = Watch()

    async def main():
        begun = asyncio.Event()

        @gateway(watch, Retry()).wrap(model="m")
        async def ask(question):
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(ask("hello"))
        await begun.wait()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())

    assert watch.outcomes == ["cancelled"]


def test_methods_keep_their_object():
    """Methods, class methods and static methods work, below their decorators."""
    made = gateway()

    class Client:
        name = "client"

        @made.wrap(model="m")
        def ask(self, question: str) -> str:
            return f"{self.name}: {question}"

        @classmethod
        @made.wrap(model="m")
        def make(cls, question: str) -> str:
            return f"{cls.name}: {question}"

        @staticmethod
        @made.wrap(model="m")
        def say(question: str) -> str:
            return question

    client = Client()

    assert client.ask("a") == Client.ask(client, "a") == "client: a"
    assert Client.make("b") == "client: b"
    assert client.say("c") == "c"


def test_it_looks_like_the_function():
    """Name, docstring, signature and kind stay, and ``__wrapped__`` is the function without the gateway."""
    watch = Watch()

    def ask(question: str, *, tone: str = "kind") -> str:
        """Ask."""
        return question + tone

    async def wait(question: str) -> str:
        return question

    made = gateway(watch)
    both = made.wrap(model="m")(ask), made.wrap(model="m")(wait)

    assert both[0].__name__ == "ask"
    assert both[0].__doc__ == "Ask."
    assert inspect.signature(both[0]) == inspect.signature(ask)
    assert inspect.iscoroutinefunction(both[1])
    assert both[0].__wrapped__ is ask
    assert both[0].__wrapped__("a") == "akind"
    assert watch.calls == []


def test_wrong_arguments_are_type_errors():
    """As they are without the gateway."""

    @gateway().wrap(model="m")
    def ask(question, other):
        return question

    with pytest.raises(TypeError, match="other"):
        ask("hello")


def test_one_function_serves_threads_and_loops():
    """A wrapped function holds nothing of its uses; retries of one do not show in another."""
    first_tries, lock = set(), threading.Lock()
    made = Gateway({}, [Retry(budget=None)], clock=FakeClock())

    def body(question):
        with lock:
            fails = question not in first_tries
            first_tries.add(question)
        if fails:
            raise Busy(question)
        return question

    ask = made.wrap(model="m")(body)
    answers = []

    @made.wrap(model="m")
    async def ask_async(question):
        await asyncio.sleep(0)
        return body(question)

    async def main(name):
        return await asyncio.gather(*[ask_async(f"{name}-{number}") for number in range(5)])

    threads = [threading.Thread(target=lambda n=n: answers.append(ask(f"plain-{n}"))) for n in range(5)]
    threads += [threading.Thread(target=lambda n=n: answers.extend(asyncio.run(main(f"loop-{n}")))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 20
    assert set(answers) == first_tries


@pytest.mark.parametrize("error", [Busy, ValueError], ids=["judged", "other"])
@both_kinds
def test_what_a_call_held_is_freed_at_once(waits, error):
    """Neither a result nor a failure leaves cycles behind: the call is gone without the garbage collector."""
    calls = []

    class See:
        async def handle(self, call, inner):
            calls.append(weakref.ref(call))
            return await inner(call)

    made = gateway(Retry(2, budget=None), See())

    @made.wrap(model="m")
    def ask(question):
        if question == "fail":
            raise error(question)
        return "fine"

    @made.wrap(model="m")
    async def ask_async(question):
        return ask.__wrapped__(question)

    async def main():
        for question in ("hello", "fail"):
            with contextlib.suppress(error):
                await ask_async(question) if waits else ask(question)
        return [call() for call in calls]

    gc.collect()
    gc.disable()
    try:
        left = asyncio.run(main())
    finally:
        gc.enable()

    assert set(left) == {None}
    assert len(left) == (3 if error is Busy else 2)
