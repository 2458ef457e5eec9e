"""Typed functions that ask a model, on both faces: the docstring is the prompt, the annotation decides the rest."""

# ruff: noqa: D205, D415  (docstrings are prompts here)

from __future__ import annotations

import asyncio
import enum
import inspect
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pydantic
import pytest

import aigw
from aigw import Answer, BadResponse, Chunk, ConfigError, Gateway, Message, Target
from aigw.testing import FakeClock, ScriptedProvider


class Sentiment(pydantic.BaseModel):
    """What an answer is read as."""

    mood: Literal["good", "bad"]
    score: int = 0


@dataclass
class City:
    """The same, as a dataclass."""

    name: str


class Mood(enum.Enum):
    """A value that is no object."""

    GOOD = "good"
    BAD = "bad"


class Scripted:
    """A gateway with one route, and what it was asked."""

    def __init__(self, *script):
        self.provider = ScriptedProvider(*script)
        self.gateway = Gateway({"smart": Target(self.provider)}, aigw.standard(), clock=FakeClock())

    @property
    def asked(self):
        """What the calls asked: roles and texts."""
        return [[(m.role, m.text) for m in call.messages] for call in self.provider.calls]


faces = pytest.mark.parametrize("waits", [False, True], ids=["blocking", "async"])


def define(scripted, returns, *, waits, **options):
    """Decorate a function that returns this; return one that runs it, whatever its kind."""

    def blocking(topic: str, n: int = 3):
        """Say {{ n }} words about {{ topic }}."""

    async def waiting(topic: str, n: int = 3):
        """Say {{ n }} words about {{ topic }}."""

    function = waiting if waits else blocking
    function.__annotations__["return"] = returns
    asked = scripted.gateway.prompt(**options)(function)
    return (lambda *args, **kwargs: asyncio.run(asked(*args, **kwargs))) if waits else asked


@faces
def test_a_text(waits):
    """``-> str`` is the text of the answer; arguments and defaults go into the docstring."""
    scripted = Scripted("rain", "snow")
    ask = define(scripted, str, waits=waits, model="smart", temperature=0, principal="alice")

    assert ask("weather") == "rain"
    assert ask(topic="weather", n=5) == "snow"
    assert scripted.asked == [[("user", "Say 3 words about weather.")], [("user", "Say 5 words about weather.")]]
    assert scripted.provider.calls[0].temperature == 0
    assert scripted.provider.calls[0].principal.id == "alice"
    assert not scripted.provider.calls[0].stream


@faces
def test_an_answer(waits):
    """``-> Answer`` is all of it, also with tools, several choices, or a schema."""
    scripted = Scripted('{"name": "Rome"}')
    ask = define(scripted, Answer, waits=waits, schema=City)
    answer = ask("weather")

    assert answer.parsed == City("Rome")
    assert answer.trace.attempts


@faces
@pytest.mark.parametrize(
    ("returns", "said", "value"),
    [
        (Sentiment, '{"mood": "good", "score": 2}', Sentiment(mood="good", score=2)),
        (City, '{"name": "Rome"}', City("Rome")),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (list[City], '{"value": [{"name": "Rome"}]}', [City("Rome")]),
        (int, '{"value": 5}', 5),
        (bool, '{"value": false}', False),
        (Mood, '{"value": "good"}', Mood.GOOD),
        (Literal["a", "b"], '{"value": "b"}', "b"),
        (City | None, '{"value": null}', None),
        ("Sentiment", '{"mood": "bad", "score": 1}', Sentiment(mood="bad", score=1)),
        ("list[int]", '{"value": [1, 2]}', [1, 2]),
    ],
    ids=str,
)
def test_a_value(waits, returns, said, value):
    """Any type that pydantic knows; what is no object is asked for as the only field of one."""
    scripted = Scripted(said)
    ask = define(scripted, returns, waits=waits)

    assert ask("weather") == value
    assert scripted.provider.calls[0].schema.schema["type"] == "object"
    assert len(scripted.provider.calls) == 1


