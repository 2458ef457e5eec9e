"""Streams of the Converse API as Bedrock sends them."""

from __future__ import annotations

import pytest

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_text, join_tool_calls
from aigw.errors import (
    BadResponse,
    ContextTooLong,
    Overloaded,
    ProviderError,
    ProviderRateLimited,
    ServerError,
)
from aigw.message import Image, Other, Reasoning, ToolCall
from aigw.wire.bedrock_converse import Dialect, StreamParser
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL
from wire.bedrock_converse.encoder import event, exception, frame, text


def start(index: int, **block: object) -> bytes:
    """The start of a block."""
    return event("contentBlockStart", {"start": block, "contentBlockIndex": index})


def delta(index: int, **piece: object) -> bytes:
    """A piece of a block."""
    return event("contentBlockDelta", {"delta": piece, "contentBlockIndex": index})


def stop(index: int) -> bytes:
    """The end of a block."""
    return event("contentBlockStop", {"contentBlockIndex": index})


def end(reason: str = "end_turn", **fields: object) -> bytes:
    """The end of the message."""
    return event("messageStop", {"stopReason": reason, **fields})


BEGIN = event("messageStart", {"role": "assistant"})
HI = delta(0, text="hi")
USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
METADATA = event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 7}})


def parse(*pieces: bytes) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser()
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


def test_chunks_come_as_soon_as_they_are_there() -> None:
    """Every feed gives what it completes; after the metadata nothing counts any more."""
    parser = StreamParser()
    seen = [parser.feed(piece) for piece in (BEGIN, HI[:9], HI[9:], stop(0) + end())]
    before = parser.ended
    last = parser.feed(METADATA)

    assert seen == [[], [], [Chunk(text="hi")], [Chunk(finish_reason="stop")]]
    assert not before
    assert last == [Chunk(usage=Usage(1, 2), extra={"metrics": {"latencyMs": 7}})]
    assert parser.ended
    assert parser.feed(b"garbage") == []
    assert parser.finish() == []


@pytest.mark.parametrize(
    ("usage", "expected", "extra"),
    [
        (USAGE, Usage(1, 2), None),
        (
            {**USAGE, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 20, "totalTokens": 33},
            Usage(31, 2, 10, 20),
            None,
        ),
        ({**USAGE, "cacheReadInputTokens": 0, "totalTokens": 3}, Usage(1, 2, 0), None),
        ({**USAGE, "cacheReadInputTokens": 10}, Usage(11, 2, 10), {"usage": {"totalTokens": 3}}),
        (
            {**USAGE, "cacheDetails": [{"ttl": "1h", "inputTokens": 5}]},
            Usage(1, 2),
            {"usage": {"cacheDetails": [{"ttl": "1h", "inputTokens": 5}]}},
        ),
        ({"outputTokens": 2}, None, {"usage": {"outputTokens": 2}}),
    ],
)
def test_usage_includes_what_the_cache_had(usage: dict, expected: Usage | None, extra: dict | None) -> None:
    """Bedrock counts cached tokens beside ``inputTokens``; ours includes them. What is not told is not known."""
    chunks = parse(BEGIN + end() + event("metadata", {"usage": usage, "metrics": {"latencyMs": 0}}))

    assert chunks[1:] == [Chunk(usage=expected, extra=extra)]


@pytest.mark.parametrize(
    ("given", "reason", "extra"),
    [
        ("end_turn", "stop", None),
        ("stop_sequence", "stop", {"stopReason": "stop_sequence"}),
        ("max_tokens", "length", None),
        ("model_context_window_exceeded", "length", {"stopReason": "model_context_window_exceeded"}),
        ("tool_use", "tool_calls", None),
        ("content_filtered", "content_filter", None),
        ("guardrail_intervened", "content_filter", {"stopReason": "guardrail_intervened"}),
        ("malformed_model_output", "malformed_model_output", None),
        ("some_new_reason", "some_new_reason", None),
    ],
)
def test_every_stop_reason(given: str, reason: str, extra: dict | None) -> None:
    """Those that we know become ours, with the original beside them where ours does not lead back to it."""
    assert parse(BEGIN + end(given)) == [Chunk(finish_reason=reason, extra=extra)]


