"""What a call's meter tells: counted once, beside the loop where it takes long, and learned from what was reported."""

from __future__ import annotations

import asyncio
import math
import threading
from types import SimpleNamespace

import pytest

from aigw.call import Call
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import ConfigError
from aigw.message import Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.metering import count_tokens, counting, light, load_encodings, meter, received
from aigw.metering.counting import MANY, SHORT, is_short
from aigw.metering.encodings import ENCODINGS, LIGHT, Encodings, build
from aigw.metering.meter import CallMeter, Metering
from aigw.runtime import drive
from aigw.testing import make_call

SKY = "Why is the sky blue?"


def make_meter(*models, metering=None):
    """Make the meter of a call of a route with targets of these models."""
    route = SimpleNamespace(name="smart", node=SimpleNamespace(targets=[SimpleNamespace(model=one) for one in models]))
    return CallMeter(metering or Metering(), lambda _: route, route)


def call_of(text=SKY, **fields):
    """Make a call of that route."""
    return make_call(text, route="smart", **fields)


def input_tokens(meter_, call):
    """Ask as a blocking gateway does."""
    return drive(meter_.input_tokens(call))


@pytest.fixture(autouse=True)
def loaded():
    """Have the encodings loaded."""
    load_encodings()


@pytest.fixture
def threads(monkeypatch):
    """Record which thread counts."""
    seen = []

    def recording(function):
        def record(*args, **options):
            seen.append(threading.current_thread())
            return function(*args, **options)

        return record

    monkeypatch.setattr(meter, "count", recording(meter.count))
    monkeypatch.setattr(meter, "measure", recording(meter.measure))
    return seen


def test_a_known_encoding_is_exact():
    """The prompt of a model of OpenAI is counted exactly."""
    assert input_tokens(make_meter("gpt-5.5"), call_of()) == 6 + 7


def test_other_models_are_estimated():
    """Without an encoding the bytes count, and ten in a hundred more."""
    assert input_tokens(make_meter("claude-sonnet-5"), call_of()) == math.ceil((math.ceil(20 / 3.5) + 7) * 1.1)


def test_the_model_that_needs_most_counts():
    """A route with several models reserves what is enough for any."""
    one, other = make_meter("gpt-5.5"), make_meter("claude-sonnet-5")

    assert input_tokens(make_meter("gpt-5.5", "claude-sonnet-5"), call_of()) == max(
        input_tokens(one, call_of()), input_tokens(other, call_of())
    )


def test_until_it_is_loaded_tokens_are_estimated(monkeypatch):
    """A call does not wait for an encoding: its tokens are estimated, and the encoding is asked for."""
    asked = []
    monkeypatch.setattr(Encodings, "ready", lambda _, name: asked.append(name))

    assert input_tokens(make_meter("gpt-5.5"), call_of()) == 15
    assert asked == ["o200k_base"]


def test_a_loop_never_has_what_would_stop_it_loaded(monkeypatch):
    """A call of a loop is counted by the light encoding, unless somebody has loaded the other."""
    asked = []
    loaded = {}
    monkeypatch.setattr(Encodings, "ready", lambda encodings, name: asked.append((encodings, name)))
    monkeypatch.setattr(Encodings, "loaded", lambda encodings, name: loaded.get(name))
    before = counting.ready_encoding("gpt-5.5", blocking=False)
    loaded["o200k_base"] = "loaded"

    assert before is None
    assert counting.ready_encoding("gpt-5.5", blocking=False) == "loaded"
    assert counting.ready_encoding("claude-sonnet-5", blocking=False) is None
    assert asked == [(LIGHT, "o200k_base")]


def test_a_count_lets_a_loop_run(monkeypatch):
    """What measures or counts in many steps, and what a light encoding encodes, can rest at each of them."""
    rests = []
    monkeypatch.setattr(counting, "breathe", lambda: rests.append("counting"))
    monkeypatch.setattr(light, "breathe", lambda: rests.append("light"))
    many = call_of(messages=(Message("user", "hi"),) * 300)
    counting.measure(many, "gpt-5.5")
    counting.count(many, "gpt-5.5", LIGHT.load("o200k_base"))
    LIGHT.load("o200k_base").encode_ordinary("word " * 80)

    assert rests.count("counting") >= 600
    assert rests[-1] == "light"


def test_a_prompt_is_counted_once(threads):
    """However many policies ask, also with a changed copy of the call; a changed prompt is counted anew."""
    meter_, call = make_meter("gpt-5.5"), call_of()
    first = [input_tokens(meter_, call), input_tokens(meter_, call.evolve(max_tokens=5))]
    after = len(threads)
    second = input_tokens(meter_, call.evolve(messages=(*call.messages, Message("user", "Really?"))))

    assert first == [13, 13]
    assert (after, len(threads)) == (1, 2)
    assert second > 13


