"""The format of OpenAI's moderation, and of Mistral's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import ModerationCreateParams, ModerationCreateResponse
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from aigw.call import Call
from aigw.chunk import Chunk, Usage, Verdict
from aigw.errors import BadResponse, ConfigError, NoCapableTarget, ServerError
from aigw.testing import make_call
from aigw.wire.moderation import Dialect, parse_request, parse_response, render_request, render_response
from strategies import counts, names, some_unknown_fields, texts, unknown_fields

MISTRAL = Dialect("mistral", flagged=False)
RESPONSE = TypeAdapter(ModerationCreateResponse)
PARAMS = TypeAdapter(ModerationCreateParams)
CATEGORIES = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
]
VERDICT = Verdict(
    True,
    {name: name == "violence" for name in CATEGORIES},
    dict.fromkeys(CATEGORIES, 0.25),
    {"category_applied_input_types": {name: ["text"] for name in CATEGORIES}},
)

calls = st.builds(
    Call,
    operation=st.just("moderation"),
    model=names | st.just(""),
    inputs=st.lists(texts, max_size=3).map(tuple),
    extra=unknown_fields,
)
verdicts = st.builds(
    Verdict,
    st.booleans(),
    st.dictionaries(texts, st.booleans(), max_size=3),
    st.dictionaries(texts, st.floats(0, 1), max_size=3),
    unknown_fields | st.just({"categories": {"x": "odd"}, "category_scores": {"x": [1]}}),
)


def _sound(verdict: Verdict) -> bool:
    return "x" not in verdict.categories and "x" not in verdict.scores


def _mistral(verdict: Verdict) -> Verdict:
    return Verdict(any(verdict.categories.values()), verdict.categories, verdict.scores, verdict.extra)


@given(calls)
def test_calls_survive_the_wire(call: Call) -> None:
    """A call that was rendered, sent as JSON and read again is the same call, in the form that the SDK declares."""
    body = render_request(call, call.model)
    PARAMS.validate_json(json.dumps(body))
    again = parse_request(from_json(to_json(body)))

    assert again == call
    assert again.wire == "openai_moderation"


@given(st.data(), st.sampled_from([Dialect(), MISTRAL]))
def test_answers_survive_the_wire(data: st.DataObject, dialect: Dialect) -> None:
    """Verdicts, counts and unknown fields come back."""
    given_verdicts = data.draw(st.lists(verdicts.filter(_sound), max_size=2))
    usage = data.draw(st.none() | st.builds(Usage, counts))
    extra = dict(data.draw(unknown_fields))
    if usage is not None and data.draw(st.booleans()):
        extra["usage"] = data.draw(some_unknown_fields)
    chunk = Chunk(
        verdicts=tuple(given_verdicts if dialect.flagged else map(_mistral, given_verdicts)),
        usage=usage,
        id=data.draw(st.none() | names),
        model=data.draw(st.none() | names),
        extra=extra or None,
        wire="openai_moderation",
    )
    (again,) = parse_response(from_json(to_json(render_response([chunk], dialect=dialect))), dialect)

    assert again == chunk
    assert again.wire == chunk.wire


def test_an_answer_fits_the_types_of_the_sdk() -> None:
    """Categories, scores and the types of input that they hold for stand where the SDK declares them."""
    chunk = Chunk(verdicts=(VERDICT, VERDICT), id="i", model="omni-moderation-latest", wire="openai_moderation")
    answer = RESPONSE.validate_json(json.dumps(render_response([chunk])))
    first = answer.results[0]

    assert (first.flagged, first.categories.violence, first.categories.hate_threatening) == (True, True, False)
    assert first.category_scores.self_harm_intent == 0.25
    assert first.category_applied_input_types.sexual_minors == ["text"]


def test_a_request_looks_like_this_on_the_wire() -> None:
    """The model may be left to the server."""
    call = Call(operation="moderation", inputs=("a", "b"), extra={"metadata": {"x": 1}})

    assert render_request(call, "m") == {"model": "m", "input": ["a", "b"], "metadata": {"x": 1}}
    assert "model" not in render_request(call, "")
    assert parse_request({"input": "a"}).inputs == ("a",)


@pytest.mark.parametrize(
    "given_input",
    [
        [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:,"}}],
        [[{"role": "user", "content": "a"}]],
    ],
)
def test_inputs_that_are_no_texts_go_out_as_they_came(given_input: list) -> None:
    """Images, and Mistral's conversations, are not ours to read; another format would lose them."""
    body = {"model": "m", "input": given_input}
    call = parse_request(body)

    assert call.inputs == ()
    assert render_request(call, "m") == body
    with pytest.raises(NoCapableTarget, match="inputs that are no texts"):
        render_request(call.evolve(wire="other"), "m")


def test_mistral_tells_categories_only() -> None:
    """An input is flagged if one of them is."""
    result = {"categories": {"pii": True, "law": False}, "category_scores": {"pii": 0.9, "law": 0}}
    usage = {"prompt_tokens": 9, "total_tokens": 98, "completion_tokens": 0, "request_count": 1}
    body = {"id": "i", "model": "mistral-moderation-latest", "usage": usage, "results": [result]}

    assert parse_response(body, MISTRAL) == [
        Chunk(
            verdicts=(Verdict(True, {"pii": True, "law": False}, {"pii": 0.9, "law": 0.0}),),
            usage=Usage(9),
            id="i",
            model="mistral-moderation-latest",
            extra={"usage": {"request_count": 1}},
        )
    ]


def test_older_models_have_no_word_for_newer_categories() -> None:
    """A category that is null was not looked for."""
    body = {"results": [{"flagged": False, "categories": {"hate": False, "illicit": None}, "category_scores": None}]}

    assert parse_response(body)[0].verdicts == (Verdict(False, {"hate": False}),)


def test_fields_of_other_formats_stay_behind() -> None:
    """Those of calls, of verdicts and of whole answers."""
    call = make_call(operation="moderation", inputs=("a",), extra={"x": 1}, wire="other")
    chunk = Chunk(verdicts=(Verdict(True, extra={"x": 1}),), usage=Usage(2), extra={"y": 1}, wire="other")

    assert render_request(call, "m") == {"model": "m", "input": ["a"]}
    assert [decision.action for decision in call.trace.decisions] == ["left out"]
    assert render_response([chunk], id="i", model="m") == {
        "id": "i",
        "model": "m",
        "results": [{"flagged": True, "categories": {}, "category_scores": {}}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it must be an object, not list"),
        ({}, "results must be a list, not NoneType"),
        ({"results": [SECRET]}, "results[0] must be an object, not str"),
        ({"results": [{}]}, "results[0] tells neither whether it is flagged nor its categories"),
        ({"results": [{"flagged": SECRET}]}, "results[0].flagged must be true or false, not str"),
        ({"results": [{"categories": SECRET}]}, "results[0].categories must be an object, not str"),
        ({"results": [], "model": 3}, "model must be a string, not int"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: object, problem: str) -> None:
    """The error says what is wrong and quotes nothing; a verdict is never made up."""
    with pytest.raises(BadResponse) as caught:
        parse_response(body, model="m")

    assert str(caught.value) == f"openai/m: the answer is not a list of verdicts: {problem}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SECRET, "the request must be an object, not str"),
        ({}, "input must be a list, not NoneType"),
        ({"input": [3]}, "input[0] must be a string, not int"),
        ({"input": SECRET, "model": 3}, "model must be a string, not int"),
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
