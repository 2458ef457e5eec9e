"""FaultyUpstream in good health: what it answers, how it listens, what it records."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from aigw.testing import FaultyUpstream, Hangup, Slow, Stall, Status
from aigw.testing.upstream import Request
from aigw.testing.upstream.__main__ import main
from testing.raw_http import ask, chat, connect, exchange, parse, post, receive, request

TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"for": "a longer text"}'}}


@pytest.fixture
def upstream():
    """Serve three words, one of them with two bytes for a letter."""
    with FaultyUpstream("höre die Welt") as upstream:
        yield upstream


def test_it_answers_a_chat(upstream):
    """A complete answer has id, model, message, finish reason and usage, and a request id among its headers."""
    answer = ask(upstream, chat(stream=False, n=3))

    assert (answer.status, answer.proper) == (200, True)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "req-1"
    assert answer.json["object"] == "chat.completion"
    assert (answer.json["id"], answer.json["model"]) == ("chatcmpl-00000001", "m")
    (choice,) = answer.json["choices"]
    assert choice["message"] == {"role": "assistant", "content": "höre die Welt", "refusal": None}
    assert choice["finish_reason"] == "stop"
    assert answer.json["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


def test_it_streams_a_chat(upstream):
    """A stream has the role first, then a word an event, then the finish reason, then ``[DONE]``; no usage unasked."""
    answer = ask(upstream, chat(stream=True))
    *events, done = answer.events
    documents = [json.loads(event) for event in events]

    assert answer.proper
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert done == "[DONE]"
    assert all(document["object"] == "chat.completion.chunk" for document in documents)
    assert not any("usage" in document for document in documents)
    deltas = [document["choices"][0]["delta"] for document in documents]
    assert deltas[0]["role"] == "assistant"
    assert [delta.get("content") for delta in deltas] == ["", "höre ", "die ", "Welt", None]
    reasons = [document["choices"][0]["finish_reason"] for document in documents]
    assert reasons == [None, None, None, None, "stop"]


def test_it_tells_the_usage_of_a_stream_when_asked(upstream):
    """With ``include_usage`` the last event has the usage and no choices, and all others say null."""
    answer = ask(upstream, chat(stream=True, stream_options={"include_usage": True}))
    *documents, last = [json.loads(event) for event in answer.events[:-1]]

    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 6
    assert all(document["usage"] is None for document in documents)


@pytest.mark.parametrize("text", ["", "look here"])
def test_it_answers_with_tool_calls(upstream, text):
    """Tool calls come behind the text, whole or in pieces that join to the same."""
    upstream.answer, upstream.tool_calls = text, [TOOL_CALL, {"id": "c2", "function": {"name": "go"}}]
    whole = ask(upstream, chat(stream=False)).json["choices"][0]
    events = [json.loads(event)["choices"][0] for event in ask(upstream, chat(stream=True)).events[:-1]]
    pieces = [piece for event in events for piece in event["delta"].get("tool_calls", ())]

    assert whole["message"]["tool_calls"] == [TOOL_CALL, {"id": "c2", "function": {"name": "go"}}]
    assert whole["message"]["content"] == (text or None)
    assert whole["finish_reason"] == events[-1]["finish_reason"] == "tool_calls"
    assert {**pieces[0], "index": None} == {
        **TOOL_CALL,
        "function": {"name": "look", "arguments": ""},
        "index": None,
    }
    assert "".join(p["function"]["arguments"] for p in pieces if p["index"] == 0) == '{"for": "a longer text"}'
    assert [p["id"] for p in pieces if "id" in p] == ["c1", "c2"]


def test_the_answer_may_depend_on_the_request(upstream):
    """``answer`` may be a function of the request; the texts of parts count as prompt tokens too."""
    upstream.answer = lambda request: request.json["messages"][0]["content"][0]["text"].upper()
    content = [{"type": "text", "text": "loud and clear"}, {"type": "image_url", "image_url": {"url": "u"}}, "odd"]
    messages = [{"role": "user", "content": content}, "odd", {"role": "assistant"}]
    answer = ask(upstream, post(messages=messages))

    assert answer.json["choices"][0]["message"]["content"] == "LOUD AND CLEAR"
    assert answer.json["usage"]["prompt_tokens"] == 3


def test_it_embeds(upstream):
    """Each input gets a vector that depends only on it, as numbers or in base64, as long as was asked for."""
    plain = ask(upstream, post("/v1/embeddings", input=["a b", "c"])).json
    single = ask(upstream, post("/v1/embeddings", input="a b")).json
    short = ask(upstream, post("/v1/embeddings", input="a b", encoding_format="base64", dimensions=2)).json
    packed = base64.b64decode(short["data"][0]["embedding"])

    assert [item["index"] for item in plain["data"]] == [0, 1]
    assert plain["data"][0]["embedding"] == single["data"][0]["embedding"] != plain["data"][1]["embedding"]
    assert len(single["data"][0]["embedding"]) == 4
    assert plain["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert len(struct.unpack("<2f", packed)) == 2


def test_it_lists_models(upstream):
    """``GET /v1/models`` lists the models that it was given; a query makes no difference."""
    upstream.models = ["a", "b"]
    answer = ask(upstream, request("GET", "/v1/models?limit=9"))

    assert [model["id"] for model in answer.json["data"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/v1/nothing"), 404),
        (request("GET", "/v1/chat/completions"), 404),
        (request("POST", "/v1/chat/completions", b"{broken"), 400),
        (request("POST", "/v1/embeddings", b"[]"), 400),
        (request("POST", "/v1/embeddings"), 400),
        (b"GET /v1/models\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
    ],
)
def test_wrong_requests_get_an_error(upstream, data, status):
    """What it cannot answer it refuses in OpenAI's form, and what is not HTTP ends the connection as well."""
    with connect(upstream) as connection:
        connection.sendall(data)
        answer = parse(receive(connection))

    assert answer.status == status
    assert answer.json["error"]["message"]