@pytest.mark.parametrize("body", [BEGIN + HI + end(), BEGIN + HI + end() + METADATA, end()])
def test_a_proper_end_is_no_error(body: bytes) -> None:
    """The metadata, or the end of the body after the stop of the message."""
    assert parse(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BEGIN + HI, id="no stop"),
        pytest.param(BEGIN + HI + METADATA, id="metadata but no stop"),
        pytest.param(BEGIN + HI + end()[:-1], id="cut within the stop"),
        pytest.param(BEGIN + HI + end() + METADATA[:-1], id="cut within the usage"),
    ],
)
def test_a_stream_that_is_cut_is_never_taken_for_complete(body: bytes) -> None:
    """Without its proper end a stream fails, and goes on failing."""
    parser = StreamParser(Dialect(provider="p"), "m")
    parser.feed(body)

    for _ in range(2):
        with pytest.raises(BadResponse, match=r"^p/m: the stream ended before its end$"):
            parser.finish()


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        pytest.param(exception("throttlingException", "hunter2"), ProviderRateLimited, id="throttled"),
        pytest.param(exception("serviceUnavailableException", "hunter2"), Overloaded, id="unavailable"),
        pytest.param(exception("modelStreamErrorException", "hunter2"), ServerError, id="model"),
        pytest.param(exception("validationException", "prompt is too long: hunter2"), ContextTooLong, id="too long"),
        pytest.param(exception("someNewException", "hunter2"), ServerError, id="unknown"),
        pytest.param(
            frame(
                text(":message-type", "error")
                + text(":error-code", "InternalFailure")
                + text(":error-message", "hunter2"),
                b"",
            ),
            ServerError,
            id="unmodelled error",
        ),
        pytest.param(frame(text(":event-type", "contentBlockDelta"), b"{hunter2"), BadResponse, id="no JSON"),
        pytest.param(frame(text(":event-type", "contentBlockDelta"), b'"hunter2"'), BadResponse, id="no object"),
        pytest.param(event("contentBlockDelta", {"delta": {"text": "hunter2"}}), BadResponse, id="no index"),
        pytest.param(delta(0, text=["hunter2"]), BadResponse, id="no text"),
        pytest.param(delta(0, reasoningContent="hunter2"), BadResponse, id="no reasoning"),
        pytest.param(start(0, toolUse={"name": "hunter2"}), BadResponse, id="no id"),
        pytest.param(event("messageStop", {"stopReason": 7}), BadResponse, id="no reason"),
        pytest.param(b"hunter2 is no frame at all", BadResponse, id="no frame"),
    ],
)
def test_good_chunks_are_handed_out_before_what_is_wrong(bad: bytes, kind: type[ProviderError]) -> None:
    """What came before an error in the same bytes is not lost; then the error comes, and comes again, unquoted."""
    parser = StreamParser(Dialect(provider="p"), "m")
    first = parser.feed(BEGIN + HI + bad + HI)
    errors = []
    for step in (lambda: parser.feed(HI), parser.finish):
        with pytest.raises(ProviderError) as caught:
            step()
        errors.append(caught.value)

    assert first == [Chunk(text="hi")]
    assert [type(error) for error in errors] == [kind] * 2
    assert str(errors[0]).startswith("p/m: ")
    assert "hunter2" not in str(errors[0])
    with pytest.raises(kind):
        StreamParser().feed(bad)


def test_tool_calls_in_pieces() -> None:
    """Several calls, one without arguments and one with none that are JSON, between texts."""
    chunks = parse(
        BEGIN + delta(0, text="Let me ") + delta(0, text="see.") + stop(0),
        start(1, toolUse={"toolUseId": "c0", "name": "f"}),
        delta(1, toolUse={"input": ""}) + delta(1, toolUse={"input": '{"a"'}) + delta(1, toolUse={"input": ": 1}"}),
        stop(1) + start(2, toolUse={"toolUseId": "c1", "name": "g"}) + stop(2),
        start(3, toolUse={"toolUseId": "c2", "name": "h"}) + delta(3, toolUse={"input": "{oops"}) + stop(3),
        end("tool_use") + METADATA,
    )

    assert join_text(chunks) == "Let me see."
    assert join_tool_calls(chunks) == (
        ToolCall("c0", "f", '{"a": 1}'),
        ToolCall("c1", "g"),
        ToolCall("c2", "h", "{oops"),
    )
    assert chunks[-2].finish_reason == "tool_calls"


