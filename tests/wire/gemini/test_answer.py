"""Whole answers in Gemini's format, read and written."""

from __future__ import annotations

import pytest

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, ContentFiltered, ContextTooLong, Overloaded
from aigw.message import File, Image, Other, Reasoning, Text, ToolCall
from aigw.wire.gemini import Dialect, parse_response, render_response
from wire.gemini.making import answer, parts_of

CALL = {"functionCall": {"name": "f", "args": {"a": 1}}}


def test_a_plain_answer_is_one_chunk() -> None:
    """Text, finish reason, usage, model and id in one."""
    counts = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    body = answer({"text": "hi"}, usageMetadata=counts, modelVersion="m", responseId="r")

    assert parse_response(body) == [Chunk("hi", finish_reason="stop", usage=Usage(3, 2), id="r", model="m")]


def test_parts_keep_their_order() -> None:
    """Thoughts, texts, calls, images and what aigw does not model."""
    parts = parts_of(
        parse_response(
            answer(
                {"text": "hm", "thought": True},
                {"text": "a"},
                CALL,
                {"text": "b"},
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
                {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
                {"executableCode": {"code": "1"}},
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thought": True},
                {"functionCall": {"id": "i", "name": "g"}},
                responseId="r-1",
            )
        )
    )

    assert parts == (
        Reasoning("hm"),
        Text("a"),
        ToolCall("call_r-1_0", "f", '{"a":1}', {"madeUpId": True}),
        Text("b"),
        Image("data:image/png;base64,AA=="),
        File("data:audio/wav;base64,AA=="),
        Other({"executableCode": {"code": "1"}}),
        Other({"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thought": True}),
        ToolCall("i", "g", "{}"),
    )


def test_unknown_fields_stay_where_they_were() -> None:
    """Of the answer, the candidate, its content, its text and the counts."""
    body = answer(
        {"text": "a", "xPart": 1}, modelStatus={"x": 1}, usageMetadata={"promptTokenCount": 1, "trafficType": "T"}
    )
    body["candidates"][0] |= {"safetyRatings": [1], "groundingMetadata": {"x": 1}, "avgLogprobs": -0.5}
    body["candidates"][0]["content"]["xContent"] = 1
    (chunk,) = parse_response(body)

    assert chunk.extra == {
        "modelStatus": {"x": 1},
        "choice": {"safetyRatings": [1], "groundingMetadata": {"x": 1}, "avgLogprobs": -0.5},
        "message": {"xContent": 1},
        "part": {"xPart": 1},
        "usage": {"promptTokenCount": 1, "trafficType": "T"},
    }
    assert render_response([chunk]) == body


@pytest.mark.parametrize(
    ("given", "called", "expected"),
    [
        ("STOP", False, "stop"),
        ("STOP", True, "tool_calls"),
        ("MAX_TOKENS", False, "length"),
        ("MAX_TOKENS", True, "length"),
        *[
            (reason, False, "content_filter")
            for reason in (
                "SAFETY",
                "RECITATION",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "ESCALATION",
                "IMAGE_SAFETY",
                "IMAGE_PROHIBITED_CONTENT",
                "IMAGE_RECITATION",
                "MODEL_ARMOR",
            )
        ],
        ("MALFORMED_FUNCTION_CALL", False, "MALFORMED_FUNCTION_CALL"),
        ("OTHER", False, "OTHER"),
        ("LANGUAGE", False, "LANGUAGE"),
        ("SOMETHING_NEW", False, "SOMETHING_NEW"),
    ],
)
def test_finish_reasons(given: str, called: bool, expected: str) -> None:  # noqa: FBT001  (a parameter of the test)
    """Each has our word, or passes as it is; written again it is what it was."""
    body = answer(*([CALL] if called else [{"text": "a"}]), reason=given)
    chunks = parse_response(body)

    assert chunks[-1].finish_reason == expected
    assert render_response(chunks) == body


def test_candidates() -> None:
    """Each has its index, its calls are counted on their own, and its end may come without content."""
    body = {
        "candidates": [
            {"index": 1, "content": {"parts": [CALL, CALL]}, "finishReason": "STOP"},
            {"content": {"parts": [CALL]}, "finishReason": "STOP"},
            {"index": 2, "finishReason": "SAFETY"},
        ]
    }
    chunks = parse_response(body)
    calls = [(chunk.index, delta.index, delta.id) for chunk in chunks for delta in chunk.tool_calls]

    assert calls == [(1, 0, "call_0"), (1, 1, "call_1"), (0, 0, "call_0")]
    assert chunks[-1] == Chunk(finish_reason="content_filter", index=2)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (None, None),
        ({}, None),
        ({"promptTokenCount": 5}, None),
        ({"candidatesTokenCount": 5}, None),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2}, Usage(5, 2)),
        ({"promptTokenCount": 5, "totalTokenCount": 5}, Usage(5, 0)),
        ({"promptTokenCount": 5, "totalTokenCount": 9, "thoughtsTokenCount": 4}, Usage(5, 4, reasoning=4)),
        (
            {
                "promptTokenCount": 5,
                "toolUsePromptTokenCount": 3,
                "cachedContentTokenCount": 4,
                "candidatesTokenCount": 2,
                "thoughtsTokenCount": 7,
                "totalTokenCount": 17,
            },
            Usage(8, 9, 4, None, 7),
        ),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 99}, Usage(5, 2)),
        ({"promptTokenCount": -1, "candidatesTokenCount": True}, None),
        ("secret", None),
    ],
)
def test_usage(counts: object, usage: Usage | None) -> None:
    """Cached and tool tokens are part of the input, thoughts of the output; all that was told is written again."""
    (chunk,) = parse_response(answer({"text": "a"}, usageMetadata=counts))
    written = render_response([chunk]).get("usageMetadata")

    assert chunk.usage == usage
    if isinstance(counts, dict) and counts:
        assert counts.items() <= written.items()