def test_a_connection_is_kept(upstream):
    """Many requests go over one connection, whole or byte by byte, also when two come at once."""
    with connect(upstream) as connection:
        for byte in chat(stream=False, keep=True):
            connection.sendall(bytes([byte]))
        connection.sendall(chat(stream=True, keep=True) + request("GET", "/v1/models"))
        first = parse(receive(connection))
    second = parse(first.rest)
    third = parse(second.rest)

    assert first.json["choices"]
    assert second.text == "höre die Welt"
    assert third.json["object"] == "list"
    assert (upstream.accepted, third.rest) == (1, b"")


def test_a_next_request_waits_for_a_pause(upstream):
    """A request that comes while an answer stands still is answered after that."""
    upstream.next(Stall(after=1, seconds=0))
    with connect(upstream) as connection:
        connection.sendall(chat(stream=True, keep=True))
        upstream.wait_until(lambda: upstream.requests)
        connection.sendall(request("GET", "/v1/models"))
        first = parse(receive(connection))

    assert first.text == "höre die Welt"
    assert parse(first.rest).json["object"] == "list"


def test_a_next_request_is_not_seen_during_a_stall(upstream):
    """Behind an answer that stands still for good a request is never answered."""
    upstream.next(Stall(after=1))
    with connect(upstream) as connection:
        connection.sendall(chat(stream=True, keep=True))
        upstream.wait_until(lambda: upstream.requests)
        connection.sendall(request("GET", "/v1/models"))
        connection.shutdown(socket.SHUT_WR)
        answer = parse(receive(connection))

    assert (answer.text, answer.proper) == ("höre ", False)
    assert len(upstream.requests) == 1


def test_requests_are_recorded(upstream):
    """Method, path, headers in lower case and the JSON of every request can be looked at, unless that is turned off."""
    ask(upstream, post("/v1/embeddings?x=1", input="a"))
    upstream.record = False
    upstream.answer = "other"
    with connect(upstream) as connection:
        connection.sendall(chat(stream=False))
        receive(connection)

    assert upstream.requests == [
        Request(
            "POST",
            "/v1/embeddings?x=1",
            {"host": "test", "content-length": "28", "connection": "close"},
            {"model": "m", "input": "a"},
        )
    ]


def test_a_stream_is_written_chunk_by_chunk(upstream):
    """Each event is a chunk of its own; with ``burst`` the bytes are the same."""
    single = exchange(upstream, chat(stream=True))
    upstream.burst = True
    burst = exchange(upstream, chat(stream=True))
    frames = single.partition(b"\r\n\r\n")[2].count(b"\r\ndata: ")

    assert frames == len(parse(single).events)
    assert burst == single.replace(b"chatcmpl-00000001", b"chatcmpl-00000002").replace(b"req-1", b"req-2")


def test_connections_are_counted(upstream):
    """`connections` follows clients that come and go, and `wait_until` sees it without polling."""
    clients = [connect(upstream) for _ in range(3)]
    upstream.wait_until(lambda: upstream.connections == 3)
    clients[0].close()
    upstream.wait_until(lambda: upstream.connections == 2)
    for client in clients[1:]:
        client.close()
    upstream.wait_until(lambda: not upstream.connections)

    assert upstream.accepted == 3


def test_waiting_in_vain_tells_how_it_stands(upstream):
    """What does not come true in time is a TimeoutError with the numbers."""
    with pytest.raises(TimeoutError, match="0 connections are open, 0 were opened, 0 requests came"):
        upstream.wait_until(lambda: False, timeout=0)


