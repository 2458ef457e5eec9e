"""`HttpProvider`: what it sends, and what it makes of the answer."""

from __future__ import annotations

import pytest

from aigw import errors
from aigw.chunk import Usage
from aigw.errors import (
    BadRequest,
    BadResponse,
    ConfigError,
    DeadlineExceeded,
    NoCapableTarget,
    Overloaded,
    ProviderRateLimited,
    ServerError,
    TimedOut,
    Unreachable,
)
from aigw.message import Message, Tool
from aigw.providers.base import Provider
from aigw.providers.service import HttpService, Settings
from aigw.runtime import drive
from providers.fake_http import DONE, STOP, FakeResponse, FakeTransport, answer, connect, error_body, event, events
from testing.faces import read_all

URL = "http://gpu-1:8000/v1"
SECRET = "what the user wrote"


def provider_of(**arguments):
    """Make a provider for any server."""
    return connect("openai_chat", base_url=URL, **arguments)


def ask(transport, provider=None, **fields):
    """Make one call and read its answer to the end."""
    reply = drive((provider or provider_of()).send(transport.call(**fields), "m"))
    return drive(read_all(reply))


def failure(transport, provider=None, **fields):
    """Make one call that fails; return the error."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  (each test looks at it)
        ask(transport, provider, **fields)
    return caught.value


def test_it_is_a_provider():
    """It fits the protocol, and shows its name and place."""
    provider = provider_of()
    provider.check()

    assert isinstance(provider, Provider)
    assert (provider.name, provider.where) == ("openai-compatible", URL)
    assert repr(provider) == f"HttpProvider('openai-compatible', base_url='{URL}')"


def test_a_whole_answer():
    """The body is rendered for the model and posted; the answer is one chunk with what it tells."""
    response = FakeResponse(answer("hello"))
    transport = FakeTransport(response)
    (chunk,) = ask(transport, max_tokens=7, extra={"top_k": 5})
    request = transport.requests[0]

    assert (request.url, request.method) == (f"{URL}/chat/completions", "POST")
    assert transport.bodies == [
        {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 7, "top_k": 5}
    ]
    assert (chunk.text, chunk.usage, chunk.model) == ("hello", Usage(1, 2), "m-1")
    assert transport.header("content-type") == ["application/json"]
    assert transport.header("user-agent") == ["aigw"]
    assert response.is_read


def test_embeddings():
    """An embeddings call goes to its own path, and its answer has vectors; it is never streamed."""
    body = b'{"data": [{"index": 0, "embedding": [0.5]}], "model": "e-1"}'
    transport = FakeTransport(FakeResponse(body), FakeResponse(body))
    for stream in (False, True):
        (chunk,) = ask(transport, operation="embeddings", stream=stream)
        assert chunk.vectors == ((0.5,),)

    assert {request.url for request in transport.requests} == {f"{URL}/embeddings"}


def test_a_streamed_answer():
    """Chunks come as their bytes do, wherever those are cut; after the end the connection is given back."""
    data = b"".join(events(["hel", "lo"]))
    response = FakeResponse(data[:30], data[30:100], data[100:])
    transport = FakeTransport(response)
    chunks = ask(transport, stream=True)

    assert "".join(chunk.text for chunk in chunks) == "hello"
    assert chunks[-1].finish_reason == "stop"
    assert transport.bodies[0]["stream"] is True
    assert response.closed >= 1


def test_nothing_is_read_before_it_is_asked_for():
    """A stream is read piece by piece, as its reader wants them."""
    response = FakeResponse(event("a"), event("b"), STOP, DONE)
    reply = drive(provider_of().send(FakeTransport(response).call(stream=True), "m"))
    drive(reply.read())
    read = len(response.timeouts)
    drive(reply.close())

    assert read == 1
    assert response.closed == 1
    assert not response.is_read


def test_several_chunks_in_one_piece():
    """What came together is given out one by one, without another read."""
    response = FakeResponse(event("a") + event("b"), STOP + DONE)
    reply = drive(provider_of().send(FakeTransport(response).call(stream=True), "m"))
    texts = [drive(reply.read()).text for _ in range(2)]

    assert (texts, len(response.timeouts)) == (["a", "b"], 1)


@pytest.mark.parametrize("tail", [[], [b": the end\n\n"], [b"x", b"y"]])
def test_the_tail_of_a_stream_is_read(tail):
    """What comes after the format's own end is read and ignored, so that the connection can be used again."""
    response = FakeResponse(*events(["hi"]), *tail)
    ask(FakeTransport(response), stream=True)

    assert response.is_read
    assert response.closed >= 1


