"""`HttpProvider`: where its key comes from, and where it never shows."""

from __future__ import annotations

import asyncio
import gc

import pytest

from aigw.errors import ConfigError, ServerError
from aigw.providers.service import HttpService, Settings
from aigw.runtime import drive
from providers.fake_http import FakeResponse, FakeTransport, answer, connect
from testing.faces import read_all

URL = "http://gpu-1:8000/v1"
SECRET = "sk-very-secret"


def send(provider, transport, **fields):
    """Make a call and read its answer."""
    return drive(read_all(drive(provider.send(transport.call(**fields), "m"))))


def transport_for(calls):
    """Make a transport that answers so often."""
    return FakeTransport(*[FakeResponse(answer()) for _ in range(calls)])


def test_the_key_of_the_environment_is_read_for_each_call(monkeypatch):
    """A key can be changed while the program runs; between changes the request is built once."""
    provider, transport = connect("openai"), transport_for(4)
    for key in ("sk-1", "sk-1", "sk-2", "sk-1"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        provider.check()
        send(provider, transport)
    keys = [transport.header("authorization", number) for number in range(4)]

    assert keys == [["Bearer sk-1"], ["Bearer sk-1"], ["Bearer sk-2"], ["Bearer sk-1"]]
    assert transport.requests[0].base is transport.requests[1].base
    assert transport.requests[1].base is not transport.requests[2].base


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key(monkeypatch, value):
    """It is told by `check` and by the call, with the name of the variable; nothing is sent."""
    if value is not None:
        monkeypatch.setenv("OPENAI_API_KEY", value)
    provider, transport = connect("openai"), FakeTransport()
    message = r"no key for openai: set the environment variable OPENAI_API_KEY, or give api_key="
    with pytest.raises(ConfigError, match=message):
        provider.check()
    with pytest.raises(ConfigError, match=message):
        send(provider, transport)

    assert transport.requests == []


def test_a_key_that_is_given(monkeypatch):
    """It replaces that of the environment, and `check` is content."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    provider, transport = connect("openai", api_key="sk-mine"), transport_for(1)
    provider.check()
    send(provider, transport)

    assert transport.header("authorization") == ["Bearer sk-mine"]


def test_no_key_no_header():
    """A server that needs none gets none, unless one is given."""
    transport = transport_for(2)
    send(connect("openai_chat", base_url=URL), transport)
    send(connect("openai_chat", base_url=URL, api_key="sk-mine"), transport)

    assert transport.header("authorization", 0) == []
    assert transport.header("authorization", 1) == ["Bearer sk-mine"]


def test_a_function_is_asked_for_the_key_of_the_moment():
    """It is called before each attempt; as long as it says the same, the request is the same object."""
    keys = iter(["a", "a", "b"])
    provider, transport = connect("openai_chat", base_url=URL, api_key=lambda: next(keys)), transport_for(3)
    for _ in range(3):
        send(provider, transport)

    assert [transport.header("authorization", number) for number in range(3)] == [
        ["Bearer a"],
        ["Bearer a"],
        ["Bearer b"],
    ]
    assert transport.requests[0].base is transport.requests[1].base


async def token():
    """Give a key, as a coroutine function."""
    return "sk-later"


def test_a_coroutine_function_on_a_loop():
    """On the async face the function may be a coroutine function."""
    provider, transport = connect("openai_chat", base_url=URL, api_key=token), transport_for(1)

    async def main():
        return await read_all(await provider.send(transport.call(loop=asyncio.get_running_loop()), "m"))

    asyncio.run(main())

    assert transport.header("authorization") == ["Bearer sk-later"]


def test_a_coroutine_function_on_the_blocking_face():
    """There it is an error that names the function, nothing is sent, and no coroutine is left over."""
    provider, transport = connect("openai_chat", base_url=URL, api_key=token), FakeTransport()
    with pytest.raises(ConfigError, match=r"token is a coroutine function: use it with gateway\.aio"):
        send(provider, transport)
    gc.collect()

    assert transport.requests == []


def test_a_function_that_fails():
    """What it raises is raised, and nothing is sent."""

    def fail():
        raise ServerError("the vault is closed")

    transport = FakeTransport()
    with pytest.raises(ServerError, match="the vault is closed"):
        send(connect("openai_chat", base_url=URL, api_key=fail), transport)

    assert transport.requests == []


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_headers_of_the_user_replace_ours(name):
    """A header that the user gives takes the place of ours of the same name; the others are added."""
    headers = {name: "Basic x", "User-Agent": "mine", "X-Team": "a"}
    provider, transport = connect("openai_chat", base_url=URL, api_key="sk", headers=headers), transport_for(1)
    headers.clear()
    send(provider, transport)

    assert transport.header("authorization") == ["Basic x"]
    assert transport.header("user-agent") == ["mine"]
    assert transport.header("x-team") == ["a"]
    assert transport.header("content-type") == ["application/json"]


def test_a_service_with_its_own_header():
    """The name of the header, and what stands before the key, are a row's own."""
    service = HttpService("mini", URL, ("MINI_KEY",), key_header=("api-key", ""))
    provider, transport = service.connect(Settings(api_key="sk"), "m"), transport_for(1)
    send(provider, transport)

    assert transport.header("api-key") == ["sk"]
    assert transport.header("authorization") == []


def test_operations_have_requests_of_their_own():
    """Chat and embeddings go to different paths with the same key, and neither is built twice."""
    vectors = FakeResponse(b'{"data": [{"embedding": [1]}]}'), FakeResponse(b'{"data": [{"embedding": [1]}]}')
    transport = FakeTransport(FakeResponse(answer()), vectors[0], FakeResponse(answer()), vectors[1])
    provider = connect("openai_chat", base_url=URL, api_key="sk")
    for operation in ("chat", "embeddings") * 2:
        send(provider, transport, operation=operation)

    assert [request.url.removeprefix(URL) for request in transport.requests[:2]] == ["/chat/completions", "/embeddings"]
    assert transport.requests[0].base is transport.requests[2].base
    assert transport.requests[1].base is transport.requests[3].base


def test_a_key_is_never_shown():
    """Neither ``repr`` of the provider and its request nor an error has the key or a header of the user."""
    provider = connect("openai_chat", base_url=URL, api_key=SECRET, headers={"x-other": SECRET})
    transport = FakeTransport(FakeResponse(b"{}", status=401))
    with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever it is)
        send(provider, transport)

    assert transport.header("authorization") == [f"Bearer {SECRET}"]
    for shown in (repr(provider), repr(transport.requests[0]), str(caught.value), repr(caught.value), provider.where):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "url",
    [
        f"https://u:{SECRET}@host/v1",
        f"ftp://u:{SECRET}@host/v1",
        f"https://u:{SECRET}@host:port/v1",
        f"https://host/v1?key={SECRET}",
    ],
)
def test_a_key_in_a_url_is_refused_and_not_repeated(url):
    """Whatever else is wrong with the URL."""
    with pytest.raises(ConfigError) as caught:
        connect("openai_chat", base_url=url)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("arguments", [{"api_key": 5}, {"headers": ["x"]}, {"headers": {"x": 5}}])