def test_threads_use_it_at_once(upstream):
    """Every client gets the answer to its own request."""
    upstream.answer = lambda request: request.json["user"]
    port = urlsplit(upstream.url).port

    def client(name):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        said = []
        for number in range(20):
            connection.request("POST", "/v1/chat/completions", json.dumps({"user": f"{name}-{number}"}))
            said.append(json.load(connection.getresponse())["choices"][0]["message"]["content"])
        connection.close()
        return said

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client, range(8)))

    assert answers == [[f"{name}-{number}" for number in range(20)] for name in range(8)]
    assert (upstream.accepted, len(upstream.requests)) == (8, 160)


def test_closing_cuts_everybody_and_joins_the_thread():
    """Clients that wait for an answer, in the middle of one, or for nothing see the end; no thread is left."""
    upstream = FaultyUpstream()
    upstream.next(Slow(3600), Stall(after=1), Stall(after=1, seconds=3600))
    with upstream:
        clients = [connect(upstream) for _ in range(4)]
        for number, client in enumerate(clients[:3], 1):
            client.sendall(chat(stream=True))
            upstream.wait_until(lambda number=number: len(upstream.requests) == number)
        clients.append(connect(upstream))
    upstream.close()
    ends = [_end(client) for client in clients]

    assert ends == ["", "The ", "The ", "", ""]
    assert upstream.connections == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "faulty-upstream"]


def test_no_connection_is_lost_when_the_server_closes_at_once():
    """A connection that the server has just accepted is closed too; the client never waits for nothing."""
    for _ in range(30):
        with FaultyUpstream() as upstream:
            client = connect(upstream)

        assert _end(client) == ""


def _end(client):
    """Read what had come until the server went, and return its text."""
    data = b""
    with client:
        try:
            while piece := client.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
    return parse(data).text if data else ""


def test_a_server_that_comes_back_keeps_its_port():
    """Closed it refuses connections; started again it listens where it did, and remembers its faults."""
    upstream = FaultyUpstream()
    upstream.next(Status(503))
    with upstream:
        url = upstream.url
    with pytest.raises(ConnectionRefusedError):
        connect(upstream)
    with upstream:
        answer = ask(upstream, chat(stream=False))

    assert upstream.url == url
    assert answer.status == 503


def test_starting_can_go_wrong():
    """No port before the start, no second start, no port that is taken: each is a clear error."""
    upstream = FaultyUpstream()
    with pytest.raises(RuntimeError, match="no port yet"):
        _ = upstream.url
    with upstream:
        with pytest.raises(RuntimeError, match="started already"):
            upstream.start()
        taken = FaultyUpstream(port=urlsplit(upstream.url).port)
        with pytest.raises(OSError, match="in use"):
            taken.start()
        taken.close()


@pytest.mark.parametrize("tell", [FaultyUpstream.next, FaultyUpstream.always])
@pytest.mark.parametrize(("fault", "message"), [(Hangup, r"write Hangup\("), ("slow", "'slow' is no fault")])
def test_what_is_no_fault_is_refused(tell, fault, message):
    """A class in place of an instance, or anything else, is a TypeError at once."""
    with pytest.raises(TypeError, match=message):
        tell(FaultyUpstream(), fault)


def test_an_http_library_understands_it(upstream):
    """A full HTTP client reads complete answers and streams over one connection."""
    with httpx.Client(base_url=upstream.url) as client:
        whole = client.post("/chat/completions", json={"model": "m", "messages": []})
        with client.stream("POST", "/chat/completions", json={"model": "m", "stream": True}) as response:
            lines = [line for line in response.iter_lines() if line]

    assert whole.json()["choices"][0]["message"]["content"] == "höre die Welt"
    assert lines[-1] == "data: [DONE]"
    assert upstream.accepted == 1


def test_it_runs_as_a_process():
    """``python -m aigw.testing.upstream`` prints its URL, serves, and ends quietly when its input is closed."""
    command = [sys.executable, "-W", "error", "-m", "aigw.testing.upstream", "--answer", "from afar"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        data = json.dumps({"messages": []}).encode()
        with urllib.request.urlopen(f"{url}/chat/completions", data) as response:
            answer = json.load(response)
        _, errors = process.communicate("")

    assert answer["choices"][0]["message"]["content"] == "from afar"
    assert (process.returncode, errors) == (0, "")


def test_the_command_takes_options(monkeypatch, capsys):
    """``--port``, ``--burst`` and ``--status`` do what they say."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    statuses = []

    class Input(io.StringIO):
        def read(self, size=-1):
            with httpx.Client() as client:
                statuses.append(client.get(f"http://127.0.0.1:{port}/v1/models").status_code)
            return ""

    monkeypatch.setattr("sys.stdin", Input())
    status = main(["--port", str(port), "--burst", "--status", "500"])

    assert (status, statuses) == (0, [500])
    assert capsys.readouterr().out == f"http://127.0.0.1:{port}/v1\n"