def test_a_blocked_prompt() -> None:
    """Status 200 and no candidates: the provider's filter refused the prompt, and its words stay out of the message."""
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "secret"}}
    with pytest.raises(ContentFiltered, match=r"^vertex/m: the provider blocked the prompt") as caught:
        parse_response(body, Dialect(provider="vertex"), "m")

    assert (caught.value.code, caught.value.status, caught.value.detail) == ("PROHIBITED_CONTENT", 200, "secret")
    assert "secret" not in str(caught.value)


def test_feedback_beside_an_answer_is_kept() -> None:
    """Only a prompt that got no answer was blocked."""
    (chunk,) = parse_response(answer({"text": "a"}, promptFeedback={"safetyRatings": []}))

    assert chunk.extra == {"promptFeedback": {"safetyRatings": []}}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "has no candidates"),
        ({}, "has no candidates"),
        ({"candidates": []}, "has no candidates"),
        ({"usageMetadata": {"promptTokenCount": 1}, "promptFeedback": {}}, "has no candidates"),
        ("secret", "it must be an object, not str"),
        ({"candidates": {"secret": 1}}, "candidates must be a list, not dict"),
        ({"candidates": ["secret"]}, "a candidate must be an object, not str"),
        ({"candidates": [{"content": {"parts": ["secret"]}}]}, r"parts\[0\] must be an object, not str"),
        ({"candidates": [{"content": {"parts": [{"text": 1}]}}]}, r"parts\[0\].text must be a string, not int"),
        ({"candidates": [{"finishReason": 1}]}, "finishReason must be a string, not int"),
        ({"candidates": [{"index": "0"}]}, "index must be an integer, not str"),
    ],
)
def test_wrong_answers(body: object, problem: str) -> None:
    """They are the provider's fault, and nothing of them is quoted."""
    with pytest.raises(BadResponse, match=problem) as caught:
        parse_response(body, model="m")

    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("gemini/m: ")


def test_an_error_under_status_200() -> None:
    """It is classified by what it says."""
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}

    for body in (error, [error]):
        with pytest.raises(Overloaded):
            parse_response(body)


def test_a_stream_in_one_piece() -> None:
    """A server that was asked for a stream without ``alt=sse`` answers with a list."""
    body = [answer({"text": "a"}, reason=None), answer({"text": "b"})]

    assert parse_response(body) == [Chunk("a"), Chunk("b", finish_reason="stop")]


def test_answers_of_other_formats() -> None:
    """Pieces are joined, refusals are texts, and what only the other format knows stays out."""
    chunks = [
        Chunk(reasoning="hm", parts=(Reasoning("", "S", "anthropic"),), wire="x", id="r", model="m"),
        Chunk("a", wire="x", extra={"choice": {"logprobs": 1}, "service_tier": "s"}),
        Chunk("b", refusal="c", tool_calls=(ToolCallDelta(0, "i", "f", '{"a"', {"type": "function"}),), wire="x"),
        Chunk(tool_calls=(ToolCallDelta(1, "j", "g"), ToolCallDelta(0, arguments=":1}")), wire="x"),
        Chunk(parts=(Other({"type": "x"}), Image("https://x/y.png", extra={"x": 1})), wire="x"),
        Chunk(finish_reason="pause_turn", usage=Usage(3, 2), wire="x"),
    ]

    assert render_response(chunks, id="other", created=7) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "hm", "thought": True},
                        {"text": "abc"},
                        {"functionCall": {"id": "i", "name": "f", "args": {"a": 1}}},
                        {"functionCall": {"id": "j", "name": "g", "args": {}}},
                        {"fileData": {"fileUri": "https://x/y.png", "mimeType": "image/png"}},
                    ],
                },
                "finishReason": "OTHER",
                "finishMessage": "pause_turn",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        "modelVersion": "m",
        "responseId": "r",
    }


def test_an_answer_without_a_reason_has_ended() -> None:
    """A client takes a candidate without a finish reason for one that was cut."""
    assert render_response([Chunk("a")])["candidates"][0]["finishReason"] == "STOP"


def test_context_that_is_too_long_inside_an_answer() -> None:
    """The same words count as in an answer with status 400."""
    message = "The input token count (3475108) exceeds the maximum number of tokens allowed (1048576)."
    with pytest.raises(ContextTooLong):
        parse_response({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})


def test_parts_that_say_nothing() -> None:
    """They are no output, which would keep a call from being tried again."""
    (chunk,) = parse_response(answer({}, {"text": ""}, {"text": "", "thought": True}))

    assert chunk == Chunk(finish_reason="stop")


def test_whole_parts_are_written() -> None:
    """Also those that this format gives in pieces; a file to which no URL leads is left out."""
    parts = (Text("a"), ToolCall("i", "f", "{}"), File(file_id="x"), File("gs://b/c.pdf"))

    assert render_response([Chunk(parts=parts)])["candidates"][0]["content"]["parts"] == [
        {"text": "a"},
        {"functionCall": {"id": "i", "name": "f", "args": {}}},
        {"fileData": {"fileUri": "gs://b/c.pdf", "mimeType": "application/pdf"}},
    ]
