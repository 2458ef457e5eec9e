"""The format of OpenAI embeddings."""

from __future__ import annotations

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import BadResponse, ConfigError, NoCapableTarget, ServerError
from aigw.testing import make_call
from aigw.wire.embeddings import Dialect, parse_request, parse_response, render_request, render_response
from strategies import counts, embedding_calls, names, unknown_fields


def vectors(width: int) -> st.SearchStrategy[tuple]:
    """Vectors of floats with so many bits."""
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False)
    return st.lists(st.lists(numbers, max_size=3).map(tuple), max_size=3).map(tuple)


@given(embedding_calls)
def test_calls_survive_the_wire(call: Call) -> None:
    """A call that was rendered, sent as JSON and read again is the same call."""
    assert parse_request(from_json(to_json(render_request(call, call.model)))) == call


@given(st.data(), st.sampled_from(["float", "base64"]))
def test_answers_survive_the_wire(data: st.DataObject, encoding: str) -> None:
    """Vectors, usage, model and unknown fields come back, in either encoding."""
    usage = data.draw(st.none() | st.builds(Usage, counts))
    chunk = Chunk(
        vectors=data.draw(vectors(32 if encoding == "base64" else 64)),
        usage=usage,
        model=data.draw(st.none() | names),
        extra=data.draw(unknown_fields) or None,
    )
    body = from_json(to_json(render_response([chunk], encoding=encoding)))

    assert parse_response(body) == [chunk]


def test_a_request_looks_like_this_on_the_wire() -> None:
    """Lists of numbers are asked for, unless the caller says otherwise."""
    call = Call(operation="embeddings", inputs=("a", "b"), dimensions=3, extra={"user": "u"})
    other = Call(operation="embeddings", inputs=("a",), extra={"encoding_format": "base64"})

    assert render_request(call, "m") == {
        "model": "m",
        "input": ["a", "b"],
        "encoding_format": "float",
        "dimensions": 3,
        "user": "u",
    }
    assert render_request(other, "m") == {"model": "m", "input": ["a"], "encoding_format": "base64"}


@pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]], ["a", {"image": "https://x/y.png"}]])
def test_inputs_that_are_no_texts_go_out_as_they_came(tokens: list) -> None:
    """Clients that count tokens themselves send numbers, and Jina's send images; they are not ours to read."""
    call = parse_request({"model": "m", "input": tokens})

    assert (call.inputs, call.extra) == ((), {"input": tokens})
    assert render_request(call, "m")["input"] == tokens


