"""The formats of reranking."""

from __future__ import annotations

import json

import pytest
from cohere.v2.types.v2rerank_response import V2RerankResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from aigw.call import Call
from aigw.chunk import Chunk, Ranked, Usage
from aigw.errors import BadResponse, ConfigError, NoCapableTarget, ServerError
from aigw.testing import make_call
from aigw.wire.rerank import (
    COHERE,
    JINA,
    VOYAGE,
    Dialect,
    parse_request,
    parse_response,
    render_request,
    render_response,
)
from strategies import counts, names, some_unknown_fields, texts, unknown_fields
from wire.cohere_chat.client import Server

dialects = st.sampled_from([COHERE, JINA, VOYAGE])
calls = st.builds(
    Call,
    operation=st.just("rerank"),
    model=names,
    query=texts,
    inputs=st.lists(texts, max_size=3).map(tuple),
    top_n=st.none() | st.integers(0, 9),
    extra=unknown_fields | st.just({"return_documents": True}),
)
NUMBERS = {"allow_nan": False, "allow_infinity": False}


@st.composite
def answers(draw: st.DrawFn, dialect: Dialect) -> Chunk:
    """The chunk of an answer: documents by their scores, each once."""
    scores = sorted(draw(st.lists(st.floats(**NUMBERS), max_size=3)), reverse=True)
    places = draw(st.permutations(range(len(scores))))
    ranking = tuple(Ranked(index, score, draw(st.none() | texts)) for index, score in zip(places, scores, strict=True))
    extra = dict(draw(unknown_fields))
    fields = [{"index": ranked.index, **draw(unknown_fields)} for ranked in ranking]
    if fields := [item for item in fields if len(item) > 1]:
        extra["results"] = fields
    usage = draw(st.none() | st.builds(Usage, counts))
    if draw(st.booleans()):
        extra[dialect.counts] = draw(some_unknown_fields)
    return Chunk(
        ranking=ranking,
        usage=usage,
        id=draw(st.none() | names),
        model=draw(st.none() | names),
        extra=extra or None,
        wire=dialect.wire,
    )


@given(calls, dialects)
def test_calls_survive_the_wire(call: Call, dialect: Dialect) -> None:
    """A call that was rendered, sent as JSON and read again is the same call."""
    again = parse_request(from_json(to_json(render_request(call, call.model, dialect))), dialect)

    assert again == call
    assert again.wire == dialect.wire


@given(st.data(), dialects)
def test_answers_survive_the_wire(data: st.DataObject, dialect: Dialect) -> None:
    """Documents, counts, and unknown fields of the whole and of each document come back."""
    chunk = data.draw(answers(dialect))
    (again,) = parse_response(from_json(to_json(render_response([chunk], dialect=dialect))), dialect)

    assert again == chunk
    assert again.wire == dialect.wire


@given(answers(COHERE))
def test_answers_fit_the_types_of_the_client(chunk: Chunk) -> None:
    """An answer has the form that Cohere's client declares."""
    TypeAdapter(V2RerankResponse).validate_json(json.dumps(render_response([chunk])))


@pytest.mark.parametrize(("dialect", "name"), [(COHERE, "top_n"), (JINA, "top_n"), (VOYAGE, "top_k")])
def test_a_request_looks_like_this_on_the_wire(dialect: Dialect, name: str) -> None:
    """Servers differ in one name."""
    call = Call(operation="rerank", query="q", inputs=("a", "b"), top_n=1, extra={"truncation": False})

    assert render_request(call, "m", dialect) == {
        "model": "m",
        "query": "q",
        "documents": ["a", "b"],
        name: 1,
        "truncation": False,
    }


def test_the_client_sends_what_we_read_and_reads_what_we_send() -> None:
    """Requests of Cohere's client become calls and go out again as they came; it finds the documents."""
    spans = [{"start": 0, "end": 1, "score": 0.9}]
    extra = {"results": [{"index": 1, "relevant_spans": spans}], "meta": {"billed_units": {"search_units": 1}}}
    chunk = Chunk(ranking=(Ranked(1, 0.9), Ranked(0, 0.1)), id="r", extra=extra, wire="cohere_rerank")
    server = Server(render_response([chunk]))
    with server as client:
        answer = client.rerank(model="m", query="q", documents=["a", "b"], top_n=2, max_tokens_per_doc=9)
    (sent,) = server.requests

    assert [(result.index, result.relevance_score) for result in answer.results] == [(1, 0.9), (0, 0.1)]
    assert answer.results[0].relevant_spans[0].score == 0.9
    assert (answer.id, answer.meta.billed_units.search_units) == ("r", 1)
    assert render_request(parse_request(sent), "m") == sent


RANKING = (Ranked(2, 0.9, "c"), Ranked(0, 0.5, "a"))


