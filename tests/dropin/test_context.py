"""Who asks, and on what terms: context managers and headers, from the SDK's side to the call."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from aigw import ConfigError, Principal
from aigw.dropin import context

ASKED = {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}


def test_a_context(side, scripted):
    """All that SDKs ask within the block has it, whichever SDK it is."""
    gateway, provider = scripted(*["hello"] * 4)
    with context(principal="alice", tags="internal", priority="batch", timeout=9, metadata={"feature": "search"}):
        side.wait(side.openai(gateway).chat.completions.create(**ASKED))
        side.wait(side.anthropic(gateway).messages.create(max_tokens=9, **ASKED))
        side.wait(side.gemini(gateway).models.generate_content(model="smart", contents="hi"))
    side.wait(side.openai(gateway).chat.completions.create(**ASKED))
    *inside, outside = provider.calls

    for call in inside:
        assert call.principal == Principal("alice")
        assert (call.tags, call.priority, call.timeout) == ({"internal"}, "batch", 9)
        assert call.metadata == {"feature": "search"}
    assert (outside.principal, outside.tags, outside.priority) == (None, frozenset(), "standard")


def test_contexts_within_contexts(scripted):
    """The inner one counts; tags and metadata add up; leaving it restores the outer one."""
    gateway, provider = scripted(*["hello"] * 2)
    client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))
    with context(principal="alice", tags=["a"], metadata={"x": "1", "y": "1"}):
        with context(principal=Principal("bob", team="t"), tags=["b"], metadata={"y": "2"}):
            client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)
    inner, outer = provider.calls

    assert (inner.principal, inner.tags, inner.metadata) == (
        Principal("bob", team="t"),
        {"a", "b"},
        {"x": "1", "y": "2"},
    )
    assert (outer.principal, outer.tags, outer.metadata) == (Principal("alice"), {"a"}, {"x": "1", "y": "1"})


def test_each_task_and_thread_has_its_own(scripted):
    """Contexts of tasks and threads that run at once do not mix."""
    gateway, provider = scripted(*["hello"] * 20)
    client = openai.AsyncOpenAI(api_key="none", http_client=gateway.aio.http_client("openai"))
    blocking = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))

    async def ask(number: int) -> None:
        with context(principal=f"task {number}"):
            await asyncio.sleep(0)
            await client.chat.completions.create(**{**ASKED, "user": f"task {number}"})

    async def main() -> None:
        await asyncio.gather(*map(ask, range(10)))

    def ask_blocking(number: int) -> None:
        with context(principal=f"thread {number}"):
            blocking.chat.completions.create(**{**ASKED, "user": f"thread {number}"})

    asyncio.run(main())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask_blocking, range(10)))

    assert {call.principal.id for call in provider.calls} == {call.extra["user"] for call in provider.calls}
    assert len(provider.calls) == 20
    assert all(call.principal.id == call.extra["user"] for call in provider.calls)


def test_headers(side, scripted):
    """A client says it with ``default_headers=``; none of these headers is part of the call."""
    gateway, provider = scripted("hello", "hello")
    headers = {
        "x-aigw-principal": "service",
        "X-AIGW-Tags": "internal, eu",
        "x-aigw-priority": "interactive",
        "x-aigw-timeout": "2.5",
        "x-aigw-metadata": '{"feature": "search"}',
    }
    client = side.openai(gateway, default_headers=headers)
    side.wait(client.chat.completions.create(**ASKED))
    side.wait(client.chat.completions.create(**ASKED, extra_headers={"x-aigw-timeout": "none"}))
    first, second = provider.calls

    assert first.principal == Principal("service")
    assert (first.tags, first.priority, first.timeout) == ({"internal", "eu"}, "interactive", 2.5)
    assert first.metadata == {"feature": "search"}
    assert second.timeout == 600.0  # as long as the SDK itself waits
    assert first.extra == {}


def test_a_context_counts_more_than_a_header(scripted):
    """A header says what holds for a client, a context what holds for a part of the program."""
    gateway, provider = scripted("hello")
    headers = {"x-aigw-principal": "service", "x-aigw-tags": "a"}
    client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"), default_headers=headers)
    with context(principal="alice", tags="b"):
        client.chat.completions.create(**ASKED)

    assert provider.calls[0].principal == Principal("alice")
    assert provider.calls[0].tags == {"a", "b"}


def test_a_route_by_header(side, scripted):
    """The model of the body can stay as it is: a header names the route, and it must be there."""
    gateway, provider = scripted("hello")
    client = side.openai(gateway)
    body = {**ASKED, "model": "gpt-9"}
    side.wait(client.chat.completions.create(**body, extra_headers={"x-aigw-route": "smart"}))
    with pytest.raises(openai.NotFoundError, match="no route is called 'wise'"):
        side.wait(client.chat.completions.create(**body, extra_headers={"x-aigw-route": "wise"}))

    assert [call.route for call in provider.calls] == ["smart"]


@pytest.mark.parametrize(
    ("header", "value", "told"),
    [
        ("principle", "alice", "there is no header x-aigw-principle; there are x-aigw-principal"),
        ("principal", "", "x-aigw-principal must be an id"),
        ("priority", "high", "x-aigw-priority must be interactive, standard or batch"),
        ("timeout", "soon", "x-aigw-timeout must be seconds, or none"),
        ("timeout", "-1", "x-aigw-timeout must be a positive number"),
        ("metadata", "a=b", "x-aigw-metadata must be a JSON object of texts"),
        ("metadata", '{"a": 1}', "x-aigw-metadata must be a JSON object of texts"),
    ],
)
def test_headers_that_make_no_sense(scripted, header, value, told):
    """They are refused rather than ignored: a misspelled principal would be none."""
    gateway, provider = scripted()
    client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))
    with pytest.raises(openai.BadRequestError, match=told):
        client.chat.completions.create(**ASKED, extra_headers={f"x-aigw-{header}": value})

    assert provider.calls == []


def test_arguments_that_make_no_sense():
    """They are told at once, by their names, and nothing is set."""
    with pytest.raises(TypeError, match=r"context\(\) has no option 'principle'"), context(principle="alice"):
        pass
    with pytest.raises(ConfigError, match=r"context\(priority\) must be"), context(priority="high"):
        pass