@pytest.mark.parametrize(
    ("model", "call", "is_beside"),
    [
        ("gpt-5.5", Call(messages=(Message("user", "hello " * 100),)), False),
        ("gpt-5.5", Call(messages=(Message("user", "hello " * 2000),)), True),
        ("gpt-5.5", Call(messages=(Message("user", "x" * 5_000_000),)), True),
        ("gpt-5.5", Call(messages=(Message("user", "a"),) * 200), True),
        ("claude-sonnet-5", Call(messages=(Message("user", "é" * 5_000_000),)), False),
        ("claude-sonnet-5", Call(messages=(Message("user", "a"),) * (MANY + 1)), True),
    ],
)
def test_long_prompts_are_counted_beside_the_loop(threads, model, call, is_beside):
    """What takes long is counted by another thread when a loop waits, and by the caller's own when it may block."""

    async def ask():
        running = call_of(blocking=False, messages=call.messages)
        return await make_meter(model).input_tokens(running), threading.current_thread()

    found, own = asyncio.run(ask())
    beside = list(threads)
    threads.clear()
    blocking = input_tokens(make_meter(model), call_of(messages=call.messages))

    assert found == blocking > 0
    assert [thread is not own for thread in beside] == [is_beside]
    assert threads == [threading.current_thread()]