@faces
def test_an_answer_that_does_not_fit_is_repaired_once(waits):
    """The model sees what it wrote and what is wrong with it."""
    scripted = Scripted('{"mood": "meh"}', '{"mood": "bad", "score": 1}')
    ask = define(scripted, Sentiment, waits=waits, model="smart", max_tokens=50)

    assert ask("weather") == Sentiment(mood="bad", score=1)
    assert len(scripted.asked) == 2
    question, wrote, told = scripted.asked[1]
    assert question == ("user", "Say 3 words about weather.")
    assert wrote == ("assistant", '{"mood": "meh"}')
    assert told[0] == "user"
    assert "mood (literal_error)" in told[1]
    assert scripted.provider.calls[1].max_tokens == 50
    assert scripted.provider.calls[1].id != scripted.provider.calls[0].id


@faces
def test_a_repair_that_fails_is_an_error(waits):
    """There is one attempt; the error has the trace of the last call, and quotes nothing."""
    scripted = Scripted("no JSON at all", '{"mood": "secret"}', "never")
    ask = define(scripted, Sentiment, waits=waits)
    with pytest.raises(BadResponse, match=r"does not fit the schema: mood") as caught:
        ask("weather")

    assert len(scripted.asked) == 2
    assert "secret" not in str(caught.value)
    assert len(caught.value.trace.attempts) == 1


@faces
@pytest.mark.parametrize("returns", [Sentiment, str], ids=["value", "text"])
def test_a_refusal_is_an_error(waits, returns):
    """A function cannot return what is not there; the model's words are the detail."""
    scripted = Scripted(Chunk(refusal="I would rather not.", finish_reason="stop"))
    ask = define(scripted, returns, waits=waits)
    with pytest.raises(BadResponse, match="the model refused to answer") as caught:
        ask("weather")

    assert caught.value.detail == "I would rather not."
    assert caught.value.trace is not None
    assert len(scripted.asked) == 1


@faces
def test_an_answer_that_was_cut_is_not_repaired(waits):
    """It would be cut again."""
    scripted = Scripted(Chunk('{"mood": "go', finish_reason="length"))
    ask = define(scripted, Sentiment, waits=waits)
    with pytest.raises(BadResponse, match="it was cut at max_tokens"):
        ask("weather")

    assert len(scripted.asked) == 1


@pytest.mark.parametrize("returns", [Iterator[str], Iterable[str], "Iterator[str]"], ids=str)
def test_a_stream(returns):
    """``-> Iterator[str]`` gives the pieces of the text as they come; nothing is sent before the first is read."""
    scripted = Scripted(["a ", Chunk(reasoning="hm"), "b"])
    pieces = define(scripted, returns, waits=False)("weather")
    before = len(scripted.asked)

    assert before == 0
    assert list(pieces) == ["a ", "b"]
    assert scripted.provider.calls[0].stream
    assert pieces.answer.text == "a b"


@pytest.mark.parametrize("returns", [AsyncIterator[str], AsyncIterable[str], "AsyncIterator[str]"], ids=str)
@pytest.mark.parametrize("awaited", [False, True], ids=["def", "async-def"])
def test_an_async_stream(returns, awaited):
    """An ``async def`` is awaited and gives an iterator, a ``def`` gives it at once, as their annotations say."""
    scripted = Scripted(["a ", "b"])

    def plain(topic):
        """Talk about {{ topic }}."""

    async def waiting(topic):
        """Talk about {{ topic }}."""

    function = waiting if awaited else plain
    function.__annotations__["return"] = returns
    ask = scripted.gateway.prompt()(function)

    async def main():
        pieces = await ask("weather") if awaited else ask("weather")
        texts = [text async for text in pieces]
        return texts, pieces.answer.text

    assert asyncio.run(main()) == (["a ", "b"], "a b")


def test_leaving_a_stream():
    """Its block or `close` closes the answer."""
    scripted = Scripted(["a ", "b"], ["a ", "b"], ["a ", "b"])
    ask = define(scripted, Iterator[str], waits=False)
    with ask("weather") as pieces:
        next(pieces)
    left = [scripted.provider.open]
    pieces = ask("weather")
    next(pieces)
    pieces.close()
    left.append(scripted.provider.open)

    @scripted.gateway.prompt()
    def later() -> AsyncIterator[str]:
        """Talk."""

    async def main():
        async with later() as pieces:
            await anext(pieces)
        return scripted.provider.open

    assert [*left, asyncio.run(main())] == [0, 0, 0]


