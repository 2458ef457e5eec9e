"""Answers in the format of OpenAI chat completions: whole ones and the events of a stream, to and from `Chunk`.

What aigw does not model is kept in ``Chunk.extra`` (``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level, on the last chunk of it: ``{"service_tier": "default"}``;
- of the choice under ``"choice"``: ``{"choice": {"logprobs": {...}}}``;
- of the message or delta under ``"message"``: ``{"message": {"annotations": [...]}}``;
- of the usage under ``"usage"``: ``{"usage": {"cost": 0.002}}``.

``created`` is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic_core import to_json

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_text, join_tool_calls
from aigw.errors import BadResponse, ConfigError
from aigw.wire.fields import checked, merge, rest
from aigw.wire.openai_dialect import DEFAULT, Dialect
from aigw.wire.openai_errors import classify
from aigw.wire.openai_messages import read_tool_call, take_reasoning, write_tool_call
from aigw.wire.usage import parse_usage, render_usage, usage_rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_INNER: Final = ("choice", "message", "usage")
_TOP: Final = frozenset({"id", "object", "created", "model", "choices", "error", *_INNER})
_CHOICE: Final = frozenset({"index", "delta", "message", "finish_reason"})
_QUIET_CHOICE: Final = _CHOICE | {"logprobs"}  # most servers send it always, and most often null
_MESSAGE: Final = frozenset({"role", "content", "refusal", "tool_calls"})

_Whole = tuple[str | None, str | None, Usage | None, dict[str, Any] | None]
"""What belongs to a whole answer: its id, model, usage and unknown fields."""


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each choice; usage, and fields of the whole answer, on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no chat completion.
        ProviderError: it is an error, under status 200.
    """
    return _parse(body, "message", dialect, model)


def parse_event(data: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read one event of a stream: a chunk for each choice, most often one; a single chunk where there is no choice.

    Args:
        data: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no chunk of a chat completion.
        ProviderError: it is an error.
    """
    return _parse(data, "delta", dialect, model)


def _parse(data: Mapping[str, Any], key: str, dialect: Dialect, asked: str) -> list[Chunk]:
    try:
        if type(data) is not dict:
            checked(data, dict, "it")
        if data.get("error"):
            raise classify(200, {}, to_json(data), provider=dialect.provider, model=asked)
        choices = data.get("choices")
        whole = _parse_whole(data)
        if type(choices) is list and len(choices) == 1:
            return [_parse_choice(choices[0], key, whole, dialect)]
        if key == "delta" and not choices and (choices is not None or data.get("usage")):
            # Before the first choice, or the usage after the last one: some servers send that without choices.
            return [Chunk(id=whole[0], model=whole[1], usage=whole[2], extra=whole[3])]
        *others, last = checked(choices, list, "choices") or _none_of("choices")
        part = (*whole[:2], None, None)
        return [
            *[_parse_choice(choice, key, part, dialect) for choice in others],
            _parse_choice(last, key, whole, dialect),
        ]
    except ConfigError as error:  # the checks of requests serve here too, but a wrong answer is the provider's fault
        message = f"the answer is not a chat completion: {error}"
        raise BadResponse(message, provider=dialect.provider, model=asked) from None


def _none_of(what: str) -> NoReturn:
    raise ConfigError(f"it has no {what}")


def _parse_whole(data: Mapping[str, Any]) -> _Whole:
    identity = data.get("id") or None
    model = data.get("model") or None
    if (identity is not None and type(identity) is not str) or (model is not None and type(model) is not str):
        raise ConfigError("id or model is not a string")
    extra = None if _TOP.issuperset(data) else rest(data, _TOP) or None
    usage = data.get("usage")
    if not usage:
        return identity, model, None, extra
    if left := usage_rest(usage):
        extra = {**(extra or {}), "usage": left}
    return identity, model, parse_usage(usage), extra


def _parse_choice(choice: Any, key: str, whole: _Whole, dialect: Dialect) -> Chunk:
    identity, model, usage, extra = whole
    if type(choice) is not dict:
        checked(choice, dict, "a choice")
    message = choice.get(key)
    if type(message) is not dict:
        message = {} if message is None and key == "delta" else checked(message, dict, key)
    text = message.get("content") or ""
    reasoning = refusal = ""
    calls: tuple[ToolCallDelta, ...] = ()
    plain = len(message) == 1 and "content" in message and type(text) is str
    if not plain:  # most deltas are a text and nothing else
        unknown = rest(message, _MESSAGE)
        reasoning = take_reasoning(unknown, dialect.reasoning_fields) or ""
        refusal = checked(message.get("refusal") or "", str, "refusal")
        calls = _parse_calls(message.get("tool_calls") or (), streamed=key == "delta")
        if type(text) is not str:
            text = _take_text(text, unknown)
        if unknown:
            extra = {**(extra or {}), "message": unknown}
    quiet = choice.get("logprobs") is None and _QUIET_CHOICE.issuperset(choice)
    if not quiet and (unknown := rest(choice, _CHOICE)):
        extra = {**(extra or {}), "choice": unknown}
    reason = choice.get("finish_reason") or None
    index = choice.get("index") or 0
    if (reason is not None and type(reason) is not str) or type(index) is not int:
        raise ConfigError("finish_reason is not a string, or index is not an integer")
    return Chunk(text, reasoning, calls, refusal, reason, usage, index, None, (), identity, model, extra)


def _take_text(content: Any, unknown: dict[str, Any]) -> str:
    """Join the text of a content in parts; the parts of other kinds stay in the unknown fields."""
    texts, others = [], []
    for part in checked(content, list, "content"):
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            others.append(part)
    if others:
        unknown["content"] = others
    return "".join(texts)


def _parse_calls(calls: Any, *, streamed: bool) -> tuple[ToolCallDelta, ...]:
    deltas = []
    for at, call in enumerate(checked(calls, list, "tool_calls")):
        identity, name, arguments, extra = read_tool_call(checked(call, dict, "a tool call"))
        position = call.get("index") if streamed else at
        deltas.append(
            ToolCallDelta(position if type(position) is int else at, identity, name, arguments, extra or None)
        )
    return tuple(deltas)


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",
    created: int = 0,
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        created: when it was made, in seconds since 1970.
        dialect: names the field for readable reasoning.
    """
    indices = sorted({chunk.index for chunk in chunks if says_something(chunk)} or {0})
    rendered: dict[str, Any] = {
        "id": next((chunk.id for chunk in chunks if chunk.id), id),
        "object": "chat.completion",
        "created": created,
        "model": next((chunk.model for chunk in chunks if chunk.model), model),
        "choices": [
            _render_choice(index, [chunk for chunk in chunks if chunk.index == index], dialect) for index in indices
        ],
    }
    for chunk in chunks:
        if chunk.usage is not None:
            rendered["usage"] = render_usage(chunk.usage, (chunk.extra or {}).get("usage"))
        rendered.update(whole_rest(chunk))
    return rendered


def _render_choice(index: int, chunks: Sequence[Chunk], dialect: Dialect) -> dict[str, Any]:
    calls = join_tool_calls(chunks, index)
    refusal = "".join(chunk.refusal for chunk in chunks) or None
    text = join_text(chunks, index)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if not text and (calls or refusal) else text,
        "refusal": refusal,
    }
    if reasoning := "".join(chunk.reasoning for chunk in chunks):
        message[dialect.reasoning_fields[0]] = reasoning
    if calls:
        message["tool_calls"] = [write_tool_call(call.id, call.name, call.arguments, call.extra) for call in calls]
    unknown = _join(chunk.extra.get("message") for chunk in chunks if chunk.extra)
    if "content" in unknown:
        unknown["content"] = [*([{"type": "text", "text": text}] if text else []), *unknown["content"]]
    reasons = [chunk.finish_reason for chunk in chunks if chunk.finish_reason]
    choice = {
        "index": index,
        "message": merge(message, unknown),
        "finish_reason": reasons[-1] if reasons else "tool_calls" if calls else "stop",
        "logprobs": None,
    }
    return merge(choice, _join(chunk.extra.get("choice") for chunk in chunks if chunk.extra))


