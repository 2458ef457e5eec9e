"""The client's own time limit: it bounds the call, and is told as the exception of the client's own family."""

from __future__ import annotations

import anthropic
import httpx
import httpx2
import openai
import pytest

import aigw
from aigw import Deadline, Gateway, Target
from aigw.call import DEFAULT_TIMEOUTS
from aigw.dropin import GatewayTransport
from aigw.testing import FaultyUpstream, ScriptedProvider, Slow, Stall

ASKED = [{"role": "user", "content": "hi"}]
NEVER = Slow(float("inf"))


@pytest.fixture
def slow():
    """A server that never answers, and a gateway in front of it."""
    with FaultyUpstream() as upstream:
        upstream.always(NEVER)
        gateway = Gateway({"smart": Target(upstream.url, model="m")})
        yield upstream, gateway
        gateway.close()


def test_a_whole_answer(side, slow):
    """The SDKs make their own timeout errors of it, as of a server that does not answer."""
    upstream, gateway = slow
    chat = side.openai(gateway, timeout=0.1, max_retries=0).chat.completions
    messages = side.anthropic(gateway, timeout=0.1, max_retries=0).messages
    with pytest.raises(openai.APITimeoutError):
        side.wait(chat.create(model="smart", messages=ASKED))
    with pytest.raises(anthropic.APITimeoutError):
        side.wait(messages.create(model="smart", max_tokens=9, messages=ASKED))
    with pytest.raises(httpx2.ReadTimeout):
        side.wait(side.gemini(gateway, timeout=100).models.generate_content(model="smart", contents="hi"))
    if side.name == "async":
        side.wait(gateway.aio.close())

    assert len(upstream.requests) == 3


def test_the_first_chunk_of_a_stream(side, slow):
    """A stream that does not begin in time is no different."""
    upstream, gateway = slow
    chat = side.openai(gateway, timeout=0.1, max_retries=0).chat.completions
    with pytest.raises(openai.APITimeoutError):
        side.wait(chat.create(model="smart", messages=ASKED, stream=True))
    if side.name == "async":
        side.wait(gateway.aio.close())

    assert len(upstream.requests) == 1


def test_a_pause_in_a_stream(side):
    """A pause that is longer than the client waits ends the stream; the stream as a whole may take longer."""
    with FaultyUpstream("one two three four") as upstream:
        upstream.next(Stall(after=2))
        gateway = Gateway({"smart": Target(upstream.url, model="m")})
        client = side.openai(gateway, timeout=0.1, max_retries=0)
        stream = side.wait(client.chat.completions.create(model="smart", messages=ASKED, stream=True))
        with pytest.raises(openai.APITimeoutError):
            side.items(stream)
        gateway.close()
        if side.name == "async":
            side.wait(gateway.aio.close())


@pytest.mark.parametrize("family", [httpx, httpx2], ids=lambda family: family.__name__)
def test_each_family_has_its_own(slow, family):
    """The exception is that of the family whose request it was, and knows the request."""
    _, gateway = slow
    with (
        family.Client(transport=GatewayTransport(gateway), base_url="http://gateway/v1", timeout=0.1) as client,
        pytest.raises(family.ReadTimeout, match=r"within the client's own limit of 0\.1 s") as raised,
    ):
        client.post("/chat/completions", json={"model": "smart", "messages": ASKED})

    assert raised.value.request.url.path == "/v1/chat/completions"


def test_the_gateways_own_limit_is_an_answer(side, slow):
    """A deadline of the gateway that comes first is 504; a long timeout of the SDK does not lift it."""
    upstream, _ = slow
    gateway = Gateway({"smart": Target(upstream.url, model="m")}, [Deadline(0.1)])
    with pytest.raises(openai.InternalServerError) as raised:
        side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED))
    gateway.close()
    if side.name == "async":
        side.wait(gateway.aio.close())

    assert raised.value.status_code == 504
    assert raised.value.response.headers["x-aigw-error"] == "DeadlineExceeded"


def test_what_a_call_is_told(clock):
    """A read timeout is a deadline for a whole answer, and a limit for each wait of a stream; it only ever shortens."""
    provider = ScriptedProvider.repeat("hello")
    gateway = Gateway({"smart": Target(provider, model="m")}, [Deadline(30)], clock=clock)
    client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))
    chat = client.chat.completions
    chat.create(model="smart", messages=ASKED)
    chat.create(model="smart", messages=ASKED, timeout=10)
    chat.create(model="smart", messages=ASKED, timeout=httpx2.Timeout(10, read=None))
    chat.create(model="smart", messages=ASKED, timeout=10, stream=True).close()
    chat.create(model="smart", messages=ASKED, stream=True).close()
    with aigw.dropin.context(timeout=100):
        chat.create(model="smart", messages=ASKED)
        chat.create(model="smart", messages=ASKED, timeout=20)
    with aigw.dropin.context(timeout=None):
        chat.create(model="smart", messages=ASKED, timeout=20)
    limits = [call.timeouts for call in provider.calls]

    assert [call.deadline - clock.now() for call in provider.calls] == [30, 10, 30, 30, 30, 100, 20, 20]
    assert (limits[3].first_chunk, limits[3].between_chunks) == (10, 10)
    assert limits[3].total == DEFAULT_TIMEOUTS.total
    assert limits[4] == limits[0] == DEFAULT_TIMEOUTS
