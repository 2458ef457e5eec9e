"""Structured answers: from a type to a strict JSON schema, and from an answer back to the type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from aigw.answer import Answer, Choice
from aigw.call import Schema
from aigw.errors import BadResponse, ConfigError
from aigw.message import Text, ToolCall
from aigw.schema import as_schema, parse_answer

SECRET = "what the model wrote"


class Place(BaseModel):
    """A place."""

    name: str
    size: int | None = None


class City(BaseModel):
    kind: Literal["city"] = "city"
    places: list[Place] = []
    mayor: Place | None = None
    scores: dict[str, int] = {}
    pair: tuple[int, Place] = Field(default=(1, Place(name="x")))


class Awkward(BaseModel):
    """Its fields are called like keywords of JSON schema."""

    default: int = 3
    type: str = "x"
    properties: int = 1
    required: list[str] = []
    items: Annotated[str, Field(json_schema_extra={"examples": [{"default": 1}]})] = ""


@dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    loud: bool


def answer(text, *calls, **fields):
    """Make an answer with a text, and tool calls after it."""
    return Answer((Choice((Text(text), *calls), **fields),), model="m")


def objects(schema):
    """Yield every object schema within a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, (list, tuple)):
        for value in schema:
            yield from objects(value)


@pytest.mark.parametrize(
    ("given", "name"), [(Place, "Place"), (City, "City"), (Point, "Point"), (Options, "Options"), (Awkward, "Awkward")]
)
def test_a_type_gives_a_strict_schema(given, name):
    """All fields of all objects in it are required, others are forbidden, and there are no defaults."""
    schema = as_schema(given)
    found = list(objects(schema.schema))

    assert (schema.name, schema.strict, schema.type) == (name, True, given)
    assert found
    assert all(inner["required"] == list(inner["properties"]) for inner in found)
    assert all(inner["additionalProperties"] is False for inner in found)
    assert all("default" not in field for inner in found for field in inner["properties"].values())


def test_fields_with_the_names_of_keywords_are_kept():
    """A field called ``default`` is a field; examples are values and no schemas."""
    schema = as_schema(Awkward).schema

    assert list(schema["properties"]) == ["default", "type", "properties", "required", "items"]
    assert schema["properties"]["items"]["examples"] == [{"default": 1}]


@pytest.mark.parametrize(
    ("given", "text", "value"),
    [
        (Place, '{"name": "Bonn", "size": null}', Place(name="Bonn")),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (Options, '{"loud": true}', {"loud": True}),
        (list[int], "[1, 2]", [1, 2]),
        (int, "7", 7),
        (Literal["a", "b"], '"b"', "b"),
        (int | None, "null", None),
        (Annotated[int, Field(gt=0)], "7", 7),
        ({"type": "object"}, '{"a": [1]}', {"a": [1]}),
        (Schema({"type": "object"}), '{"a": 1}', {"a": 1}),
    ],
)
def test_an_answer_is_read_as_what_was_asked_for(given, text, value):
    """A type gives its own objects, a JSON schema gives what JSON holds."""
    assert parse_answer(as_schema(given), answer(text)) == value


def test_a_json_schema_is_taken_as_it_is():
    """Its title is its name, and strictness is the provider's choice; a `Schema` is not touched at all."""
    document = {"type": "object", "title": "My answer!", "properties": {"a": {"type": "string", "default": "x"}}}
    schema = as_schema(document)
    given = Schema({"type": "object"}, "mine", strict=False)

    assert (schema.schema, schema.name, schema.strict, schema.type) == (document, "My_answer_", None, None)
    assert as_schema({}).name == "answer"
    assert as_schema(given) is given


@pytest.mark.parametrize(
    ("title", "name"), [("a b/c", "a_b_c"), ("größe", "gr__e"), ("x" * 80, "x" * 64), ("ok_-9", "ok_-9")]
)
def test_names_are_what_providers_take(title, name):
    """Letters, digits, ``_`` and ``-``, 64 of them at most."""
    assert as_schema({"title": title}).name == name


@pytest.mark.parametrize("given", ["Place", 5, None, [Place], Place(name="x"), lambda: 1])
def test_what_is_no_schema(given):
    """It is told at once, with what to give."""
    with pytest.raises(ConfigError, match="give a pydantic model, another type, or a JSON schema"):
        as_schema(given)


@pytest.mark.parametrize("given", [type("Plain", (), {}), type])
def test_a_type_that_has_no_json_schema(given):
    """A type that pydantic makes no JSON schema of is told at once, too."""
    with pytest.raises(ConfigError, match="pydantic makes no JSON schema of it"):
        as_schema(given)


def test_a_type_that_names_what_is_not_there():
    """An annotation that cannot be resolved is a ConfigError as well."""

    @dataclass
    class Broken:
        other: NoSuchThing  # noqa: F821  (that is the mistake)

    with pytest.raises(ConfigError, match="Broken"):
        as_schema(Broken)


@pytest.mark.parametrize(
    "given_answer",
    [
        answer("", refusal="I must not"),
        answer("{}", refusal="I must not"),
        answer("", ToolCall("c", "f"), finish_reason="tool_calls"),
    ],
)
def test_no_answer_is_not_read(given_answer):
    """Where the model refused, or called tools in place of an answer, there is nothing to read."""
    assert parse_answer(as_schema(Place), given_answer) is None


def test_an_answer_beside_tool_calls_is_read():
    """A text counts, even if there are tool calls as well."""
    given_answer = answer("[1]", ToolCall("c", "f"))

    assert parse_answer(as_schema(list[int]), given_answer) == [1]


@pytest.mark.parametrize(
    ("given", "text", "places"),
    [
        (Place, f"{SECRET}", "answer (json_invalid)"),
        (Place, "", "answer (json_invalid)"),
        (Place, f'{{"size": "{SECRET}"}}', "name (missing); size (int_parsing)"),
        (City, f'{{"places": [{{"name": 1}}], "scores": {{"{SECRET}": "{SECRET}"}}}}', "scores.* (int_parsing)"),
        (City, '{"mayor": {"size": 1}, "pair": [1, {}]}', "mayor.name (missing); pair.1.name (missing)"),
        (list[int], f'["{SECRET}"]', "0 (int_parsing)"),
        ({"type": "object"}, SECRET, "it is not JSON"),
        ({"type": "object"}, "", "it is not JSON"),
    ],
)
def test_an_answer_that_does_not_fit(given, text, places):
    """The error tells where and how it does not fit, and quotes nothing of the answer, keys included."""
    with pytest.raises(BadResponse) as caught:
        parse_answer(as_schema(given), answer(text))

    assert places in str(caught.value)
    assert str(caught.value).startswith("m: the answer does not fit the schema: ")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_many_mistakes_are_told_in_short():
    """A message has the first five places at most."""
    with pytest.raises(BadResponse) as caught:
        parse_answer(as_schema(list[int]), answer('["a", "b", "c", "d", "e", "f", "g"]'))

    assert str(caught.value).count("int_parsing") == 5


def test_an_answer_that_was_cut():
    """An answer that ended at its limit is told as that, whether its JSON happens to be complete or not."""
    for text in ('{"name": "Bo', '{"name": "Bonn"}'):
        with pytest.raises(BadResponse, match=r"^m: the answer does not fit the schema: it was cut at max_tokens"):
            parse_answer(as_schema(Place), answer(text, finish_reason="length"))