def _join(pieces: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Join the unknown fields of several chunks: lists grow (``logprobs``), of anything else the last counts."""
    joined: dict[str, Any] = {}
    for piece in pieces:
        for name, value in (piece or {}).items():
            there = joined.get(name)
            if isinstance(there, list) and isinstance(value, list):
                joined[name] = there + value
            elif isinstance(there, dict) and isinstance(value, dict):
                joined[name] = _join((there, value))
            else:
                joined[name] = value
    return joined


def says_something(chunk: Chunk) -> bool:
    """Whether a chunk belongs to a choice, rather than to the whole answer."""
    extra = chunk.extra or {}
    return chunk.has_output or chunk.finish_reason is not None or "choice" in extra or "message" in extra


def whole_rest(chunk: Chunk) -> dict[str, Any]:
    """Return the unknown fields that belong to the whole answer."""
    return rest(chunk.extra, _INNER) if chunk.extra else {}


def render_delta(chunk: Chunk, dialect: Dialect = DEFAULT) -> dict[str, Any]:
    """Render what a chunk says as the ``delta`` of a streamed choice."""
    delta: dict[str, Any] = {}
    if chunk.text:
        delta["content"] = chunk.text
    if chunk.reasoning:
        delta[dialect.reasoning_fields[0]] = chunk.reasoning
    if chunk.refusal:
        delta["refusal"] = chunk.refusal
    if chunk.tool_calls:
        delta["tool_calls"] = [
            {"index": call.index, **write_tool_call(call.id, call.name, call.arguments, call.extra)}
            for call in chunk.tool_calls
        ]
    if chunk.extra and (unknown := chunk.extra.get("message")):
        if "content" in unknown and chunk.text:
            unknown = {**unknown, "content": [{"type": "text", "text": chunk.text}, *unknown["content"]]}
        merge(delta, unknown)
    return delta