def test_one_text_is_a_list_of_one() -> None:
    """A lone text is the same as a list with it."""
    assert parse_request({"input": "a", "encoding_format": "float"}) == Call(operation="embeddings", inputs=("a",))


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SECRET, "the request must be an object, not str"),
        ({}, "input must be a list, not NoneType"),
        ({"input": {SECRET: 1}}, "input must be a list, not dict"),
        ({"input": [SECRET, 7]}, "input[1] must be a string, not int"),
        ({"input": SECRET, "dimensions": "3"}, "dimensions must be an integer, not str"),
        ({"input": SECRET, "model": 3}, "model must be a string, not int"),
    ],
)
def test_malformed_requests_are_refused_by_path_and_not_quoted(body: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert str(caught.value) == message


def test_vectors_come_in_the_order_of_the_inputs() -> None:
    """The index of an item counts, not its place; without one its place counts."""
    data = [{"index": 1, "embedding": [2, 3]}, {"index": 0, "embedding": [1.5]}]
    unnumbered = [{"embedding": [1.0]}, {"embedding": [2.0]}]

    assert parse_response({"data": data})[0].vectors == ((1.5,), (2.0, 3.0))
    assert parse_response({"data": unnumbered})[0].vectors == ((1.0,), (2.0,))


def test_base64_is_little_endian_32_bit_floats() -> None:
    """A vector in base64 is read as the official SDK reads it."""
    text = b64encode(struct.pack("<2f", 1.5, -2.0)).decode()

    assert parse_response({"data": [{"embedding": text}]})[0].vectors == ((1.5, -2.0),)


def test_usage_has_no_output() -> None:
    """Only input is counted; missing usage is unknown, and other counts are kept."""
    told = {"data": [], "usage": {"prompt_tokens": 3, "total_tokens": 3, "cost": 1}, "object": "list"}

    assert parse_response(told) == [Chunk(usage=Usage(3), extra={"usage": {"cost": 1}})]
    assert parse_response({"data": [], "usage": None}) == [Chunk()]
    assert "usage" not in render_response([Chunk()])


def test_several_chunks_are_one_answer() -> None:
    """Vectors of several chunks follow each other, numbered through."""
    rendered = render_response([Chunk(vectors=((1.0,),)), Chunk(vectors=((2.0,),))], model="m")

    assert rendered == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [1.0]},
            {"object": "embedding", "index": 1, "embedding": [2.0]},
        ],
        "model": "m",
    }


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it must be an object, not list"),
        ({}, "data must be a list, not NoneType"),
        ({"data": [SECRET]}, "data[0] must be an object, not str"),
        ({"data": [{"index": 1, "embedding": []}]}, "the indexes in data are not those of a whole list"),
        (
            {"data": [{"index": 0, "embedding": []}, {"index": 0, "embedding": []}]},
            "the indexes in data are not those of a whole list",
        ),
        ({"data": [{"index": "0", "embedding": []}]}, "index must be an integer, not str"),
        ({"data": [{}]}, "data[0].embedding must be a list, not NoneType"),
        ({"data": [{"embedding": [SECRET]}]}, "data[0].embedding is neither numbers nor base64 of 32-bit floats"),
        ({"data": [{"embedding": [None]}]}, "data[0].embedding is neither numbers nor base64 of 32-bit floats"),
        ({"data": [{"embedding": "not base64!"}]}, "data[0].embedding is neither numbers nor base64 of 32-bit floats"),
        ({"data": [{"embedding": "AAAA"}]}, "data[0].embedding is neither numbers nor base64 of 32-bit floats"),
        ({"data": [{"embedding": "é"}]}, "data[0].embedding is neither numbers nor base64 of 32-bit floats"),
        ({"data": [], "model": 7}, "model must be a string, not int"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: object, problem: str) -> None:
    """The error says what is wrong and quotes nothing; a vector that is missing or doubled is never made up."""
    with pytest.raises(BadResponse) as caught:
        parse_response(body, Dialect("p"), "m")

    assert str(caught.value) == f"p/m: the answer is not a list of embeddings: {problem}"


def test_an_error_inside_an_answer_is_raised_as_what_it_is() -> None:
    """An error object under status 200 is classified like a failed request."""
    with pytest.raises(ServerError):
        parse_response({"error": {"message": "m"}})


VOYAGE = Dialect("voyage", dimensions="output_dimension", encoding_format=False)


@given(embedding_calls)
def test_calls_survive_the_wire_of_voyage(call: Call) -> None:
    """Another name of a field is the same field."""
    body = render_request(call, call.model, VOYAGE)

    assert parse_request(from_json(to_json(body)), VOYAGE) == call
    assert "dimensions" not in body


def test_servers_name_fields_differently() -> None:
    """Voyage calls the length something else, and takes no encoding that is not base64."""
    call = Call(operation="embeddings", inputs=("a",), dimensions=3)

    assert render_request(call, "m", VOYAGE) == {"model": "m", "input": ["a"], "output_dimension": 3}
    with pytest.raises(NoCapableTarget, match="the length of the vectors"):
        render_request(call, "m", Dialect("x", dimensions=None))


def test_a_total_alone_is_the_input() -> None:
    """Voyage counts nothing else."""
    assert parse_response({"data": [], "usage": {"total_tokens": 7}})[0].usage == Usage(7)


def test_calls_of_other_formats() -> None:
    """Their unknown fields stay behind; inputs that are not texts would be lost."""
    call = make_call(operation="embeddings", inputs=("a",), extra={"input_type": "query"}, wire="cohere_embeddings")
    body = render_request(call, "m")

    assert body == {"model": "m", "input": ["a"], "encoding_format": "float"}
    assert [decision.action for decision in call.trace.decisions] == ["left out"]
    with pytest.raises(NoCapableTarget, match="inputs that are no texts"):
        render_request(call.evolve(inputs=(), extra={"images": ["data:,"]}), "m")
    assert parse_request(body).wire == parse_response({"data": []})[0].wire == "openai_embeddings"