def test_wrong_arguments(arguments):
    """What is no key and no mapping of texts is told by its name when the provider is made."""
    with pytest.raises((ConfigError, TypeError), match=next(iter(arguments))):
        connect("openai_chat", base_url=URL, **arguments)


def test_headers_of_a_call():
    """They go out in the format that the call was read from, over ours, and are no part of the next request."""
    transport = transport_for(3)
    provider = connect("openai_chat", base_url=URL, api_key="sk")
    send(provider, transport, wire="openai_chat", headers={"openai-beta": "x", "User-Agent": "theirs"})
    send(provider, transport, wire="anthropic_messages", headers={"anthropic-beta": "y"})
    send(provider, transport)

    assert [transport.header("openai-beta", number) for number in range(3)] == [["x"], [], []]
    assert [transport.header("user-agent", number) for number in range(3)] == [["theirs"], ["aigw"], ["aigw"]]
    assert transport.header("anthropic-beta", 1) == []
    assert transport.header("authorization", 0) == ["Bearer sk"]


def test_a_request_that_is_none_of_its_formats():
    """It gets the provider's base URL, key and headers, which count more than those that are given."""
    provider = connect("openai_chat", base_url=URL, api_key="sk", headers={"x-mine": "1"})
    given = (("authorization", "Bearer theirs"), ("x-other", "2"), ("X-Mine", "3"))
    call = FakeTransport().call()
    request = drive(provider.request_for(call, "/v1/files?a=b", b"", method="GET", headers=given))

    assert (request.url, request.method) == (f"{URL}/files?a=b", "GET")
    assert dict(request.headers) == {"authorization": "Bearer sk", "x-other": "2", "x-mine": "1"}
