"""What all values that travel have in common: frozen, and the same after a trip through JSON."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.answer import Answer, Embeddings
from aigw.call import Call, Principal, Schema, Timeouts
from aigw.chunk import Chunk, Usage
from aigw.message import Message, Text
from aigw.testing import make_call
from aigw.trace import CallTrace
from aigw.values import Value
from foundation.any_values import KINDS

FROZEN = [kind for kind in KINDS if kind != "trace"]  # a trace grows while its call runs


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_json_round_trip(kind, data):
    """Every value reads its own JSON back as the same value, whatever its fields hold."""
    value = data.draw(KINDS[kind])
    twin = type(value).from_json(value.to_json())

    assert twin == value
    assert type(twin) is type(value)


@settings(max_examples=20)
@given(KINDS["answer"])
def test_what_does_not_count_for_equality_travels_too(answer):
    """The trace of an answer and the id of a call are left out when values are compared, but not from the JSON."""
    call = Call(id="c-1")

    assert Answer.from_json(answer.to_json()).trace == answer.trace
    assert Call.from_json(call.to_json()).id == "c-1"


def test_what_means_something_only_here_stays_here():
    """Ports, times on a clock of this process and Python types are not in the JSON."""
    call = make_call("hi", deadline=5.0, started=2.0, schema=Schema({"type": "object"}, type=dict))
    document = json.loads(call.to_json())
    twin = Call.from_json(call.to_json())

    assert document.keys() & {"deadline", "runtime", "trace", "started"} == set()
    assert "type" not in document["schema"]
    assert (twin.deadline, twin.runtime, twin.trace, twin.started) == (None, None, None, 0.0)
    assert twin == call
    assert "type" not in json.loads(Schema({}, type=dict).to_json())
    assert "parsed" not in json.loads(Answer(parsed=object()).to_json())


@pytest.mark.parametrize(
    "value", [Timeouts(total=math.inf), Call(timeouts=Timeouts(total=math.inf)), Embeddings(((math.inf, -math.inf),))]
)
def test_infinity_travels(value):
    """JSON has no word for infinity; it goes as text, and comes back as the number."""
    assert type(value).from_json(value.to_json()) == value


@pytest.mark.parametrize("kind", [Call, Chunk, Usage, Principal, Message, Answer])
def test_json_that_does_not_fit_is_refused(kind):
    """What is not such a value is a ValueError that names the field."""
    name = fields(kind)[0].name
    with pytest.raises(ValueError, match=name):
        kind.from_json(json.dumps({name: {"no": "such thing"}}))
    with pytest.raises(ValueError, match="JSON"):
        kind.from_json("{")


@pytest.mark.parametrize("kind", FROZEN)
@settings(max_examples=2)
@given(data=st.data())
def test_values_are_frozen(kind, data):
    """No field of a value can be set or deleted, and none can be added."""
    value = data.draw(KINDS[kind])
    name = fields(value)[0].name

    assert isinstance(value, Value)
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises(FrozenInstanceError):
        delattr(value, name)
    with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
        value.no_such_field = 1


@settings(max_examples=40)
@given(KINDS["call"], KINDS["call"], st.sets(st.sampled_from([field.name for field in fields(Call)])))
def test_evolve_is_replace(call, other, names):
    """`Call.evolve` gives what `dataclasses.replace` gives, for any changes, and leaves the original alone."""
    before = replace(call)
    changes = {name: getattr(other, name) for name in names}
    evolved = call.evolve(**changes)

    assert evolved == replace(call, **changes)
    assert {field.name: getattr(evolved, field.name) for field in fields(Call)} == {
        field.name: getattr(other if field.name in names else call, field.name) for field in fields(Call)
    }
    assert (type(evolved), call, repr(evolved)) == (Call, before, repr(replace(call, **changes)))


def test_evolve_knows_its_fields():
    """A field that does not exist is a TypeError that names it; so a slip cannot pass unseen."""
    with pytest.raises(TypeError, match="modle"):
        Call().evolve(model="a", modle="b")
    with pytest.raises(TypeError, match="modle"):
        replace(Call(), modle="b")


def test_evolving_keeps_the_ports():
    """Ports, trace and times go on into the copy, as the same objects."""
    call = make_call("hi", deadline=5.0)
    evolved = call.evolve(messages=(Message("user", (Text("other"),)),))

    assert evolved.runtime is call.runtime
    assert evolved.trace is call.trace
    assert (evolved.deadline, evolved.started, evolved.id) == (5.0, call.started, call.id)


def test_a_trace_grows():
    """The trace is the one value that changes: it grows while its call runs."""
    trace = CallTrace()
    trace.duration = 1.5

    assert trace.duration == 1.5
