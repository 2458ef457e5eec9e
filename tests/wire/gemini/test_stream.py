"""Streams in Gemini's format, bytes to chunks and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_tool_calls
from aigw.errors import BadResponse, ContentFiltered, Overloaded, ProviderError, ProviderRateLimited
from aigw.message import Reasoning, ToolCall
from aigw.wire.gemini import Dialect, StreamParser
from strategies import splits
from wire.gemini.making import answer, events, parse, sse

HI = sse(answer({"text": "hi"}, reason=None))
STOP = sse(answer({"text": ""}))
OVERLOADED = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


def test_chunks_come_as_soon_as_they_are_there() -> None:
    """Every feed gives what it completes; only the end of the body is the end."""
    parser = StreamParser()
    seen = [parser.feed(piece) for piece in (b": hello\r\n\r\n", HI[:9], HI[9:], HI + STOP)]
    before = parser.ended
    last = parser.finish()

    assert seen == [[], [], [Chunk("hi")], [Chunk("hi"), Chunk(finish_reason="stop")]]
    assert (before, last, parser.ended, parser.finish()) == (False, [], True, [])


def test_usage_is_told_again_and_again() -> None:
    """Each event has the counts so far, which are zero for an output that is not there."""
    first = answer({"text": "a"}, reason=None, usageMetadata={"promptTokenCount": 3, "totalTokenCount": 3})
    last = answer({"text": "b"}, usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5})

    assert [chunk.usage for chunk in parse(sse(first, last))] == [Usage(3, 0), Usage(3, 2)]


def test_calls_of_several_events_are_counted_on() -> None:
    """Their index and id go on, and they make ``STOP`` mean ``tool_calls`` in a later event."""
    call = {"functionCall": {"name": "f", "args": {}}}
    chunks = parse(sse(answer(call, reason=None, responseId="r"), answer(call, reason=None, responseId="r"), answer()))

    assert [one.id for one in join_tool_calls(chunks)] == ["call_r_0", "call_r_1"]
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HI + STOP, id="finish reason"),
        pytest.param(HI + STOP.rstrip(), id="without line end"),
        pytest.param(HI + STOP + sse({"usageMetadata": {"promptTokenCount": 1}}), id="usage behind it"),
        pytest.param(HI + sse({"candidates": [{"finishReason": "STOP"}]}), id="without content"),
        pytest.param(HI + sse([answer()]), id="an event in a list"),
        pytest.param(
            HI + sse({"candidates": [{"index": 1, "finishReason": "STOP"}]}) + STOP, id="every candidate has its end"
        ),
    ],
)
def test_a_proper_end_is_no_error(body: bytes) -> None:
    """A finish reason for every candidate that was seen, and then the end of the body."""
    assert all(isinstance(chunk, Chunk) for chunk in parse(body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b": ping\n\n", id="only comments"),
        pytest.param(HI, id="no finish reason"),
        pytest.param(HI + b"data: {", id="cut within an event"),
        pytest.param(HI + STOP[:-6], id="cut within the last event"),
        pytest.param(HI + sse({"candidates": [{"index": 1, "finishReason": "STOP"}]}), id="one candidate unfinished"),
        pytest.param(sse({"usageMetadata": {"promptTokenCount": 1}}), id="only usage"),
        pytest.param(b"<html>hello</html>", id="no stream at all"),
        pytest.param(HI + b'{\n  "error": {\n    "code": 503', id="cut within an error"),
        pytest.param(HI + b'{"candidates": []}', id="JSON that is no error"),
        pytest.param(HI + b"[]", id="an empty list"),
    ],
)
def test_a_stream_that_is_cut_is_never_taken_for_complete(body: bytes) -> None:
    """Without its proper end a stream fails, and goes on failing."""
    parser = StreamParser(Dialect(provider="p"), "m")
    parser.feed(body)

    for _ in range(2):
        with pytest.raises(BadResponse, match=r"^p/m: the stream ended before its end$"):
            parser.finish()
    with pytest.raises(BadResponse):
        parser.feed(STOP)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(sse(OVERLOADED), id="an event"),
        pytest.param(sse([OVERLOADED]), id="an event that is a list"),
        pytest.param(b"event: error\n" + sse(OVERLOADED), id="an event with a name"),
        pytest.param(sse(OVERLOADED).rstrip(), id="an event without line end"),
        pytest.param(json.dumps(OVERLOADED, indent=2).encode(), id="no event, in lines of its own"),
        pytest.param(
            b"\r\n" + json.dumps([OVERLOADED], indent=2).replace("\n", "\r\n").encode(), id="no event, a list"
        ),
        pytest.param(STOP + json.dumps(OVERLOADED, indent=2).encode() + b"\n", id="behind a finish reason"),
    ],
)
@given(data=st.data())
def test_errors_within_a_stream(error: bytes, data: st.DataObject) -> None:
    """In whatever way the server writes it, wherever the bytes are cut: the error is raised, after what came before."""
    parser = StreamParser(model="m")
    pieces = data.draw(splits(HI + error))
    seen: list[Chunk] = []

    def read() -> None:
        for piece in pieces:
            seen.extend(parser.feed(piece))
        seen.extend(parser.finish())

    with pytest.raises(Overloaded) as caught:
        read()
    assert seen[0] == Chunk("hi")
    assert caught.value.status == 503
    with pytest.raises(Overloaded):
        parser.finish()


def test_a_prompt_that_is_blocked() -> None:
    """It raises at once."""
    with pytest.raises(ContentFiltered):
        StreamParser().feed(sse({"promptFeedback": {"blockReason": "SAFETY"}}))


@pytest.mark.parametrize(
    "event",
    [b"data: {\n\n", b"data: 1\n\n", sse({"candidates": 1}), sse({"candidates": [{"content": {"parts": [1]}}]})],
)
def test_events_that_make_no_sense(event: bytes) -> None:
    """They are the provider's fault; what came before them is returned first."""
    parser = StreamParser()

    assert parser.feed(HI + event) == [Chunk("hi")]
    for again in (lambda: parser.feed(HI), parser.finish):
        with pytest.raises(BadResponse):
            again()


