"""Bedrock's Converse and ConverseStream, as botocore's model of the service has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from contract.said import SIGNATURE, Called, Counts, Failure, Numbers, Request, Said, halves, parsed, sprinkled
from wire.bedrock_converse.encoder import event, exception
from wire.bedrock_converse.oracle import check_request, parse_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract.claude-sonnet-4-5"
"""A model that nothing is known of, of a family that takes everything."""
ID = None
ANSWERS_AS = None
"""An answer says neither its id nor the model that gave it."""
KEY = ("authorization", "Bearer ")
RAW_ARGUMENTS = (False, True)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "application/vnd.amazon.eventstream"
SEALED = frozenset({"input"})

FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "malformed_tool_use": "malformed_tool_use",
    "malformed_model_output": "malformed_model_output",
}


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the service takes."""
    check_request(body, MODEL, "ConverseStream" if streamed else "Converse")
    assert body["messages"][0]["role"] == "user"
    for message, following in zip(body["messages"], body["messages"][1:], strict=False):
        assert message["role"] != following["role"], "the speakers take turns"
        called = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        answered = [block["toolResult"]["toolUseId"] for block in following["content"] if "toolResult" in block]
        assert sorted(called) == sorted(answered)


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    request = Request([("system", block["text"]) for block in body.get("system", ())])
    numbers = Numbers()
    for message in body["messages"]:
        for block in message["content"]:
            request.items += _read_block(block, message["role"], numbers, request)
    config = body.get("toolConfig", {})
    for tool in config.get("tools", ()):
        spec = tool["toolSpec"]
        request.tools[spec["name"]] = (spec.get("description", ""), spec["inputSchema"]["json"])
        request.marks |= {"strict"} if spec.get("strict") else set()
    choice = config.get("toolChoice", {})
    request.choice = (
        "auto" if "auto" in choice else "required" if "any" in choice else choice.get("tool", {}).get("name")
    )
    structure = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {})
    if "jsonSchema" in structure:
        request.schema = json.loads(structure["jsonSchema"]["schema"])
    names = {"temperature": "temperature", "topP": "top_p", "maxTokens": "max_tokens", "stopSequences": "stop"}
    inference = body.get("inferenceConfig", {})
    request.settings = {ours: inference[name] for name, ours in names.items() if name in inference}
    more = body.get("additionalModelRequestFields", {})
    if "thinking" in more or "output_config" in more:
        kind = more.get("thinking", {}).get("type")
        request.settings["reasoning"] = (
            "none" if kind == "disabled" else more.get("output_config", {}).get("effort", "low")
        )
    request.parallel = False if more.get("tool_choice", {}).get("disable_parallel_tool_use") else None
    return request


def _read_block(block: Any, speaker: str, numbers: Numbers, request: Request) -> Iterator[tuple[Any, ...]]:
    if "text" in block:
        yield speaker, block["text"]
    elif "image" in block:
        yield "image", _url(block["image"], "image")
    elif "document" in block:
        yield "file", _url(block["document"], "application")
    elif "toolUse" in block:
        call = block["toolUse"]
        yield "call", numbers.of_call(call["toolUseId"]), call["name"], call["input"]
    elif "toolResult" in block:
        result = block["toolResult"]
        number = numbers.of_result(result["toolUseId"])
        inner = [item for part in result["content"] for item in _read_block(part, "text", numbers, request)]
        if result.get("status") == "error":
            request.failed.append(number)
        yield "result", number, "".join(item[1] for item in inner if item[0] == "text")
        yield from (item for item in inner if item[0] != "text")
    elif "reasoningContent" in block:
        request.thoughts.append(block["reasoningContent"])


def _url(media: Any, kind: str) -> str:
    return f"data:{kind}/{media['format']};base64,{media['source']['bytes']}"


def thinks(provider: str) -> bool:
    """It shows reasoning."""
    return True


def signs(provider: str) -> bool:
    """What goes back holds `SIGNATURE`."""
    return True


def back(said: Said, provider: str) -> list[Any]:
    """The block goes back unchanged."""
    return [_reasoning(said)]


def hides(provider: str) -> bool:
    """It may redact its reasoning."""
    return True


def tells(provider: str) -> frozenset[str]:
    """It does not tell the tokens of the reasoning."""
    return frozenset({"cached", "written"})


def finishes(provider: str) -> Mapping[str, str]:
    """Return the stop reasons and what they must become."""
    return FINISHES


def _reasoning(said: Said) -> dict[str, Any]:
    if said.hidden:
        return {"redactedContent": SIGNATURE}
    return {"reasoningText": {"text": said.thought, "signature": SIGNATURE}}


def _call(call: Called) -> dict[str, Any]:
    return {"toolUseId": call.id, "name": call.name}


def _reason(said: Said) -> str:
    return said.finish or ("tool_use" if said.calls else "end_turn")


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "inputTokens": counts.input - counts.cached - counts.written,
        "outputTokens": counts.output,
        "totalTokens": counts.input + counts.output,
        "cacheReadInputTokens": counts.cached,
        "cacheWriteInputTokens": counts.written,
    }