@pytest.mark.parametrize(
    ("call", "short"),
    [
        (Call(), True),
        (Call(messages=(Message("user", "a" * (SHORT - 64)),)), True),
        (Call(messages=(Message("user", "a" * (SHORT - 63)),)), False),
        (Call(messages=(Message("user", "東" * (SHORT // 3)),)), False),
        (Call(messages=(Message("tool", ToolResult("c", "a" * SHORT)),)), False),
        (Call(messages=(Message("tool", ToolResult("c", (Text("a" * SHORT),))),)), False),
        (Call(messages=(Message("assistant", (Reasoning("a" * SHORT),)),)), False),
        (Call(messages=(Message("assistant", ToolCall("c", "t", "a" * SHORT)),)), False),
        (Call(messages=(Message("user", (Image("data:,"),) * 40),)), False),
        (Call(tools=(Tool("t"),) * 9), False),
        (Call(operation="embeddings", inputs=("a" * SHORT, "b")), False),
        (Call(operation="rerank", query="a" * SHORT, inputs=("b",)), False),
    ],
)
def test_what_is_short(call, short):
    """A prompt is short if all that is read for counting it is."""
    assert is_short(call) is short


def test_a_deadline_ends_the_wait():
    """A call whose deadline comes while its prompt is counted goes on with an estimate."""
    release = threading.Event()

    async def ask():
        metering = Metering()
        blocker = call_of(blocking=False)
        waiting = asyncio.ensure_future(metering.aside.run(blocker.ports, lambda: release.wait(60)))
        await asyncio.sleep(0)
        call = call_of("hello " * 5000, blocking=False, deadline=-1.0)
        found = await make_meter("gpt-5.5", metering=metering).input_tokens(call)
        release.set()
        await waiting
        return found

    assert asyncio.run(ask()) == math.ceil((math.ceil(30_000 / 3.5) + 7) * 1.1)


def test_a_child_process_needs_no_lock_of_its_parent():
    """A gateway goes on in a child, with what it had learned, though a thread of the parent held every lock."""
    metering, call = Metering(), call_of("word " * 1000)
    meter_ = make_meter("llama", metering=metering)
    meter_.learn(call, "llama", Usage(10, 90))
    for lock in (metering.calibration._lock, metering.outputs._lock, metering.aside._ready):
        lock.acquire()
    metering.after_fork()
    input_tokens(meter_, call)
    meter_.learn(call, "llama", Usage(1000, 90))

    assert meter_.output_tokens(call) == 90
    assert metering.calibration.factor("llama") < 1.1
    assert (
        asyncio.run(make_meter("gpt-5.5", metering=metering).input_tokens(call_of("a " * 9000, blocking=True))) > 9000
    )


def test_encodings_can_be_prepared(monkeypatch):
    """A gateway has the encodings of its models loaded before a call needs them."""
    asked = []
    monkeypatch.setattr(Encodings, "ready", lambda _, name: asked.append(name))
    Metering().prepare(["gpt-5.5", "claude-sonnet-5", "gpt-4-turbo"])

    assert asked == ["o200k_base", "cl100k_base"]


def test_reported_counts_are_learned():
    """Where a prompt was measured, what the provider counted makes the next estimate of that model right."""
    metering = Metering()
    for _ in range(200):
        call, meter_ = call_of("word " * 1000), make_meter("llama-3.3-70b", metering=metering)
        input_tokens(meter_, call)
        meter_.learn(call, "llama-3.3-70b", Usage(1010, 20))

    assert input_tokens(make_meter("llama-3.3-70b", metering=metering), call_of("word " * 1000)) == pytest.approx(
        1010, rel=0.02
    )
    assert metering.calibration.factor("claude-sonnet-5") == 1.1


def test_what_was_not_measured_is_not_learned():
    """A changed prompt, a guess of our own, or a prompt that nobody asked for teaches nothing."""
    metering, call = Metering(), call_of("word " * 1000)
    meter_ = make_meter("llama", metering=metering)
    meter_.learn(call, "llama", Usage(99_000, 1))
    input_tokens(meter_, call)
    meter_.learn(call.evolve(messages=()), "llama", Usage(99_000, 1))
    meter_.learn(call, "llama", Usage(99_000, 1, estimated=True))

    assert metering.calibration.factor("llama") == 1.1


def test_the_length_of_answers_is_learned():
    """The guess follows the last answers of the route and the model, and never exceeds what is allowed."""
    metering, call = Metering(), call_of()
    meter_ = make_meter("a", "b", metering=metering)
    before = meter_.output_tokens(call)
    for length in range(100):
        meter_.learn(call, "a", Usage(10, length))
    meter_.learn(call.evolve(n=2), "b", Usage(10, 60))

    assert before == 500
    assert meter_.output_tokens(call) == 89
    assert meter_.output_tokens(call.evolve(n=3)) == 3 * 89
    assert meter_.output_tokens(call.evolve(max_tokens=20)) == 20
    assert meter_.output_tokens(call.evolve(max_tokens=20, n=2)) == 40
    assert meter_.output_tokens(call.evolve(operation="embeddings")) == 0
    assert metering.outputs.guess("smart", "b") == 30


CHUNKS = (
    Chunk("Hello", reasoning="Hello"),
    Chunk(tool_calls=(ToolCallDelta(0, "c", "hello", "hello"),), refusal="x"),
    Chunk(parts=(Reasoning("x"), Text("x"), ToolCall("c", "x", "x"), ToolResult("c", "x"), Image("data:,"))),
)


@pytest.mark.parametrize("model", ["gpt-5.5", "llama"])
def test_a_guess_counts_what_came(model):
    """Where nobody told the usage, the prompt and all that came count, and the usage says that it is a guess."""
    meter_, call = make_meter(model), call_of()
    before = meter_.guess(call, CHUNKS)
    asked = input_tokens(meter_, call)
    after = meter_.guess(call, CHUNKS)

    assert before.estimated
    assert after.estimated
    assert before.input > 0
    assert after.input == asked
    assert 4 <= before.output == after.output <= 12
    assert meter_.guess(call, ()).output == 0


def test_a_guess_loads_nothing(monkeypatch):
    """To guess at what came, no encoding is loaded that is not there, and long answers are guessed by their bytes."""
    monkeypatch.setattr(received, "ENCODINGS", Encodings(build))
    without = make_meter("gpt-5.5").guess(call_of(), (Chunk("hello " * 10),)).output
    monkeypatch.setattr(received, "ENCODINGS", ENCODINGS)
    long = make_meter("gpt-5.5").guess(call_of(), (Chunk("hello " * 2000),)).output

    assert without == math.ceil(60 / 3.5 * 1.1)
    assert long == math.ceil(12_000 / 3.5 * 1.1)


def test_counting_without_a_gateway():
    """A text counts as it is, a conversation with what it costs besides, also as OpenAI's API writes it."""
    assert count_tokens(SKY, model="gpt-5.5") == 6
    assert count_tokens(Message("user", SKY), model="gpt-5.5") == 13
    assert count_tokens([{"role": "user", "content": SKY}], model="gpt-5.5") == 13
    assert count_tokens({"role": "user", "content": SKY}, model="gpt-5.5", tools=[Tool("t")]) > 13
    assert count_tokens(SKY, model="claude-sonnet-5") == 7
    assert count_tokens([Message("user", SKY)], model="claude-sonnet-5") == 15


@pytest.mark.parametrize("prompt", [3, b"x", [3], [{"role": "nobody"}], {"content": 3}])
def test_a_wrong_prompt_is_refused(prompt):
    """What is not a prompt is named in the error."""
    with pytest.raises(ConfigError, match=r"count_tokens\(prompt\)"):
        count_tokens(prompt, model="gpt-5.5")


def test_an_unknown_encoding_is_refused():
    """The error names the encodings that there are."""
    with pytest.raises(ConfigError, match=r"load_encodings\('p50k'\).*o200k_base"):
        load_encodings("p50k")
