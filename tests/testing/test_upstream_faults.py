"""FaultyUpstream in bad health: each fault, streamed and not, byte by byte."""

from __future__ import annotations

import http.client
import json
import math
from urllib.parse import urlsplit

import pytest

from aigw.testing import Cut, FaultyUpstream, Hangup, Malformed, Slow, Stall, Status, Unfinished, faults
from aigw.testing.upstream.answers import Content
from aigw.testing.upstream.answers import chat as render
from aigw.testing.upstream.plan import plan
from testing.raw_http import ask, chat, connect, exchange, parse, post, receive, request

WORDS = "eins zwei drei"

streamed_or_not = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@pytest.fixture
def upstream():
    """Serve three words."""
    with FaultyUpstream(WORDS) as upstream:
        yield upstream


def healthy(upstream, *, stream):
    """Ask for the same answer without a fault, with the ids of the first request."""
    data = exchange(upstream, chat(stream=stream))
    number = len(upstream.requests)
    return parse(data.replace(b"chatcmpl-%08d" % number, b"chatcmpl-00000001").replace(b"req-%d" % number, b"req-1"))


@streamed_or_not
def test_slow_sends_nothing_before_its_time(upstream, stream):
    """While it is slow not one byte comes, also not the head; a client that leaves ends the wait."""
    upstream.next(Slow(math.inf), Slow(3600))
    never = exchange(upstream, chat(stream=stream), leave=True)
    later = exchange(upstream, chat(stream=stream), leave=True)
    upstream.wait_until(lambda: upstream.connections == 0)

    assert (never, later) == (b"", b"")


@streamed_or_not
def test_slow_answers_in_full_after_its_time(upstream, stream):
    """When the time is over the whole answer comes."""
    upstream.next(Slow(0))
    answer = ask(upstream, chat(stream=stream))

    assert answer == healthy(upstream, stream=stream)
    assert plan(render({}, Content("a"), 1), Slow(2.5))[0] == 2.5


@pytest.mark.parametrize(("after", "text"), [(0, ""), (1, "eins "), (2, "eins zwei "), (9, WORDS)])
def test_stall_stands_still_in_a_stream(upstream, after, text):
    """So many words come, not the end, and the connection stays open until the client leaves."""
    upstream.next(Stall(after))
    answer = ask(upstream, chat(stream=True), leave=True)
    upstream.wait_until(lambda: upstream.connections == 0)

    assert (answer.status, answer.text, answer.proper, answer.rest) == (200, text, False, b"")
    assert len(answer.events) == (0 if after == 0 else 1 + len(text.split()))


