"""The format of Cohere's embeddings."""

from __future__ import annotations

import json

import pytest
from cohere import EmbedByTypeResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import BadResponse, ConfigError, NoCapableTarget, ServerError
from aigw.testing import make_call
from aigw.wire.embeddings.cohere import Dialect, parse_request, parse_response, render_request, render_response
from strategies import counts, names, texts, unknown_fields
from wire.cohere_chat.client import Server

RESPONSE = TypeAdapter(EmbedByTypeResponse)
OWN = {"input_type": "search_query", "embedding_types": ["float"], "truncate": "END"}

calls = st.builds(
    Call,
    operation=st.just("embeddings"),
    model=names,
    inputs=st.lists(texts, max_size=3).map(tuple),
    dimensions=st.none() | st.integers(1, 4096),
    extra=unknown_fields | st.just(OWN),
    wire=st.just("cohere_embeddings"),
)


def vectors(numbers: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    """Vectors of such numbers."""
    return st.lists(st.lists(numbers, max_size=3).map(tuple), max_size=3).map(tuple)


KINDS = {
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "base64": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "int8": st.integers(-128, 127).map(float),
}


@given(calls)
def test_calls_survive_the_wire(call: Call) -> None:
    """A call that was rendered, sent as JSON and read again is the same call."""
    again = parse_request(from_json(to_json(render_request(call, call.model))))

    assert again == call
    assert again.wire == call.wire


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_answers_survive_the_wire(data: st.DataObject, kind: str) -> None:
    """Vectors of any type, counts, id and unknown fields come back, in the form that the client declares."""
    extra = dict(data.draw(unknown_fields))
    if kind != "float":
        extra["embedding_type"] = kind
        if data.draw(st.booleans()):
            extra["embeddings"] = {"ubinary": [[1, 2]]}
    if data.draw(st.booleans()):
        extra["meta"] = {"api_version": {"version": "2"}, "billed_units": {"images": 1}}
    chunk = Chunk(
        vectors=data.draw(vectors(KINDS[kind])),
        usage=data.draw(st.none() | st.builds(Usage, counts, cached=st.none() | counts)),
        id=data.draw(st.none() | names),
        extra=extra or None,
        wire="cohere_embeddings",
    )
    body = from_json(to_json(render_response([chunk])))
    RESPONSE.validate_json(json.dumps(body))

    assert parse_response(body) == [chunk]


def test_a_request_looks_like_this_on_the_wire() -> None:
    """The server insists on a type of input and types of vectors; the caller may say others."""
    call = Call(operation="embeddings", inputs=("a", "b"), dimensions=256)

    assert render_request(call, "m") == {
        "model": "m",
        "texts": ["a", "b"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert render_request(call.evolve(extra=OWN), "m")["input_type"] == "search_query"
    assert render_request(call, "m", Dialect(input_type="clustering"))["input_type"] == "clustering"


def test_the_client_sends_what_we_read_and_reads_what_we_send() -> None:
    """Requests of the client become calls and go out again as they came; it finds the vectors."""
    server = Server(render_response([Chunk(vectors=((1.0, 2.0),), usage=Usage(3), id="e")], types=("float", "base64")))
    with server as client:
        answer = client.embed(model="m", input_type="search_query", texts=["a"], embedding_types=["float"])
        client.embed(model="m", input_type="image", images=["data:,"], output_dimension=8)
    first, second = map(parse_request, server.requests)

    assert (answer.id, answer.embeddings.float_, answer.embeddings.base64) == ("e", [[1.0, 2.0]], ["AACAPwAAAEA="])
    assert answer.meta.tokens.input_tokens == 3
    assert (first.inputs, second.inputs, second.dimensions) == (("a",), (), 8)
    assert [render_request(call, "m") for call in (first, second)] == server.requests


def test_calls_of_other_formats() -> None:
    """Their unknown fields stay behind; inputs that are not texts would be lost."""
    call = make_call(operation="embeddings", inputs=("a",), extra={"user": "u"}, wire="openai_embeddings")

    assert "user" not in render_request(call, "m")
    assert [decision.action for decision in call.trace.decisions] == ["left out"]
    with pytest.raises(NoCapableTarget, match="inputs that are no texts"):
        render_request(call.evolve(inputs=(), extra={"input": [[1, 2]]}), "m")


@pytest.mark.parametrize(
    ("meta", "usage", "left"),
    [
        ({"billed_units": {"input_tokens": 5}}, Usage(5), {"meta": {"billed_units": {"input_tokens": 5}}}),
        ({"tokens": {"input_tokens": 9.0}, "cached_tokens": 2.0}, Usage(9, 0, 2), None),
        ({"billed_units": {"images": 1}}, None, {"meta": {"billed_units": {"images": 1}}}),
        (None, None, None),
    ],
)
def test_usage(meta: dict | None, usage: Usage | None, left: dict | None) -> None:
    """Tokens count, billed ones where there are no others; a bill for images tells no tokens."""
    (chunk,) = parse_response({"id": "", "embeddings": {"float": []}, "meta": meta})

    assert (chunk.usage, chunk.extra) == (usage, left)


def test_the_vectors_are_numbers_if_there_are_any() -> None:
    """Of several types the floats are taken, the others are kept; version 1 of the API sends them without a type."""
    several = {"int8": [[1]], "base64": ["AACAPw=="], "float": [[1]]}
    packed = {"int8": [[1]], "base64": ["AACAPw=="]}

    assert parse_response({"embeddings": several})[0].vectors == ((1.0,),)
    assert parse_response({"embeddings": several})[0].extra == {"embeddings": {"int8": [[1]], "base64": ["AACAPw=="]}}
    assert parse_response({"embeddings": packed})[0].vectors == ((1.0,),)
    assert parse_response({"embeddings": packed})[0].extra == {
        "embedding_type": "base64",
        "embeddings": {"int8": [[1]]},
    }
    assert parse_response({"embeddings": [[1]]})[0] == Chunk(vectors=((1.0,),))


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it must be an object, not list"),
        ({}, "embeddings must be an object, not NoneType"),
        ({"embeddings": {}}, "embeddings holds none"),
        ({"embeddings": {"float": SECRET}}, "embeddings.float must be a list, not str"),
        ({"embeddings": {"float": [[SECRET]]}}, "embeddings.float[0] is neither numbers nor base64 of 32-bit floats"),
        ({"embeddings": {"float": []}, "id": 3}, "id must be a string, not int"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: object, problem: str) -> None:
    """The error says what is wrong and quotes nothing."""
    with pytest.raises(BadResponse) as caught:
        parse_response(body, model="m")

    assert str(caught.value) == f"cohere/m: the answer is not a list of embeddings: {problem}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SECRET, "the request must be an object, not str"),
        ({"texts": SECRET}, "texts must be a list, not str"),
        ({"texts": [3]}, "texts[0] must be a string, not int"),
        ({"output_dimension": SECRET}, "output_dimension must be an integer, not str"),
    ],
)
def test_malformed_requests_are_refused_by_path_and_not_quoted(body: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert str(caught.value) == message


def test_an_error_inside_an_answer_is_raised_as_what_it_is() -> None:
    """A message in place of embeddings is classified like a failed request."""
    with pytest.raises(ServerError):
        parse_response({"message": "no"})