def test_a_stream_that_is_a_refusal():
    """It raises at its end, as the whole answer would."""
    scripted = Scripted(*[[Chunk(refusal="no", finish_reason="stop")]] * 2)
    with pytest.raises(BadResponse, match="refused"):
        list(define(scripted, Iterator[str], waits=False)("weather"))

    @scripted.gateway.prompt()
    def later() -> AsyncIterator[str]:
        """Talk."""

    async def main():
        return [text async for text in later()]

    with pytest.raises(BadResponse, match="refused"):
        asyncio.run(main())


@faces
@pytest.mark.parametrize(
    "prompt",
    ["about rain", Message("user", "about rain"), [Message("system", "x"), {"role": "user", "content": "about rain"}]],
    ids=["text", "message", "list"],
)
def test_a_body_makes_the_prompt(waits, prompt):
    """Then the docstring is only documentation."""
    scripted = Scripted("wet")
    gateway = scripted.gateway
    if waits:

        @gateway.prompt()
        async def ask(topic: str) -> str:
            """Document {{ what }} it does."""
            await asyncio.sleep(0)
            return prompt

        answer = asyncio.run(ask("rain"))
    else:

        @gateway.prompt()
        def ask(topic: str) -> str:
            """Document {{ what }} it does."""
            return prompt

        answer = ask("rain")

    assert answer == "wet"
    assert scripted.asked[0][-1] == ("user", "about rain")


@faces
def test_a_body_must_return_a_prompt(waits):
    """What is none is told, by the function's name."""
    scripted = Scripted()

    @scripted.gateway.prompt()
    def ask(topic: str) -> str:
        return 5

    @scripted.gateway.prompt()
    async def wait(topic: str) -> str:
        return []

    with pytest.raises(ConfigError, match=r"prompt\(\) of (ask|wait)\(\)"):
        asyncio.run(wait("x")) if waits else ask("x")


def test_render_sends_nothing():
    """It shows the messages, of every kind of function; an async body is awaited by itself."""
    scripted = Scripted()
    gateway = scripted.gateway

    @gateway.prompt()
    def classify(review: str) -> Sentiment:
        """system: Be short.
        user: Classify: {{ review }}
        """

    @gateway.prompt()
    async def write(topic: str) -> AsyncIterator[str]:
        """Write about {{ topic }}."""

    @gateway.prompt()
    def body(topic: str) -> str:
        return f"About {topic}"

    @gateway.prompt()
    async def wait(topic: str) -> str:
        return f"About {topic}"

    with pytest.raises(ConfigError, match="await its __wrapped__"):
        wait.render("x")

    assert classify.render("fine") == (Message("system", "Be short."), Message("user", "Classify: fine"))
    assert write.render(topic="rain") == (Message("user", "Write about rain."),)
    assert body.render("rain") == (Message("user", "About rain"),)
    assert asyncio.run(wait.__wrapped__("rain")) == "About rain"
    assert scripted.asked == []


def test_methods():
    """``self`` may be in the template and need not be."""
    scripted = Scripted("a", "b")

    class Critic:
        name = "Ann"

        @scripted.gateway.prompt()
        def greet(self, whom: str) -> str:
            """{{ self.name }} greets {{ whom }}."""

        @scripted.gateway.prompt()
        def judge(self, whom: str) -> str:
            """Judge {{ whom }}."""

    critic = Critic()
    answers = critic.greet("Bob"), critic.judge("Bob")

    assert answers == ("a", "b")
    assert scripted.asked == [[("user", "Ann greets Bob.")], [("user", "Judge Bob.")]]
    assert Critic.greet.render(critic, "Bob")[0].text == "Ann greets Bob."


def test_it_looks_like_the_function():
    """Name, docstring, signature and kind stay."""
    gateway = Scripted().gateway

    async def ask(topic: str, *, n: int = 3) -> str:
        """Say {{ n }} words about {{ topic }}."""

    asked = gateway.prompt()(ask)

    assert asked.__name__ == "ask"
    assert asked.__doc__ == ask.__doc__
    assert inspect.signature(asked) == inspect.signature(ask)
    assert inspect.iscoroutinefunction(asked)
    assert asked.__wrapped__ is ask


