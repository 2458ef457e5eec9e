"""Nothing that a `Guard` masks stands in a byte that leaves, nor in anything that is written down."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigw import BadRequest, Fallback, Guard, Message, Retry, Target, Text, Tool, ToolCall, ToolResult
from aigw.testing import Status
from gateway.secrets_check import said_by
from guards.codes import CODE, Codes

CODES = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: f"K-{pair[0]:03}-{pair[1]:03}")
FILLER = st.text('ab K-1 \n"\\{}<>_é\u200b', max_size=8)
TEXTS = st.lists(st.tuples(FILLER, CODES, FILLER).map("".join), min_size=1, max_size=3).map(" ".join)
"""Texts with codes in them, which may run into each other."""

ARGUMENTS = TEXTS.map(lambda text: json.dumps({"note": text, text: 1}))


def messages():
    """Make conversations that hold codes wherever they can."""
    turn = st.one_of(
        TEXTS.map(lambda text: [Message("user", text)]),
        st.lists(TEXTS, min_size=1, max_size=2).map(lambda texts: [Message("user", [Text(text) for text in texts])]),
        st.tuples(ARGUMENTS, TEXTS).map(
            lambda pair: [
                Message("assistant", [ToolCall("c1", "look", pair[0])]),
                Message("tool", [ToolResult("c1", pair[1])]),
            ]
        ),
    )
    system = TEXTS.map(lambda text: [Message("system", text)])
    return st.tuples(system, st.lists(turn, min_size=1, max_size=3)).map(lambda pair: sum(pair[1], pair[0]))


def codes_in(conversation):
    """Return the codes of a conversation."""
    return set(CODE.findall(repr([message.to_json() for message in conversation])))


@pytest.fixture
def logged(caplog):
    """Write down everything that is logged."""
    caplog.set_level(logging.DEBUG)
    return caplog


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation=messages(), how=st.tuples(st.booleans(), st.booleans()))
def test_no_masked_value_leaves_or_is_written_down(face, upstream, second, logged, *, conversation, how):
    """Not in the bytes of a request, to whichever target, not in traces, logs or errors."""
    streamed, fails = how
    for server in (upstream, second):
        server.requests.clear()
    upstream.always(Status(500) if fails else None)
    made = face(
        {"smart": Fallback(Target(upstream.url, model="m"), Target(second.url, model="m"))},
        [Guard(Codes()), Retry(2)],
    )
    tool = Tool("look", "looks up " + next(iter(codes_in(conversation))))
    reading = made.stream(conversation, tools=[tool]) if streamed else None
    trace = made.chat(conversation, tools=[tool]).trace if reading is None else (reading.rest(), reading.trace)[1]

    sent = "".join(repr(request) for server in (upstream, second) for request in server.requests)
    everything = [sent, str(trace), trace.to_json(), logged.text]
    for code in codes_in(conversation):
        assert not [text for text in everything if code in str(text)]
    assert "<CODE_1_" in sent


def test_a_provider_that_quotes_the_prompt_quotes_tokens(face, upstream, logged):
    """An error that repeats the prompt, in its own words, repeats what the provider saw."""
    value = "K-123-456"
    made = face({"smart": Target(upstream.url, model="m")}, [Guard(Codes())])
    made.chat(f"code {value}")
    upstream.always(Status(400, message=f"cannot read {upstream.requests[0].json}"))
    with pytest.raises(BadRequest) as caught:
        made.chat(f"code {value}")

    assert "<CODE_1_" in caught.value.detail
    assert value not in said_by(caught.value) + caught.value.detail + logged.text
