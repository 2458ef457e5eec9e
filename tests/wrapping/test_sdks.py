"""Functions that use the official SDKs: what was asked and answered is found, and the SDK's object comes back."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx2
import openai
import pytest
from google.genai import types
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from aigw import Retry, Usage
from aigw.assembly import assemble
from aigw.trace import CallTrace
from wrapping.clients import ANSWER, TEXT, Server
from wrapping.watch import Watch, gateway

SAID = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Why is the sky blue?"}]
QUESTION = "Why is the sky blue?"

FUNCTIONS = {
    "chat": (lambda to, **request: to.openai.chat.completions.create(model="m", **request), {"messages": SAID}),
    "parse": (lambda to, **request: to.openai.chat.completions.parse(model="m", **request), {"messages": SAID}),
    "responses": (
        lambda to, **request: to.openai.responses.create(model="m", **request),
        {"input": QUESTION, "instructions": "Be short."},
    ),
    "messages": (
        lambda to, **request: to.anthropic.messages.create(model="m", max_tokens=9, **request),
        {"messages": SAID[1:], "system": "Be short."},
    ),
    "generate": (
        lambda to, **request: to.google.models.generate_content(model="m", **request),
        {"contents": QUESTION, "config": types.GenerateContentConfig(system_instruction="Be short.")},
    ),
}

STREAMS = {
    "chat": (
        lambda to, **request: to.openai.chat.completions.create(
            model="m", stream=True, stream_options={"include_usage": True}, **request
        ),
        {"messages": SAID},
    ),
    "responses": (
        lambda to, **request: to.openai.responses.create(model="m", stream=True, **request),
        {"input": QUESTION, "instructions": "Be short."},
    ),
    "messages": (
        lambda to, **request: to.anthropic.messages.create(model="m", max_tokens=9, stream=True, **request),
        {"messages": SAID[1:], "system": "Be short."},
    ),
    "generate": (
        lambda to, **request: to.google.models.generate_content_stream(model="m", **request),
        {"contents": QUESTION, "config": {"system_instruction": "Be short."}},
    ),
}

HELPERS = {
    "chat": lambda to: to.openai.chat.completions.stream(
        model="m", messages=SAID, stream_options={"include_usage": True}
    ),
    "responses": lambda to: to.openai.responses.stream(model="m", input=QUESTION),
    "messages": lambda to: to.anthropic.messages.stream(model="m", max_tokens=9, messages=SAID[1:]),
}


def check(watch: Watch) -> None:
    """Look at what a policy saw of the call."""
    answer = assemble(watch.replies[-1].delivered, CallTrace())

    assert watch.prompt == [("system", "Be short."), ("user", QUESTION)]
    assert answer.text == TEXT
    assert [(call.name, call.parse()) for call in answer.tool_calls] == [("look", {"up": True})]
    assert answer.model == "m"
    assert (watch.usage.input, watch.usage.output, watch.usage.cached, watch.usage.estimated) == (11, 7, 3, False)
    assert watch.ends[-1].complete


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_returns_the_sdks_object(name):
    """Policies see prompt, text, tool calls and usage; the caller gets the very object that the SDK made."""
    server, watch, returned = Server(), Watch(), []
    function, request = FUNCTIONS[name]

    @gateway(watch).wrap(model="m")
    def ask(**request):
        returned.append(function(server, **request))
        return returned[-1]

    answer = ask(**request)

    assert answer is returned[0]
    assert len(server.requests) == 1
    check(watch)


@pytest.mark.parametrize("name", STREAMS)
def test_a_generator_gives_out_the_sdks_events(name):
    """The same of a stream: every event comes out as the SDK made it, in order."""
    server, watch, given = Server(), Watch(), []
    function, request = STREAMS[name]

    @gateway(watch).wrap(model="m")
    def ask(**request):
        for event in function(server, **request):
            given.append(event)
            yield event

    events = list(ask(**request))

    assert list(map(id, events)) == list(map(id, given))
    assert len(events) > 1
    check(watch)


@pytest.mark.parametrize("name", HELPERS)
def test_the_stream_helpers_of_the_sdks(name):
    """The helpers say everything twice, in events of their own; it is read once."""
    server, watch = Server(), Watch()

    @gateway(watch).wrap(model="m")
    def ask(question):
        with HELPERS[name](server) as stream:
            yield from stream

    events = list(ask(QUESTION))

    assert len(events) > len(ANSWER)
    assert watch.text == TEXT
    assert watch.usage.input == 11


def test_async_clients():
    """Coroutine functions and async generators around the async clients."""
    server, watch = Server(), Watch()
    made = gateway(watch)

    @made.wrap(model="m")
    async def ask(**request):
        return await server.async_openai.chat.completions.create(model="m", **request)

    @made.wrap(model="m")
    async def ask_google(contents):
        return await server.google.aio.models.generate_content(model="m", contents=contents)

    @made.wrap(model="m")
    async def read(**request):
        async for event in await server.async_anthropic.messages.create(
            model="m", max_tokens=9, stream=True, **request
        ):
            yield event

    async def main():
        answer = await ask(messages=SAID)
        content = await ask_google(QUESTION)
        return answer, content, [event.type async for event in read(messages=SAID[1:], system="Be short.")]

    answer, content, types_of_events = asyncio.run(main())

    assert answer.choices[0].message.content == content.text == TEXT
    assert types_of_events[0] == "message_start"
    assert types_of_events[-1] == "message_stop"
    check(watch)


def test_objects_of_the_sdks_in_a_prompt():
    """A conversation may hold what the SDKs returned before: messages of OpenAI, contents of Google."""
    watch = Watch()
    made = gateway(watch)

    @made.wrap(model="m")
    def chat(messages):
        return "fine"

    chat([*SAID, ChatCompletionMessage(role="assistant", content="Because."), {"role": "user", "content": "Why?"}])
    first = watch.prompt

    @made.wrap(model="m")
    def generate(contents):
        return "fine"

    generate(["Look:", types.Part.from_text(text="up"), types.Content(role="model", parts=[types.Part(text="Yes")])])

    assert first[2:] == [("assistant", "Because."), ("user", "Why?")]
    assert [role for role, _ in watch.prompt] == ["user", "assistant"]
    assert [part.text for part in watch.calls[-1].messages[0].parts] == ["Look:", "up"]


def test_settings_are_found_with_the_prompt():
    """What bounds and shapes the answer is known to policies: limits can reserve by it."""
    watch = Watch()

    @gateway(watch).wrap(model="m")
    def ask(**request):
        return "fine"

    tool = {"name": "look", "input_schema": {"type": "object"}}
    ask(
        messages=SAID[1:],
        system="x",
        max_tokens=9,
        temperature=0.5,
        stop_sequences=["."],
        tools=[tool],
        user_id=object(),
    )
    call = watch.calls[-1]

    assert (call.max_tokens, call.temperature, call.stop) == (9, 0.5, (".",))
    assert [tool.name for tool in call.tools] == ["look"]
    assert call.extra == {}


def test_an_error_of_an_sdk_is_raised_as_it_was():
    """Policies see our error and retry by it; the caller's own ``except`` sees the SDK's, with ours at hand."""
    server, watch = Server(*[limited() for _ in range(3)]), Watch()

    @gateway(watch, Retry(3, budget=None)).wrap(model="openai/gpt-5.5")
    def ask(question):
        return server.openai.chat.completions.create(model="m", messages=[{"role": "user", "content": question}])

    with pytest.raises(openai.RateLimitError) as caught:
        ask(QUESTION)
    error = caught.value

    assert len(server.requests) == 3
    assert type(error.aigw_error).__name__ == "ProviderRateLimited"
    assert error.aigw_error.retry_after == 2
    assert [attempt.status for attempt in error.aigw_error.trace.attempts] == [429, 429, 429]
    assert "ProviderRateLimited after 3 attempts" in error.__notes__[0]


def limited():
    """Make the answer of a server that is asked too fast."""
    body = {"error": {"message": "too fast", "type": "requests", "code": "rate_limit_exceeded"}}
    return httpx2.Response(429, json=body, headers={"retry-after": "2"})


def test_old_and_odd_results():
    """Dicts and plain objects of the same shapes are read alike, and so is a completion within a tuple."""
    body = {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    shapes = [body, opened(body), ({"parsed": 1}, body), ChatCompletion.construct(**body)]
    usages = []
    for shape in shapes:
        watch = Watch()

        @gateway(watch).wrap(model="m")
        def ask(question, shape=shape):
            return shape

        assert ask("hi") is shape
        usages.append((watch.text, watch.usage))

    assert usages == [("hi", Usage(3, 1))] * len(shapes)


def opened(value):
    """Turn dicts into objects with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: opened(item) for name, item in value.items()})
    return [opened(item) for item in value] if isinstance(value, list) else value