def test_contexts_count():
    """Who asks may be said around the call."""
    scripted = Scripted("a")
    ask = define(scripted, str, waits=False, tags="x")
    with aigw.dropin.context(principal="alice", tags="y"):
        ask("weather")

    assert scripted.provider.calls[0].principal.id == "alice"
    assert scripted.provider.calls[0].tags == {"x", "y"}


def test_one_function_serves_threads_and_loops():
    """It holds nothing of its uses."""
    provider = ScriptedProvider.repeat(lambda call: call.messages[0].text)
    gateway = Gateway({"smart": Target(provider)}, clock=FakeClock())
    answers = []

    @gateway.prompt()
    def ask(topic: str) -> str:
        """{{ topic }}"""

    @gateway.prompt()
    async def wait(topic: str) -> str:
        """{{ topic }}"""

    async def main(name):
        return await asyncio.gather(*[wait(f"{name}-{number}") for number in range(5)])

    threads = [threading.Thread(target=lambda n=n: answers.append(ask(f"plain-{n}"))) for n in range(5)]
    threads += [threading.Thread(target=lambda n=n: answers.extend(asyncio.run(main(f"loop-{n}")))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 20


def yielding(topic) -> Iterator[str]:
    """Say {{ topic }}."""
    yield topic


def undocumented(topic) -> str: ...  # noqa: D103  (that is the point)


def unknown_name(topic) -> str:
    """Say {{ topic }} and {{ more }}."""


def unused_argument(topic, tone) -> str:
    """Say {{ topic }}."""


def unannotated(topic):
    """Say {{ topic }}."""


def to_nothing(topic) -> None:
    """Say {{ topic }}."""


def to_anything(topic) -> Any:
    """Say {{ topic }}."""


def to_numbers(topic) -> Iterator[int]:
    """Say {{ topic }}."""


def to_nowhere(topic) -> Nowhere:  # noqa: F821  (that is the point)
    """Say {{ topic }}."""


def to_a_thread(topic) -> threading.Thread:
    """Say {{ topic }}."""


async def waits_for_blocking(topic) -> Iterator[str]:
    """Say {{ topic }}."""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (yielding, "it yields"),
        (undocumented, "write the prompt as its docstring"),
        (unknown_name, r"\{\{ more \}\} is none of its arguments; there are: topic"),
        (unused_argument, "its argument 'tone' is not used"),
        (unannotated, "say what it returns"),
        (to_nothing, "say what it returns"),
        (to_anything, "say what it returns"),
        (to_numbers, "only a stream of texts"),
        (to_nowhere, "the return annotation 'Nowhere' names what is not known"),
        (to_a_thread, "pydantic makes no JSON schema of it"),
        (waits_for_blocking, r"return an AsyncIterator\[str\]"),
        (str, "not <class 'str'>"),
        (5, "not 5"),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_what_does_not_fit_together(function, words):
    """Told when the function is decorated, by its name and by what to do."""
    with pytest.raises(ConfigError, match=words):
        Scripted().gateway.prompt()(function)


def test_arguments_that_are_not_for_the_prompt():
    """A name with an underscore in front need not be used."""
    scripted = Scripted("a")

    @scripted.gateway.prompt()
    def ask(topic: str, _trace: str = "") -> str:
        """Say {{ topic }}."""

    assert ask("x", _trace="y") == "a"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "smrt"}, "did you mean 'smart'"),
        ({"max_tokens": 0}, r"prompt\(max_tokens\)"),
        ({"tools": [aigw.Tool("look")]}, "return aigw.Answer"),
        ({"n": 2}, "return aigw.Answer"),
        ({"schema": City}, "leave schema= out"),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_wrong_options(options, words):
    """Told when the function is decorated."""
    with pytest.raises(ConfigError, match=words):
        define(Scripted(), str, waits=False, **options)


def test_unknown_options():
    """As everywhere."""
    with pytest.raises(TypeError, match="did you mean 'temperature'"):
        Scripted().gateway.prompt(temprature=1)