def _metadata(said: Said) -> dict[str, Any]:
    usage = {} if said.counts is None else {"usage": _usage(said.counts)}
    return {**usage, "metrics": {"latencyMs": 412}}


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    content: list[Any] = [{"xUnheardOf": {"since": 2027}}] if said.strange else []
    content += [{"reasoningContent": _reasoning(said)}] if said.thought or said.hidden else []
    content += [{"text": said.text}] if said.text else []
    content += [{"toolUse": {**_call(call), "input": parsed(call.arguments or "{}")}} for call in said.calls]
    message = {"role": "assistant", "content": content}
    body = {"output": {"message": message}, "stopReason": _reason(said), **_metadata(said)}
    if said.strange:
        body = sprinkled(body, SEALED)
    else:
        assert parse_answer(body)["output"]["message"]["role"] == "assistant"
    return json.dumps(body).encode()


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, frame by frame."""
    made: list[tuple[str, Any]] = [("messageStart", {"role": "assistant"})]
    for index, (start, deltas) in enumerate(_blocks(said)):
        place = {"contentBlockIndex": index}
        if start is not None:
            made.append(("contentBlockStart", {"start": start, **place}))
        made += [("contentBlockDelta", {"delta": delta, **place}) for delta in deltas]
        made.append(("contentBlockStop", place))
    made += [("messageStop", {"stopReason": _reason(said)}), ("metadata", _metadata(said))]
    if said.strange:
        made = [(name, sprinkled(payload, SEALED)) for name, payload in made]
        made.insert(1, ("xUnheardOf", {"since": 2027}))
    return [event(name, payload) for name, payload in made]


def _blocks(said: Said) -> Iterator[tuple[Any, list[Any]]]:
    if said.strange:
        yield None, [{"xUnheardOf": {"since": 2027}}]
    if said.hidden:
        yield None, [{"reasoningContent": _reasoning(said)}]
    elif said.thought:
        texts = [{"reasoningContent": {"text": piece}} for piece in halves(said.thought)]
        yield None, [*texts, {"reasoningContent": {"signature": SIGNATURE}}]
    if said.text:
        yield None, [{"text": piece} for piece in said.pieces]
    for call in said.calls:
        yield {"toolUse": _call(call)}, [{"toolUse": {"input": piece}} for piece in halves(call.arguments)]


LATE_FAILURES = {
    "model": (exception("modelStreamErrorException", "The model stopped."), ServerError),
    "internal": (exception("internalServerException", "The system encountered an unexpected error."), ServerError),
    "too fast": (
        exception("throttlingException", "Too many tokens, please wait before trying again."),
        ProviderRateLimited,
    ),
    "unavailable": (exception("serviceUnavailableException", "Bedrock is unable to process your request."), Overloaded),
}
"""Exceptions in the middle of a stream."""


def _failure(name: str, status: int, code: str, message: str, kind: Any, *, told: str | None = None) -> Failure:
    headers = {
        "x-amzn-requestid": "b1d0a7a5-0001",
        "x-amzn-errortype": f"{code}:http://internal.amazon.com/coral/com.amazon.bedrock/",
    }
    return Failure(name, status, {"message": message}, kind, told or code, headers, "b1d0a7a5-0001")


FAILURES = (
    _failure("wrong request", 400, "ValidationException", "The provided request is not valid", BadRequest),
    _failure(
        "too long",
        400,
        "ValidationException",
        "The model returned the following errors: Input is too long for requested model.",
        ContextTooLong,
    ),
    _failure("no such model", 400, "ValidationException", "The provided model identifier is invalid.", NotFound),
    _failure("no such profile", 404, "ResourceNotFoundException", "Could not resolve the foundation model.", NotFound),
    _failure(
        "wrong token",
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        AuthenticationFailed,
    ),
    _failure(
        "expired token",
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
        AuthenticationFailed,
    ),
    _failure(
        "not allowed",
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        PermissionDenied,
    ),
    _failure(
        "too fast",
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
        ProviderRateLimited,
    ),
    _failure(
        "used up for the day",
        429,
        "ThrottlingException",
        "Too many tokens per day, please wait before trying again.",
        QuotaExhausted,
        told="TooManyTokensPerDay",
    ),
    _failure("slow", 408, "ModelTimeoutException", "Model has timed out in processing the request.", TimedOut),
    _failure("not ready", 429, "ModelNotReadyException", "The model is not ready for inference.", Overloaded),
    _failure("model failed", 424, "ModelErrorException", "The model failed.", ServerError),
    _failure("it broke", 500, "InternalServerException", "The system encountered an unexpected error.", ServerError),
    _failure("unavailable", 503, "ServiceUnavailableException", "Bedrock is unable to process it.", Overloaded),
)


def failures(provider: str) -> tuple[Failure, ...]:
    """Return the failures of the service."""
    return FAILURES


def as_event(body: bytes) -> bytes:
    """It never fails under status 200 with a body that is not an event."""
    raise AssertionError("Bedrock has no such failure")
