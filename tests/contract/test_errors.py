"""How each provider says no: every class of error with real bodies, before an answer and in the middle of it."""

from __future__ import annotations

import json
import math

import pytest

from aigw import StreamInterrupted
from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    ContentFiltered,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
    Unreachable,
)
from aigw.runtime import drive
from contract.bench import ask, failed, response, written
from contract.endpoints import ENDPOINTS, every_endpoint, every_format, whole_and_streamed
from contract.said import Said
from gateway.secrets_check import KEY, said_by
from providers.fake_http import FakeResponse, FakeTransport
from wire.quota_samples import SAMPLES, VARIANTS

FAILURES = [(endpoint, failure) for endpoint in ENDPOINTS for failure in endpoint.oracle.failures(endpoint.provider)]
every_failure = pytest.mark.parametrize(
    ("endpoint", "failure"), FAILURES, ids=[f"{endpoint}: {failure.name}" for endpoint, failure in FAILURES]
)
LATE = [(endpoint, name) for endpoint in ENDPOINTS for name in endpoint.oracle.LATE_FAILURES]
every_late_failure = pytest.mark.parametrize(("endpoint", "name"), LATE, ids=[f"{one}: {name}" for one, name in LATE])


@every_failure
def test_a_failure_before_an_answer(endpoint, failure):
    """It becomes the error that it is, with its code, its id and how long to wait; nothing private is in its text."""
    for streamed in (False, True):
        error = failed(endpoint, failure, streamed=streamed)
        told = (error.code, error.request_id, error.retry_after)

        assert type(error) is failure.kind
        assert told == (failure.code, failure.request_id, failure.retry_after)
        assert (error.provider, error.model) == (endpoint.provider, endpoint.model)
        assert failure.status in (error.status, 200)
        assert not error.detail or error.detail not in str(error)
        assert KEY not in said_by(error)
        assert [attempt.outcome for attempt in error.trace.attempts] == [type(error).__name__]


def test_every_class_has_a_body():
    """The tables of failures hold all classes of errors that a server can cause."""
    kinds = {failure.kind for _, failure in FAILURES}

    assert kinds == {
        AuthenticationFailed,
        BadRequest,
        BadResponse,
        ContentFiltered,
        ContextTooLong,
        NotFound,
        Overloaded,
        PermissionDenied,
        ProviderRateLimited,
        QuotaExhausted,
        ServerError,
        TimedOut,
    }


@every_late_failure
def test_an_error_in_the_middle_of_a_stream(endpoint, name):
    """Before the first output it is an ordinary error, after it a cut stream that has what came; never an answer."""
    late, kind = endpoint.oracle.LATE_FAILURES[name]
    events = written(endpoint, Said(), True)
    seen = []
    for at in range(len(events)):
        error = failed(endpoint, [*events[:at], late], streamed=True)
        cut = isinstance(error, StreamInterrupted)
        seen.append(cut)

        assert type(error.__cause__ if cut else error) is kind
        assert not cut or (error.partial and Said().text.startswith(error.partial))

    assert seen[0] is False
    assert seen[-1] is True


@every_format
def test_an_error_in_the_same_bytes_as_the_text_before_it(endpoint):
    """What came in the same piece of the body is not lost."""
    late, kind = next(iter(endpoint.oracle.LATE_FAILURES.values()))
    events = written(endpoint, Said(), True)
    error = failed(endpoint, [b"".join(events[:-3]) + late], streamed=True)

    assert isinstance(error, StreamInterrupted)
    assert type(error.__cause__) is kind
    assert Said().text.startswith(error.partial)


@every_endpoint
@whole_and_streamed
@pytest.mark.parametrize("error", [Unreachable("no way there"), TimedOut("too slow")], ids=["unreachable", "slow"])
def test_a_server_that_is_not_there(endpoint, streamed, error):
    """What the network says is said of this provider and model."""
    found = failed(endpoint, type(error)(*error.args), streamed=streamed)

    assert type(found) is type(error)
    assert (found.provider, found.model) == (endpoint.provider, endpoint.model)
    assert found.retryable


NONSENSE = {
    "a page": b"<html><body>Welcome to nginx!</body></html>",
    "nothing": b"",
    "null": b"null",
    "a number": b"7",
    "an empty object": b"{}",
    "a list": b"[[]]",
    "half an object": b'{"id": "x", "choices": [{"index": 0, "mess',
}


@every_endpoint
@whole_and_streamed
def test_an_answer_that_makes_no_sense(endpoint, streamed):
    """Status 200 and something else than an answer is a bad response, which another try may better."""
    for body in NONSENSE.values():
        reply = FakeResponse(body, headers={"content-type": "text/html"})
        error = failed(endpoint, reply, streamed=streamed)

        assert type(error) is BadResponse
        assert (error.provider, error.model) == (endpoint.provider, endpoint.model)


def comparable(hint):
    """Return what a hint says, without the times: those of day are long past."""
    if hint is None:
        return None
    return [(one.dimension, one.limit, one.remaining, one.window, one.used, one.scope) for one in hint.allowances]


@every_endpoint
@whole_and_streamed
def test_what_it_tells_about_its_limits(endpoint, streamed):
    """Limits in the headers of an answer are told in one form; at a server without such headers nothing is."""
    sample = SAMPLES.get(endpoint.provider)
    reply = response(endpoint, Said(), streamed=streamed)
    reply.headers = {**(sample.headers if sample else {}), **reply.headers}
    call = FakeTransport(reply).call(stream=streamed)
    got = drive(endpoint.target().provider.send(call, endpoint.model))
    drive(got.prime(whole=True))

    assert comparable(got.quota) == (comparable(sample.expected) if sample else None)
    drive(got.close())


@every_endpoint
def test_what_it_tells_about_its_limits_when_it_refuses(endpoint):
    """The same headers on a refusal stand in the error."""
    sample = SAMPLES.get(endpoint.provider)
    headers = dict(sample.headers) if sample else {}
    error = failed(endpoint, FakeResponse(b"{}", status=503, headers=headers))
    wanted = comparable(sample.expected) if sample else None

    assert type(error) is Overloaded
    assert comparable(error.quota) == wanted or (error.quota.retry_after is not None and not wanted)
    assert error.retry_after is None or math.isfinite(error.retry_after)


VARIED = [
    (endpoint, case, sample)
    for case, sample in VARIANTS.items()
    for endpoint in ENDPOINTS
    if case.partition(":")[0] == endpoint.provider and sample.status != 200
]


@pytest.mark.parametrize(("endpoint", "case", "sample"), VARIED, ids=[f"{one}-{case}" for one, case, _ in VARIED])
def test_limits_that_a_refusal_tells_of(endpoint, case, sample):
    """What a provider says when a limit is reached, in headers or in the body, stands in the error."""
    body = b"{}" if sample.error is None else json.dumps({"error": sample.error}).encode()
    error = failed(endpoint, FakeResponse(body, status=sample.status, headers=dict(sample.headers)))

    assert isinstance(error, (ProviderRateLimited, QuotaExhausted))
    assert isinstance(error, QuotaExhausted) is error.quota.is_used_up
    assert comparable(error.quota) == comparable(sample.expected)
    assert error.retry_after == sample.retry_after


@every_format
def test_an_error_is_one_on_the_async_face_too(endpoint):
    """Both faces say the same of the same failure, whole and streamed."""
    for failure in endpoint.oracle.failures(endpoint.provider):
        for streamed in (False, True):
            asked = ask(endpoint, failure, streamed=streamed, face="async")

            assert type(asked.error) is failure.kind
            assert asked.error.code == failure.code
