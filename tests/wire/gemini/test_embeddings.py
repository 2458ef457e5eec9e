"""Embeddings of the Gemini API and of Vertex AI, both ways to ask for them."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import BadResponse, ConfigError, NotFound
from aigw.wire.gemini import embeddings, predict

CALL = Call(operation="embeddings", inputs=("a", "b"), dimensions=8, extra={"taskType": "RETRIEVAL_QUERY"})
A = {"content": {"parts": [{"text": "a"}]}}


def test_requests_of_the_gemini_api() -> None:
    """Each input is a request with the model and the options in it."""
    options = {"outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"}
    body = embeddings.render_request(CALL, "gemini-embedding-001")

    assert body["requests"][0] == {**A, "model": "models/gemini-embedding-001", **options}
    assert [request["content"]["parts"] for request in body["requests"]] == [[{"text": "a"}], [{"text": "b"}]]
    assert embeddings.render_request(CALL, "tunedModels/x")["requests"][0]["model"] == "tunedModels/x"


def test_requests_of_vertex_ai() -> None:
    """There the options stand in an object of their own, and the model only in the URL."""
    body = embeddings.render_request(CALL, "gemini-embedding-001", nested=True)

    assert body["requests"][0] == {
        **A,
        "embedContentConfig": {"outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"},
    }


def test_requests_that_are_more_than_texts() -> None:
    """Images, several parts and options of a single input stay as they are, under the new model."""
    image = {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}}
    for other in (image, {**A, "title": "t"}, {"content": {"parts": [{"text": "a"}, {"text": "b"}]}}):
        call = embeddings.parse_request({"requests": [{**A, "model": "models/x"}, {**other, "model": "models/x"}]})

        assert (call.model, call.inputs) == ("x", ())
        assert embeddings.render_request(call, "y") == {
            "requests": [{**A, "model": "models/y"}, {**other, "model": "models/y"}]
        }


def test_a_request_for_one() -> None:
    """``embedContent`` takes one input; its names may be written in snake_case."""
    body = {"content": {"parts": [{"text": "a"}]}, "task_type": "T", "output_dimensionality": 8}
    call = embeddings.parse_request(body, model="m")

    assert (call.model, call.inputs, call.dimensions, call.extra) == ("m", ("a",), 8, {"taskType": "T"})


def test_fields_of_another_format_are_left_out() -> None:
    """The server would refuse them."""
    call = Call(operation="embeddings", inputs=("a",), extra={"encoding_format": "base64"}, wire="openai_embeddings")

    assert embeddings.render_request(call, "m", nested=True) == {"requests": [A]}
    assert predict.render_request(call, "m") == {"instances": [{"content": "a"}]}


def test_answers() -> None:
    """Vectors, usage, and what aigw does not model."""
    body = {
        "embeddings": [{"values": [1, 2.5]}, {"values": [3.0, 4.0], "statistics": {"truncated": True}}],
        "usageMetadata": {"promptTokenCount": 7, "promptTokensDetails": []},
        "metadata": {"x": 1},
    }
    chunks = embeddings.parse_response(body)

    assert chunks == [
        Chunk(
            vectors=((1.0, 2.5), (3.0, 4.0)),
            usage=Usage(7),
            extra={
                "metadata": {"x": 1},
                "items": [{}, {"statistics": {"truncated": True}}],
                "usage": {"promptTokensDetails": []},
            },
        )
    ]
    assert embeddings.render_response(chunks) == body


def test_an_answer_for_one() -> None:
    """It has one vector, and is written so for a client that asked so."""
    body = {"embedding": {"values": [1.0]}}
    chunks = embeddings.parse_response(body)

    assert chunks[0].vectors == ((1.0,),)
    assert embeddings.render_response(chunks, single=True) == body
    assert embeddings.render_response([], single=True) == {"embedding": {}}


def test_answers_of_other_formats() -> None:
    """Fields of theirs stay out."""
    chunk = Chunk(vectors=((1.0,),), usage=Usage(3), extra={"object": "list"}, wire="openai_embeddings")

    assert embeddings.render_response([chunk]) == {
        "embeddings": [{"values": [1.0]}],
        "usageMetadata": {"promptTokenCount": 3},
    }
    assert predict.render_response([chunk]) == {"predictions": [{"embeddings": {"values": [1.0]}}]}


def test_predict() -> None:
    """Vertex AI's older models: instances with their options, and parameters for all."""
    call = CALL.evolve(extra={"task_type": "T", "parameters": {"autoTruncate": False}})
    body = predict.render_request(call, "text-embedding-005")

    assert body == {
        "instances": [{"content": "a", "task_type": "T"}, {"content": "b", "task_type": "T"}],
        "parameters": {"outputDimensionality": 8, "autoTruncate": False},
    }


def test_instances_that_differ() -> None:
    """They stay as they are."""
    body = {"instances": [{"content": "a"}, {"content": "b", "title": "t"}]}
    call = predict.parse_request(body, model="m")

    assert (call.inputs, call.model) == ((), "m")
    assert predict.render_request(call, "m") == body


@pytest.mark.parametrize(
    ("statistics", "usage"),
    [
        ([{"token_count": 2.0, "truncated": False}, {"token_count": 3.0}], Usage(5)),
        ([{"token_count": 2}, {}], None),
        ([{}, {}], None),
        ([{"token_count": True}, {"token_count": 1}], None),
    ],
)
def test_answers_of_predict(statistics: list, usage: Usage | None) -> None:
    """The tokens of the inputs are added up, if each tells its own."""
    predictions = [{"embeddings": {"values": [1.0], **({"statistics": one} if one else {})}} for one in statistics]
    body = {"predictions": predictions, "metadata": {"billableCharacterCount": 9}}
    chunks = predict.parse_response(body)

    assert (chunks[0].vectors, chunks[0].usage) == (((1.0,), (1.0,)), usage)
    assert predict.render_response(chunks) == body


@pytest.mark.parametrize("module", [embeddings, predict])
@pytest.mark.parametrize(
    "body",
    [
        "secret",
        {},
        {"embeddings": {}, "predictions": {}},
        {"embeddings": ["secret"], "predictions": ["secret"]},
        {"embeddings": [{"values": ["secret"]}], "predictions": [{"embeddings": {"values": ["secret"]}}]},
        {"embeddings": [{}], "predictions": [{}]},
    ],
)
def test_wrong_answers(module: object, body: object) -> None:
    """They are the provider's fault, and nothing of them is quoted."""
    with pytest.raises(BadResponse, match=r"^p/m: the answer is not a list of embeddings") as caught:
        module.parse_response(body, "p", "m")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("module", [embeddings, predict])
def test_errors_under_status_200(module: object) -> None:
    """They are classified like all others."""
    with pytest.raises(NotFound):
        module.parse_response({"error": {"code": 404, "status": "NOT_FOUND"}})


@pytest.mark.parametrize(
    ("module", "body", "path"),
    [
        (embeddings, {}, "requests is missing"),
        (embeddings, {"requests": ["x"]}, r"requests\[0\] must be an object"),
        (embeddings, {"requests": [{"content": "x"}]}, r"requests\[0\].content must be an object"),
        (predict, {}, "instances is missing"),
        (predict, {"instances": ["x"]}, r"instances\[0\] must be an object"),
        (predict, {"instances": [{}]}, r"instances\[0\].content is missing"),
    ],
)
def test_wrong_requests(module: object, body: dict, path: str) -> None:
    """The error names the field."""
    with pytest.raises(ConfigError, match=path):
        module.parse_request(body)