def test_reasoning_keeps_its_signature_and_its_place() -> None:
    """Readable, unsigned and encrypted reasoning, each a block of its own."""
    chunks = parse(
        BEGIN
        + delta(0, reasoningContent={"text": "h"})
        + delta(0, reasoningContent={"text": "m"})
        + delta(0, reasoningContent={"signature": "c2"})
        + delta(0, reasoningContent={"signature": "ln"})
        + stop(0)
        + delta(1, reasoningContent={"text": "more"})
        + stop(1)
        + delta(2, reasoningContent={"redactedContent": "AA=="})
        + delta(2, reasoningContent={"redactedContent": "AQI="})
        + stop(2)
        + delta(3, text="hi")
        + stop(3)
        + end()
    )

    assert chunks == [
        Chunk(reasoning="h"),
        Chunk(reasoning="m"),
        Chunk(parts=(Reasoning("", "c2ln", "bedrock"),)),
        Chunk(reasoning="more"),
        Chunk(parts=(Reasoning(""),)),
        Chunk(parts=(Reasoning("", "AAEC", "bedrock", {"redactedContent": True}),)),
        Chunk(text="hi"),
        Chunk(finish_reason="stop"),
    ]


def test_blocks_that_never_stop_are_not_lost() -> None:
    """A model that forgets to stop a block still gets its signature back."""
    chunks = parse(BEGIN + delta(0, reasoningContent={"signature": "s"}) + end())

    assert chunks == [Chunk(parts=(Reasoning("", "s", "bedrock"),)), Chunk(finish_reason="stop")]


def test_blocks_of_other_kinds_come_when_they_are_whole() -> None:
    """Tools that the server runs, images in pieces, and kinds of content that are newer than this library."""
    chunks = parse(
        BEGIN
        + start(0, toolUse={"toolUseId": "s", "name": "web", "type": "server_tool_use"})
        + delta(0, toolUse={"input": '{"q":'})
        + delta(0, toolUse={"input": " 1}"})
        + stop(0)
        + start(1, toolResult={"toolUseId": "s", "type": "web_result", "status": "success"})
        + delta(1, toolResult=[{"text": "r"}])
        + delta(1, toolResult=[{"json": {"a": 1}}])
        + stop(1)
        + start(2, image={"format": "png"})
        + delta(2, image={"source": {"bytes": "AA=="}})
        + delta(2, image={"source": {"bytes": "AQI="}})
        + stop(2)
        + delta(3, newKind={"a": "x", "list": [1]})
        + delta(3, newKind={"a": "y", "list": [2]})
        + stop(3)
        + event("newEvent", {"x": 1}, padding="")
        + end()
    )

    assert chunks == [
        Chunk(
            parts=(Other({"toolUse": {"toolUseId": "s", "name": "web", "type": "server_tool_use", "input": {"q": 1}}}),)
        ),
        Chunk(
            parts=(
                Other(
                    {
                        "toolResult": {
                            "toolUseId": "s",
                            "type": "web_result",
                            "status": "success",
                            "content": [{"text": "r"}, {"json": {"a": 1}}],
                        }
                    }
                ),
            )
        ),
        Chunk(parts=(Image("data:image/png;base64,AAEC"),)),
        Chunk(parts=(Other({"newKind": {"a": "xy", "list": [1, 2]}}),)),
        Chunk(extra={"events": [{"newEvent": {"x": 1}}]}),
        Chunk(finish_reason="stop"),
    ]


def test_citations_belong_to_the_text() -> None:
    """Each is a chunk that goes on with the text part."""
    chunks = parse(BEGIN + HI + delta(0, citation={"title": "t"}) + stop(0) + end())

    assert chunks[:2] == [Chunk(text="hi"), Chunk(extra={"part": {"citations": [{"title": "t"}]}})]


@pytest.mark.parametrize(("pieces", "text"), [(['{"a":', " 1}"], '{"a": 1}'), ([], "{}"), ([""], "{}")])
def test_an_answer_through_our_own_tool_is_text(pieces: list[str], text: str) -> None:
    """Where a schema was sent as a tool, the arguments of its call are the answer, and that is no tool call."""
    body = BEGIN + start(0, toolUse={"toolUseId": "c", "name": ANSWER_TOOL})
    body += b"".join(delta(0, toolUse={"input": piece}) for piece in pieces)
    chunks = parse(body + stop(0) + end("tool_use"))

    assert join_text(chunks) == text
    assert chunks[-1] == Chunk(finish_reason="stop")


def test_an_answer_through_our_own_tool_beside_a_real_call() -> None:
    """Then the model waits for the real one."""
    body = BEGIN + start(0, toolUse={"toolUseId": "c", "name": ANSWER_TOOL}) + stop(0)
    chunks = parse(body + start(1, toolUse={"toolUseId": "d", "name": "f"}) + stop(1) + end("tool_use"))

    assert chunks[1:] == [Chunk(tool_calls=(ToolCallDelta(0, "d", "f"),)), Chunk(finish_reason="tool_calls")]
