"""What an answer must look like: JSON, a schema, a pattern, lengths; whole or streamed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from aigw import AnswerBlocked, Chunk, ConfigError, Fallback, Guard, Target, Tool, ToolCallDelta
from aigw.guards import Form
from aigw.testing import ScriptedProvider
from gateway.faces import FACES
from guards.contract import check, streamed


class City(BaseModel):
    """A schema."""

    name: str
    people: int


GOOD = '{"name": "Ulm", "people": 126000}'


@pytest.mark.parametrize(
    ("form", "text", "kinds"),
    [
        (Form(json=True), GOOD, []),
        (Form(json=True), f"Sure! {GOOD}", ["NOT_JSON"]),
        (Form(json=True), f"```json\n{GOOD}\n```", ["NOT_JSON"]),
        (Form(json=True), "", ["NOT_JSON"]),
        (Form(json=True), "NaN", ["NOT_JSON"]),
        (Form(json=True), '"[[[[["', []),
        (Form(json=True), "[" * 10**5, ["NOT_JSON"]),
        (Form(json=True), "9" * 10**5, []),
        (Form(json=True), "\ud800", ["NOT_JSON"]),
        (Form(schema=City), GOOD, []),
        (Form(schema=City), '{"name": "Ulm"}', ["SCHEMA"]),
        (Form(schema=City), "x", ["NOT_JSON"]),
        (Form(schema={"type": "array"}), GOOD, ["SCHEMA"]),
        (Form(schema={"type": "array"}), "[]", []),
        (Form(schema=City), '{"name": "\\ud800", "people": 1}', ["SCHEMA"]),
        (Form(min_length=5), "four", ["TOO_SHORT"]),
        (Form(min_length=1), "", ["TOO_SHORT"]),
        (Form(min_length=5, max_length=5), "fives", []),
        (Form(max_length=5), "longer", ["TOO_LONG"]),
        (Form(json=True, max_length=5), GOOD, ["TOO_LONG"]),
        (Form(must_match="yes|no"), "yes", []),
        (Form(must_match="yes|no"), "yes!", ["NO_MATCH"]),
        (Form(must_match="yes|no"), "", ["NO_MATCH"]),
    ],
)
def test_what_is_wrong_with_a_text(form, text, kinds):
    """The first thing that is wrong, and nothing with what fits."""
    assert [span.kind for span in form.find(text)] == kinds


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.text(max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_a_length_is_watched_while_a_text_comes(most, text, cuts):
    """However it is cut, what is found is what is found in the whole, and nothing is held back."""
    form = Form(max_length=most)
    check(form, text)

    assert streamed(form, text, cuts) == form.find(text)
    assert form.settled(text) == len(text)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "looks for nothing"),
        ({"max_length": 0}, "max_length"),
        ({"min_length": 5, "max_length": 4}, "is above max_length"),
        ({"schema": "city"}, "give a pydantic model"),
        ({"must_match": "("}, "must_match. is no regular expression"),
        ({"must_match": "a*"}, "fits nothing at all"),
        ({"must_match": b"a"}, "of bytes"),
    ],
)
def test_wrong_arguments_are_told_at_once(options, told):
    """With what is wrong about them."""
    with pytest.raises(ConfigError, match=told):
        Form(**options)


@pytest.fixture(params=list(FACES))
def face(request):
    """Make gateways, with each face."""
    made = []

    def make(route, *policies):
        made.append(FACES[request.param]({"r": route}, policies))
        return made[-1]

    yield make
    for one in made:
        one.shut_down()


def says(outcome):
    """Make a target that always answers the same."""
    return Target(ScriptedProvider.repeat(outcome, name=f"says-{len(repr(outcome))}"))


@pytest.mark.parametrize("stream", ["hold", "cut"])
def test_a_gateway_refuses_what_has_the_wrong_form(face, stream):
    """A form is looked at in the whole, also where others look sentence by sentence."""
    good = '{"name": "Ulm. It is a city.\\nA fine one.", "people": 1}'
    guard = Guard(Form(schema=City), stream=stream)
    one = face(says([*good]), guard)

    assert one.read("which city?") == good
    assert one.chat("which city?").text == good
    for bad in ([*f"Here it is. {good}"], Chunk(finish_reason="stop"), Chunk(refusal="No.", finish_reason="stop")):
        with pytest.raises(AnswerBlocked, match="NOT_JSON in answer"):
            face(says(bad), guard).read("which city?")


def test_fields_and_calls_of_tools_have_forms_of_their_own(face):
    """What stands beside the text need not have its form, and an answer that only calls a tool has no text."""
    guard = Guard(Form(schema=City, min_length=20))
    beside = [Chunk(text=GOOD, extra={"note": "no JSON"}), Chunk(finish_reason="stop", extra={"tier": "fast"})]
    call = [Chunk(tool_calls=(ToolCallDelta(0, "1", "look", "{}"),)), Chunk(finish_reason="tool_calls")]

    assert face(says(beside), guard).read("which city?") == GOOD
    assert len(face(says(call), guard).chat("which city?", tools=[Tool("look")]).tool_calls) == 1


def test_a_stream_ends_where_it_is_too_long(face):
    """What fits has been handed on by then."""
    reading = face(says([*"abcdefgh"]), Guard(Form(max_length=5))).stream("go on")
    with pytest.raises(AnswerBlocked, match="TOO_LONG in answer"):
        reading.rest()

    assert reading.text == "abcde"


def test_another_target_is_asked(face):
    """Also in a stream: as nothing of it was handed on."""
    guard = Guard(Form(schema=City))
    targets = [
        Target(ScriptedProvider.repeat(outcome, name=name), policies=[guard])
        for name, outcome in (("one", ["Ulm, ", "I think."]), ("two", [GOOD[:9], GOOD[9:]]))
    ]
    one = face(Fallback(*targets, on=[AnswerBlocked]))

    assert one.chat("which city?").text == GOOD
    assert one.read("which city?") == GOOD


def test_a_shadow_only_notes_it(face):
    """And a refusal stands in the place of the answer."""
    answer = face(says("Ulm"), Guard(Form(json=True), shadow=True)).chat("which city?")

    assert answer.text == "Ulm"
    assert [decision.action for decision in answer.trace.decisions] == ["would block"]
    assert face(says("Ulm"), Guard(Form(json=True), on_block="refuse", refusal="{}")).read("which city?") == "{}"