def test_a_limit_in_the_middle() -> None:
    """The error's own code and its delay count, since the status was 200."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down", "details": details}}
    with pytest.raises(ProviderRateLimited) as caught:
        StreamParser().feed(sse(error))

    assert caught.value.retry_after == 34.5


def test_what_a_stream_looks_like() -> None:
    """An event for each chunk, in the words of the format."""
    assert events(
        Chunk(reasoning="hm", model="m", id="r"),
        Chunk("a"),
        Chunk(),
        Chunk("b", finish_reason="stop", usage=Usage(3, 2)),
        model="other",
        id="x",
    ) == [
        {
            "candidates": [{"content": {"parts": [{"text": "hm", "thought": True}], "role": "model"}, "index": 0}],
            "modelVersion": "m",
            "responseId": "r",
        },
        {
            "candidates": [{"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0}],
            "modelVersion": "other",
            "responseId": "x",
        },
        {
            "candidates": [
                {"content": {"parts": [{"text": "b"}], "role": "model"}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
            "modelVersion": "other",
            "responseId": "x",
        },
    ]


def test_calls_of_other_formats_are_held_until_they_are_complete() -> None:
    """Their pieces may be mixed; here each goes out whole, with the end of the answer."""
    read = events(
        Chunk("a", wire="x"),
        Chunk(tool_calls=(ToolCallDelta(0, "i", "f", '{"a":'), ToolCallDelta(1, "j", "g")), wire="x"),
        Chunk(tool_calls=(ToolCallDelta(0, arguments="1}"),), wire="x"),
        Chunk(finish_reason="tool_calls", wire="x"),
        Chunk(usage=Usage(1, 1), wire="x"),
    )

    assert read[1]["candidates"] == [
        {
            "content": {
                "parts": [
                    {"functionCall": {"id": "i", "name": "f", "args": {"a": 1}}},
                    {"functionCall": {"id": "j", "name": "g", "args": {}}},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ]
    assert [list(event) for event in read] == [["candidates"], ["candidates"], ["usageMetadata"]]


def test_an_end_that_nobody_told() -> None:
    """A stream that is rendered to its end has a finish reason for each candidate, and all of its calls."""
    read = events(Chunk("a"), Chunk(tool_calls=(ToolCallDelta(0, "i", "f"),), index=1))
    body = sse(*read)

    assert [candidate["finishReason"] for event in read[1:] for candidate in event["candidates"]] == ["STOP", "STOP"]
    assert join_tool_calls(parse(body), 1) == (ToolCall("i", "f", "{}"),)


def test_signatures_of_other_providers_are_not_given_to_the_client() -> None:
    """It would send them back to a model that does not know them."""
    chunk = Chunk(reasoning="hm", parts=(Reasoning("", "S", "anthropic"),), wire="anthropic_messages")

    assert "Signature" not in str(events(chunk))


def piece(*values: dict, more: bool | None = True, **fields: object) -> dict:
    """An event with a piece of a function call, as Vertex AI streams them."""
    inner = {**fields, **({"partialArgs": list(values)} if values else {})}
    return answer({"functionCall": inner if more is None else {**inner, "willContinue": more}}, reason=None)


def test_arguments_in_pieces() -> None:
    """The call begins at once; its arguments come when they are complete."""
    chunks = parse(
        sse(
            piece(name="f", id="i"),
            piece({"jsonPath": "$.city", "stringValue": "Bos", "willContinue": True}),
            piece({"jsonPath": "$.city", "stringValue": "ton"}, {"jsonPath": "$.days[1].n", "numberValue": 2}),
            piece({"jsonPath": "$.tt", "stringValue": "t"}, {"jsonPath": "$.tt", "stringValue": "t"}),
            piece({"jsonPath": "$['a b'].ok", "boolValue": False}, {"jsonPath": '$["n"]', "nullValue": "NULL_VALUE"}),
            piece(more=None),
            piece({"jsonPath": "$.x", "numberValue": 1}, name="g", more=False),
            answer(),
        )
    )

    assert chunks[0].tool_calls == (ToolCallDelta(0, "i", "f"),)
    assert join_tool_calls(chunks) == (
        ToolCall("i", "f", '{"city":"Boston","days":[null,{"n":2}],"tt":"tt","a b":{"ok":false},"n":null}'),
        ToolCall("call_1", "g", '{"x":1}', {"madeUpId": True}),
    )
    assert chunks[-1].finish_reason == "tool_calls"
    assert events(*chunks)[0]["candidates"][0]["content"]["parts"] == [
        {"functionCall": {"id": "i", "name": "f", "args": json.loads(join_tool_calls(chunks)[0].arguments)}}
    ]


@pytest.mark.parametrize("end", [piece(name="g", more=None), answer({"text": "a"})])
def test_arguments_that_never_end(end: dict) -> None:
    """The next call, or the end of the answer, ends them."""
    body = sse(piece(name="f"), piece({"jsonPath": "$.a", "numberValue": 1}), end, answer())

    assert join_tool_calls(parse(body))[0].arguments == '{"a":1}'


@pytest.mark.parametrize(
    "values",
    [
        [{"jsonPath": "secret path", "stringValue": "x"}],
        [{"jsonPath": "$", "stringValue": "x"}],
        [{"stringValue": "x"}],
        [{"jsonPath": "$.a", "stringValue": "x"}, {"jsonPath": "$.a.b", "stringValue": "x"}],
        [{"jsonPath": "$[0]", "stringValue": "x"}],
        [{"jsonPath": "$.a[999999999]", "stringValue": "x"}],
    ],
)
def test_pieces_that_fit_nowhere(values: list) -> None:
    """They are the provider's fault."""
    with pytest.raises(ProviderError, match="not one of generateContent") as caught:
        StreamParser().feed(sse(piece(*values, name="f")))

    assert "secret" not in str(caught.value)
