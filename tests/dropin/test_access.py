"""`Access` and `Guard` under unmodified SDKs: the key that an SDK was given says who asks."""

from __future__ import annotations

import anthropic
import openai
import pytest

from aigw import Access, Guard, Principal, Role, VirtualKeys, context
from guards.codes import Codes

ASKED = {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}
ALICE = Principal("alice", roles=frozenset({"user"}))
CODE = "K-123-456"


@pytest.fixture
def keys():
    """Make keys."""
    return VirtualKeys()


@pytest.fixture
def access(keys):
    """Let users use the route."""
    return Access({"user": Role("smart", features=["stream", "extra"])}, verify=keys.verify)


def test_the_key_of_an_sdk_says_who_asks(side, scripted, keys, access):
    """As its clients send it: as a bearer, or in a header of its own."""
    gateway, provider = scripted(*["hello"] * 3, policies=[access])
    key = keys.issue(ALICE)
    side.wait(side.openai(gateway).with_options(api_key=key).chat.completions.create(**ASKED))
    side.wait(side.anthropic(gateway).with_options(api_key=key).messages.create(max_tokens=9, **ASKED))
    with context(token=key):
        side.wait(side.gemini(gateway).models.generate_content(model="smart", contents="hi"))

    assert [call.principal for call in provider.calls] == [ALICE] * 3


def test_a_key_that_is_not_known_is_refused(side, scripted, keys, access):
    """SDKs raise what they raise for a 403; nothing is sent."""
    gateway, provider = scripted("never", policies=[access])
    with pytest.raises(openai.PermissionDeniedError, match="not known"):
        side.wait(side.openai(gateway).chat.completions.create(**ASKED))
    with pytest.raises(anthropic.PermissionDeniedError, match="not known"):
        side.wait(side.anthropic(gateway).messages.create(max_tokens=9, **ASKED))

    assert provider.calls == []


def test_what_is_masked_for_the_provider_is_not_for_the_sdk(side, scripted):
    """Whole and streamed answers come with the values, whichever SDK asks."""

    def echo(call):
        return call.messages[-1].text

    gateway, provider = scripted(*[echo] * 4, policies=[Guard(Codes())])
    asked = {"model": "smart", "messages": [{"role": "user", "content": f"code {CODE}"}]}
    first = side.wait(side.openai(gateway).chat.completions.create(**asked))
    second = side.wait(side.anthropic(gateway).messages.create(max_tokens=9, **asked))
    third = side.wait(side.gemini(gateway).models.generate_content(model="smart", contents=f"code {CODE}"))
    stream = side.wait(side.openai(gateway).chat.completions.create(stream=True, **asked))
    fourth = "".join(chunk.choices[0].delta.content or "" for chunk in side.items(stream) if chunk.choices)

    texts = [first.choices[0].message.content, second.content[0].text, third.text, fourth]
    assert texts == [f"code {CODE}"] * 4
    assert CODE not in repr([call.to_json() for call in provider.calls])


def test_a_blocked_prompt_is_a_403(side, scripted):
    """As the SDK of the day says it."""
    gateway, _ = scripted("never", policies=[Guard(Codes(), action="block")])
    with pytest.raises(openai.PermissionDeniedError, match="CODE in user") as caught:
        side.wait(
            side.openai(gateway).chat.completions.create(model="smart", messages=[{"role": "user", "content": CODE}])
        )

    assert CODE not in str(caught.value)