@pytest.mark.parametrize("after", [0, 1, 2])
def test_stall_stands_still_in_a_complete_answer(upstream, after):
    """The head comes, then nothing or half of the body."""
    upstream.next(Stall(after))
    answer = ask(upstream, chat(stream=False), leave=True)
    length = int(answer.headers["content-length"])

    assert not answer.proper
    assert len(answer.body) == (0 if after == 0 else length // 2)


@streamed_or_not
def test_stall_goes_on_after_its_time(upstream, stream):
    """With ``seconds`` the rest of the answer comes."""
    upstream.next(Stall(after=1, seconds=0))
    answer = ask(upstream, chat(stream=stream))

    assert answer == healthy(upstream, stream=stream)
    assert [step for step in plan(render({"stream": stream}, Content("a"), 1), Stall(1, 3)) if step == 3] == [3]


@streamed_or_not
def test_a_client_sees_that_it_left_a_stall(upstream, stream):
    """Closing the client's socket in the middle of a stall frees the connection."""
    upstream.next(Stall(after=1))
    with connect(upstream) as connection:
        connection.sendall(chat(stream=stream))
        seen = connection.recv(10)
        held = upstream.connections
    upstream.wait_until(lambda: upstream.connections == 0)

    assert (seen, held) == (b"HTTP/1.1 2", 1)


@streamed_or_not
def test_cut_gives_exactly_so_many_bytes_of_the_body(upstream, stream):
    """For every length the body is a prefix of the true one, and HTTP tells that it is not all there."""
    true = healthy(upstream, stream=stream).body
    for count in [0, 1, *range(len(true) // 2, len(true) // 2 + 9), len(true) - 1]:
        upstream.next(Cut(count))
        answer = ask(upstream, chat(stream=stream))
        number = b"chatcmpl-%08d" % len(upstream.requests)
        assert answer.body == true.replace(b"chatcmpl-00000001", number)[:count]
        assert (answer.status, answer.proper) == (200, False)


@streamed_or_not
def test_cut_can_divide_a_character(upstream, stream):
    """The last byte that comes may be the first of two of a character."""
    upstream.answer = "ü"
    true = exchange(upstream, chat(stream=stream))
    at = parse(true).body.index("ü".encode()) + 1
    upstream.next(Cut(at))
    answer = ask(upstream, chat(stream=stream))

    assert len(answer.body) == at
    assert answer.body[-1:] == "ü".encode()[:1]
    assert not answer.proper


@streamed_or_not
def test_cut_at_nothing_closes_behind_the_head(upstream, stream):
    """With no bytes at all the head comes and nothing else."""
    upstream.next(Cut(0))
    data = exchange(upstream, chat(stream=stream))

    assert data.endswith(b"\r\n\r\n")
    assert parse(data).body == b""


@streamed_or_not
def test_cut_behind_the_body_leaves_out_only_the_end(upstream, stream):
    """More bytes than there are is all of them; only a stream misses its end then."""
    upstream.next(Cut(10**6))
    answer = ask(upstream, chat(stream=stream))
    true = healthy(upstream, stream=stream)

    assert answer.body == true.body
    assert answer.proper is not stream


def test_cut_closes_a_connection_that_would_be_kept(upstream):
    """The server closes although the client would go on."""
    upstream.next(Cut(5))
    port = urlsplit(upstream.url).port
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/v1/chat/completions", json.dumps({"messages": []}))
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    connection.close()
    upstream.wait_until(lambda: upstream.connections == 0)

    assert caught.value.partial == b'{"id"'


@pytest.mark.parametrize(("after", "text"), [(0, ""), (1, "eins "), (2, "eins zwei "), (9, WORDS)])
def test_unfinished_ends_a_stream_properly_but_too_early(upstream, after, text):
    """HTTP sees a proper end; there is neither a finish reason nor ``[DONE]``."""
    upstream.next(Unfinished(after))
    answer = ask(upstream, chat(stream=True))
    reasons = [json.loads(event)["choices"][0]["finish_reason"] for event in answer.events]

    assert (answer.status, answer.text, answer.proper) == (200, text, True)
    assert set(reasons) <= {None}


@pytest.mark.parametrize("after", [0, 1, 2])
def test_unfinished_ends_a_complete_answer_properly_but_too_early(upstream, after):
    """HTTP sees a proper end in the middle of the JSON, or before it."""
    upstream.next(Unfinished(after))
    answer = ask(upstream, chat(stream=False))

    assert answer.proper
    assert bool(answer.body) == (after > 0)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        _ = answer.json


@pytest.mark.parametrize(("after", "text"), [(0, WORDS), (1, "eins drei"), (2, "eins zwei "), (9, WORDS)])
def test_malformed_breaks_one_event_of_a_stream(upstream, after, text):
    """One event is no JSON, in place of a word (or of the role, or the finish reason); the others come as ever."""
    upstream.next(Malformed(after))
    answer = ask(upstream, chat(stream=True))
    broken = [position for position, event in enumerate(answer.events[:-1]) if not is_json(event)]

    assert (answer.status, answer.text, answer.proper) == (200, text, True)
    assert broken == [0 if after == 0 else 1 + min(after, 3)]
    assert answer.events[-1] == "[DONE]"
    assert len(answer.events) == len(healthy(upstream, stream=True).events)


def is_json(text):
    """Tell whether a text is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_malformed_breaks_a_complete_answer(upstream):
    """The body is no JSON although its length is right."""
    upstream.next(Malformed())
    answer = ask(upstream, chat(stream=False))

    assert (answer.status, answer.proper) == (200, True)
    assert not is_json(answer.body)


@streamed_or_not
def test_hangup_sends_nothing(upstream, stream):
    """The connection is closed before any byte of an answer, though it would be kept."""
    upstream.next(Hangup())
    answer = exchange(upstream, chat(stream=stream, keep=True))

    assert answer == b""
    assert upstream.connections == 0


@streamed_or_not
def test_status_is_an_error_as_openai_writes_it(upstream, stream):
    """Status, both headers and the fields of the body are what was asked for; the connection is kept."""
    upstream.next(Status(429, retry_after=7, retry_after_ms=6500, code="insufficient_quota", message="no money"))
    with connect(upstream) as connection:
        connection.sendall(chat(stream=stream, keep=True) + request("GET", "/v1/models"))
        answer = parse(receive(connection))

    assert (answer.status, answer.proper) == (429, True)
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("7", "6500")
    assert answer.headers["x-request-id"] == "req-1"
    assert answer.json["error"] == {
        "message": "no money",
        "type": "invalid_request_error",
        "param": None,
        "code": "insufficient_quota",
    }
    assert parse(answer.rest).status == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Status(), 500, "server_error"),
        (Status(401, code="invalid_api_key"), 401, "invalid_request_error"),
        (Status(429, type="tokens"), 429, "tokens"),
        (Status(529), 529, "server_error"),
    ],
)
def test_statuses_have_the_type_that_fits(upstream, fault, status, kind):
    """The type follows the status unless it is given, and without being told no header asks for patience."""
    upstream.next(fault)
    answer = ask(upstream, chat(stream=False))

    assert (answer.status, answer.json["error"]["type"], answer.json["error"]["code"]) == (status, kind, fault.code)
    assert not {"retry-after", "retry-after-ms"} & answer.headers.keys()


def test_a_status_can_have_any_body_and_any_date(upstream):
    """A proxy's HTML and an HTTP date can be sent too."""
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    upstream.next(Status(502, body="<h1>Bad Gateway</h1>", retry_after=date), Status(503, retry_after=0.5))
    first = ask(upstream, chat(stream=True))
    second = ask(upstream, chat(stream=True))

    assert (first.status, first.body, first.headers["retry-after"]) == (502, b"<h1>Bad Gateway</h1>", date)
    assert first.headers["content-type"].startswith("text/html")
    assert second.headers["retry-after"] == "0.5"


def test_faults_come_in_their_order(upstream):
    """`next` queues, ``None`` is health, and `always` holds where the queue is empty."""
    upstream.always(Status(500))
    upstream.next(Status(429), None)
    upstream.next(Status(401))
    statuses = [ask(upstream, chat(stream=False)).status for _ in range(5)]
    upstream.always(None)
    statuses.append(ask(upstream, chat(stream=False)).status)

    assert statuses == [429, 200, 401, 500, 500, 200]


@pytest.mark.parametrize("fault", [Status(500), Malformed(), Cut(3), Unfinished(), Stall(seconds=0), Slow(0)])
def test_other_paths_have_the_same_faults(upstream, fault):
    """Embeddings fail as complete answers do."""
    upstream.next(fault)
    answer = ask(upstream, post("/v1/embeddings", input="a"))
    well = answer.status == 200 and answer.proper and is_json(answer.body)

    assert well == isinstance(fault, (Stall, Slow))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", [None, Slow(1), Stall(1, 1), Cut(99), Unfinished(), Malformed()])
def test_a_burst_has_the_same_bytes(stream, fault):
    """With ``burst`` what is not divided by a wait is one write, and the bytes are the same."""
    body = render({"stream": stream}, Content(WORDS), 1)
    single, burst = plan(body, fault), plan(body, fault, burst=True)

    assert joined(single) == joined(burst)
    assert [step for step in single if not isinstance(step, bytes)] == [s for s in burst if not isinstance(s, bytes)]
    assert len([step for step in burst if isinstance(step, bytes)]) == (2 if isinstance(fault, Stall) else 1)


def joined(steps):
    """Join all that is written."""
    return b"".join(step for step in steps if isinstance(step, bytes))


def test_faults_compare_by_value():
    """Faults are plain frozen values."""
    assert Stall(2) == faults.Stall(after=2)
    assert Status(429, retry_after=1) != Status(429)
    with pytest.raises(AttributeError):
        Slow(1).seconds = 2