@pytest.mark.parametrize("tail", [60.0, TimedOut("slow"), BadResponse("cut"), Unreachable("gone")])
def test_a_bad_tail_is_no_failure(tail):
    """The answer is complete: nobody waits long for the end of its body, and an error there loses only a connection."""
    transport = FakeTransport(FakeResponse(*events(["hi"]), tail, b"more"))
    response = transport._answers[0]
    chunks = ask(transport, stream=True)

    assert chunks[0].text == "hi"
    assert response.timeouts[-1] <= 0.1
    assert transport.clock.now() <= 0.1
    assert response.closed >= 1


def test_a_stream_without_its_last_line_is_whole_if_all_is_said():
    """The end of the body after every finish reason is a proper end too, also where the last event is not closed."""
    transport = FakeTransport(FakeResponse(event("hi"), STOP), FakeResponse(event("hi"), STOP[:-2]))

    for _ in range(2):
        chunks = ask(transport, stream=True)
        assert [chunk.finish_reason for chunk in chunks] == [None, "stop"]


@pytest.mark.parametrize("rest", [[], [BadResponse("cut")], [b"data: {broken\n\n"], [b"data: [1]\n\n"]])
def test_a_stream_that_breaks_before_its_first_output(rest):
    """A body that ends too early, is cut or makes no sense is a BadResponse, and the connection is closed."""
    response = FakeResponse(event(role="x"), *rest)
    error = failure(FakeTransport(response), stream=True)

    assert type(error) is BadResponse
    assert (error.provider, error.model) == ("openai-compatible", "m")
    assert response.closed == 1


def test_an_error_inside_a_stream():
    """A provider may send an error as an event: it is classified like any other, and signed."""
    body = b"data: " + error_body("busy", type="overloaded_error") + b"\n\n"
    error = failure(FakeTransport(FakeResponse(body)), stream=True)

    assert type(error) is Overloaded
    assert (error.provider, error.model, error.detail) == ("openai-compatible", "m", "busy")


def test_a_server_that_knows_no_streams():
    """A whole answer in place of a stream is taken as it is."""
    headers = {"content-type": "application/json; charset=utf-8"}
    (chunk,) = ask(FakeTransport(FakeResponse(answer("hello"), headers=headers)), stream=True)

    assert (chunk.text, chunk.finish_reason) == ("hello", "stop")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error_body(), BadRequest),
        (401, error_body(), errors.AuthenticationFailed),
        (429, error_body(), ProviderRateLimited),
        (429, error_body(code="insufficient_quota"), errors.QuotaExhausted),
        (500, b"<html>", ServerError),
        (503, b"", Overloaded),
        (201, b"{}", BadResponse),
        (302, b"", BadResponse),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_of_the_provider(status, body, kind, stream):
    """Everything but 200 is a failure: classified, signed with provider and model, with the provider's own words."""
    headers = {"retry-after": "7", "x-request-id": "req-1"}
    error = failure(FakeTransport(FakeResponse(body, status=status, headers=headers)), stream=stream)

    assert type(error) is kind
    assert (error.provider, error.model, error.status) == ("openai-compatible", "m", status)
    assert (error.retry_after, error.request_id) == (7.0, "req-1")
    assert "it failed" not in str(error)


@pytest.mark.parametrize("body", [[BadResponse("cut")], [TimedOut("slow")], [60.0, b"late"]])
def test_an_error_whose_body_cannot_be_read(body):
    """The status alone is enough to go on; nobody waits longer than five seconds for the rest."""
    transport = FakeTransport(FakeResponse(*body, status=503))
    error = failure(transport)

    assert (type(error), error.detail) == (Overloaded, "")
    assert transport.clock.now() <= 5


