"""Answers: what a healthy `FaultyUpstream` says, as OpenAI's API says it."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aigw.testing.fake_model import count_tokens, pieces, vector
from aigw.testing.upstream.plan import Body, complete, dumps

if TYPE_CHECKING:
    from aigw.testing.faults import Status

_CREATED = 1_700_000_000
_ARGUMENTS = 8  # characters of a tool call's arguments in one piece


@dataclass(frozen=True, slots=True)
class Content:
    """What the model says.

    Args:
        text: the text; where it is empty the message has none.
        tool_calls: tool calls behind it, as the API writes them in a message.
    """

    text: str
    tool_calls: Sequence[Mapping[str, Any]] = ()

    @property
    def finish_reason(self) -> str:
        """Why it ends."""
        return "tool_calls" if self.tool_calls else "stop"

    @property
    def tokens(self) -> int:
        """How many tokens it counts for."""
        arguments = [str(call.get("function", {}).get("arguments", "")) for call in self.tool_calls]
        return count_tokens(" ".join([self.text, *arguments]))


def chat(asked: Mapping[str, Any], content: Content, number: int) -> Body:
    """Answer a chat completion, streamed if that was asked for."""
    # The id has a fixed width, so that a body has the same length each time.
    identity = {"id": f"chatcmpl-{number:08d}", "created": _CREATED, "model": asked.get("model", "")}
    usage = _usage(sum(count_tokens(text) for text in _texts(asked.get("messages"))), content.tokens)
    if asked.get("stream"):
        wanted = (asked.get("stream_options") or {}).get("include_usage")
        return _streamed(identity, content, usage if wanted else None)
    message: dict[str, Any] = {"role": "assistant", "content": content.text or None, "refusal": None}
    if content.tool_calls:
        message["tool_calls"] = list(content.tool_calls)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": content.finish_reason}
    return complete({**identity, "object": "chat.completion", "choices": [choice], "usage": usage})


def _streamed(identity: dict[str, Any], content: Content, usage: dict[str, int] | None) -> Body:
    common = {**identity, "object": "chat.completion.chunk"}
    # Where usage is asked for, all events but the last one say that it is null.
    unknown = {} if usage is None else {"usage": None}

    def event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event({**common, "choices": [choice], **unknown})

    closing = [event({}, content.finish_reason)]
    if usage is not None:
        closing.append(_event({**common, "choices": [], "usage": usage}))
    return Body(
        opening=(event({"role": "assistant", "content": "", "refusal": None}),),
        outputs=tuple(event(delta) for delta in _deltas(content)),
        closing=(*closing, b"data: [DONE]\n\n"),
        chunked=True,
        media_type="text/event-stream; charset=utf-8",
    )


def _deltas(content: Content) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"content": piece} for piece in pieces(content.text)]
    for index, call in enumerate(content.tool_calls):
        function = call.get("function", {})
        arguments = str(function.get("arguments", ""))
        first = {**call, "index": index, "function": {**function, "arguments": ""}}
        deltas.append({"tool_calls": [first]})
        for start in range(0, len(arguments), _ARGUMENTS):
            piece = {"index": index, "function": {"arguments": arguments[start : start + _ARGUMENTS]}}
            deltas.append({"tool_calls": [piece]})
    return deltas


def embeddings(asked: Mapping[str, Any]) -> Body:
    """Answer an embeddings request; the vectors depend on nothing but the texts."""
    given = asked.get("input", "")
    texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
    encode = _base64 if asked.get("encoding_format") == "base64" else list
    data = [
        {"object": "embedding", "index": index, "embedding": encode(vector(text, asked.get("dimensions")))}
        for index, text in enumerate(texts)
    ]
    prompt = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": prompt, "total_tokens": prompt}
    return complete({"object": "list", "data": data, "model": asked.get("model", ""), "usage": usage})


def models(names: Sequence[str]) -> Body:
    """List the models."""
    data = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "aigw"} for name in names]
    return complete({"object": "list", "data": data})


def error(fault: Status) -> Body:
    """Answer with an HTTP error."""
    headers = []
    if fault.retry_after is not None:
        headers.append(("retry-after", _header(fault.retry_after)))
    if fault.retry_after_ms is not None:
        headers.append(("retry-after-ms", _header(fault.retry_after_ms)))
    if fault.body is not None:
        body = Body(outputs=(fault.body.encode(),), media_type="text/html; charset=utf-8")
        return replace(body, status=fault.status, headers=tuple(headers))
    kind = fault.type or ("server_error" if fault.status >= 500 else "invalid_request_error")  # noqa: PLR2004  (HTTP's 5xx)
    document = {"error": {"message": fault.message, "type": kind, "param": None, "code": fault.code}}
    return complete(document, status=fault.status, headers=tuple(headers))


def _header(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _texts(messages: object) -> list[str]:
    """Take the texts out of messages, whose content is a text or a list of parts."""
    found: list[str] = []
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        parts: list[Any] = content if isinstance(content, list) else [{"text": content}]
        texts = [part.get("text") for part in parts if isinstance(part, dict)]
        found += [text for text in texts if isinstance(text, str)]
    return found


def _event(document: object) -> bytes:
    return b"data: " + dumps(document) + b"\n\n"


def _base64(numbers: Sequence[float]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