@pytest.mark.parametrize(
    ("body", "chunk"),
    [
        (  # Cohere
            {
                "id": "r",
                "results": [{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.5}],
                "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
            },
            Chunk(
                ranking=(Ranked(2, 0.9), Ranked(0, 0.5)),
                id="r",
                extra={"meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}},
            ),
        ),
        (  # Jina
            {
                "model": "jina",
                "object": "list",
                "usage": {"total_tokens": 15},
                "results": [
                    {"index": 2, "relevance_score": 0.9, "document": {"text": "c"}},
                    {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}},
                ],
            },
            Chunk(ranking=RANKING, usage=Usage(15), model="jina"),
        ),
        (  # Together
            {
                "object": "rerank",
                "id": "t",
                "model": "llama-rank",
                "results": [
                    {"index": 2, "relevance_score": 0.9, "document": {"text": "c"}},
                    {"index": 0, "relevance_score": 0.5, "document": {"text": "a", "title": "A"}},
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
            },
            Chunk(
                ranking=RANKING,
                usage=Usage(9, 1),
                id="t",
                model="llama-rank",
                extra={"results": [{"index": 0, "document": {"title": "A"}}]},
            ),
        ),
        (  # vLLM, with a document that is an image
            {
                "id": "v",
                "model": "m",
                "usage": {"prompt_tokens": 4, "total_tokens": 4},
                "results": [
                    {"index": 0, "document": {"text": None, "multi_modal": {"type": "image_url"}}, "relevance_score": 1}
                ],
            },
            Chunk(
                ranking=(Ranked(0, 1.0),),
                usage=Usage(4),
                id="v",
                model="m",
                extra={"results": [{"index": 0, "document": {"text": None, "multi_modal": {"type": "image_url"}}}]},
            ),
        ),
        (  # Voyage
            {
                "object": "list",
                "data": [
                    {"relevance_score": 0.9, "index": 2, "document": "c"},
                    {"relevance_score": 0.5, "index": 0, "document": "a"},
                ],
                "model": "rerank-2.5",
                "usage": {"total_tokens": 26},
            },
            Chunk(ranking=RANKING, usage=Usage(26), model="rerank-2.5"),
        ),
        (  # servers that do not sort, and call the score otherwise
            {"results": [{"index": 0, "score": 0.5}, {"index": 2, "score": 0.9}]},
            Chunk(ranking=(Ranked(2, 0.9), Ranked(0, 0.5))),
        ),
    ],
    ids=["cohere", "jina", "together", "vllm", "voyage", "others"],
)
def test_answers_of_all_servers_are_read_alike(body: dict, chunk: Chunk) -> None:
    """Whatever dialect was expected, the best document comes first, with its text where it is repeated."""
    for dialect in (COHERE, JINA, VOYAGE):
        assert parse_response(body, dialect) == [chunk]


def test_what_is_no_text_goes_out_as_it_came() -> None:
    """Documents with fields, and queries with images, are not ours to read."""
    body = {"model": "m", "query": {"image": "data:,"}, "documents": ["a", {"text": "b", "title": "B"}], "top_n": 1}
    call = parse_request(body)

    assert (call.query, call.inputs, call.top_n) == ("", (), 1)
    assert render_request(call, "m") == body
    with pytest.raises(NoCapableTarget, match="documents that are no texts"):
        render_request(call, "m", VOYAGE)


def test_calls_of_other_formats() -> None:
    """Their unknown fields stay behind, and so do those of their answers."""
    call = make_call(operation="rerank", query="q", inputs=("a",), extra={"truncation": True}, wire="voyage_rerank")
    chunk = Chunk(ranking=(Ranked(0, 1.0),), usage=Usage(3), extra={"usage": {"x": 1}, "y": 2}, wire="jina_rerank")

    assert "truncation" not in render_request(call, "m")
    assert [decision.action for decision in call.trace.decisions] == ["left out"]
    assert render_response([chunk], id="i", model="m") == {
        "results": [{"index": 0, "relevance_score": 1.0}],
        "id": "i",
        "model": "m",
        "meta": {"tokens": {"input_tokens": 3}},
    }


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it must be an object, not list"),
        ({}, "results must be a list, not NoneType"),
        ({"results": [SECRET]}, "results[0] must be an object, not str"),
        ({"data": [{"relevance_score": 1}]}, "data[0].index is missing"),
        ({"results": [{"index": 0}]}, "results[0].relevance_score is missing"),
        ({"results": [{"index": 0, "score": SECRET}]}, "results[0].score must be a number, not str"),
        ({"results": [], "id": 3}, "id must be a string, not int"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: object, problem: str) -> None:
    """The error says what is wrong and quotes nothing."""
    with pytest.raises(BadResponse) as caught:
        parse_response(body, model="m")

    assert str(caught.value) == f"cohere/m: the answer is not a list of ranked documents: {problem}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SECRET, "the request must be an object, not str"),
        ({"query": SECRET}, "documents is missing"),
        ({"query": 3, "documents": []}, "query must be a string, not int"),
        ({"documents": []}, "query must be a string, not NoneType"),
        ({"query": "q", "documents": [3]}, "documents[0] must be a string, not int"),
        ({"query": "q", "documents": [], "top_n": SECRET}, "top_n must be an integer, not str"),
    ],
)
def test_malformed_requests_are_refused_by_path_and_not_quoted(body: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert str(caught.value) == message


def test_an_error_inside_an_answer_is_raised_as_what_it_is() -> None:
    """An error object under status 200 is classified like a failed request."""
    with pytest.raises(ServerError):
        parse_response({"error": {"message": "no"}})