def test_the_body_of_an_error_is_not_waited_for_beyond_the_deadline():
    """The call's own limit counts there too."""
    transport = FakeTransport(FakeResponse(60.0, b"late", status=503))
    failure(transport, deadline=2.0)

    assert transport.clock.now() <= 2


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b'{"choices": [', b"\xff\xfe"])
def test_an_answer_that_is_not_json(body):
    """It is a BadResponse that tells its length and quotes nothing."""
    error = failure(FakeTransport(FakeResponse(body)))

    assert type(error) is BadResponse
    assert str(error) == f"openai-compatible/m: an answer of {len(body)} bytes that is not JSON"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"hello"', b'{"choices": []}', b'{"choices": [1]}'])
def test_json_that_is_no_answer(body):
    """It is a BadResponse as well, signed with provider and model."""
    error = failure(FakeTransport(FakeResponse(body)))

    assert type(error) is BadResponse
    assert (error.provider, error.model) == ("openai-compatible", "m")


@pytest.mark.parametrize("error", [Unreachable("no connection"), TimedOut("slow"), BadResponse("cut")])
@pytest.mark.parametrize("late", [True, False])
def test_a_failure_of_the_transport_is_signed(error, late):
    """What the transport says, before or after the head of the answer, gets the names of provider and model."""
    raised = failure(FakeTransport(FakeResponse(error) if late else error))

    assert raised is error
    assert (raised.provider, raised.model) == ("openai-compatible", "m")


def test_a_call_that_cannot_be_written_as_json():
    """A value in ``extra=`` that JSON cannot hold is told before anything is sent, without quoting the prompt."""
    transport = FakeTransport()
    for fields in ({"extra": {"x": object()}}, {"tools": (Tool("f", parameters={"x": object()}),)}):
        error = failure(transport, text=SECRET, **fields)
        assert type(error) is ConfigError
        assert "look at extra= and the tools" in str(error)
        assert SECRET not in str(error)

    assert transport.requests == []


def test_a_text_that_cannot_be_sent():
    """Half of a surrogate pair is no text: told as an error of ours, without quoting it."""
    error = failure(FakeTransport(), messages=(Message("user", SECRET + "\ud800"),))

    assert type(error) is ConfigError
    assert SECRET not in str(error)


def test_an_operation_that_a_service_does_not_have():
    """It is refused before anything is sent, so that a fallback goes on to one that has it."""
    error = failure(FakeTransport(), HttpService("mini", URL).connect(Settings(), "m"), operation="embeddings")

    assert type(error) is NoCapableTarget
    assert str(error) == "mini does not do embeddings"


def test_no_request_without_time_to_answer_it():
    """When the deadline is over nothing is sent."""
    transport = FakeTransport()
    transport.clock.advance(10)
    error = failure(transport, deadline=10.0)

    assert type(error) is DeadlineExceeded
    assert transport.requests == []


def test_the_limits_go_to_the_transport():
    """Connecting has its own limit, and the head of the answer the one of the attempt."""
    transport = FakeTransport(FakeResponse(answer()), FakeResponse(*events(["hi"])), FakeResponse(answer()))
    ask(transport)
    ask(transport, stream=True)
    ask(transport, deadline=3.0)

    assert transport.limits == [(5.0, 600.0), (5.0, 60.0), (5.0, 3.0)]


@pytest.mark.parametrize(
    "url",
    ["", "gpu-1:8000", "ftp://host", "http://", "http://host:99999", "http://host:0", "http://[::1", "http://a b/v1"],
)
def test_what_is_no_url(url):
    """A base URL that makes no sense is told when the provider is made."""
    with pytest.raises(ConfigError, match="is not a URL of the form"):
        connect("openai_chat", base_url=url)


def test_the_table_has_the_service_of_the_name():
    """A row of the table needs nothing else."""
    assert connect("openai").where == "https://api.openai.com/v1"
